//! What Copilot wants of bodies, and what their headers say of them.

use super::{Shaping, budget};
use crate::upstream::{
    Operation,
    draft::{Draft, Edited, edited},
};
use byok_translate::{
    Losses,
    scan::{Scan, splice},
};
use byok_types::{Dialect, Failure, MaxTokensField, ModelFacts};
use bytes::Bytes;
use serde_json::Value;

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

/// The body as Copilot takes it. Every value that may stay has the bytes that the client gave it.
pub(super) fn shape(body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
    match (shaping.ask.dialect, shaping.ask.operation) {
        (Dialect::Messages, _) => Ok(messages(body, losses)),
        (Dialect::Responses, _) => responses(body, losses),
        (Dialect::Chat, Operation::Generate { stream }) => {
            let body = chat(body, stream, shaping.facts, losses)?;
            let facts = shaping.facts;
            if facts.id.starts_with("claude") {
                budget::shaped(&body, facts.max_output_tokens, losses)
            } else {
                Ok(body)
            }
        }
        _ => Ok(body),
    }
}

/// What is embedded as a list, as Copilot takes it: one text is a list of one.
pub(super) fn listed(body: Bytes) -> Result<Bytes, Failure> {
    const KEYS: [&str; 1] = ["input"];
    let scan = Scan::of_keys(&body, &KEYS)?;
    let Some(one) = scan.text(&body, "input").filter(|input| input.starts_with('"')) else { return Ok(body) };
    let edits = vec![scan.set("input", &format!("[{one}]"))];
    Ok(splice(&body, edits))
}

