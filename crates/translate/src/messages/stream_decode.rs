//! Reading of streams.

use super::{
    answer::{Misplaced, Reader, WireDelta},
    failure,
};
use crate::{
    ir::Event,
    lenient, sse,
    wire::{Str, lossy, wire},
};
use byok_types::{Blame, Failure, FailureKind};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One frame; every event type uses some of the members.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Str<'a>>,
    index: Option<u64>,
    #[serde(borrow)]
    delta: Option<WireDelta<'a>>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

wire! {
    struct WireMessageDelta {
        "type" => kind: Option<String>,
        "delta" => delta: WireStop,
        "usage" => usage: Option<crate::Json>,
    }
}

wire! {
    /// The envelope's last words.
    pub(super) struct WireStop {
        "stop_reason" => reason: Option<String>,
        "stop_sequence" => sequence: Option<String>,
        "stop_details" => details: Option<crate::Json>,
    }
}

/// Turns the frames of a stream into events.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    reader: Reader,
    ended: bool,
}

impl StreamDecoder {
    /// A decoder for one answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one frame. Frames of another shape, and those after the end, are ignored.
    pub fn frame(&mut self, frame: sse::Frame<'_>, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let text = lossy(frame.data);
        let Ok(wire) = serde_json::from_str::<Frame<'_>>(&text) else {
            if let Some(failure) = sse::unreadable(&text) {
                self.fail(failure, out);
            }
            return;
        };
        let kind = match wire.kind.as_deref() {
            Some(kind) => kind,
            None if wire.error.is_some() => "error",
            None => std::str::from_utf8(frame.event).unwrap_or_default(),
        };
        match kind {
            "content_block_delta" => {
                if let Some(delta) = wire.delta
                    && let Err(Misplaced) = self.reader.delta(wire.index, delta, out)
                {
                    self.fail(misplaced(), out);
                }
            }
            "content_block_start" => {
                if let Some(block) = wire.content_block {
                    self.reader.open(wire.index, block.get(), out);
                }
            }
            "content_block_stop" => self.reader.close(wire.index, out),
            "message_start" => {
                let message = wire.message.map_or("{}", RawValue::get);
                self.reader.start(message, out);
            }
            "message_delta" => self.message_delta(&text, out),
            // The end of an answer that never began: what was to be said is lost.
            "message_stop" if !self.reader.has_started() => self.fail(Failure::truncated(), out),
            "message_stop" => {
                self.reader.finish(out);
                self.end(out);
            }
            "ping" => out.push(Event::Ping),
            "error" => self.fail(failure::decode_event(&text), out),
            _ => {}
        }
    }

    /// The upstream closed the stream.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if !self.ended {
            self.fail(Failure::truncated(), out);
        }
    }

    /// Whether the answer is over; nothing follows.
    pub fn ended(&self) -> bool {
        self.ended
    }

    fn message_delta(&mut self, data: &str, out: &mut Vec<Event>) {
        let Some((wire, wrong)) = lenient::read::<WireMessageDelta>(data) else { return };
        out.extend(lenient::told(wrong, "message_delta"));
        self.reader.stop(wire.delta);
        self.reader.envelope(wire.extra);
        if let Some(usage) = wire.usage {
            self.reader.usage(usage.get(), out);
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) {
        self.reader.abandon(out);
        out.push(Event::Failure(failure));
        self.end(out);
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::End);
    }
}

/// Input of a call came without the call.
fn misplaced() -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Upstream,
        "The upstream sent input of a call that had not begun or was over, so the call cannot be read. Send the request again.",
    )
    .with_status(502)
}
