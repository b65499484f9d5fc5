//! Clients of Gemini other than Gemini CLI: Zed, Cline, opencode, LangChain, the Vercel AI SDK.

use super::{BOTH, Client, STREAM, converse_all, set};
use crate::support::{
    ask::{Ask, Think},
    dialect,
};
use byok_types::Dialect;
use serde_json::{Value, json};

const TOOLS: &[&str] = &[
    "read_file",
    "edit_file",
    "list_directory",
    "find_path",
    "grep",
    "terminal",
    "diagnostics",
    "fetch",
    "now",
];

const fn client(name: &'static str, body: fn(&Ask) -> Value) -> Client {
    Client {
        name,
        dialect: Dialect::Gemini,
        path: None,
        headers: &[("x-goog-api-key", "any")],
        ways: BOTH,
        tools: TOOLS,
        think: Some(Think::Effort("high")),
        body,
    }
}

static CLIENTS: &[Client] = &[
    Client { ways: STREAM, ..client("Zed", zed) },
    client("Cline", subset),
    client("opencode", subset),
    Client { think: Some(Think::Effort("low")), ..client("LangChain", langchain) },
    client("Vercel AI SDK", subset),
];

/// Schemas in the subset of the vendor, as older clients make them themselves.
fn subset(ask: &Ask) -> Value {
    let mut body = dialect::gemini::body(ask);
    for tool in body["tools"][0]["functionDeclarations"].as_array_mut().into_iter().flatten() {
        tool.as_object_mut().unwrap().remove("parametersJsonSchema");
        tool["parameters"] = json!({
            "type": "OBJECT",
            "properties": {
                "path": {"type": "STRING", "description": "A path."}, "limit": {"type": "INTEGER", "nullable": true},
                "edits": {"type": "ARRAY", "items": {"type": "OBJECT", "properties": {
                    "old": {"type": "STRING"}, "new": {"type": "STRING"}}, "required": ["old", "new"]}},
                "mode": {"type": "STRING", "enum": ["content", "count"], "format": "enum"},
            },
            "required": ["path"],
        });
    }
    set(&mut body, "toolConfig", json!({"functionCallingConfig": {"mode": "AUTO"}}));
    body
}

fn zed(ask: &Ask) -> Value {
    let mut body = dialect::gemini::body(ask);
    set(&mut body["generationConfig"], "candidateCount", json!(1));
    set(&mut body["generationConfig"], "temperature", json!(1.0));
    set(&mut body["generationConfig"], "stopSequences", json!([]));
    body
}

/// Members in snake_case, which the vendor takes as well, and every safety setting.
fn langchain(ask: &Ask) -> Value {
    let mut body = dialect::gemini::body(ask);
    let object = body.as_object_mut().unwrap();
    for (camel, snake) in
        [("systemInstruction", "system_instruction"), ("generationConfig", "generation_config")]
    {
        if let Some(value) = object.remove(camel) {
            object.insert(snake.to_owned(), value);
        }
    }
    let off = ["HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT"]
        .map(|kind| json!({"category": format!("HARM_CATEGORY_{kind}"), "threshold": "BLOCK_NONE"}));
    set(&mut body, "safety_settings", json!(off));
    body
}

#[tokio::test]
async fn gemini_clients_work() {
    converse_all(CLIENTS).await;
}
