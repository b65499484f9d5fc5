//! Cursor: asks in the form of Responses where Chat Completions is served, or with flat tools.

use super::{BOTH, Case, Client, converse_all, set};
use crate::support::{
    ask::{Ask, Turn},
    client::Call,
    dialect,
    world::{World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};

const fn client(name: &'static str, body: fn(&Ask) -> Value) -> Client {
    Client {
        name,
        dialect: Dialect::Chat,
        path: None,
        headers: &[("authorization", "Bearer any"), ("user-agent", "Go-http-client/2.0")],
        ways: BOTH,
        tools: &[
            "read_file",
            "edit_file",
            "codebase_search",
            "grep_search",
            "list_dir",
            "run_terminal_cmd",
            "file_search",
            "delete_file",
            "web_search",
            "todo_write",
        ],
        think: None,
        body,
    }
}

static CLIENTS: &[Client] = &[client("Cursor agent", agent), client("Cursor, flat tools", flat)];

/// What the client keeps of an answer in Chat, as items of Responses.
fn items(message: &Value) -> Vec<Value> {
    let text = message["content"]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(|text| json!({"role": "assistant", "content": [{"type": "output_text", "text": text}]}));
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| {
        json!({
            "type": "function_call", "call_id": call["id"], "name": call["function"]["name"],
            "arguments": call["function"]["arguments"],
        })
    });
    text.into_iter().chain(calls).collect()
}

/// A body of Responses; answers are read as Chat.
fn agent(ask: &Ask) -> Value {
    let mut ask = ask.clone();
    for turn in &mut ask.turns {
        if let Turn::Said(kept) = turn {
            *kept = kept.iter().flat_map(items).collect();
        }
    }
    let mut body = dialect::responses::body(&ask);
    if ask.stream {
        set(&mut body, "stream_options", json!({"include_usage": true}));
    }
    set(&mut body, "user", json!("a1b2c3"));
    set(&mut body, "metadata", json!({"cursorConversationId": "7d0e"}));
    set(&mut body, "prompt_cache_retention", json!("24h"));
    set(&mut body, "reasoning", json!({"effort": "medium", "summary": "auto"}));
    set(&mut body, "text", json!({"verbosity": "medium"}));
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool.as_object_mut().unwrap().remove("strict");
    }
    body
}

/// A body of Chat whose tools are those of Responses.
fn flat(ask: &Ask) -> Value {
    let mut body = dialect::chat::body(ask);
    body["tools"] = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tool| {
            let mut flat = tool["function"].clone();
            flat["type"] = json!("function");
            flat
        })
        .collect();
    body
}

#[tokio::test]
async fn cursor_works() {
    converse_all(CLIENTS).await;
}

#[tokio::test]
async fn t50_flat_custom_tools_are_called() {
    let world = World::start().await;
    each(Case::all(CLIENTS), async |case| {
        // What is free text for one upstream is a function of one argument for another.
        let free = matches!(case.upstream, Dialect::Chat | Dialect::Responses);
        let input = if free { json!("*** Begin Patch") } else { json!({"input": "*** Begin Patch"}) };
        let ask = case.ask(&format!("sim:tool ApplyPatch {input}"));
        let mut body = (case.client.body)(&ask);
        let patch = json!({"type": "custom", "name": "ApplyPatch", "description": "Edits.", "format": {"type": "text"}});
        body["tools"].as_array_mut().unwrap().push(patch);
        let answer = case.post(&world, &ask, body).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        // Which form of call comes back is a matter of the upstream; name and text must be there, and the end.
        let text = answer.text();
        for wanted in ["ApplyPatch", "tool_calls", "Patch"] {
            equal(wanted, &text.contains(wanted), &true).map_err(|error| format!("{error}: {text}"))?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_key_is_tried_on_the_list_of_models() {
    let world = World::start().await;
    for path in ["/v1/models", "/models"] {
        let call = Call::get(path).headers(CLIENTS[0].headers);
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.json()["object"], "list", "{path}");
        assert!(answer.json()["data"].as_array().is_some_and(|models| !models.is_empty()), "{path}");
    }
}
