//! The model, and the options that depend on it.

use super::words::{above, bad, listed, unsupported};
use crate::{
    models::{self, Abilities, Maker, SimModel},
    refusal::Refusal,
    vendor::lenient,
};
use serde_json::Value;

/// The reasoning efforts of a model; `None` for an unknown model of a lenient key, which takes anything.
pub(crate) type Efforts = Option<&'static [&'static str]>;

/// The model of a request.
pub(crate) fn model(id: &str, key: &str) -> Result<Option<&'static SimModel>, Refusal> {
    match models::find(Maker::Openai, id) {
        Some(model) => Ok(Some(model)),
        None if lenient(key) => Ok(None),
        None => Err(Refusal::new(
            404,
            "invalid_request_error",
            format!("The model `{id}` does not exist or you do not have access to it."),
        )
        .param("model")
        .code("model_not_found")),
    }
}

/// What efforts a model takes.
pub(crate) fn efforts(model: Option<&SimModel>) -> Efforts {
    match model?.abilities {
        Abilities::Openai(abilities) => Some(abilities.efforts),
        Abilities::Anthropic(_) | Abilities::Google(_) => None,
    }
}

/// Sampling fields: refused by models that reason, unless they were told not to.
pub(crate) fn sampling(body: &Value, efforts: Efforts, effort: (&str, Option<&str>)) -> Result<(), Refusal> {
    let (param, wanted) = effort;
    for name in ["temperature", "top_p"] {
        let most = if name == "temperature" { 2.0 } else { 1.0 };
        if let Some(value) = body[name].as_f64().filter(|value| *value > most) {
            return Err(above(name, most, value));
        }
    }
    let Some(efforts) = efforts else { return Ok(()) };
    if let Some(wanted) = wanted {
        if efforts.is_empty() {
            return Err(unsupported(param, ""));
        }
        if !efforts.contains(&wanted) {
            let quoted: Vec<String> = efforts.iter().map(|level| format!("'{level}'")).collect();
            let message = format!(
                "Unsupported value: '{param}' does not support '{wanted}' with this model. Supported values are: {}.",
                listed(&quoted, "")
            );
            return Err(bad(param, "unsupported_value", message));
        }
    }
    if efforts.is_empty() || wanted == Some("none") {
        return Ok(());
    }
    for (name, default) in
        [("temperature", 1.0), ("top_p", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)]
    {
        if let Some(value) = body[name].as_f64().filter(|value| (value - default).abs() > f64::EPSILON) {
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. Only the default ({default}) value is supported."
            );
            return Err(bad(name, "unsupported_value", message));
        }
    }
    match ["logit_bias", "top_logprobs", "logprobs"].into_iter().find(|name| asks(&body[*name])) {
        Some(name) => Err(unsupported(name, "")),
        None => Ok(()),
    }
}

fn asks(value: &Value) -> bool {
    !(value.is_null()
        || *value == false
        || *value == 0
        || value.as_object().is_some_and(serde_json::Map::is_empty))
}

/// The field that caps the output, and the least it may say.
pub(crate) struct Limits {
    pub(crate) param: &'static str,
    pub(crate) least: u64,
}

/// The cap of the output.
pub(crate) fn limits(body: &Value, model: Option<&SimModel>, limits: &Limits) -> Result<(), Refusal> {
    let param = limits.param;
    let Some(wanted) = body[param].as_i64() else { return Ok(()) };
    let least = limits.least;
    let Some(wanted) = u64::try_from(wanted).ok().filter(|wanted| *wanted >= least) else {
        let message = format!(
            "Invalid '{param}': integer below minimum value. Expected a value >= {least}, but got {wanted} instead."
        );
        return Err(bad(param, "integer_below_min_value", message));
    };
    match model.map(|model| model.max_output).filter(|most| wanted > *most) {
        Some(most) => Err(bad(
            param,
            "invalid_value",
            format!(
                "{param} is too large: {wanted}. This model supports at most {most} completion tokens, whereas you provided {wanted}."
            ),
        )),
        None => Ok(()),
    }
}
