//! Claude by the login of a plan.

use super::{
    login::{Login, byok, known},
    table::Does,
};
use crate::{
    clients::claude_code::request,
    support::{ask::Ask, byok::PATIENCE, client::Call, dialect, world::World},
};
use byok_simulator::Seen;
use byok_types::Dialect;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CONSENT: [&str; 2] = ["--accept-claim", "claude-code-prompt"];

async fn logged_in() -> World {
    logged_in_with(&CONSENT).await.0
}

/// A login with these arguments, and what it said.
async fn logged_in_with(arguments: &[&str]) -> (World, String) {
    let settings = |simulator: &byok_simulator::Simulator| {
        let base = simulator.base_url();
        json!({"providers": {"claude": {"base_url": base, "urls": {
            "authorize": format!("{base}/cai/oauth/authorize"), "token": format!("{base}/v1/oauth/token"),
            "profile": format!("{base}/api/oauth/profile"), "usage": format!("{base}/api/oauth/usage"),
            "revoke": format!("{base}/v1/oauth/token/revoke"),
        }}}})
    };
    let world = World::of(settings, |setup| setup).await;
    let said = Login::start(&world, &[&["claude"], arguments].concat()).await.paste(&world).await;
    assert!(said.contains("logged in to claude as"), "{said}");
    known(&world, "claude").await;
    (world, said)
}

#[tokio::test]
async fn a_plan_does_what_the_readme_says() {
    let world = logged_in().await;
    let model = "claude/claude-sonnet-5";
    let does =
        Does { provider: "claude", make: byok_auth::claude::vendor, model, thinks: model, sees: model };
    does.what_the_readme_says(&world.byok).await;
}

#[tokio::test]
async fn models_are_those_that_the_vendor_lists() {
    let world = logged_in().await;
    let list = || async {
        let list = Call::get("/v1/models").send(world.byok.address()).await;
        let list: Value = serde_json::from_slice(&list.body).unwrap();
        let all = list["data"].as_array().unwrap().clone();
        all.into_iter()
            .filter_map(|model| model["id"].as_str().map(str::to_owned))
            .filter(|id| id.contains("claude-"))
            .collect::<Vec<_>>()
    };
    // Stale is served while it is asked; the answer of the vendor comes into the next list.
    // Others ask the simulator for its list, too: by a key.
    let by_login = |seen: &Seen| {
        let shown = seen.header("authorization").unwrap_or_default();
        seen.path == "/v1/models" && shown.starts_with("Bearer sk-ant-oat")
    };
    let is_asked = || world.simulator.requests().iter().any(by_login);
    let begun = Instant::now();
    list().await;
    while !is_asked() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
        list().await;
    }
    let ids = list().await;
    assert!(ids.iter().any(|id| id.contains("claude-sonnet-5")), "{ids:?}");
    assert!(is_asked(), "the vendor was asked");
    let answer = dialect::call(Dialect::Chat, &Ask::new("Hello.").model("claude-sonnet-5"))
        .send(world.byok.address())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Without consent nothing of another client's request leaves; Claude Code, which says the sentence itself, is served as it is.
#[tokio::test]
async fn without_consent_the_plan_serves_claude_code_alone() {
    let (world, said) = logged_in_with(&[]).await;
    let command = "`byok accounts claims claude --account ada@example.org --accept claude-code-prompt`";
    assert!(said.contains(&format!("byok does not send it; {command} changes that")), "{said}");
    let heard =
        || world.simulator.requests().into_iter().filter(|seen| seen.path.starts_with("/v1/messages"));
    for client in Dialect::ALL {
        for stream in [false, true] {
            let ask = Ask::new("Hello.").model("claude/claude-sonnet-5").stream(stream).with(|ask| {
                ask.system = vec!["You help with code.".to_owned()];
            });
            let answer = dialect::call(client, &ask).send(world.byok.address()).await;
            assert_eq!(answer.status, 400, "{client}: {}", answer.text());
            for part in ["claim_not_accepted", "providers.claude.api_key", "accounts claims claude --accept"]
            {
                assert!(answer.text().to_lowercase().contains(part), "{client}: {part}: {}", answer.text());
            }
        }
    }
    assert_eq!(heard().count(), 0, "nothing was asked");
    for stream in [false, true] {
        let (call, sent) = request("claude-opus-5", "Where is the door?", stream);
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        dialect::read(Dialect::Messages, stream, &answer).unwrap();
        let seen = heard().last().unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.body), sent, "not one byte differs");
        assert!(seen.header("authorization").is_some_and(|shown| shown.starts_with("Bearer sk-ant-oat")));
    }
    let status = world.byok.status().await;
    let account = &status["providers"][0]["accounts"][0];
    assert_eq!(
        (&status["providers"][0]["name"], &account["state"]),
        (&json!("claude"), &json!("needs_consent"))
    );
    assert!(account["reason"].as_str().unwrap().contains(command), "{account}");
}

/// A count needs no claim where byok can make it.
#[tokio::test]
async fn without_consent_tokens_are_counted_by_byok() {
    let world = logged_in().await;
    byok(&world, &["accounts", "claims", "claude", "--revoke", "claude-code-prompt"]).await;
    let count = async |system: Option<&str>| {
        let mut body =
            json!({"model": "claude/claude-sonnet-5", "messages": [{"role": "user", "content": "Hello."}]});
        if let Some(system) = system {
            body["system"] = json!(system);
        }
        Call::post("/v1/messages/count_tokens", body.to_string()).send(world.byok.address()).await
    };
    let begun = Instant::now();
    let counted = loop {
        let counted = count(None).await;
        // The running byok sees the change within a second.
        if counted.header("x-byok-usage") == "estimated" || begun.elapsed() > PATIENCE {
            break counted;
        }
    };
    assert_eq!((counted.status, counted.header("x-byok-usage")), (200, "estimated"), "{}", counted.text());
    let own = count(Some("You are Claude Code, Anthropic's official CLI for Claude.")).await;
    assert_eq!((own.status, own.header("x-byok-usage")), (200, ""), "{}", own.text());
}

/// A vendor that refuses tokens for a while, even new ones, must not cost the logins of a pool.
#[tokio::test]
async fn a_spell_of_refusals_costs_no_login() {
    let world = logged_in().await;
    let ask = |said: &str| dialect::call(Dialect::Messages, &Ask::new(said).model("claude/claude-sonnet-5"));
    let answer = ask("sim:401").send(world.byok.address()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "60");
    assert!(answer.text().contains("byok tries it again by itself"), "{}", answer.text());
    let status = world.byok.status().await;
    let account = &status["providers"][0]["accounts"][0];
    assert_eq!(
        (&account["state"], &account["resting"][0]["model"]),
        (&json!("ready"), &Value::Null),
        "{account}"
    );
    assert!(account["problem"]["remedy"].as_str().unwrap().contains("log in again"), "{account}");
    // Who has no other account is not kept waiting for what may be over, and then it is.
    let answer = ask("Hello.").send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let status = world.byok.status().await;
    let account = &status["providers"][0]["accounts"][0];
    assert_eq!((&account["resting"], &account["problem"]), (&json!([]), &Value::Null), "{account}");
}
