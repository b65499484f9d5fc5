//! Limits, sampling, tools and output format.

use super::Checked;
use crate::{
    models::SimModel,
    openai::{self, Limits},
};
use serde_json::Value;

/// Most stop sequences.
const STOPS: usize = 4;

pub(super) fn check(body: &Value, model: Option<&SimModel>) -> Checked {
    if body["stream_options"].is_object() && body["stream"] != true {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(openai::invalid("stream_options", message));
    }
    let efforts = openai::efforts(model);
    let both = body["max_tokens"].is_i64() && body["max_completion_tokens"].is_i64();
    if both {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(openai::bad("max_tokens", "invalid_parameter_combination", message));
    }
    if efforts.is_some_and(|efforts| !efforts.is_empty()) && !body["max_tokens"].is_null() {
        return Err(openai::unsupported("max_tokens", "max_completion_tokens"));
    }
    for param in ["max_tokens", "max_completion_tokens"] {
        openai::limits(body, model, &Limits { param, least: 1 })?;
    }
    openai::sampling(body, efforts, ("reasoning_effort", body["reasoning_effort"].as_str()))?;
    counts(body)
}

fn counts(body: &Value) -> Checked {
    if let Some(stops) = body["stop"].as_array().filter(|stops| stops.len() > STOPS) {
        return Err(openai::too_many("stop", STOPS, stops.len()));
    }
    for (name, most) in [("n", 128), ("top_logprobs", 20)] {
        let Some(value) = body[name].as_i64() else { continue };
        if value > most {
            let message = format!(
                "Invalid '{name}': integer above maximum value. Expected a value <= {most}, but got {value} instead."
            );
            return Err(openai::bad(name, "integer_above_max_value", message));
        }
        if value < i64::from(name == "n") {
            let message = format!("Invalid '{name}': integer below minimum value, got {value}.");
            return Err(openai::bad(name, "integer_below_min_value", message));
        }
    }
    if body["top_logprobs"].is_i64() && body["logprobs"] != true {
        let message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
        return Err(openai::invalid("top_logprobs", message));
    }
    match body["metadata"].as_object() {
        Some(metadata) if metadata.len() > 16 => {
            let message = format!(
                "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with {} properties instead.",
                metadata.len()
            );
            Err(openai::bad("metadata", "object_above_max_properties", message))
        }
        _ => Ok(()),
    }
}

pub(super) fn tools(body: &Value) -> Checked {
    let Some(tools) = body["tools"].as_array() else {
        let alone = ["tool_choice", "parallel_tool_calls"].into_iter().find(|name| body.get(*name).is_some());
        return alone.map_or(Ok(()), |name| {
            let message =
                format!("Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.");
            Err(openai::invalid(name, message))
        });
    };
    if tools.is_empty() {
        return Err(openai::empty_list("tools"));
    }
    for (at, tool) in tools.iter().enumerate() {
        let kind = tool["type"].as_str().unwrap_or_default();
        let inner = &tool[kind];
        let name = inner["name"].as_str().unwrap_or_default();
        openai::name(name, &format!("tools[{at}].{kind}.name"))?;
        if let Some(schema) = inner.get("parameters") {
            let param = format!("tools[{at}].function.parameters");
            openai::function(schema, name, &param)?;
            if inner["strict"] == true {
                openai::strict(schema, name, &param)?;
            }
        }
    }
    choice(&body["tool_choice"], tools)
}

fn choice(choice: &Value, tools: &[Value]) -> Checked {
    let Some(kind) = choice["type"].as_str().filter(|kind| *kind != "allowed_tools") else { return Ok(()) };
    let wanted = &choice[kind]["name"];
    if tools.iter().any(|tool| tool["type"] == kind && tool[kind]["name"] == *wanted) {
        return Ok(());
    }
    Err(openai::not_found_tool(kind))
}

pub(super) fn format(body: &Value) -> Checked {
    let format = &body["response_format"];
    match format["type"].as_str() {
        Some("json_schema") => openai::structured(&format["json_schema"], "response_format.json_schema"),
        Some("json_object") if !body["messages"].to_string().to_lowercase().contains("json") => {
            let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
            Err(openai::invalid("messages", message))
        }
        _ => Ok(()),
    }
}
