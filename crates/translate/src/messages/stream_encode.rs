//! Writing of streams.

use super::{
    citation, failure,
    object::Object,
    stop::{self, Calls},
    usage,
    writer::{Head, Piece, Said, Sink, Writer},
};
use crate::{
    Exchange, Loss,
    ir::{Event, Extra, Stop, StopReason, Usage},
    wire::write,
};
use byok_types::Dialect;

/// Turns events into frames.
#[derive(Debug)]
pub struct StreamEncoder {
    writer: Writer,
    envelope: Envelope,
    /// Index of the next block.
    next_index: u32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was written: `message_start` waits for the first block.
    Before,
    Started,
    Over,
}

/// What is known of the answer as a whole.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) usage: Usage,
    pub(super) estimate: Option<u64>,
    pub(super) stop: Option<Stop>,
    pub(super) extra: Extra,
    /// Whether the upstream speaks this dialect, so that its own words stand.
    pub(super) native: bool,
}

impl Envelope {
    pub(super) fn new(exchange: &Exchange) -> Self {
        Self {
            id: exchange.ids.clone().next("msg_"),
            model: exchange.model.clone(),
            usage: Usage::default(),
            estimate: exchange.input_estimate,
            stop: None,
            extra: Extra::default(),
            native: exchange.upstream == Dialect::Messages,
        }
    }

    pub(super) fn take_id(&mut self, id: Option<String>) {
        if let Some(id) = id.filter(|id| self.native && !id.is_empty()) {
            self.id = id;
        }
    }

    /// The reason of the end, and the counts of what the vendor did on the web, in agreement with what was written.
    pub(super) fn settle(&mut self, writer: &Writer) -> Stop {
        let mut stop = self.stop.take().unwrap_or_default();
        let broken = writer.said.broken_call;
        if stop.reason == StopReason::MalformedCall && broken {
            stop.reason = StopReason::Length;
        }
        if self.native {
            return stop;
        }
        let Said { searches, fetches, .. } = writer.said;
        self.usage.web_searches.get_or_insert(searches);
        self.usage.web_fetches.get_or_insert(fetches);
        stop::agree(&mut stop, if writer.said.call { Calls::ByModel } else { Calls::None });
        // Nobody can run what is not JSON. The reason says that the answer is not whole, so that no client tries to.
        if stop.reason == StopReason::ToolCall && broken {
            stop.reason = StopReason::Length;
        }
        if stop.reason == StopReason::End && writer.said.refusal {
            stop.reason = StopReason::Refusal;
        }
        stop
    }

    pub(super) fn usage(&self, out: &mut Vec<u8>) {
        let rest = self.extra.get(Dialect::Messages, "usage");
        let rest = rest.and_then(|json| super::fields::members(json).ok()).unwrap_or_default();
        usage::write(out, &self.usage, self.estimate, &rest);
    }
}

impl StreamEncoder {
    /// An encoder for the answer of one exchange.
    pub fn new(exchange: &Exchange) -> Self {
        Self {
            writer: Writer::new(exchange),
            envelope: Envelope::new(exchange),
            next_index: 0,
            stage: Stage::Before,
        }
    }

    /// Takes one event and appends the frames that it makes.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.stage == Stage::Over {
            return;
        }
        let Self { writer, envelope, next_index, stage } = self;
        let mut sink = Frames { out, envelope, next_index, stage };
        match event {
            Event::Delta { part, delta } => writer.delta(part, delta, &mut sink),
            Event::PartStart { part, choice, head } => writer.start(part, choice, head, &mut sink),
            Event::PartStop { part, .. } => writer.stop(part, None, &mut sink),
            Event::Start(start) => envelope.take_id(start.id),
            Event::Usage(usage) => {
                if !usage.is_placeholder() {
                    envelope.usage.merge(&usage);
                }
            }
            Event::Envelope(extra) => envelope.extra = extra,
            Event::Finish { choice: 0, stop } => envelope.stop = Some(stop),
            Event::Finish { .. } | Event::Lost(_) | Event::Ping => {}
            Event::Failure(failure) => {
                writer.abandon(&mut sink);
                frame_start(out, "error");
                failure::write(out, &failure, None);
                frame_end(out);
                *stage = Stage::Over;
            }
            Event::End => {
                writer.finish(&mut sink);
                sink.message_start();
                self.end(out);
            }
        }
    }

    /// What could not be said.
    pub fn losses(&self) -> &[Loss] {
        self.writer.losses.list()
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let stop = self.envelope.settle(&self.writer);
        let extra = self.envelope.extra.of(Dialect::Messages);
        frame_start(out, "message_delta");
        let mut object = Object::typed(out, "message_delta");
        let mut delta = Object::new(object.key("delta"));
        stop::write(&mut delta, &stop, self.envelope.native);
        for (name, value) in extra.iter().filter(|(name, _)| name == "container") {
            delta.json(name, value);
        }
        delta.end();
        let taken = ["container", "usage", "delta", "type"];
        for (name, value) in extra.iter().filter(|(name, _)| !taken.contains(&name.as_str())) {
            object.json(name, value);
        }
        self.envelope.usage(object.key("usage"));
        object.end();
        frame_end(out);
        frame_start(out, "message_stop");
        out.extend_from_slice(b"{\"type\":\"message_stop\"}");
        frame_end(out);
        self.stage = Stage::Over;
    }
}

