//! A wish about thinking, put into a body that passes through.

use crate::{
    Ids, Loss, LossAction, Translated, codec,
    ir::{MaxTokens, MaxTokensSpelling, Message, Part, Reasoning, Request, Role},
    scan::{Edit, Scan},
    seals::continues_answer,
};
use byok_types::{Dialect, ModelFacts};
use serde_json::{Map, Value, value::RawValue};
use std::ops::Range;

/// The edits by which `body`, a request of `dialect` for the model of `facts`, asks for `wish` in place of whatever it says
/// about thinking. What the model cannot be told is left as it is, and is a loss of the name, where the wish stands. Sampling
/// that a vendor refuses beside thinking gives way to the wish, and is a loss under its own name.
pub fn thinking_edits(
    dialect: Dialect,
    body: &[u8],
    wish: &Reasoning,
    facts: &ModelFacts,
) -> Translated<Vec<Edit>> {
    let Translated { value: mut said, mut losses } = said_alone(dialect, body, wish, facts);
    if losses.iter().any(|loss| loss.action == LossAction::Dropped) {
        return Translated { value: Vec::new(), losses };
    }
    let by_budget = said.get("thinking").is_some_and(|thinking| thinking["type"] == "enabled");
    if dialect == Dialect::Messages
        && by_budget
        && let Some(reason) = refuses_budget(body)
    {
        // What had to fit the budget goes with it.
        said.shift_remove("thinking");
        said.shift_remove("max_tokens");
        losses.clear();
        losses.push(Loss { field: "model".to_owned(), action: LossAction::Dropped, reason });
    }
    let fixed = if dialect == Dialect::Messages && said.get("thinking").is_some_and(is_on) {
        fixed_sampling(body)
    } else {
        Vec::new()
    };
    losses.extend(fixed.iter().map(|name| Loss {
        field: (*name).to_owned(),
        action: LossAction::Dropped,
        reason: "it is fixed while the model reasons",
    }));
    Translated { value: edits(dialect, body, &said, &fixed), losses }
}

/// What a Chat body may say about thinking: `OpenAI`'s level, and the switches of DeepSeek, GLM, Kimi and Qwen.
const CHAT: [&str; 4] = ["reasoning_effort", "thinking", "enable_thinking", "thinking_budget"];

/// Whether a `thinking` object switches thinking on.
fn is_on(thinking: &Value) -> bool {
    thinking["type"] != "disabled"
}

/// The settings of a Messages body that the vendor refuses while the model thinks: it takes a temperature of 1, a `top_p` of
/// 0.95 and more, and no `top_k` (`Anthropic`, "Extended thinking").
fn fixed_sampling(body: &[u8]) -> Vec<&'static str> {
    let number = |name| text(body, name).and_then(|number| number.parse::<f64>().ok());
    let refused = [
        ("temperature", number("temperature").is_some_and(|value| (value - 1.0).abs() > f64::EPSILON)),
        ("top_p", number("top_p").is_some_and(|value| value < 0.95)),
        ("top_k", number("top_k").is_some()),
    ];
    refused.into_iter().filter(|(_, refused)| *refused).map(|(name, _)| name).collect()
}

