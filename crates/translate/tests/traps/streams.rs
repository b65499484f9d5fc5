//! A: the structure of streams.

use crate::support::*;
use byok_types::Dialect::{Chat, Gemini, Messages, Responses};
use serde_json::{Value, json};

#[test]
fn t01_blocks_are_counted_by_byok_and_not_by_the_upstream() {
    let call =
        json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"});
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []});
    let item = |kind: &str, item: &Value| json!({"type": kind, "output_index": 0, "item": item});
    let upstream = response(
        &[
            item("response.output_item.added", &call),
            json!({"type": "response.function_call_arguments.done", "output_index": 0, "item_id": "fc_1", "arguments": "{}"}),
            item("response.output_item.done", &call),
            item("response.output_item.added", &reasoning),
            json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1", "summary_index": 0, "delta": "r"}),
            item("response.output_item.done", &reasoning),
            item("response.output_item.added", &message),
            json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "msg_1", "content_index": 0, "delta": "t"}),
            item("response.output_item.done", &message),
        ],
        &json!([]),
    );
    let told = Talk::new(Responses, Messages).told(&upstream);
    let marks: Vec<&str> = told.iter().map(String::as_str).filter(|line| !line.contains("_delta")).collect();
    assert_eq!(
        marks,
        ["0 tool_use f", "0 stop", "1 thinking ", "1 stop", "2 text ", "2 stop", "tool_use", "message_stop"]
    );
}

#[test]
fn t02_every_call_has_an_output_index_and_an_item_of_its_own() {
    let piece = |index: u8, id: &str| {
        call(&json!({"index": index, "id": id, "function": {"name": "f", "arguments": "{}"}}))
    };
    let upstream = deltas(&[piece(0, "a"), piece(1, "b")]) + &finish("tool_calls") + DONE;
    let frames = Talk::new(Chat, Responses).frames(&upstream);
    let added: Vec<&Value> =
        frames.iter().filter(|frame| frame["type"] == "response.output_item.added").collect();
    assert_eq!(added.iter().map(|frame| &frame["output_index"]).collect::<Vec<_>>(), [0, 1]);
    assert_ne!(added[0]["item"]["id"], added[1]["item"]["id"]);
    assert_eq!([&added[0]["item"]["call_id"], &added[1]["item"]["call_id"]], ["a", "b"]);
}

#[test]
fn t03_text_between_calls_is_a_block_of_its_own() {
    let piece = |index: u8, id: &str| {
        call(&json!({"index": index, "id": id, "function": {"name": "f", "arguments": "{}"}}))
    };
    let upstream =
        deltas(&[piece(0, "a"), json!({"content": "\n"}), piece(1, "b")]) + &finish("tool_calls") + DONE;
    let told = Talk::new(Chat, Messages).told(&upstream);
    assert_eq!(
        told,
        [
            "0 tool_use f",
            "0 input_json_delta: {}",
            "0 stop",
            "1 text ",
            "1 text_delta: \n",
            "1 stop",
            "2 tool_use f",
            "2 input_json_delta: {}",
            "2 stop",
            "tool_use",
            "message_stop",
        ]
    );
}

#[test]
fn t04_the_first_block_is_what_comes_first() {
    let upstream = deltas(&[
        json!({"role": "assistant", "content": ""}),
        json!({"reasoning_content": "x"}),
        json!({"content": "y"}),
    ]) + &finish("stop")
        + DONE;
    let told = Talk::new(Chat, Messages).told(&upstream);
    assert_eq!(told[..2], ["0 thinking ", "0 thinking_delta: x"]);
}

#[test]
fn t05_the_chunk_that_opens_a_call_also_brings_its_arguments() {
    let upstream = parts(&[
        json!([{"text": "t"}]),
        json!([{"functionCall": {"name": "Bash", "args": {"command": "ls"}}}]),
    ]);
    let told = Talk::new(Gemini, Messages).told(&upstream);
    assert_eq!(told[3..6], ["1 tool_use Bash", "1 input_json_delta: {\"command\":\"ls\"}", "1 stop"]);
}

#[test]
fn t06_a_delta_waits_for_its_block() {
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []});
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": ""});
    let upstream = response(
        &[
            json!({"type": "response.function_call_arguments.delta", "output_index": 1, "item_id": "fc_1", "delta": "{\"a\":"}),
            json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "msg_1", "content_index": 0, "delta": "t"}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
            json!({"type": "response.output_item.added", "output_index": 1, "item": call}),
            json!({"type": "response.function_call_arguments.delta", "output_index": 1, "item_id": "fc_1", "delta": "1}"}),
        ],
        &json!([]),
    );
    let told = Talk::new(Responses, Messages).told(&upstream);
    let said = |kind: &str| {
        told.iter().filter_map(|line| line.split_once(kind)).map(|(_, said)| said).collect::<String>()
    };
    assert_eq!(said("input_json_delta: "), "{\"a\":1}", "{told:?}");
    assert_eq!(said("text_delta: "), "t", "{told:?}");
    assert_eq!(told.iter().filter(|line| line.ends_with("stop")).count(), 3, "{told:?}");
}

