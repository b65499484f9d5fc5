#![expect(clippy::needless_pass_by_value, reason = "cases are written in place")]

use super::{Conversation, code, conversation, failure};
use crate::{Envelope, KEEP_ALIVE};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use byok_types::{FailureKind, Family};
use bytes::BytesMut;
use serde_json::{Value, json};

const WITH: Conversation<'static> = Conversation {
    model: "claude-sonnet-4.5",
    family: Family::Claude,
    takes_effort: true,
    profile: Some("arn:p"),
    origin: "AI_EDITOR",
    request_id: "r-1",
};

fn made(body: &Value) -> Value {
    serde_json::from_slice(&conversation(body.to_string().as_bytes(), &WITH).unwrap()).unwrap()
}

fn state(messages: Value) -> Value {
    made(&json!({"messages": messages}))["conversationState"].clone()
}

fn current(state: &Value) -> &Value {
    &state["currentMessage"]["userInputMessage"]
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "get", "input": {"a": 1}})
}

fn result(id: &str, text: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": text})
}

#[test]
fn a_plain_question() {
    let got = made(&json!({"system": "Be brief.", "messages": [{"role": "user", "content": "hello"}],
                           "max_tokens": 10, "temperature": 1, "stream": true, "output_config": {"effort": "high"}}));
    let id = got["conversationState"]["conversationId"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(
        got,
        json!({
            "conversationState": {
                "conversationId": id, "chatTriggerType": "MANUAL", "agentTaskType": "vibe",
                "agentContinuationId": got["conversationState"]["agentContinuationId"],
                "currentMessage": {"userInputMessage": {"content": "Be brief.\n\nhello", "modelId": "claude-sonnet-4.5", "origin": "AI_EDITOR"}},
            },
            "profileArn": "arn:p",
            "additionalModelRequestFields": {"output_config": {"effort": "high"}},
        }),
        "no empty context, no nulls, no sampling, no history"
    );
    // The same conversation goes on under the same id, the next request has another.
    let next = made(&json!({"system": "Be brief.", "messages": [{"role": "user", "content": "hello"},
        {"role": "assistant", "content": "hi"}, {"role": "user", "content": "more"}]}));
    assert_eq!(next["conversationState"]["conversationId"], id.as_str());
    let gpt = Conversation { family: Family::Openai, ..WITH };
    let body = json!({"messages": [{"role": "user", "content": "x"}], "output_config": {"effort": "low"}})
        .to_string();
    let got: Value = serde_json::from_slice(&conversation(body.as_bytes(), &gpt).unwrap()).unwrap();
    assert_eq!(got["additionalModelRequestFields"], json!({"reasoning": {"effort": "low"}}));
    let none = Conversation { takes_effort: false, profile: None, ..WITH };
    let got: Value = serde_json::from_slice(&conversation(body.as_bytes(), &none).unwrap()).unwrap();
    assert!(got.get("additionalModelRequestFields").is_none() && got.get("profileArn").is_none());
}

#[test]
fn turns_alternate_and_the_user_begins_and_ends() {
    let user = |text: &str| json!({"role": "user", "content": text});
    let assistant = |text: &str| json!({"role": "assistant", "content": text});
    let cases = [
        (json!([user("a"), user("b")]), vec![], "a\nb"),
        (json!([user("a"), assistant("x"), assistant("y"), user("b")]), vec!["a", "x\ny"], "b"),
        (json!([assistant("x"), user("b")]), vec![" ", "x"], "b"),
        (json!([user("a"), assistant("prefill")]), vec![], "a"),
        (json!([user("")]), vec![], " "),
        (json!([user("a"), assistant(""), user("b")]), vec!["a", " "], "b"),
    ];
    for (messages, history, last) in cases {
        let got = state(messages.clone());
        let texts: Vec<_> = got["history"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|turn| {
                turn.as_object().unwrap().values().next().unwrap()["content"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(texts, history, "{messages}");
        assert_eq!(current(&got)["content"], last, "{messages}");
        for (at, turn) in got["history"].as_array().into_iter().flatten().enumerate() {
            let key = if at % 2 == 0 { "userInputMessage" } else { "assistantResponseMessage" };
            assert!(turn.get(key).is_some(), "{turn}");
        }
    }
    for messages in [json!([]), json!([assistant("x")])] {
        let body = json!({"messages": messages}).to_string();
        assert_eq!(conversation(body.as_bytes(), &WITH).unwrap_err().param.as_deref(), Some("messages"));
    }
}

#[test]
fn calls_and_results_are_paired() {
    let user = |content: Value| json!({"role": "user", "content": content});
    let assistant = |content: Value| json!({"role": "assistant", "content": content});
    // What was sent, ids of calls and of results that are left, and the text of the last turn.
    let cases = [
        (
            json!([user(json!("q")), assistant(json!([call("1")])), user(json!([result("1", "ok")]))]),
            vec!["1"],
            vec!["1"],
            "",
        ),
        (
            json!([
                user(json!("q")),
                assistant(json!([call("1"), call("2")])),
                user(json!([result("1", "ok")]))
            ]),
            vec!["1"],
            vec!["1"],
            "",
        ),
        (
            json!([
                user(json!("q")),
                assistant(json!([call("1")])),
                user(json!([result("1", "ok"), result("1", "again")]))
            ]),
            vec!["1"],
            vec!["1"],
            "",
        ),
        (
            json!([
                user(json!("q")),
                assistant(json!([call("1"), call("1")])),
                user(json!([result("1", "ok")]))
            ]),
            vec!["1"],
            vec!["1"],
            "",
        ),
        (
            json!([user(json!("q")), assistant(json!([call("1")])), user(json!([result("9", "lost")]))]),
            vec![],
            vec![],
            "lost",
        ),
        (
            json!([user(json!("q")), assistant(json!([call("1")])), user(json!("never mind"))]),
            vec![],
            vec![],
            "never mind",
        ),
        (
            json!([user(json!([result("1", "first"), {"type": "text", "text": "q"}]))]),
            vec![],
            vec![],
            "q\nfirst",
        ),
    ];
    for (messages, calls, results, text) in cases {
        let got = state(messages.clone());
        let ids = |list: &Value| -> Vec<String> {
            list.as_array()
                .into_iter()
                .flatten()
                .map(|it| it["toolUseId"].as_str().unwrap().to_owned())
                .collect()
        };
        let history = got["history"].as_array().cloned().unwrap_or_default();
        let left =
            history.get(1).map(|turn| ids(&turn["assistantResponseMessage"]["toolUses"])).unwrap_or_default();
        let context = &current(&got)["userInputMessageContext"];
        assert_eq!(
            (left, ids(&context["toolResults"])),
            (
                calls.iter().map(ToString::to_string).collect(),
                results.iter().map(ToString::to_string).collect()
            ),
            "{messages}"
        );
        assert_eq!(current(&got)["content"], text, "{messages}");
        // A tool that the history calls is declared, and only in the last message.
        assert_eq!(context["tools"].as_array().map_or(0, Vec::len), calls.len().min(1), "{messages}");
        for turn in &history {
            let message = turn.as_object().unwrap().values().next().unwrap();
            assert!(message.pointer("/userInputMessageContext/tools").is_none());
            assert!(turn["assistantResponseMessage"].get("modelId").is_none());
        }
    }
}

#[test]
fn results_in_kiros_shape() {
    let got = state(json!([
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, call("1"), call("2"),
                                          {"type": "tool_use", "id": "3", "name": "get", "input": "text"}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "1", "is_error": true, "content": [{"type": "text", "text": "bad"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
            {"type": "tool_result", "tool_use_id": "2"}, result("3", "x")]},
    ]));
    assert_eq!(
        current(&got)["userInputMessageContext"]["toolResults"],
        json!([
            {"toolUseId": "1", "content": [{"text": "bad"}], "status": "error"},
            {"toolUseId": "2", "content": [{"text": " "}], "status": "success"},
            {"toolUseId": "3", "content": [{"text": "x"}], "status": "success"},
        ])
    );
    assert_eq!(current(&got)["images"], json!([{"format": "png", "source": {"bytes": "AAAA"}}]));
    let said = &got["history"][1]["assistantResponseMessage"];
    assert_eq!(said["content"], " ");
    assert_eq!(said["toolUses"][2]["input"], json!({}), "an input is an object");
    for (block, part) in [
        (json!({"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}), "pictures"),
        (
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "AA"}}),
            "pictures",
        ),
        (
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}}),
            "documents",
        ),
    ] {
        let body = json!({"messages": [{"role": "user", "content": [block]}]}).to_string();
        let error = conversation(body.as_bytes(), &WITH).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("messages[0].content[0]"));
        assert!(error.message.contains(part), "{}", error.message);
    }
}

