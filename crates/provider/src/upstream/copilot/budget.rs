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
/// The names of the cap on the output; the first counts before the second.
const CAPS: [&str; 2] = ["max_completion_tokens", "max_tokens"];
/// The smallest budget that Claude takes.
const LEAST: u64 = 1024;

/// What thinking cannot stand beside at Claude, and what it is dropped for.
const KEYS: [&str; 8] = [BUDGET, SWITCH, CAPS[0], CAPS[1], "temperature", "top_p", "tool_choice", "messages"];

/// The body with the budget alone, where thinking is possible, and without any word of it elsewhere. `limit` is the most that
/// the model puts out, in tokens.
pub(super) fn shaped(body: &Bytes, limit: Option<u32>, losses: &mut Losses) -> Result<Bytes, Failure> {
    let scan = Scan::of_keys(body, &KEYS)?;
    let said = |name: &str| scan.text(body, name);
    let number = |name: &str| said(name).and_then(|text| text.parse::<u64>().ok());
    let mut gone = vec![SWITCH];
    let mut edits: Vec<Edit> = Vec::new();
    if said(BUDGET).is_some() {
        let cap = CAPS.iter().find_map(|name| number(name));
        let fit = number(BUDGET).map(|budget| fit(budget, cap, limit.map(u64::from)));
        let forced =
            said("tool_choice").is_some_and(|choice| choice == "\"required\"" || choice.starts_with('{'));
        let why_not = if said(SWITCH) == Some("false") || number(BUDGET) == Some(0) {
            Some(None)
        } else if forced {
            Some(Some("Claude does not think where a tool is forced"))
        } else if said("messages").is_some_and(lost_its_thoughts) {
            Some(Some("Claude does not think on behind a call whose thoughts are lost"))
        } else {
            None
        };
        if let Some(why) = why_not {
            gone.push(BUDGET);
            if let Some(why) = why {
                losses.dropped("reasoning", why);
            }
        } else if fit == Some(Fit::Not) {
            gone.push(BUDGET);
            losses.emulated("reasoning", "the cap on the output leaves no room for reasoning");
        } else {
            if let Some(Fit::To { budget, raised, why }) = fit {
                edits.push(scan.set(BUDGET, &budget.to_string()));
                losses.emulated("reasoning", why);
                if let Some(raised) = raised {
                    let caps = CAPS.into_iter().filter(|name| number(name).is_some());
                    edits.extend(caps.map(|name| scan.set(name, &raised.to_string())));
                    losses.emulated("max_tokens", "raised above the reasoning budget");
                }
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

/// How a budget stands to the cap on the output, which thoughts and answer share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// It leaves enough for the answer.
    AsIs,
    /// Another budget, and a higher cap if it has to be raised for it.
    To { budget: u64, raised: Option<u64>, why: &'static str },
    /// No budget that Claude takes leaves anything for the answer.
    Not,
}

/// Makes budget and cap fit, by the rules of Messages: the cap goes up to the model's own before the budget comes down, and some
/// of it is left for the answer.
fn fit(asked: u64, cap: Option<u64>, limit: Option<u64>) -> Fit {
    let budget = asked.max(LEAST);
    // Without a cap the model's own holds, and no higher one helps.
    let Some(within) = cap.into_iter().chain(limit).min().filter(|within| budget >= *within) else {
        let why = "the least budget that the vendor takes";
        return if budget == asked { Fit::AsIs } else { Fit::To { budget, raised: None, why } };
    };
    let most = |all: u64| all / 5 * 4;
    if let Some(limit) = limit.filter(|limit| *limit > within) {
        let budget = budget.min((limit - within).max(most(limit)));
        if budget >= LEAST {
            let raised = Some(limit.min(budget.saturating_add(within)));
            return Fit::To { budget, raised, why: "the cap was raised above the reasoning budget" };
        }
    }
    let budget = most(within);
    let why = "the reasoning budget was lowered below the cap on the output";
    if budget < LEAST { Fit::Not } else { Fit::To { budget, raised: None, why } }
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
