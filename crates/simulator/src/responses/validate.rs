//! Checks of a Responses request, in the vendor's words.

mod items;
mod options;

use super::{fields, read::read};
use crate::{
    call::Call,
    openai,
    refusal::Refusal,
    shape::{self, Shape},
    vendor::lenient,
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

type Checked = Result<(), Refusal>;

/// Refuses what the vendor refuses.
pub(crate) fn validate(world: &World, call: &Call, body: &Value) -> Checked {
    check(world, call, body, &fields::RESPONSE)
}

/// The token count of a request.
pub(crate) fn count(world: &World, call: &Call, body: &Value) -> Result<Value, Refusal> {
    check(world, call, body, &fields::COUNT)?;
    Ok(json!({"object": "response.input_tokens", "input_tokens": read(world, body).prompt_tokens()}))
}

fn check(world: &World, call: &Call, body: &Value, shape: &Shape) -> Checked {
    let key = call.key(Dialect::Responses);
    shape::check(shape, body, lenient(key)).map_err(|problem| openai::worded(&problem))?;
    let Some(id) = body["model"].as_str() else {
        return Err(openai::bad(
            "model",
            "missing_required_parameter",
            "Missing required parameter: 'model'.",
        ));
    };
    let model = openai::model(id, key)?;
    options::check(body, model)?;
    options::tools(body)?;
    options::format(body)?;
    items::check(world, key, body)
}
