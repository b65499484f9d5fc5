//! Codex by the login of a ChatGPT plan.

use super::{LoggedIn, becomes, picture, table::Does};
use crate::support::{
    ask::{Ask, Think},
    byok::{Byok, PATIENCE, Setup},
    client::{Answer, Call},
    dialect,
};
use byok_simulator::{Plan, Seen, SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::{process::Stdio, time::Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const RESPONSES: &str = "/backend-api/codex/responses";
const TOKEN: &str = "/openai-auth/oauth/token";
const DEVICE: &[&str] = &["--method", "device"];

pub(super) fn settings(simulator: &str) -> Value {
    let auth = format!("{simulator}/openai-auth");
    json!({"urls": {
        "authorize": format!("{auth}/oauth/authorize"),
        "token": format!("{auth}/oauth/token"),
        "revoke": format!("{auth}/oauth/revoke"),
        "device": format!("{auth}/api/accounts/deviceauth/usercode"),
        "verify": format!("{auth}/codex/device"),
        "inference": format!("{simulator}/backend-api/codex"),
    }})
}

async fn start() -> LoggedIn {
    LoggedIn::start("codex", settings, DEVICE).await
}

fn header<'s>(seen: &'s Seen, name: &str) -> Option<&'s str> {
    seen.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn post(
    world: &LoggedIn,
    path: &str,
    body: impl Into<bytes::Bytes>,
    headers: &[(&str, &str)],
) -> Answer {
    Call::post(path, body).headers(headers).send(world.byok.address()).await
}

#[tokio::test]
async fn a_plan_serves_everything() {
    let world = start().await;
    for part in ["SIM-", "logged in to codex as ada@example.org, plan plus"] {
        assert!(world.said.contains(part), "{part}: {}", world.said);
    }
    world.serves(&["codex/gpt-5.5", "gpt-6-sol"]).await;
    let does = Does {
        provider: "codex",
        make: byok_auth::codex::vendor,
        model: "codex/gpt-5.5",
        thinks: "codex/gpt-5.5",
        sees: "codex/gpt-5.5",
    };
    does.what_the_readme_says(&world.byok).await;
    let seen = world.last(RESPONSES).unwrap();
    assert!(header(&seen, "authorization").unwrap().starts_with("Bearer eyJ"));
    assert!(header(&seen, "user-agent").unwrap().starts_with("byok/"));
    assert_eq!(header(&seen, "originator"), Some("byok"));
    assert_eq!(header(&seen, "chatgpt-account-id"), Some("ws-ada"));
    assert_eq!(header(&seen, "accept"), Some("text/event-stream"));
    let body = seen.json();
    assert_eq!((&body["stream"], &body["store"]), (&json!(true), &json!(false)));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert!(body["instructions"].is_string() && body["input"].is_array(), "{body}");
    assert_eq!(world.count("/v1/responses") + world.count("/v1/chat/completions"), 0);
}

#[tokio::test]
async fn bodies_are_fitted_in_all_dialects() {
    let world = start().await;
    for client in Dialect::ALL {
        let ask = Ask::new("Hello.").model("codex/gpt-5.5").with(|ask| {
            ask.system = vec!["Be kind.".to_owned()];
            ask.max_tokens = Some(500);
            ask.think = Some(Think::Effort("low"));
        });
        let answer = world.send(client, &ask).await;
        dialect::read(client, false, &answer).unwrap_or_else(|error| panic!("{client}: {error}"));
        let dropped = answer.headers.get("x-byok-dropped").map(|names| names.to_str().unwrap());
        assert_eq!(dropped, None, "{client}: the cap is only logged");
        let body = world.last(RESPONSES).unwrap().json();
        assert!(body["max_output_tokens"].is_null(), "{client}: {body}");
        assert!(body.to_string().contains("Be kind."), "{client}: {body}");
        assert_eq!(body["reasoning"]["effort"], "low", "{client}: {body}");
        world
            .say(client, &picture("codex/gpt-5.5"))
            .await
            .unwrap_or_else(|error| panic!("{client}: {error}"));
    }
    let body = json!({
        "model": "codex/gpt-5.5", "input": "Hello.", "temperature": 1, "top_p": 1, "max_output_tokens": 99,
        "metadata": {"a": "b"}, "truncation": "auto", "user": "u", "safety_identifier": "s", "store": true,
        "service_tier": "flex", "parallel_tool_calls": true, "previous_response_id": null, "background": false,
    });
    let answer = post(&world, "/v1/responses", body.to_string(), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let dropped = answer.headers["x-byok-dropped"].to_str().unwrap().to_owned();
    assert_eq!(dropped, "service_tier,temperature,top_p,truncation");
    dialect::read(Dialect::Responses, false, &answer).unwrap();
    let body = world.last(RESPONSES).unwrap().json();
    let mut names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["include", "input", "instructions", "model", "store", "stream"]);
}

/// What Codex CLI 0.169 sends for a model in the newer shape.
fn lite() -> Value {
    json!({
        "model": "gpt-6-sol", "stream": true, "store": false, "tool_choice": "auto", "parallel_tool_calls": false,
        "input": [
            {"type": "additional_tools", "id": "at_0199", "role": "developer", "tools": [
                {"type": "namespace", "name": "functions", "description": "", "tools": [
                    {"type": "custom", "name": "exec", "description": "Runs."},
                    {"type": "function", "name": "wait", "parameters": {"type": "object", "properties": {}}, "strict": false},
                ]},
            ]},
            {"type": "message", "id": "msg_1", "role": "developer", "content": [{"type": "input_text", "text": "Base."}]},
            {"type": "message", "id": "msg_2", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]},
        ],
        "reasoning": {"effort": "low", "context": "all_turns"}, "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199a213", "client_metadata": {"a": "b"},
    })
}

