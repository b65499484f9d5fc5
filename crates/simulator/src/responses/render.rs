//! The response object.

use super::{
    items::{self, Item},
    read::conversation,
};
use crate::{
    answer::{Answer, Stop, Tokens},
    vendor::Turn,
};
use serde_json::{Value, json};

/// The whole response.
pub(crate) fn whole(turn: &Turn<'_>) -> Value {
    let mut items = items::items(turn, false);
    mark_cut(&mut items, turn.answer);
    let output: Vec<Value> = items.into_iter().map(|item| item.done).collect();
    keep(turn, &output);
    finished(turn, &output)
}

/// How an answer ends: event, `status`, `incomplete_details`, `error`.
pub(super) struct Ending {
    pub(super) event: &'static str,
    status: &'static str,
    details: Value,
    error: Value,
}

pub(super) fn ending(answer: &Answer) -> Ending {
    let complete =
        Ending { event: "response.completed", status: "completed", details: Value::Null, error: Value::Null };
    let incomplete = |reason: &str| Ending {
        event: "response.incomplete",
        status: "incomplete",
        details: json!({"reason": reason}),
        error: Value::Null,
    };
    match &answer.stop {
        Stop::End | Stop::Sequence(_) | Stop::Tools | Stop::Refusal => complete,
        Stop::Length => incomplete("max_output_tokens"),
        Stop::Verbatim(reason) if reason == "completed" => complete,
        Stop::Verbatim(reason) if reason == "cancelled" => Ending { status: "cancelled", ..complete },
        Stop::Verbatim(reason) if reason == "failed" => Ending {
            event: "response.failed",
            status: "failed",
            details: Value::Null,
            error: json!({"code": "server_error", "message": "The scenario lets this response fail."}),
        },
        Stop::Verbatim(reason) => incomplete(reason),
    }
}

/// The response as it ends.
pub(super) fn finished(turn: &Turn<'_>, output: &[Value]) -> Value {
    let ending = ending(turn.answer);
    let mut response = shell(turn, ending.status, output);
    response["incomplete_details"] = ending.details;
    response["error"] = ending.error;
    response["usage"] = usage(turn.answer.tokens);
    if ending.status == "completed" {
        response["completed_at"] = json!(turn.ids.created() + 1);
    }
    response
}

/// Stores a conversation that the request did not forbid to store.
pub(super) fn keep(turn: &Turn<'_>, output: &[Value]) {
    if turn.body["store"] != false && !turn.key.is_empty() {
        let mut items = conversation(turn.world, turn.body);
        items.extend_from_slice(output);
        turn.world.stored.keep(&id(turn), items);
    }
}

fn id(turn: &Turn<'_>) -> String {
    turn.ids.hex("resp_", 0, 48)
}

/// The response with what the request said, and without what only the end knows.
pub(super) fn shell(turn: &Turn<'_>, status: &str, output: &[Value]) -> Value {
    let body = turn.body;
    let or = |name: &str, default: Value| match &body[name] {
        Value::Null => default,
        value => value.clone(),
    };
    json!({
        "id": id(turn), "object": "response", "created_at": turn.ids.created(), "status": status,
        "background": false, "completed_at": null, "error": null, "incomplete_details": null,
        "instructions": body["instructions"], "max_output_tokens": body["max_output_tokens"],
        "max_tool_calls": body["max_tool_calls"], "model": turn.asked.model, "output": output,
        "parallel_tool_calls": or("parallel_tool_calls", json!(true)),
        "previous_response_id": body["previous_response_id"], "prompt_cache_key": body["prompt_cache_key"],
        "reasoning": reasoning(body), "safety_identifier": body["safety_identifier"],
        "service_tier": "default", "store": or("store", json!(true)),
        "temperature": or("temperature", json!(1.0)), "text": text(body),
        "tool_choice": or("tool_choice", json!("auto")), "tools": or("tools", json!([])),
        "top_logprobs": or("top_logprobs", json!(0)), "top_p": or("top_p", json!(1.0)),
        "truncation": or("truncation", json!("disabled")), "usage": null, "user": body["user"],
        "metadata": or("metadata", json!({})),
    })
}

fn reasoning(body: &Value) -> Value {
    json!({"effort": body["reasoning"]["effort"], "summary": body["reasoning"]["summary"]})
}

fn text(body: &Value) -> Value {
    let mut text = json!({"format": {"type": "text"}, "verbosity": "medium"});
    for member in ["format", "verbosity"] {
        if !body["text"][member].is_null() {
            text[member] = body["text"][member].clone();
        }
    }
    text
}

fn usage(tokens: Tokens) -> Value {
    json!({
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.written},
        "output_tokens": tokens.output, "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    })
}

/// Marks the last message of an answer that was cut.
pub(super) fn mark_cut(items: &mut [Item], answer: &Answer) {
    if answer.stop != Stop::Length {
        return;
    }
    if let Some(last) = items.last_mut().filter(|last| last.done["type"] == "message") {
        last.done["status"] = json!("incomplete");
    }
}
