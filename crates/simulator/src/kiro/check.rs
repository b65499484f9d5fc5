//! The rules of a request. Most breaches get the same words, as they do at the vendor.

use super::{
    Denied,
    account::{MODELS, field_of},
    tokens::Owner,
};
use serde_json::{Map, Value};
use std::collections::HashSet;

type Checked<T> = Result<T, Denied>;

fn invalid(message: &str, reason: &'static str) -> Denied {
    Denied::new(400, "Validation", message, Some(reason))
}

/// Exactly these members; those with a `?` may be missing.
fn members<'v>(value: &'v Value, names: &[&str]) -> Checked<&'v Map<String, Value>> {
    let object = value.as_object().ok_or_else(Denied::malformed)?;
    let known = |name: &String| names.iter().any(|known| known.trim_end_matches('?') == name);
    let missing = names.iter().any(|name| !name.ends_with('?') && !object.contains_key(*name));
    if missing || !object.keys().all(known) { Err(Denied::malformed()) } else { Ok(object) }
}

fn rule(holds: bool) -> Checked<()> {
    if holds { Ok(()) } else { Err(Denied::malformed()) }
}

/// Checks a body. `owner`: who asks, if not a key.
pub(super) fn check(body: &Value, owner: Option<&Owner>) -> Checked<()> {
    members(body, &["conversationState", "profileArn?", "agentMode?", "additionalModelRequestFields?"])?;
    nothing_empty(body, true)?;
    match (owner, body["profileArn"].as_str()) {
        (Some(_), None) => {
            return Err(Denied::new(400, "Validation", "profileArn is required for this request.", None));
        }
        (Some(owner), Some(arn)) if arn != owner.profile() => return Err(Denied::bearer()),
        (None, Some(_)) => return Err(Denied::malformed()),
        _ => {}
    }
    let state = &body["conversationState"];
    members(
        state,
        &[
            "conversationId",
            "chatTriggerType",
            "agentTaskType?",
            "agentContinuationId?",
            "workspaceId?",
            "history?",
            "currentMessage",
        ],
    )?;
    rule(
        is_uuid(&state["conversationId"])
            && (state["agentContinuationId"].is_null() || is_uuid(&state["agentContinuationId"])),
    )?;
    rule(matches!(state["chatTriggerType"].as_str(), Some("MANUAL" | "DIAGNOSTIC" | "INLINE_CHAT")))?;
    rule(matches!(state["agentTaskType"].as_str(), None | Some("vibe" | "spectask")))?;
    let origin = if owner.is_some() { "AI_EDITOR" } else { "KIRO_CLI" };
    let current = message(&state["currentMessage"], "userInputMessage")?;
    user(current, origin)?;
    let model = current["modelId"].as_str().unwrap_or_default();
    let (_, context, efforts) = MODELS.iter().find(|(id, ..)| *id == model).ok_or_else(|| {
        invalid("Invalid model. Please select a different model to continue.", "INVALID_MODEL_ID")
    })?;
    effort(&body["additionalModelRequestFields"], model, efforts)?;
    history(state, current, origin)?;
    if body.to_string().len() as u64 / 4 > *context {
        return Err(invalid("Input is too long.", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"));
    }
    Ok(())
}

/// No nulls and no empty lists; inside schemas and inputs both are the caller's.
#[expect(clippy::only_used_in_recursion, reason = "the outermost object may be empty")]
fn nothing_empty(value: &Value, outer: bool) -> Checked<()> {
    match value {
        Value::Null => Err(Denied::malformed()),
        Value::Array(list) => {
            rule(!list.is_empty())?;
            list.iter().try_for_each(|item| nothing_empty(item, outer))
        }
        Value::Object(object) => object
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "inputSchema" | "input"))
            .try_for_each(|(_, item)| nothing_empty(item, outer)),
        _ => Ok(()),
    }
}

fn is_uuid(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 36
            && text
                .char_indices()
                .all(|(at, c)| if [8, 13, 18, 23].contains(&at) { c == '-' } else { c.is_ascii_hexdigit() })
    })
}

fn message<'v>(entry: &'v Value, kind: &str) -> Checked<&'v Value> {
    members(entry, &[kind])?;
    Ok(&entry[kind])
}

fn effort(fields: &Value, model: &str, efforts: &[&str]) -> Checked<()> {
    if fields.is_null() {
        return Ok(());
    }
    let field = field_of(model);
    members(fields, &[field])?;
    members(&fields[field], &["effort"])?;
    let known = fields[field]["effort"].as_str().is_some_and(|effort| efforts.contains(&effort));
    if known { Ok(()) } else { Err(invalid("Request body invalid.", "REQUEST_BODY_INVALID")) }
}

