//! Bodies as xAI takes them.

#![expect(clippy::needless_pass_by_value, reason = "the form of all upstreams")]

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use byok_translate::{
    Losses,
    responses::stored::refuse_kept,
    scan::{Edit, Scan, splice},
};
use byok_types::{Failure, ModelFacts};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// Fields of Responses that are refused.
const REFUSED: [&str; 5] =
    ["previous_response_id", "prompt_cache_retention", "safety_identifier", "stream_options", "stop"];
/// The keys that are looked at.
const KEYS: [&str; 12] = [
    "previous_response_id",
    "prompt_cache_retention",
    "safety_identifier",
    "stream_options",
    "stop",
    "stream",
    "store",
    "include",
    "reasoning",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
];
const SEALED: &str = "reasoning.encrypted_content";
/// Hosted tools that are taken.
const HOSTED: [&str; 3] = ["web_search", "x_search", "image_generation"];
/// A schema of this size with alternatives and references is accepted and then never answered.
const LARGE_SCHEMA: usize = 8 << 10;
/// The least bytes of a seal of this vendor.
const LEAST_SEAL: usize = 32;

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", default)]
    kind: Option<&'a str>,
    #[serde(default)]
    encrypted_content: Option<String>,
}

/// What becomes of a body: members that are set, and members that go.
struct Changes {
    edits: Vec<Edit>,
    gone: Vec<&'static str>,
}

/// The body with the edits that this vendor needs.
pub(super) fn fitted(body: Bytes, facts: &ModelFacts, losses: &mut Losses) -> Result<Bytes, Failure> {
    refuse_kept(&body)?;
    let scan = Scan::of_keys(&body, &KEYS)?;
    let mut changes = Changes { edits: Vec::new(), gone: REFUSED.to_vec() };
    for (key, wanted) in [("stream", "true"), ("store", "false")] {
        if scan.text(&body, key) != Some(wanted) {
            changes.edits.push(scan.set(key, wanted));
        }
    }
    let included: Vec<String> =
        scan.text(&body, "include").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if !included.iter().any(|entry| entry == SEALED) {
        let all: Vec<&str> = included.iter().map(String::as_str).chain([SEALED]).collect();
        changes.edits.push(scan.set("include", &Value::from(all).to_string()));
    }
    let reasoning: Value =
        scan.text(&body, "reasoning").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let reasons = !facts.thinking.forms.is_empty();
    if !reasons || reasoning.as_object().is_none_or(serde_json::Map::is_empty) {
        changes.gone.push("reasoning");
    }
    tools(&body, &scan, &mut changes, losses);
    if !reasons && reasoning["effort"].as_str().is_some_and(|effort| effort != "none") {
        losses.dropped("reasoning.effort", "the model has no levels of thinking");
    }
    if scan.text(&body, "stop").is_some_and(|stop| stop != "null") {
        losses.dropped("stop", "xAI stops at no texts in Responses");
    }
    let body = splice(&body, changes.edits);
    let gone = Scan::of_keys(&body, &changes.gone)?.remove_all(&body, &changes.gone);
    foreign_seals(splice(&body, gone))
}

/// The tools that the vendor knows, each function with a schema whose root is an object.
fn tools(body: &Bytes, scan: &Scan, changes: &mut Changes, losses: &mut Losses) {
    let given: Vec<Value> =
        scan.text(body, "tools").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let kept: Vec<Value> = given.iter().cloned().filter_map(tool).collect();
    let choice: Value =
        scan.text(body, "tool_choice").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if kept.len() < given.len() {
        losses.dropped("tools", "xAI does not run this tool");
    }
    if kept.is_empty() {
        changes.gone.extend(["tools", "tool_choice", "parallel_tool_calls"]);
        return;
    }
    if kept != given {
        changes.edits.push(scan.set("tools", &Value::from(kept.clone()).to_string()));
    }
    match choice["type"].as_str() {
        Some("function") => {
            let there = kept.iter().any(|tool| tool["type"] == "function" && tool["name"] == choice["name"]);
            if !there {
                changes.gone.push("tool_choice");
            }
        }
        Some("allowed_tools") | None => {}
        Some(kind) if kept.iter().any(|tool| tool["type"] == kind) => {
            let forced = json!({"type": "allowed_tools", "mode": "required", "tools": [choice]});
            changes.edits.push(scan.set("tool_choice", &forced.to_string()));
        }
        Some(_) => changes.gone.push("tool_choice"),
    }
}

fn tool(mut tool: Value) -> Option<Value> {
    match tool["type"].as_str()? {
        "function" => {
            let schema = &tool["parameters"];
            let root = schema["type"] == "object"
                && ["anyOf", "oneOf", "allOf"].iter().all(|word| schema[*word].is_null());
            let text = schema.to_string();
            let endless =
                text.len() > LARGE_SCHEMA && text.contains("\"oneOf\"") && text.contains("\"$ref\"");
            if !root || endless {
                tool["parameters"] =
                    json!({"type": "object", "properties": {}, "additionalProperties": true});
                if tool["strict"] == true {
                    tool["strict"] = Value::from(false);
                }
            }
            Some(tool)
        }
        kind if HOSTED.contains(&kind) => Some(tool),
        _ => None,
    }
}

/// Reasoning that another vendor has sealed is left out: it would be refused.
fn foreign_seals(body: Bytes) -> Result<Bytes, Failure> {
    if memchr::memmem::find(&body, b"\"encrypted_content\"").is_none() {
        return Ok(body);
    }
    let scan = Scan::of_keys(&body, &["input"])?;
    let Some(items) =
        scan.text(&body, "input").and_then(|text| serde_json::from_str::<Vec<&RawValue>>(text).ok())
    else {
        return Ok(body);
    };
    let own: Vec<&str> = items.iter().map(|item| item.get()).filter(|item| !is_foreign(item)).collect();
    if own.len() == items.len() {
        return Ok(body);
    }
    let list = format!("[{}]", own.join(","));
    let edit = scan.set("input", &list);
    Ok(splice(&body, vec![edit]))
}

fn is_foreign(item: &str) -> bool {
    let Ok(item) = serde_json::from_str::<Item<'_>>(item) else { return false };
    item.kind == Some("reasoning") && item.encrypted_content.is_some_and(|seal| !is_own(&seal))
}

/// Seals of this vendor have no mark; they are base64 of the usual alphabet without padding. Those of `OpenAI` have a mark.
fn is_own(seal: &str) -> bool {
    !seal.starts_with("gAAAA") && STANDARD_NO_PAD.decode(seal).is_ok_and(|bytes| bytes.len() >= LEAST_SEAL)
}
