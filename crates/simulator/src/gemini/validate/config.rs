//! `generationConfig`.

use super::{Checked, Checks, schemas, words::bad};
use crate::models::GoogleThinking;
use serde_json::Value;

/// Most stop sequences.
const STOPS: usize = 5;
/// Most candidates.
const CANDIDATES: i64 = 8;

pub(super) fn check(checks: &Checks<'_>) -> Checked {
    let config = &checks.body["generationConfig"];
    if config["temperature"].as_f64().is_some_and(|value| !(0.0..=2.0).contains(&value)) {
        return Err(bad(
            "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n",
        ));
    }
    if config["stopSequences"].as_array().is_some_and(|stops| stops.len() > STOPS) {
        return Err(bad(format!(
            "* GenerateContentRequest.generation_config.stop_sequences: The number of stop sequences must be at most {STOPS}.\n"
        )));
    }
    if config["candidateCount"].as_i64().is_some_and(|count| !(1..=CANDIDATES).contains(&count)) {
        return Err(bad(format!("candidateCount must be in the range [1, {CANDIDATES}].")));
    }
    let most = checks.model.max_output;
    let range = |wanted: i64| u64::try_from(wanted).is_ok_and(|wanted| (1..=most).contains(&wanted));
    if let Some(wanted) = config["maxOutputTokens"].as_i64().filter(|wanted| !range(*wanted)) {
        return Err(bad(format!(
            "Unable to submit request because it has a maxOutputTokens value of {wanted} but the supported range is from 1 (inclusive) to {} (exclusive). Update the value and try again.",
            most.saturating_add(1)
        )));
    }
    format(config)?;
    thinking(checks, &config["thinkingConfig"])
}

fn format(config: &Value) -> Checked {
    let json = config["responseMimeType"] == "application/json";
    let schemas = ["responseSchema", "responseJsonSchema"].map(|name| config.get(name));
    if schemas.iter().flatten().count() == 2 {
        return Err(bad("Only one of response_schema and response_json_schema may be set."));
    }
    if schemas.iter().flatten().next().is_some() && !json && config["responseMimeType"] != "text/x.enum" {
        return Err(bad(
            "* GenerateContentRequest.generation_config.response_schema: only allowed when response_mime_type is application/json.\n",
        ));
    }
    match config.get("responseSchema") {
        Some(schema) => schemas::check(schema, "generation_config.response_schema", false),
        None => Ok(()),
    }
}

fn thinking(checks: &Checks<'_>, config: &Value) -> Checked {
    let (budget, level) = (config["thinkingBudget"].as_i64(), config["thinkingLevel"].as_str());
    if budget.is_some() && level.is_some() {
        return Err(bad("You can only set only one of thinking budget and thinking level."));
    }
    match (checks.abilities.thinking, budget, level) {
        (GoogleThinking::Budget { .. }, _, Some(_)) => {
            Err(bad("Thinking level is not supported for this model."))
        }
        (GoogleThinking::Budget { least, most, zero }, Some(budget), _) => match budget {
            -1 => Ok(()),
            0 if zero => Ok(()),
            0 => Err(bad("Budget 0 is invalid. This model only works in thinking mode.")),
            budget if (least..=most).contains(&budget) => Ok(()),
            budget => Err(bad(format!(
                "The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."
            ))),
        },
        (GoogleThinking::Level(levels), _, Some(level)) => {
            let wanted = level.to_ascii_uppercase();
            if wanted == "THINKING_LEVEL_UNSPECIFIED" || levels.contains(&wanted.as_str()) {
                return Ok(());
            }
            Err(bad(format!(
                "Thinking level {wanted} is not supported for this model. Please retry with other thinking level."
            )))
        }
        _ => Ok(()),
    }
}
