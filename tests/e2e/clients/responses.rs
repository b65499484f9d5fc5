//! Clients of Responses other than Codex: opencode, LangChain, the Vercel AI SDK.

use super::{BOTH, Client, converse_all, members, set};
use crate::support::{
    ask::{Ask, Think},
    dialect,
};
use byok_types::Dialect;
use serde_json::{Value, json};

const TOOLS: &[&str] =
    &["bash", "edit", "webfetch", "glob", "grep", "list", "read", "write", "todowrite", "todoread"];

const fn client(name: &'static str, body: fn(&Ask) -> Value) -> Client {
    Client {
        name,
        dialect: Dialect::Responses,
        path: None,
        headers: &[("authorization", "Bearer any")],
        ways: BOTH,
        tools: TOOLS,
        think: Some(Think::Effort("medium")),
        body,
    }
}

static CLIENTS: &[Client] = &[
    Client {
        headers: &[("authorization", "Bearer any"), ("x-session-affinity", "ses_0123456789")],
        ..client("opencode", vercel)
    },
    client("LangChain", langchain),
    Client { path: Some("/responses"), ..client("Vercel AI SDK", vercel) },
];

/// Instructions are a first message, texts bare, and what comes back has lost its status.
fn vercel(ask: &Ask) -> Value {
    let mut body = dialect::responses::body(ask);
    let object = body.as_object_mut().unwrap();
    let system = object.remove("instructions");
    let input = body["input"].as_array_mut().unwrap();
    input.insert(0, json!({"role": "developer", "content": system}));
    for item in input {
        let item = item.as_object_mut().unwrap();
        item.remove("status");
        if item.get("type").is_some_and(|kind| kind == "message") {
            item.remove("type");
        }
    }
    set(&mut body, "tool_choice", json!("auto"));
    set(&mut body, "prompt_cache_key", json!("ses_0123456789"));
    set(&mut body, "max_output_tokens", json!(32000));
    body
}

fn langchain(ask: &Ask) -> Value {
    let mut body = dialect::responses::body(ask);
    set(&mut body, "parallel_tool_calls", json!(true));
    // Sent back as it came, but without ids of messages.
    for item in members(&mut body["input"], "type", "message") {
        item.as_object_mut().unwrap().remove("id");
    }
    body
}

#[tokio::test]
async fn responses_clients_work() {
    converse_all(CLIENTS).await;
}
