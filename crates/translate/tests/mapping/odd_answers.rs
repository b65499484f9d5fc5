//! Whole answers with members of a wrong type: what decides the meaning is kept, a wrong side member counts as absent and is a
//! loss, and a call of which nobody can say what it calls is a failure of the upstream.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::Talk,
};
use byok_translate::ir::{Fold, Part, Response};
use byok_types::Dialect;
use serde_json::{Value, json};

/// A good answer of each dialect, with a call of `f` or with the word "hi".
fn answer(upstream: Dialect, call: bool) -> Value {
    let function = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    match upstream {
        CHAT => {
            let message = if call { json!({"tool_calls": [function]}) } else { json!({"content": "hi"}) };
            json!({"id": "c", "model": "up", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 1}}})
        }
        RESPONSES => {
            let item = if call {
                json!({"type": "function_call", "id": "fc", "call_id": "a", "name": "f", "arguments": "{}", "status": "completed"})
            } else {
                let text = json!({"type": "output_text", "text": "hi", "annotations": []});
                json!({"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [text]})
            };
            json!({"id": "r", "model": "up", "status": "completed", "output": [item], "usage": {"input_tokens": 3,
                "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 4, "output_tokens_details": {}}})
        }
        MESSAGES => {
            let block = if call {
                json!({"type": "tool_use", "id": "a", "name": "f", "input": {}})
            } else {
                json!({"type": "text", "text": "hi"})
            };
            json!({"id": "m", "type": "message", "role": "assistant", "model": "up", "content": [block],
                "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 4}})
        }
        GEMINI => {
            let part = if call {
                json!({"functionCall": {"id": "a", "name": "f", "args": {}}})
            } else {
                json!({"text": "hi"})
            };
            json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4}})
        }
    }
}

/// What the answer says, and the fields that were lost; `None` for a failure of the upstream.
fn read(upstream: Dialect, body: &Value) -> Option<(Response, Vec<String>)> {
    let talk = Talk::new(upstream, CHAT);
    match byok_translate::read_answer(body.to_string().as_bytes(), &talk.exchange) {
        Err(failure) => {
            assert_eq!(failure.status, 502, "{}", failure.message);
            None
        }
        Ok(read) => {
            let mut fold = Fold::default();
            read.value.into_iter().for_each(|event| fold.push(event));
            Some((fold.finish().unwrap(), read.losses.into_iter().map(|loss| loss.field).collect()))
        }
    }
}

fn said(response: &Response) -> String {
    let parts = response.choices[0].parts.iter().map(|part| match part {
        Part::ToolCall(call) => format!("{} {}", call.name, call.arguments),
        Part::Text(text) => text.text.clone(),
        other => format!("{other:?}"),
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Wrong members beside the meaning: where they stand, what stands there, and the field of the loss (empty where none is told).
#[test]
fn a_wrong_side_member_is_absent() {
    for (upstream, call, place, wrong, lost) in [
        (CHAT, true, "/choices/0/message/tool_calls/0/index", json!("0"), ""),
        (CHAT, true, "/choices/0/message/tool_calls/0/type", json!(null), ""),
        (CHAT, true, "/choices/0/message/tool_calls/0/type", json!(5), ""),
        (CHAT, true, "/choices/0/message/tool_calls/0/id", json!(5), ""),
        (CHAT, true, "/usage/prompt_tokens_details", json!([1]), ""),
        (CHAT, true, "/usage/prompt_tokens_details/cached_tokens", json!("s"), ""),
        (CHAT, false, "/choices/0/finish_reason", json!(5), ""),
        (CHAT, false, "/id", json!(5), ""),
        (RESPONSES, true, "/output/0/id", json!(5), "output[0].id"),
        (RESPONSES, true, "/output/0/call_id", json!(5), "output[0].call_id"),
        (RESPONSES, true, "/output/0/status", json!([]), "output[0].status"),
        (RESPONSES, true, "/output/0/namespace", json!({}), "output[0].namespace"),
        (RESPONSES, true, "/output/0/type", json!(5), "output[0].type"),
        (
            RESPONSES,
            true,
            "/usage/input_tokens_details/cached_tokens",
            json!("s"),
            "usage.input_tokens_details.cached_tokens",
        ),
        (RESPONSES, true, "/usage/output_tokens_details", json!(5), "usage.output_tokens_details"),
        (RESPONSES, true, "/usage/input_tokens", json!(3.0), ""),
        (RESPONSES, true, "/usage/input_tokens", json!("3"), ""),
        (RESPONSES, true, "/incomplete_details", json!("x"), "incomplete_details"),
        (RESPONSES, false, "/status", json!(5), "status"),
        (RESPONSES, false, "/output/0/id", json!(5), "output[0].id"),
        (RESPONSES, false, "/output/0/role", json!(5), "output[0].role"),
        (RESPONSES, false, "/output/0/phase", json!(5), "output[0].phase"),
        (RESPONSES, false, "/output/0/type", json!(5), "output[0].type"),
        (RESPONSES, false, "/output/0/content/0/annotations", json!(5), "output[0].content[0].annotations"),
        (MESSAGES, true, "/content/0/id", json!(5), ""),
        (MESSAGES, true, "/content/0/type", json!(5), "content[0].type"),
        (MESSAGES, true, "/stop_sequence", json!(true), "stop_sequence"),
        (MESSAGES, true, "/stop_reason", json!(5), "stop_reason"),
        (MESSAGES, true, "/usage/cache_read_input_tokens", json!("s"), "usage.cache_read_input_tokens"),
        (MESSAGES, true, "/usage/cache_creation", json!("s"), "usage.cache_creation"),
        (MESSAGES, true, "/usage/service_tier", json!(5), "usage.service_tier"),
        (MESSAGES, false, "/content/0/type", json!(null), "content[0].type"),
        (MESSAGES, false, "/content/0/type", json!(5), "content[0].type"),
        (MESSAGES, false, "/id", json!(5), "id"),
        (
            GEMINI,
            true,
            "/candidates/0/content/parts/0/functionCall/id",
            json!(5),
            "candidates[0].content.parts[0].functionCall.id",
        ),
        (
            GEMINI,
            true,
            "/candidates/0/content/parts/0/thoughtSignature",
            json!(5),
            "candidates[0].content.parts[0].thoughtSignature",
        ),
        (GEMINI, true, "/usageMetadata/thoughtsTokenCount", json!(true), "usageMetadata.thoughtsTokenCount"),
        (
            GEMINI,
            false,
            "/candidates/0/content/parts/0/thought",
            json!(5),
            "candidates[0].content.parts[0].thought",
        ),
        (GEMINI, false, "/candidates/0/finishReason", json!(5), "candidates[0].finishReason"),
        (GEMINI, false, "/responseId", json!(5), "responseId"),
    ] {
        let mut body = answer(upstream, call);
        let (parent, member) = place.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = wrong;
        let (response, losses) = read(upstream, &body).unwrap_or_else(|| panic!("{upstream:?} {place}"));
        assert_eq!(said(&response), if call { "f {}" } else { "hi" }, "{upstream:?} {place}");
        let lost: Vec<_> = [lost].into_iter().filter(|field| !field.is_empty()).collect();
        assert_eq!(losses, lost, "{upstream:?} {place}");
        let usage = response.usage.unwrap();
        assert_eq!(
            (usage.input, usage.output, usage.estimated),
            (Some(3), Some(4), false),
            "{upstream:?} {place}"
        );
    }
}

#[test]
fn a_call_that_cannot_be_read_fails() {
    for (upstream, place, wrong) in [
        (CHAT, "/choices/0/message/tool_calls/0/function/name", json!(5)),
        (CHAT, "/choices/0/message/tool_calls/0/function", json!("f")),
        (CHAT, "/choices/0/message/tool_calls/0/function", json!({})),
        (CHAT, "/choices/0/message/tool_calls/0", json!("f")),
        (CHAT, "/choices/0/message/tool_calls", json!("f")),
        (RESPONSES, "/output/0/name", json!(5)),
        (RESPONSES, "/output/0/name", json!(null)),
        (RESPONSES, "/output", json!({})),
        (GEMINI, "/candidates/0/content/parts/0/functionCall/name", json!(5)),
        (GEMINI, "/candidates/0/content/parts/0/functionCall/name", json!(null)),
        (GEMINI, "/candidates/0/content/parts/0/functionCall", json!("f")),
        (GEMINI, "/candidates/0/content", json!(5)),
    ] {
        let mut body = answer(upstream, true);
        *body.pointer_mut(place).unwrap() = wrong;
        let said = read(upstream, &body).map(|(response, _)| said(&response));
        assert_eq!(said, None, "{upstream:?} {place}");
    }
    // Nothing in the place of calls is no call.
    for nothing in [json!(null), json!([]), json!({}), json!("")] {
        let mut body = answer(CHAT, false);
        body["choices"][0]["message"]["tool_calls"] = nothing;
        assert_eq!(read(CHAT, &body).map(|(response, _)| said(&response)).as_deref(), Some("hi"));
    }
}

/// What is no block and no item at all is left out, and the log hears of it.
#[test]
fn what_is_no_object_is_a_loss() {
    for (upstream, place, lost) in [(RESPONSES, "output", "output[1]"), (MESSAGES, "content", "content[1]")] {
        let mut body = answer(upstream, false);
        body[place].as_array_mut().unwrap().push(json!("x"));
        let (response, losses) = read(upstream, &body).unwrap();
        assert_eq!((said(&response).as_str(), losses), ("hi", vec![lost.to_owned()]));
    }
}
