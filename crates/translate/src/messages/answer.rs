//! Answers: whole ones, and the state that whole and streamed ones share.

mod encode;
mod open;
mod read;

pub use encode::encode_answer;
pub(super) use open::WireDelta;
pub(super) use read::{Misplaced, Reader};

use super::{failure, fields::Content, stream_decode::WireStop};
use crate::{
    Json, halves,
    ir::Event,
    lenient,
    wire::{lossy, wire},
};
use byok_types::{Blame, Failure, FailureKind};

wire! {
    /// A whole answer, or the message of `message_start`.
    struct WireAnswer {
        "type" => kind: Option<String>,
        "id" => id: Option<String>,
        "role" => role: Option<Json>,
        "model" => model: Option<String>,
        "content" => content: Option<Json>,
        "usage" => usage: Option<Json>,
        "stop_reason" => reason: Option<String>,
        "stop_sequence" => sequence: Option<String>,
        "stop_details" => details: Option<Json>,
    }
}

impl WireAnswer {
    fn stop(&mut self) -> WireStop {
        WireStop {
            reason: self.reason.take(),
            sequence: self.sequence.take(),
            details: self.details.take(),
            extra: Vec::new(),
        }
    }
}

/// Reads a whole answer as events.
///
/// # Errors
/// The vendor's error, if the body is one despite its status; a server failure if it is no answer at all.
pub fn decode_answer(body: &[u8]) -> Result<Vec<Event>, Failure> {
    let unreadable = || {
        let text = "The upstream sent an answer that cannot be read. Try again; if it stays, check that the \
                    base URL belongs to an API of this kind.";
        Failure::new(FailureKind::Server, Blame::Upstream, text).with_status(502)
    };
    let body = halves::repaired(body);
    let text = lossy(&body);
    let (mut wire, lost) = lenient::read::<WireAnswer>(&text).ok_or_else(unreadable)?;
    let is_error = wire.kind.as_deref() == Some("error") || wire.extra.iter().any(|(key, _)| key == "error");
    if is_error {
        let mut failure = failure::decode_failure(200, &body);
        failure.status = failure.kind.default_status();
        return Err(failure);
    }
    let Some(content) = wire.content.take() else { return Err(unreadable()) };
    let mut out: Vec<_> = lenient::told(lost, "").collect();
    let mut reader = Reader::default();
    let stop = wire.stop();
    reader.begin(wire, &mut out);
    match content.read::<Vec<Json>>() {
        Ok(blocks) => reader.blocks(&blocks, &mut out),
        // Compatible servers send plain text in its place.
        Err(_) => match content.read::<Content>() {
            Ok(Content::Text(text)) => reader.plain(text, &mut out),
            _ => return Err(unreadable()),
        },
    }
    reader.stop(stop);
    reader.finish(&mut out);
    out.push(Event::End);
    Ok(out)
}
