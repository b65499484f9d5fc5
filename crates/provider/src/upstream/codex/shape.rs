//! Bodies as the backend takes them. What is in order stays byte for byte; a value that is not touched keeps its bytes.

use crate::upstream::draft::Draft;
use byok_translate::{
    Losses,
    responses::{bounded_call_id, stored::refuse_kept},
};
use byok_types::Failure;
use bytes::Bytes;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// All that a body may have: anything else is refused by name.
const ALLOWED: [&str; 14] = [
    "model",
    "instructions",
    "input",
    "stream",
    "store",
    "include",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "prompt_cache_key",
    "service_tier",
    "client_metadata",
];
const SEALED: &str = "reasoning.encrypted_content";
/// Members that are only logged: what is stored, hints for the vendor's own use, and the cap that translations leave out silently, too.
const UNNOTICED: [&str; 7] = [
    "max_output_tokens",
    "stream_options",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
    "user",
    "metadata",
];
/// The longest id of an item.
const LONGEST_ID: usize = 64;
/// How the ids of items begin.
const PREFIXES: [(&str, &str); 5] = [
    ("message", "msg_"),
    ("reasoning", "rs_"),
    ("function_call", "fc_"),
    ("custom_tool_call", "ctc_"),
    ("custom_tool_call_output", "ctco_"),
];

/// The body as the backend takes it. `lite`: its client has marked it as of the newer shape, which is the client's own matter.
pub(super) fn fitted(body: Bytes, lite: bool, losses: &mut Losses) -> Result<Bytes, Failure> {
    let text = std::str::from_utf8(&body)
        .map_err(|_| Failure::bad_request("body", "the request body is not UTF-8. Send JSON in UTF-8."))?;
    // What is no object has been refused before.
    let Some(mut draft) = Draft::of(text) else { return Ok(body) };
    refuse_kept(&body)?;
    draft.set("stream", "true");
    draft.set("store", "false");
    if !lite {
        plain(&mut draft, losses);
    }
    if !draft.changed() {
        return Ok(body);
    }
    Ok(draft.write().into())
}

fn plain(draft: &mut Draft<'_>, losses: &mut Losses) {
    draft.retain(|name, value| {
        let allowed = ALLOWED.contains(&name);
        // What is only said to be off, or as usual, is not missed.
        if !allowed && !matches!(value, "null" | "false" | "\"disabled\"") {
            left_out(name, losses);
        }
        allowed && (value != "null" || name == "instructions")
    });
    input(draft);
    include(draft, losses);
    tier(draft, losses);
    tools(draft);
}

fn left_out(name: &str, losses: &mut Losses) {
    const WHY: &str = "Codex takes no such member from the login of a plan";
    if UNNOTICED.contains(&name) {
        losses.silent(name, WHY);
    } else {
        losses.dropped(name, WHY);
    }
}

