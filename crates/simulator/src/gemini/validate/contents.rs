//! The order of contents and what their parts may hold.

mod signatures;

use super::{Checked, Checks, words::bad};
use crate::{gemini::fields::DATA, seal::decode_any};
use serde_json::Value;

const COUNT: &str = "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.";
const CALL_TURN: &str = "Please ensure that function call turn comes immediately after a user turn or after a function response turn.";
const RESPONSE_TURN: &str =
    "Please ensure that function response turn comes immediately after a function call turn.";

pub(super) fn check(checks: &Checks<'_>) -> Checked {
    let contents: &[Value] = checks.body["contents"].as_array().map_or(&[], Vec::as_slice);
    if contents.is_empty() {
        return Err(bad("* GenerateContentRequest.contents: contents is not specified\n"));
    }
    system(&checks.body["systemInstruction"])?;
    for (at, content) in contents.iter().enumerate() {
        let place = format!("contents[{at}]");
        match role(content) {
            "user" | "model" | "function" => {}
            _ => return Err(bad("Please use a valid role: user, model.")),
        }
        if parts(content).is_empty() {
            return Err(bad(format!(
                "* GenerateContentRequest.{place}.parts: contents.parts must not be empty.\n"
            )));
        }
        for (number, part) in parts(content).iter().enumerate() {
            // An opening turn that says nothing is how clients begin a history in which the model spoke first.
            let opening = at == 0 && number == 0 && contents.len() > 1;
            one(part, role(content), &format!("{place}.parts[{number}]"), opening)?;
        }
    }
    if role(&contents[0]) == "model" {
        return Err(bad(if calls(&contents[0]).next().is_some() {
            CALL_TURN
        } else {
            "Please ensure that multiturn requests begin with a user turn."
        }));
    }
    turns(contents)?;
    signatures::check(checks, contents)
}

fn role(content: &Value) -> &str {
    content["role"].as_str().unwrap_or("user")
}

fn parts(content: &Value) -> &[Value] {
    content["parts"].as_array().map_or(&[], Vec::as_slice)
}

fn calls(content: &Value) -> impl Iterator<Item = &Value> {
    parts(content).iter().filter_map(|part| part.get("functionCall"))
}

fn responses(content: &Value) -> impl Iterator<Item = &Value> {
    parts(content).iter().filter_map(|part| part.get("functionResponse"))
}

fn system(system: &Value) -> Checked {
    match parts(system).iter().position(|part| !part["text"].is_string()) {
        Some(at) => Err(bad(format!(
            "* GenerateContentRequest.system_instruction.parts[{at}]: only text is supported in system instructions.\n"
        ))),
        None => Ok(()),
    }
}

fn one(part: &Value, role: &str, place: &str, opening: bool) -> Checked {
    let mut data = DATA.iter().filter(|name| part.get(**name).is_some());
    let (first, second) = (data.next(), data.next());
    if let Some(second) = second {
        return Err(bad(format!(
            "Invalid value at '{place}' (oneof), oneof field 'data' is already set. Cannot set '{second}'"
        )));
    }
    let silent = part["text"] == "" && part.get("thoughtSignature").is_none() && !opening;
    if first.is_none() || silent {
        return Err(bad(format!(
            "* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field\n"
        )));
    }
    if role == "model" && part.get("functionResponse").is_some() {
        return Err(bad(RESPONSE_TURN));
    }
    if role != "model" && part.get("functionCall").is_some() {
        return Err(bad(CALL_TURN));
    }
    for (member, field) in [("functionCall", "function_call"), ("functionResponse", "function_response")] {
        if part[member]["name"] == "" {
            return Err(bad(format!(
                "* GenerateContentRequest.{place}.{field}.name: Name cannot be empty.\n"
            )));
        }
    }
    let inline = part["functionResponse"]["parts"].as_array().into_iter().flatten().chain([part]);
    for blob in inline.filter_map(|part| part.get("inlineData")) {
        if blob["mimeType"] == "" {
            return Err(bad(format!(
                "Unable to submit request because it has an empty mimeType parameter at '{place}'."
            )));
        }
        if blob["data"].as_str().and_then(decode_any).is_none() {
            return Err(bad(format!(
                "Invalid value at '{place}.inline_data.data' (TYPE_BYTES), Base64 decoding failed"
            )));
        }
    }
    Ok(())
}

/// As many responses follow the calls, for the same functions. Model contents that follow each other count as one turn.
fn turns(contents: &[Value]) -> Checked {
    let mut open: Vec<&Value> = Vec::new();
    for (at, content) in contents.iter().enumerate() {
        if role(content) != "model" {
            if responses(content).next().is_some() && open.is_empty() {
                return Err(bad(RESPONSE_TURN));
            }
            open.clear();
            continue;
        }
        open.extend(calls(content));
        let next = contents.get(at + 1);
        if open.is_empty() || next.is_some_and(|next| role(next) == "model") {
            continue;
        }
        answered(&open, next.ok_or_else(|| bad(COUNT))?)?;
    }
    Ok(())
}

fn answered(calls: &[&Value], next: &Value) -> Checked {
    if calls.len() != responses(next).count() {
        return Err(bad(COUNT));
    }
    let mut open: Vec<(&Value, &Value)> = calls.iter().map(|call| (&call["name"], &call["id"])).collect();
    for response in responses(next) {
        let matches = |(name, id): &(&Value, &Value)| {
            **name == response["name"] && (response["id"].is_null() || id.is_null() || **id == response["id"])
        };
        let Some(at) = open.iter().position(matches) else {
            return Err(bad(format!(
                "Please ensure that function response parts match the function call parts of the function call turn: no call of {} is open.",
                response["name"]
            )));
        };
        open.remove(at);
    }
    Ok(())
}
