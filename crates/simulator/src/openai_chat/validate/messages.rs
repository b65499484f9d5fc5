//! The order of messages and what each may hold.

use super::Checked;
use crate::{openai, refusal::Refusal};
use serde_json::Value;

pub(super) fn check(messages: &[Value]) -> Checked {
    if messages.is_empty() {
        return Err(openai::empty_list("messages"));
    }
    let mut at = 0;
    while let Some(message) = messages.get(at) {
        one(at, message)?;
        at += 1;
        let calls: Vec<&str> = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|call| call["id"].as_str())
            .collect();
        if calls.is_empty() {
            continue;
        }
        at = answered(messages, at, calls)?;
    }
    Ok(())
}

/// The tool messages from `at` answer all calls, in any order. Returns where they end.
fn answered(messages: &[Value], mut at: usize, mut calls: Vec<&str>) -> Result<usize, Refusal> {
    while let Some(message) = messages.get(at).filter(|message| message["role"] == "tool") {
        let id = message["tool_call_id"].as_str().unwrap_or_default();
        let Some(position) = calls.iter().position(|call| *call == id) else {
            let message = format!(
                "Invalid parameter: 'tool_call_id' of '{id}' not found in 'tool_calls' of previous message."
            );
            return Err(openai::invalid(&format!("messages.[{at}].tool_call_id"), message));
        };
        calls.swap_remove(position);
        at += 1;
    }
    if calls.is_empty() {
        return Ok(at);
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        calls.join(", ")
    );
    Err(openai::invalid(&format!("messages.[{at}].role"), message))
}

fn one(at: usize, message: &Value) -> Checked {
    match message["role"].as_str() {
        Some("tool") => {
            let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
            return Err(openai::invalid(&format!("messages.[{at}].role"), message));
        }
        Some("assistant") => assistant(at, message)?,
        _ => {}
    }
    if let Some(name) = message["name"].as_str() {
        let legal = |c: char| !(c.is_whitespace() || "<|\\/>".contains(c));
        if name.is_empty() || !name.chars().all(legal) {
            return Err(openai::pattern(&format!("messages[{at}].name"), "^[^\\s<|\\\\/>]+$"));
        }
    }
    for (number, part) in message["content"].as_array().into_iter().flatten().enumerate() {
        let place = format!("messages[{at}].content[{number}]");
        match part["type"].as_str() {
            Some("image_url") => {
                let url = part["image_url"]["url"].as_str().unwrap_or_default();
                if !["https://", "http://", "data:image/"].iter().any(|start| url.starts_with(start)) {
                    let param = format!("{place}.image_url.url");
                    let message = format!(
                        "Invalid '{param}'. Expected a valid URL, but got a value with an invalid format."
                    );
                    return Err(openai::bad(&param, "invalid_image_url", message));
                }
            }
            Some("file") => file(&part["file"], &place)?,
            _ => {}
        }
    }
    Ok(())
}

fn assistant(at: usize, message: &Value) -> Checked {
    let calls = message["tool_calls"].as_array();
    if calls.is_some_and(Vec::is_empty) {
        return Err(openai::empty_list(&format!("messages[{at}].tool_calls")));
    }
    let says =
        ["content", "refusal", "function_call", "audio"].into_iter().any(|member| !message[member].is_null());
    if calls.is_none() && !says {
        let param = format!("messages.[{at}].content");
        return Err(openai::invalid(&param, "Invalid value for 'content': expected a string, got null."));
    }
    for (number, call) in calls.into_iter().flatten().enumerate() {
        let kind = call["type"].as_str().unwrap_or_default();
        let name = call[kind]["name"].as_str().unwrap_or_default();
        openai::name(name, &format!("messages[{at}].tool_calls[{number}].{kind}.name"))?;
    }
    Ok(())
}

/// Data as a `data:` URL with a name, or an id.
fn file(file: &Value, place: &str) -> Checked {
    let Some(data) = file["file_data"].as_str() else {
        return if file["file_id"].is_string() {
            Ok(())
        } else {
            let param = format!("{place}.file.file_id");
            let message = format!("Missing required parameter: '{param}'.");
            Err(openai::bad(&param, "missing_required_parameter", message))
        };
    };
    if !data.starts_with("data:") {
        let param = format!("{place}.file.file_data");
        let message = format!(
            "Invalid '{param}'. Expected a base64-encoded data URL, but got a value without the 'data:' prefix."
        );
        return Err(openai::invalid(&param, message));
    }
    if file["filename"].is_string() {
        return Ok(());
    }
    let param = format!("{place}.file.filename");
    Err(openai::bad(&param, "missing_required_parameter", format!("Missing required parameter: '{param}'.")))
}
