//! The requests.

use serde_json::{Value, json};

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn wish(chunks: usize, gap_ms: u64) -> String {
    format!("sim:bench chunks={chunks} bytes=64 gap_ms={gap_ms}")
}

/// A request of two kilobytes.
pub(crate) fn small(model: &str, stream: bool, chunks: usize, gap_ms: u64) -> Vec<u8> {
    bytes(&json!({
        "model": model,
        "stream": stream,
        "stream_options": if stream { json!({"include_usage": true}) } else { Value::Null },
        "messages": [
            {"role": "system", "content": "You answer in one sentence. ".repeat(30)},
            {"role": "user", "content": "What is the capital of Norway? ".repeat(30)},
            {"role": "user", "content": wish(chunks, gap_ms)},
        ],
    }))
}

/// A request of an agent: 40 tools and 100 turns, about 200 KB.
pub(crate) fn agent(model: &str) -> Vec<u8> {
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
    for n in 0..50 {
        let id = format!("call_{n}");
        messages.push(json!({"role": "assistant", "content": "I look at the file first.", "tool_calls": [
            {"id": id, "type": "function", "function": {"name": format!("tool_{}", n % 40), "arguments": "{\"path\":\"src/main.rs\",\"offset\":1}"}}]}));
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "fn main() {\n    println!(\"{}\", 1 + 1);\n}\n".repeat(56)}));
    }
    messages.push(json!({"role": "user", "content": wish(1, 0)}));
    bytes(&json!({"model": model, "messages": messages, "tools": tools}))
}

/// A request with pictures, 5 MB.
pub(crate) fn pictures(model: &str) -> Vec<u8> {
    // A PNG head, so that nobody corrects the label, and then bytes that compress badly.
    let picture =
        format!("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{}", "Qk9iY2Rl".repeat(1_250_000 / 8));
    let part = json!({"type": "image_url", "image_url": {"url": picture}});
    bytes(&json!({"model": model, "messages": [
        {"role": "user", "content": [{"type": "text", "text": wish(1, 0)}, part, part, part, part]},
        {"role": "user", "content": wish(1, 0)},
    ]}))
}
