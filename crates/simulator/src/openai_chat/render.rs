//! Answers in the Chat dialect: one completion, or its chunks.

use crate::{
    answer::{Answer, Part, Source, Stop, Tokens, ToolCall},
    sse::{Frame, Role},
    vendor::Turn,
};
use serde_json::{Map, Value, json};

/// The whole completion, with as many choices as were asked for.
pub(crate) fn whole(turn: &Turn<'_>) -> Value {
    let reason = finish_reason(turn.answer);
    let choices: Vec<Value> = (0..count(turn))
        .map(|index| {
            let logprobs = logprobs_of(turn, &text_pieces(turn.answer));
            json!({"index": index, "message": message(turn), "logprobs": logprobs, "finish_reason": reason})
        })
        .collect();
    let mut body = json!({
        "id": turn.ids.base62("chatcmpl-", 0, 29), "object": "chat.completion", "created": turn.ids.created(),
        "model": turn.asked.model, "choices": choices, "usage": turn.answer.counted.then(|| usage(turn.answer.tokens)),
    });
    finish_shell(&mut body);
    body
}

/// The chunks of the completion.
pub(crate) fn stream(turn: &Turn<'_>) -> Vec<Frame> {
    let chunks = Chunks::new(turn);
    let indices = 0..count(turn);
    let mut frames: Vec<Frame> = indices
        .clone()
        .map(|index| {
            chunks.choice(
                Role::Frame,
                index,
                json!({"role": "assistant", "content": "", "refusal": null}),
                None,
            )
        })
        .collect();
    let deltas = deltas(turn);
    for (position, delta) in deltas.into_iter().enumerate() {
        for index in indices.clone() {
            let mut delta = delta.clone();
            chunks.obfuscate(&mut delta, position);
            frames.push(chunks.choice(Role::Delta, index, delta, None));
        }
    }
    let reason = Some(finish_reason(turn.answer));
    frames.extend(indices.map(|index| chunks.choice(Role::End, index, json!({}), reason)));
    if chunks.usage {
        let mut last = chunks.shell(&json!([]));
        last["usage"] = usage(turn.answer.tokens);
        frames.push(Frame::data(Role::End, &last));
    }
    frames.push(Frame { role: Role::Done, text: "data: [DONE]\n\n".to_owned() });
    frames
}

/// An error in the middle of a stream: the vendor's body as a frame.
pub(crate) fn error_frame(document: &Value) -> String {
    format!("data: {document}\n\n")
}

fn count(turn: &Turn<'_>) -> usize {
    turn.body["n"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1).clamp(1, 128)
}

/// What all chunks of a stream have in common.
struct Chunks<'a> {
    turn: &'a Turn<'a>,
    usage: bool,
    obfuscation: bool,
}

impl<'a> Chunks<'a> {
    fn new(turn: &'a Turn<'a>) -> Self {
        let options = &turn.body["stream_options"];
        Self {
            turn,
            usage: options["include_usage"] == true && turn.answer.counted,
            obfuscation: options["include_obfuscation"] != false,
        }
    }

    fn shell(&self, choices: &Value) -> Value {
        let ids = self.turn.ids;
        let mut chunk = json!({
            "id": ids.base62("chatcmpl-", 0, 29), "object": "chat.completion.chunk", "created": ids.created(),
            "model": self.turn.asked.model, "choices": choices,
        });
        finish_shell(&mut chunk);
        if self.usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }

    fn choice(&self, role: Role, index: usize, mut delta: Value, reason: Option<&str>) -> Frame {
        let obfuscation = delta.as_object_mut().and_then(|delta| delta.remove("obfuscation"));
        let logprobs = delta["content"].as_str().filter(|_| role == Role::Delta).map(str::to_owned);
        let logprobs = logprobs.map_or(Value::Null, |piece| logprobs_of(self.turn, &[piece]));
        let choice = json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason});
        let mut chunk = self.shell(&json!([choice]));
        if let Some(padding) = obfuscation {
            chunk["obfuscation"] = padding;
        }
        Frame::data(role, &chunk)
    }

    /// The vendor pads deltas so that their length tells nothing.
    fn obfuscate(&self, delta: &mut Value, position: usize) {
        if self.obfuscation {
            delta["obfuscation"] = json!(self.turn.ids.base62("", position + 1, 4 + position % 9));
        }
    }
}

fn finish_shell(body: &mut Value) {
    body["service_tier"] = json!("default");
    body["system_fingerprint"] = json!("fp_simulator");
}

