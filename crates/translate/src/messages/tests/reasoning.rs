//! Reasoning as it is sent, and what it is weighed against.

use super::*;
use crate::ir::{
    Blob, BlobSlot, MaxTokens, MaxTokensSpelling, Reasoning, Thinking, ThinkingSwitch, ToolChoice, Visibility,
};
use serde_json::json;

fn adaptive() -> ModelFacts {
    let mut facts = claude();
    facts.thinking.forms = vec![ThinkingForm::Adaptive, ThinkingForm::Effort];
    facts.thinking.can_disable = false;
    facts
}

fn settings(request: &Request, facts: &ModelFacts) -> Value {
    let (body, _) = encoded(request, facts);
    json!([body["thinking"], body["output_config"]["effort"], body["max_tokens"]])
}

fn asks(dialect: Dialect, switch: ThinkingSwitch, effort: Option<Effort>, cap: Option<u64>) -> Request {
    let mut request = foreign(dialect, vec![says(Role::User, "x")]);
    request.reasoning = Reasoning { switch, effort, ..Reasoning::default() };
    request.max_tokens = cap.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxTokens });
    request
}

#[test]
fn t79_t80_t110_every_model_is_asked_in_its_own_form() {
    use Dialect::{Chat, Gemini, Messages};
    use ThinkingSwitch::{BetweenTools, Budget, Off, On, Unset};
    let budget = |tokens: u32| json!({"type": "enabled", "budget_tokens": tokens});
    let shown = |mut thinking: Value| {
        thinking["display"] = "summarized".into();
        thinking
    };
    let on = json!({"type": "adaptive"});
    let none = Value::Null;
    let cases = vec![
        (asks(Chat, Unset, None, None), claude(), json!([none, none, 64_000])),
        (
            asks(Chat, Unset, Some(Effort::High), None),
            old_claude(),
            json!([shown(budget(24_576)), none, 64_000]),
        ),
        (
            asks(Chat, Unset, Some(Effort::Minimal), None),
            adaptive(),
            json!([shown(on.clone()), "low", 64_000]),
        ),
        (asks(Chat, Unset, Some(Effort::None), None), claude(), json!([{"type": "disabled"}, none, 64_000])),
        (asks(Chat, Unset, Some(Effort::None), None), adaptive(), json!([shown(on.clone()), "low", 64_000])),
        (asks(Gemini, Budget(2048), None, Some(8000)), old_claude(), json!([budget(2048), none, 8000])),
        (asks(Gemini, Budget(2048), None, Some(8000)), adaptive(), json!([on, "medium", 8000])),
        // The cap grows where the model allows it, else the budget shrinks, else there is none.
        (asks(Messages, Budget(32_000), None, Some(8000)), claude(), json!([budget(32_000), none, 40_000])),
        (
            asks(Messages, Budget(32_000), None, Some(8000)),
            ModelFacts { max_output_tokens: Some(8000), ..claude() },
            json!([budget(6400), none, 8000]),
        ),
        (
            asks(Messages, Budget(32_000), None, Some(1000)),
            ModelFacts { max_output_tokens: Some(8000), ..claude() },
            json!([budget(7000), none, 8000]),
        ),
        (
            asks(Messages, Budget(32_000), None, Some(900)),
            ModelFacts { max_output_tokens: Some(1000), ..claude() },
            json!([none, none, 900]),
        ),
        (asks(Messages, On, Some(Effort::Max), Some(9)), claude(), json!([{"type": "adaptive"}, "max", 9])),
        (asks(Messages, Unset, Some(Effort::Low), Some(9)), claude(), json!([none, "low", 9])),
        (asks(Messages, Off, None, Some(9)), claude(), json!([{"type": "disabled"}, none, 9])),
        (asks(Messages, Off, None, Some(9)), adaptive(), json!([none, "low", 9])),
        (asks(Messages, BetweenTools, None, Some(9)), claude(), json!([{"type": "between_tools"}, none, 9])),
        (asks(Messages, On, None, Some(40_000)), old_claude(), json!([budget(24_576), none, 40_000])),
        (
            asks(Messages, On, None, Some(9)),
            ModelFacts { thinking: ThinkingFacts::default(), ..claude() },
            json!([none, none, 9]),
        ),
    ];
    for (request, facts, expected) in cases {
        assert_eq!(settings(&request, &facts), expected, "{:?} {:?}", request.dialect, request.reasoning);
    }
}

