//! A wish about thinking, put into a body that passes through.

use crate::{
    Ids, Loss, LossAction, Translated, codec,
    ir::{MaxTokens, MaxTokensSpelling, Message, Part, Reasoning, Request, Role},
    scan::{Edit, Scan},
};
use byok_types::{Dialect, ModelFacts};
use serde_json::{Map, Value};

/// The edits by which `body`, a request of `dialect` for the model of `facts`, asks for `wish` in place of whatever it says
/// about thinking. What the model cannot be told is left as it is, and is a loss of the name, where the wish stands.
pub fn thinking_edits(
    dialect: Dialect,
    body: &[u8],
    wish: &Reasoning,
    facts: &ModelFacts,
) -> Translated<Vec<Edit>> {
    let Translated { value: said, losses } = said_alone(dialect, body, wish, facts);
    Translated { value: edits(dialect, body, &said), losses }
}

fn edits(dialect: Dialect, body: &[u8], said: &Map<String, Value>) -> Vec<Edit> {
    let members = |name: &str| said.get(name).and_then(Value::as_object).cloned();
    match dialect {
        Dialect::Chat => member(body, "reasoning_effort", said.get("reasoning_effort")).into_iter().collect(),
        Dialect::Responses => {
            members("reasoning").and_then(|new| merged(body, "reasoning", &[], new)).into_iter().collect()
        }
        Dialect::Messages => {
            let thinking = member(body, "thinking", said.get("thinking"));
            // A budget must be smaller than the whole answer; the encoder has seen to that.
            let most = member(body, "max_tokens", said.get("max_tokens"));
            let effort = members("output_config").and_then(|new| merged(body, "output_config", &[], new));
            thinking.into_iter().chain(most).chain(effort).collect()
        }
        Dialect::Gemini => {
            let config = members("generationConfig").unwrap_or_default();
            let Some(Value::Object(mut thinking)) = config.get("thinkingConfig").cloned() else {
                return Vec::new();
            };
            thinking.shift_remove("includeThoughts");
            gemini(body, thinking).into_iter().collect()
        }
    }
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
    if dialect == Dialect::Messages {
        request.max_tokens = text(body, "max_tokens")
            .and_then(|number| number.parse().ok())
            .map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxTokens });
    }
    let encoded = codec::encode_request(dialect, &request, facts, &mut Ids::new(""));
    let (body, losses) = encoded.map(|encoded| (encoded.value, encoded.losses)).unwrap_or_default();
    let mut said: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let lost = losses.into_iter().filter(|loss| loss.action == LossAction::Dropped);
    let losses = lost.map(|loss| Loss { field: "model".to_owned(), ..loss }).take(1).collect();
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

/// Sets members of an object at the top; its other members stay, but for those of `without`.
fn merged(body: &[u8], key: &'static str, without: &[&str], new: Map<String, Value>) -> Option<Edit> {
    let scan = Scan::of_keys(body, &[key]).ok()?;
    let mut object: Map<String, Value> =
        scan.text(body, key).and_then(|old| serde_json::from_str(old).ok()).unwrap_or_default();
    object.retain(|name, _| !without.contains(&name.as_str()));
    object.extend(new);
    Some(scan.set(key, &Value::Object(object).to_string()))
}

