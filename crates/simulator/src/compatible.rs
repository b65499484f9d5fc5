//! Lists of models as gateways and local servers write them: each has names of its own for what it says. And what one of them
//! refuses.

use crate::{
    models::{self, Abilities, Maker, SimModel},
    refusal::Refusal,
};
use serde_json::{Value, json};

/// Who writes a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// `OpenRouter` (its documentation): sizes, what a model can be shown and which parameters it takes.
    OpenRouter,
    /// `vLLM`: the whole window.
    Vllm,
    /// `DeepSeek` (its documentation of 2026): nothing but names.
    DeepSeek,
}

impl Server {
    /// The server below `/compat/` that this word names.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "openrouter" => Some(Self::OpenRouter),
            "vllm" => Some(Self::Vllm),
            "deepseek" => Some(Self::DeepSeek),
            _ => None,
        }
    }
}

/// The list, which these servers show to everybody.
pub(crate) fn list(server: Server) -> Value {
    let all = models::models(Maker::Openai).iter();
    let data: Vec<Value> = all.map(|model| entry(server, model)).collect();
    match server {
        Server::OpenRouter => json!({"data": data}),
        Server::Vllm | Server::DeepSeek => json!({"object": "list", "data": data}),
    }
}

/// What a server refuses that `OpenAI` takes.
pub(crate) fn validate(server: Server, body: &Value) -> Result<(), Refusal> {
    if server != Server::DeepSeek {
        return Ok(());
    }
    let wrong = |text: &str| Err(Refusal::new(400, "invalid_request_error", text));
    let off = match body.pointer("/thinking/type").map(Value::as_str) {
        None | Some(Some("enabled")) => false,
        Some(Some("disabled")) => true,
        Some(_) => return wrong("thinking.type must be enabled or disabled"),
    };
    let level = body.get("reasoning_effort").map(Value::as_str);
    if off && level.is_some() {
        return wrong("reasoning_effort cannot be set when thinking is disabled");
    }
    if !matches!(level, None | Some(Some("low" | "high" | "max"))) {
        return wrong("reasoning_effort must be one of low, high, max");
    }
    for message in body["messages"].as_array().into_iter().flatten() {
        let mut parts = message["content"].as_array().into_iter().flatten();
        if parts.any(|part| part["type"] != "text") {
            return wrong("content of this type is not supported");
        }
        let calls = message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty());
        if calls && !off && !message["reasoning_content"].is_string() {
            return wrong("The `reasoning_content` in the thinking mode must be passed back to the API.");
        }
    }
    Ok(())
}

fn entry(server: Server, model: &SimModel) -> Value {
    let created = 1_780_000_000;
    match server {
        Server::OpenRouter => json!({
            "id": format!("openai/{}", model.id), "name": format!("OpenAI: {}", model.name), "created": created,
            "context_length": model.context,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0.00000125", "completion": "0.00001"},
            "top_provider": {
                "context_length": model.context, "max_completion_tokens": model.max_output, "is_moderated": true,
            },
            "supported_parameters": parameters(model),
        }),
        Server::DeepSeek => json!({"id": model.id, "object": "model", "owned_by": "deepseek"}),
        Server::Vllm => json!({
            "id": model.id, "object": "model", "created": created, "owned_by": "vllm", "root": model.id,
            "parent": null, "max_model_len": model.context, "permission": [],
        }),
    }
}

fn parameters(model: &SimModel) -> Vec<&'static str> {
    let Abilities::Openai(abilities) = model.abilities else { return Vec::new() };
    let kind: &[&str] = if abilities.efforts.is_empty() {
        &["temperature", "top_p"]
    } else {
        &["include_reasoning", "reasoning"]
    };
    [&["max_tokens", "response_format", "stop", "tool_choice", "tools"], kind].concat()
}
