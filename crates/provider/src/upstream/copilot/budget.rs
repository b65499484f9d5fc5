//! Thinking of Claude at Chat: one number, `thinking_budget`, switches it on. There is no other word for it there.

use byok_translate::{
    Losses,
    scan::{Edit, Scan, splice},
};
use byok_types::Failure;
use bytes::Bytes;
use serde::Deserialize;

const BUDGET: &str = "thinking_budget";
const SWITCH: &str = "enable_thinking";
/// The smallest budget that Claude takes.
const LEAST: u64 = 1024;

/// What thinking cannot stand beside at Claude, and what it is dropped for.
const KEYS: [&str; 8] = [
    BUDGET,
    SWITCH,
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "tool_choice",
    "messages",
];

/// The body with the budget alone, where thinking is possible, and without any word of it elsewhere.
pub(super) fn shaped(body: &Bytes, losses: &mut Losses) -> Result<Bytes, Failure> {
    let scan = Scan::of_keys(body, &KEYS)?;
    let said = |name: &str| scan.text(body, name);
    let number = |name: &str| said(name).and_then(|text| text.parse::<u64>().ok());
    let mut gone = vec![SWITCH];
    let mut edits: Vec<Edit> = Vec::new();
    if said(BUDGET).is_some() {
        let cap = number("max_completion_tokens").or_else(|| number("max_tokens"));
        let forced =
            said("tool_choice").is_some_and(|choice| choice == "\"required\"" || choice.starts_with('{'));
        let room = cap.map_or(u64::MAX, |cap| cap.saturating_sub(1));
        let why_not = if said(SWITCH) == Some("false") {
            Some(None)
        } else if forced {
            Some(Some("Claude does not think where a tool is forced"))
        } else if said("messages").is_some_and(lost_its_thoughts) {
            Some(Some("Claude does not think on behind a call whose thoughts are lost"))
        } else if room < LEAST {
            Some(Some("the answer is to be shorter than the least that Claude thinks"))
        } else {
            None
        };
        if let Some(why) = why_not {
            gone.push(BUDGET);
            if let Some(why) = why {
                losses.dropped("reasoning", why);
            }
        } else {
            if number(BUDGET).is_some_and(|budget| budget > room) {
                edits.push(scan.set(BUDGET, &room.to_string()));
            }
            // No other value is taken beside thinking.
            for name in ["temperature", "top_p"] {
                if said(name).is_some_and(|value| !matches!(value, "null" | "1" | "1.0")) {
                    losses.dropped(name, "Claude takes none where it thinks");
                    gone.push(name);
                }
            }
        }
    }
    let body = splice(body, edits);
    let scan = Scan::of_keys(&body, &KEYS)?;
    Ok(splice(&body, scan.remove_all(&body, &gone)))
}

/// Whether the turn that goes on began with calls, and what was thought before them is not there.
fn lost_its_thoughts(messages: &str) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Message {
        role: String,
        tool_calls: Option<serde::de::IgnoredAny>,
        reasoning_opaque: Option<String>,
    }
    let messages: Vec<Message> = serde_json::from_str(messages).unwrap_or_default();
    let mut turn = messages.iter().rev().take_while(|message| message.role != "user");
    turn.any(|message| {
        message.tool_calls.is_some() && message.reasoning_opaque.as_deref().is_none_or(str::is_empty)
    })
}
