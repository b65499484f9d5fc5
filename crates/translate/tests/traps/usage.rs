//! G: usage, ids, models, errors.

use crate::support::*;
use byok_translate::{Incoming, ModelEntry, codec, estimate_tokens, tokens_by_length};
use byok_types::Dialect::{Chat, Gemini, Messages, Responses};
use bytes::Bytes;
use serde_json::{Value, json};

fn counted(usage: &Value) -> String {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [], "usage": usage});
    format!("data: {chunk}\n\n")
}

#[test]
fn t112_cached_tokens_are_counted_once() {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "prompt_tokens_details": {"cached_tokens": 60}});
    let stream = deltas(&[json!({"content": "t"})]) + &finish("stop") + &counted(&usage) + DONE;
    let frames = Talk::new(Chat, Messages).frames(&stream);
    let told = &frames.iter().find(|frame| frame["type"] == "message_delta").unwrap()["usage"];
    assert_eq!((&told["input_tokens"], &told["cache_read_input_tokens"]), (&json!(40), &json!(60)));
    let response = frames_usage(
        Gemini,
        json!({"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 107}),
    );
    assert_eq!(response["input_tokens"], 100);
    assert_eq!(response["input_tokens_details"]["cached_tokens"], 60);
    assert_eq!(response["output_tokens"], 7);
}

/// The usage that a Responses client is told for this usage of Gemini.
fn frames_usage(upstream: byok_types::Dialect, usage: Value) -> Value {
    let mut frame = json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "t"}]}, "finishReason": "STOP"}]});
    frame["usageMetadata"] = usage;
    let frames = Talk::new(upstream, Responses).frames(&format!("data: {frame}\n\n"));
    frames.last().unwrap()["response"]["usage"].clone()
}

#[test]
fn t113_cache_counters_reach_chat() {
    let whole = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "t"}],
        "usage": {"input_tokens": 1, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 5, "output_tokens": 2}});
    let usage = &Talk::new(Messages, Chat).whole(&whole)["usage"];
    assert_eq!(usage["prompt_tokens"], 16);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 10);
    assert_eq!(usage["prompt_tokens_details"]["cache_write_tokens"], 5);
    assert_eq!(usage["total_tokens"], 18);
}

