//! Limits, sampling, tools and output format.

use super::Checked;
use crate::{
    models::SimModel,
    openai::{self, Limits},
};
use serde_json::Value;

pub(super) fn check(body: &Value, model: Option<&SimModel>) -> Checked {
    if body["stream_options"].is_object() && body["stream"] != true {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(openai::invalid("stream_options", message));
    }
    let efforts = openai::efforts(model);
    // The models of xAI take sampling fields although they reason.
    let grok = model.is_some_and(|model| model.id.starts_with("grok-"));
    let strict = if grok { None } else { efforts };
    openai::sampling(body, strict, ("reasoning.effort", body["reasoning"]["effort"].as_str()))?;
    let plain = efforts.is_some_and(<[&str]>::is_empty);
    if plain && body["reasoning"]["summary"].is_string() {
        return Err(openai::unsupported("reasoning.summary", ""));
    }
    openai::limits(body, model, &Limits { param: "max_output_tokens", least: 16 })?;
    let sources = ["input", "previous_response_id", "prompt", "conversation", "instructions"];
    if sources.into_iter().all(|name| body[name].is_null()) {
        let message =
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.";
        return Err(openai::bad("input", "missing_required_parameter", message));
    }
    if !body["previous_response_id"].is_null() && !body["conversation"].is_null() {
        let message = "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.";
        return Err(openai::bad("previous_response_id", "mutually_exclusive_parameters", message));
    }
    Ok(())
}

/// Declared tools, namespaces included.
pub(super) fn tools(body: &Value) -> Checked {
    let tools: &[Value] = body["tools"].as_array().map_or(&[], Vec::as_slice);
    for (at, tool) in tools.iter().enumerate() {
        one(tool, &format!("tools[{at}]"))?;
    }
    for (at, item) in body["input"].as_array().into_iter().flatten().enumerate() {
        for (number, tool) in item["tools"].as_array().into_iter().flatten().enumerate() {
            if item["type"] == "additional_tools" {
                one(tool, &format!("input[{at}].tools[{number}]"))?;
            }
        }
    }
    let choice = &body["tool_choice"];
    if tools.is_empty() && !matches!(choice.as_str(), None | Some("auto" | "none")) {
        let message =
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
        return Err(openai::invalid("tool_choice", message));
    }
    let Some(kind) = choice["type"].as_str().filter(|kind| ["function", "custom"].contains(kind)) else {
        return Ok(());
    };
    if declared(tools, kind, &choice["name"]) { Ok(()) } else { Err(openai::not_found_tool(kind)) }
}

fn declared(tools: &[Value], kind: &str, name: &Value) -> bool {
    tools.iter().any(|tool| {
        (tool["type"] == kind && tool["name"] == *name)
            || tool["tools"].as_array().is_some_and(|inner| declared(inner, kind, name))
    })
}

fn one(tool: &Value, place: &str) -> Checked {
    let name = tool["name"].as_str().unwrap_or_default();
    match tool["type"].as_str() {
        Some("namespace") => {
            openai::name(name, &format!("{place}.name"))?;
            for (at, inner) in tool["tools"].as_array().into_iter().flatten().enumerate() {
                one(inner, &format!("{place}.tools[{at}]"))?;
            }
            Ok(())
        }
        Some("custom") => openai::name(name, &format!("{place}.name")),
        Some("function") => {
            openai::name(name, &format!("{place}.name"))?;
            let param = format!("{place}.parameters");
            let Some(schema) = tool.get("parameters").filter(|schema| !schema.is_null()) else {
                return Ok(());
            };
            openai::function(schema, name, &param)?;
            // Functions are strict unless they say that they are not.
            if tool["strict"] == false { Ok(()) } else { openai::strict(schema, name, &param) }
        }
        _ => Ok(()),
    }
}

pub(super) fn format(body: &Value) -> Checked {
    let format = &body["text"]["format"];
    match format["type"].as_str() {
        Some("json_schema") => openai::structured(format, "text.format"),
        Some("json_object") if !body["input"].to_string().to_lowercase().contains("json") => {
            let message = "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.";
            Err(openai::invalid("input", message))
        }
        _ => Ok(()),
    }
}