/// Blocks as frames.
struct Frames<'s> {
    out: &'s mut Vec<u8>,
    envelope: &'s mut Envelope,
    next_index: &'s mut u32,
    stage: &'s mut Stage,
}

impl Frames<'_> {
    fn message_start(&mut self) {
        if *self.stage != Stage::Before {
            return;
        }
        *self.stage = Stage::Started;
        frame_start(self.out, "message_start");
        let mut object = Object::typed(self.out, "message_start");
        let mut message = Object::new(object.key("message"));
        message.string("id", &self.envelope.id);
        message.string("type", "message");
        message.string("role", "assistant");
        message.string("model", &self.envelope.model);
        message.value::<[u8; 0]>("content", &[]);
        message.value("stop_reason", &());
        message.value("stop_sequence", &());
        self.envelope.usage(message.key("usage"));
        message.end();
        object.end();
        frame_end(self.out);
    }

    /// The beginning of a frame about a block, up to its own member.
    fn block_frame(&mut self, kind: &str, index: u32) {
        frame_start(self.out, kind);
        self.out.extend_from_slice(b"{\"type\":\"");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.extend_from_slice(b"\",\"index\":");
        write::value(self.out, &index);
    }

    fn block_frame_end(&mut self) {
        self.out.push(b'}');
        frame_end(self.out);
    }
}

impl Sink for Frames<'_> {
    fn open(&mut self, head: &Head<'_>) {
        self.message_start();
        self.block_frame("content_block_start", *self.next_index);
        self.out.extend_from_slice(b",\"content_block\":");
        match head {
            Head::Text => self.out.extend_from_slice(br#"{"type":"text","text":""}"#),
            Head::Thinking => {
                self.out.extend_from_slice(br#"{"type":"thinking","thinking":"","signature":""}"#);
            }
            Head::Redacted(data) => {
                let mut block = Object::typed(self.out, "redacted_thinking");
                block.string("data", data);
                block.end();
            }
            Head::ToolUse { id, name, caller } => {
                let mut block = Object::typed(self.out, "tool_use");
                block.string("id", id);
                block.string("name", name);
                block.json("input", &crate::Json::empty_object());
                if let Some(caller) = caller {
                    block.json("caller", caller);
                }
                block.end();
            }
            Head::Whole(json) => self.out.extend_from_slice(json),
        }
        self.block_frame_end();
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        let (kind, name, text) = match piece {
            Piece::Text(text) => ("text_delta", "text", *text),
            Piece::Thinking(text) => ("thinking_delta", "thinking", *text),
            Piece::Input(text) => ("input_json_delta", "partial_json", *text),
            Piece::Signature(text) => ("signature_delta", "signature", *text),
            Piece::Citation(citation) => {
                self.block_frame("content_block_delta", *self.next_index);
                self.out.extend_from_slice(b",\"delta\":{\"type\":\"citations_delta\",\"citation\":");
                citation::write(self.out, citation);
                self.out.push(b'}');
                self.block_frame_end();
                return;
            }
            // A stream has told the block before these are known.
            Piece::Members(_) => return,
        };
        self.block_frame("content_block_delta", *self.next_index);
        for text in [",\"delta\":{\"type\":\"", kind, "\",\"", name, "\":"] {
            self.out.extend_from_slice(text.as_bytes());
        }
        write::string(self.out, text);
        self.out.push(b'}');
        self.block_frame_end();
    }

    fn close(&mut self) {
        self.block_frame("content_block_stop", *self.next_index);
        self.block_frame_end();
        *self.next_index += 1;
    }
}

fn frame_start(out: &mut Vec<u8>, event: &str) {
    for text in ["event: ", event, "\ndata: "] {
        out.extend_from_slice(text.as_bytes());
    }
}

fn frame_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\n");
}
