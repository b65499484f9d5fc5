//! A request in the Messages dialect as a conversation of Kiro.

use super::{history, tools};
use byok_types::{Blame, Failure, FailureKind, Family};
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt::Write as _;

/// What a conversation needs beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Conversation<'a> {
    /// The model as Kiro calls it.
    pub model: &'a str,
    /// Whose model it is: that decides how effort is said.
    pub family: Family,
    /// Whether the model takes an effort at all.
    pub takes_effort: bool,
    /// The profile of the account; API keys have none.
    pub profile: Option<&'a str>,
    /// Which of Kiro's programs the quota is that of: `AI_EDITOR` or `KIRO_CLI`.
    pub origin: &'a str,
    /// Id of this request.
    pub request_id: &'a str,
}

/// The body for Kiro, made from a Messages body.
///
/// # Errors
/// A [`Failure`] of the client that names the field which this wire has no place for.
pub fn conversation(body: &[u8], with: &Conversation<'_>) -> Result<Bytes, Failure> {
    let body: Value = serde_json::from_slice(body).map_err(|_| {
        Failure::new(FailureKind::Server, Blame::Byok, "the body for Kiro cannot be read again; report this.")
    })?;
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut turns = history::turns(messages)?;
    let (declared, continued) = declared(&body, &turns)?;
    let mut system = system(&body["system"]);
    system.extend(continued);
    let id = conversation_id(&system, turns.first().map(|first| first.text.as_str()).unwrap_or_default());
    if let Some(first) = turns.first_mut().filter(|_| !system.is_empty()) {
        let rest = std::mem::take(&mut first.text);
        if !rest.is_empty() {
            system.push(rest);
        }
        first.text = system.join("\n\n");
    }
    let current = turns.pop().map(|turn| turn.written(with.model, with.origin, declared));
    let history: Vec<Value> =
        turns.into_iter().map(|turn| turn.written(with.model, with.origin, Vec::new())).collect();
    let mut state = json!({
        "conversationId": id,
        "chatTriggerType": "MANUAL",
        "agentTaskType": "vibe",
        "agentContinuationId": uuid(&[with.request_id]),
        "currentMessage": current,
    });
    if !history.is_empty() {
        state["history"] = history.into();
    }
    let mut request = json!({"conversationState": state});
    if let Some(profile) = with.profile {
        request["profileArn"] = profile.into();
    }
    if let Some(effort) = body["output_config"]["effort"].as_str().filter(|_| with.takes_effort) {
        let field = if with.family == Family::Openai { "reasoning" } else { "output_config" };
        request["additionalModelRequestFields"] = json!({field: {"effort": effort}});
    }
    Ok(request.to_string().into())
}

fn system(system: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match system {
        Value::Array(blocks) => blocks.iter().filter_map(|block| text(&block["text"])).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// The tools for the last message, and what their descriptions say beyond the longest. Tools that the history calls must be
/// among them. There is no choice of tools on this wire: one that is forced is the only one that is new.
fn declared(body: &Value, turns: &[history::Turn]) -> Result<(Vec<Value>, Vec<String>), Failure> {
    let used: Vec<String> = turns.iter().flat_map(history::Turn::names).map(str::to_owned).collect();
    let in_history: HashSet<String> = used.iter().map(|name| name.to_ascii_lowercase()).collect();
    let choice = &body["tool_choice"];
    let wanted = |name: &str| match choice["type"].as_str() {
        Some("none") => false,
        Some("tool") => choice["name"] == name,
        _ => true,
    };
    let (mut tools, mut continued, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        // What the vendor of the dialect would run itself is not there.
        if tool["type"].as_str().is_some_and(|kind| kind != "custom") {
            continue;
        }
        let own = tool["name"].as_str().unwrap_or_default();
        let name = tools::name(own).ok_or_else(|| {
            Failure::bad_request(
                format!("tools[{at}].name"),
                "the name of the tool is too long for Kiro; shorten it.",
            )
        })?;
        let lower = name.to_ascii_lowercase();
        if !(wanted(own) || in_history.contains(&lower)) || !known.insert(lower) {
            continue;
        }
        let (tool, rest) =
            tools::tool(&name, tool["description"].as_str().unwrap_or_default(), &tool["input_schema"]);
        tools.push(tool);
        continued.extend(rest);
    }
    for name in used {
        if known.insert(name.to_ascii_lowercase()) {
            tools.push(tools::stub(&name));
        }
    }
    Ok((tools, continued))
}

/// The same for all turns of a conversation: made of how it begins.
fn conversation_id(system: &[String], first: &str) -> String {
    let mut parts: Vec<&str> = system.iter().map(String::as_str).collect();
    parts.push(first);
    uuid(&parts)
}

/// A version 8 UUID made of texts.
fn uuid(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let mut hex = String::with_capacity(32);
    for byte in &bytes[..16] {
        let _ = write!(hex, "{byte:02x}");
    }
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
