//! Answers of vendors, read as they come: tolerant of everything that real vendors do, and of nothing else.
//!
//! Shares nothing with byok's own translation.

use super::meaning::{Meaning, Stop};
use crate::support::ask::Usage;
use byok_types::Dialect;
use serde_json::{Map, Value, json};

/// Reads a whole answer or a stream.
pub fn read(dialect: Dialect, stream: bool, body: &[u8]) -> Result<Meaning, String> {
    let documents = if stream && body.first() != Some(&b'[') { frames(body)? } else { parse(body)? };
    let mut meaning = match dialect {
        Dialect::Chat => chat(&documents, stream),
        Dialect::Responses => responses(&documents, stream),
        Dialect::Messages => messages(&documents, stream),
        Dialect::Gemini => gemini(&documents),
    };
    // Nothing but zeros means that nobody has counted.
    meaning.usage = meaning.usage.filter(|usage| *usage != Usage::default());
    Ok(meaning.settled())
}

fn parse(body: &[u8]) -> Result<Vec<Value>, String> {
    match serde_json::from_slice(body).map_err(|error| error.to_string())? {
        Value::Array(list) => Ok(list),
        one => Ok(vec![one]),
    }
}

/// The data of every event.
fn frames(body: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?.replace("\r\n", "\n");
    let mut all = Vec::new();
    for block in text.split("\n\n") {
        let data: Vec<&str> =
            block.lines().filter_map(|l| l.strip_prefix("data:")).map(str::trim_start).collect();
        let data = data.join("\n");
        if !data.is_empty() && data != "[DONE]" {
            all.push(serde_json::from_str(&data).map_err(|error| format!("{error}: {data}"))?);
        }
    }
    Ok(all)
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn count(value: &Value, name: &str) -> Option<u64> {
    value[name].as_u64()
}

fn json_or_text(raw: &str) -> Value {
    if raw.trim().is_empty() { json!({}) } else { serde_json::from_str(raw).unwrap_or_else(|_| json!(raw)) }
}

fn chat(documents: &[Value], stream: bool) -> Meaning {
    let mut meaning = Meaning::default();
    let mut calls: Vec<(Value, String, String)> = Vec::new();
    let mut ended = false;
    for document in documents {
        meaning.failed |= !document["error"].is_null();
        if let Some(usage) =
            chat_usage(&document["usage"]).or_else(|| chat_usage(&document["x_groq"]["usage"]))
        {
            meaning.usage = Some(usage);
        }
        for choice in items(&document["choices"]).filter(|c| count(c, "index").unwrap_or(0) == 0) {
            let said = if stream { &choice["delta"] } else { &choice["message"] };
            match &said["content"] {
                Value::String(text) => meaning.text.push_str(text),
                parts => items(parts)
                    .filter(|part| word(part, "type") == "text")
                    .for_each(|part| meaning.text.push_str(word(part, "text"))),
            }
            meaning.refusal.push_str(word(said, "refusal"));
            for (place, call) in items(&said["tool_calls"]).enumerate() {
                chat_call(&mut calls, if stream { call["index"].clone() } else { json!(place) }, call);
            }
            if said["function_call"]["name"].as_str().is_some_and(|name| !name.is_empty()) {
                chat_call(&mut calls, json!("old"), &json!({"function": said["function_call"]}));
            }
            if let Some(reason) = choice["finish_reason"].as_str() {
                ended = true;
                match reason {
                    "length" | "max_tokens" | "model_length" => meaning.stop = Stop::Length,
                    "content_filter" => meaning.stop = Stop::Filter,
                    "error" => meaning.failed = true,
                    _ => {}
                }
            }
        }
    }
    // Without any word of its end a stream is over where something was said.
    meaning.failed |= !ended && meaning.text.is_empty() && calls.is_empty();
    meaning.calls = calls.into_iter().map(|(_, name, raw)| (name, json_or_text(&raw))).collect();
    // Reasoning that stands in the text.
    if let Some((_, said)) =
        meaning.text.trim_start().strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"))
    {
        meaning.text = said.trim_start().to_owned();
    }
    meaning
}

/// One call goes on until another index or another id comes.
fn chat_call(calls: &mut Vec<(Value, String, String)>, index: Value, call: &Value) {
    let function = &call["function"];
    let arguments = match &function["arguments"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        object => object.to_string(),
    };
    match calls.iter_mut().rev().find(|(known, ..)| *known == index) {
        Some((_, name, raw)) => {
            if name.is_empty() {
                word(function, "name").clone_into(name);
            }
            raw.push_str(&arguments);
        }
        None => calls.push((index, word(function, "name").to_owned(), arguments)),
    }
}

fn chat_usage(usage: &Value) -> Option<Usage> {
    let input = count(usage, "prompt_tokens")?;
    let mut output = count(usage, "completion_tokens").unwrap_or(0);
    let reasoning = count(&usage["completion_tokens_details"], "reasoning_tokens").unwrap_or(0);
    // One vendor counts reasoning in the total only.
    if reasoning > 0 && count(usage, "total_tokens") == Some(input + output + reasoning) {
        output += reasoning;
    }
    let cached = count(&usage["prompt_tokens_details"], "cached_tokens")
        .or(count(usage, "cached_tokens"))
        .or(count(usage, "prompt_cache_hit_tokens"))
        .or(count(usage, "num_cached_tokens"))
        .unwrap_or(0);
    (input + output > 0).then_some(Usage { input, cached, output, reasoning })
}

fn responses(documents: &[Value], stream: bool) -> Meaning {
    let mut meaning = Meaning::default();
    let mut last = None;
    let mut done: Vec<Value> = Vec::new();
    for document in documents {
        if !stream {
            last = Some(document);
            continue;
        }
        match word(document, "type") {
            "response.output_item.done" => done.push(document["item"].clone()),
            "response.completed" | "response.incomplete" => last = Some(&document["response"]),
            "response.failed" | "error" => meaning.failed = true,
            _ => {}
        }
    }
    let Some(response) = last else {
        meaning.failed = true;
        return meaning;
    };
    let status = word(response, "status");
    meaning.failed |= !response["error"].is_null() || ["failed", "queued", "in_progress"].contains(&status);
    let listed = response["output"].as_array().filter(|list| !list.is_empty());
    for item in listed.unwrap_or(&done) {
        match word(item, "type") {
            "message" => {
                for part in items(&item["content"]) {
                    meaning.text.push_str(word(part, "text"));
                    meaning.refusal.push_str(word(part, "refusal"));
                }
            }
            "function_call" => {
                meaning.calls.push((word(item, "name").to_owned(), json_or_text(word(item, "arguments"))));
            }
            "custom_tool_call" => {
                meaning.calls.push((word(item, "name").to_owned(), json!({"input": item["input"]})));
            }
            _ => {}
        }
    }
    match response["incomplete_details"]["reason"].as_str() {
        Some("content_filter") => meaning.stop = Stop::Filter,
        Some(_) => meaning.stop = Stop::Length,
        None => {}
    }
    let usage = &response["usage"];
    meaning.usage = count(usage, "input_tokens").map(|input| Usage {
        input,
        cached: count(&usage["input_tokens_details"], "cached_tokens").unwrap_or(0),
        output: count(usage, "output_tokens").unwrap_or(0),
        reasoning: count(&usage["output_tokens_details"], "reasoning_tokens").unwrap_or(0),
    });
    meaning
}

fn messages(documents: &[Value], stream: bool) -> Meaning {
    let mut meaning = Meaning::default();
    let mut blocks: Vec<(Value, String)> = Vec::new();
    let mut usage = Map::new();
    let mut reason = Value::Null;
    let mut ended = !stream;
    let mut take = |more: &Value| usage.extend(more.as_object().cloned().unwrap_or_default());
    for document in documents {
        match word(document, "type") {
            "message_start" => {
                let message = &document["message"];
                take(&message["usage"]);
                // Edited recordings say here what comes later or never.
                blocks.extend(items(&message["content"]).map(|block| (block.clone(), String::new())));
                ended |= message["stop_reason"].is_string();
            }
            "content_block_start" => blocks.push((document["content_block"].clone(), String::new())),
            "content_block_delta" => {
                let delta = &document["delta"];
                if let Some((block, input)) = blocks.last_mut() {
                    if word(block, "type") == "text" {
                        block["text"] = json!(format!("{}{}", word(block, "text"), word(delta, "text")));
                    }
                    input.push_str(word(delta, "partial_json"));
                }
            }
            "message_delta" => {
                take(&document["usage"]);
                reason = document["delta"]["stop_reason"].clone();
                word(&document["delta"]["stop_details"], "explanation").clone_into(&mut meaning.explanation);
                ended = true;
            }
            "message_stop" => ended = true,
            "error" => meaning.failed = true,
            "message" => {
                blocks.extend(items(&document["content"]).map(|block| (block.clone(), String::new())));
                reason = document["stop_reason"].clone();
                word(&document["stop_details"], "explanation").clone_into(&mut meaning.explanation);
                take(&document["usage"]);
            }
            _ => {}
        }
    }
    meaning.failed |= !ended;
    for (block, input) in blocks {
        match word(&block, "type") {
            "text" => meaning.text.push_str(word(&block, "text")),
            "tool_use" => {
                let input = if input.is_empty() { block["input"].clone() } else { json_or_text(&input) };
                meaning.calls.push((word(&block, "name").to_owned(), input));
            }
            _ => {}
        }
    }
    meaning.stop = match reason.as_str() {
        Some("stop_sequence") => Stop::Sequence,
        Some("max_tokens") => Stop::Length,
        Some("model_context_window_exceeded") => Stop::Context,
        Some("refusal") => Stop::Refusal,
        Some("pause_turn") => Stop::Pause,
        Some("compaction") => Stop::Compaction,
        _ => Stop::End,
    };
    let usage = Value::Object(usage);
    meaning.usage = count(&usage, "input_tokens").map(|input| {
        let cached = count(&usage, "cache_read_input_tokens").unwrap_or(0);
        Usage {
            input: input + cached + count(&usage, "cache_creation_input_tokens").unwrap_or(0),
            cached,
            output: count(&usage, "output_tokens").unwrap_or(0),
            reasoning: count(&usage["output_tokens_details"], "thinking_tokens").unwrap_or(0),
        }
    });
    meaning
}

fn gemini(documents: &[Value]) -> Meaning {
    let mut meaning = Meaning::default();
    // Whether the last call goes on in the next part.
    let mut goes_on = false;
    let mut ended = false;
    let mut usage = Map::new();
    for document in documents {
        meaning.failed |= !document["error"].is_null();
        usage.extend(document["usageMetadata"].as_object().cloned().unwrap_or_default());
        if document["promptFeedback"]["blockReason"].is_string() {
            ended = true;
            meaning.stop = Stop::Refusal;
            word(&document["promptFeedback"], "blockReasonMessage").clone_into(&mut meaning.explanation);
        }
        let Some(candidate) = document["candidates"].get(0) else { continue };
        for part in items(&candidate["content"]["parts"]).filter(|part| part["thought"] != true) {
            meaning.text.push_str(word(part, "text"));
            if let Some(call) = part.get("functionCall") {
                let arguments = call.get("args").cloned().unwrap_or_else(|| json!({}));
                if !goes_on {
                    meaning.calls.push((word(call, "name").to_owned(), arguments));
                }
                if let Some((_, arguments)) = meaning.calls.last_mut() {
                    items(&call["partialArgs"]).for_each(|piece| partial(arguments, piece));
                }
                goes_on = call["willContinue"] == true;
            }
        }
        if let Some(reason) = candidate["finishReason"].as_str() {
            ended = true;
            match reason {
                "MAX_TOKENS" => meaning.stop = Stop::Length,
                "MALFORMED_FUNCTION_CALL"
                | "UNEXPECTED_TOOL_CALL"
                | "TOO_MANY_TOOL_CALLS"
                | "MALFORMED_RESPONSE" => meaning.stop = Stop::Malformed,
                "STOP" | "OTHER" | "FINISH_REASON_UNSPECIFIED" => {}
                _ => meaning.stop = Stop::Filter,
            }
            word(candidate, "finishMessage").clone_into(&mut meaning.explanation);
        }
    }
    // An answer that says nothing but that it failed is an error.
    meaning.failed |=
        !ended || (meaning.stop == Stop::Malformed && meaning.text.is_empty() && meaning.calls.is_empty());
    let usage = Value::Object(usage);
    let some = |name: &str| count(&usage, name).unwrap_or(0);
    meaning.usage = count(&usage, "promptTokenCount").map(|prompt| Usage {
        input: prompt + some("toolUsePromptTokenCount"),
        cached: some("cachedContentTokenCount"),
        output: some("candidatesTokenCount") + some("thoughtsTokenCount"),
        reasoning: some("thoughtsTokenCount"),
    });
    meaning
}

/// Puts one piece of streamed arguments to its place (`$.a[0].b`).
fn partial(mut at: &mut Value, piece: &Value) {
    let path = word(piece, "jsonPath").trim_start_matches('$').replace('[', ".").replace(']', "");
    for step in path.split('.').filter(|step| !step.is_empty()) {
        at = match step.parse::<usize>() {
            Ok(index) => {
                if !at.is_array() {
                    *at = json!([]);
                }
                while at.as_array().is_some_and(|list| list.len() <= index) {
                    at.as_array_mut().into_iter().for_each(|list| list.push(Value::Null));
                }
                &mut at[index]
            }
            Err(_) => {
                if !at.is_object() {
                    *at = json!({});
                }
                &mut at[step]
            }
        };
    }
    match piece["stringValue"].as_str() {
        Some(text) => *at = json!(format!("{}{text}", at.as_str().unwrap_or_default())),
        None => *at = piece.get("numberValue").or(piece.get("boolValue")).cloned().unwrap_or(Value::Null),
    }
}
