//! Kimi Code.

use super::{LoggedIn, becomes, picture, table::Does};
use crate::support::ask::{Ask, Think};
use byok_types::Dialect;
use serde_json::{Value, json};

const TOKEN: &str = "/kimi/api/oauth/token";
const MESSAGES: &str = "/kimi/coding/v1/messages";

pub(super) fn settings(simulator: &str) -> Value {
    json!({"urls": {
        "device": format!("{simulator}/kimi/api/oauth/device_authorization"),
        "token": format!("{simulator}{TOKEN}"),
        "profile": format!("{simulator}/kimi/coding/v1/me"),
        "inference": format!("{simulator}/kimi/coding"),
    }})
}

#[tokio::test]
async fn a_membership_serves_everything() {
    let world = LoggedIn::start("kimi", settings, &["--with", "region=mainland-cn"]).await;
    for part in ["KIMI-", "logged in to kimi as ada@example.org, plan Allegretto"] {
        assert!(world.said.contains(part), "{part}: {}", world.said);
    }
    world.serves(&["kimi/k3", "kimi-k3", "kimi-for-coding", "kimi/k2.6", "k2"]).await;
    let does = Does {
        provider: "kimi",
        make: byok_auth::kimi::vendor,
        model: "kimi/k3",
        thinks: "kimi/k3",
        sees: "kimi/k3",
    };
    does.what_the_readme_says(&world.byok).await;
    let seen = world.last(MESSAGES).unwrap();
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert!(header("authorization").unwrap().starts_with("Bearer kimi-access-"));
    assert!(header("user-agent").unwrap().starts_with("byok/"));
    assert_eq!(header("x-msh-platform").as_deref(), Some("byok"));
    assert_eq!(header("x-msh-version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    let login = world.last("/kimi/api/oauth/device_authorization").unwrap();
    assert_eq!(
        header("x-msh-device-id").as_deref(),
        login.headers["x-msh-device-id"].to_str().ok(),
        "one id for all"
    );
    assert_eq!(world.count("/kimi/coding/v1/chat/completions"), 0, "its Chat serves only programs of a list");
}

#[tokio::test]
async fn bodies_are_fitted() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    for client in Dialect::ALL {
        let ask = Ask::new("Hello.").model("kimi-k3").with(|ask| ask.think = Some(Think::Effort("medium")));
        world.say(client, &ask).await.unwrap_or_else(|error| panic!("{client}: {error}"));
        let body = world.last(MESSAGES).unwrap().json();
        assert_eq!(body["model"], "k3", "under another name it is a smaller model: {client}");
        if client != Dialect::Messages {
            assert!(["low", "high"].contains(&body["output_config"]["effort"].as_str().unwrap()), "{body}");
        }
        world.say(client, &picture("kimi/k3")).await.unwrap_or_else(|error| panic!("{client}: {error}"));
    }
    let body = json!({
        "model": "kimi-k3[1m]", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello."}],
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2;"}, {"type": "text", "text": "Be kind."}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
    });
    let call = crate::support::client::Call::post("/v1/messages", body.to_string())
        .header("anthropic-version", "2023-06-01")
        .header("anthropic-beta", "interleaved-thinking-2025-05-14");
    let answer = call.send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.last(MESSAGES).unwrap();
    assert_eq!(seen.json()["system"], json!([{"type": "text", "text": "Be kind."}]));
    assert!(!seen.headers.contains_key("anthropic-beta"));
}

/// Kimi is not told of a turn's reasoning that was another vendor's, and may then not be asked to think on by a budget.
#[tokio::test]
async fn a_conversation_comes_over_from_another_vendor() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    for model in ["kimi/k3", "k2.6"] {
        let body = json!({
            "model": model, "max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "messages": [
                {"role": "user", "content": "Go."},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "t", "signature": "byok1:openai::Z0FBQUFB"},
                    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]}],
        });
        let call = crate::support::client::Call::post("/v1/messages", body.to_string());
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let told = (answer.header("x-byok-attempts"), answer.header("x-byok-dropped"));
        assert_eq!(told, ("2", "thinking"), "{model}");
        assert!(world.last(MESSAGES).unwrap().json().get("thinking").is_none());
    }
}

