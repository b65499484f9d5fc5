//! Input items: their ids, their parts, and what belongs together.

use super::Checked;
use crate::{
    models::Maker,
    openai,
    refusal::Refusal,
    responses::{items::sealer, read::conversation},
    seal::{self, Seal},
    world::World,
};
use serde_json::Value;
use std::collections::HashSet;

/// Most characters of an id.
const LONGEST_ID: usize = 64;
/// How the ids of items begin.
const PREFIXES: [(&str, &str); 5] = [
    ("message", "msg"),
    ("reasoning", "rs"),
    ("function_call", "fc"),
    ("custom_tool_call", "ctc"),
    ("custom_tool_call_output", "ctco"),
];
/// Calls and the items that answer them.
const PAIRS: [(&str, &str, &str); 2] = [
    ("function_call", "function_call_output", "function call"),
    ("custom_tool_call", "custom_tool_call_output", "custom tool call"),
];

pub(super) fn check(world: &World, key: &str, body: &Value) -> Checked {
    let maker = sealer(body["model"].as_str().unwrap_or_default());
    if let Some(id) = body["previous_response_id"].as_str()
        && world.stored.items(id).is_none()
    {
        let message = format!("Previous response with id '{id}' not found.");
        return Err(openai::bad("previous_response_id", "previous_response_not_found", message));
    }
    let given: &[Value] = body["input"].as_array().map_or(&[], Vec::as_slice);
    let mut ids = HashSet::new();
    for (at, item) in given.iter().enumerate() {
        let place = format!("input[{at}]");
        ids_are_sound(item, &place, &mut ids)?;
        parts(item, &place)?;
        match kind(item) {
            "reasoning" => reasoning(world, (maker, key), item, &given[at + 1..])?,
            "compaction" => {
                let blob = item["encrypted_content"].as_str().unwrap_or_default();
                verified(&world.seal, (maker, key), item, blob)?;
            }
            "item_reference" => known(world, &item["id"])?,
            "function_call" | "custom_tool_call" => {
                openai::name(item["name"].as_str().unwrap_or_default(), &format!("{place}.name"))?;
            }
            _ => {}
        }
    }
    pairs(&conversation(world, body))
}

fn kind(item: &Value) -> &str {
    item["type"].as_str().unwrap_or("message")
}

fn ids_are_sound<'a>(item: &'a Value, place: &str, seen: &mut HashSet<&'a str>) -> Checked {
    for member in ["id", "call_id"] {
        let length = item[member].as_str().map_or(0, |id| id.chars().count());
        if length > LONGEST_ID {
            return Err(openai::too_long(&format!("{place}.{member}"), LONGEST_ID, length));
        }
    }
    let Some(id) = item["id"].as_str().filter(|_| kind(item) != "item_reference") else { return Ok(()) };
    if let Some((_, prefix)) = PREFIXES.iter().find(|(name, _)| *name == kind(item))
        && !id.starts_with(prefix)
    {
        let param = format!("{place}.id");
        let message = format!("Invalid '{param}': '{id}'. Expected an ID that begins with '{prefix}'.");
        return Err(openai::invalid(&param, message));
    }
    if !seen.insert(id) {
        let message = format!(
            "Duplicate item found with id {id}. Remove duplicate items from your input and try again."
        );
        return Err(Refusal::new(400, "invalid_request_error", message).param("input"));
    }
    Ok(())
}

/// Assistants write `output_text`, everybody else `input_text`.
fn parts(item: &Value, place: &str) -> Checked {
    let (member, allowed): (_, &[&str]) = match kind(item) {
        "message" if item["role"] == "assistant" => ("content", &["output_text", "refusal"]),
        "message" => ("content", &["input_text", "input_image", "input_file"]),
        "function_call_output" | "custom_tool_call_output" => {
            ("output", &["input_text", "input_image", "input_file"])
        }
        _ => return Ok(()),
    };
    for (number, part) in item[member].as_array().into_iter().flatten().enumerate() {
        let found = part["type"].as_str().unwrap_or_default();
        let place = format!("{place}.{member}[{number}]");
        if !allowed.contains(&found) {
            let quoted: Vec<String> = allowed.iter().map(|name| format!("'{name}'")).collect();
            let (last, rest) =
                quoted.split_last().map_or(("", &quoted[..]), |(last, rest)| (last.as_str(), rest));
            let comma = if rest.len() > 1 { "," } else { "" };
            let message = format!(
                "Invalid value: '{found}'. Supported values are: {}{comma} and {last}.",
                rest.join(", ")
            );
            return Err(openai::invalid(&place, message));
        }
        media(part, &place)?;
    }
    Ok(())
}