#[tokio::test]
async fn requests_of_codex_cli_pass_as_they_are() {
    let world = start().await;
    let headers = [
        ("originator", "codex_exec"),
        ("accept", "text/event-stream"),
        ("session-id", "0199a213"),
        ("x-codex-turn-state", "turn-1"),
        ("x-openai-internal-codex-responses-lite", "true"),
    ];
    let sent = lite().to_string();
    let answer = post(&world, "/v1/responses", sent.clone(), &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.last(RESPONSES).unwrap();
    assert_eq!(String::from_utf8_lossy(&seen.body), sent, "not one byte differs");
    for (name, value) in headers {
        assert_eq!(header(&seen, name), Some(value), "{name}");
    }
    assert!(header(&seen, "user-agent").unwrap().starts_with("byok/"));
    assert!(answer.header("x-codex-primary-used-percent").starts_with("12"));

    // Compressed, as with a login of its own.
    let packed = zstd::encode_all(sent.as_bytes(), 3).unwrap();
    let zipped = [&headers[..], &[("content-encoding", "zstd")]].concat();
    let answer = post(&world, "/v1/responses", packed, &zipped).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(String::from_utf8_lossy(&world.last(RESPONSES).unwrap().body), sent);

    // The mark is lost on the way: then the shape has to go, too.
    let answer = post(&world, "/v1/responses", sent.clone(), &[("originator", "codex_exec")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = world.last(RESPONSES).unwrap().json();
    assert_eq!(body["tools"][0]["type"], "namespace", "{body}");
    assert_eq!(body["input"][0]["role"], "developer", "{body}");

    let compact =
        json!({"model": "gpt-6-sol", "input": [{"role": "user", "content": "Hello."}], "instructions": "I"});
    let answer = post(&world, "/v1/responses/compact", compact.to_string(), &headers[..1]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.count("/backend-api/codex/responses/compact"), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let world = start().await;
    world.say(Dialect::Chat, &Ask::new("Hello.").model("codex/gpt-5.5")).await.unwrap();
    world.simulator.expire_plan(Plan::Codex);
    let ask = Ask::new("Hello.").model("codex/gpt-5.5").stream(true);
    world.say(Dialect::Messages, &ask).await.unwrap();
    let counts = world.simulator.plan_counts(Plan::Codex);
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    let refresh = world.last(TOKEN).unwrap();
    assert_eq!(header(&refresh, "content-type"), Some("application/json"));
    let body = refresh.json();
    assert_eq!(body["grant_type"], "refresh_token");
    assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
    // What is refused in spite of a token that was just issued is no matter of tokens.
    let before = world.count(TOKEN);
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("codex/gpt-5.5")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("byok login codex"), "{}", answer.text());
    assert_eq!(world.count(TOKEN), before);
}

#[tokio::test]
async fn an_inquiry_with_a_refused_token_is_made_once_more() {
    let world = LoggedIn::unasked("codex", settings, DEVICE).await;
    world.simulator.expire_plan(Plan::Codex);
    becomes(&world, "5 hours").await;
    let counts = world.simulator.plan_counts(Plan::Codex);
    assert_eq!((counts.refreshes, counts.reuses, counts.usages), (1, 0, 1));
}

#[tokio::test]
async fn refusals() {
    let world = start().await;
    for client in Dialect::ALL {
        for (wish, status) in [("sim:400", 400), ("sim:context", 400)] {
            let answer = world.send(client, &Ask::new(wish).model("codex/gpt-5.5")).await;
            assert_eq!(answer.status, status, "{client} {wish}: {}", answer.text());
        }
    }
    // The plan has not this model; another one goes on.
    let answer = world.send(Dialect::Responses, &Ask::new("sim:404").model("codex/gpt-5.5")).await;
    assert!(
        answer.text().contains("not supported when using Codex with a ChatGPT account"),
        "{}",
        answer.text()
    );
    assert!(answer.header("x-byok-hint").contains("API key"), "{:?}", answer.headers);
    world.say(Dialect::Chat, &Ask::new("Hello.").model("codex/gpt-6-sol")).await.unwrap();
    // A window is used up: the vendor's words with their end reach Codex CLI, and the account rests.
    let answer = world.send(Dialect::Responses, &Ask::new("sim:quota 1000").model("codex/gpt-6-sol")).await;
    assert_eq!(answer.status, 429);
    assert!(
        answer.text().contains("usage_limit_reached") && answer.text().contains("resets_at"),
        "{}",
        answer.text()
    );
    let calls = world.count(RESPONSES);
    let answer = world.send(Dialect::Messages, &Ask::new("Hello.").model("codex/gpt-6-luna")).await;
    assert_ne!(answer.status, 200);
    assert_eq!(world.count(RESPONSES), calls, "nobody is asked while it rests");
}

#[tokio::test]
async fn an_account_that_cannot_serve_is_set_aside() {
    for wish in ["sim:third_party", "sim:402"] {
        let world = start().await;
        let answer = world.send(Dialect::Chat, &Ask::new(wish).model("codex/gpt-5.5")).await;
        assert_ne!(answer.status, 200, "{wish}");
        becomes(&world, "blocked").await;
    }
}

#[tokio::test]
async fn models_and_limits_come_from_the_vendor() {
    let world = start().await;
    let models = || async { Call::get("/v1/models").send(world.byok.address()).await.text() };
    assert!(models().await.contains("gpt-5.6-sol"), "the list that byok knows");
    let begun = Instant::now();
    while models().await.contains("gpt-5.6-sol") {
        assert!(begun.elapsed() < PATIENCE, "the vendor's list is not taken over");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let listed = models().await;
    assert!(listed.contains("gpt-6-luna") && !listed.contains("codex-auto-review"), "{listed}");
    let asked = world.last("/backend-api/codex/models").unwrap();
    assert_eq!(asked.query, "client_version=0.169.0");

    world.say(Dialect::Chat, &Ask::new("Hello.").model("codex/gpt-5.5")).await.unwrap();
    let status = world.byok.status().await.to_string();
    assert!(
        status.contains("\"5 hours\"") && status.contains("\"week\"") && status.contains("0.12"),
        "{status}"
    );
}

/// Logs in with an address that is pasted.
async fn paste(byok: &Byok, simulator: &Simulator, hint: &str) -> String {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_byok"))
        .args(["login", "codex", "--method", "browser", "--no-browser", "--config"])
        .arg(byok.config_file())
        .arg("--db")
        .arg(byok.state().join("tokens.db"))
        .env_clear()
        .env("HOME", byok.home())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap() {
        said.push_str(&line);
        said.push('\n');
        if let Some((_, target)) = line.trim().split_once(&simulator.base_url()) {
            let page = Call::get(format!("{target}&login_hint={hint}")).send(simulator.address()).await;
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(format!("{}\n", page.header("location")).as_bytes()).await.unwrap();
        }
    }
    child.wait().await.unwrap();
    said
}

#[tokio::test]
async fn two_people_by_the_browser() {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let settings = json!({"providers": {"codex": settings(&simulator.base_url())}});
    let byok = Setup::new(settings.to_string()).start().await;
    let ada = paste(&byok, &simulator, "ada@example.org").await;
    assert!(ada.contains("logged in to codex as ada@example.org, plan plus"), "{ada}");
    let denied = paste(&byok, &simulator, "denied").await;
    assert!(denied.contains("access_denied"), "{denied}");
    let again = paste(&byok, &simulator, "ada@example.org").await;
    assert!(again.contains("logged in to codex as ada@example.org"), "{again}");
    let bob = paste(&byok, &simulator, "bob@example.org").await;
    assert!(bob.contains("logged in to codex as bob@example.org"), "{bob}");
    // The running server sees the logins within a second.
    let begun = Instant::now();
    let mut status = String::new();
    while begun.elapsed() < PATIENCE && !status.contains("\"label\":\"bob@example.org\"") {
        status = byok.status().await.to_string();
    }
    assert_eq!(status.matches("\"label\":\"ada@example.org\"").count(), 1, "{status}");
    assert_eq!(simulator.plan_counts(Plan::Codex).exchanges, 3);
}

#[tokio::test]
async fn a_key_of_the_platform() {
    let settings = |simulator: &str| json!({"base_url": format!("{simulator}/v1")});
    let key = |_: &Simulator| "sk-e2e-key\n".to_owned();
    let world = LoggedIn::pasting("codex", settings, &["--method", "key"], key).await;
    assert!(
        world.said.contains("logged in to codex") && !world.said.contains("sk-e2e-key"),
        "{}",
        world.said
    );
    assert_eq!(header(&world.last("/v1/models").unwrap(), "authorization"), Some("Bearer sk-e2e-key"));
    world.serves(&["codex/gpt-5.5"]).await;
    for path in ["/v1/responses", "/v1/chat/completions"] {
        let seen = world.last(path).unwrap_or_else(|| panic!("{path} is asked"));
        assert_eq!(header(&seen, "authorization"), Some("Bearer sk-e2e-key"), "{path}");
    }
    assert_eq!(world.count(RESPONSES), 0, "the backend of plans takes no keys");
    let said = super::log_in(&world.byok, "codex", &["--method", "key"], "eyJ.not.key").await.unwrap_err();
    assert!(said.contains("begins with `sk-`"), "{said}");
}

#[tokio::test]
async fn ids_of_calls_that_are_too_long_are_shortened_alike() {
    let world = start().await;
    let id = "call-of-another-vendor-".repeat(4);
    let body = json!({
        "model": "codex/gpt-5.5", "input": [
            {"type": "message", "role": "user", "content": "What is the weather?"},
            {"type": "function_call", "call_id": id, "name": "get_weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": id, "output": "heavy rain"},
        ],
        "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}, "strict": false}],
    });
    let answer = post(&world, "/v1/responses", body.to_string(), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = world.last(RESPONSES).unwrap().json();
    assert_eq!(sent["input"][1]["call_id"], sent["input"][2]["call_id"]);
    assert_eq!(sent["input"][1]["call_id"].as_str().unwrap().chars().count(), 64);
}