#[tokio::test]
async fn tokens_are_counted_by_the_vendor() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    let body = json!({"model": "kimi/k3", "messages": [{"role": "user", "content": "Hello."}]});
    let call = crate::support::client::Call::post("/v1/messages/count_tokens", body.to_string());
    let answer = call.send(world.byok.address()).await;
    assert!(answer.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{}", answer.text());
    assert_eq!(answer.header("x-byok-usage"), "", "it is no estimate");
    assert_eq!(world.count("/kimi/coding/v1/messages/count_tokens"), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_rotates() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    let before = world.count(TOKEN);
    let said = world.say(Dialect::Responses, &Ask::new("sim:401_once").model("kimi/k3").stream(true)).await;
    said.unwrap();
    assert_eq!(world.count(TOKEN), before + 1);
    let refresh = world.last(TOKEN).unwrap();
    let body = String::from_utf8_lossy(&refresh.body).into_owned();
    assert!(body.contains("grant_type=refresh_token&refresh_token=kimi-refresh-"), "{body}");
    let login = world.last("/kimi/api/oauth/device_authorization").unwrap();
    assert_eq!(refresh.headers["x-msh-device-id"], login.headers["x-msh-device-id"]);
    // What was renewed a moment ago is not renewed again: that would help nobody.
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("kimi/k3")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(world.count(TOKEN), before + 1);
    world.say(Dialect::Chat, &Ask::new("Hello.").model("kimi/k3")).await.unwrap();
}

#[tokio::test]
async fn refusals() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    for client in Dialect::ALL {
        for (wish, status, words) in
            [("sim:400", 400, "The scenario refuses"), ("sim:context", 400, "prompt is too long")]
        {
            let answer = world.send(client, &Ask::new(wish).model("kimi/k3")).await;
            assert_eq!(answer.status, status, "{client} {wish}: {}", answer.text());
            assert!(answer.text().contains(words), "{client} {wish}: {}", answer.text());
        }
    }
    let answer = world.send(Dialect::Messages, &Ask::new("sim:third_party").model("kimi/k3")).await;
    assert!(answer.text().contains("only available for Coding Agents"), "{}", answer.text());
    assert!(!answer.header("x-byok-hint").is_empty());
    becomes(&world, "ready").await;
    // No membership: the account is out until its owner acts.
    let answer = world.send(Dialect::Messages, &Ask::new("sim:402").model("kimi/k3")).await;
    assert_ne!(answer.status, 200);
    becomes(&world, "blocked").await;
}

#[tokio::test]
async fn a_window_that_is_used_up_rests_the_account() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    let answer = world.send(Dialect::Messages, &Ask::new("sim:extra_usage").model("kimi/k3")).await;
    assert!(answer.text().contains("usage limit for this billing cycle"), "{}", answer.text());
    // A client must not take Kimi's 403 for a refusal of its own key.
    assert_eq!(answer.status, 429, "{}", answer.text());
    let answer = world.send(Dialect::Messages, &Ask::new("Hello.").model("kimi/k2")).await;
    assert_ne!(answer.status, 200, "all of its models rest");
}

#[tokio::test]
async fn a_charge_that_the_usage_shows_stops_the_account() {
    let world = LoggedIn::unasked("kimi", settings, &[]).await;
    world.say(Dialect::Messages, &Ask::new("sim:overage").model("kimi/k3")).await.unwrap();
    becomes(&world, "extra_usage").await;
    // Its owner wants to know when there is room again.
    becomes(&world, "5 hours").await;
}

#[tokio::test]
async fn a_charge_that_is_allowed_stops_nothing() {
    let allowing = |simulator: &str| {
        let mut settings = settings(simulator);
        settings["extra_usage"] = json!("allow");
        settings
    };
    let world = LoggedIn::unasked("kimi", allowing, &[]).await;
    world.say(Dialect::Messages, &Ask::new("sim:overage").model("kimi/k3")).await.unwrap();
    // The usage that tells of it is read.
    becomes(&world, "5 hours").await;
    becomes(&world, "ready").await;
    world.say(Dialect::Messages, &Ask::new("Hello.").model("kimi/k3")).await.unwrap();
}

/// Only a person can help where the vendor refuses even the token that it has just issued.
#[tokio::test]
async fn a_second_refusal_ends_the_login() {
    let world = LoggedIn::start("kimi", settings, &[]).await;
    let before = world.count(TOKEN);
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("kimi/k3")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("byok login kimi"), "{}", answer.text());
    assert_eq!(world.count(TOKEN), before + 1, "renewed once");
    becomes(&world, "needs_login").await;
    let asked = world.count(MESSAGES);
    let answer = world.send(Dialect::Messages, &Ask::new("Hello.").model("kimi/k3")).await;
    assert!(answer.status != 200 && answer.text().contains("byok login kimi"), "{}", answer.text());
    assert_eq!(world.count(MESSAGES), asked, "nothing is asked with it any more");
}
