//! Checks of a Chat Completions request, in the vendor's words.

mod messages;
mod options;

use super::fields;
use crate::{call::Call, openai, refusal::Refusal, shape, vendor::lenient};
use byok_types::Dialect;
use serde_json::Value;

type Checked = Result<(), Refusal>;

/// Refuses what the vendor refuses.
pub(crate) fn validate(call: &Call, body: &Value) -> Checked {
    let key = call.key(Dialect::Chat);
    shape::check(&fields::COMPLETION, body, lenient(key)).map_err(|problem| openai::worded(&problem))?;
    let model = openai::model(body["model"].as_str().unwrap_or_default(), key)?;
    options::check(body, model)?;
    options::tools(body)?;
    options::format(body)?;
    messages::check(body["messages"].as_array().map_or(&[], Vec::as_slice))
}