/// The conversation, and the instructions beside it.
fn input(draft: &mut Draft<'_>) {
    let given = draft.get("input").unwrap_or("[]").to_owned();
    let items: Vec<&RawValue> = match serde_json::from_str::<String>(&given) {
        Ok(words) => {
            let words = serde_json::Value::from(words);
            draft.set(
                "input",
                format!(r#"[{{"type":"message","role":"user","content":[{{"type":"input_text","text":{words}}}]}}]"#),
            );
            instructions(draft, /* by message */ false);
            return;
        }
        Err(_) => match serde_json::from_str(&given) {
            Ok(items) => items,
            Err(_) => return,
        },
    };
    let mut by_message = None;
    let mut added = Vec::new();
    let mut changed = false;
    let mut kept: Vec<Cow<'_, str>> = Vec::with_capacity(items.len());
    for item in items {
        match fitted_item(item.get()) {
            Item::Tools(tools) => {
                added.extend(tools);
                changed = true;
            }
            Item::Gone => changed = true,
            Item::Kept(text, developer) => {
                by_message.get_or_insert(developer);
                changed |= matches!(text, Cow::Owned(_));
                kept.push(text);
            }
        }
    }
    if changed {
        let list = format!("[{}]", kept.join(","));
        draft.set("input", list);
    }
    if !added.is_empty() {
        let own: Vec<&RawValue> =
            draft.get("tools").and_then(|tools| serde_json::from_str(tools).ok()).unwrap_or_default();
        let all: Vec<&str> = own.iter().map(|tool| tool.get()).chain(added.iter().map(|t| &**t)).collect();
        let list = format!("[{}]", all.join(","));
        draft.set("tools", list);
    }
    instructions(draft, by_message.unwrap_or(false));
}

/// They must be there, be it empty, unless they are the first message, as the official client has it.
fn instructions(draft: &mut Draft<'_>, by_message: bool) {
    let missing = draft.get("instructions").is_none();
    match (missing, by_message) {
        (true, true) => draft.drop("instructions"),
        (true, false) => draft.set("instructions", "\"\""),
        (false, _) => {}
    }
}

/// What becomes of an item.
enum Item<'a> {
    /// It stays, perhaps in other words; whether it is a message of the developer.
    Kept(Cow<'a, str>, bool),
    /// It is left out.
    Gone,
    /// It declares tools, in a shape that only goes with the mark of the newer shape.
    Tools(Vec<String>),
}

fn fitted_item(text: &str) -> Item<'_> {
    let Some(mut item) = Draft::of(text) else { return Item::Kept(Cow::Borrowed(text), false) };
    let kind = item.string("type").unwrap_or_else(|| "message".to_owned());
    if kind == "additional_tools" {
        let tools: Vec<&RawValue> =
            item.get("tools").and_then(|tools| serde_json::from_str(tools).ok()).unwrap_or_default();
        return Item::Tools(tools.iter().map(|tool| tool.get().to_owned()).collect());
    }
    // Nothing is stored at the vendor: reasoning without its seal cannot be found there.
    if kind == "reasoning" && item.get("id").is_some() && item.get("encrypted_content").is_none() {
        return Item::Gone;
    }
    if item.string("role").as_deref() == Some("system") {
        item.set("role", "\"developer\"");
    }
    if let Some(id) = item.string("id") {
        let wrong = PREFIXES.iter().any(|(of, prefix)| *of == kind && !id.starts_with(prefix));
        if wrong || id.chars().count() > LONGEST_ID {
            item.drop("id");
        }
    }
    // Clients that were served by others before have calls with longer ids. The same becomes of the call and of its output.
    if let Some(id) = item.string("call_id")
        && let Cow::Owned(short) = bounded_call_id(&id)
    {
        item.set("call_id", serde_json::Value::from(short).to_string());
    }
    if text.contains("prompt_cache_breakpoint")
        && let Some(content) = item.get("content").and_then(without_breakpoints)
    {
        item.set("content", content);
    }
    let developer = item.string("role").as_deref() == Some("developer");
    let text = if item.changed() { Cow::Owned(item.write()) } else { Cow::Borrowed(text) };
    Item::Kept(text, developer)
}

/// The parts of a message without the marks of a cache that this backend does not have.
fn without_breakpoints(content: &str) -> Option<String> {
    let parts: Vec<&RawValue> = serde_json::from_str(content).ok()?;
    let parts = parts.iter().map(|part| match Draft::of(part.get()) {
        Some(mut draft) => {
            draft.drop("prompt_cache_breakpoint");
            draft.write()
        }
        None => part.get().to_owned(),
    });
    Some(format!("[{}]", parts.collect::<Vec<_>>().join(",")))
}

/// Seals are the only way in which reasoning goes on; log probabilities are not to be had.
fn include(draft: &mut Draft<'_>, losses: &mut Losses) {
    let given: Vec<String> =
        draft.get("include").and_then(|include| serde_json::from_str(include).ok()).unwrap_or_default();
    let mut wanted: Vec<&str> =
        given.iter().map(String::as_str).filter(|entry| !entry.ends_with(".logprobs")).collect();
    if wanted.len() < given.len() {
        losses.dropped("include", "Codex tells no log probabilities");
    }
    if !wanted.contains(&SEALED) {
        wanted.push(SEALED);
    }
    if wanted != given {
        let list = serde_json::Value::from(wanted).to_string();
        draft.set("include", list);
    }
}

fn tier(draft: &mut Draft<'_>, losses: &mut Losses) {
    match draft.string("service_tier").as_deref() {
        Some("fast") => draft.set("service_tier", "\"priority\""),
        Some("priority" | "default") | None => {}
        Some(tier) => {
            if tier != "auto" {
                losses.dropped("service_tier", "Codex has no such tier");
            }
            draft.drop("service_tier");
        }
    }
}

/// Without tools nothing is chosen among them.
fn tools(draft: &mut Draft<'_>) {
    let none = draft.get("tools").is_none_or(|tools| {
        serde_json::from_str::<Vec<&RawValue>>(tools).is_ok_and(|tools| tools.is_empty())
    });
    if none {
        for name in ["parallel_tool_calls", "tool_choice", "tools"] {
            draft.drop(name);
        }
    }
}
