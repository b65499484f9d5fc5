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
fn a_wish_takes_the_place_of_what_the_body_says() {
    let none = Reasoning { switch: ThinkingSwitch::Off, ..Reasoning::default() };
    let auto = Reasoning { switch: ThinkingSwitch::Dynamic, ..Reasoning::default() };
    let high = Reasoning { effort: Some(Effort::High), ..Reasoning::default() };
    let budget = Reasoning { switch: ThinkingSwitch::Budget(8000), ..Reasoning::default() };
    let waiting = r#"{"max_tokens":9000,"thinking":{"type":"disabled"},"messages":[{"role":"assistant","content":[{"type":"tool_use"}]},{"role":"user","content":[{"type":"tool_result"}]}]}"#;
    let cases = [
        (Dialect::Chat, ThinkingForm::Level, &auto, r#"{"reasoning_effort":"low","n":1}"#, r#"{"n":1}"#),
        (
            Dialect::Chat,
            ThinkingForm::Level,
            &auto,
            r#"{"n":1,"reasoning_effort":"low","thinking":1}"#,
            r#"{"n":1}"#,
        ),
        (
            Dialect::Chat,
            ThinkingForm::Adaptive,
            &none,
            r#"{"thinking":{"type":"enabled","clear_thinking":false},"reasoning_effort":"low"}"#,
            r#"{"thinking":{"clear_thinking":false,"type":"disabled"}}"#,
        ),
        (
            Dialect::Chat,
            ThinkingForm::Budget,
            &budget,
            r#"{"enable_thinking":false}"#,
            r#"{"thinking_budget":8000,"enable_thinking":true}"#,
        ),
        (
            Dialect::Responses,
            ThinkingForm::Level,
            &auto,
            r#"{"reasoning":{"summary":"auto","effort":"low"},"input":"x"}"#,
            r#"{"reasoning":{"summary":"auto"},"input":"x"}"#,
        ),
        (
            Dialect::Responses,
            ThinkingForm::Level,
            &auto,
            r#"{"input":"x","reasoning":{"effort":"low"}}"#,
            r#"{"input":"x"}"#,
        ),
        (
            Dialect::Messages,
            ThinkingForm::Adaptive,
            &high,
            r#"{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":5000,"display":"omitted"},"output_config":{"effort":"low"}}"#,
            r#"{"max_tokens":9000,"thinking":{"display":"omitted","type":"adaptive"},"output_config":{"effort":"high"}}"#,
        ),
        (
            Dialect::Messages,
            ThinkingForm::Budget,
            &none,
            r#"{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":5000,"display":"omitted"}}"#,
            r#"{"max_tokens":9000,"thinking":{"type":"disabled"}}"#,
        ),
        (
            Dialect::Messages,
            ThinkingForm::Budget,
            &budget,
            waiting,
            &waiting.replace(r#""thinking":{"type":"disabled"},"#, ""),
        ),
        (
            Dialect::Gemini,
            ThinkingForm::Level,
            &auto,
            r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"LOW"}}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}"#,
        ),
    ];
    for (dialect, form, wish, body, expected) in cases {
        let edits = thinking_edits(dialect, body.as_bytes(), wish, &facts(form));
        let out = splice(&bytes::Bytes::copy_from_slice(body.as_bytes()), edits.value);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{dialect:?} {wish:?}");
    }
}

