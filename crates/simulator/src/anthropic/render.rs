//! Answers in the Messages dialect: one message, or the events that build it.

use crate::{
    answer::{Answer, Part, Source, Stop, Tokens},
    models::Maker,
    sse::{Frame, Role},
    vendor::Turn,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The whole message.
pub(crate) fn whole(turn: &Turn<'_>) -> Value {
    let content: Vec<Value> = blocks(turn).into_iter().map(Block::whole).collect();
    let (reason, sequence, details) = stop(turn.answer);
    let mut message = shell(turn, &usage(turn.answer.tokens));
    message["content"] = Value::Array(content);
    message["stop_reason"] = reason;
    message["stop_sequence"] = sequence;
    if !details.is_null() {
        message["stop_details"] = details;
    }
    message
}

/// The events of the message.
pub(crate) fn stream(turn: &Turn<'_>) -> Vec<Frame> {
    let tokens = turn.answer.tokens;
    let mut first_usage = usage(Tokens { output: 1, reasoning: 0, searches: 0, ..tokens });
    first_usage["server_tool_use"] = Value::Null;
    let message = shell(turn, &first_usage);
    let mut frames = vec![event(Role::Frame, &json!({"type": "message_start", "message": message}))];
    for (index, block) in blocks(turn).into_iter().enumerate() {
        frames.push(event(
            Role::Frame,
            &json!({"type": "content_block_start", "index": index, "content_block": block.opening}),
        ));
        if index == 0 {
            frames.push(event(Role::Frame, &json!({"type": "ping"})));
        }
        for (role, delta) in block.deltas {
            frames.push(event(role, &json!({"type": "content_block_delta", "index": index, "delta": delta})));
        }
        frames.push(event(Role::Frame, &json!({"type": "content_block_stop", "index": index})));
    }
    let (reason, sequence, details) = stop(turn.answer);
    let mut delta = json!({"stop_reason": reason, "stop_sequence": sequence});
    if !details.is_null() {
        delta["stop_details"] = details;
    }
    frames.push(event(Role::End, &json!({"type": "message_delta", "delta": delta, "usage": usage(tokens)})));
    frames.push(event(Role::End, &json!({"type": "message_stop"})));
    frames
}

/// The error event, from the body that an HTTP error would have had.
pub(crate) fn error_frame(document: &Value) -> String {
    format!("event: error\ndata: {document}\n\n")
}

fn event(role: Role, data: &Value) -> Frame {
    let name = data["type"].as_str().unwrap_or_default().to_owned();
    Frame::event(role, &name, data)
}

fn shell(turn: &Turn<'_>, usage: &Value) -> Value {
    json!({
        "id": turn.ids.base62("msg_01", 0, 22), "type": "message", "role": "assistant", "model": turn.asked.model,
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage,
    })
}

fn usage(tokens: Tokens) -> Value {
    json!({
        "input_tokens": tokens.input.saturating_sub(tokens.cached).saturating_sub(tokens.written),
        "cache_creation_input_tokens": tokens.written,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": tokens.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning},
        "server_tool_use": {"web_search_requests": tokens.searches, "web_fetch_requests": 0},
        "service_tier": "standard",
    })
}

/// `stop_reason`, `stop_sequence`, `stop_details`.
fn stop(answer: &Answer) -> (Value, Value, Value) {
    match &answer.stop {
        Stop::End => (json!("end_turn"), Value::Null, Value::Null),
        Stop::Sequence(text) => (json!("stop_sequence"), json!(text), Value::Null),
        Stop::Length => (json!("max_tokens"), Value::Null, Value::Null),
        Stop::Tools => (json!("tool_use"), Value::Null, Value::Null),
        Stop::Refusal => (
            json!("refusal"),
            Value::Null,
            json!({"type": "refusal", "category": "general_harms", "explanation": "The scenario refuses."}),
        ),
        Stop::Verbatim(reason) => (json!(reason), Value::Null, Value::Null),
    }
}

/// A content block: how it opens, and the deltas that complete it.
struct Block {
    opening: Value,
    deltas: Vec<(Role, Value)>,
    whole: Value,
}

impl Block {
    fn whole(self) -> Value {
        self.whole
    }

    /// A block that comes whole.
    fn fixed(block: Value) -> Self {
        Self { opening: block.clone(), deltas: Vec::new(), whole: block }
    }
}

fn blocks(turn: &Turn<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (number, part) in turn.answer.parts.iter().enumerate() {
        match part {
            Part::Thinking { pieces, redacted } => blocks.push(thinking(turn, pieces, *redacted)),
            Part::Text { pieces, sources } => blocks.push(text(pieces, sources)),
            Part::Refusal { pieces } => blocks.push(text(pieces, &[])),
            Part::Call(call) => {
                let id = turn.ids.base62("toolu_01", number, 22);
                blocks.push(tool("tool_use", &id, &call.name, &call.input, &call.pieces));
            }
            Part::Search { query, sources } => {
                let id = turn.ids.base62("srvtoolu_01", number, 22);
                let input = json!({"query": query}).to_string();
                blocks.push(tool("server_tool_use", &id, "web_search", &input, std::slice::from_ref(&input)));
                blocks.push(search_result(&id, sources));
            }
        }
    }
    blocks
}

fn thinking(turn: &Turn<'_>, pieces: &[String], redacted: bool) -> Block {
    let text = pieces.concat();
    let signature = turn.world.seal.issue(Maker::Anthropic, None, &text);
    if redacted {
        return Block::fixed(json!({"type": "redacted_thinking", "data": signature}));
    }
    let mut deltas: Vec<(Role, Value)> = pieces
        .iter()
        .map(|piece| (Role::Delta, json!({"type": "thinking_delta", "thinking": piece})))
        .collect();
    deltas.push((Role::Frame, json!({"type": "signature_delta", "signature": signature})));
    Block {
        opening: json!({"type": "thinking", "thinking": "", "signature": ""}),
        deltas,
        whole: json!({"type": "thinking", "thinking": text, "signature": signature}),
    }
}

fn text(pieces: &[String], sources: &[Source]) -> Block {
    let mut deltas: Vec<(Role, Value)> =
        pieces.iter().map(|piece| (Role::Delta, json!({"type": "text_delta", "text": piece}))).collect();
    let citations: Vec<Value> = sources.iter().map(citation).collect();
    let mut opening = json!({"type": "text", "text": ""});
    let mut whole = json!({"type": "text", "text": pieces.concat()});
    if !citations.is_empty() {
        opening["citations"] = json!([]);
        whole["citations"] = json!(citations);
    }
    deltas.extend(
        citations
            .into_iter()
            .map(|citation| (Role::Frame, json!({"type": "citations_delta", "citation": citation}))),
    );
    Block { opening, deltas, whole }
}

fn citation(source: &Source) -> Value {
    json!({
        "type": "web_search_result_location", "url": source.url, "title": source.title,
        "encrypted_index": STANDARD.encode(format!("index of {}", source.url)), "cited_text": source.quote,
    })
}

fn tool(kind: &str, id: &str, name: &str, input: &str, pieces: &[String]) -> Block {
    let deltas = pieces
        .iter()
        .map(|piece| (Role::Delta, json!({"type": "input_json_delta", "partial_json": piece})))
        .collect();
    // Cut arguments are no JSON: a whole message then shows the empty object.
    let parsed: Value = serde_json::from_str(input).unwrap_or_else(|_| json!({}));
    Block {
        opening: json!({"type": kind, "id": id, "name": name, "input": {}}),
        deltas,
        whole: json!({"type": kind, "id": id, "name": name, "input": parsed}),
    }
}

fn search_result(id: &str, sources: &[Source]) -> Block {
    let content: Vec<Value> = sources
        .iter()
        .map(|source| {
            json!({
                "type": "web_search_result", "url": source.url, "title": source.title,
                "encrypted_content": STANDARD.encode(format!("content of {}", source.url)), "page_age": null,
            })
        })
        .collect();
    Block::fixed(json!({"type": "web_search_tool_result", "tool_use_id": id, "content": content}))
}
