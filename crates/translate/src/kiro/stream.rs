//! Kiro's event stream as one of the Messages dialect. The frames are read by AWS's own crate.

use super::{
    failure::{failure, status_of},
    tools,
};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use byok_types::{Failure, FailureKind};
use bytes::BytesMut;
use serde_json::{Value, json};
use std::fmt;

/// The largest frame.
const LARGEST: u32 = 16 << 20;
/// Length, length of the headers, checksum.
const PRELUDE: usize = 12;

/// What is being said.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    Tool { id: String, input: String },
}

/// A call that came while another was not over.
#[derive(Debug)]
struct Waiting {
    id: String,
    name: String,
    input: String,
    over: bool,
}

/// Reads frames and writes events.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that was or was not seen in the stream")]
pub(crate) struct Events {
    pending: BytesMut,
    frames: MessageFrameDecoder,
    /// Whether the next bytes begin a frame.
    fresh: bool,
    window: Option<u32>,
    started: bool,
    block: Option<Block>,
    index: usize,
    waiting: Vec<Waiting>,
    called: bool,
    length: bool,
    usage: Option<Value>,
    /// Used part of the window, in percent.
    percentage: Option<f64>,
    /// An error was written, or the end: nothing may follow.
    over: bool,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("index", &self.index).field("over", &self.over).finish_non_exhaustive()
    }
}