/// Gemini counts thoughts towards the cap.
#[test]
fn a_budget_leaves_room_for_an_answer_of_gemini() {
    let budget = Reasoning { switch: ThinkingSwitch::Budget(8000), ..Reasoning::default() };
    let facts = ModelFacts { max_output_tokens: Some(65_536), ..facts(ThinkingForm::Budget) };
    for (body, expected) in [
        (
            r#"{"generationConfig":{"maxOutputTokens":3000,"topK":1e0}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":8000},"maxOutputTokens":11000,"topK":1e0}}"#,
        ),
        (
            r#"{"generation_config":{"max_output_tokens":9000}}"#,
            r#"{"generation_config":{"thinkingConfig":{"thinkingBudget":8000},"max_output_tokens":9000}}"#,
        ),
        (
            r#"{"generationConfig":{"maxOutputTokens":99999}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":8000},"maxOutputTokens":99999}}"#,
        ),
    ] {
        let edits = thinking_edits(Dialect::Gemini, body.as_bytes(), &budget, &facts);
        let out = splice(&bytes::Bytes::copy_from_slice(body.as_bytes()), edits.value);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

#[test]
fn sampling_gives_way_to_the_thinking_that_the_name_asks_for() {
    let budget = Reasoning { switch: ThinkingSwitch::Budget(8000), ..Reasoning::default() };
    let none = Reasoning { switch: ThinkingSwitch::Off, ..Reasoning::default() };
    let high = Reasoning { effort: Some(Effort::High), ..Reasoning::default() };
    let (by_budget, adaptive) = (ThinkingForm::Budget, ThinkingForm::Adaptive);
    let told = r#""thinking":{"type":"enabled","budget_tokens":8000},"#;
    let body = r#"{"model":"m","temperature":0,"max_tokens":16000,"top_k":5,"top_p":0.9}"#;
    let kept = r#"{"model":"m","temperature":1.0,"max_tokens":16000,"top_p":0.95}"#;
    let prefilled = r#"{"temperature":0,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"{"}],"max_tokens":16000}"#;
    let bare = r#"{"model":"m","max_tokens":16000}"#;
    let effort = r#""output_config":{"effort":"high"},"thinking":{"type":"adaptive"},"#;
    let insert = |members: &str, body: &str| body.replacen('{', &format!("{{{members}"), 1);
    for (form, wish, body, expected, lost) in [
        (by_budget, &budget, body, insert(told, bare), vec!["temperature", "top_p", "top_k"]),
        (by_budget, &budget, kept, insert(told, kept), vec![]),
        (by_budget, &none, body, insert(r#""thinking":{"type":"disabled"},"#, body), vec![]),
        (adaptive, &high, body, insert(effort, bare), vec!["temperature", "top_p", "top_k"]),
        (by_budget, &budget, prefilled, prefilled.to_owned(), vec!["model"]),
    ] {
        let edits = thinking_edits(Dialect::Messages, body.as_bytes(), wish, &facts(form));
        let found: Vec<_> = edits.losses.iter().map(|loss| loss.field.as_str()).collect();
        assert_eq!(found, lost, "{form:?} {body}");
        let out = splice(&bytes::Bytes::copy_from_slice(body.as_bytes()), edits.value);
        let (out, expected): (Value, Value) =
            (serde_json::from_slice(&out).unwrap(), serde_json::from_str(&expected).unwrap());
        assert_eq!(out, expected, "{form:?} {body}");
    }
}

/// Counting takes no cap, so there is none where the body has none.
#[test]
fn a_body_whose_tokens_are_counted_gets_no_cap() {
    let high = Reasoning { effort: Some(Effort::High), by_name: true, ..Reasoning::default() };
    for form in [ThinkingForm::Budget, ThinkingForm::Adaptive] {
        let body = br#"{"model":"m","messages":[]}"#;
        let edits = thinking_edits(Dialect::Messages, body, &high, &facts(form));
        let out = splice(&bytes::Bytes::from_static(body), edits.value);
        let out: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((out.get("max_tokens"), out.get("thinking").is_some()), (None, true), "{form:?}");
    }
}

#[test]
fn a_model_of_which_nothing_is_known_is_told_what_its_name_says() {
    let high = Reasoning { effort: Some(Effort::High), by_name: true, ..Reasoning::default() };
    let facts = ModelFacts { thinking: ThinkingFacts::unknown(), ..ModelFacts::default() };
    for (dialect, body, expected) in [
        (Dialect::Chat, r#"{"n":1}"#, r#"{"reasoning_effort":"high","n":1}"#),
        (Dialect::Responses, r#"{"input":"x"}"#, r#"{"reasoning":{"effort":"high"},"input":"x"}"#),
        (
            Dialect::Messages,
            r#"{"max_tokens":32000}"#,
            r#"{"thinking":{"type":"enabled","budget_tokens":24576},"max_tokens":32000}"#,
        ),
        (
            Dialect::Gemini,
            r#"{"contents":[]}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH"}},"contents":[]}"#,
        ),
    ] {
        let edits = thinking_edits(dialect, body.as_bytes(), &high, &facts);
        assert!(edits.losses.is_empty(), "{dialect:?}: {:?}", edits.losses);
        let out = splice(&bytes::Bytes::copy_from_slice(body.as_bytes()), edits.value);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{dialect:?}");
    }
}

#[test]
fn a_wish_that_is_said_in_another_measure_is_reported_under_its_name() {
    let budget = |tokens| Reasoning { switch: ThinkingSwitch::Budget(tokens), ..Reasoning::default() };
    let level = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    for (dialect, form, wish, reported) in [
        (Dialect::Messages, ThinkingForm::Budget, budget(8192), true),
        (Dialect::Messages, ThinkingForm::Budget, budget(2048), false),
        (Dialect::Messages, ThinkingForm::Budget, budget(100), true),
        (Dialect::Chat, ThinkingForm::Level, level(Effort::High), false),
        (Dialect::Chat, ThinkingForm::Level, level(Effort::Max), true),
        (Dialect::Responses, ThinkingForm::Level, level(Effort::Max), true),
        (Dialect::Gemini, ThinkingForm::Level, level(Effort::Max), true),
        (Dialect::Gemini, ThinkingForm::Budget, budget(8192), false),
    ] {
        let mut facts = facts(form);
        facts.max_output_tokens = Some(4096);
        let edits = thinking_edits(dialect, br#"{"max_tokens":4096}"#, &wish, &facts);
        let found: Vec<_> = edits.losses.iter().map(|loss| (loss.field.as_str(), loss.action)).collect();
        let expected = if reported { vec![("model", LossAction::Emulated)] } else { vec![] };
        assert_eq!(found, expected, "{dialect:?} {wish:?}");
        assert!(!edits.value.is_empty(), "{dialect:?} {wish:?}");
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
