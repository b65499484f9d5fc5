//! What a Chat Completions request asks for.

use crate::asked::{Asked, Choice, Declared, Dialogue, Media, Thought, ToolAnswer, media_of_url, prompt_of};
use serde_json::Value;
use std::collections::HashMap;

/// Reads a request that has been checked.
pub(crate) fn read(body: &Value) -> Asked {
    let limit = body["max_completion_tokens"].as_u64().or_else(|| body["max_tokens"].as_u64());
    let mut asked = Asked {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"] == true,
        max_tokens: limit.and_then(|n| usize::try_from(n).ok()),
        stops: stops(&body["stop"]),
        schema: body.pointer("/response_format/json_schema/schema").cloned().or_else(|| {
            (body.pointer("/response_format/type")? == "json_object").then_some(Value::Bool(true))
        }),
        // The vendor keeps its thinking to itself here; only the scenario shows it, as compatible servers do.
        thinking: Thought::Off,
        single_call: body["parallel_tool_calls"] == false,
        choice: choice(&body["tool_choice"]),
        search: body.get("web_search_options").is_some_and(|options| !options.is_null()),
        prompt: prompt_of(body, &["tools", "messages"]),
        ..Asked::default()
    };
    asked.tools = body["tools"].as_array().into_iter().flatten().map(declared).collect();
    dialogue(body).fill(&mut asked);
    asked
}

fn stops(stop: &Value) -> Vec<String> {
    match stop {
        Value::String(text) => vec![text.clone()],
        list => list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn declared(tool: &Value) -> Declared {
    let free = tool["type"] == "custom";
    let inner = if free { &tool["custom"] } else { &tool["function"] };
    Declared {
        name: inner["name"].as_str().unwrap_or_default().to_owned(),
        namespace: None,
        free,
        schema: inner["parameters"].clone(),
    }
}

fn choice(choice: &Value) -> Choice {
    let name = |inner: &Value| inner["name"].as_str().map(str::to_owned);
    match (choice.as_str(), choice["type"].as_str()) {
        (Some("none"), _) => Choice::Never,
        (Some("required"), _) => Choice::Any,
        (_, Some("function")) => Choice::Named(name(&choice["function"]).into_iter().collect()),
        (_, Some("custom")) => Choice::Named(name(&choice["custom"]).into_iter().collect()),
        (_, Some("allowed_tools")) if choice["allowed_tools"]["mode"] == "required" => {
            let tools = choice["allowed_tools"]["tools"].as_array();
            Choice::Named(tools.into_iter().flatten().filter_map(|tool| name(&tool["function"])).collect())
        }
        _ => Choice::Auto,
    }
}

/// The texts of a content that may be a string.
pub(super) fn texts(content: &Value) -> Vec<String> {
    match content {
        Value::String(text) => vec![text.clone()],
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn media(content: &Value) -> Vec<Media> {
    let part = |part: &Value| match part["type"].as_str()? {
        "image_url" => Some(media_of_url(part["image_url"]["url"].as_str()?)),
        "input_audio" => {
            let audio = &part["input_audio"];
            let bytes = crate::seal::decode_any(audio["data"].as_str()?).map(|bytes| bytes.len());
            Some(Media { media_type: format!("audio/{}", audio["format"].as_str()?), bytes })
        }
        "file" => Some(media_of_url(part["file"]["file_data"].as_str().unwrap_or("file"))),
        _ => None,
    };
    content.as_array().into_iter().flatten().filter_map(part).collect()
}

fn dialogue(body: &Value) -> Dialogue {
    let mut dialogue = Dialogue::default();
    let mut names = HashMap::new();
    let mut after_tool = false;
    for message in body["messages"].as_array().into_iter().flatten() {
        let content = &message["content"];
        let role = message["role"].as_str().unwrap_or_default();
        match role {
            "assistant" => {
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    let name = call["function"]["name"].as_str().or_else(|| call["custom"]["name"].as_str());
                    if let (Some(id), Some(name)) = (call["id"].as_str(), name) {
                        names.insert(id.to_owned(), name.to_owned());
                    }
                }
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                let name = names.get(id).cloned().unwrap_or_else(|| id.to_owned());
                dialogue.result(ToolAnswer { name, text: texts(content).concat() }, !after_tool);
            }
            "user" => dialogue.user(&texts(content), media(content), Vec::new()),
            _ => {}
        }
        after_tool = role == "tool";
    }
    dialogue
}
