//! What recordings of real vendors taught, as fixtures of our own making with the same shape. The recordings themselves are
//! replayed by `tests/recorded.rs` of the workspace.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use byok_translate::{Exchange, StreamReader, codec, ir, read_answer};
use byok_types::{Dialect, FailureKind, ModelFacts};
use serde_json::{Value, json};

fn exchange(client: Dialect, upstream: Dialect) -> Exchange {
    let mut request = ir::Request::new(client, "m");
    request.stream_options.include_usage = Some(true);
    Exchange::new(&request, &ModelFacts::default(), upstream, 1, "seed")
}

/// The whole answer that a client gets.
fn whole(client: Dialect, upstream: Dialect, body: &Value) -> Value {
    let exchange = exchange(client, upstream);
    let mut fold = ir::Fold::default();
    for event in read_answer(body.to_string().as_bytes(), &exchange).unwrap().value {
        fold.push(event);
    }
    let answer = codec::encode_answer(&fold.finish().unwrap(), &exchange).value;
    serde_json::from_slice(&answer).unwrap()
}

/// The data of the stream that a client gets.
fn stream(client: Dialect, upstream: Dialect, frames: &[Value]) -> Vec<Value> {
    let exchange = exchange(client, upstream);
    let mut reader = StreamReader::new(&exchange, 1 << 20);
    let mut events = Vec::new();
    for frame in frames {
        let name = frame["type"].as_str().unwrap();
        reader.push(format!("event: {name}\ndata: {frame}\n\n").as_bytes(), &mut events);
    }
    reader.finish(&mut events);
    let mut encoder = codec::StreamEncoder::new(&exchange);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn tokens_of_the_vendors_tools_belong_to_the_prompt() {
    let body = json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": "12"}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 10, "toolUsePromptTokenCount": 100, "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
            "totalTokenCount": 115,
        },
        "modelVersion": "m", "responseId": "r",
    });
    for (client, wanted) in [
        (Dialect::Chat, json!({"prompt_tokens": 110, "completion_tokens": 5, "total_tokens": 115})),
        (Dialect::Responses, json!({"input_tokens": 110, "output_tokens": 5, "total_tokens": 115})),
        (Dialect::Messages, json!({"input_tokens": 110, "output_tokens": 5})),
    ] {
        let usage = &whole(client, Dialect::Gemini, &body)["usage"];
        for (name, count) in wanted.as_object().unwrap() {
            assert_eq!(usage[name], *count, "{client} {name}");
        }
    }
}

#[test]
fn no_token_counts_twice_where_a_gateway_says_that_it_was_read_and_written() {
    // (prompt, read, written) → (input, read, written)
    for (said, wanted) in [
        ([2168, 2161, 2161], [0, 2161, 7]),
        ([100, 60, 30], [10, 60, 30]),
        ([100, 0, 100], [0, 0, 100]),
        ([100, 100, 100], [0, 100, 0]),
    ] {
        let body = json!({
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": said[0], "completion_tokens": 1, "total_tokens": said[0] + 1,
                "prompt_tokens_details": {"cached_tokens": said[1], "cache_write_tokens": said[2]},
            },
        });
        let usage = &whole(Dialect::Messages, Dialect::Chat, &body)["usage"];
        let names = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        let got = names.map(|name| usage[name].as_u64().unwrap());
        assert_eq!(got, wanted, "{said:?}");
        assert_eq!(got.iter().sum::<u64>(), said[0], "{said:?}");
    }
}

#[test]
fn usage_is_there_although_the_vendor_states_none() {
    let body = json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"trafficType": "ON_DEMAND"}, "modelVersion": "m", "responseId": "r",
    });
    let usage = &whole(Dialect::Chat, Dialect::Gemini, &body)["usage"];
    // The answer by its length; of the prompt nothing is known here.
    assert_eq!([&usage["prompt_tokens"], &usage["total_tokens"]], [&json!(0), &json!(1)]);
}

#[test]
fn an_answer_that_is_put_off_is_no_empty_answer() {
    for status in ["queued", "in_progress"] {
        let body = json!({
            "id": "resp_1", "object": "response", "created_at": 1, "status": status, "background": true, "model": "m",
            "output": [], "error": null, "incomplete_details": null, "usage": null,
        });
        let exchange = exchange(Dialect::Chat, Dialect::Responses);
        let failure = read_answer(body.to_string().as_bytes(), &exchange).unwrap_err();
        assert_eq!((failure.kind, failure.status), (FailureKind::Server, 502), "{status}");
        assert!(failure.message.contains(status), "{}", failure.message);
    }
}

#[test]
fn the_caller_of_a_call_is_kept_in_its_own_dialect_only() {
    let caller = json!({"type": "code_execution_20250825", "tool_id": "srvtoolu_1"});
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1},
    });
    let block = json!({"type": "tool_use", "id": "toolu_1", "name": "roll", "input": {}, "caller": caller});
    let frames = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({
            "type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":1}"},
        }),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let shown = stream(Dialect::Messages, Dialect::Messages, &frames);
    let start = shown.iter().find(|data| data["type"] == "content_block_start").unwrap();
    assert_eq!(start["content_block"]["caller"], caller);
    let mut message = message;
    message["content"] = json!([block]);
    message["stop_reason"] = json!("tool_use");
    assert_eq!(whole(Dialect::Messages, Dialect::Messages, &message)["content"][0]["caller"], caller);
    for client in [Dialect::Chat, Dialect::Responses, Dialect::Gemini] {
        let shown =
            [json!(stream(client, Dialect::Messages, &frames)), whole(client, Dialect::Messages, &message)];
        for shown in shown.map(|shown| shown.to_string()) {
            assert!(shown.contains("roll") && !shown.contains("caller"), "{client}: {shown}");
        }
    }
}
