//! Lists of models as gateways and local servers write them: each has names of its own for what it says.

use crate::models::{self, Abilities, Maker, SimModel};
use serde_json::{Value, json};

/// Who writes a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// `OpenRouter` (its documentation): sizes, what a model can be shown and which parameters it takes.
    OpenRouter,
    /// `vLLM`: the whole window.
    Vllm,
}

impl Server {
    /// The server below `/compat/` that this word names.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "openrouter" => Some(Self::OpenRouter),
            "vllm" => Some(Self::Vllm),
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
        Server::Vllm => json!({"object": "list", "data": data}),
    }
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
