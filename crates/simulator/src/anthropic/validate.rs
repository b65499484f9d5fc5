//! Checks of a Messages request.

use super::read::read;
use crate::{
    call::Call,
    models::{self, Maker},
    refusal::Refusal,
    vendor::lenient,
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// Refuses what the vendor refuses.
pub(crate) fn validate(_world: &World, call: &Call, body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    if models::find(Maker::Anthropic, model).is_none() && !lenient(call.key(Dialect::Messages)) {
        return Err(Refusal::new(404, "not_found_error", format!("model: {model}")));
    }
    Ok(())
}

/// The token count of a request.
pub(crate) fn count(_world: &World, _call: &Call, body: &Value) -> Result<Value, Refusal> {
    Ok(json!({"input_tokens": read(body).prompt_tokens()}))
}