/// `fixed` are the settings that go for the sake of thinking.
fn edits(dialect: Dialect, body: &[u8], said: &Map<String, Value>, fixed: &[&'static str]) -> Vec<Edit> {
    let members = |name: &str| said.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    match dialect {
        Dialect::Chat => {
            let Ok(scan) = Scan::of_keys(body, &CHAT) else { return Vec::new() };
            let (set, gone): (Vec<_>, Vec<_>) = CHAT.into_iter().partition(|name| said.contains_key(*name));
            let set = set.into_iter().filter_map(|name| match said.get(name) {
                Some(Value::Object(new)) => merged(body, name, &["type"], new.clone()),
                value => member(body, name, value),
            });
            set.chain(scan.remove_all(body, &gone)).collect()
        }
        Dialect::Responses => {
            merged(body, "reasoning", &["effort"], members("reasoning")).into_iter().collect()
        }
        Dialect::Messages => {
            let mut thinking = members("thinking");
            let off = thinking.get("type").is_some_and(|kind| kind == "disabled");
            // How thinking is shown is the body's business, where there is any.
            let gone: &[&str] =
                if off { &["type", "budget_tokens", "display"] } else { &["type", "budget_tokens"] };
            let Ok(scan) = Scan::of_keys(body, &["thinking", "temperature", "top_p", "top_k"]) else {
                return Vec::new();
            };
            let mut removed = fixed.to_vec();
            let thinking = if thinking.is_empty() {
                removed.push("thinking");
                None
            } else {
                merged(body, "thinking", gone, std::mem::take(&mut thinking))
            };
            // A budget must be smaller than the whole answer; the encoder has seen to that. A body that only has its tokens
            // counted must not say how long an answer may be.
            let said_most = said.get("max_tokens").filter(|_| text(body, "max_tokens").is_some());
            let most = member(body, "max_tokens", said_most);
            let effort = merged(body, "output_config", &["effort"], members("output_config"));
            let removed = scan.remove_all(body, &removed);
            thinking.into_iter().chain(most).chain(effort).chain(removed).collect()
        }
        Dialect::Gemini => {
            let config = members("generationConfig");
            let mut thinking =
                config.get("thinkingConfig").and_then(Value::as_object).cloned().unwrap_or_default();
            thinking.shift_remove("includeThoughts");
            // What is thought counts towards the cap; the encoder has seen to that.
            let raised = gemini_config(body).and_then(|(within, range)| {
                let (cap, new) = (gemini_cap(within)?, config.get("maxOutputTokens")?);
                let old: u64 = text(within, cap)?.parse().ok()?;
                let edit = member(within, cap, Some(new).filter(|new| new.as_u64() > Some(old)))?;
                Some(Edit { range: range.start + edit.range.start..range.start + edit.range.end, ..edit })
            });
            gemini(body, thinking).into_iter().chain(raised).collect()
        }
    }
}

/// Why a Messages body cannot go with a thinking budget, if it cannot: models that take one refuse it then.
fn refuses_budget(body: &[u8]) -> Option<&'static str> {
    let scan = Scan::of_keys(body, &["messages", "tool_choice"]).ok()?;
    let choice: Option<Value> =
        scan.text(body, "tool_choice").and_then(|text| serde_json::from_str(text).ok());
    if choice.is_some_and(|choice| choice["type"] == "any" || choice["type"] == "tool") {
        return Some("this model does not reason when a tool is forced");
    }
    let turns: Vec<&RawValue> = serde_json::from_str(scan.text(body, "messages")?).ok()?;
    let read = |turn: &RawValue| serde_json::from_str::<Value>(turn.get()).ok();
    let place = turns.iter().rposition(|turn| read(turn).is_some_and(|turn| turn["role"] == "assistant"))?;
    let answer = read(turns[place])?;
    if matches!(answer["content"][0]["type"].as_str(), Some("thinking" | "redacted_thinking")) {
        return None;
    }
    if place + 1 == turns.len() {
        return Some("this model does not reason in a turn that it is given the beginning of");
    }
    continues_answer(body).then_some("the turn that waits for tool results has no reasoning of this model")
}

/// What a request says that says nothing but the wish. A request that says nothing at all has lost it.
fn said_alone(
    dialect: Dialect,
    body: &[u8],
    wish: &Reasoning,
    facts: &ModelFacts,
) -> Translated<Map<String, Value>> {
    // As if it came from another dialect: then what the wish means for the model counts, and not what was said literally.
    let from = if dialect == Dialect::Chat { Dialect::Responses } else { Dialect::Chat };
    let mut request = Request::new(from, facts.id.clone());
    request.reasoning = wish.clone();
    request.messages.push(Message::new(Role::User, vec![Part::text("x")]));
    let cap = match dialect {
        Dialect::Messages => text(body, "max_tokens"),
        Dialect::Gemini => gemini_config(body).and_then(|(config, _)| text(config, gemini_cap(config)?)),
        Dialect::Chat | Dialect::Responses => None,
    };
    request.max_tokens = cap
        .and_then(|number| number.parse().ok())
        .map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxTokens });
    let encoded = codec::encode_request(dialect, &request, facts, &mut Ids::new(""));
    let (body, losses) = encoded.map(|encoded| (encoded.value, encoded.losses)).unwrap_or_default();
    let mut said: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    // What could not be said, or was said in another measure: it is the name that asked for it.
    let told = |loss: &Loss| match loss.action {
        LossAction::Dropped => true,
        LossAction::Emulated => loss.field.starts_with("reasoning"),
        LossAction::DroppedSilently => false,
    };
    let mut losses: Vec<Loss> = losses.into_iter().filter(told).collect();
    losses.sort_by_key(|loss| loss.action != LossAction::Dropped);
    let losses = losses.into_iter().map(|loss| Loss { field: "model".to_owned(), ..loss }).take(1).collect();
    // What the client wants to see of the thinking is not the wish's business.
    for (outer, inner) in [("reasoning", "summary"), ("thinking", "display")] {
        if let Some(Value::Object(object)) = said.get_mut(outer) {
            object.shift_remove(inner);
        }
    }
    Translated { value: said, losses }
}