#[test]
fn t07_pieces_of_one_call_are_one_block() {
    let upstream = deltas(&[
        call(&json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"a\""}})),
        call(&json!({"index": 0, "id": "a", "function": {"name": "", "arguments": ":1"}})),
        call(&json!({"index": 0, "function": {"arguments": "}"}})),
    ]) + &finish("tool_calls")
        + DONE;
    let told = Talk::new(Chat, Messages).told(&upstream);
    let starts: Vec<&String> = told.iter().filter(|line| line.contains("tool_use ")).collect();
    assert_eq!(starts, ["0 tool_use f"]);
    let arguments: String =
        told.iter().filter_map(|line| line.strip_prefix("0 input_json_delta: ")).collect();
    assert_eq!(arguments, "{\"a\":1}");
}

#[test]
fn t08_a_call_begins_when_its_name_is_known() {
    let upstream = deltas(&[
        call(&json!({"index": 0, "id": "a", "type": "function"})),
        call(&json!({"index": 0, "function": {"name": "f"}})),
        call(&json!({"index": 0, "function": {"arguments": "{\"a\":1}"}})),
    ]) + &finish("tool_calls")
        + DONE;
    for (client, expected) in [
        (
            Messages,
            vec!["0 tool_use f", "0 input_json_delta: {\"a\":1}", "0 stop", "tool_use", "message_stop"],
        ),
        (Chat, vec!["call 0 f{\"a\":1}", "finish tool_calls", "[DONE]"]),
    ] {
        assert_eq!(Talk::new(Chat, client).told(&upstream), expected);
    }
}

#[test]
fn t09_calls_of_one_stream_are_counted_over_its_chunks() {
    let one = |name: &str| json!([{"functionCall": {"name": name, "args": {"a": 1}}}]);
    let told = Talk::new(Gemini, Chat).told(&parts(&[one("f"), one("g")]));
    let calls: Vec<&String> = told.iter().filter(|line| line.contains("{\"a\":1}")).collect();
    assert!(calls[0].starts_with("call 0 ") && calls[1].starts_with("call 1 "), "{told:?}");
    assert_eq!(calls.len(), 2);
}

#[test]
fn t10_a_call_without_an_id_gets_one() {
    let upstream = deltas(&[call(&json!({"index": 0, "function": {"name": "f", "arguments": "{}"}}))])
        + &finish("tool_calls")
        + DONE;
    let frames = Talk::new(Chat, Responses).frames(&upstream);
    let id = |kind: &str| {
        let frame = frames.iter().find(|frame| frame["type"] == kind).unwrap();
        frame["item"]["call_id"].as_str().unwrap().to_owned()
    };
    assert!(!id("response.output_item.added").is_empty());
    assert_eq!(id("response.output_item.added"), id("response.output_item.done"));
}

#[test]
fn t11_what_was_streamed_is_not_said_again_at_the_end() {
    let item = json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"q\":\"x\"}"});
    let mut begun = item.clone();
    begun["arguments"] = "".into();
    let upstream = response(
        &[
            json!({"type": "response.output_item.added", "output_index": 0, "item": begun}),
            json!({"type": "response.function_call_arguments.delta", "output_index": 0, "item_id": "fc_1", "delta": "{\"q\":\"x\"}"}),
        ],
        &json!([item]),
    );
    let told = Talk::new(Responses, Chat).told(&upstream);
    let calls: String = told.iter().filter_map(|line| line.strip_prefix("call 0 ")).collect();
    assert_eq!(calls, "f{\"q\":\"x\"}", "{told:?}");
    assert!(!told.iter().any(|line| line.starts_with("call 1")), "{told:?}");
}

#[test]
fn t12_thinking_is_not_opened_again_behind_text() {
    let (r, c) = (json!({"reasoning_content": "r"}), json!({"content": "c"}));
    let upstream = deltas(&[r.clone(), c.clone(), r, c]) + &finish("stop") + DONE;
    let told = Talk::new(Chat, Messages).told(&upstream);
    let blocks: Vec<&str> = told.iter().map(String::as_str).filter(|line| line.ends_with(' ')).collect();
    assert_eq!(blocks, ["0 thinking ", "1 text "], "{told:?}");
}
