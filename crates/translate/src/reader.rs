//! Reading an answer of an upstream, from bytes to the events that the client shall see.

use crate::{
    Exchange, codec,
    emulate::{JsonTool, StopCut},
    ir::{Delta, Event, PartHead, StopReason, Usage},
    restore::Restore,
    sse,
};
use byok_types::{Blame, Failure, FailureKind};

/// Reads a streamed answer: frames, the dialect, the client's tool names, what byok emulates. Bytes may be cut anywhere.
pub struct StreamReader {
    frames: sse::Decoder,
    decoder: codec::StreamDecoder,
    filters: Filters,
    ended: bool,
    /// Events of one frame on their way through the filters; kept to be used again.
    scratch: Vec<Event>,
}

impl StreamReader {
    /// A reader for the upstream of `exchange` that refuses frames above `frame_limit` bytes.
    pub fn new(exchange: &Exchange, frame_limit: usize) -> Self {
        Self {
            frames: sse::Decoder::new(frame_limit),
            decoder: codec::StreamDecoder::new(exchange.upstream),
            filters: Filters::new(exchange),
            ended: false,
            scratch: Vec::new(),
        }
    }

    /// Takes the next bytes; appends events to `out`. A frame that is too large ends the answer with a failure.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let (decoder, scratch) = (&mut self.decoder, &mut self.scratch);
        let read = self.frames.push(bytes, |frame| decoder.frame(frame, scratch));
        if let Err(error) = read {
            let failure =
                Failure::new(FailureKind::Server, Blame::Upstream, format!("{error}.")).with_status(502);
            scratch.extend([Event::Failure(failure), Event::End]);
        }
        self.pass(out);
    }

    /// The upstream closed the stream.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let (decoder, scratch) = (&mut self.decoder, &mut self.scratch);
        // The last frame is within the limit: the bytes were counted when they came.
        let _ = self.frames.finish(|frame| decoder.frame(frame, scratch));
        self.decoder.finish(&mut self.scratch);
        self.pass(out);
    }

    /// Whether `End` has been handed out; nothing follows, and what the upstream still sends does not matter.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether the upstream itself said that its answer is over. The connection can then be read to its end and kept.
    pub fn upstream_ended(&self) -> bool {
        self.decoder.ended()
    }

    /// Bytes held because they make no frame yet.
    pub fn held(&self) -> usize {
        self.frames.held()
    }

    fn pass(&mut self, out: &mut Vec<Event>) {
        let from = out.len();
        for event in self.scratch.drain(..) {
            self.filters.push(event, out);
        }
        if let Some(end) = out[from..].iter().position(|event| *event == Event::End) {
            out.truncate(from + end + 1);
            self.ended = true;
        }
    }
}

/// Reads a whole answer (one JSON text) as events.
pub fn read_answer(body: &[u8], exchange: &Exchange) -> Result<Vec<Event>, Failure> {
    let mut filters = Filters::new(exchange);
    let mut out = Vec::new();
    for event in codec::decode_answer(exchange.upstream, body)? {
        filters.push(event, &mut out);
    }
    Ok(out)
}

/// What stands between the decoder and the client's encoder.
struct Filters {
    json_tool: Option<JsonTool>,
    restore: Option<Restore>,
    stop: Option<StopCut>,
    /// Events between two filters; kept to be used again.
    between: Vec<Event>,
}

impl Filters {
    fn new(exchange: &Exchange) -> Self {
        Self {
            json_tool: exchange.json_tool.then(JsonTool::default),
            restore: (!exchange.names.is_empty()).then(|| Restore::new(exchange.names.clone())),
            stop: (!exchange.stop.is_empty()).then(|| StopCut::new(&exchange.stop)),
            between: Vec::new(),
        }
    }

    fn push(&mut self, event: Event, out: &mut Vec<Event>) {
        // The usual cases come first: nothing to filter, or only names to restore.
        if self.json_tool.is_none() && self.stop.is_none() {
            match &mut self.restore {
                Some(filter) => filter.push(event, out),
                None => out.push(event),
            }
            return;
        }
        let mut current = std::mem::take(&mut self.between);
        current.push(event);
        if let Some(filter) = &mut self.json_tool {
            let mut next = Vec::new();
            current.drain(..).for_each(|event| filter.push(event, &mut next));
            current = next;
        }
        if let Some(filter) = &mut self.restore {
            let mut next = Vec::new();
            current.drain(..).for_each(|event| filter.push(event, &mut next));
            current = next;
        }
        match &mut self.stop {
            Some(filter) => current.drain(..).for_each(|event| filter.push(event, out)),
            None => out.append(&mut current),
        }
        self.between = current;
    }
}

/// What the executor learns from the events of an answer while they pass.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The client has something to show: from here on the answer is committed.
    pub good: bool,
    /// The answer was said to be over in success.
    pub finished: bool,
    /// The answer failed.
    pub failure: Option<Failure>,
    /// Token counts so far.
    pub usage: Option<Usage>,
}

impl Progress {
    /// Takes note of one event.
    ///
    /// Good is content, a tool call or a successful end. The beginning alone, a role or an empty text is not: until then
    /// a rejection can still become an HTTP status, and another account can still be asked.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Delta { delta, .. } => {
                self.good |= match delta {
                    Delta::Text(text)
                    | Delta::Refusal(text)
                    | Delta::Arguments(text)
                    | Delta::Thinking { text, .. } => !text.is_empty(),
                    Delta::Signature(_) | Delta::Citation(_) | Delta::Logprobs(_) => true,
                };
            }
            Event::PartStart { head: PartHead::ToolCall { .. } | PartHead::Whole(_), .. } => self.good = true,
            Event::Finish { stop, .. } => {
                self.finished = true;
                self.good |= stop.reason != StopReason::MalformedCall;
            }
            Event::Usage(usage) => self.usage.get_or_insert_with(Usage::default).merge(usage),
            Event::Failure(failure) => {
                self.failure.get_or_insert_with(|| failure.clone());
            }
            _ => {}
        }
    }
}

/// Whether a body looks like a stream of events although nothing said so.
pub fn looks_like_events(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [&b"data:"[..], b"event:", b":"].iter().any(|mark| start.starts_with(mark))
}

/// Whether a body looks like a web page: some gateways answer with one and status 200.
pub fn looks_like_html(body: &[u8]) -> bool {
    let start: Vec<u8> = body.trim_ascii_start().iter().take(15).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

/// A sign of life between two frames. A comment: every parser of events skips it, and no client takes it for content.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
