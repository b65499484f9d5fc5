//! Calls whose arguments are no JSON, and calls that the cap on the output cut off: one rule for all upstreams.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{DONE, Talk, call, deltas, finish, message, response},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// A call with these arguments as a stream, and whether the upstream says that its cap was reached.
fn stream(upstream: Dialect, arguments: &str, cap: bool) -> String {
    match upstream {
        CHAT => {
            let piece = json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}});
            deltas(&[call(&piece)]) + &finish(if cap { "length" } else { "tool_calls" }) + DONE
        }
        RESPONSES => {
            let item = |arguments: &str, status: &str| json!({"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "arguments": arguments, "status": status});
            let done = item(arguments, if cap { "incomplete" } else { "completed" });
            let stream = response(
                &[
                    json!({"type": "response.output_item.added", "output_index": 0, "item": item("", "in_progress")}),
                    json!({"type": "response.function_call_arguments.delta", "output_index": 0, "item_id": "fc_1", "delta": arguments}),
                    json!({"type": "response.output_item.done", "output_index": 0, "item": done}),
                ],
                &json!([done]),
            );
            let (from, to) = (
                "\"model\":\"up\",\"status\":\"completed\"",
                "\"model\":\"up\",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}",
            );
            if cap {
                assert!(stream.contains(from), "{stream}");
                stream.replace(from, to).replace("response.completed", "response.incomplete")
            } else {
                stream
            }
        }
        MESSAGES => message(
            &[
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": arguments}}),
                json!({"type": "content_block_stop", "index": 0}),
            ],
            if cap { "max_tokens" } else { "tool_use" },
        ),
        GEMINI => {
            let call = json!({"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "$.a", "stringValue": "x", "willContinue": true}], "willContinue": true}});
            let reason = if cap { "MAX_TOKENS" } else { "STOP" };
            let frame = json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [call]}, "finishReason": reason}],
                "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}, "modelVersion": "up"});
            format!("data: {frame}\n\n")
        }
    }
}

