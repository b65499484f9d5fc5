//! Calls of earlier turns that Gemini at Copilot refuses.
//!
//! It wants calls back with the reasoning that it has sealed. A call of another model has none, and one whose seal is lost
//! (byok was restarted, a client has thrown it away) has none any more; no sign for that is known here, as Google itself has.
//! The conversation goes on all the same if what was called, and what came of it, is told in words.

use crate::upstream::draft::{Draft, Edited, edited};
use byok_translate::{
    Losses, Translated,
    scan::{Scan, splice},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A body of Chat with its unsealed calls told in words; `None` if it has none.
pub(super) fn told(body: &Bytes) -> Option<Translated<Bytes>> {
    let scan = Scan::of_keys(body, &["messages"]).ok()?;
    let messages = scan.text(body, "messages").and_then(in_words)?;
    let mut losses = Losses::default();
    losses.emulated("messages", "calls without the seal of this model are told in words");
    let edit = scan.set("messages", &messages);
    Some(losses.attach(splice(body, vec![edit])))
}

/// The messages, if there are such calls among them.
fn in_words(messages: &str) -> Option<String> {
    if !messages.contains("\"tool_calls\"") {
        return None;
    }
    // What was called, by the ids that its results name.
    let mut called: HashMap<String, String> = HashMap::new();
    edited(messages, |message| {
        let Some(mut message) = Draft::of(message) else { return Edited::Kept };
        if let Some(text) = message.get("tool_calls") {
            let calls: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
            let sealed = text.contains("\"thought_signature\"")
                || message.string("reasoning_opaque").is_some_and(|seal| !seal.is_empty());
            for call in &calls {
                let id = call["id"].as_str().unwrap_or_default();
                if sealed {
                    called.remove(id);
                } else {
                    called.insert(id.to_owned(), spelt(call));
                }
            }
            if sealed || calls.is_empty() {
                return Edited::Kept;
            }
            message.drop("tool_calls");
            let says = message.get("content").is_some_and(|content| !matches!(content, "\"\"" | "[]"));
            return if says { Edited::Changed(message.write()) } else { Edited::Gone };
        }
        let id = message.string("tool_call_id").unwrap_or_default();
        match called.get(&id).filter(|_| message.string("role").as_deref() == Some("tool")) {
            Some(call) => Edited::Changed(result(call, message.get("content")).to_string()),
            None => Edited::Kept,
        }
    })
}

/// A call as a person would write it.
fn spelt(call: &Value) -> String {
    let function = &call["function"];
    let word = |name: &str| function[name].as_str().unwrap_or_default();
    format!("`{}` with {}", word("name"), word("arguments"))
}

/// A result as what the user tells.
fn result(call: &str, content: Option<&str>) -> Value {
    let head = format!("[The tool {call} was run for you. It answered:]");
    let content = match content.and_then(|content| serde_json::from_str(content).ok()) {
        Some(Value::Array(parts)) => {
            let head = json!({"type": "text", "text": head});
            Value::Array(std::iter::once(head).chain(parts).collect())
        }
        Some(Value::String(text)) => json!(format!("{head}\n{text}")),
        _ => json!(head),
    };
    json!({"role": "user", "content": content})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_without_a_seal_are_told_in_words() {
        let call = |id: &str| json!([{"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]);
        let answer =
            |id: &str, content: Value| json!({"role": "tool", "tool_call_id": id, "content": content});
        let user = json!({"role": "user", "content": "Go."});
        let sealed =
            json!({"role": "assistant", "content": null, "reasoning_opaque": "S", "tool_calls": call("2")});
        let told = "[The tool `f` with {\"a\":1} was run for you. It answered:]";
        let body = json!({"n": 1, "messages": [
            user, {"role": "assistant", "content": null, "tool_calls": call("1")}, answer("1", json!("rain")),
            {"role": "assistant", "content": "Look.", "tool_calls": call("1")},
            answer("1", json!([{"type": "text", "text": "sun"}])), sealed, answer("2", json!("x")),
        ]});
        let out = super::told(&body.to_string().into()).unwrap();
        assert_eq!(out.losses.len(), 1);
        let out: Value = serde_json::from_slice(&out.value).unwrap();
        let expected = json!({"n": 1, "messages": [
            user, {"role": "user", "content": format!("{told}\nrain")}, {"role": "assistant", "content": "Look."},
            {"role": "user", "content": [{"type": "text", "text": told}, {"type": "text", "text": "sun"}]},
            sealed, answer("2", json!("x")),
        ]});
        assert_eq!(out, expected);

        let mut signed = call("3");
        signed[0]["extra_content"] = json!({"google": {"thought_signature": "S"}});
        let signed = json!({"role": "assistant", "tool_calls": signed});
        for messages in
            [json!([user, sealed, answer("2", json!("x"))]), json!([user, signed]), json!("tool_calls")]
        {
            assert!(super::told(&json!({"messages": messages}).to_string().into()).is_none(), "{messages}");
        }
    }
}
