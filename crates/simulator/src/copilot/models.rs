//! The models that Copilot offers, and which model of an engine stands for each.

use byok_types::Dialect;
use serde_json::{Value, json};

/// One model.
pub(super) struct Offered {
    pub(super) id: &'static str,
    pub(super) vendor: &'static str,
    /// Where it is served, and by which model of the engine.
    pub(super) at: &'static [(Dialect, &'static str)],
    kind: &'static str,
    enabled: bool,
    /// Whether it is served and not listed.
    hidden: bool,
    /// Premium requests that a question costs.
    multiplier: u32,
}

const fn chat(id: &'static str, vendor: &'static str, at: &'static [(Dialect, &'static str)]) -> Offered {
    Offered { id, vendor, at, kind: "chat", enabled: true, hidden: false, multiplier: 1 }
}

pub(super) const OFFERED: &[Offered] = &[
    chat("gpt-5.5", "OpenAI", &[(Dialect::Responses, "gpt-5.5")]),
    chat("gpt-5.4", "OpenAI", &[(Dialect::Chat, "gpt-5.5"), (Dialect::Responses, "gpt-5.5")]),
    Offered { multiplier: 0, ..chat("gpt-5-mini", "Azure OpenAI", &[(Dialect::Chat, "gpt-5-mini")]) },
    Offered { multiplier: 0, ..chat("gpt-4.1", "Azure OpenAI", &[(Dialect::Chat, "gpt-4.1")]) },
    Offered { hidden: true, ..chat("gpt-7-hidden", "OpenAI", &[(Dialect::Responses, "gpt-5.5")]) },
    chat(
        "claude-sonnet-4.6",
        "Anthropic",
        &[(Dialect::Chat, "gpt-4.1"), (Dialect::Messages, "claude-sonnet-4-6")],
    ),
    chat("claude-haiku-4.5", "Anthropic", &[(Dialect::Chat, "gpt-4.1")]),
    chat("gemini-3.8-flash", "Google", &[(Dialect::Chat, "gpt-4.1")]),
    Offered { enabled: false, ..chat("claude-opus-5", "Anthropic", &[(Dialect::Messages, "claude-opus-5")]) },
    Offered { kind: "embeddings", ..chat("text-embedding-3-small", "Azure OpenAI", &[]) },
];

/// Ids of the models that the simulated Copilot answers with.
pub fn copilot_models() -> impl Iterator<Item = &'static str> {
    OFFERED
        .iter()
        .filter(|model| model.enabled && !model.hidden && model.kind == "chat")
        .map(|model| model.id)
}

pub(super) fn list() -> Value {
    let path = |dialect: &Dialect| match dialect {
        Dialect::Responses => "/responses",
        Dialect::Messages => "/v1/messages",
        _ => "/chat/completions",
    };
    let show = |model: &Offered| {
        json!({
            "id": model.id, "name": model.id, "vendor": model.vendor, "version": model.id, "object": "model",
            "preview": false, "model_picker_enabled": model.kind == "chat",
            "supported_endpoints": model.at.iter().map(|(dialect, _)| path(dialect)).collect::<Vec<_>>(),
            "billing": {"is_premium": model.multiplier > 0, "multiplier": model.multiplier},
            "policy": {"state": if model.enabled { "enabled" } else { "disabled" }, "terms": ""},
            "capabilities": {
                "type": model.kind, "family": model.id, "tokenizer": "o200k_base",
                "limits": {
                    "max_context_window_tokens": 200_000, "max_prompt_tokens": 128_000, "max_output_tokens": 16_000,
                    "vision": {"max_prompt_images": 5, "max_prompt_image_size": 3_145_728, "supported_media_types": ["image/png"]},
                },
                "supports": {"streaming": true, "tool_calls": true, "parallel_tool_calls": true, "vision": true},
            },
        })
    };
    // Entries repeat at the vendor.
    let all: Vec<Value> =
        OFFERED.iter().filter(|model| !model.hidden).chain(&OFFERED[..1]).map(show).collect();
    json!({"object": "list", "data": all})
}
