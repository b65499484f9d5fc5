//! `GET /v1/models`.

use crate::{
    call::Call,
    models::{self, Abilities, Maker, SimModel},
    refusal::Refusal,
};
use serde_json::{Value, json};

/// The list, or one model.
pub(crate) fn models(call: &Call, id: Option<&str>) -> Result<Value, Refusal> {
    if let Some(id) = id {
        return models::find(Maker::Anthropic, id)
            .map(show)
            .ok_or_else(|| Refusal::new(404, "not_found_error", format!("model: {id}")));
    }
    let all = models::models(Maker::Anthropic);
    let limit = call.query("limit").and_then(|n| n.parse::<usize>().ok()).unwrap_or(20).clamp(1, 1000);
    let after = call.query("after_id");
    let from = after.and_then(|id| all.iter().position(|model| model.id == id)).map_or(0, |at| at + 1);
    let page: Vec<Value> = all[from..].iter().take(limit).map(show).collect();
    Ok(json!({
        "has_more": from + page.len() < all.len(),
        "first_id": page.first().map(|model| &model["id"]),
        "last_id": page.last().map(|model| &model["id"]),
        "data": page,
    }))
}

fn show(model: &SimModel) -> Value {
    let Abilities::Anthropic(abilities) = model.abilities else { return Value::Null };
    let supported = |yes: bool| json!({"supported": yes});
    let effort = |level: &str| supported(abilities.efforts.contains(&level));
    json!({
        "type": "model", "id": model.id, "display_name": model.name, "created_at": "2026-01-01T00:00:00Z",
        "max_input_tokens": model.context, "max_tokens": model.max_output, "lifecycle": "active",
        "capabilities": {
            "thinking": {
                "supported": true,
                "types": {
                    "enabled": supported(abilities.budget), "adaptive": supported(abilities.adaptive),
                    "disabled": supported(abilities.disabled),
                    "between_tools": supported(abilities.adaptive && !abilities.budget),
                },
            },
            "effort": {
                "supported": !abilities.efforts.is_empty(),
                "low": effort("low"), "medium": effort("medium"), "high": effort("high"),
                "xhigh": effort("xhigh"), "max": effort("max"),
            },
            "image_input": supported(true), "pdf_input": supported(true), "structured_outputs": supported(true),
            "citations": supported(true), "code_execution": supported(true),
        },
    })
}
