//! iFlow: a service that has ended, behind logins in the browser, by cookie and by key.

use super::{LoggedIn, becomes, table::Does};
use crate::support::{
    ask::{Ask, Think},
    byok::{Byok, PATIENCE, Setup},
    client::Call,
};
use byok_simulator::{SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

const TOKEN: &str = "/iflow/oauth/token";
const CHAT: &str = "/iflow/v1/chat/completions";
const PLATFORM: &str = "/iflow/api/openapi/apikey";
const CONSENT: [&str; 2] = ["--accept-claim", "iflow-cli"];

pub(super) fn settings(simulator: &str) -> Value {
    json!({"urls": {
        "authorize": format!("{simulator}/iflow/oauth"),
        "token": format!("{simulator}{TOKEN}"),
        "profile": format!("{simulator}/iflow/api/oauth/getUserInfo"),
        "exchange": format!("{simulator}{PLATFORM}"),
        "inference": format!("{simulator}/iflow/v1"),
    }})
}

/// Logs in; `stdin` is what is pasted, and without it the browser is played.
async fn start(arguments: &[&str], stdin: Option<&str>) -> LoggedIn {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let config = json!({"providers": {"iflow": settings(&simulator.base_url())}, "log": "debug"});
    let byok = Setup::new(config.to_string()).start().await;
    let said = tokio::time::timeout(PATIENCE, log_in(&byok, arguments, stdin)).await.expect("the login ends");
    let world = LoggedIn { simulator, byok, said };
    let lacks = world.said.contains("byok does not send ");
    becomes(&world, if lacks { "needs_consent" } else { "ready" }).await;
    world
}

async fn log_in(byok: &Byok, arguments: &[&str], stdin: Option<&str>) -> String {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_byok"))
        .args(["login", "iflow", "--config"])
        .arg(byok.config_file())
        .arg("--db")
        .arg(byok.state().join("tokens.db"))
        .args(arguments)
        .env_clear()
        .env("HOME", byok.home())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut input = child.stdin.take().unwrap();
    if let Some(pasted) = stdin {
        input.write_all(format!("{pasted}\n").as_bytes()).await.unwrap();
    } else {
        // The secret of the client, which is asked for.
        input.write_all(b"sim-secret\n").await.unwrap();
        let mut line = String::new();
        while !line.contains("/iflow/oauth?") {
            said.push_str(&line);
            line.clear();
            assert_ne!(lines.read_line(&mut line).await.unwrap(), 0, "no address was shown: {said}");
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = client.get(line.trim()).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("Almost there"), "{page}");
    }
    drop(input);
    lines.read_to_string(&mut said).await.unwrap();
    assert!(child.wait().await.unwrap().success(), "the login failed: {said}");
    said
}

async fn in_the_browser() -> LoggedIn {
    let arguments = [&["--no-open"], &CONSENT[..]].concat();
    start(&arguments, None).await
}

#[tokio::test]
async fn a_login_in_the_browser_serves_everything() {
    let world = in_the_browser().await;
    for part in [
        "2026-04-17",
        "signed requests of its own program only",
        "logged in to iflow as ada@example.org",
        "byok sends the claim `iflow-cli`",
    ] {
        assert!(world.said.contains(part), "{part}: {}", world.said);
    }
    assert!(!world.said.contains("sim-secret") && !world.said.contains("sk-iflow"), "{}", world.said);
    world.serves(&["iflow/glm-4.6", "iflow/kimi-k2", "iflow/qwen3-coder-plus"]).await;
    let does = Does {
        provider: "iflow",
        make: byok_auth::iflow::vendor,
        model: "iflow/glm-4.6",
        thinks: "iflow/glm-4.6",
        sees: "iflow/qwen3-vl-plus",
    };
    does.what_the_readme_says(&world.byok).await;
    let seen = world.last(CHAT).unwrap();
    let key = seen.headers["authorization"].to_str().unwrap();
    assert!(key.starts_with("Bearer sk-iflow-login-"), "the key, not the token: {key}");
    assert_eq!(seen.headers["user-agent"], "iFlow-Cli");
    // Everything but the signed calls is in byok's own name.
    let others = world
        .simulator
        .requests()
        .into_iter()
        .filter(|seen| seen.path != CHAT && seen.path != "/iflow/oauth");
    for seen in others {
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("byok/"), "{}", seen.path);
    }
}

#[tokio::test]
async fn nothing_is_said_without_consent() {
    let world = start(&["--method", "key"], Some("sk-0123456789")).await;
    assert!(world.said.contains("byok does not send it"), "{}", world.said);
    for client in Dialect::ALL {
        let answer = world.send(client, &Ask::new("Hello.").model("iflow/glm-4.6")).await;
        assert_eq!(answer.status, 400, "{client}: {}", answer.text());
        assert!(
            answer.text().contains("byok accounts claims iflow")
                && answer.text().contains("--accept iflow-cli`"),
            "{client}: {}",
            answer.text()
        );
        let called = "` of `iflow` serves nobody before its owner consents";
        assert!(answer.text().contains(called) && answer.text().contains("the key `"), "{}", answer.text());
    }
    assert_eq!(world.count(CHAT), 0);
    // The same key a second time is the same account, now with consent.
    log_in(&world.byok, &[&["--method", "key"], &CONSENT[..]].concat(), Some("sk-0123456789")).await;
    let begun = std::time::Instant::now();
    let ask = Ask::new("Hello.").model("iflow/kimi-k2");
    while world.send(Dialect::Chat, &ask).await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the consent does not count: {}", world.byok.log());
    }
    assert_eq!(world.last(CHAT).unwrap().headers["authorization"], "Bearer sk-0123456789");
}