fn tools(tools: Value, choice: Value) -> Vec<Value> {
    let got =
        made(&json!({"messages": [{"role": "user", "content": "q"}], "tools": tools, "tool_choice": choice}));
    current(&got["conversationState"])["userInputMessageContext"]["tools"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[test]
fn tools_are_made_acceptable() {
    let schema = |schema: Value| {
        let made = tools(json!([{"name": "a", "description": "d", "input_schema": schema}]), Value::Null);
        made[0]["toolSpecification"]["inputSchema"]["json"].clone()
    };
    for (sent, expected) in [
        (json!({}), json!({"type": "object", "properties": {}})),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": null, "$schema": "x"}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
        ),
        (
            json!({"type": ["object", "null"], "properties": null, "required": [1]}),
            json!({"type": "object", "properties": {}}),
        ),
        (
            json!({"type": "object", "properties": {"required": {"type": "object", "required": null}}, "required": ["required"]}),
            json!({"type": "object", "properties": {"required": {"type": "object"}}, "required": ["required"]}),
        ),
        (
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
        ),
    ] {
        assert_eq!(schema(sent.clone()), expected, "{sent}");
    }
    let names = |made: Vec<Value>| -> Vec<String> {
        made.iter().map(|tool| tool["toolSpecification"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let two = json!([{"name": "a", "input_schema": {}}, {"name": "_b", "input_schema": {}}, {"name": "A", "input_schema": {}},
                     {"type": "web_search_20250305", "name": "web_search"}]);
    assert_eq!(names(tools(two.clone(), Value::Null)), ["a", "byok-_b"]);
    assert_eq!(names(tools(two.clone(), json!({"type": "tool", "name": "_b"}))), ["byok-_b"]);
    assert!(tools(two.clone(), json!({"type": "none"})).is_empty());
    assert_eq!(names(tools(two, json!({"type": "any"}))).len(), 2);
    assert_eq!(
        tools(json!([{"name": "a", "input_schema": {}}]), Value::Null)[0]["toolSpecification"]["description"],
        "a"
    );
    let long = format!("{}é{}", "x".repeat(10_239), "y".repeat(50));
    let got = made(
        &json!({"messages": [{"role": "user", "content": "q"}], "tools": [{"name": "a", "description": long, "input_schema": {}}]}),
    );
    let message = current(&got["conversationState"]);
    let short = message
        .pointer("/userInputMessageContext/tools/0/toolSpecification/description")
        .unwrap()
        .as_str()
        .unwrap();
    assert_eq!(short.len(), 10_239);
    assert_eq!(message["content"], format!("Tool `a`, continued:\né{}\n\nq", "y".repeat(50)));
    let body = json!({"messages": [{"role": "user", "content": "q"}], "tools": [{"name": "a".repeat(65)}]})
        .to_string();
    assert_eq!(conversation(body.as_bytes(), &WITH).unwrap_err().param.as_deref(), Some("tools[0].name"));
}

fn frame(kind: (&str, &str, &str), payload: &Value) -> Vec<u8> {
    let (message, header, value) = kind;
    let text = |text: &str| HeaderValue::String(text.to_owned().into());
    let message = Message::new(payload.to_string())
        .add_header(Header::new(":message-type", text(message)))
        .add_header(Header::new(header.to_owned(), text(value)));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn event(name: &str, payload: Value) -> Vec<u8> {
    frame(("event", ":event-type", name), &payload)
}

fn exception(name: &str, payload: Value) -> Vec<u8> {
    frame(("exception", ":exception-type", name), &payload)
}

fn said(text: &str) -> Vec<u8> {
    event("assistantResponseEvent", json!({"content": text}))
}

fn opened(bytes: &[u8], cut: usize) -> Vec<Value> {
    let mut opener = Envelope::Kiro { window: Some(200_000) }.opener().unwrap();
    let mut out = BytesMut::new();
    opener.push(&bytes[..cut], &mut out);
    opener.push(&bytes[cut..], &mut out);
    opener.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    let _ = KEEP_ALIVE;
    text.split("\n\n")
        .filter(|frame| !frame.is_empty())
        .map(|frame| {
            let (name, data) = frame.split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap()));
            data
        })
        .collect()
}

/// What a client sees, in short.
fn short(events: &[Value]) -> Vec<String> {
    let one = |event: &Value| match event["type"].as_str().unwrap() {
        "message_start" => "start".to_owned(),
        "content_block_start" => {
            let block = &event["content_block"];
            format!(
                "{}+{}{}",
                event["index"],
                block["type"].as_str().unwrap(),
                block["name"].as_str().map(|name| format!(" {name}")).unwrap_or_default()
            )
        }
        "content_block_delta" => {
            let delta = event["delta"].as_object().unwrap();
            format!("{}:{}", event["index"], delta.values().nth(1).unwrap().as_str().unwrap())
        }
        "content_block_stop" => format!("{}-", event["index"]),
        "message_delta" => format!("{} {}", event["delta"]["stop_reason"].as_str().unwrap(), event["usage"]),
        "error" => format!(
            "{} {}",
            event["error"]["type"].as_str().unwrap(),
            event.pointer("/error/details/error_code").and_then(Value::as_str).unwrap_or("-")
        ),
        other => other.to_owned(),
    };
    events.iter().map(one).collect()
}

#[test]
fn a_stream_at_every_cut() {
    let bytes = [
        event("messageMetadataEvent", json!({"conversationId": "c"})),
        event("reasoningContentEvent", json!({"text": "hm"})),
        event("reasoningContentEvent", json!({"signature": "sig"})),
        said("ha"),
        said("ha"),
        said("é"),
        event("toolUseEvent", json!({"toolUseId": "1", "name": "byok-_get"})),
        event("toolUseEvent", json!({"toolUseId": "1", "name": "byok-_get", "input": "{\"a\""})),
        event("toolUseEvent", json!({"toolUseId": "1", "name": "byok-_get", "input": ":1}"})),
        event("toolUseEvent", json!({"toolUseId": "1", "name": "byok-_get", "stop": true})),
        event("contextUsageEvent", json!({"contextUsagePercentage": 1.5})),
        event("meteringEvent", json!({"usage": 0.1, "unit": "credit"})),
        event("metadataEvent", json!({"tokenUsage": {"uncachedInputTokens": 5, "outputTokens": 7, "totalTokens": 14, "cacheReadInputTokens": 2}})),
    ]
    .concat();
    let expected = [
        "start",
        "0+thinking",
        "0:hm",
        "0:sig",
        "0-",
        "1+text",
        "1:ha",
        "1:ha",
        "1:é",
        "1-",
        "2+tool_use _get",
        "2:{\"a\"",
        "2::1}",
        "2-",
        "tool_use {\"input_tokens\":5,\"cache_read_input_tokens\":2,\"cache_creation_input_tokens\":0,\"output_tokens\":7}",
        "message_stop",
    ];
    for cut in 0..=bytes.len() {
        assert_eq!(short(&opened(&bytes, cut)), expected, "cut at {cut}");
    }
}

#[test]
fn calls_that_overlap_stay_apart() {
    let piece = |id: &str, input: Value, stop: bool| {
        event("toolUseEvent", json!({"toolUseId": id, "name": id, "input": input, "stop": stop}))
    };
    let cases: Vec<(Vec<u8>, Vec<&str>)> = vec![
        (
            [
                piece("a", json!("{\"x\""), false),
                piece("b", json!("{"), false),
                piece("a", json!(":1}"), true),
                piece("b", json!("}"), true),
            ]
            .concat(),
            vec!["0+tool_use a", "0:{\"x\"", "0::1}", "0-", "1+tool_use b", "1:{", "1:}", "1-"],
        ),
        (
            [
                piece("a", json!("{"), false),
                piece("b", json!("{}"), true),
                piece("c", json!("{}"), true),
                piece("a", json!("}"), true),
            ]
            .concat(),
            vec![
                "0+tool_use a",
                "0:{",
                "0:}",
                "0-",
                "1+tool_use b",
                "1:{}",
                "1-",
                "2+tool_use c",
                "2:{}",
                "2-",
            ],
        ),
        // A name alone, words, and then the rest: it is one call, and the words come behind it.
        (
            [
                event("toolUseEvent", json!({"toolUseId": "a", "name": "a"})),
                said("x"),
                piece("a", json!("{\"x\""), false),
                event("reasoningContentEvent", json!({"text": "hm"})),
                piece("a", json!(":1}"), true),
            ]
            .concat(),
            vec![
                "0+tool_use a",
                "0:{\"x\"",
                "0::1}",
                "0-",
                "1+text",
                "1:x",
                "1-",
                "2+thinking",
                "2:hm",
                "2-",
            ],
        ),
        // What comes late for a call that is over is no part of the next one, and no call of its own.
        (
            [
                piece("a", json!("{}"), true),
                piece("b", json!("{"), false),
                piece("a", json!("{}"), true),
                piece("b", json!("}"), true),
                piece("a", Value::Null, true),
            ]
            .concat(),
            vec!["0+tool_use a", "0:{}", "0-", "1+tool_use b", "1:{", "1:}", "1-"],
        ),
        ([piece("a", json!({"x": 1}), true)].concat(), vec!["0+tool_use a", "0:{\"x\":1}", "0-"]),
        ([piece("a", Value::Null, true)].concat(), vec!["0+tool_use a", "0-"]),
        // Without a stop, but whole.
        ([piece("a", json!("{}"), false)].concat(), vec!["0+tool_use a", "0:{}", "0-"]),
        (
            [piece("a", json!("{}"), false), said("x")].concat(),
            vec!["0+tool_use a", "0:{}", "0-", "1+text", "1:x", "1-"],
        ),
    ];
    for (bytes, expected) in cases {
        let got = short(&opened(&bytes, 0));
        assert_eq!(got[1..got.len() - 2], expected);
        assert!(got[got.len() - 2].starts_with("tool_use "), "{got:?}");
    }
}

#[test]
fn an_input_may_come_as_an_object() {
    let piece = |id: &str, input: Value, stop: bool| {
        event("toolUseEvent", json!({"toolUseId": id, "name": id, "input": input, "stop": stop}))
    };
    let cases: Vec<(Vec<u8>, Vec<&str>)> = vec![
        // An object is all of the input: an empty one at the beginning is nothing, one at the end repeats or completes.
        (
            [
                piece("a", json!({}), false),
                piece("a", json!("{\"x\":1}"), false),
                piece("a", json!({"x": 1}), true),
            ]
            .concat(),
            vec!["0+tool_use a", "0:{\"x\":1}", "0-"],
        ),
        (
            [
                piece("a", json!("{\"x\":"), false),
                piece("a", json!({"x": 1}), false),
                piece("a", json!("}"), true),
            ]
            .concat(),
            vec!["0+tool_use a", "0:{\"x\":", "0:1}", "0-"],
        ),
        (
            [
                piece("a", json!("{"), false),
                piece("b", json!("{\"y\":"), false),
                piece("b", json!({"x": 1}), true),
                piece("a", json!("}"), true),
            ]
            .concat(),
            vec!["0+tool_use a", "0:{", "0:}", "0-", "1+tool_use b", "1:{\"x\":1}", "1-"],
        ),
    ];
    for (bytes, expected) in cases {
        let got = short(&opened(&bytes, 0));
        assert_eq!(got[1..got.len() - 2], expected);
    }
}

#[test]
fn how_an_answer_ends() {
    let cut_call = event("toolUseEvent", json!({"toolUseId": "1", "name": "g", "input": "{\"a\":"}));
    let whole = said("x");
    let mut damaged = whole.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let mut huge = whole.clone();
    huge[0] = 0x7f;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (whole.clone(), "end_turn null"),
        (
            [whole.clone(), event("contextUsageEvent", json!({"contextUsagePercentage": 10}))].concat(),
            "end_turn {\"input_tokens\":19999}",
        ),
        (
            [
                whole.clone(),
                event("metadataEvent", json!({"tokenUsage": {"contextUsagePercentage": 10}})),
            ]
            .concat(),
            "end_turn {\"input_tokens\":19999}",
        ),
        (
            [
                whole.clone(),
                event("metadataEvent", json!({"tokenUsage": {"uncachedInputTokens": 5, "cacheReadInputTokens": 2, "totalTokens": 10}})),
            ]
            .concat(),
            "end_turn {\"input_tokens\":5,\"cache_read_input_tokens\":2,\"cache_creation_input_tokens\":0,\"output_tokens\":3}",
        ),
        // An object that contradicts what was said already: nothing is made up.
        (
            [
                event("toolUseEvent", json!({"toolUseId": "1", "name": "g", "input": "{\"a\":"})),
                event("toolUseEvent", json!({"toolUseId": "1", "name": "g", "input": {"b": 1}, "stop": true})),
            ]
            .concat(),
            "api_error -",
        ),
        (
            [whole.clone(), event("contextUsageEvent", json!({"contextUsagePercentage": 100.0}))].concat(),
            "model_context_window_exceeded {\"input_tokens\":199999}",
        ),
        (
            [whole.clone(), exception("ContentLengthExceededException", json!({"message": "x"}))].concat(),
            "max_tokens null",
        ),
        // Cut off: no end.
        ([whole.clone(), cut_call].concat(), ""),
        ([whole.clone(), said("y")[..20].to_vec()].concat(), ""),
        ([whole.clone(), said("y")[..5].to_vec()].concat(), ""),
        (event("meteringEvent", json!({})), ""),
        (Vec::new(), ""),
        // Errors end it, and nothing follows.
        (
            [
                exception(
                    "ThrottlingException",
                    json!({"message": "m", "reason": "INSUFFICIENT_MODEL_CAPACITY"}),
                ),
                whole.clone(),
            ]
            .concat(),
            "overloaded_error INSUFFICIENT_MODEL_CAPACITY",
        ),
        (exception("ThrottlingException", json!({"message": "slow"})), "rate_limit_error -"),
        (
            exception("AccessDeniedException", json!({"message": "m", "reason": "TEMPORARILY_SUSPENDED"})),
            "permission_error TEMPORARILY_SUSPENDED",
        ),
        (
            exception("ValidationException", json!({"message": "Input is too long."})),
            "invalid_request_error CONTENT_LENGTH_EXCEEDS_THRESHOLD",
        ),
        (exception("InternalServerException", json!({"message": "m"})), "api_error -"),
        (event("error", json!({"message": "m"})), "api_error -"),
        (
            event("invalidStateEvent", json!({"reason": "INVALID_TASK_ASSIST_PLAN", "message": "m"})),
            "invalid_request_error INVALID_TASK_ASSIST_PLAN",
        ),
        (frame(("error", ":error-code", "ServiceUnavailableException"), &json!({})), "overloaded_error -"),
        (damaged, "api_error -"),
        (huge, "api_error -"),
        (b"<html><body>a page that is long enough".to_vec(), "api_error -"),
    ];
    for (bytes, expected) in cases {
        let got = short(&opened(&bytes, bytes.len() / 2));
        let end = match got.last().map(String::as_str) {
            Some("message_stop") => got[got.len() - 2].clone(),
            Some(last) if last.contains("_error") => last.to_owned(),
            _ => String::new(),
        };
        assert_eq!(end, expected, "{got:?}");
    }
}

#[test]
fn every_bit_flipped_is_noticed_or_harmless() {
    let bytes = [said("hello"), event("metadataEvent", json!({"tokenUsage": {"outputTokens": 1}}))].concat();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let got = short(&opened(&damaged, 0));
            assert_ne!(
                got.last().map(String::as_str),
                Some("message_stop"),
                "byte {at}, bit {bit}: checksums catch it"
            );
        }
    }
}

