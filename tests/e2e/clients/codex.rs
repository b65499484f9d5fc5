//! Codex CLI.

use super::{Case, Client, STREAM, converse_all, set};
use crate::support::{
    ask::{Ask, Think, Turn},
    client::Call,
    dialect,
    world::{World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};

static CLIENT: &[Client] = &[Client {
    name: "Codex CLI",
    dialect: Dialect::Responses,
    path: None,
    headers: &[
        ("authorization", "Bearer any"),
        ("accept", "text/event-stream"),
        ("originator", "codex_exec"),
        ("user-agent", "codex_exec/0.169.0 (Debian 13; x86_64) term"),
        ("session-id", "0199a213-0000-7000-8000-000000000000"),
        ("thread-id", "0199a213-0000-7000-8000-000000000000"),
        ("x-client-request-id", "0199a213-0000-7000-8000-000000000000"),
        ("x-codex-window-id", "0199a213-0000-7000-8000-000000000000:0"),
        ("x-codex-turn-metadata", "{\"request_kind\":\"turn\"}"),
        ("x-codex-beta-features", "remote_compaction_v2"),
    ],
    ways: STREAM,
    tools: &[
        "exec_command",
        "write_stdin",
        "request_user_input",
        "view_image",
        "get_goal",
        "create_goal",
        "update_goal",
        "update_plan",
    ],
    think: Some(Think::Effort("medium")),
    body,
}];

const GRAMMAR: &str = "start: begin_patch hunk+ end_patch\nbegin_patch: \"*** Begin Patch\" LF";

/// The instructions are a first message of the developer, and the tools are of every kind.
fn body(ask: &Ask) -> Value {
    let mut body = dialect::responses::body(ask);
    body.as_object_mut().unwrap().remove("instructions");
    let texts = |text: String| json!([{"type": "input_text", "text": text}]);
    let before = [
        json!({"type": "message", "id": "msg_0199a213", "role": "developer", "content": texts(ask.system.concat())}),
        json!({"type": "message", "role": "user", "content":
            texts("<environment_context>\n  <cwd>/src</cwd>\n</environment_context>".to_owned())}),
    ];
    body["input"].as_array_mut().unwrap().splice(0..0, before);
    body["tools"].as_array_mut().unwrap().extend([
        json!({"type": "custom", "name": "apply_patch", "description": "Edits files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}}),
        json!({"type": "namespace", "name": "mcp__db", "description": "A database.", "tools": [
            {"type": "function", "name": "query", "description": "Asks.", "strict": false,
                "parameters": {"type": "object", "properties": {"sql": {"type": "string"}}, "required": ["sql"]}}]}),
        json!({"type": "tool_search", "execution": "client", "description": "Finds tools.",
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}}),
        json!({"type": "web_search", "external_web_access": false, "search_content_types": ["text", "image"]}),
    ]);
    set(&mut body, "tool_choice", json!("auto"));
    set(&mut body, "parallel_tool_calls", json!(true));
    set(&mut body, "prompt_cache_key", json!("0199a213-0000-7000-8000-000000000000"));
    set(&mut body, "text", json!({"verbosity": "low"}));
    set(&mut body, "client_metadata", json!({"x-codex-installation-id": "0199a213"}));
    body
}

#[tokio::test]
async fn codex_works() {
    converse_all(CLIENT).await;
}

#[tokio::test]
async fn t49_a_patch_is_free_text() {
    const PATCH: &str = "*** Begin Patch\n*** Add File: a\n+\"x\\n\" ☂\n*** End Patch";
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        // What has no free text gets it as the one argument of a function.
        let free = matches!(case.upstream, Dialect::Chat | Dialect::Responses);
        let input = if free { json!(PATCH) } else { json!({"input": PATCH}) };
        let ask = case.ask(&format!("sim:tool apply_patch {input}"));
        let said = case.say(&world, &ask).await?;
        let call = said.calls.first().ok_or("no call")?;
        equal("call", &(call.name.as_str(), &call.arguments), &("apply_patch", &json!(PATCH)))?;
        let item = said.kept.last().ok_or("nothing was kept")?;
        equal("kind", &item["type"], &json!("custom_tool_call"))?;
        let output =
            json!({"type": "custom_tool_call_output", "call_id": call.id, "output": "Done, one file."});
        let next = ask.with(|ask| {
            ask.turns.push(Turn::Said(said.kept.clone()));
            ask.turns.push(Turn::Said(vec![output]));
        });
        let said = case.say(&world, &next).await?;
        equal("result", &said.text.contains("Done, one file."), &true)
            .map_err(|e| format!("{e}: {}", said.text))
    })
    .await;
}