#[test]
fn what_the_client_wants_to_see_is_asked_for() {
    for (visibility, expected) in [
        (Visibility::Hidden, json!("omitted")),
        (Visibility::Detailed, json!("summarized")),
        (Visibility::Unset, Value::Null),
    ] {
        let mut request = asks(Dialect::Responses, ThinkingSwitch::Unset, Some(Effort::High), None);
        request.reasoning.visibility = visibility;
        assert_eq!(encoded(&request, &claude()).0["thinking"]["display"], expected);
        let vertex = ModelFacts { first_party: false, ..claude() };
        assert_eq!(encoded(&request, &vertex).0["thinking"]["display"], Value::Null);
    }
}

#[test]
fn a_forced_tool_switches_a_budget_off_and_leaves_adaptive_on() {
    let mut request = asks(Dialect::Chat, ThinkingSwitch::Unset, Some(Effort::High), None);
    request.tools = vec![function("f")];
    request.tool_choice = Some(ToolChoice::Required);
    let (body, losses) = encoded(&request, &old_claude());
    assert_eq!(body["thinking"], Value::Null);
    assert_eq!(losses[0].field, "reasoning_effort");
    assert_eq!(encoded(&request, &adaptive()).0["thinking"]["type"], "adaptive");
    request.tools.clear();
    assert_eq!(encoded(&request, &old_claude()).0["thinking"]["type"], "enabled");
}

#[test]
fn t71_a_budget_needs_reasoning_in_the_turn_that_waits() {
    let signed = |family| {
        let blob = Blob { family, account: None, slot: BlobSlot::Thinking, data: "S".into() };
        Part::Thinking(Thinking { blob: Some(blob), ..Thinking::default() })
    };
    let on = |messages: Vec<Message>, facts: &ModelFacts| {
        let mut request = asks(Dialect::Chat, ThinkingSwitch::Unset, Some(Effort::High), None);
        request.messages = messages;
        encoded(&request, facts).0["thinking"]["type"].clone()
    };
    let turn = |parts: Vec<Part>, after: Vec<Message>| {
        let mut messages = vec![says(Role::User, "x"), Message::new(Role::Assistant, parts)];
        messages.extend(after);
        messages
    };
    let results = || vec![Message::new(Role::Tool, vec![result("a", "1")])];
    let old = old_claude();
    assert_eq!(on(turn(vec![call("a")], results()), &old), Value::Null);
    assert_eq!(on(turn(vec![signed(Family::Openai), call("a")], results()), &old), Value::Null);
    assert_eq!(on(turn(vec![signed(Family::Claude), call("a")], results()), &old), "enabled");
    assert_eq!(on(turn(vec![Part::text("done")], vec![says(Role::User, "y")]), &old), "enabled");
    assert_eq!(on(turn(vec![Part::text("prefill")], vec![]), &old), Value::Null);
    assert_eq!(on(turn(vec![call("a")], results()), &adaptive()), "adaptive");
}

#[test]
fn t105_sampling_gives_way_to_reasoning() {
    let mut request = asks(Dialect::Chat, ThinkingSwitch::Unset, Some(Effort::High), None);
    request.sampling.temperature = Some(0.3);
    request.sampling.top_p = Some(0.5);
    request.sampling.top_k = Some(5.0);
    let (body, losses) = encoded(&request, &claude());
    assert_eq!(json!([body["temperature"], body["top_p"], body["top_k"]]), json!([null, null, null]));
    assert_eq!(losses.len(), 3);
}

