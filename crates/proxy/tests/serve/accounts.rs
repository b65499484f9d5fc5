//! Several accounts of one provider: whose seals go where, and what clients are told while all of them rest.

use super::{read, start_providers};
use serde_json::{Value, json};

/// Whose sealed reasoning is in the last body that the vendor got: the items by what follows them.
fn sealed(running: &super::Running) -> Vec<String> {
    let seen = running.simulator.requests().pop().unwrap();
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let items = body["input"].as_array().unwrap();
    let seals = items.iter().filter(|item| item["type"] == "reasoning");
    seals.filter_map(|item| item["encrypted_content"].as_str()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn seals_go_to_the_account_that_made_them_alone() {
    let keys = |a: &str, b: &str| format!("[{{ key: {a}, prefix: a }}, {{ key: {b}, prefix: b }}]");
    let running = start_providers(
        &format!(
            "  xai: {{ base_url: 'SIM/xai-api/v1', api_keys: {} }}\n  mine: {{ kind: responses, base_url: 'SIM/v1', \
             models: [gpt-5.1], api_keys: {} }}\n",
            keys("xai-0123456789abcdef-a", "xai-0123456789abcdef-b"),
            keys("sk-proj-0123456789-a", "sk-proj-0123456789-b"),
        ),
        "",
    )
    .await;
    for model in ["xai/grok-4.5", "mine/gpt-5.1"] {
        let mut messages = Vec::new();
        let mut by = Vec::new();
        // The third turn has one seal of each account in its history, and both accounts are asked with it.
        for (turn, account) in ["a", "b", "a", "b"].into_iter().enumerate() {
            messages
                .push(json!({"role": "user", "content": format!("sim:thinking Hm. sim:text Turn {turn}.")}));
            let (provider, name) = model.split_once('/').unwrap();
            let body = json!({"model": format!("{account}/{name}"), "max_tokens": 9000,
                "thinking": {"type": "adaptive"}, "messages": messages});
            let answer = running.post("/v1/messages", body.to_string()).send().await.unwrap();
            let attempts = answer.headers()["x-byok-attempts"].to_str().unwrap().to_owned();
            let (status, answer) = read(answer).await;
            assert_eq!((status, &*attempts), (200, "1"), "{provider} {account} {turn}: {answer}");
            let sent = sealed(&running);
            let own: Vec<&String> =
                by.iter().filter(|(of, _)| *of == account).map(|(_, seals)| seals).collect();
            assert_eq!(sent.len(), own.len(), "{provider} {account} {turn}: {sent:?}");
            let signature = answer["content"][0]["signature"].as_str().unwrap_or_default();
            assert!(signature.starts_with("byok1:other:"), "{answer}");
            by.push((account, signature.to_owned()));
            messages.push(json!({"role": "assistant", "content": answer["content"]}));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_money_is_told_the_same_to_the_next_client() {
    let running = start_providers(
        "  spent: { kind: anthropic, base_url: SIM, api_key: sk-ant-api03-0123-sim-quota, models: [claude-sonnet-5] }
  broke: { kind: anthropic, base_url: SIM, api_key: sk-ant-api03-0123-sim-402, models: [claude-sonnet-5] }
  over: { kind: openai, base_url: 'SIM/v1', api_key: sk-0123-sim-quota, models: [gpt-4o] }
  empty: { kind: openai, base_url: 'SIM/v1', api_key: sk-0123-sim-402, models: [gpt-4o] }
  wrong: { kind: openai, base_url: 'SIM/v1', api_key: sk-0123-sim-401, models: [gpt-4o] }
",
        "",
    )
    .await;
    for (model, status, kind) in [
        ("spent/claude-sonnet-5", 429, "Billing"),
        ("broke/claude-sonnet-5", 402, "Billing"),
        ("over/gpt-4o", 429, "Billing"),
        ("empty/gpt-4o", 402, "Billing"),
        ("wrong/gpt-4o", 503, "Credential"),
    ] {
        for turn in 0..2 {
            let body = json!({"model": model, "messages": [{"role": "user", "content": "Hi."}]}).to_string();
            let answer = running.post("/v1/chat/completions", body).send().await.unwrap();
            let waits = answer.headers().contains_key("retry-after");
            let (told, answer) = read(answer).await;
            assert_eq!(told, status, "{model} {turn}: {answer}");
            let code = if kind == "Billing" { "insufficient_quota" } else { "upstream_credential_refused" };
            // The first one hears the vendor, whose own word may be another.
            assert!(turn == 0 || answer["error"]["code"] == code, "{model} {turn}: {answer}");
            assert!(turn == 0 || waits, "{model}: {answer}");
        }
    }
}
