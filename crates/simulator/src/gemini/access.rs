//! Credentials and the list of models.

use crate::{
    call::Call,
    models::{self, Abilities, Maker, SimModel},
    refusal::Refusal,
    trouble::{self, bad_google_key},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// Checks the key: `x-goog-api-key`, or `?key=`.
pub(crate) fn authorize(call: &Call) -> Result<(), Refusal> {
    if call.header("authorization").is_some() {
        return Err(Refusal::new(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        ));
    }
    match call.key(Dialect::Gemini) {
        "" => Err(Refusal::new(
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
        )),
        key if key.starts_with("sk-") => Err(bad_google_key()),
        _ => Ok(()),
    }
}

/// The list, or one model.
pub(crate) fn models(call: &Call, id: Option<&str>) -> Result<Value, Refusal> {
    if let Some(id) = id {
        return models::find(Maker::Google, id).map(show).ok_or_else(|| unknown_model(id));
    }
    let all = models::models(Maker::Google);
    let size = call.query("pageSize").and_then(|n| n.parse::<usize>().ok()).unwrap_or(50).clamp(1, 1000);
    let from = call.query("pageToken").and_then(|n| n.parse::<usize>().ok()).unwrap_or(0).min(all.len());
    let page: Vec<Value> = all[from..].iter().take(size).map(show).collect();
    let next = from + page.len();
    let mut list = json!({"models": page});
    if next < all.len() {
        list["nextPageToken"] = json!(next.to_string());
    }
    Ok(list)
}

/// There is no such model.
pub(crate) fn unknown_model(id: &str) -> Refusal {
    let at = trouble::Circumstances {
        dialect: Dialect::Gemini,
        key: "",
        model: id,
        tokens: 0,
        now: 0,
        wait: None,
    };
    trouble::refusal(crate::scenario::Cause::NotFound, &at)
}

fn show(model: &SimModel) -> Value {
    let thinking = matches!(model.abilities, Abilities::Google(_));
    json!({
        "name": format!("models/{}", model.id), "version": "001", "displayName": model.name,
        "description": "A simulated model.", "inputTokenLimit": model.context,
        "outputTokenLimit": model.max_output,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2, "thinking": thinking,
    })
}
