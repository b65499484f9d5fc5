//! Clients that bring their own credential for a vendor, beside their byok key (`passthrough_auth`).

use crate::support::{
    byok::Setup,
    client::{Answer, Call},
};
use byok_simulator::{Seen, SimOptions, Simulator};
use serde_json::{Value, json};

const KEY: &str = "byok-e2e-0123456789abcdef";
const OWN: &str = "sk-ant-oat01-sim-the-clients-own";

/// A byok whose settings may name the simulator.
async fn serve(settings: impl FnOnce(&str) -> Value) -> (Simulator, crate::support::byok::Byok) {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let mut settings = settings(&simulator.base_url());
    settings["api_keys"] = json!([KEY]);
    let byok = Setup::new(settings.to_string()).start().await;
    (simulator, byok)
}

fn ask(model: &str, own: &str) -> Call {
    let body = json!({
        "model": model, "max_tokens": 50,
        "system": "You are Claude Code, Anthropic's official CLI for Claude.",
        "messages": [{"role": "user", "content": "Hi."}],
    });
    Call::post("/v1/messages", body.to_string())
        .header("x-byok-key", KEY)
        .header("anthropic-beta", "oauth-2025-04-20,claude-code-20250219")
        .header("authorization", &format!("Bearer {own}"))
}

fn credential(seen: &Seen) -> String {
    seen.header("authorization").or_else(|| seen.header("x-api-key")).unwrap_or_default().to_owned()
}

fn shown(simulator: &Simulator) -> Vec<String> {
    simulator.requests().iter().map(credential).collect()
}

fn code(answer: &Answer) -> Value {
    answer.json()["error"]["type"].clone()
}

#[tokio::test]
async fn the_clients_own_login_is_sent_where_the_settings_let_it() {
    let (simulator, byok) =
        serve(|base| json!({"providers": {"claude": {"base_url": base, "passthrough_auth": true}}})).await;
    let answer = ask("claude-sonnet-5", OWN).send(byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(shown(&simulator), [format!("Bearer {OWN}")]);
    let list = Call::get("/v1/models").header("x-byok-key", KEY).send(byok.address()).await.json();
    assert!(list["data"].to_string().contains("claude-sonnet-5"), "{list}");

    // Who brings nothing, or the key of another vendor, is told what helps; nobody is asked.
    let bare = Call::post("/v1/messages", r#"{"model":"claude-sonnet-5","max_tokens":5,"messages":[]}"#)
        .header("x-byok-key", KEY);
    for call in [bare, ask("claude-sonnet-5", "gsk_of-another-vendor")] {
        let answer = call.send(byok.address()).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.text().contains("x-byok-key"), "{}", answer.text());
    }
    assert_eq!(simulator.request_count(), 1);
}

/// Nobody knows what a server of the person's own takes.
#[tokio::test]
async fn a_server_of_ones_own_is_sent_whatever_the_client_brings() {
    let (simulator, byok) = serve(|base| {
        let own = json!({"kind": "openai", "base_url": format!("{base}/v1"), "passthrough_auth": true, "models": ["m"]});
        json!({"providers": {"mine": own}})
    })
    .await;
    for own in ["ya29.of-google", "sk-or-v1-of-openrouter"] {
        let answer = ask("mine/m", own).send(byok.address()).await;
        assert!(!answer.text().contains("x-byok-key"), "{}", answer.text());
        assert_eq!(shown(&simulator).last().unwrap(), &format!("Bearer {own}"));
    }
}

#[tokio::test]
async fn without_the_setting_it_changes_nothing() {
    let (simulator, byok) = serve(
        |base| json!({"providers": {"claude": {"base_url": base, "api_key": "sk-ant-oat01-sim-overage"}}}),
    )
    .await;
    let first = ask("claude-sonnet-5", OWN).send(byok.address()).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert!(first.header("x-byok-hint").contains("beyond the plan"), "{}", first.header("x-byok-hint"));
    let second = ask("claude-sonnet-5", OWN).send(byok.address()).await;
    assert_eq!(second.status, 503, "the account is stopped whatever the client shows: {}", second.text());
    assert_eq!(shown(&simulator), ["Bearer sk-ant-oat01-sim-overage"]);
}

#[tokio::test]
async fn the_client_hears_of_its_own_refusal_and_nobody_else_is_asked() {
    let (simulator, byok) = serve(|base| {
        json!({
            "providers": {
                "claude": {
                    "base_url": base, "passthrough_auth": true,
                    "api_keys": ["sk-ant-api03-one", "sk-ant-api03-two"],
                },
                "codex": {"base_url": format!("{base}/v1"), "passthrough_auth": true, "api_key": "sk-e2e"},
            },
            "aliases": {"best": ["claude/claude-sonnet-5", "codex/gpt-5.5"]},
        })
    })
    .await;
    for model in ["claude-sonnet-5", "best"] {
        simulator.clear_requests();
        let answer = ask(model, "sk-ant-oat01-sim-401").send(byok.address()).await;
        assert_eq!((answer.status, code(&answer)), (401, json!("authentication_error")), "{}", answer.text());
        assert_eq!(answer.header("x-byok-attempts"), "1");
        assert_eq!(shown(&simulator), ["Bearer sk-ant-oat01-sim-401"], "{model}");
    }
    // It is no matter of byok's keys.
    let answer = Call::post(
        "/v1/messages",
        r#"{"model":"claude-sonnet-5","max_tokens":5,"messages":[{"role":"user","content":"Hi."}]}"#,
    )
    .header("x-byok-key", KEY)
    .send(byok.address())
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    // A login of Claude is for Claude: elsewhere byok's own key serves.
    simulator.clear_requests();
    let answer = ask("codex/gpt-5.5", OWN).send(byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(shown(&simulator), ["Bearer sk-e2e"]);
}
