//! The request of an agent: 40 tools, 100 turns, about 200 KB, in each dialect.

use byok_translate::{Ids, Incoming, codec};
use byok_types::{Dialect, Family, ModelFacts};
use serde_json::json;

/// The request as a client of `dialect` sends it.
pub(crate) fn agent(dialect: Dialect) -> Vec<u8> {
    let body = chat();
    if dialect == Dialect::Chat {
        return body;
    }
    // What byok itself writes in that dialect is what a client of it sends.
    let read = codec::decode_request(Dialect::Chat, &Incoming { body: &body, model: None, stream: None });
    let family = match dialect {
        Dialect::Messages => Family::Claude,
        Dialect::Gemini => Family::Gemini,
        _ => Family::Openai,
    };
    let facts =
        ModelFacts { id: "m".to_owned(), family, max_output_tokens: Some(32_000), ..ModelFacts::default() };
    codec::encode_request(dialect, &read.expect("readable").value, &facts, &mut Ids::new("seed"))
        .expect("writable")
        .value
}

fn chat() -> Vec<u8> {
    let tools: Vec<_> = (0..40)
        .map(|n| {
            json!({"type": "function", "function": {
                "name": format!("tool_{n}"),
                "description": "Reads a file from the working directory and returns its content with line numbers. ".repeat(8),
                "parameters": {"type": "object", "properties": {
                    "path": {"type": "string", "description": "Path of the file, relative to the working directory."},
                    "offset": {"type": "integer", "minimum": 0}, "limit": {"type": "integer"},
                    "options": {"type": "object", "properties": {"encoding": {"type": "string", "enum": ["utf-8", "latin-1"]}}},
                }, "required": ["path"]},
            }})
        })
        .collect();
    let mut messages =
        vec![json!({"role": "system", "content": "You are a careful programmer. ".repeat(100)})];
    messages.push(json!({"role": "user", "content": "Please mend the build."}));
    for n in 0..50 {
        let id = format!("call_{n}");
        messages.push(json!({"role": "assistant", "content": "I look at the file first.", "tool_calls": [
            {"id": id, "type": "function", "function": {"name": format!("tool_{}", n % 40), "arguments": "{\"path\":\"src/main.rs\",\"offset\":1}"}}]}));
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "fn main() {\n    println!(\"{}\", 1 + 1);\n}\n".repeat(56)}));
    }
    json!({"model": "m", "stream": true, "max_tokens": 8000, "messages": messages, "tools": tools})
        .to_string()
        .into_bytes()
}
