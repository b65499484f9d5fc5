//! A conversation that goes on at another vendor.

use super::start;
use serde_json::json;

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