/// The body without some members.
fn without(body: &Bytes, keys: &[&'static str]) -> Result<Bytes, Failure> {
    Ok(splice(body, Scan::of_keys(body, keys)?.remove_all(body, keys)))
}

/// A stream that tells its usage, also where the client did not ask for a stream; the cap by the name that the model knows it
/// by; no sampling where the model has none; and no developer where only `OpenAI`'s models know one.
fn chat(mut body: Bytes, stream: bool, facts: &ModelFacts, losses: &mut Losses) -> Result<Bytes, Failure> {
    const KEYS: [&str; 7] = [
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "messages",
    ];
    const CAP: &str = "max_completion_tokens";
    let scan = Scan::of_keys(&body, &KEYS)?;
    let mut edits = Vec::new();
    let mut gone = Vec::new();
    if stream && scan.text(&body, "stream") != Some("true") {
        edits.push(scan.set("stream", "true"));
        edits.push(scan.set("stream_options", r#"{"include_usage":true}"#));
    }
    if facts.max_tokens_field == MaxTokensField::MaxCompletionTokens
        && let Some(cap) = scan.text(&body, "max_tokens")
    {
        gone.push("max_tokens");
        if scan.value(CAP).is_none() {
            edits.push(scan.set(CAP, cap));
        }
    }
    for (name, taken) in [("temperature", facts.temperature), ("top_p", facts.top_p)] {
        if let Some(value) = scan.text(&body, name).filter(|_| !taken) {
            if !matches!(value, "null" | "1" | "1.0") {
                losses.dropped(name, "the model has no sampling to set");
            }
            gone.push(name);
        }
    }
    if !facts.developer_role
        && let Some(messages) = scan.text(&body, "messages").and_then(by_the_system)
    {
        edits.push(scan.set("messages", &messages));
    }
    body = splice(&body, edits);
    without(&body, &gone)
}

/// The messages of the developer as those of the system; `None` if there are none.
fn by_the_system(messages: &str) -> Option<String> {
    if !messages.contains("\"developer\"") {
        return None;
    }
    edited(messages, |message| {
        let Some(mut message) = Draft::of(message) else { return Edited::Kept };
        if message.string("role").as_deref() == Some("developer") {
            message.set("role", "\"system\"");
        }
        message.changed().then(|| message.write()).into()
    })
}

/// Nothing is stored, reasoning comes sealed, there is no tier to choose, and tools are functions.
fn responses(mut body: Bytes, losses: &mut Losses) -> Result<Bytes, Failure> {
    const KEYS: [&str; 9] = [
        "store",
        "include",
        "service_tier",
        "client_metadata",
        "max_output_tokens",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "input",
    ];
    const SEALED: &str = "reasoning.encrypted_content";
    /// The least that is taken as limit of an answer.
    const LEAST_OUTPUT: u64 = 16;
    let scan = Scan::of_keys(&body, &KEYS)?;
    let mut edits = Vec::new();
    let mut gone = vec!["service_tier", "client_metadata"];
    if scan.text(&body, "store") != Some("false") {
        edits.push(scan.set("store", "false"));
    }
    let included: Vec<String> =
        scan.text(&body, "include").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if !included.iter().any(|entry| entry == SEALED) {
        let all: Vec<&str> = included.iter().map(String::as_str).chain([SEALED]).collect();
        edits.push(scan.set("include", &Value::from(all).to_string()));
    }
    let usual = ["null", "\"auto\"", "\"default\""];
    if scan.text(&body, "service_tier").is_some_and(|tier| !usual.contains(&tier)) {
        losses.dropped("service_tier", "Copilot has no tiers");
    }
    let most = scan.text(&body, "max_output_tokens").and_then(|most| most.parse::<u64>().ok());
    if most.is_some_and(|most| most < LEAST_OUTPUT) {
        edits.push(scan.set("max_output_tokens", &LEAST_OUTPUT.to_string()));
    }
    if let Some(tools) = scan.text(&body, "tools").and_then(|tools| only(tools, |kind| kind == "function")) {
        losses.dropped("tools", "Copilot does not run the tools of OpenAI");
        if tools == "[]" {
            gone.extend(["tools", "tool_choice", "parallel_tool_calls"]);
        } else {
            let choice = scan.text(&body, "tool_choice").and_then(Draft::of);
            let choice = choice.and_then(|choice| choice.string("type"));
            if choice.is_some_and(|kind| !matches!(&*kind, "function" | "allowed_tools")) {
                gone.push("tool_choice");
            }
            edits.push(scan.set("tools", &tools));
        }
    }
    if let Some(items) = scan.text(&body, "input") {
        let known = without_hosted(items);
        if known.is_some() {
            losses.silent("input", "calls of the vendor's own tools stay with the vendor");
        }
        let cleaned = without_empty_status(known.as_deref().unwrap_or(items));
        if let Some(items) = cleaned.or(known) {
            edits.push(scan.set("input", &items));
        }
    }
    body = splice(&body, edits);
    without(&body, &gone)
}

/// The tools of some kinds; `None` if there are no others.
fn only(tools: &str, of: impl Fn(&str) -> bool) -> Option<String> {
    edited(tools, |tool| {
        let kind = Draft::of(tool).and_then(|tool| tool.string("type"));
        if kind.is_none_or(|kind| of(&kind)) { Edited::Kept } else { Edited::Gone }
    })
}

/// What OpenAI itself ran in earlier turns: Copilot runs no such tool and refuses the item. What came of it stands in the
/// message behind it.
fn without_hosted(items: &str) -> Option<String> {
    const HOSTED: [&str; 10] = [
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "computer_call",
        "computer_call_output",
        "mcp_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
    ];
    if !HOSTED.iter().any(|kind| items.contains(kind)) {
        return None;
    }
    edited(items, |item| {
        let kind = Draft::of(item).and_then(|item| item.string("type"));
        if kind.is_some_and(|kind| HOSTED.contains(&&*kind)) { Edited::Gone } else { Edited::Kept }
    })
}

/// Items whose status says nothing are refused; without one they are taken.
fn without_empty_status(items: &str) -> Option<String> {
    if !["\"status\":null", "\"status\": null"].iter().any(|empty| items.contains(empty)) {
        return None;
    }
    edited(items, |item| {
        let Some(mut item) = Draft::of(item) else { return Edited::Kept };
        item.retain(|name, value| name != "status" || value != "null");
        item.changed().then(|| item.write()).into()
    })
}

/// What Messages has to be cleaned of, as JSON is usually written. What a body does not contain need not be looked for.
const UNCLEAN: [&str; 3] = ["\"scope\"", "\"thinking\":\"\"", "\"thinking\": \"\""];

/// Unknown fields, the vendor's own tools, empty thoughts and scopes of caches are refused by Copilot.
fn messages(body: Bytes, losses: &mut Losses) -> Bytes {
    let Some(mut draft) = std::str::from_utf8(&body).ok().and_then(Draft::of) else { return body };
    draft.retain(|name, _| {
        let known = MESSAGES.contains(&name);
        if !known {
            losses.dropped(name, "Copilot does not know it");
        }
        known
    });
    if let Some(tools) = draft.get("tools").and_then(|tools| only(tools, |kind| kind == "custom")) {
        losses.dropped("tools", "Copilot does not run the tools of Anthropic");
        if tools == "[]" {
            draft.drop("tools");
            draft.drop("tool_choice");
        } else {
            draft.set("tools", tools);
        }
    }
    draft.replace(|_, value| cleaned(value));
    if draft.changed() { draft.write().into() } else { body }
}

/// A value without empty thoughts and the scopes of cache marks; `None` if it has none.
fn cleaned(text: &str) -> Option<String> {
    if !UNCLEAN.iter().any(|part| text.contains(part)) {
        return None;
    }
    if text.starts_with('[') {
        return edited(text, |element| {
            let thought = |element: Draft<'_>| {
                element.string("type").as_deref() == Some("thinking")
                    && element.string("thinking").as_deref() == Some("")
            };
            if Draft::of(element).is_some_and(thought) { Edited::Gone } else { cleaned(element).into() }
        });
    }
    let mut object = Draft::of(text)?;
    object.replace(|name, value| match name {
        // What a tool was called with is the model's own.
        "input" => None,
        "cache_control" => {
            let mut mark = Draft::of(value)?;
            mark.drop("scope");
            mark.changed().then(|| mark.write())
        }
        _ => cleaned(value),
    });
    object.changed().then(|| object.write())
}