#[tokio::test]
async fn t52_a_tool_in_a_namespace_comes_back_to_it() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let name = if case.upstream == Dialect::Responses { "query" } else { "mcp__db__query" };
        let ask = case.ask(&format!("sim:tool {name} {{\"sql\":\"select 1\"}}"));
        let said = case.say(&world, &ask).await?;
        let item = said.kept.last().ok_or("nothing was kept")?;
        equal("name", &(&item["name"], &item["namespace"]), &(&json!("query"), &json!("mcp__db")))?;
        let said = case.say(&world, &ask.answered(&said, &["one row"])).await?;
        equal("result", &said.text.contains("one row"), &true)
    })
    .await;
}

#[tokio::test]
async fn t46_a_search_among_its_tools_is_one_and_what_it_finds_can_be_called() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        if case.upstream == Dialect::Responses {
            return Ok(());
        }
        let ask = case.ask("sim:tool tool_search {\"query\":\"issues\"}");
        let said = case.say(&world, &ask).await?;
        let item = said.kept.last().ok_or("nothing was kept")?;
        equal("kind", &(&item["type"], &item["execution"]), &(&json!("tool_search_call"), &json!("client")))?;
        equal("arguments", &item["arguments"], &json!({"query": "issues"}))?;
        let found = json!({"type": "tool_search_output", "call_id": item["call_id"], "execution": "client",
            "status": "completed", "tools": [{"type": "namespace", "name": "mcp__gh", "description": "GitHub.", "tools": [
                {"type": "function", "name": "open", "description": "Opens an issue.", "strict": false,
                    "defer_loading": true, "parameters": {"type": "object", "properties": {"title": {"type": "string"}}}}]}]});
        let next = ask.with(|ask| {
            ask.turns.push(Turn::Said(said.kept.clone()));
            ask.turns.push(Turn::Said(vec![found]));
        });
        let said = case.say(&world, &next).await?;
        equal("result", &said.text.contains("mcp__gh__open"), &true).map_err(|e| format!("{e}: {}", said.text))?;
        let tools = case.upstream_body(&world)?["tools"].to_string();
        equal("declared", &tools.contains("Opens an issue."), &true)?;
        equal("deferred", &tools.contains("defer_loading"), &false)
    })
    .await;
}

#[tokio::test]
async fn the_list_of_models_is_there_for_every_version() {
    let world = World::start().await;
    let call = Call::get("/v1/models?client_version=0.169.0").headers(CLIENT[0].headers);
    let answer = call.send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_failure_is_one_that_codex_understands() {
    // It reads errors from `response.failed` only, and retries what is cut.
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let answer = case.send(&world, &case.ask("sim:error_mid 2 sim:long 9")).await;
        let said = dialect::read(Dialect::Responses, true, &answer)?;
        let fault = said.error.ok_or("no error")?;
        if case.upstream == Dialect::Responses {
            return Ok(());
        }
        equal("failed", &fault.kind.as_str(), &"failed")?;
        equal("a code", &fault.code.is_empty(), &false)
    })
    .await;
}

#[tokio::test]
async fn a_packed_body_is_unpacked() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let ask = case.ask("sim:text Unpacked.");
        let body = body(&ask);
        let packed = zstd::encode_all(body.to_string().as_bytes(), 3).map_err(|error| error.to_string())?;
        let call =
            Call::post("/v1/responses", packed).headers(CLIENT[0].headers).header("content-encoding", "zstd");
        let said = case.read(&call.send(world.byok.address()).await)?;
        equal("text", &said.text.as_str(), &"Unpacked.")?;
        let upstream = case.upstream_body(&world)?;
        let input = |body: &Value| body["input"].clone();
        equal("input", &(case.upstream != Dialect::Responses || input(&upstream) == input(&body)), &true)
    })
    .await;
}

const SUMMARY: &str = "The work in /src/ä.rs is half done.";