fn deltas(turn: &Turn<'_>) -> Vec<Value> {
    let (mut deltas, mut calls) = (Vec::new(), 0);
    let mut annotated = 0;
    for (number, part) in turn.answer.parts.iter().enumerate() {
        match part {
            Part::Thinking { pieces, .. } => {
                deltas.extend(pieces.iter().map(|piece| json!({"reasoning_content": piece})));
            }
            Part::Text { pieces, sources } => {
                deltas.extend(pieces.iter().map(|piece| json!({"content": piece})));
                let text = pieces.concat();
                if !sources.is_empty() {
                    deltas.push(json!({"annotations": annotations(sources, annotated, &text)}));
                }
                annotated += text.chars().count();
            }
            Part::Refusal { pieces } => deltas.extend(pieces.iter().map(|piece| json!({"refusal": piece}))),
            Part::Call(call) => {
                let mut first = tool_call(turn, number, call, "");
                first["index"] = json!(calls);
                deltas.push(json!({"tool_calls": [first]}));
                let whole = [call.input.clone()];
                let pieces = if call.pieces.is_empty() { &whole[..] } else { &call.pieces[..] };
                for piece in pieces {
                    let inner = if call.free { json!({"input": piece}) } else { json!({"arguments": piece}) };
                    let kind = if call.free { "custom" } else { "function" };
                    let mut delta = json!({"index": calls});
                    delta[kind] = inner;
                    deltas.push(json!({"tool_calls": [delta]}));
                }
                calls += 1;
            }
            Part::Search { .. } => {}
        }
    }
    deltas
}

fn tool_call(turn: &Turn<'_>, number: usize, call: &ToolCall, input: &str) -> Value {
    let id = turn.ids.base62("call_", number, 24);
    if call.free {
        json!({"id": id, "type": "custom", "custom": {"name": call.name, "input": input}})
    } else {
        json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": input}})
    }
}

fn annotations(sources: &[Source], start: usize, text: &str) -> Vec<Value> {
    let end = start + text.chars().count();
    let annotation = |source: &Source| {
        json!({
            "type": "url_citation",
            "url_citation": {"url": source.url, "title": source.title, "start_index": start, "end_index": end},
        })
    };
    sources.iter().map(annotation).collect()
}

fn text_pieces(answer: &Answer) -> Vec<String> {
    let pieces = |part: &Part| match part {
        Part::Text { pieces, .. } => pieces.clone(),
        _ => Vec::new(),
    };
    answer.parts.iter().flat_map(pieces).collect()
}

fn message(turn: &Turn<'_>) -> Value {
    let mut message = Map::new();
    let (mut text, mut refusal, mut thinking) = (None::<String>, Value::Null, String::new());
    let (mut calls, mut notes) = (Vec::new(), Vec::new());
    for (number, part) in turn.answer.parts.iter().enumerate() {
        match part {
            Part::Thinking { pieces, .. } => thinking.push_str(&pieces.concat()),
            Part::Text { pieces, sources } => {
                let said = text.get_or_insert_default();
                notes.extend(annotations(sources, said.chars().count(), &pieces.concat()));
                said.push_str(&pieces.concat());
            }
            Part::Refusal { pieces } => refusal = json!(pieces.concat()),
            Part::Call(call) => calls.push(tool_call(turn, number, call, &call.input)),
            Part::Search { .. } => {}
        }
    }
    message.insert("role".to_owned(), json!("assistant"));
    message.insert("content".to_owned(), json!(text));
    if !thinking.is_empty() {
        message.insert("reasoning_content".to_owned(), json!(thinking));
    }
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), json!(calls));
    }
    message.insert("refusal".to_owned(), refusal);
    message.insert("annotations".to_owned(), json!(notes));
    Value::Object(message)
}

/// Token probabilities if they were asked for: each piece is a token that was all but certain.
fn logprobs_of(turn: &Turn<'_>, pieces: &[String]) -> Value {
    if turn.body["logprobs"] != true {
        return Value::Null;
    }
    let token = |piece: &String| json!({"token": piece, "logprob": -0.01, "bytes": piece.as_bytes()});
    let wanted = turn.body["top_logprobs"].as_u64().unwrap_or(0);
    let content: Vec<Value> = pieces
        .iter()
        .map(|piece| {
            let mut entry = token(piece);
            entry["top_logprobs"] = if wanted > 0 { json!([token(piece)]) } else { json!([]) };
            entry
        })
        .collect();
    json!({"content": content, "refusal": null})
}

fn finish_reason(answer: &Answer) -> &str {
    match &answer.stop {
        Stop::End | Stop::Sequence(_) | Stop::Refusal => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
        Stop::Verbatim(reason) => reason,
    }
}

fn usage(tokens: Tokens) -> Value {
    json!({
        "prompt_tokens": tokens.input, "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached, "cache_write_tokens": tokens.written, "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