#[test]
fn refusals() {
    use FailureKind::{
        Auth, BadRequest, ContextTooLong, NotFound, Overloaded, Permission, QuotaWindow, RateLimit, Server,
    };
    let body = |message: &str, reason: Value| json!({"message": message, "reason": reason}).to_string();
    let cases = [
        (400, body("Input is too long.", Value::Null), ContextTooLong, Some(code::TOO_LONG)),
        (400, body("m", json!("CONTENT_LENGTH_EXCEEDS_THRESHOLD")), ContextTooLong, Some(code::TOO_LONG)),
        (400, body("m", json!("PROMPT_TOO_LONG")), ContextTooLong, Some(code::TOO_LONG)),
        (400, body("m", json!("INVALID_MODEL_ID")), NotFound, Some(code::MODEL)),
        (
            400,
            body("Invalid model. Please select a different model to continue.", Value::Null),
            NotFound,
            Some(code::MODEL),
        ),
        (400, body("Improperly formed request.", Value::Null), BadRequest, None),
        (400, body("m", json!("TOOL_DUPLICATE")), BadRequest, Some("TOOL_DUPLICATE")),
        (400, body("profileArn is required for this request.", Value::Null), BadRequest, Some(code::PROFILE)),
        (401, body("m", Value::Null), Auth, Some(code::INVALID_BEARER)),
        (
            403,
            body("The bearer token included in the request is invalid.", Value::Null),
            Auth,
            Some(code::INVALID_BEARER),
        ),
        (402, body("m", json!("MONTHLY_REQUEST_COUNT")), QuotaWindow, Some(code::MONTH)),
        (402, body("m", Value::Null), QuotaWindow, Some(code::MONTH)),
        (
            402,
            body("m", json!("CONVERSATION_LIMIT_EXCEEDED")),
            BadRequest,
            Some("CONVERSATION_LIMIT_EXCEEDED"),
        ),
        (429, body("m", json!("MONTHLY_REQUEST_COUNT")), QuotaWindow, Some(code::MONTH)),
        (400, body("m", json!("MONTHLY_REQUEST_COUNT")), QuotaWindow, Some(code::MONTH)),
        (402, body("m", json!("OVERAGE_REQUEST_LIMIT_EXCEEDED")), QuotaWindow, Some(code::OVERAGE)),
        (403, body("m", json!("TEMPORARILY_SUSPENDED")), Permission, Some(code::SUSPENDED)),
        (423, body("m", Value::Null), Permission, Some(code::SUSPENDED)),
        (423, String::new(), Permission, Some(code::SUSPENDED)),
        (
            403,
            json!({"__type": "x#AccountSuspendedException", "message": "m"}).to_string(),
            Permission,
            Some(code::SUSPENDED),
        ),
        (
            403,
            body("Your User ID (d-1) temporarily is suspended. We detected", Value::Null),
            Permission,
            Some(code::SUSPENDED),
        ),
        (403, body("m", json!("FEATURE_NOT_SUPPORTED")), Permission, Some("FEATURE_NOT_SUPPORTED")),
        (
            429,
            body("I am experiencing high traffic, please try again shortly.", Value::Null),
            Overloaded,
            Some(code::NO_CAPACITY),
        ),
        (429, body("m", json!("INSUFFICIENT_MODEL_CAPACITY")), Overloaded, Some(code::NO_CAPACITY)),
        (
            500,
            body(
                "Encountered unexpectedly high load when processing the request, please try again.",
                Value::Null,
            ),
            Overloaded,
            Some(code::NO_CAPACITY),
        ),
        (500, body("m", json!("MODEL_TEMPORARILY_UNAVAILABLE")), Overloaded, Some(code::NO_CAPACITY)),
        (
            429,
            body("Due to suspicious activity, we are imposing temporary limits", Value::Null),
            RateLimit,
            Some(code::WATCHED),
        ),
        (429, body("m", json!("USER_REQUEST_RATE_EXCEEDED")), RateLimit, Some("USER_REQUEST_RATE_EXCEEDED")),
        (429, body("m", json!("DAILY_REQUEST_COUNT")), RateLimit, Some("DAILY_REQUEST_COUNT")),
        (500, body("m", Value::Null), Server, None),
        (503, String::new(), Overloaded, None),
        (500, "<html>".into(), Server, None),
    ];
    for (status, body, kind, code) in cases {
        let got = failure(status, None, body.as_bytes());
        assert_eq!((got.kind, got.code.as_deref(), got.status), (kind, code, status), "{status} {body}");
        assert!(!got.message.is_empty());
        let waits = got.message.contains("Try again later");
        assert!(!waits || got.code.is_none(), "nobody waits for a locked account: {}", got.message);
        if kind == ContextTooLong {
            assert!(got.message.starts_with("prompt is too long"), "{}", got.message);
        }
    }
}

#[test]
fn what_the_answer_took_is_estimated_where_kiro_tells_only_the_window() {
    use crate::{Exchange, Progress, StreamReader, ir::Request};
    let bytes =
        [said(&"word ".repeat(400)), event("contextUsageEvent", json!({"contextUsagePercentage": 3.5}))]
            .concat();
    let facts = byok_types::ModelFacts::default();
    let request = Request::new(byok_types::Dialect::Messages, "m");
    let exchange = Exchange::new(&request, &facts, byok_types::Dialect::Messages, 0, "seed");
    let mut opener = Envelope::Kiro { window: Some(200_000) }.opener().unwrap();
    let mut told = BytesMut::new();
    opener.push(&bytes, &mut told);
    opener.finish(&mut told);
    let mut reader = StreamReader::new(&exchange, 1 << 20);
    let (mut events, mut progress) = (Vec::new(), Progress::default());
    reader.push(&told, &mut events);
    reader.finish(&mut events);
    for event in &events {
        progress.note(event);
    }
    let usage = progress.usage.unwrap();
    assert!(usage.output.is_some_and(|output| output > 300) && usage.estimated, "{usage:?}");
    assert!(usage.input.is_some_and(|input| (6000..7000).contains(&input)), "{usage:?}");
}