/// A conversation with a tool at whose end the model would say the summary.
async fn worked(world: &World, case: Case) -> Result<Ask, String> {
    let ask = case.ask("sim:thinking Where? sim:text Looking. sim:tool exec_command {\"path\":\"/src\"}");
    let said = case.say(world, &ask).await?;
    let ask = ask.answered(&said, &["one file;"]);
    let said = case.say(world, &ask).await?;
    Ok(ask.followed(&said, &format!("sim:text {SUMMARY}")))
}

#[tokio::test]
async fn a_full_context_is_compacted_and_the_session_goes_on() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let own = case.upstream == Dialect::Responses;
        let full = worked(&world, case).await?;
        let before = case.upstream_body(&world)?;
        let mut wish = body(&full);
        wish["input"].as_array_mut().unwrap().push(json!({"type": "compaction_trigger"}));
        let answer = case.post(&world, &full, wish).await;
        let said = case.read(&answer)?;
        let kinds: Vec<_> = said.kept.iter().map(|item| item["type"].clone()).collect();
        equal("items", &kinds, &vec![json!("compaction")])?;
        equal("text", &(said.text.as_str(), said.stop.as_str()), &("", "completed"))?;
        equal("usage", &(said.usage.input > 0 && said.usage.output > 0), &true)?;
        let emulated = answer.header("x-byok-dropped").contains("compaction_trigger (emulated)");
        equal("emulated", &emulated, &!own)?;
        equal("tools", &case.upstream_body(&world)?["tools"], &before["tools"])?;

        // A new turn behind the summary, and the summary in the middle of a turn.
        for behind in [false, true] {
            let next = case.ask("sim:text Going on.").with(|ask| {
                let at = if behind { 1 } else { 0 };
                ask.turns.insert(at, Turn::Said(said.kept.clone()));
            });
            let gone_on = case.say(&world, &next).await?;
            equal("text", &gone_on.text.as_str(), &"Going on.")?;
            let upstream = case.upstream_body(&world)?.to_string();
            let sealed = said.kept[0]["encrypted_content"].as_str().unwrap_or_default();
            equal("summary", &upstream.contains(if own { sealed } else { SUMMARY }), &true)
                .map_err(|error| format!("{error}: {upstream}"))?;
            equal("carrier", &upstream.contains("byok1:"), &false)?;
        }
        if own {
            return Ok(());
        }
        // Another model takes over, and its vendor has compactions of its own.
        let other = Case { upstream: Dialect::Responses, ..case }.pair().model();
        let next = case.ask("sim:text Taken over.").model(&other).stream(true).with(|ask| {
            ask.turns.insert(0, Turn::Said(said.kept.clone()));
        });
        equal("text", &case.say(&world, &next).await?.text.as_str(), &"Taken over.")?;
        let upstream = world.seen(&format!("<{case}>")).ok_or("nothing was seen")?;
        equal("dialect", &upstream.dialect, &Some(Dialect::Responses))?;
        let upstream = upstream.json().to_string();
        equal("summary", &(upstream.contains(SUMMARY), upstream.contains("byok1:")), &(true, false))
    })
    .await;
}

#[tokio::test]
async fn a_context_is_compacted_by_the_older_endpoint_too() {
    let world = World::start().await;
    each(Case::all(CLIENT), async |case| {
        let full = worked(&world, case).await?;
        let whole = body(&full);
        let wish = json!({"model": whole["model"], "input": whole["input"], "instructions": "You help."});
        let call = Call::post("/v1/responses/compact", wish.to_string()).headers(CLIENT[0].headers);
        let answer = call.header("accept", "application/json").send(world.byok.address()).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let answer = answer.json();
        equal("object", &answer["object"].as_str(), &Some("response.compaction"))?;
        let item = answer.pointer("/output/0").ok_or("no item")?;
        equal("item", &(item["type"].as_str(), answer.pointer("/output/1")), &(Some("compaction"), None))?;
        let next = case.ask("sim:text Going on.").with(|ask| {
            ask.turns.insert(0, Turn::Said(vec![item.clone()]));
        });
        equal("text", &case.say(&world, &next).await?.text.as_str(), &"Going on.")?;
        let upstream = case.upstream_body(&world)?.to_string();
        equal("summary", &(case.upstream == Dialect::Responses || upstream.contains(SUMMARY)), &true)
    })
    .await;
}
