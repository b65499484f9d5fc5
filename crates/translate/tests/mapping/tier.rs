//! The tier that an answer was served at: what each upstream calls it, and what clients of the others are told.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{DONE, Talk, events},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// An answer that names this tier, whole and as a stream.
fn answer(upstream: Dialect, tier: &str) -> (Value, String) {
    match upstream {
        CHAT => {
            let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
            let answer = |choice: &Value| {
                json!({"id": "c", "object": "chat.completion", "created": 1, "model": "up",
                "service_tier": tier, "usage": usage, "choices": [choice]})
            };
            let said = json!({"role": "assistant", "content": "t"});
            let whole = answer(&json!({"index": 0, "message": said, "finish_reason": "stop"}));
            let mut chunk = answer(&json!({"index": 0, "delta": said, "finish_reason": "stop"}));
            chunk["object"] = "chat.completion.chunk".into();
            (whole, format!("data: {chunk}\n\n{DONE}"))
        }
        RESPONSES => {
            let usage = json!({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5});
            let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "t", "annotations": []}]});
            let whole = json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "up",
                "status": "completed", "output": [item], "usage": usage, "service_tier": tier});
            let stream = [
                json!({"type": "response.created", "response": {"id": "resp_1", "model": "up", "output": []}}),
                json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
                json!({"type": "response.completed", "response": whole}),
            ];
            (whole, events(&stream))
        }
        MESSAGES => {
            let usage = json!({"input_tokens": 3, "output_tokens": 2, "service_tier": tier});
            let whole = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "usage": usage,
                "content": [{"type": "text", "text": "t"}], "stop_reason": "end_turn", "stop_sequence": null});
            let mut start = whole.clone();
            start["content"] = json!([]);
            start["stop_reason"] = Value::Null;
            let stream = [
                json!({"type": "message_start", "message": start}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "t"}}),
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
                json!({"type": "message_stop"}),
            ];
            (whole, events(&stream))
        }
        GEMINI => {
            let whole = json!({"responseId": "r", "modelVersion": "up",
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "serviceTier": tier},
                "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "t"}]}, "finishReason": "STOP"}]});
            let stream = format!("data: {whole}\n\n");
            (whole, stream)
        }
    }
}

/// The tier that a whole answer or the last frames of a stream name.
fn tier_in(client: Dialect, said: &Value) -> Option<&str> {
    let place = match client {
        CHAT | RESPONSES => "/service_tier",
        MESSAGES => "/usage/service_tier",
        GEMINI => "/usageMetadata/serviceTier",
    };
    said.pointer(place).or_else(|| said.pointer("/response/service_tier"))?.as_str()
}

#[test]
fn of_answers() {
    let [default, priority] = [Some("default"), Some("priority")];
    let (standard, flex) = (Some("standard"), Some("flex"));
    let rows = [
        (CHAT, "default", [default, default, standard, standard]),
        (CHAT, "priority", [priority; 4]),
        (CHAT, "flex", [flex, flex, None, flex]),
        (CHAT, "heavenly", [None; 4]),
        (RESPONSES, "default", [default, default, standard, standard]),
        (RESPONSES, "ultrafast", [None, Some("ultrafast"), None, None]),
        (MESSAGES, "standard", [default, default, standard, standard]),
        (MESSAGES, "priority", [priority; 4]),
        (MESSAGES, "batch", [None, None, Some("batch"), None]),
        (GEMINI, "standard", [default, default, standard, standard]),
        (GEMINI, "flex", [flex, flex, None, flex]),
    ];
    let mut faults = Vec::new();
    for (upstream, word, told) in rows {
        for (client, want) in Dialect::ALL.into_iter().zip(told).filter(|(client, _)| *client != upstream) {
            let (whole, stream) = answer(upstream, word);
            let talk = Talk::new(upstream, client);
            let got = talk.whole(&whole);
            let frames = talk.frames(&stream);
            let streamed = frames.iter().rev().find_map(|frame| tier_in(client, frame));
            // What is said of the tier in the first frames of Messages is said again in none.
            let streamed = if client == MESSAGES {
                streamed.or_else(|| frames[0].pointer("/message/usage/service_tier")?.as_str())
            } else {
                streamed
            };
            if (tier_in(client, &got), streamed) != (want, want) {
                faults.push(format!(
                    "{word}: {upstream:?} to {client:?}: {streamed:?} is not {want:?}\n    {got:.900}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