/// Sets `generationConfig.thinkingConfig`, in the spelling of the body.
fn gemini(body: &[u8], new: Map<String, Value>) -> Option<Edit> {
    const SPELT: [(&str, &str); 2] =
        [("generationConfig", "thinkingConfig"), ("generation_config", "thinking_config")];
    const AMOUNTS: [&str; 4] = ["thinkingBudget", "thinkingLevel", "thinking_budget", "thinking_level"];
    let (outer, _) = SPELT.into_iter().find(|(outer, _)| text(body, outer).is_some()).unwrap_or(SPELT[0]);
    let scan = Scan::of_keys(body, &[outer]).ok()?;
    let Some(range) = scan.value(outer) else {
        let config = Value::from_iter([("thinkingConfig", Value::Object(new))]);
        return Some(scan.set(outer, &config.to_string()));
    };
    let config = &body[range.clone()];
    let inner = SPELT.into_iter().map(|(_, inner)| inner).find(|inner| text(config, inner).is_some());
    let edit = merged(config, inner.unwrap_or("thinkingConfig"), &AMOUNTS, new)?;
    Some(Edit { range: range.start + edit.range.start..range.start + edit.range.end, text: edit.text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ir::ThinkingSwitch, scan::splice};
    use byok_types::{Effort, ThinkingFacts, ThinkingForm};

    fn facts(form: ThinkingForm) -> ModelFacts {
        let levels = vec![Effort::Low, Effort::Medium, Effort::High];
        let thinking = ThinkingFacts {
            forms: vec![form],
            levels,
            budget: Some((1024, 32_000)),
            can_disable: true,
            ..ThinkingFacts::default()
        };
        ModelFacts { id: "m".to_owned(), thinking, max_output_tokens: Some(64_000), ..ModelFacts::default() }
    }

    #[test]
    fn only_what_is_said_of_thinking_changes() {
        let high = Reasoning { effort: Some(Effort::High), ..Reasoning::default() };
        let budget = Reasoning { switch: ThinkingSwitch::Budget(8000), ..Reasoning::default() };
        let cases = [
            (
                Dialect::Chat,
                ThinkingForm::Level,
                &high,
                r#"{"messages": [ ],"n":1e0}"#,
                r#"{"reasoning_effort":"high","messages": [ ],"n":1e0}"#,
            ),
            (
                Dialect::Responses,
                ThinkingForm::Level,
                &high,
                r#"{"input" : "x","reasoning":{"summary":"auto","effort":"low"}}"#,
                r#"{"input" : "x","reasoning":{"summary":"auto","effort":"high"}}"#,
            ),
            (
                Dialect::Messages,
                ThinkingForm::Budget,
                &budget,
                r#"{"max_tokens":32000, "messages":[]}"#,
                r#"{"thinking":{"type":"enabled","budget_tokens":8000},"max_tokens":32000, "messages":[]}"#,
            ),
            (
                Dialect::Gemini,
                ThinkingForm::Level,
                &high,
                r#"{"contents":[ ],"generation_config":{"temperature":1e0,"thinking_config":{"thinking_budget":5}}}"#,
                r#"{"contents":[ ],"generation_config":{"temperature":1e0,"thinking_config":{"thinkingLevel":"HIGH"}}}"#,
            ),
        ];
        for (dialect, form, wish, body, expected) in cases {
            let edits = thinking_edits(dialect, body.as_bytes(), wish, &facts(form));
            assert!(edits.losses.is_empty(), "{dialect:?}: {:?}", edits.losses);
            let out = splice(&bytes::Bytes::copy_from_slice(body.as_bytes()), edits.value);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{dialect:?}");
        }
    }

    #[test]
    fn a_wish_that_a_model_cannot_be_told_is_a_loss_of_its_name() {
        let high = Reasoning { effort: Some(Effort::High), ..Reasoning::default() };
        for (dialect, body) in [
            (Dialect::Chat, r#"{"messages":[]}"#),
            (Dialect::Responses, r#"{"input":"x"}"#),
            (Dialect::Messages, r#"{"max_tokens":9000,"messages":[]}"#),
            (Dialect::Gemini, r#"{"contents":[]}"#),
        ] {
            let edits = thinking_edits(dialect, body.as_bytes(), &high, &ModelFacts::default());
            let lost: Vec<_> = edits.losses.iter().map(|loss| (loss.field.as_str(), loss.action)).collect();
            assert_eq!((edits.value.len(), lost), (0, vec![("model", LossAction::Dropped)]), "{dialect:?}");
        }
    }
}
