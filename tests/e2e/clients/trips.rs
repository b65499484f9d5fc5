//! What clients trip over and the readers of the dialects let pass.

use crate::support::sse;
use byok_types::Dialect;
use serde_json::Value;

type Checked = Result<(), String>;

/// Looks at an answer with the eyes of the strictest client of its dialect.
pub fn check(dialect: Dialect, stream: bool, bytes: &[u8]) -> Checked {
    if !stream {
        let body: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        return match dialect {
            Dialect::Chat => chat_usage(&body["usage"]),
            Dialect::Messages => messages_usage(&body["usage"]),
            Dialect::Gemini => gemini_chunk(&body).and_then(|()| gemini_end(&body)),
            Dialect::Responses => Ok(()),
        };
    }
    let frames: Vec<Value> = sse::events(bytes)?
        .iter()
        .filter(|event| event.data != "[DONE]")
        .map(sse::Event::json)
        .collect::<Result<_, _>>()?;
    match dialect {
        Dialect::Chat => frames.iter().enumerate().try_for_each(|(at, frame)| chat_chunk(at, frame)),
        Dialect::Messages => messages_stream(&frames),
        Dialect::Responses => frames.iter().try_for_each(responses_event),
        Dialect::Gemini => {
            frames.iter().try_for_each(gemini_chunk)?;
            gemini_end(frames.last().ok_or("an empty stream")?)
        }
    }
}

fn demand(is_so: bool, what: &str, value: &Value) -> Checked {
    if is_so { Ok(()) } else { Err(format!("{what}: {value}")) }
}

/// The AI SDK takes no role but this one; Zed wants an index on each call, and usage whole or not at all.
fn chat_chunk(at: usize, chunk: &Value) -> Checked {
    demand(chunk["object"] == "chat.completion.chunk", "no chunk", chunk)?;
    demand(chunk["id"].is_string() && chunk["created"].is_u64(), "no id or time", chunk)?;
    let usage = &chunk["usage"];
    if !usage.is_null() {
        chat_usage(usage)?;
    }
    for choice in chunk["choices"].as_array().ok_or("no choices")? {
        demand(choice["index"].is_u64(), "a choice without an index", chunk)?;
        demand(choice.get("finish_reason").is_some(), "finish_reason must be there, if only as null", chunk)?;
        let delta = choice["delta"].as_object().ok_or("no delta")?;
        if let Some(role) = delta.get("role") {
            demand(role == "assistant", "a role that is not assistant", chunk)?;
            demand(at == 0, "the role comes again", chunk)?;
        }
        let calls = delta.get("tool_calls");
        demand(calls.is_none_or(|calls| calls.as_array().is_some_and(|c| !c.is_empty())), "no calls", chunk)?;
        for call in calls.and_then(Value::as_array).into_iter().flatten() {
            demand(call["index"].is_u64(), "a call without an index", chunk)?;
            let id = call.get("id");
            demand(id.is_none_or(|id| id.as_str().is_some_and(|id| !id.is_empty())), "an empty id", chunk)?;
            // What begins a call names it; what goes on does not.
            demand(id.is_some() == call["function"].get("name").is_some(), "half a beginning", chunk)?;
        }
    }
    Ok(())
}

fn chat_usage(usage: &Value) -> Checked {
    let whole =
        ["prompt_tokens", "completion_tokens", "total_tokens"].iter().all(|name| usage[name].is_u64());
    demand(whole, "usage that is not whole", usage)
}

fn messages_usage(usage: &Value) -> Checked {
    let whole = usage["input_tokens"].is_u64() && usage["output_tokens"].is_u64();
    demand(whole, "usage that is not whole", usage)
}

/// LangChain reads the input from the start and Cline from both ends: they must say the same.
fn messages_stream(frames: &[Value]) -> Checked {
    let start = frames.first().ok_or("an empty stream")?;
    messages_usage(&start["message"]["usage"])?;
    for frame in frames.iter().filter(|frame| frame["type"] == "message_delta") {
        demand(frame["usage"]["output_tokens"].is_u64(), "no output at the end", frame)?;
        demand(frame["delta"].get("stop_sequence").is_some(), "no stop_sequence", frame)?;
    }
    Ok(())
}

/// Codex reads items from `done`, and ends with an id and whole usage; the AI SDK wants an id on each message.
fn responses_event(event: &Value) -> Checked {
    demand(event["sequence_number"].is_u64(), "no number", event)?;
    match event["type"].as_str().unwrap_or_default() {
        "response.output_item.added" | "response.output_item.done" => {
            let item = &event["item"];
            demand(item["id"].as_str().is_some_and(|id| !id.is_empty()), "an item without an id", event)?;
            demand(item["call_id"].as_str().is_none_or(|id| id.len() <= 64), "a long call_id", event)?;
            demand(item["type"] != "message" || item["content"].is_array(), "no content", event)?;
            for part in item["content"].as_array().into_iter().flatten() {
                let bare = part["annotations"].is_array() && part["logprobs"].is_array();
                demand(part["type"] != "output_text" || bare, "no annotations or logprobs", event)?;
            }
            Ok(())
        }
        "response.completed" => {
            let (response, usage) = (&event["response"], &event["response"]["usage"]);
            demand(response["id"].is_string() && response["model"].is_string(), "no id or model", event)?;
            demand(!response["output"].as_array().is_none_or(Vec::is_empty), "no output", event)?;
            demand(usage["output_tokens_details"]["reasoning_tokens"].is_u64(), "no details", event)
        }
        _ => Ok(()),
    }
}

/// Arguments are whole objects, and every chunk counts.
fn gemini_chunk(chunk: &Value) -> Checked {
    demand(
        chunk["candidates"].is_array() || chunk["usageMetadata"].is_object(),
        "a chunk of nothing",
        chunk,
    )?;
    for part in chunk["candidates"][0]["content"]["parts"].as_array().into_iter().flatten() {
        let call = &part["functionCall"];
        demand(
            call.is_null() || (call["args"].is_object() && call["name"].is_string()),
            "half a call",
            chunk,
        )?;
        demand(part["thoughtSignature"].is_null() || part["thoughtSignature"] != "", "an empty seal", chunk)?;
    }
    Ok(())
}

/// Gemini CLI asks again where no reason is given.
fn gemini_end(last: &Value) -> Checked {
    demand(last["candidates"][0]["finishReason"].is_string(), "no finishReason at the end", last)?;
    demand(last["usageMetadata"]["totalTokenCount"].is_u64(), "no usage at the end", last)
}
