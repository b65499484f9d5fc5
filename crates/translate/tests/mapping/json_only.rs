//! Structured output by way of a tool: what the client gets is the JSON.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{Talk, message},
};
use byok_translate::{StreamReader, read_answer};
use serde_json::{Value, json};

fn talk(client: byok_types::Dialect) -> Talk {
    let mut talk = Talk::new(MESSAGES, client);
    talk.exchange.json_tool = true;
    talk
}

fn block(at: u8, block: &Value, delta: &Value) -> [Value; 3] {
    [
        json!({"type": "content_block_start", "index": at, "content_block": block}),
        json!({"type": "content_block_delta", "index": at, "delta": delta}),
        json!({"type": "content_block_stop", "index": at}),
    ]
}

#[test]
fn words_before_the_json_are_left_out_and_told() {
    let whole = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up",
        "content": [{"type": "text", "text": "Here"},
            {"type": "tool_use", "id": "t1", "name": "json_response", "input": {"a": "xx"}}],
        "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
    let said = block(0, &json!({"type": "text", "text": ""}), &json!({"type": "text_delta", "text": "Here"}));
    let called = block(
        1,
        &json!({"type": "tool_use", "id": "t1", "name": "json_response", "input": {}}),
        &json!({"type": "input_json_delta", "partial_json": "{\"a\":\"xx\"}"}),
    );
    let stream = message(&[&said[..], &called[..]].concat(), "tool_use");
    for (client, place, field) in [
        (CHAT, "/choices/0/message/content", "choices[0].message.content"),
        (RESPONSES, "/output/0/content/0/text", "output"),
        (GEMINI, "/candidates/0/content/parts/0/text", "candidates[0].content.parts"),
    ] {
        let talk = talk(client);
        let got = talk.whole(&whole);
        assert_eq!(got.pointer(place), Some(&json!(r#"{"a":"xx"}"#)), "{got}");
        let got = talk.bytes(&stream);
        assert!(got.contains("xx") && !got.contains("Here"), "{got}");
        let losses = read_answer(whole.to_string().as_bytes(), &talk.exchange).unwrap().losses;
        assert_eq!(losses.iter().map(|loss| loss.field.as_str()).collect::<Vec<_>>(), [field]);
        let (mut reader, mut events) = (StreamReader::new(&talk.exchange, 1 << 20), Vec::new());
        reader.push(stream.as_bytes(), &mut events);
        reader.finish(&mut events);
        assert_eq!(reader.losses(), losses);
    }
}

/// A model that does not call the tool has its say, in a stream as well.
#[test]
fn an_answer_without_the_json_stays() {
    let said =
        block(0, &json!({"type": "text", "text": ""}), &json!({"type": "text_delta", "text": "Sorry"}));
    let stream = message(&said, "end_turn");
    let told = talk(CHAT).told(&stream);
    assert_eq!(told, ["content: Sorry", "finish stop", "[DONE]"]);
}

/// JSON that breaks off does not end like a good answer, whatever the upstream calls the end.
#[test]
fn json_that_breaks_off_is_told_as_that() {
    let called = block(
        0,
        &json!({"type": "tool_use", "id": "t1", "name": "json_response", "input": {}}),
        &json!({"type": "input_json_delta", "partial_json": "{\"a\":\"b"}),
    );
    let stream = message(&called, "tool_use");
    for (client, place, expected) in [
        (CHAT, "/choices/0/finish_reason", "length"),
        (RESPONSES, "/response/incomplete_details/reason", "max_output_tokens"),
        (RESPONSES, "/response/output/0/status", "incomplete"),
        (GEMINI, "/candidates/0/finishReason", "MAX_TOKENS"),
    ] {
        let frames = talk(client).frames(&stream);
        let told = frames.iter().filter_map(|frame| frame.pointer(place)?.as_str()).next_back();
        assert_eq!(told, Some(expected), "{client:?} {place}");
    }
}
