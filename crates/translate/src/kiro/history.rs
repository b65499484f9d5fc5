//! Turns by the rules of Kiro's history. A breach of any of them is a 400 without a word about which.

use super::tools;
use byok_types::Failure;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The least that a text may be.
pub(super) const FILLER: &str = " ";

/// A turn of the user or of the assistant.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) assistant: bool,
    pub(super) text: String,
    images: Vec<Value>,
    /// Results of tools, each with its id.
    results: Vec<(String, Value)>,
    /// Calls, each with its id.
    uses: Vec<(String, Value)>,
}

impl Turn {
    fn say(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    /// Names of the tools that it calls.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.uses.iter().filter_map(|(_, call)| call["name"].as_str())
    }

    /// It in Kiro's shape. `tools` stand only in the last one.
    pub(super) fn written(self, model: &str, origin: &str, tools: Vec<Value>) -> Value {
        let text =
            |text: String, needed: bool| if needed && text.is_empty() { FILLER.to_owned() } else { text };
        if self.assistant {
            let mut message = json!({"content": text(self.text, true)});
            if !self.uses.is_empty() {
                message["toolUses"] = self.uses.into_iter().map(|(_, call)| call).collect();
            }
            return json!({"assistantResponseMessage": message});
        }
        let mut context = Map::new();
        let no_results = self.results.is_empty();
        if !no_results {
            context
                .insert("toolResults".into(), self.results.into_iter().map(|(_, result)| result).collect());
        }
        if !tools.is_empty() {
            context.insert("tools".into(), tools.into());
        }
        let mut message = json!({"content": text(self.text, no_results), "modelId": model, "origin": origin});
        if !self.images.is_empty() {
            message["images"] = self.images.into();
        }
        // Empty, it would be refused.
        if !context.is_empty() {
            message["userInputMessageContext"] = context.into();
        }
        json!({"userInputMessage": message})
    }
}

/// Reads the turns of a Messages request and mends what Kiro would refuse. The first and the last are the user's.
pub(super) fn turns(messages: &[Value]) -> Result<Vec<Turn>, Failure> {
    let mut turns: Vec<Turn> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let assistant = message["role"] == "assistant";
        if turns.last().is_none_or(|last| last.assistant != assistant) {
            turns.push(Turn { assistant, ..Turn::default() });
        }
        let Some(turn) = turns.last_mut() else { continue };
        match &message["content"] {
            Value::String(text) => turn.say(text),
            Value::Array(blocks) => {
                for (index, block) in blocks.iter().enumerate() {
                    read(turn, block, &|| format!("messages[{at}].content[{index}]"))?;
                }
            }
            _ => {}
        }
    }
    // What the assistant is to go on with has no place on this wire.
    if turns.last().is_some_and(|last| last.assistant) {
        turns.pop();
    }
    if turns.first().is_some_and(|first| first.assistant) {
        turns.insert(0, Turn::default());
    }
    if turns.is_empty() {
        return Err(Failure::bad_request("messages", "Kiro needs a message of the user; add one."));
    }
    pair(&mut turns);
    Ok(turns)
}

fn read(turn: &mut Turn, block: &Value, place: &dyn Fn() -> String) -> Result<(), Failure> {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    match text("type") {
        "text" => turn.say(text("text")),
        "image" => turn.images.push(image(block, place)?),
        "document" if block["source"]["type"] == "text" => {
            turn.say(block["source"]["data"].as_str().unwrap_or_default());
        }
        "document" => return Err(Failure::bad_request(place(), "Kiro takes no documents; send their text.")),
        "tool_use" => {
            let id = text("id").to_owned();
            let name = tools::name(text("name")).ok_or_else(|| {
                Failure::bad_request(place(), "the name of the tool is too long for Kiro; shorten it.")
            })?;
            let input = if block["input"].is_object() { block["input"].clone() } else { json!({}) };
            turn.uses.push((id.clone(), json!({"toolUseId": id, "name": name, "input": input})));
        }
        "tool_result" => {
            let mut said = String::new();
            match &block["content"] {
                Value::String(text) => said.push_str(text),
                Value::Array(parts) => {
                    for part in parts {
                        match part["type"].as_str() {
                            Some("image") => turn.images.push(image(part, place)?),
                            _ => said.push_str(part["text"].as_str().unwrap_or_default()),
                        }
                    }
                }
                _ => {}
            }
            let said = if said.is_empty() { FILLER } else { &said };
            let status = if block["is_error"] == true { "error" } else { "success" };
            let id = text("tool_use_id").to_owned();
            turn.results
                .push((id.clone(), json!({"toolUseId": id, "content": [{"text": said}], "status": status})));
        }
        // Reasoning of earlier turns is not asked for.
        _ => {}
    }
    Ok(())
}

fn image(block: &Value, place: &dyn Fn() -> String) -> Result<Value, Failure> {
    let source = &block["source"];
    let format = match source["media_type"].as_str() {
        Some("image/png") => "png",
        Some("image/jpeg" | "image/jpg") => "jpeg",
        Some("image/gif") => "gif",
        Some("image/webp") => "webp",
        _ => {
            return Err(Failure::bad_request(
                place(),
                "Kiro takes pictures as PNG, JPEG, GIF or WebP, with their bytes; send it so.",
            ));
        }
    };
    Ok(json!({"format": format, "source": {"bytes": source["data"]}}))
}

/// Calls and results belong together, each once, in neighbouring turns. A result without its call becomes text, a call without
/// its result is left out.
fn pair(turns: &mut [Turn]) {
    for at in 0..turns.len() {
        let (before, rest) = turns.split_at_mut(at);
        let Some(turn) = rest.first_mut() else { continue };
        if turn.assistant {
            continue;
        }
        let asked: HashSet<String> = before
            .last()
            .map(|last| last.uses.iter().map(|(id, _)| id.clone()).collect())
            .unwrap_or_default();
        let mut answered = HashSet::new();
        let mut lost = Vec::new();
        turn.results.retain(|(id, result)| {
            if !asked.contains(id) {
                lost.push(result["content"][0]["text"].as_str().unwrap_or_default().to_owned());
                return false;
            }
            answered.insert(id.clone())
        });
        for text in lost {
            turn.say(&text);
        }
        if let Some(last) = before.last_mut() {
            let mut seen = HashSet::new();
            last.uses.retain(|(id, _)| answered.contains(id) && seen.insert(id.clone()));
        }
    }
}
