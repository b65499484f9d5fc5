//! Checks of a Chat Completions request.

use crate::{
    call::Call,
    models::{self, Maker},
    refusal::Refusal,
    vendor::lenient,
};
use byok_types::Dialect;
use serde_json::Value;

/// Refuses what the vendor refuses.
pub(crate) fn validate(call: &Call, body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    if models::find(Maker::Openai, model).is_none() && !lenient(call.key(Dialect::Chat)) {
        return Err(Refusal::new(
            404,
            "invalid_request_error",
            format!("The model `{model}` does not exist or you do not have access to it."),
        )
        .code("model_not_found"));
    }
    Ok(())
}
