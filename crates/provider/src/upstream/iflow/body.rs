//! What the vendor wants of a body: the switch of thinking that the family of the model has.

use byok_translate::{
    Losses,
    scan::{Scan, splice},
};
use byok_types::Failure;
use bytes::Bytes;
use serde_json::Value;

/// The ways to ask for thinking that clients and byok's encoder write.
const WISHES: [&str; 4] = ["enable_thinking", "thinking_budget", "reasoning_effort", "thinking"];
const KEYS: [&str; 8] = [
    "enable_thinking",
    "thinking_budget",
    "reasoning_effort",
    "thinking",
    "chat_template_kwargs",
    "reasoning_split",
    "tools",
    "tool_choice",
];

/// How a model is told whether to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    /// `chat_template_kwargs`, with `clear_thinking` beside it.
    Clearing,
    /// `chat_template_kwargs`.
    Template,
    /// `reasoning_split`.
    Split,
    /// Not at all.
    None,
}

fn switch(model: &str) -> Switch {
    match model {
        model if model.starts_with("glm-") => Switch::Clearing,
        "deepseek-v3.1" | "deepseek-v3.2" | "qwen3-max-preview" => Switch::Template,
        model if model.starts_with("minimax-") => Switch::Split,
        _ => Switch::None,
    }
}

/// The body for a model.
pub(super) fn shaped(body: Bytes, model: &str, losses: &mut Losses) -> Result<Bytes, Failure> {
    let scan = Scan::of_keys(&body, &KEYS)?;
    let wish = wish(&body, &scan);
    let mut gone: Vec<&str> = WISHES.to_vec();
    // An empty list of tools breaks streams.
    if scan.text(&body, "tools").is_some_and(|tools| tools.trim_start_matches('[').trim() == "]") {
        gone.extend(["tools", "tool_choice"]);
    }
    let own = |name: &str| scan.value(name).is_some();
    if wish.is_some() && switch(model) == Switch::None {
        let said = WISHES.iter().find(|name| own(name)).copied().unwrap_or("reasoning_effort");
        losses.dropped(said, "iFlow has no switch for the thinking of this model");
    }
    let said = match (wish, switch(model)) {
        (None, _) | (_, Switch::None) => None,
        // What the client says in the vendor's own words holds.
        (_, Switch::Clearing | Switch::Template) if own("chat_template_kwargs") => None,
        (_, Switch::Split) if own("reasoning_split") => None,
        (Some(true), Switch::Clearing) => {
            Some(("chat_template_kwargs", r#"{"enable_thinking":true,"clear_thinking":false}"#.to_owned()))
        }
        (Some(on), Switch::Clearing | Switch::Template) => {
            Some(("chat_template_kwargs", format!(r#"{{"enable_thinking":{on}}}"#)))
        }
        (Some(on), Switch::Split) => Some(("reasoning_split", on.to_string())),
    };
    let mut body = body;
    for key in gone {
        let scan = Scan::of_keys(&body, &KEYS)?;
        if let Some(edit) = scan.remove(&body, key) {
            body = splice(&body, vec![edit]);
        }
    }
    match said {
        Some((key, value)) => {
            let edit = Scan::of_keys(&body, &KEYS)?.set(key, &value);
            Ok(splice(&body, vec![edit]))
        }
        None => Ok(body),
    }
}

/// Whether the model is to think, where the body says so.
fn wish(body: &[u8], scan: &Scan) -> Option<bool> {
    let value = |key: &str| serde_json::from_str::<Value>(scan.text(body, key)?).ok();
    let switched = value("enable_thinking").and_then(|value| value.as_bool());
    let effort = || value("reasoning_effort").and_then(|level| level.as_str().map(|level| level != "none"));
    let kind =
        || value("thinking").and_then(|thinking| thinking["type"].as_str().map(|kind| kind != "disabled"));
    switched.or_else(effort).or_else(kind)
}
