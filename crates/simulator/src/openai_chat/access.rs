//! Credentials, rate-limit headers and the list of models; Responses uses them too.

use crate::{
    call::Call,
    models::{self, Maker},
    refusal::Refusal,
    trouble::incorrect_key,
};
use serde_json::{Value, json};

/// Checks the Bearer key. Keys of other vendors are refused: a proxy that sends them leaks them.
pub(crate) fn authorize(call: &Call) -> Result<(), Refusal> {
    let foreign = |key: &str| key.starts_with("sk-ant-") || key.starts_with("AIza");
    match call.bearer() {
        Some(key) if key.is_empty() || foreign(key) => Err(incorrect_key(key)),
        Some(_) => Ok(()),
        None => Err(Refusal::new(
            401,
            "invalid_request_error",
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        )),
    }
}

/// Rate-limit headers of a good answer.
pub(crate) fn limits() -> Vec<(&'static str, String)> {
    [
        ("openai-version", "2020-10-01"),
        ("openai-organization", "org-simulator"),
        ("openai-processing-ms", "1"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999000"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "1s"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// The list, or one model.
pub(crate) fn models(id: Option<&str>) -> Result<Value, Refusal> {
    let show =
        |id: &str| json!({"id": id, "object": "model", "created": 1_780_000_000, "owned_by": "system"});
    match id {
        None => {
            let data: Vec<Value> = models::models(Maker::Openai).iter().map(|model| show(model.id)).collect();
            Ok(json!({"object": "list", "data": data}))
        }
        Some(id) if models::find(Maker::Openai, id).is_some() => Ok(show(id)),
        Some(id) => {
            Err(Refusal::new(404, "invalid_request_error", format!("The model '{id}' does not exist"))
                .code("model_not_found")
                .param("model"))
        }
    }
}