/// The same as a whole answer.
fn whole(upstream: Dialect, arguments: &str, cap: bool) -> Option<Value> {
    let function = json!({"name": "f", "arguments": arguments});
    let call = json!({"id": "a", "type": "function", "function": function});
    Some(match upstream {
        CHAT => {
            let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
            let reason = if cap { "length" } else { "tool_calls" };
            json!({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": reason}]})
        }
        RESPONSES => {
            let item = json!({"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "arguments": arguments, "status": "completed"});
            let details = if cap { json!({"reason": "max_output_tokens"}) } else { Value::Null };
            let status = if cap { "incomplete" } else { "completed" };
            json!({"id": "resp_1", "status": status, "output": [item], "incomplete_details": details})
        }
        // Their input is an object.
        _ => return None,
    })
}

/// How a client is told that the answer ended: in a stream, and in a whole answer.
fn ending(client: Dialect, told: &Value) -> String {
    let places: &[&str] = match client {
        CHAT => &["/choices/0/finish_reason"],
        RESPONSES => &[
            "/response/status",
            "/response/output/0/status",
            "/status",
            "/output/0/status",
            "/incomplete_details/reason",
            "/response/incomplete_details/reason",
        ],
        MESSAGES => &["/delta/stop_reason", "/stop_reason"],
        GEMINI => &["/candidates/0/finishReason"],
    };
    let words = places.iter().filter_map(|place| told.pointer(place)?.as_str());
    words.collect::<Vec<_>>().join(" ")
}

/// The rule of `Event::Finish`, for every upstream and every client: a call that breaks off makes the cap the end, whatever
/// the upstream calls it, and one that is no JSON is a malformed call; where the upstream says that the cap was reached, that
/// stands.
#[test]
fn a_call_that_nobody_can_run_is_told_alike() {
    let cut = ["length", "incomplete incomplete max_output_tokens", "max_tokens", "MAX_TOKENS"];
    let broken = ["tool_calls", "completed incomplete", "max_tokens", "MALFORMED_FUNCTION_CALL"];
    let fine = ["tool_calls", "completed completed", "tool_use", "STOP"];
    let clients = [CHAT, RESPONSES, MESSAGES, GEMINI];
    for (arguments, cap, expected) in [
        ("{\"a\":", false, cut),
        ("{\"a\":", true, cut),
        ("{\"a\": oops}", false, broken),
        ("{\"a\": oops}", true, cut),
        ("{\"a\":1}", false, fine),
        ("[1]", false, fine),
    ] {
        for upstream in Dialect::ALL {
            // Gemini's arguments are an object that can only break off.
            if upstream == GEMINI && expected != cut {
                continue;
            }
            for (client, expected) in clients.into_iter().zip(expected) {
                let talk = Talk::new(upstream, client);
                let what = format!("{arguments} {cap} {upstream:?} to {client:?}");
                let frames = talk.frames(&stream(upstream, arguments, cap));
                let told: Vec<_> = frames
                    .iter()
                    .map(|frame| ending(client, frame))
                    .filter(|told| !told.is_empty())
                    .collect();
                assert_eq!(told.last().map(String::as_str), Some(expected), "{what}");
                if let Some(body) = whole(upstream, arguments, cap) {
                    assert_eq!(ending(client, &talk.whole(&body)), expected, "{what}, whole");
                }
            }
        }
    }
}

/// Free text is whole as it is, and so is text that a model gave for arguments where the client's tool takes free text.
#[test]
fn free_text_is_never_broken() {
    let tool = json!({"type": "custom", "name": "f"});
    for upstream in [CHAT, MESSAGES] {
        let talk = Talk::about(upstream, RESPONSES, &json!({"model": "m", "input": "x", "tools": [tool]}));
        let frames = talk.frames(&stream(upstream, "{\"a\": oops", false));
        let last = ending(RESPONSES, frames.last().unwrap());
        assert_eq!(last, "completed completed", "{upstream:?}");
    }
}

/// Free text that travels as the arguments of a function breaks off with them, from every upstream: half of a patch must not
/// be applied.
#[test]
fn free_text_that_breaks_off_is_told_as_that() {
    let tools = [
        (RESPONSES, json!({"model": "m", "input": "x", "tools": [{"type": "custom", "name": "f"}]})),
        (
            CHAT,
            json!({"model": "m", "messages": [{"role": "user", "content": "x"}],
                "tools": [{"type": "custom", "custom": {"name": "f"}}]}),
        ),
    ];
    for (arguments, cut) in [
        ("{\"input\":\"*** Begin", true),
        ("{\"input\":\"*** Begin\"", true),
        ("{\"patch\":\"*** Begin", true),
        ("{\"inp", true),
        ("{\"input\":\"*** Begin\"}", false),
        ("*** Begin", false),
    ] {
        for upstream in Dialect::ALL {
            // Gemini's arguments are an object that can only break off.
            if upstream == GEMINI && !cut {
                continue;
            }
            for (client, request) in &tools {
                // Within the dialect nothing is translated.
                if *client == upstream {
                    continue;
                }
                let expected = match (*client, cut) {
                    (CHAT, true) => "length",
                    (CHAT, false) => "tool_calls",
                    (_, true) => "incomplete incomplete max_output_tokens",
                    (_, false) => "completed completed",
                };
                let what = format!("{arguments} {upstream:?} to {client:?}");
                let talk = Talk::about(upstream, *client, request);
                let frames = talk.frames(&stream(upstream, arguments, false));
                let told = frames.iter().map(|frame| ending(*client, frame)).rfind(|told| !told.is_empty());
                assert_eq!(told.as_deref(), Some(expected), "{what}");
                if let Some(body) = whole(upstream, arguments, false) {
                    assert_eq!(ending(*client, &talk.whole(&body)), expected, "{what}, whole");
                }
            }
        }
    }
}
