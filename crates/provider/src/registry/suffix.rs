//! What the name of a model may say about thinking: `model(high)`, `model(8192)`, `model-thinking-8000`, `model-thinking`.
//!
//! Many tools have a place for the name of a model and none for the effort, so people write it there.

use byok_translate::ir::{Reasoning, ThinkingSwitch};
use byok_types::Effort;

/// Divides a name into that of the model and the wish behind it. `is_known` tells whether a name is that of a model: only
/// then `-thinking` at its end is a wish, because some models are really called so.
pub(super) fn split(name: &str, is_known: impl Fn(&str) -> bool) -> Option<(&str, Reasoning)> {
    if let Some((model, word)) = name.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        let model = model.trim_end();
        return (!model.is_empty()).then_some(model).zip(wish(word.trim()));
    }
    let (model, amount) = match name.rsplit_once("-thinking-") {
        Some((model, number)) => (model, Some(number)),
        None => (name.strip_suffix("-thinking")?, None),
    };
    if model.is_empty() || !is_known(model) {
        return None;
    }
    match amount {
        None => Some((model, switched(ThinkingSwitch::On))),
        Some(number) => Some((model, budget(number.parse().ok()?))),
    }
}

fn wish(word: &str) -> Option<Reasoning> {
    if let Ok(tokens) = word.parse() {
        return Some(budget(tokens));
    }
    let effort = match word.to_ascii_lowercase().as_str() {
        "none" | "off" => return Some(switched(ThinkingSwitch::Off)),
        "auto" | "dynamic" | "-1" => return Some(switched(ThinkingSwitch::Dynamic)),
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::Xhigh,
        "max" => Effort::Max,
        _ => return None,
    };
    Some(Reasoning { effort: Some(effort), by_name: true, ..Reasoning::default() })
}

fn switched(switch: ThinkingSwitch) -> Reasoning {
    Reasoning { switch, by_name: true, ..Reasoning::default() }
}

fn budget(tokens: u32) -> Reasoning {
    switched(if tokens == 0 { ThinkingSwitch::Off } else { ThinkingSwitch::Budget(tokens) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t129_names_are_divided_where_they_say_something_of_thinking() {
        let effort = |effort| Reasoning { effort: Some(effort), by_name: true, ..Reasoning::default() };
        for (name, expected) in [
            ("gpt-x(high)", Some(("gpt-x", effort(Effort::High)))),
            ("gpt-x (XHIGH)", Some(("gpt-x", effort(Effort::Xhigh)))),
            ("claude/m(8192)", Some(("claude/m", switched(ThinkingSwitch::Budget(8192))))),
            ("m(none)", Some(("m", switched(ThinkingSwitch::Off)))),
            ("m(0)", Some(("m", switched(ThinkingSwitch::Off)))),
            ("m(auto)", Some(("m", switched(ThinkingSwitch::Dynamic)))),
            ("known-thinking-8000", Some(("known", switched(ThinkingSwitch::Budget(8000))))),
            ("known-thinking", Some(("known", switched(ThinkingSwitch::On)))),
            ("other-thinking", None),
            ("other-thinking-8000", None),
            ("known-thinking-fast", None),
            ("m(fast)", None),
            ("(high)", None),
            ("m", None),
        ] {
            assert_eq!(split(name, |model| model == "known"), expected, "{name}");
        }
    }
}
