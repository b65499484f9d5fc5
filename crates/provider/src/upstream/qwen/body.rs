//! What the vendor wants of a body.

use byok_translate::{
    Losses,
    scan::{Edit, Scan, splice},
};
use byok_types::{Failure, ThinkingFacts, ThinkingForm};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The part that the portal wants to see first in the system message: it holds the place of a cached prefix.
const CACHED: &str = r#"{"type":"text","text":"","cache_control":{"type":"ephemeral"}}"#;
const KEYS: [&str; 8] = [
    "messages",
    "enable_thinking",
    "reasoning",
    "reasoning_effort",
    "tool_choice",
    "n",
    "logprobs",
    "top_logprobs",
];

/// The body for the portal (`login`) or the platform.
pub(super) fn shaped(
    body: Bytes,
    login: bool,
    facts: &ThinkingFacts,
    losses: &mut Losses,
) -> Result<Bytes, Failure> {
    let body = switched(body, facts)?;
    let body = if login { as_one_answer(body, losses)? } else { body };
    let scan = Scan::of_keys(&body, &KEYS)?;
    let thinking = scan.text(&body, "enable_thinking").map(str::to_owned);
    let mut body = match (login, scan.value("messages")) {
        (true, Some(range)) => match system_first(scan.text(&body, "messages").unwrap_or_default()) {
            Some(text) => splice(&body, vec![Edit { range, text }]),
            None => body,
        },
        _ => body,
    };
    // Where thinking is off, an effort contradicts it; where it is on, a tool cannot be forced.
    let not_with: &[&str] = match thinking.as_deref() {
        Some("false") => &["reasoning", "reasoning_effort"],
        Some("true") => &["tool_choice"],
        _ => &[],
    };
    for key in not_with {
        let scan = Scan::of_keys(&body, &KEYS)?;
        let forced =
            || scan.text(&body, key).is_some_and(|text| text == "\"required\"" || text.starts_with('{'));
        if *key == "tool_choice" && !forced() {
            continue;
        }
        if let Some(edit) = scan.remove(&body, key) {
            losses.dropped(*key, "Qwen does not take it together with how thinking is switched");
            body = splice(&body, vec![edit]);
        }
    }
    Ok(body)
}

/// The portal gives one answer without probabilities (`qwen.md`, 3). What asks for one answer and for none is left out as
/// well; what is no number stays, and is the vendor's to refuse.
fn as_one_answer(mut body: Bytes, losses: &mut Losses) -> Result<Bytes, Failure> {
    let scan = Scan::of_keys(&body, &KEYS)?;
    let number = scan.text(&body, "n").map(|n| if n == "null" { Ok(1.0) } else { n.parse::<f64>() });
    if matches!(number, Some(Ok(n)) if n > 1.0) {
        return Err(Failure::bad_request(
            "n",
            "`n` must be 1: Qwen gives one answer. Send the request several times instead.",
        ));
    }
    if scan.text(&body, "logprobs") == Some("true") {
        losses.dropped("logprobs", "Qwen does not tell probabilities");
    }
    let unknown: &[&str] = if matches!(number, Some(Ok(_))) {
        &["n", "logprobs", "top_logprobs"]
    } else {
        &["logprobs", "top_logprobs"]
    };
    for key in unknown {
        if let Some(edit) = Scan::of_keys(&body, &KEYS)?.remove(&body, key) {
            body = splice(&body, vec![edit]);
        }
    }
    Ok(body)
}

/// A level of thinking, as clients of the dialect say it, at a model that only has a switch.
fn switched(body: Bytes, facts: &ThinkingFacts) -> Result<Bytes, Failure> {
    let by_switch = !facts.forms.is_empty() && !facts.forms.contains(&ThinkingForm::Level);
    let scan = Scan::of_keys(&body, &KEYS)?;
    let level = scan.text(&body, "reasoning_effort").filter(|_| by_switch);
    let Some(level) = level else { return Ok(body) };
    let on = !matches!(level, "\"none\"" | "null");
    let said = scan.text(&body, "enable_thinking").is_some() || level == "null";
    let without = scan.remove(&body, "reasoning_effort").into_iter().collect();
    let body = splice(&body, without);
    if said {
        return Ok(body);
    }
    let edit = Scan::of_keys(&body, &KEYS)?.set("enable_thinking", &on.to_string());
    Ok(splice(&body, vec![edit]))
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default)]
    role: String,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

/// The messages with all their system messages gathered in one at the beginning; `None` if they cannot be read, which the
/// vendor says better. All other messages stay as they were written.
fn system_first(text: &str) -> Option<String> {
    let messages: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let mut system = vec![CACHED.to_owned()];
    let mut others = Vec::new();
    for message in messages {
        let Message { role, content } = serde_json::from_str(message.get()).ok()?;
        if role != "system" && role != "developer" {
            others.push(message.get());
            continue;
        }
        let content = content.map_or("\"\"", RawValue::get);
        if content.starts_with('[') {
            let parts: Vec<&RawValue> = serde_json::from_str(content).ok()?;
            // A caller that knows the rule has put it there already.
            let marks = |part: &str| {
                let same = |a: &str| serde_json::from_str::<serde_json::Value>(a).ok();
                same(part) == same(CACHED)
            };
            system
                .extend(parts.into_iter().map(RawValue::get).filter(|part| !marks(part)).map(str::to_owned));
        } else if content.starts_with('"') && content != "\"\"" {
            system.push(format!(r#"{{"type":"text","text":{content}}}"#));
        }
    }
    let system = format!(r#"{{"role":"system","content":[{}]}}"#, system.join(","));
    Some(format!("[{}]", std::iter::once(system.as_str()).chain(others).collect::<Vec<_>>().join(",")))
}
