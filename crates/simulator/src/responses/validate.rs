//! Checks of a Responses request.

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
    if models::find(Maker::Openai, model).is_none() && !lenient(call.key(Dialect::Responses)) {
        return Err(Refusal::new(
            404,
            "invalid_request_error",
            format!("The model `{model}` does not exist or you do not have access to it."),
        )
        .code("model_not_found"));
    }
    Ok(())
}

/// The token count of a request.
pub(crate) fn count(world: &World, _call: &Call, body: &Value) -> Result<Value, Refusal> {
    Ok(json!({"object": "response.input_tokens", "input_tokens": read(world, body).prompt_tokens()}))
}
