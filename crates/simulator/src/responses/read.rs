//! What a Responses request asks for.

use crate::{
    asked::{Asked, Choice, Declared, Dialogue, Media, Thought, ToolAnswer, media_of_url, prompt_of},
    models::{self, Maker},
    world::World,
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Reads a request that has been checked.
pub(crate) fn read(world: &World, body: &Value) -> Asked {
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    let items = conversation(world, body);
    let mut asked = Asked {
        stream: body["stream"] == true,
        max_tokens: body["max_output_tokens"].as_u64().and_then(|n| usize::try_from(n).ok()),
        schema: body
            .pointer("/text/format/schema")
            .cloned()
            .or_else(|| (body.pointer("/text/format/type")? == "json_object").then_some(Value::Bool(true))),
        thinking: thought(body, &model),
        single_call: body["parallel_tool_calls"] == false,
        choice: choice(&body["tool_choice"]),
        prompt: prompt_of(
            &json!({"tools": body["tools"], "instructions": body["instructions"], "input": items}),
            &["tools", "instructions", "input"],
        ),
        model,
        ..Asked::default()
    };
    for tool in body["tools"].as_array().into_iter().flatten() {
        add_tool(&mut asked, tool, None);
    }
    for item in items.iter().filter(|item| item["type"] == "additional_tools") {
        for tool in item["tools"].as_array().into_iter().flatten() {
            add_tool(&mut asked, tool, None);
        }
    }
    dialogue(&items).fill(&mut asked);
    asked
}

/// The input as items, behind the stored conversation it goes on from.
pub(super) fn conversation(world: &World, body: &Value) -> Vec<Value> {
    let earlier = body["previous_response_id"].as_str().and_then(|id| world.stored.items(id));
    let mut items = earlier.unwrap_or_default();
    match &body["input"] {
        Value::String(text) => items.push(json!({"role": "user", "content": text})),
        input => items.extend(input.as_array().into_iter().flatten().cloned()),
    }
    items
}

fn add_tool(asked: &mut Asked, tool: &Value, namespace: Option<&str>) {
    match tool["type"].as_str().unwrap_or_default() {
        "namespace" => {
            let name = tool["name"].as_str();
            for inner in tool["tools"].as_array().into_iter().flatten() {
                add_tool(asked, inner, name);
            }
        }
        "function" | "custom" => asked.tools.push(Declared {
            name: tool["name"].as_str().unwrap_or_default().to_owned(),
            namespace: namespace.map(str::to_owned),
            free: tool["type"] == "custom",
            schema: tool["parameters"].clone(),
        }),
        kind if kind.starts_with("web_search") => asked.search = true,
        _ => {}
    }
}

/// Reasoning models think; the text of it is shown only as a summary that was asked for.
fn thought(body: &Value, model: &str) -> Thought {
    let reasons = models::find(Maker::Openai, model).is_some_and(models::SimModel::reasons);
    let reasoning = &body["reasoning"];
    if !reasons || reasoning["effort"] == "none" || !reasoning.is_object() {
        return Thought::Off;
    }
    if reasoning["summary"].is_string() { Thought::Shown } else { Thought::Hidden }
}

fn choice(choice: &Value) -> Choice {
    let name = |tool: &Value| tool["name"].as_str().map(str::to_owned);
    match (choice.as_str(), choice["type"].as_str()) {
        (Some("none"), _) => Choice::Never,
        (Some("required"), _) => Choice::Any,
        (_, Some("function" | "custom")) => Choice::Named(name(choice).into_iter().collect()),
        (_, Some("allowed_tools")) if choice["mode"] == "required" => {
            Choice::Named(choice["tools"].as_array().into_iter().flatten().filter_map(name).collect())
        }
        _ => Choice::Auto,
    }
}

/// Texts and media of a content that may be a string.
fn content(content: &Value) -> (Vec<String>, Vec<Media>) {
    let (mut texts, mut media) = (Vec::new(), Vec::new());
    match content {
        Value::String(text) => texts.push(text.clone()),
        parts => {
            for part in parts.as_array().into_iter().flatten() {
                match part["type"].as_str() {
                    Some("input_image") => {
                        media.push(media_of_url(part["image_url"].as_str().unwrap_or("image by id")));
                    }
                    Some("input_file") => {
                        let data = part["file_data"].as_str().or_else(|| part["file_url"].as_str());
                        media.push(media_of_url(data.unwrap_or("file by id")));
                    }
                    _ => texts.extend(part["text"].as_str().map(str::to_owned)),
                }
            }
        }
    }
    (texts, media)
}

fn dialogue(items: &[Value]) -> Dialogue {
    let mut dialogue = Dialogue::default();
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut after_result = false;
    for item in items {
        let kind = item["type"].as_str().unwrap_or("message");
        let mut result = false;
        match kind {
            "message" if item["role"] == "user" => {
                let (texts, media) = content(&item["content"]);
                dialogue.user(&texts, media, Vec::new());
            }
            "function_call" | "custom_tool_call" => {
                if let (Some(id), Some(name)) = (item["call_id"].as_str(), item["name"].as_str()) {
                    names.insert(id, name);
                }
            }
            "function_call_output" | "custom_tool_call_output" => {
                let id = item["call_id"].as_str().unwrap_or_default();
                let (texts, media) = content(&item["output"]);
                let mut text = texts.concat();
                for media in media {
                    text.push_str(&media.in_brackets());
                }
                let name = names.get(id).copied().unwrap_or(id).to_owned();
                dialogue.result(ToolAnswer { name, text }, !after_result);
                result = true;
            }
            _ => {}
        }
        after_result = result;
    }
    dialogue
}
