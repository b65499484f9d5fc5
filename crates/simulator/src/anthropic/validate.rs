//! Checks of a Messages request, in the vendor's words.

mod betas;
mod caching;
mod options;
mod schemas;
mod thinking;
mod tools;
mod turns;

use super::{
    access::{V2026, betas as betas_of},
    fields,
    read::read,
};
use crate::{
    call::Call,
    models::{self, Abilities, AnthropicAbilities, Maker, SimModel},
    refusal::Refusal,
    shape::{self, Problem, Shape, Wrong},
    vendor::lenient,
    world::World,
};
use byok_types::Dialect;
use serde_json::{Value, json};

type Checked = Result<(), Refusal>;

/// Largest body that the service takes.
const LARGEST: usize = 32 << 20;

/// A bad request.
fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid_request_error", message)
}

/// A request with what its checks look at.
struct Checks<'a> {
    world: &'a World,
    call: &'a Call,
    body: &'a Value,
    model: &'a SimModel,
    abilities: AnthropicAbilities,
    /// Whether the newer API version was asked for.
    newer: bool,
    betas: Vec<&'a str>,
    lenient: bool,
}

impl Checks<'_> {
    fn has_beta(&self, name: &str) -> bool {
        self.betas.contains(&name)
    }

    fn is_oauth(&self) -> bool {
        self.call.bearer().is_some_and(|token| token.starts_with("sk-ant-oat"))
    }

    fn turns(&self) -> &[Value] {
        self.body["messages"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Refuses what the vendor refuses.
pub(crate) fn validate(world: &World, call: &Call, body: &Value) -> Checked {
    let checks = begin(world, call, body, &fields::MESSAGE)?;
    options::limits(&checks)?;
    options::sampling(&checks)?;
    options::output(&checks)?;
    options::oauth_sentence(&checks)?;
    shared(&checks)
}

/// The token count of a request.
pub(crate) fn count(world: &World, call: &Call, body: &Value) -> Result<Value, Refusal> {
    let checks = begin(world, call, body, &fields::COUNT)?;
    shared(&checks)?;
    Ok(json!({"input_tokens": read(body).prompt_tokens()}))
}

/// What holds for messages and for counts.
fn shared(checks: &Checks<'_>) -> Checked {
    tools::check(checks)?;
    thinking::mode(checks)?;
    turns::check(checks)?;
    thinking::history(checks)?;
    caching::check(checks)
}

/// Betas, fields and model.
fn begin<'a>(
    world: &'a World,
    call: &'a Call,
    body: &'a Value,
    shape: &Shape,
) -> Result<Checks<'a>, Refusal> {
    if call.body.len() > LARGEST {
        return Err(Refusal::new(413, "request_too_large", "Request exceeds the maximum size"));
    }
    let lenient = lenient(call.key(Dialect::Messages));
    let betas: Vec<&str> = betas_of(call).collect();
    betas::known(&betas, lenient)?;
    shape::check(shape, body, lenient).map_err(|problem| worded(&problem))?;
    betas::features(body, &betas, lenient)?;
    let id = body["model"].as_str().unwrap_or_default();
    let permissive = || lenient.then_some(&models::PERMISSIVE_ANTHROPIC);
    let found = models::find(Maker::Anthropic, id).or_else(permissive);
    let not_found = || Refusal::new(404, "not_found_error", format!("model: {id}"));
    let model = found.ok_or_else(not_found)?;
    let Abilities::Anthropic(abilities) = model.abilities else { return Err(not_found()) };
    let newer = call.header("anthropic-version") == Some(V2026);
    Ok(Checks { world, call, body, model, abilities, newer, betas, lenient })
}

/// A problem of the fields, as the vendor words it.
fn worded(problem: &Problem) -> Refusal {
    let path = problem.dotted(true);
    bad(match &problem.wrong {
        Wrong::Unknown => format!("{path}: Extra inputs are not permitted"),
        Wrong::Missing => format!("{path}: Field required"),
        Wrong::Type(types) => {
            let wanted = match types.first().copied().unwrap_or_default() {
                "string" => "string",
                "boolean" => "boolean",
                "integer" => "integer",
                "number" => "number",
                "array" => "list",
                _ => "dictionary",
            };
            format!("{path}: Input should be a valid {wanted}")
        }
        Wrong::Value(allowed) => format!("{path}: Input should be {}", any_of(allowed)),
    })
}

/// `'a', 'b' or 'c'`.
fn any_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The blocks of a content; none for a string.
fn blocks(content: &Value) -> &[Value] {
    content.as_array().map_or(&[], Vec::as_slice)
}

fn kind(block: &Value) -> &str {
    block["type"].as_str().unwrap_or_default()
}
