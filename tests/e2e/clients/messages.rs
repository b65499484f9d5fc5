//! Clients of Messages other than Claude Code: Zed, Cline, Continue, opencode, LangChain, the Vercel AI SDK.

use super::{BOTH, Client, STREAM, converse_all, members, set};
use crate::support::{
    ask::{Ask, Think},
    dialect,
};
use byok_types::Dialect;
use serde_json::{Value, json};

const TOOLS: &[&str] = &[
    "read_file",
    "replace_in_file",
    "write_to_file",
    "search_files",
    "list_files",
    "execute_command",
    "browser_action",
    "ask_followup_question",
    "attempt_completion",
];

const fn client(name: &'static str, body: fn(&Ask) -> Value) -> Client {
    Client {
        name,
        dialect: Dialect::Messages,
        path: None,
        headers: &[("x-api-key", "any")],
        ways: BOTH,
        tools: TOOLS,
        think: Some(Think::Effort("high")),
        body,
    }
}

static CLIENTS: &[Client] = &[
    Client {
        headers: &[("x-api-key", "any"), ("anthropic-beta", "fine-grained-tool-streaming-2025-05-14")],
        ways: STREAM,
        ..client("Zed", zed)
    },
    Client {
        headers: &[("x-api-key", "any"), ("x-stainless-lang", "js"), ("user-agent", "Anthropic/JS 0.37.0")],
        think: Some(Think::Budget(2048)),
        ..client("Cline", cline)
    },
    client("Continue", cline),
    Client {
        headers: &[
            ("x-api-key", "any"),
            (
                "anthropic-beta",
                "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
            ),
            ("x-session-affinity", "ses_0123456789"),
        ],
        ..client("opencode", opencode)
    },
    Client { think: Some(Think::Budget(1024)), ..client("LangChain", langchain) },
    client("Vercel AI SDK", vercel),
];

/// Puts a cache mark on the last block of the last so many user turns.
fn mark_users(body: &mut Value, count: usize) {
    let mut users: Vec<&mut Value> = members(&mut body["messages"], "role", "user").collect();
    for user in users.iter_mut().rev().take(count) {
        if let Some(block) = user["content"].as_array_mut().and_then(|blocks| blocks.last_mut()) {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
    }
}

fn mark_system(body: &mut Value) {
    if let Some(block) = body["system"].as_array_mut().and_then(|blocks| blocks.last_mut()) {
        block["cache_control"] = json!({"type": "ephemeral"});
    }
}

/// Results as lists of blocks.
fn listed_results(body: &mut Value) {
    for user in members(&mut body["messages"], "role", "user") {
        for result in members(&mut user["content"], "type", "tool_result") {
            result["content"] = json!([{"type": "text", "text": result["content"]}]);
            result["is_error"] = json!(false);
        }
    }
}

fn zed(ask: &Ask) -> Value {
    let mut body = dialect::messages::body(ask);
    set(&mut body, "system", json!(ask.system.concat()));
    set(&mut body, "max_tokens", json!(8192));
    set(&mut body, "tool_choice", json!({"type": "auto"}));
    set(&mut body, "stop_sequences", json!([]));
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool["eager_input_streaming"] = json!(true);
    }
    mark_users(&mut body, 1);
    body
}

fn cline(ask: &Ask) -> Value {
    let mut body = dialect::messages::body(ask);
    mark_system(&mut body);
    mark_users(&mut body, 2);
    set(&mut body, "tool_choice", json!({"type": "auto"}));
    listed_results(&mut body);
    body
}

fn opencode(ask: &Ask) -> Value {
    let mut body = dialect::messages::body(ask);
    set(&mut body, "max_tokens", json!(32000));
    mark_system(&mut body);
    mark_users(&mut body, 2);
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool["eager_input_streaming"] = json!(true);
    }
    body
}

fn langchain(ask: &Ask) -> Value {
    let mut body = dialect::messages::body(ask);
    set(&mut body, "system", json!(ask.system.concat()));
    listed_results(&mut body);
    for message in members(&mut body["messages"], "role", "assistant") {
        // It keeps the place of each block in the stream apart, and sends only what the vendor knows.
        for call in members(&mut message["content"], "type", "tool_use") {
            call.as_object_mut()
                .unwrap()
                .retain(|name, _| ["type", "id", "name", "input"].contains(&name.as_str()));
        }
    }
    body
}

fn vercel(ask: &Ask) -> Value {
    let mut body = dialect::messages::body(ask);
    set(&mut body, "tool_choice", json!({"type": "auto"}));
    set(&mut body, "max_tokens", json!(64000));
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool["type"] = json!("custom");
    }
    listed_results(&mut body);
    body
}

#[tokio::test]
async fn messages_clients_work() {
    converse_all(CLIENTS).await;
}
