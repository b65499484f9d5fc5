//! Kiro's event stream as one of the Messages dialect. The frames are read by AWS's own crate.

use super::{
    calls::{Contradiction, Input, Waiting},
    failure::{failure, status_of},
    tools,
};
use crate::estimate::Length;
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use byok_types::{Failure, FailureKind};
use bytes::BytesMut;
use serde_json::{Value, json};
use std::{collections::HashSet, fmt};

/// The largest frame.
const LARGEST: u32 = 16 << 20;
/// Length, length of the headers, checksum.
const PRELUDE: usize = 12;

/// What is being said.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Text,
    Thinking,
    Tool { id: String, input: Input },
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
    /// Ids of the calls that are over; there is one at least where there was one.
    called: HashSet<String>,
    /// How much was said.
    said: Length,
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
            called: HashSet::new(),
            said: Length::default(),
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
        while let Some(Block::Tool { input, .. }) = &self.block {
            if !input.may_be_all() {
                return;
            }
            self.close(out);
        }
        self.close(out);
        let reason = if self.length {
            "max_tokens"
        } else if !self.called.is_empty() {
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
        match kind {
            "assistantResponseEvent" => self.say("text", payload, out),
            "reasoningContentEvent" => self.say("thought", payload, out),
            "toolUseEvent" => self.tool(payload, out),
            "metadataEvent" => {
                let told = &payload["tokenUsage"];
                self.usage = usage(told).or(self.usage.take());
                self.percentage = told["contextUsagePercentage"].as_f64().or(self.percentage);
            }
            "contextUsageEvent" => {
                self.percentage = payload["contextUsagePercentage"].as_f64().or(self.percentage);
            }
            "invalidStateEvent" => self.exception("ValidationException", bytes, out),
            "error" => self.exception("InternalServerException", bytes, out),
            // Credits, references, suggestions: nothing that the dialect has a word for.
            _ => {}
        }
    }

    /// Text or a thought. It waits while a call is not over, whose rest would come too late behind it.
    fn say(&mut self, kind: &'static str, payload: &Value, out: &mut BytesMut) {
        while let Some(Block::Tool { input, .. }) = &self.block {
            if !input.is_object() {
                self.waiting.push(Waiting::Said(kind, payload.clone()));
                return;
            }
            self.close(out);
        }
        let text = |name: &str| payload[name].as_str().filter(|text| !text.is_empty());
        if kind == "text" {
            if let Some(text) = text("content") {
                self.open(Block::Text, &json!({"type": "text", "text": ""}), out);
                self.delta(&json!({"type": "text_delta", "text": text}), out);
            }
            return;
        }
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

    fn tool(&mut self, payload: &Value, out: &mut BytesMut) {
        let Some(id) = payload["toolUseId"].as_str() else { return };
        match &self.block {
            // It is over: what comes late adds nothing to it, and is no part of another.
            _ if self.called.contains(id) => return,
            Some(Block::Tool { id: open, .. }) if open != id => {
                return Waiting::add(&mut self.waiting, payload, id);
            }
            Some(Block::Tool { .. }) => {}
            _ => self.call(id, payload["name"].as_str().unwrap_or_default(), Input::default(), out),
        }
        if let Some(Block::Tool { input, .. }) = &mut self.block {
            match input.take(&payload["input"]) {
                Ok(new) => self.argue(&new, out),
                // What was said cannot be taken back.
                Err(Contradiction) => return self.unreadable(out),
            }
        }
        if payload["stop"] == true {
            self.close(out);
        }
    }

    /// Begins a call with what is known of its input.
    fn call(&mut self, id: &str, name: &str, input: Input, out: &mut BytesMut) {
        let block = json!({"type": "tool_use", "id": id, "name": tools::own_name(name), "input": {}});
        let known = input.as_str().to_owned();
        self.open(Block::Tool { id: id.to_owned(), input }, &block, out);
        self.argue(&known, out);
    }

    fn argue(&mut self, piece: &str, out: &mut BytesMut) {
        if !piece.is_empty() {
            self.delta(&json!({"type": "input_json_delta", "partial_json": piece}), out);
        }
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
                "stop_reason": null, "stop_sequence": null, "usage": {},
            });
            write(out, &json!({"type": "message_start", "message": message}));
        }
        write(out, &json!({"type": "content_block_start", "index": self.index, "content_block": opening}));
    }

    fn delta(&mut self, delta: &Value, out: &mut BytesMut) {
        let said = ["text", "thinking", "partial_json"].iter().find_map(|name| delta[*name].as_str());
        self.said.add(said.unwrap_or_default());
        write(out, &json!({"type": "content_block_delta", "index": self.index, "delta": delta}));
    }

    fn end(&mut self, out: &mut BytesMut) {
        write(out, &json!({"type": "content_block_stop", "index": self.index}));
        self.index += 1;
    }

    /// Ends the block that is open, and says what waited for that.
    fn close(&mut self, out: &mut BytesMut) {
        let Some(block) = self.block.take() else { return };
        self.end(out);
        let Block::Tool { id, .. } = block else { return };
        self.called.insert(id);
        for one in std::mem::take(&mut self.waiting) {
            match one {
                one if matches!(self.block, Some(Block::Tool { .. })) => self.waiting.push(one),
                Waiting::Said(kind, payload) => self.say(kind, &payload, out),
                Waiting::Call { id, name, input, over } => {
                    self.call(&id, &name, input, out);
                    if over {
                        // Nothing waits meanwhile: what does is in this very list.
                        self.close(out);
                    }
                }
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

    /// Without numbers the used part of the window is the next best thing. What the answer took of it is estimated, here and
    /// by whoever reads the answer.
    fn by_percentage(&self) -> Option<Value> {
        let tokens = f64::from(self.window?) * self.percentage? / 100.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a percentage of a window is a small number; what is not becomes the nearest"
        )]
        let tokens = tokens.round() as u64;
        Some(json!({"input_tokens": tokens.saturating_sub(self.said.tokens())}))
    }
}

fn usage(told: &Value) -> Option<Value> {
    let count = |name: &str| told[name].as_u64();
    let input = |name: &str| count(name).unwrap_or(0);
    let (fresh, read, written) =
        (input("uncachedInputTokens"), input("cacheReadInputTokens"), input("cacheWriteInputTokens"));
    let rest = || count("totalTokens")?.checked_sub(fresh + read + written);
    let output = count("outputTokens").or_else(rest)?;
    Some(json!({
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": output,
    }))
}

fn write(out: &mut BytesMut, event: &Value) {
    let name = event["type"].as_str().unwrap_or_default();
    out.extend_from_slice(format!("event: {name}\ndata: {event}\n\n").as_bytes());
}
