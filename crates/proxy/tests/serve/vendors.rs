//! What vendors want to hear that others do not.

use super::{start, start_providers};
use serde_json::json;

/// Of a server of one's own nobody knows which names it takes.
#[tokio::test(flavor = "multi_thread")]
async fn the_cap_of_an_answer_has_the_name_that_its_vendor_knows() {
    let running = start_providers(
        "  qwen: { api_key: sk-0123456789, base_url: 'SIM/qwen/compatible-mode/v1' }
  deepseek: { api_key: sk-lenient, base_url: 'SIM/compat/deepseek' }
  mine: { kind: openai, api_key: sk-lenient, base_url: 'SIM/compat/vllm' }
",
        "",
    )
    .await;
    for (model, name) in [
        ("qwen3.6-plus", "max_tokens"),
        ("deepseek/deepseek-v4-pro", "max_tokens"),
        ("mine/glm-5.2", "max_completion_tokens"),
        ("codex/gpt-4o", "max_completion_tokens"),
    ] {
        let body = json!({"model": model, "max_completion_tokens": 300,
            "messages": [{"role": "user", "content": "Hi."}]});
        let (status, answer) = running.ask("/v1/chat/completions", &body).await;
        assert_eq!(status, 200, "{model}: {answer}");
        let seen =
            running.simulator.requests().into_iter().rev().find(|seen| seen.path.ends_with("/completions"));
        let seen = seen.unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let caps = ["max_tokens", "max_completion_tokens"].map(|name| &sent[name]);
        let (there, gone) = if name == "max_tokens" { (caps[0], caps[1]) } else { (caps[1], caps[0]) };
        assert_eq!((there, gone), (&json!(300), &json!(null)), "{model}: {sent}");
    }
}

/// A model that seals nothing gives reasoning under an id of byok's, which no vendor can look up.
#[tokio::test(flavor = "multi_thread")]
async fn reasoning_without_a_seal_is_not_looked_up_elsewhere() {
    let running = start("").await;
    let question = json!({"type": "message", "role": "user", "content": "Think."});
    let ask = |model: &str, input: &[serde_json::Value]| {
        json!({"model": model, "store": false, "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "high", "summary": "auto"}, "input": input})
    };
    let (status, answer) =
        running.ask("/v1/responses", &ask("gemini-2.5-pro", std::slice::from_ref(&question))).await;
    assert_eq!(status, 200, "{answer}");
    let output = answer["output"].as_array().unwrap();
    let unsealed =
        |item: &&serde_json::Value| item["type"] == "reasoning" && item["encrypted_content"].is_null();
    assert!(output.iter().any(|item| unsealed(&item)), "{answer}");
    let mut input = vec![question.clone()];
    input.extend(output.clone());
    input.push(question);
    for model in ["rs/gpt-5.1", "codex/gpt-5.1"] {
        let (status, answer) = running.ask("/v1/responses", &ask(model, &input)).await;
        assert_eq!(status, 200, "{model}: {answer}");
    }
}
