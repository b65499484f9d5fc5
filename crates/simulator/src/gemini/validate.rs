//! Checks of a Gemini request.

use super::{access::unknown_model, read::read};
use crate::{
    call::Call,
    models::{self, Maker},
    refusal::Refusal,
    vendor::{Target, lenient},
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// Refuses what the vendor refuses.
pub(crate) fn validate(_world: &World, call: &Call, _body: &Value, target: &Target) -> Result<(), Refusal> {
    let model = target.model.as_deref().unwrap_or_default();
    if models::find(Maker::Google, model).is_none() && !lenient(call.key(Dialect::Gemini)) {
        return Err(unknown_model(model));
    }
    Ok(())
}

/// The token count of a request.
pub(crate) fn count(_world: &World, _call: &Call, body: &Value, _model: &str) -> Result<Value, Refusal> {
    let inner = body.get("generateContentRequest").unwrap_or(body);
    Ok(json!({"totalTokens": read(inner, &Target::default()).prompt_tokens()}))
}