fn media(part: &Value, place: &str) -> Checked {
    let missing = |name: &str| {
        let param = format!("{place}.{name}");
        let message = format!("Missing required parameter: '{param}'.");
        Err(openai::bad(&param, "missing_required_parameter", message))
    };
    match part["type"].as_str() {
        Some("input_image") => match part["image_url"].as_str() {
            None if part["file_id"].is_string() => Ok(()),
            None => missing("image_url"),
            Some(url)
                if ["https://", "http://", "data:image/"].iter().any(|start| url.starts_with(start)) =>
            {
                Ok(())
            }
            Some(_) => {
                let param = format!("{place}.image_url");
                let message = format!(
                    "Invalid '{param}'. Expected a valid URL, but got a value with an invalid format."
                );
                Err(openai::invalid(&param, message))
            }
        },
        Some("input_file") => match part["file_data"].as_str() {
            None if part["file_id"].is_string() || part["file_url"].is_string() => Ok(()),
            None => missing("file_data"),
            Some(_) if !part["filename"].is_string() => missing("filename"),
            Some(data) if data.starts_with("data:") => Ok(()),
            Some(_) => {
                let param = format!("{place}.file_data");
                let message = format!(
                    "Invalid file data: '{param}'. Expected a base64-encoded data URL with a valid file MIME type (e.g. 'data:text/plain;base64,SGVsbG8sIFdvcmxkIQ==')."
                );
                Err(openai::invalid(&param, message))
            }
        },
        _ => Ok(()),
    }
}

/// The item must be stored here.
fn known(world: &World, id: &Value) -> Checked {
    let id = id.as_str().unwrap_or_default();
    if world.stored.has_item(id) {
        return Ok(());
    }
    Err(Refusal::new(
        404,
        "invalid_request_error",
        format!(
            "Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input."
        ),
    )
    .param("input"))
}

/// Reasoning comes back with the blob that was issued to this key for this item, or it was stored; and what it led to
/// stands behind it.
fn reasoning(world: &World, issued: (Maker, &str), item: &Value, rest: &[Value]) -> Checked {
    match item["encrypted_content"].as_str() {
        Some(blob) => verified(&world.seal, issued, item, blob)?,
        None => known(world, &item["id"])?,
    }
    let follows = rest.first().is_some_and(|next| match kind(next) {
        "message" => next["role"] == "assistant",
        "function_call_output" | "custom_tool_call_output" => false,
        _ => true,
    });
    if follows {
        return Ok(());
    }
    let id = item["id"].as_str().unwrap_or_default();
    let message =
        format!("Item '{id}' of type 'reasoning' was provided without its required following item.");
    Err(Refusal::new(400, "invalid_request_error", message).param("input"))
}

fn verified(seal: &Seal, (maker, key): (Maker, &str), item: &Value, blob: &str) -> Checked {
    let refuse = |reason: &str| {
        let shown: String = blob.chars().take(8).collect();
        let message = format!("The encrypted content {shown}... could not be verified. Reason: {reason}");
        Err(Refusal::new(400, "invalid_request_error", message).code("invalid_encrypted_content"))
    };
    let Some(opened) = seal.open(maker, blob) else {
        return refuse("Encrypted content could not be decrypted or parsed.");
    };
    if opened.bound != seal::tag(key) {
        return refuse("Encrypted content organization_id did not match the target organization.");
    }
    match item["id"].as_str() {
        Some(id) if opened.text != seal::tag(id) => {
            refuse("Encrypted content item_id did not match the target item id.")
        }
        _ => Ok(()),
    }
}

/// Every call has an output behind it, every output a call before it.
fn pairs(items: &[Value]) -> Checked {
    for (call, output, words) in PAIRS {
        let mut open = Vec::new();
        for item in items {
            let id = item["call_id"].as_str().unwrap_or_default();
            if kind(item) == call {
                open.push(id);
            } else if kind(item) == output {
                let Some(at) = open.iter().position(|open| *open == id) else {
                    let message = format!("No tool call found for {words} output with call_id {id}.");
                    return Err(Refusal::new(400, "invalid_request_error", message).param("input"));
                };
                open.remove(at);
            }
        }
        if let Some(id) = open.first() {
            let message = format!("No tool output found for {words} {id}.");
            return Err(Refusal::new(400, "invalid_request_error", message).param("input"));
        }
    }
    Ok(())
}
