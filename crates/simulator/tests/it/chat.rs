//! What the Chat endpoint refuses, and in which words.

mod messages;
mod models;

use crate::{
    client::{OPENAI, post},
    refusals::{Changes, changed, message},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

pub const PATH: &str = "/v1/chat/completions";

pub fn plain() -> Value {
    json!({
        "model": "gpt-4.1", "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    })
}

pub fn reasoning() -> Value {
    changed(&plain(), &[("/model", Some(json!("gpt-5.1")))])
}

pub fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}})
}

pub fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "done"})
}

pub fn calls(calls: Value) -> Value {
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}

pub fn messages(more: Value) -> (&'static str, Option<Value>) {
    let mut messages = vec![json!({"role": "user", "content": "hello"})];
    messages.extend(more.as_array().unwrap().clone());
    ("/messages", Some(json!(messages)))
}

pub async fn refused(simulator: &Simulator, good: &Value, cases: &[(Changes<'_>, &str, &str)]) {
    for (changes, code, words) in cases {
        let answer = post(simulator, PATH, &OPENAI, &changed(good, changes)).await;
        assert_eq!(answer.status, 400, "{words}: {}", answer.text());
        let error = answer.json()["error"].clone();
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("invalid_request_error"), &json!(code)),
            "{words}"
        );
        assert!(error["param"].is_string(), "{words}");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

pub async fn accepted(simulator: &Simulator, good: &Value, cases: &[Changes<'_>]) {
    for changes in cases {
        let answer = post(simulator, PATH, &OPENAI, &changed(good, changes)).await;
        assert_eq!(answer.status, 200, "{changes:?}: {}", answer.text());
    }
}