#[test]
fn t114_placeholders_are_no_usage() {
    let zero = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
    let real = json!({"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10});
    let nothing = counted(&Value::Null);
    let stream = nothing.clone()
        + &deltas(&[json!({"content": "t"})])
        + &finish("stop")
        + &counted(&real)
        + &counted(&zero)
        + &nothing
        + DONE;
    let frames = Talk::new(Chat, Chat).frames(&stream);
    let told: Vec<&Value> =
        frames.iter().map(|frame| &frame["usage"]).filter(|usage| usage.is_object()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["prompt_tokens"], &told[0]["completion_tokens"]), (&json!(3), &json!(7)));
}

#[test]
fn t115_usage_of_responses_has_its_details() {
    let chat = deltas(&[json!({"content": "t"})]) + &finish("stop");
    let real = json!({"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10});
    for (upstream, stream) in [
        (Chat, chat.clone() + &counted(&real) + DONE),
        (Chat, chat + DONE),
        (Messages, message(&[], "end_turn")),
        (Gemini, parts(&[json!([{"text": "t"}])])),
        (Responses, response(&[], &json!([]))),
    ] {
        let frames = Talk::new(upstream, Responses).frames(&stream);
        let usage = &frames.last().unwrap()["response"]["usage"];
        assert!(usage["output_tokens_details"]["reasoning_tokens"].is_u64(), "{upstream:?} {usage}");
        assert!(usage["input_tokens_details"]["cached_tokens"].is_u64(), "{upstream:?} {usage}");
    }
}

fn hello() -> String {
    deltas(&[json!({"role": "assistant", "content": "t"})]) + &finish("stop") + DONE
}

#[test]
fn t116_the_completed_response_is_whole() {
    let frames = Talk::new(Chat, Responses).frames(&hello());
    let response = &frames.last().unwrap()["response"];
    for key in ["id", "object", "model", "status", "usage", "created_at"] {
        assert!(response.get(key).is_some_and(|value| !value.is_null()), "{key} {response}");
    }
    assert_eq!(response["output"][0]["content"][0]["text"], "t");
    assert_eq!(response["status"], "completed");
}

#[test]
fn t117_an_item_is_announced_before_its_deltas() {
    let frames = Talk::new(Chat, Responses).frames(&hello());
    assert_eq!(
        each(&Value::Array(frames[..5].to_vec()), "/type"),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
        ]
    );
}

#[test]
fn t118_lists_are_there_even_if_empty() {
    let frames = Talk::new(Chat, Responses).frames(&hello());
    assert_eq!(frames[2]["item"]["content"], json!([]));
    for part in [&frames[3]["part"], &frames.last().unwrap()["response"]["output"][0]["content"][0]] {
        assert_eq!((&part["annotations"], &part["logprobs"]), (&json!([]), &json!([])), "{part}");
    }
}

#[test]
fn t119_the_role_is_told_once_and_right() {
    let stream = deltas(&[json!({"role": "", "content": ""}), json!({"role": "", "content": "t"})])
        + &finish("stop")
        + DONE;
    let frames = Talk::new(Chat, Chat).frames(&stream);
    let roles: Vec<&Value> =
        frames.iter().filter_map(|frame| frame["choices"][0]["delta"].get("role")).collect();
    assert_eq!(roles, ["assistant"]);
    assert_eq!(frames[0]["choices"][0]["delta"]["role"], "assistant");
}

#[test]
fn t120_models_are_listed_in_the_shape_of_the_client() {
    let entry = ModelEntry { id: "claude".into(), created: Some(1_700_000_000), ..ModelEntry::default() };
    let list: Value = serde_json::from_slice(&codec::encode_models(Messages, &[entry], false)).unwrap();
    assert_eq!(list["data"][0]["type"], "model");
    assert_eq!(list["data"][0]["created_at"], "2023-11-14T22:13:20Z");
}

#[test]
fn t121_the_client_hears_the_name_that_it_used() {
    let mut body = messages([user("x")]);
    body["model"] = "my-opus".into();
    let bytes = Talk::about(Messages, Messages, &body).bytes(&message(&[], "end_turn"));
    assert!(bytes.contains("\"my-opus\"") && !bytes.contains("\"up\""), "{bytes}");
    // In every frame of every dialect that names a model.
    for client in [Chat, Responses, Gemini, Messages] {
        let bytes = Talk::new(Messages, client).bytes(&message(&[], "end_turn"));
        assert!(bytes.contains("\"m\"") && !bytes.contains("\"up\""), "{bytes}");
    }
    let mut relay = byok_translate::Relay::new(Messages, Some("my-opus"), false);
    let passed = relay.push(Bytes::from(message(&[], "end_turn")));
    let passed = String::from_utf8([passed, relay.finish()].concat()).unwrap();
    assert_eq!(passed, message(&[], "end_turn").replace("\"up\"", "\"my-opus\""));
}

#[test]
fn t122_an_upstream_that_cannot_count_is_estimated() {
    let mut body = messages([user("How many tokens does this sentence have, more or less?")]);
    body["tools"] = json!([{"name": "f", "description": "A tool.", "input_schema": {"type": "object", "properties": {}}}]);
    let body = body.to_string();
    let request = codec::decode_request(Messages, &Incoming::body(body.as_bytes())).unwrap().value;
    let tokens = estimate_tokens(&request, &tokens_by_length);
    assert!((12..100).contains(&tokens), "{tokens}");
    let told: Value = serde_json::from_slice(&codec::encode_count(Messages, tokens)).unwrap();
    assert_eq!(told, json!({"input_tokens": tokens}));
}

#[test]
fn t123_a_refusal_is_no_usual_end() {
    let told = Talk::new(Messages, Chat).told(&message(&[], "refusal"));
    assert_eq!(told[told.len() - 2], "finish content_filter", "{told:?}");
    let filtered = deltas(&[json!({"content": "t"})]) + &finish("content_filter") + DONE;
    let told = Talk::new(Chat, Messages).told(&filtered);
    assert_eq!(told[told.len() - 2], "refusal", "{told:?}");
}

#[test]
fn t124_a_context_that_is_full_is_said_in_the_clients_words() {
    let failed = json!({"type": "response.failed", "response": {"id": "resp_1", "object": "response", "status": "failed", "output": [],
        "error": {"code": "context_length_exceeded", "message": "Your input exceeds the context window."}}});
    let frames = Talk::new(Responses, Messages).frames(&events(&[failed]));
    let error = &frames.last().unwrap()["error"];
    assert_eq!(error["type"], "invalid_request_error");
    assert!(error["message"].as_str().unwrap().starts_with("prompt is too long"), "{error}");
    // And before the stream, with a status.
    let body = br#"{"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"too long"}}"#;
    let failure = codec::decode_failure(Responses, 400, body);
    let told: Value = serde_json::from_slice(&codec::encode_failure(Messages, &failure, "r")).unwrap();
    assert_eq!((failure.status, &told["error"]["type"]), (400, &json!("invalid_request_error")));
    assert!(told["error"]["message"].as_str().unwrap().starts_with("prompt is too long"), "{told}");
    let body = br#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#;
    let failure = codec::decode_failure(Messages, 400, body);
    let told: Value = serde_json::from_slice(&codec::encode_failure(Responses, &failure, "r")).unwrap();
    assert_eq!(told["error"]["code"], "context_length_exceeded");
}

#[test]
fn t130_frames_are_found_wherever_the_bytes_are_cut() {
    let stream = response(
        &[],
        &json!([{"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "tä"}]}]),
    );
    let talk = Talk::new(Responses, Chat);
    let whole = talk.bytes(&stream);
    assert!(whole.contains("tä") && whole.ends_with(DONE));
    for size in [1, 2, 3, 7, 50, stream.len() / 3 + 1] {
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        assert_eq!(talk.pieces(&pieces), whole, "{size}");
    }
}
