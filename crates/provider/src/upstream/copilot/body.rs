//! What Copilot wants of bodies, and what their headers say of them.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::similar_names,
    reason = "one form for all three"
)]

use super::Ask;
use crate::upstream::Operation;
use byok_translate::{
    Losses,
    scan::{Scan, splice},
};
use byok_types::{Dialect, Failure};
use bytes::Bytes;
use serde_json::{Map, Value};

/// The fields of Messages that Copilot knows.
const MESSAGES: [&str; 15] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "context_management",
    "metadata",
    "top_k",
];

/// What a body says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The last message is not a person's.
    pub(super) by_agent: bool,
    /// There is a picture somewhere.
    pub(super) pictures: bool,
}

/// Looks at the final body.
pub(super) fn look(dialect: Dialect, body: &[u8]) -> Look {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let turns = if dialect == Dialect::Responses { &body["input"] } else { &body["messages"] };
    let last = turns.as_array().and_then(|turns| turns.last());
    let by_agent = last.is_some_and(|last| match dialect {
        Dialect::Messages => {
            let results = |blocks: &Vec<Value>| {
                !blocks.is_empty() && blocks.iter().all(|block| block["type"] == "tool_result")
            };
            last["role"] != "user" || last["content"].as_array().is_some_and(results)
        }
        _ => last["role"] != "user",
    });
    Look { by_agent, pictures: pictures(turns) }
}

/// Whether a picture stands anywhere in it, also in the result of a tool.
fn pictures(turns: &Value) -> bool {
    let mut open = vec![turns];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => {
                let kind = members.get("type").and_then(Value::as_str);
                if matches!(kind, Some("image_url" | "image" | "input_image")) {
                    return true;
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    false
}

/// The body as Copilot takes it.
pub(super) fn shape(body: Bytes, ask: &Ask<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
    match ask.dialect {
        Dialect::Messages => messages(body, losses),
        Dialect::Responses => responses(body, losses),
        Dialect::Chat if matches!(ask.operation, Operation::Generate { stream: true }) => streaming(body),
        _ => Ok(body),
    }
}

/// A stream that tells its usage, also where the client did not ask for a stream.
fn streaming(body: Bytes) -> Result<Bytes, Failure> {
    let scan = Scan::of(&body)?;
    let mut edits = Vec::new();
    if scan.text(&body, "stream") != Some("true") {
        edits.push(scan.set("stream", "true"));
        edits.push(scan.set("stream_options", r#"{"include_usage":true}"#));
    }
    Ok(splice(&body, edits))
}

/// Nothing is stored, reasoning comes sealed, and there is no tier to choose.
fn responses(body: Bytes, losses: &mut Losses) -> Result<Bytes, Failure> {
    let scan = Scan::of_keys(&body, &["store", "include", "service_tier", "tools"])?;
    let mut edits = Vec::new();
    if scan.text(&body, "store") != Some("false") {
        edits.push(scan.set("store", "false"));
    }
    if scan.text(&body, "include").is_none_or(|text| text == "null") {
        edits.push(scan.set("include", r#"["reasoning.encrypted_content"]"#));
    }
    if let Some(edit) = scan.remove(&body, "service_tier") {
        let plain = scan
            .text(&body, "service_tier")
            .is_some_and(|tier| ["null", "\"auto\"", "\"default\""].contains(&tier));
        if !plain {
            losses.dropped("service_tier", "Copilot has no tiers");
        }
        edits.push(edit);
    }
    Ok(splice(&body, edits))
}

/// Unknown fields, the vendor's own tools, empty thoughts and scopes of caches are refused by Copilot.
fn messages(body: Bytes, losses: &mut Losses) -> Result<Bytes, Failure> {
    // What the body does not contain need not be looked for; most bodies stay as they are.
    let text = String::from_utf8_lossy(&body);
    let suspicious =
        ["\"scope\"", "\"thinking\":\"\"", "\"thinking\": \"\""].iter().any(|part| text.contains(part));
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(&body) else { return Ok(body) };
    let unknown = fields.keys().any(|name| !MESSAGES.contains(&name.as_str()));
    let server = |tool: &Value| tool["type"].as_str().is_some_and(|kind| kind != "custom");
    let served = fields.get("tools").and_then(Value::as_array).is_some_and(|tools| tools.iter().any(server));
    if !suspicious && !unknown && !served {
        return Ok(body);
    }
    let mut raw = fields;
    raw.retain(|name, _| {
        let known = MESSAGES.contains(&name.as_str());
        if !known {
            losses.dropped(name.as_str(), "Copilot does not know it");
        }
        known
    });
    if served && let Some(Value::Array(tools)) = raw.get_mut("tools") {
        losses.dropped("tools", "Copilot does not run the tools of Anthropic");
        tools.retain(|tool| !server(tool));
        if tools.is_empty() {
            raw.remove("tools");
            raw.remove("tool_choice");
        }
    }
    if suspicious {
        for value in raw.values_mut() {
            clean(value);
        }
    }
    Ok(Bytes::from(Value::Object(raw).to_string()))
}

/// Takes out empty thoughts and the scopes of cache marks.
fn clean(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.retain(|block| !(block["type"] == "thinking" && block["thinking"] == ""));
            values.iter_mut().for_each(clean);
        }
        Value::Object(members) => {
            if let Some(Value::Object(mark)) = members.get_mut("cache_control") {
                mark.remove("scope");
            }
            // What a tool was called with is the model's own.
            members.iter_mut().filter(|(name, _)| *name != "input").for_each(|(_, value)| clean(value));
        }
        _ => {}
    }
}