fn user(user: &Value, origin: &str) -> Checked<()> {
    members(user, &["content", "modelId", "origin", "images?", "userInputMessageContext?"])?;
    rule(user["origin"] == origin && user["content"].is_string() && user["modelId"].is_string())?;
    let context = &user["userInputMessageContext"];
    if !context.is_null() {
        let object = members(context, &["tools?", "toolResults?"])?;
        rule(!object.is_empty())?;
    }
    rule(user["content"] != "" || !context["toolResults"].is_null())?;
    for image in list(&user["images"]) {
        members(image, &["format", "source"])?;
        members(&image["source"], &["bytes"])?;
        let bytes = image["source"]["bytes"].as_str().and_then(crate::seal::decode_any).unwrap_or_default();
        let (format, is) = (image["format"].as_str().unwrap_or_default(), format_of(&bytes));
        if !["png", "jpeg", "gif", "webp"].contains(&format) {
            return Err(invalid("The image format is not supported.", "IMAGE_FORMAT_UNSUPPORTED"));
        }
        if is.is_some_and(|is| is != format) {
            return Err(invalid("The image is of another type than stated.", "IMAGE_MIME_MISMATCH"));
        }
    }
    for result in list(&context["toolResults"]) {
        members(result, &["toolUseId", "content", "status", "toolName?"])?;
        rule(matches!(result["status"].as_str(), Some("success" | "error")))?;
        for part in list(&result["content"]) {
            rule(
                part["text"].is_string() != part["json"].is_object()
                    && part.as_object().is_some_and(|part| part.len() == 1),
            )?;
        }
    }
    list(&context["tools"]).iter().try_for_each(tool)
}

fn format_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xff, 0xd8, ..] => Some("jpeg"),
        [b'G', b'I', b'F', ..] => Some("gif"),
        _ => None,
    }
}

fn tool(tool: &Value) -> Checked<()> {
    members(tool, &["toolSpecification"])?;
    let tool = &tool["toolSpecification"];
    members(tool, &["name", "description", "inputSchema"])?;
    members(&tool["inputSchema"], &["json"])?;
    let name = tool["name"].as_str().unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    rule(
        (1..=64).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(good),
    )?;
    rule(tool["description"].as_str().is_some_and(|text| (1..=10_240).contains(&text.len())))?;
    let schema = &tool["inputSchema"]["json"];
    let names =
        |value: &Value| value.is_null() || list(value).iter().all(Value::is_string) && value.is_array();
    if schema["type"] != "object"
        || !schema["properties"].is_object()
        || schema.get("required").is_some_and(Value::is_null)
        || !names(&schema["required"])
        || schema.get("$schema").is_some()
    {
        return Err(invalid("The schema of a tool is not valid.", "TOOL_SCHEMA_INVALID"));
    }
    Ok(())
}

/// Turns alternate; calls and results are paired; tools that were called are declared, and only now.
fn history(state: &Value, current: &Value, origin: &str) -> Checked<()> {
    let entries = list(&state["history"]);
    rule(entries.len().is_multiple_of(2))?;
    let mismatch = || invalid("Tool uses and results do not match.", "TOOL_USE_RESULT_MISMATCH");
    let mut open: Vec<&str> = Vec::new();
    let mut called = HashSet::new();
    let answered = |user: &Value, open: &mut Vec<&str>| {
        let results = list(&user["userInputMessageContext"]["toolResults"]);
        let ids: HashSet<&str> = results.iter().filter_map(|result| result["toolUseId"].as_str()).collect();
        let expected: HashSet<&str> = open.drain(..).collect();
        if ids.len() != results.len() || ids != expected { Err(mismatch()) } else { Ok(()) }
    };
    for (at, entry) in entries.iter().enumerate() {
        if at % 2 == 0 {
            let said = message(entry, "userInputMessage")?;
            user(said, origin)?;
            rule(said["userInputMessageContext"]["tools"].is_null())?;
            answered(said, &mut open)?;
            continue;
        }
        let said = message(entry, "assistantResponseMessage")?;
        members(said, &["content", "toolUses?", "messageId?"])?;
        rule(said["content"].as_str().is_some_and(|text| !text.is_empty()))?;
        for call in list(&said["toolUses"]) {
            members(call, &["toolUseId", "name", "input"])?;
            rule(call["input"].is_object())?;
            called.insert(call["name"].as_str().unwrap_or_default().to_ascii_lowercase());
            open.extend(call["toolUseId"].as_str());
        }
    }
    answered(current, &mut open)?;
    let tools = list(&current["userInputMessageContext"]["tools"]);
    let declared: Vec<String> = tools
        .iter()
        .filter_map(|tool| tool["toolSpecification"]["name"].as_str())
        .map(str::to_ascii_lowercase)
        .collect();
    let once: HashSet<&String> = declared.iter().collect();
    if once.len() != declared.len() {
        return Err(invalid("A tool is there twice.", "TOOL_DUPLICATE"));
    }
    if called.iter().any(|name| !once.contains(name)) {
        return Err(invalid("A tool of the history is not declared.", "TOOL_CONFIG_MISSING"));
    }
    Ok(())
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
