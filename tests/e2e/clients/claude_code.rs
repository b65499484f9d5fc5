//! Claude Code.

use super::{BOTH, Case, Client, converse_all, members, set};
use crate::support::{
    ask::{Ask, Think},
    client::Call,
    dialect,
    tools::rich,
    world::{World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};

static CLIENT: &[Client] = &[Client {
    name: "Claude Code",
    dialect: Dialect::Messages,
    path: Some("/v1/messages?beta=true"),
    headers: &[
        ("authorization", "Bearer any"),
        ("anthropic-version", "2023-06-01"),
        (
            "anthropic-beta",
            "claude-code-20250219,interleaved-thinking-2025-05-14,prompt-caching-scope-2026-01-05,\
             context-management-2025-06-27,effort-2025-11-24,extended-cache-ttl-2025-04-11,\
             mid-conversation-system-2026-04-07,advanced-tool-use-2025-11-20",
        ),
        ("user-agent", "claude-cli/2.1.0 (external, cli)"),
        ("x-app", "cli"),
        ("x-stainless-lang", "js"),
        ("x-stainless-retry-count", "0"),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("x-claude-code-session-id", "6f9d1d2c-0000-4000-8000-000000000000"),
        ("accept", "application/json"),
    ],
    ways: BOTH,
    tools: &[
        "Bash",
        "Edit",
        "Glob",
        "Grep",
        "Read",
        "Write",
        "Task",
        "TodoWrite",
        "WebFetch",
        "NotebookEdit",
        "mcp__github__create_issue",
        "bash",
    ],
    think: Some(Think::Effort("high")),
    body,
}];

const REMINDER: &str = "<system-reminder>\nThe files may have changed.\n</system-reminder>";

/// Everything that the client sends: blocks of instructions with their marks, what was before, reminders, and its settings.
fn body(ask: &Ask) -> Value {
    let mut body = dialect::messages::body(ask);
    if ask.model == "claude/claude-sonnet-4-6" {
        // It is only to newer models that turns of the system are sent.
        set(&mut body, "model", json!("claude/claude-opus-5"));
    }
    let (hour, short) =
        (json!({"type": "ephemeral", "ttl": "1h", "scope": "global"}), json!({"type": "ephemeral"}));
    set(
        &mut body,
        "system",
        json!([
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.0.abc; cc_entrypoint=cli; cch=00000;"},
            {"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude.", "cache_control": hour},
            {"type": "text", "text": ask.system.concat(), "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ]),
    );
    let messages = body["messages"].as_array_mut().unwrap();
    let before = [
        json!({"role": "user", "content": [
            {"type": "text", "text": REMINDER}, {"type": "text", "text": "What is this project?"}]}),
        json!({"role": "assistant", "content": [{"type": "text", "text": "A proxy."}]}),
        json!({"role": "user", "content": "Good."}),
        json!({"role": "system", "content": "The user has opened src/main.rs."}),
        json!({"role": "assistant", "content": [{"type": "text", "text": "Thanks."}]}),
    ];
    messages.splice(0..0, before);
    let rounds = messages.iter().filter(|turn| turn["content"][0]["type"] == "tool_result").count();
    if let Some(content) = messages.last_mut().and_then(|turn| turn["content"].as_array_mut()) {
        // After all rounds the results come with a reminder, and one of them is a list with a picture.
        if rounds == super::ROUNDS {
            let picture =
                json!({"type": "base64", "media_type": "image/png", "data": crate::pairs::requests::PNG.0});
            content[1]["content"] = json!([{"type": "text", "text": content[1]["content"]}, {"type": "image", "source": picture}]);
            content.push(json!({"type": "text", "text": REMINDER}));
        }
        if let Some(last) = content.last_mut() {
            last["cache_control"] = short;
        }
    }
    for turn in members(&mut body["messages"], "role", "user") {
        for result in members(&mut turn["content"], "type", "tool_result") {
            result["is_error"] = json!(false);
        }
    }
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        tool["eager_input_streaming"] = json!(true);
    }
    let user = json!({"device_id": "0".repeat(64), "account_uuid": "", "session_id": "6f9d1d2c-0000-4000-8000-000000000000"});
    set(&mut body, "metadata", json!({"user_id": user.to_string()}));
    set(&mut body, "max_tokens", json!(32000));
    if !body["thinking"].is_null() {
        let keep = json!({"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]});
        set(&mut body, "context_management", keep);
    }
    body
}

/// What it asks a model whose login is its own.
pub fn request(model: &str, words: &str, stream: bool) -> (Call, String) {
    let ask = Ask::new(words).model(model).stream(stream).with(|ask| {
        ask.system = vec!["You help with code.".to_owned()];
        ask.tools = CLIENT[0].tools.iter().map(|name| rich(name)).collect();
        ask.think = CLIENT[0].think.clone();
    });
    let body = body(&ask).to_string();
    (Call::post(CLIENT[0].path.unwrap(), body.clone()).headers(CLIENT[0].headers), body)
}

#[tokio::test]
async fn claude_code_works() {
    converse_all(CLIENT).await;
}

#[tokio::test]
async fn a_stream_that_fails_is_asked_again_without_one() {
    let world = World::start().await;
    each(Case::all(CLIENT).into_iter().filter(|case| case.stream), async |case| {
        let mut ask = case.ask(
            "sim:thinking Hm. sim:text So. sim:tool Bash {\"path\":\"ls\"} sim:tool bash {\"path\":\"a\"}",
        );
        let streamed = case.say(&world, &ask).await?;
        ask.stream = false;
        let case = Case { stream: false, ..case };
        let whole = case.say(&world, &ask).await?;
        let names: Vec<&str> = whole.calls.iter().map(|call| call.name.as_str()).collect();
        // Two names that differ in case only stay two.
        equal("names", &names.as_slice(), &["Bash", "bash"].as_slice())?;
        let meaning = |said: &crate::support::ask::Said| {
            let calls: Vec<_> =
                said.calls.iter().map(|call| (call.name.clone(), call.arguments.clone())).collect();
            (said.text.clone(), said.stop.clone(), calls)
        };
        equal("meaning", &meaning(&whole), &meaning(&streamed))
    })
    .await;
}

#[tokio::test]
async fn paths_beside_the_messages() {
    let world = World::start().await;
    let address = world.byok.address();
    let table = [
        ("HEAD", "/", 200),
        ("POST", "/api/event_logging/batch", 204),
        ("POST", "/api/event_logging/v2/batch", 204),
        ("GET", "/v1/models?limit=1000", 200),
    ];
    for (method, path, status) in table {
        let body = if method == "POST" { "{\"events\":[]}" } else { "" };
        let call = Call::post(path, body).method(method).headers(CLIENT[0].headers);
        let answer = call.send(address).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        if method == "GET" {
            let model = &answer.json()["data"][0];
            assert_eq!(model["type"], "model", "{model}");
            assert!(model["created_at"].is_string() && model["display_name"].is_string(), "{model}");
        }
    }
}

#[tokio::test]
async fn tokens_of_the_whole_body_are_counted() {
    let world = World::start().await;
    each(Case::all(CLIENT).into_iter().filter(|case| !case.stream), async |case| {
        let mut body = body(&case.ask("How much is this?"));
        for name in ["max_tokens", "metadata"] {
            body.as_object_mut().unwrap().remove(name);
        }
        let call = Call::post("/v1/messages/count_tokens?beta=true", body.to_string());
        let answer = call.headers(case.client.headers).send(world.byok.address()).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let count = answer.json()["input_tokens"].as_u64().ok_or_else(|| answer.text())?;
        // Twelve tools with their schemas, and the instructions.
        equal("count", &(500..20_000).contains(&count), &true).map_err(|error| format!("{error}: {count}"))
    })
    .await;
}

#[tokio::test]
async fn t94_a_web_search_is_a_request_of_its_own() {
    let world = World::start().await;
    let searches = |case: &Case| case.upstream != Dialect::Chat;
    each(Case::all(CLIENT).into_iter().filter(searches), async |case| {
        let mut ask = case.ask("sim:search Perform a web search for the query: rust proxy");
        ask.think = None;
        ask.tools.clear();
        let mut body = body(&ask);
        let tool = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 8});
        set(&mut body, "tools", json!([tool]));
        let answer = case.post(&world, &ask, body).await;
        let said = case.read(&answer)?;
        let kinds: Vec<&str> = said.kept.iter().filter_map(|block| block["type"].as_str()).collect();
        for wanted in ["server_tool_use", "web_search_tool_result", "text"] {
            equal(wanted, &kinds.contains(&wanted), &true).map_err(|error| format!("{error}: {kinds:?}"))?;
        }
        equal("stop", &said.stop.as_str(), &"end_turn")
    })
    .await;
}

#[tokio::test]
async fn a_title_is_asked_for_without_tools() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let mut ask = case.ask("Write a title for this session.");
        ask.think = None;
        ask.tools.clear();
        ask.schema = Some(json!({
            "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"],
            "additionalProperties": false,
        }));
        let mut body = body(&ask);
        set(&mut body, "tools", json!([]));
        let said = case.read(&case.post(&world, &ask, body).await)?;
        let title: Value = serde_json::from_str(&said.text).map_err(|e| format!("{e}: {}", said.text))?;
        equal("a title", &title["title"].is_string(), &true)
    })
    .await;
}

#[tokio::test]
async fn t95_the_billing_text_reaches_no_other_vendor() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        case.say(&world, &case.ask("Hello.")).await?;
        let body = case.upstream_body(&world)?.to_string();
        let own = case.upstream == Dialect::Messages;
        equal("billing", &body.contains("x-anthropic-billing-header"), &own)?;
        equal("instructions", &body.contains("You help with code."), &true)?;
        equal("in the middle", &body.contains("The user has opened src/main.rs."), &true)
    })
    .await;
}
