//! What is offered beside the dialects: strict about fields, models and forms.

use crate::client::{GEMINI, OPENAI, post, simulator};
use serde_json::{Value, json};

fn good() -> Vec<(&'static str, Value)> {
    vec![
        ("/v1/completions", json!({"model": "gpt-3.5-turbo-instruct", "prompt": "x"})),
        ("/v1/embeddings", json!({"model": "text-embedding-3-small", "input": ["x", "y"]})),
        ("/v1/images/generations", json!({"model": "gpt-image-1", "prompt": "x"})),
        ("/v1/audio/speech", json!({"model": "gpt-4o-mini-tts", "input": "x", "voice": "alloy"})),
        ("/v1/moderations", json!({"model": "omni-moderation-latest", "input": "x"})),
        ("/v1/responses/compact", json!({"model": "gpt-5.1", "input": []})),
    ]
}

#[tokio::test]
async fn what_is_right_is_answered_and_what_is_not_is_refused() {
    let simulator = simulator().await;
    for (path, body) in good() {
        let answer = post(&simulator, path, &OPENAI, &body).await;
        assert_eq!(answer.status, 200, "{path}");
        let with = |name: &str, value: Value| {
            let mut body = body.clone();
            body[name] = value;
            body
        };
        for (wrong, status, code) in [
            (with("x_unknown", json!(1)), 400, "unknown_parameter"),
            (with("model", json!(7)), 400, "invalid_type"),
            (with("model", json!("claude-sonnet-5")), 404, "model_not_found"),
        ] {
            let answer = post(&simulator, path, &OPENAI, &wrong).await;
            assert_eq!(
                (answer.status, answer.json()["error"]["code"].as_str()),
                (status, Some(code)),
                "{path} {wrong}"
            );
        }
        let keyless = post(&simulator, path, &[], &body).await;
        assert_eq!(keyless.status, 401, "{path}");
        let foreign = post(&simulator, path, &[("authorization", "Bearer sk-ant-api03-x")], &body).await;
        assert_eq!(foreign.status, 401, "{path}");
        let refused = post(&simulator, path, &[("authorization", "Bearer sk-x-sim-429")], &body).await;
        assert_eq!(refused.status, 429, "{path}");
    }
    let streamed = json!({"model": "gpt-3.5-turbo-instruct", "prompt": "x", "stream": true});
    let answer = post(&simulator, "/v1/completions", &OPENAI, &streamed).await;
    assert_eq!((answer.data().last().map(String::as_str), answer.events().len()), (Some("[DONE]"), 6));
    // Compaction has one form only.
    let answer = post(
        &simulator,
        "/v1/responses/compact",
        &OPENAI,
        &json!({"model": "gpt-5.1", "input": [], "stream": true}),
    )
    .await;
    assert_eq!(answer.json()["error"]["code"], "unknown_parameter");
}

#[tokio::test]
async fn geminis_embeddings_name_one_model() {
    let simulator = simulator().await;
    let content = json!({"parts": [{"text": "x"}]});
    for (target, body, status) in [
        ("gemini-embedding-001:embedContent", json!({"content": content}), 200),
        ("gemini-embedding-001:embedContent", json!({"content": content, "model": "models/other"}), 400),
        ("gemini-embedding-001:embedContent", json!({"content": content, "input": "x"}), 400),
        ("other:embedContent", json!({"content": content}), 404),
        (
            "gemini-embedding-001:batchEmbedContents",
            json!({"requests": [{"model": "models/gemini-embedding-001", "content": content}]}),
            200,
        ),
        ("gemini-embedding-001:batchEmbedContents", json!({"requests": [{"content": content}]}), 400),
        (
            "gemini-embedding-001:batchEmbedContents",
            json!({"requests": [{"model": "models/x", "content": content}]}),
            400,
        ),
    ] {
        let answer = post(&simulator, &format!("/v1beta/models/{target}"), &GEMINI, &body).await;
        assert_eq!(answer.status, status, "{target} {body}: {}", answer.text());
    }
}