#[test]
fn reasoning_without_signature_returns_to_models_that_want_it() {
    let thinking = Part::Thinking(Thinking { summary: vec!["t".into()], ..Thinking::default() });
    let request = chat(vec![
        says(Role::User, "x"),
        Message::new(Role::Assistant, vec![thinking, call("a")]),
        Message::new(Role::Tool, vec![result("a", "1")]),
    ]);
    let mut facts = ModelFacts { family: Family::Other, first_party: false, ..claude() };
    facts.thinking.replay_text = true;
    let block = encoded(&request, &facts).0["messages"][1]["content"][0].clone();
    assert_eq!(block, json!({"type": "thinking", "thinking": "t"}));
}

/// What a client of `dialect` sends back of the answer that it got, told as a request to Claude.
fn back_to_claude(dialect: Dialect, request: &Value) -> Value {
    let bytes = request.to_string();
    let incoming = Incoming { body: bytes.as_bytes(), model: Some("claude-opus-5"), stream: None };
    let decoded = crate::codec::decode_request(dialect, &incoming).unwrap().value;
    let facts = ModelFacts { family: Family::Claude, ..adaptive() };
    let encoded = encode_request(&decoded, &facts, &mut Ids::new("x")).unwrap().value;
    let body: Value = serde_json::from_slice(&encoded).unwrap();
    let turns = body["messages"].as_array().unwrap();
    turns.iter().find(|turn| turn["role"] == "assistant").unwrap()["content"].clone()
}

#[test]
fn hidden_reasoning_comes_back_hidden_through_a_client_of_another_dialect() {
    let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5",
        "content": [
            {"type": "redacted_thinking", "data": "EHIDDEN1"},
            {"type": "thinking", "thinking": "I think.", "signature": "ESEEN"},
            {"type": "redacted_thinking", "data": "EHIDDEN2"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}],
        "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}});
    let wanted = &answer["content"].as_array().unwrap()[..3];
    let facts = ModelFacts { family: Family::Claude, ..adaptive() };
    for dialect in [Dialect::Responses, Dialect::Gemini] {
        let asked = Request::new(dialect, "claude-opus-5");
        let exchange = crate::Exchange::new(&asked, &facts, Dialect::Messages, 0, "seed");
        let events = crate::read_answer(answer.to_string().as_bytes(), &exchange).unwrap().value;
        let mut fold = crate::ir::Fold::default();
        for event in events {
            fold.push(event);
        }
        let told = crate::codec::encode_answer(&fold.finish().unwrap(), &exchange).value;
        let told: Value = serde_json::from_slice(&told).unwrap();
        let request = if dialect == Dialect::Responses {
            let mut input = vec![json!({"role": "user", "content": "Go."})];
            input.extend(told["output"].as_array().unwrap().iter().cloned());
            input.push(json!({"type": "function_call_output", "call_id": "toolu_1", "output": "done"}));
            json!({"model": "claude-opus-5", "input": input,
                "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}]})
        } else {
            json!({"contents": [
                {"role": "user", "parts": [{"text": "Go."}]},
                told["candidates"][0]["content"],
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "done"}}}]}],
                "tools": [{"functionDeclarations": [{"name": "f"}]}]})
        };
        let content = back_to_claude(dialect, &request);
        assert_eq!(content.as_array().unwrap()[..3], *wanted, "{dialect}: {content:#}");
    }
}

/// Whatever the client's cap: who asks for more thinking does not get less.
#[test]
fn more_effort_is_never_less_thinking() {
    for cap in [None, Some(1000), Some(2000), Some(20_000), Some(60_000), Some(64_000)] {
        let budgets: Vec<u64> = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max]
            .into_iter()
            .map(|effort| {
                let facts = ModelFacts { max_output_tokens: Some(64_000), ..old_claude() };
                let told = settings(&asks(Dialect::Chat, ThinkingSwitch::Unset, Some(effort), cap), &facts);
                let (budget, most) = (told[0]["budget_tokens"].as_u64().unwrap(), told[2].as_u64().unwrap());
                assert!(budget < most && most <= 64_000, "{cap:?} {effort:?}: {told}");
                budget
            })
            .collect();
        assert!(budgets.is_sorted(), "{cap:?}: {budgets:?}");
    }
}