fn text<'b>(body: &'b [u8], key: &'static str) -> Option<&'b str> {
    Scan::of_keys(body, &[key]).ok()?.text(body, key)
}

/// Sets a member at the top; nothing if it has this value already.
fn member(body: &[u8], key: &'static str, value: Option<&Value>) -> Option<Edit> {
    let new = value?.to_string();
    let scan = Scan::of_keys(body, &[key]).ok()?;
    (scan.text(body, key) != Some(new.as_str())).then(|| scan.set(key, &new))
}

/// Sets members of an object at the top and takes those of `without` out; its other members stay. Nothing if it is so already.
fn merged(body: &[u8], key: &'static str, without: &[&str], new: Map<String, Value>) -> Option<Edit> {
    let scan = Scan::of_keys(body, &[key]).ok()?;
    let old: Map<String, Value> =
        scan.text(body, key).and_then(|old| serde_json::from_str(old).ok()).unwrap_or_default();
    let mut object = old.clone();
    object.retain(|name, _| !without.contains(&name.as_str()));
    object.extend(new);
    match (object == old, object.is_empty()) {
        (true, _) => None,
        (false, true) => scan.remove(body, key),
        (false, false) => Some(scan.set(key, &Value::Object(object).to_string())),
    }
}

/// Sets `generationConfig.thinkingConfig`, in the spelling of the body.
/// The settings of a Gemini body, in either spelling, and where they stand.
fn gemini_config(body: &[u8]) -> Option<(&[u8], Range<usize>)> {
    let find = |name| Scan::of_keys(body, &[name]).ok()?.value(name);
    let range = ["generationConfig", "generation_config"].into_iter().find_map(find)?;
    Some((&body[range.clone()], range))
}

/// How these settings spell the cap on the answer, if they have one.
fn gemini_cap(config: &[u8]) -> Option<&'static str> {
    ["maxOutputTokens", "max_output_tokens"].into_iter().find(|name| text(config, name).is_some())
}

fn gemini(body: &[u8], new: Map<String, Value>) -> Option<Edit> {
    const SPELT: [(&str, &str); 2] =
        [("generationConfig", "thinkingConfig"), ("generation_config", "thinking_config")];
    const AMOUNTS: [&str; 4] = ["thinkingBudget", "thinkingLevel", "thinking_budget", "thinking_level"];
    let (outer, _) = SPELT.into_iter().find(|(outer, _)| text(body, outer).is_some()).unwrap_or(SPELT[0]);
    let scan = Scan::of_keys(body, &[outer]).ok()?;
    let Some(range) = scan.value(outer) else {
        let config = Value::from_iter([("thinkingConfig", Value::Object(new.clone()))]);
        return (!new.is_empty()).then(|| scan.set(outer, &config.to_string()));
    };
    let config = &body[range.clone()];
    let inner = SPELT.into_iter().map(|(_, inner)| inner).find(|inner| text(config, inner).is_some());
    let edit = merged(config, inner.unwrap_or("thinkingConfig"), &AMOUNTS, new)?;
    Some(Edit { range: range.start + edit.range.start..range.start + edit.range.end, text: edit.text })
}

#[cfg(test)]
mod tests;
