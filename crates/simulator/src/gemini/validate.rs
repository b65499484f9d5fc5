//! Checks of a Gemini request, in the vendor's words.

mod config;
mod contents;
mod schemas;
mod tools;
mod words;

use super::{access::unknown_model, fields, read::read};
use crate::{
    call::Call,
    models::{self, Abilities, GoogleAbilities, Maker, SimModel},
    refusal::Refusal,
    shape,
    vendor::{Target, lenient},
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

type Checked = Result<(), Refusal>;

/// A request with what its checks look at.
struct Checks<'a> {
    world: &'a World,
    body: &'a Value,
    model: &'a SimModel,
    abilities: GoogleAbilities,
}

/// Refuses what the vendor refuses.
pub(crate) fn validate(world: &World, call: &Call, body: &Value, target: &Target) -> Checked {
    let lenient = lenient(call.key(Dialect::Gemini));
    let id = target.model.as_deref().unwrap_or_default();
    shape::check(&fields::GENERATE, body, lenient).map_err(|problem| words::worded(&problem))?;
    check(world, body, id, lenient)
}

fn check(world: &World, body: &Value, id: &str, lenient: bool) -> Checked {
    let permissive = || lenient.then_some(&models::PERMISSIVE_GOOGLE);
    let found = models::find(Maker::Google, id).or_else(permissive);
    let Some((model, Abilities::Google(abilities))) = found.map(|model| (model, model.abilities)) else {
        return Err(unknown_model(id));
    };
    if let Some(named) = body["model"].as_str()
        && named.trim_start_matches("models/") != id
    {
        return Err(words::bad(format!(
            "Model name in the URL and in the body must match: {id} and {named}."
        )));
    }
    let checks = Checks { world, body, model, abilities };
    config::check(&checks)?;
    tools::check(&checks)?;
    contents::check(&checks)
}

/// The token count of a request.
pub(crate) fn count(world: &World, call: &Call, body: &Value, model: &str) -> Result<Value, Refusal> {
    let lenient = lenient(call.key(Dialect::Gemini));
    shape::check(&fields::COUNT, body, lenient).map_err(|problem| words::worded(&problem))?;
    let inner = match body.get("generateContentRequest") {
        Some(_) if body.get("contents").is_some() => {
            return Err(words::bad("contents and generate_content_request are mutually exclusive."));
        }
        Some(inner) if !inner["model"].is_string() => {
            return Err(words::bad(
                "* CountTokensRequest.generate_content_request.model: model is not specified\n",
            ));
        }
        Some(inner) => inner,
        None => body,
    };
    check(world, inner, model, lenient)?;
    Ok(json!({
        "totalTokens": read(inner, &Target::default()).prompt_tokens(),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": read(inner, &Target::default()).prompt_tokens()}],
    }))
}