#[tokio::test]
async fn a_cookie_renews_its_key() {
    let world =
        start(&[&["--method", "cookie"], &CONSENT[..]].concat(), Some("a=b; BXAuth=sim-cookie; c=d")).await;
    world.say(Dialect::Gemini, &Ask::new("Hello.").model("iflow/glm-4.6").stream(true)).await.unwrap();
    let before = world.count(PLATFORM);
    assert_eq!(before, 2, "shown and renewed");
    let first = world.last(CHAT).unwrap().headers["authorization"].clone();
    for client in [Dialect::Chat, Dialect::Messages] {
        world.say(client, &Ask::new("sim:401_once").model("iflow/glm-4.6")).await.unwrap();
    }
    assert_eq!(world.count(PLATFORM), before + 1, "renewed once");
    assert_ne!(world.last(CHAT).unwrap().headers["authorization"], first);
}

#[tokio::test]
async fn a_refused_key_is_renewed_with_the_tokens() {
    let world = in_the_browser().await;
    let before = world.count(TOKEN);
    world
        .say(Dialect::Responses, &Ask::new("sim:401_once").model("iflow/glm-4.6").stream(true))
        .await
        .unwrap();
    assert_eq!(world.count(TOKEN), before + 1);
    let refresh = world.last(TOKEN).unwrap();
    let body = String::from_utf8_lossy(&refresh.body).into_owned();
    assert!(body.starts_with("grant_type=refresh_token&refresh_token=iflow-refresh-"), "{body}");
    assert!(refresh.headers["authorization"].to_str().unwrap().starts_with("Basic "));
    assert_eq!(world.count("/iflow/api/oauth/getUserInfo"), 2, "and the key with them");
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("iflow/glm-4.6")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
}

#[tokio::test]
async fn thinking_is_asked_for_as_the_family_wants_it() {
    let world = in_the_browser().await;
    for client in Dialect::ALL {
        for (model, field, on) in [
            ("glm-4.6", "chat_template_kwargs", json!({"enable_thinking": true, "clear_thinking": false})),
            ("deepseek-v3.2", "chat_template_kwargs", json!({"enable_thinking": true})),
            ("minimax-m2", "reasoning_split", json!(true)),
            ("kimi-k2", "chat_template_kwargs", Value::Null),
        ] {
            let think = if matches!(client, Dialect::Chat | Dialect::Responses) {
                Think::Effort("high")
            } else {
                Think::Budget(2048)
            };
            let ask = Ask::new("Hello.").model(&format!("iflow/{model}")).with(|ask| ask.think = Some(think));
            let said =
                world.say(client, &ask).await.unwrap_or_else(|error| panic!("{client} {model}: {error}"));
            let body = world.last(CHAT).unwrap().json();
            assert_eq!(body[field], on, "{client} {model}: {body}");
            if client != Dialect::Chat && model != "kimi-k2" {
                assert!(said.thinking.contains("I think about it."), "{client} {model}: {said:?}");
            }
        }
    }
}

#[tokio::test]
async fn bodies_are_fitted() {
    let world = in_the_browser().await;
    let body = json!({"model": "iflow/glm-4.6", "stream": true, "tools": [], "max_completion_tokens": 50, "thinking": {"type": "disabled"},
        "messages": [{"role": "user", "content": "Hello."}]});
    let answer = Call::post("/v1/chat/completions", body.to_string()).send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.last(CHAT).unwrap();
    assert_eq!(
        seen.json(),
        json!({"model": "glm-4.6", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 50,
            "chat_template_kwargs": {"enable_thinking": false}, "messages": [{"role": "user", "content": "Hello."}]})
    );
    assert_eq!(seen.headers["accept"], "text/event-stream");
    for client in Dialect::ALL {
        world.say(client, &Ask::new("Hello.").model("iflow/glm-4.6").stream(true)).await.unwrap();
        assert_eq!(
            world.last(CHAT).unwrap().json()["stream_options"],
            json!({"include_usage": true}),
            "{client}"
        );
    }
}

#[tokio::test]
async fn refusals_that_come_as_answers() {
    let world = in_the_browser().await;
    for client in Dialect::ALL {
        for stream in [false, true] {
            for (wish, status) in [("sim:400", 400), ("sim:context", 400)] {
                let answer = world.send(client, &Ask::new(wish).model("iflow/glm-4.6").stream(stream)).await;
                assert_eq!(answer.status, status, "{client} {wish}: {}", answer.text());
            }
        }
    }
    let answer =
        world.send(Dialect::Chat, &Ask::new("sim:429").model("iflow/qwen3-coder-plus").stream(true)).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.text().contains("You exceeded your current rate limit"), "{}", answer.text());
    let answer = world.send(Dialect::Messages, &Ask::new("sim:529").model("iflow/kimi-k2")).await;
    assert!(answer.status >= 500 && answer.text().contains("server busy"), "{}", answer.text());

    let answer = world.send(Dialect::Chat, &Ask::new("sim:banned").model("iflow/glm-4.6")).await;
    assert_ne!(answer.status, 200, "{}", answer.text());
    becomes(&world, "blocked").await;
    let status = world.byok.status().await.to_string();
    assert!(status.contains("unauthorized requests") && status.contains("2026-04-17"), "{status}");
}

#[tokio::test]
async fn a_second_refusal_ends_the_login() {
    let world = in_the_browser().await;
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("iflow/glm-4.6")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    becomes(&world, "needs_login").await;
    let status = world.byok.status().await.to_string();
    assert!(
        status
            .contains("refuses even the token that it has just issued; log in again with `byok login iflow"),
        "{status}"
    );
}
