//! B: endings, errors, signs of life.

use crate::support::*;
use byok_translate::{KEEP_ALIVE, StreamReader, ir::Event};
use byok_types::Dialect::{Chat, Gemini, Messages, Responses};
use serde_json::{Value, json};

fn says(text: &str) -> String {
    deltas(&[json!({"content": text})])
}

#[test]
fn t13_a_done_without_a_finish_reason_completes() {
    let told = Talk::new(Chat, Responses).told(&(says("t") + DONE));
    assert_eq!(
        told[3..],
        ["0 output_text.done: t", "0 content_part.done: ", "0 message done", "completed"],
        "{told:?}"
    );
}

#[test]
fn t14_a_completed_response_needs_no_done() {
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "t"}]});
    let told = Talk::new(Responses, Chat).told(&response(&[], &json!([item])));
    assert_eq!(told, ["content: t", "finish stop", "[DONE]"]);
}

#[test]
fn t15_a_stream_that_breaks_off_is_a_failure() {
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []});
    let whole = response(
        &[
            json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
            json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "msg_1", "content_index": 0, "delta": "t"}),
        ],
        &json!([]),
    );
    let cut = &whole[..whole.find("event: response.completed").unwrap()];
    let told = Talk::new(Responses, Chat).told(cut);
    assert_eq!(told[..2], ["content: t", "error server_error"], "{told:?}");
    for (upstream, cut) in [
        (Chat, says("t")),
        (
            Gemini,
            parts(&[json!([{"text": "t"}]), json!([])]).split_inclusive("\n\n").next().unwrap().to_owned(),
        ),
        (Messages, message(&[], "end_turn").split_inclusive("\n\n").next().unwrap().to_owned()),
    ] {
        let told = Talk::new(upstream, Responses).told(&cut);
        assert_eq!(told.last().map(String::as_str), Some("failed"), "{upstream:?} {told:?}");
    }
}

#[test]
fn t16_an_error_in_a_stream_has_the_form_of_the_clients_dialect() {
    let error = json!({"error": {"message": "busy", "code": 503}});
    let upstream = says("t") + &format!("data: {error}\n\n");
    let bytes = Talk::new(Chat, Messages).bytes(&upstream);
    let (_, last) = bytes.rsplit_once("event: error\ndata: ").unwrap();
    let last: Value = serde_json::from_str(last.trim()).unwrap();
    assert_eq!(last["type"], "error");
    assert_eq!(last["error"]["type"], "overloaded_error");
    let frames = Talk::new(Chat, Responses).frames(&upstream);
    assert_eq!(frames.last().unwrap()["type"], "response.failed");
}

#[test]
fn t17_a_cut_is_the_fault_of_the_server() {
    for client in [Chat, Messages] {
        let told = Talk::new(Chat, client).told(&says("t"));
        let expected = if client == Chat { "error server_error" } else { "error api_error" };
        assert!(told.iter().any(|line| line == expected), "{told:?}");
    }
}

#[test]
fn t18_nothing_comes_behind_the_end() {
    let end = says("t") + &finish("stop") + DONE;
    for client in [Chat, Responses, Messages, Gemini] {
        let talk = Talk::new(Chat, client);
        assert_eq!(talk.bytes(&(end.clone() + &says("late"))), talk.bytes(&end), "{client:?}");
    }
}

#[test]
fn t19_several_message_deltas_are_one_finish() {
    let delta =
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}});
    let told = Talk::new(Messages, Chat).told(&message(&[delta], "end_turn"));
    assert_eq!(told, ["finish stop", "[DONE]"]);
}

#[test]
fn t20_usage_behind_the_finish_is_told() {
    let usage = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}});
    let upstream = says("t") + &finish("stop") + &format!("data: {usage}\n\n") + DONE;
    let frames = Talk::new(Chat, Messages).frames(&upstream);
    let deltas: Vec<&Value> = frames.iter().filter(|frame| frame["type"] == "message_delta").collect();
    assert_eq!(deltas.len(), 1);
    assert_eq!(deltas[0]["usage"]["output_tokens"], 7);
}

#[test]
fn t21_a_comment_is_no_data() {
    let end = says("t") + &finish("stop") + DONE;
    for client in [Chat, Responses, Messages, Gemini] {
        let talk = Talk::new(Chat, client);
        let commented = format!(": OPENROUTER PROCESSING\n\n{end}");
        let data = |bytes: String| {
            bytes.lines().filter(|line| !line.starts_with(':')).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(data(talk.bytes(&commented)).trim_start(), data(talk.bytes(&end)), "{client:?}");
    }
}

#[test]
fn t22_a_heartbeat_is_no_frame_and_takes_no_number() {
    let beat = json!({"type": "keepalive", "sequence_number": 1});
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "t"}]});
    let talk = Talk::new(Responses, Responses);
    let with = response(&[beat], &json!([item]));
    assert_eq!(talk.bytes(&with), talk.bytes(&response(&[], &json!([item]))));
    // What the executor hears of it; it writes the comment, at a time of its own.
    let mut events = Vec::new();
    StreamReader::new(&talk.exchange, 1 << 20).push(with.as_bytes(), &mut events);
    assert_eq!(events.iter().filter(|event| **event == Event::Ping).count(), 1);
    assert!(KEEP_ALIVE.starts_with(b": "));
}

#[test]
fn t24_no_frame_has_an_id_line() {
    let upstream = says("t") + &finish("stop") + DONE;
    let upstream = upstream.replace("data: {", "id: 7\nevent: message\ndata: {");
    for client in [Chat, Responses, Messages, Gemini] {
        let bytes = Talk::new(Chat, client).bytes(&upstream);
        assert!(!bytes.lines().any(|line| line.starts_with("id:")), "{bytes}");
        assert!(bytes.contains("\"t\""));
    }
}

#[test]
fn t25_a_gemini_stream_ends_with_the_reason() {
    let bytes = Talk::new(Chat, Gemini).bytes(&(says("t") + &finish("stop") + DONE));
    let last = bytes.trim_end().rsplit("data: ").next().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
}

#[test]
fn t26_a_line_of_five_megabytes_passes() {
    let long = "x".repeat(5 << 20);
    let upstream = says(&long) + &finish("stop") + DONE;
    let talk = Talk::new(Chat, Messages);
    let pieces: Vec<&[u8]> = upstream.as_bytes().chunks(60_000).collect();
    assert!(talk.pieces(&pieces).contains(&long));
}

#[test]
fn t28_data_over_several_lines_is_one_event() {
    let upstream = says("t").replace("\"choices\"", "\ndata: \"choices\"") + &finish("stop") + DONE;
    let talk = Talk::new(Chat, Chat);
    let whole = talk.bytes(&upstream);
    assert_eq!(talk.told(&upstream), ["content: t", "finish stop", "[DONE]"]);
    let bytes: Vec<&[u8]> = upstream.as_bytes().chunks(1).collect();
    assert_eq!(talk.pieces(&bytes), whole);
}

#[test]
fn t31_an_answer_without_content_still_has_a_form() {
    let upstream = finish("stop") + DONE;
    assert_eq!(Talk::new(Chat, Messages).told(&upstream), ["0 text ", "0 stop", "end_turn", "message_stop"]);
    let frames = Talk::new(Chat, Responses).frames(&upstream);
    let last = frames.last().unwrap();
    assert_eq!((&last["type"], &last["response"]["output"]), (&json!("response.completed"), &json!([])));
    for client in [Chat, Gemini] {
        assert!(!Talk::new(Chat, client).frames(&upstream).is_empty());
    }
}
