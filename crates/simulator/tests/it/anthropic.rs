//! What the Messages endpoint refuses, and in which words.

mod access;
mod models;
mod turns;

use crate::{
    client::{ANTHROPIC, post},
    refusals::{Changes, changed, message},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

pub const PATH: &str = "/v1/messages";
pub const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// An older model: budgets, sampling, prefill.
pub fn old() -> Value {
    json!({
        "model": "claude-sonnet-4-5-20250929", "max_tokens": 4000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
    })
}

/// A new model: adaptive only, no sampling, no prefill.
pub fn new() -> Value {
    changed(&old(), &[("/model", Some(json!("claude-opus-5-5")))])
}

pub fn turns(turns: Value) -> (&'static str, Option<Value>) {
    ("/messages", Some(turns))
}

pub fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

pub fn assistant(content: Value) -> Value {
    json!({"role": "assistant", "content": content})
}

pub fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "f", "input": {}})
}

pub fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "done"})
}

pub fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

pub async fn refused(simulator: &Simulator, good: &Value, cases: &[(Changes<'_>, &str)]) {
    for (changes, words) in cases {
        let answer = post(simulator, PATH, &ANTHROPIC, &changed(good, changes)).await;
        assert_eq!(answer.status, 400, "{words}: {}", answer.text());
        let body = answer.json();
        assert_eq!(
            (&body["type"], &body["error"]["type"]),
            (&json!("error"), &json!("invalid_request_error"))
        );
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
        assert!(!answer.header("request-id").is_empty());
    }
}

pub async fn accepted(simulator: &Simulator, good: &Value, cases: &[Changes<'_>]) {
    for changes in cases {
        let answer = post(simulator, PATH, &ANTHROPIC, &changed(good, changes)).await;
        assert_eq!(answer.status, 200, "{changes:?}: {}", answer.text());
    }
}