impl Events {
    /// `window` is the context of the model in tokens, by which a percentage becomes a number.
    pub(crate) fn new(window: Option<u32>) -> Self {
        Self {
            pending: BytesMut::new(),
            frames: MessageFrameDecoder::new(),
            fresh: true,
            window,
            started: false,
            block: None,
            index: 0,
            waiting: Vec::new(),
            called: false,
            length: false,
            usage: None,
            percentage: None,
            over: false,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        if self.over {
            return;
        }
        self.pending.extend_from_slice(bytes);
        while !self.over {
            if self.fresh {
                let Some(start) = self.pending.get(..PRELUDE) else { return };
                let length = start.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
                if length > LARGEST {
                    return self.unreadable(out);
                }
                self.fresh = false;
            }
            match self.frames.decode_frame(&mut self.pending) {
                Ok(DecodedFrame::Complete(message)) => {
                    self.fresh = true;
                    self.frame(&message, out);
                }
                Ok(DecodedFrame::Incomplete) => return,
                Err(_) => return self.unreadable(out),
            }
        }
    }

    /// The body is over. An answer that was cut off gets no end, so that whoever reads it notices.
    pub(crate) fn finish(&mut self, out: &mut BytesMut) {
        let cut = !self.fresh || !self.pending.is_empty();
        if self.over || cut || !self.started {
            return;
        }
        let whole = |input: &str| {
            input.trim().is_empty() || serde_json::from_str::<Value>(input).is_ok_and(|it| it.is_object())
        };
        let open = matches!(&self.block, Some(Block::Tool { input, .. }) if !whole(input));
        if open || self.waiting.iter().any(|call| !whole(&call.input)) {
            return;
        }
        self.waiting.iter_mut().for_each(|call| call.over = true);
        self.close(out);
        let reason = if self.length {
            "max_tokens"
        } else if self.called {
            "tool_use"
        } else if self.percentage.is_some_and(|percentage| percentage >= 100.0) {
            "model_context_window_exceeded"
        } else {
            "end_turn"
        };
        let mut event =
            json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}});
        if let Some(usage) = self.usage.take().or_else(|| self.by_percentage()) {
            event["usage"] = usage;
        }
        write(out, &event);
        write(out, &json!({"type": "message_stop"}));
        self.over = true;
    }

    fn frame(&mut self, message: &Message, out: &mut BytesMut) {
        let header = |wanted: &str| {
            let mut headers = message.headers().iter();
            let found = headers.find(|header| header.name().as_str() == wanted)?;
            found.value().as_string().ok().map(|text| text.as_str().to_owned())
        };
        let payload: Value = serde_json::from_slice(message.payload()).unwrap_or_default();
        match header(":message-type").as_deref() {
            Some("exception") => {
                let name = header(":exception-type").unwrap_or_default();
                self.exception(&name, message.payload(), out);
            }
            Some("error") => {
                let said = json!({"message": header(":error-message").unwrap_or_default()}).to_string();
                self.exception(&header(":error-code").unwrap_or_default(), said.as_bytes(), out);
            }
            _ => self.event(&header(":event-type").unwrap_or_default(), &payload, message.payload(), out),
        }
    }

    fn event(&mut self, kind: &str, payload: &Value, bytes: &[u8], out: &mut BytesMut) {
        let text = |name: &str| payload[name].as_str().filter(|text| !text.is_empty());
        match kind {
            "assistantResponseEvent" => {
                if let Some(text) = text("content") {
                    self.open(Block::Text, &json!({"type": "text", "text": ""}), out);
                    self.delta(&json!({"type": "text_delta", "text": text}), out);
                }
            }
            "reasoningContentEvent" => {
                if let Some(text) = text("text") {
                    self.think(out);
                    self.delta(&json!({"type": "thinking_delta", "thinking": text}), out);
                }
                if let Some(signature) = text("signature") {
                    self.think(out);
                    self.delta(&json!({"type": "signature_delta", "signature": signature}), out);
                }
                if let Some(data) = text("redactedContent") {
                    self.close(out);
                    self.begin(&json!({"type": "redacted_thinking", "data": data}), out);
                    self.end(out);
                }
            }
            "toolUseEvent" => self.tool(payload, out),
            "metadataEvent" => self.usage = usage(&payload["tokenUsage"]).or(self.usage.take()),
            "contextUsageEvent" => {
                self.percentage = payload["contextUsagePercentage"].as_f64().or(self.percentage);
            }
            "invalidStateEvent" => self.exception("ValidationException", bytes, out),
            "error" => self.exception("InternalServerException", bytes, out),
            // Credits, references, suggestions: nothing that the dialect has a word for.
            _ => {}
        }
    }

    fn tool(&mut self, payload: &Value, out: &mut BytesMut) {
        let Some(id) = payload["toolUseId"].as_str() else { return };
        let over = payload["stop"] == true;
        let piece = match &payload["input"] {
            Value::String(piece) => piece.clone(),
            whole @ Value::Object(_) => whole.to_string(),
            _ => String::new(),
        };
        let replaces = payload["input"].is_object();
        let other_open = matches!(&self.block, Some(Block::Tool { id: open, .. }) if open != id);
        if other_open {
            let name = payload["name"].as_str().unwrap_or_default();
            match self.waiting.iter_mut().find(|call| call.id == id) {
                Some(call) if replaces => call.input = piece,
                Some(call) => call.input.push_str(&piece),
                None => {
                    self.waiting.push(Waiting {
                        id: id.into(),
                        name: name.into(),
                        input: piece,
                        over: false,
                    });
                }
            }
            if let Some(call) = self.waiting.iter_mut().find(|call| call.id == id) {
                call.over |= over;
            }
            return;
        }
        let open = matches!(&self.block, Some(Block::Tool { .. }));
        if !open {
            self.call(id, payload["name"].as_str().unwrap_or_default(), out);
        }
        if let Some(Block::Tool { input, .. }) = &mut self.block {
            // What has been said cannot be taken back, so a whole object counts only as the first word.
            let said = !input.is_empty();
            let again = replaces && said;
            if !piece.is_empty() && !again {
                input.push_str(&piece);
                self.delta(&json!({"type": "input_json_delta", "partial_json": piece}), out);
            }
        }
        if over {
            self.close(out);
        }
    }

    fn call(&mut self, id: &str, name: &str, out: &mut BytesMut) {
        self.close(out);
        let block = json!({"type": "tool_use", "id": id, "name": tools::own_name(name), "input": {}});
        self.open(Block::Tool { id: id.to_owned(), input: String::new() }, &block, out);
        self.called = true;
    }

    fn think(&mut self, out: &mut BytesMut) {
        self.open(Block::Thinking, &json!({"type": "thinking", "thinking": "", "signature": ""}), out);
    }

    /// Goes on with a block of this kind, or begins one.
    fn open(&mut self, block: Block, opening: &Value, out: &mut BytesMut) {
        if self.block.as_ref() == Some(&block) {
            return;
        }
        self.close(out);
        self.begin(opening, out);
        self.block = Some(block);
    }

    fn begin(&mut self, opening: &Value, out: &mut BytesMut) {
        if !self.started {
            self.started = true;
            let message = json!({
                "id": "", "type": "message", "role": "assistant", "model": "", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 0, "output_tokens": 0},
            });
            write(out, &json!({"type": "message_start", "message": message}));
        }
        write(out, &json!({"type": "content_block_start", "index": self.index, "content_block": opening}));
    }

    fn delta(&self, delta: &Value, out: &mut BytesMut) {
        write(out, &json!({"type": "content_block_delta", "index": self.index, "delta": delta}));
    }

    fn end(&mut self, out: &mut BytesMut) {
        write(out, &json!({"type": "content_block_stop", "index": self.index}));
        self.index += 1;
    }

    /// Ends the block that is open, and says the calls that waited for that.
    fn close(&mut self, out: &mut BytesMut) {
        while let Some(block) = self.block.take() {
            self.end(out);
            if !matches!(block, Block::Tool { .. }) || self.waiting.is_empty() {
                return;
            }
            let call = self.waiting.remove(0);
            let opening =
                json!({"type": "tool_use", "id": call.id, "name": tools::own_name(&call.name), "input": {}});
            self.begin(&opening, out);
            if !call.input.is_empty() {
                self.delta(&json!({"type": "input_json_delta", "partial_json": call.input}), out);
            }
            self.block = Some(Block::Tool { id: call.id, input: call.input });
            if !call.over {
                return;
            }
        }
    }

    fn exception(&mut self, name: &str, body: &[u8], out: &mut BytesMut) {
        // The answer has reached its longest; what came is good.
        if name.starts_with("ContentLengthExceeded") && self.started {
            self.length = true;
            return;
        }
        self.fail(&failure(status_of(name), Some(name), body), out);
    }

    fn unreadable(&mut self, out: &mut BytesMut) {
        let said = json!({"message": "the stream of Kiro is damaged; try again."}).to_string();
        self.fail(&failure(502, None, said.as_bytes()), out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut BytesMut) {
        let kind = match failure.kind {
            FailureKind::Auth => "authentication_error",
            FailureKind::Permission => "permission_error",
            FailureKind::NotFound => "not_found_error",
            FailureKind::RateLimit | FailureKind::QuotaWindow => "rate_limit_error",
            FailureKind::Overloaded => "overloaded_error",
            FailureKind::BadRequest | FailureKind::ContextTooLong | FailureKind::Conflict => {
                "invalid_request_error"
            }
            _ => "api_error",
        };
        let mut error = json!({"type": kind, "message": failure.message});
        if let Some(code) = failure.code.as_deref().filter(|code| !code.is_empty()) {
            error["details"] = json!({"error_code": code});
        }
        write(out, &json!({"type": "error", "error": error}));
        self.over = true;
    }

    /// Without numbers the used part of the window is the next best thing. What the answer took of it is not known.
    fn by_percentage(&self) -> Option<Value> {
        let tokens = f64::from(self.window?) * self.percentage? / 100.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a percentage of a window is a small number; what is not becomes the nearest"
        )]
        let tokens = tokens.round() as u64;
        Some(json!({"input_tokens": tokens}))
    }
}

fn usage(told: &Value) -> Option<Value> {
    let count = |name: &str| told[name].as_u64();
    let output = count("outputTokens")?;
    Some(json!({
        "input_tokens": count("uncachedInputTokens").unwrap_or(0),
        "cache_read_input_tokens": count("cacheReadInputTokens").unwrap_or(0),
        "cache_creation_input_tokens": count("cacheWriteInputTokens").unwrap_or(0),
        "output_tokens": output,
    }))
}

fn write(out: &mut BytesMut, event: &Value) {
    let name = event["type"].as_str().unwrap_or_default();
    out.extend_from_slice(format!("event: {name}\ndata: {event}\n\n").as_bytes());
}
