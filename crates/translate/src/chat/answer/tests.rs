use super::*;
use crate::ir::{
    Blob, BlobSlot, CitationPlace, CustomTool, Extra, Family, Request, Stop, StopReason, Tool, Usage,
};
use crate::{Json, chat::decode_answer};
use byok_types::ModelFacts;
use serde_json::{Value, json};

fn exchange() -> Exchange {
    let mut request = Request::new(Dialect::Chat, "m");
    request.tools = vec![Tool::Custom(CustomTool { name: "patch".into(), ..CustomTool::default() })];
    Exchange::new(&request, &ModelFacts::default(), Dialect::Chat, 1, "seed")
}

fn written(parts: Vec<Part>, reason: StopReason) -> Value {
    let response = Response {
        model: Some("upstream".into()),
        choices: vec![Choice { parts, stop: Some(Stop::new(reason)) }],
        ..Response::default()
    };
    serde_json::from_slice(&encode_answer(&response, &exchange()).value).unwrap()
}

fn message(parts: Vec<Part>) -> Value {
    written(parts, StopReason::End)["choices"][0]["message"].clone()
}

fn call(name: &str, flavour: Flavour, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        call_id: "c".into(),
        name: name.into(),
        flavour,
        arguments: arguments.into(),
        ..ToolCall::default()
    })
}

#[test]
fn who_declares_functions_gets_the_call_of_a_function() {
    let exchange = Exchange { old_functions: true, ..exchange() };
    for (calls, arguments, losses) in [(&["{}"][..], "{}", 0), (&["", "{\"b\":1}"], "{}", 1)] {
        let parts = calls.iter().map(|arguments| call("f", Flavour::Function, arguments)).collect();
        let stop = Some(Stop::new(StopReason::ToolCall));
        let response = Response { choices: vec![Choice { parts, stop }], ..Response::default() };
        let written = encode_answer(&response, &exchange);
        let answer: Value = serde_json::from_slice(&written.value).unwrap();
        assert_eq!(
            answer["choices"][0],
            json!({
                "index": 0,
                "message": {"role": "assistant", "content": null, "refusal": null,
                    "function_call": {"name": "f", "arguments": arguments}},
                "logprobs": null, "finish_reason": "function_call",
            })
        );
        assert_eq!(written.losses.len(), losses);
    }
}

#[test]
fn an_answer_has_every_member_that_clients_demand() {
    let response = Response {
        id: Some("upstream".into()),
        model: Some("upstream".into()),
        created: Some(99),
        choices: vec![Choice { parts: vec![Part::text("hi")], stop: Some(Stop::default()) }],
        usage: Some(Usage {
            input: Some(2),
            output: Some(3),
            service_tier: Some("default".into()),
            ..Usage::default()
        }),
        extra: Extra::new(Dialect::Chat, vec![("system_fingerprint".into(), Json::string("fp"))]),
    };
    let exchange = exchange();
    let answer: Value = serde_json::from_slice(&encode_answer(&response, &exchange).value).unwrap();
    assert_eq!(
        answer,
        json!({
            "id": exchange.ids.clone().next("chatcmpl-"),
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": "hi", "refusal": null},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0, "audio_tokens": 0,
                    "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
                },
            },
            "service_tier": "default",
            "system_fingerprint": "fp",
        })
    );
}

#[test]
fn parts_go_to_their_members() {
    let thinking = Part::Thinking(Thinking { summary: vec!["r".into(), "s".into()], ..Thinking::default() });
    let empty = Part::Thinking(Thinking { redacted: true, ..Thinking::default() });
    let refusal = Part::Refusal(Refusal { text: "no".into(), ..Refusal::default() });
    let calls =
        |entry: Value| json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [entry]});
    let cases = [
        (vec![], json!({"role": "assistant", "content": "", "refusal": null})),
        (
            vec![thinking, empty, Part::text("a"), Part::text("b")],
            json!({"role": "assistant", "content": "ab", "refusal": null, "reasoning_content": "r\n\ns"}),
        ),
        (vec![refusal], json!({"role": "assistant", "content": null, "refusal": "no"})),
        (
            vec![call("f", Flavour::Function, "")],
            calls(json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}})),
        ),
        (
            vec![call("patch", Flavour::Custom, "x")],
            calls(json!({"id": "c", "type": "custom", "custom": {"name": "patch", "input": "x"}})),
        ),
        (
            vec![call("f", Flavour::Custom, "x")],
            calls(
                json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"input\":\"x\"}"}}),
            ),
        ),
    ];
    for (parts, expected) in cases {
        assert_eq!(message(parts.clone()), expected, "{parts:?}");
    }
}

#[test]
fn citations_count_from_the_beginning_of_the_message() {
    let text = |text: &str, citations| Part::Text(Text { citations, ..Text::new(text) });
    let citation = Citation {
        place: CitationPlace::Web { url: "https://x".into(), encrypted_index: None },
        title: Some("X".into()),
        start: Some(0),
        end: Some(2),
        ..Citation::default()
    };
    let message = message(vec![text("äö", vec![]), text("bc", vec![citation, Citation::default()])]);
    assert_eq!(
        message["annotations"],
        json!([{"type": "url_citation", "url_citation": {"url": "https://x", "title": "X", "start_index": 2, "end_index": 4}}])
    );
}

#[test]
fn t123_stops_are_official_words() {
    let calls = || vec![call("f", Flavour::Function, "{}")];
    for (parts, reason, expected) in [
        (calls(), StopReason::End, "tool_calls"),
        (vec![], StopReason::ToolCall, "stop"),
        (vec![], StopReason::Refusal, "content_filter"),
        (vec![], StopReason::Pause, "stop"),
        (calls(), StopReason::Length, "length"),
    ] {
        assert_eq!(written(parts, reason)["choices"][0]["finish_reason"], expected);
    }
}

#[test]
fn signatures_logprobs_and_several_choices_come_back() {
    let blob =
        Blob { family: Family::Claude, account: Some("a1".into()), slot: BlobSlot::Call, data: "S".into() };
    let signed = Part::ToolCall(ToolCall {
        call_id: "c".into(),
        name: "f".into(),
        arguments: "{}".into(),
        blob: Some(blob),
        ..ToolCall::default()
    });
    let text = Part::Text(Text { logprobs: Json::parse(r#"[{"token":"a"}]"#).ok(), ..Text::new("a") });
    let choices = vec![
        Choice { parts: vec![text], stop: Some(Stop::new(StopReason::Length)) },
        Choice { parts: vec![signed], stop: Some(Stop::new(StopReason::ToolCall)) },
    ];
    let response = Response { choices: choices.clone(), ..Response::default() };
    let body = encode_answer(&response, &exchange()).value;
    let mut fold = crate::ir::Fold::default();
    for event in decode_answer(&body).unwrap() {
        fold.push(event);
    }
    let mut back = fold.finish().unwrap().choices;
    for stop in back.iter_mut().filter_map(|choice| choice.stop.as_mut()) {
        stop.word = None;
    }
    assert_eq!(back, choices);
}
