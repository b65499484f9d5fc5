//! What a Messages request asks for.

use crate::asked::{
    Asked, Choice, Declared, Dialogue, Marked, Media, Thought, ToolAnswer, media_of_url, prompt_of,
};
use serde_json::Value;
use std::collections::HashMap;

/// The blocks of the prompt, and which of them end a cached part: `cache_control` at a block, or at the top for the last one.
fn marked(body: &Value) -> Marked {
    let mut prompt = Vec::new();
    let mut blocks = Vec::new();
    let mut add = |role: &str, block: &Value| {
        let mut block = block.clone();
        let mark = block.as_object_mut().and_then(|block| block.remove("cache_control"));
        prompt.extend_from_slice(format!("{role}{block}").as_bytes());
        blocks.push((prompt.len(), mark.is_some_and(|mark| mark.is_object())));
    };
    let each = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    body.get("tools").into_iter().flat_map(each).for_each(|tool| add("tool", &tool));
    body.get("system").into_iter().flat_map(each).for_each(|block| add("system", &block));
    for turn in body["messages"].as_array().into_iter().flatten() {
        let role = turn["role"].as_str().unwrap_or_default();
        for block in each(&turn["content"]) {
            add(role, &block);
        }
    }
    if body["cache_control"].is_object()
        && let Some((_, mark)) = blocks.last_mut()
    {
        *mark = true;
    }
    Marked { prompt: prompt.into(), blocks }
}

/// Reads a request that has been checked.
pub(crate) fn read(body: &Value) -> Asked {
    let mut asked = Asked {
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        stream: body["stream"] == true,
        max_tokens: body["max_tokens"].as_u64().and_then(|n| usize::try_from(n).ok()),
        stops: texts_of(&body["stop_sequences"]),
        schema: body.pointer("/output_config/format/schema").cloned(),
        thinking: thought(&body["thinking"]),
        single_call: body.pointer("/tool_choice/disable_parallel_tool_use") == Some(&Value::Bool(true)),
        choice: choice(&body["tool_choice"]),
        prompt: prompt_of(body, &["tools", "system", "messages"]),
        marked: Some(marked(body)),
        ..Asked::default()
    };
    for tool in body["tools"].as_array().into_iter().flatten() {
        let kind = tool["type"].as_str().unwrap_or("custom");
        if kind.starts_with("web_search_") {
            asked.search = true;
        } else if is_client_tool(kind) {
            asked.tools.push(Declared {
                name: tool["name"].as_str().unwrap_or_default().to_owned(),
                namespace: None,
                free: false,
                schema: tool["input_schema"].clone(),
            });
        }
    }
    dialogue(body).fill(&mut asked);
    asked
}

/// Whether the caller runs this kind of tool.
fn is_client_tool(kind: &str) -> bool {
    kind == "custom" || ["bash_", "text_editor_", "memory_"].iter().any(|known| kind.starts_with(known))
}

fn thought(thinking: &Value) -> Thought {
    match thinking["type"].as_str() {
        Some("enabled" | "adaptive" | "between_tools") if thinking["display"] == "omitted" => Thought::Hidden,
        Some("enabled" | "adaptive" | "between_tools") => Thought::Shown,
        _ => Thought::Off,
    }
}

fn choice(choice: &Value) -> Choice {
    match choice["type"].as_str() {
        Some("any") => Choice::Any,
        Some("none") => Choice::Never,
        Some("tool") => Choice::Named(choice["name"].as_str().map(str::to_owned).into_iter().collect()),
        _ => Choice::Auto,
    }
}

fn texts_of(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The blocks of a content that may be a string.
pub(super) fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![serde_json::json!({"type": "text", "text": text})],
        Value::Array(blocks) => blocks.clone(),
        _ => Vec::new(),
    }
}

fn dialogue(body: &Value) -> Dialogue {
    let mut dialogue = Dialogue::default();
    let mut names = HashMap::new();
    for turn in body["messages"].as_array().into_iter().flatten() {
        let blocks = blocks(&turn["content"]);
        if turn["role"] == "assistant" {
            for block in &blocks {
                if let (Some(id), Some(name)) = (block["id"].as_str(), block["name"].as_str()) {
                    names.insert(id.to_owned(), name.to_owned());
                }
            }
        } else if turn["role"] == "user" {
            let (mut texts, mut media, mut results) = (Vec::new(), Vec::new(), Vec::new());
            for block in &blocks {
                match block["type"].as_str() {
                    Some("text") => texts.extend(block["text"].as_str().map(str::to_owned)),
                    Some("image" | "document") => media.push(source(block)),
                    Some("tool_result") => results.push(result(block, &names)),
                    _ => {}
                }
            }
            dialogue.user(&texts, media, results);
        }
    }
    dialogue
}

fn source(block: &Value) -> Media {
    let source = &block["source"];
    match (source["data"].as_str(), source["url"].as_str()) {
        (Some(data), _) => {
            let media_type = source["media_type"].as_str().unwrap_or("file").to_owned();
            let bytes = if source["type"] == "text" {
                Some(data.len())
            } else {
                crate::seal::decode_any(data).map(|bytes| bytes.len())
            };
            Media { media_type, bytes }
        }
        (None, Some(url)) => media_of_url(url),
        (None, None) => Media { media_type: "file".to_owned(), bytes: None },
    }
}

fn result(block: &Value, names: &HashMap<String, String>) -> ToolAnswer {
    let id = block["tool_use_id"].as_str().unwrap_or_default();
    let mut text = if block["is_error"] == true { "failed: ".to_owned() } else { String::new() };
    for part in blocks(&block["content"]) {
        match part["type"].as_str() {
            Some("text") => text.push_str(part["text"].as_str().unwrap_or_default()),
            Some("image") => {
                text.push_str(&source(&part).in_brackets());
            }
            _ => {}
        }
    }
    ToolAnswer { name: names.get(id).cloned().unwrap_or_else(|| id.to_owned()), text }
}
