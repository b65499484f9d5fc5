//! What the Gemini endpoint refuses, and in which words.

mod access;
mod contents;
mod models;

use crate::{
    client::{GEMINI, post},
    refusals::{Changes, changed, message},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

pub const OLD: &str = "/v1beta/models/gemini-2.5-pro:generateContent";
pub const NEW: &str = "/v1beta/models/gemini-3-flash-preview:generateContent";

pub fn plain() -> Value {
    json!({
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}]}],
    })
}

pub fn user(parts: Value) -> Value {
    json!({"role": "user", "parts": parts})
}

pub fn model(parts: Value) -> Value {
    json!({"role": "model", "parts": parts})
}

pub fn call(name: &str) -> Value {
    json!({"functionCall": {"name": name, "args": {}}})
}

pub fn response(name: &str) -> Value {
    json!({"functionResponse": {"name": name, "response": {"output": "done"}}})
}

pub fn contents(more: Value) -> (&'static str, Option<Value>) {
    let mut contents = vec![user(json!([{"text": "hello"}]))];
    contents.extend(more.as_array().unwrap().clone());
    ("/contents", Some(json!(contents)))
}

pub async fn refused(simulator: &Simulator, target: &str, cases: &[(Changes<'_>, &str)]) {
    for (changes, words) in cases {
        let answer = post(simulator, target, &GEMINI, &changed(&plain(), changes)).await;
        assert_eq!(answer.status, 400, "{words}: {}", answer.text());
        let error = answer.json()["error"].clone();
        assert_eq!((&error["code"], &error["status"]), (&json!(400), &json!("INVALID_ARGUMENT")));
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
    }
}

pub async fn accepted(simulator: &Simulator, target: &str, cases: &[Changes<'_>]) {
    for changes in cases {
        let answer = post(simulator, target, &GEMINI, &changed(&plain(), changes)).await;
        assert_eq!(answer.status, 200, "{changes:?}: {}", answer.text());
    }
}
