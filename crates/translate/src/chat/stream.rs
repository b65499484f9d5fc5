//! Reading answers, whole or as a stream. A whole answer is read as a stream of one chunk.

mod calls;
mod choice;
mod citation;
mod media;
mod sink;
mod think;

use super::{
    chunk::{Chunk, ChunkChoice},
    failure,
    loose::{Raw, filled, number, read},
    stop::{self, Word},
    usage,
};
use crate::{
    Json,
    ir::{Event, Extra, Failure, Start},
    lenient, sse,
    wire::{fault::Fault, fill, lossy},
};
use byok_types::{Blame, Dialect, FailureKind};
use choice::Choice;
use serde::Deserialize;
use sink::Sink;

/// Most choices of one answer.
const MOST_CHOICES: u64 = 128;

/// Reads a stream of `chat.completion.chunk` frames.
///
/// The end of a choice is told at the end of the stream: text, calls and usage may follow its `finish_reason`.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    started: bool,
    ended: bool,
    id: String,
    next_part: u32,
    choices: Vec<Choice>,
    /// Addresses that the server names for the answer as a whole; it repeats them on every chunk.
    sources: Vec<String>,
    fingerprint: bool,
}

impl StreamDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `End` has been given. Nothing follows it, whatever the upstream still sends.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Takes one frame.
    pub fn frame(&mut self, frame: sse::Frame<'_>, out: &mut Vec<Event>) {
        let data = frame.data.trim_ascii();
        // A comment that a relay has put into a `data:` line.
        if self.ended || data.is_empty() || data.starts_with(b":") {
            return;
        }
        if data == b"[DONE]" {
            return self.done(out);
        }
        let text = lossy(data);
        if frame.event == b"error" {
            return self.fail(failure::in_answer(&text), out);
        }
        self.chunk(&text, out);
    }

    /// The upstream closed the stream. Without `[DONE]` this is a success only if every choice had said why it ended.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if !self.choices.is_empty() && self.choices.iter().all(Choice::is_finished) {
            return self.conclude(out);
        }
        self.fail(Failure::truncated(), out);
    }

    fn done(&mut self, out: &mut Vec<Event>) {
        if self.choices.is_empty() {
            let message = "The upstream ended the stream without an answer. Send the request again.";
            return self.fail(Failure::new(FailureKind::UpstreamTruncated, Blame::Upstream, message), out);
        }
        self.conclude(out);
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::Failure(failure));
        out.push(Event::End);
    }

    fn chunk(&mut self, text: &str, out: &mut Vec<Event>) {
        let mut chunk = Chunk::default();
        if fill(&mut chunk, text).is_err() {
            let wrong = |json: &str| Fault::of::<Chunk<'_>>(json.as_bytes());
            if let Some((mended, lost)) =
                lenient::mended_beside(text, &["choices", "delta", "message"], wrong)
            {
                out.extend(lenient::told(lost, ""));
                return self.chunk(&mended, out);
            }
            if let Some(failure) = sse::unreadable(text) {
                self.fail(failure, out);
            }
            return;
        }
        if let Some(failure) = failure::instead_of_answer(&chunk, text) {
            return self.fail(failure, out);
        }
        self.start(&chunk, out);
        for choice in chunk.choices() {
            if let Some(failure) = self.choice(choice, out) {
                return self.fail(failure, out);
            }
        }
        if let Some(urls) = read::<Vec<String>>(chunk.citations) {
            self.sources = urls;
        }
        let placed = chunk.choices().find_map(|choice| choice.usage);
        let counters = [chunk.usage, placed, groq_usage(chunk.x_groq)];
        let usage = counters.into_iter().find_map(|raw| usage::decode(raw, chunk.service_tier));
        out.extend(usage.map(Event::Usage));
    }

    fn start(&mut self, chunk: &Chunk<'_>, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let id = filled(chunk.id);
            id.as_deref().unwrap_or_default().clone_into(&mut self.id);
            let created = number(chunk.created).filter(|at| *at > 0).and_then(|at| i64::try_from(at).ok());
            out.push(Event::Start(Start {
                id: id.map(Into::into),
                model: filled(chunk.model).map(Into::into),
                created,
            }));
        }
        // Repeated on every chunk; once is enough.
        if !self.fingerprint
            && let Some(fingerprint) = filled(chunk.system_fingerprint)
        {
            self.fingerprint = true;
            let field = ("system_fingerprint".to_owned(), Json::string(&fingerprint));
            out.push(Event::Envelope(Extra::new(Dialect::Chat, vec![field])));
        }
    }

    /// Takes one entry of `choices`; a failure that it tells of ends the answer.
    fn choice(&mut self, choice: &ChunkChoice<'_>, out: &mut Vec<Event>) -> Option<Failure> {
        let index = number(choice.index).unwrap_or(0);
        if index >= MOST_CHOICES {
            return None;
        }
        let word = filled(choice.finish_reason);
        if let Some(Word::Failed { overloaded }) = word.as_deref().map(stop::word) {
            let piece = choice.delta.as_ref().or(choice.message.as_deref());
            if let Some(error) = choice.error {
                return Some(failure::in_answer(error.get()));
            }
            let said = piece.and_then(|piece| filled(piece.content));
            return Some(failure::in_the_middle(overloaded, word.as_deref(), said.as_deref()));
        }
        let index = u32::try_from(index).unwrap_or(0);
        let at = self.choices.iter().position(|known| known.index == index).unwrap_or_else(|| {
            self.choices.push(Choice::new(index));
            self.choices.len() - 1
        });
        let mut sink = Sink { out, next: &mut self.next_part, answer: &self.id };
        self.choices[at].push(choice, &mut sink);
        None
    }

    fn conclude(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        let mut sink = Sink { out, next: &mut self.next_part, answer: &self.id };
        self.choices.sort_by_key(|choice| choice.index);
        let mut failure = None;
        for choice in &mut self.choices {
            choice.sources(&self.sources, &mut sink);
            failure = failure.or_else(|| choice.end(&mut sink));
        }
        out.extend(failure.map(Event::Failure));
        out.push(Event::End);
    }
}

fn groq_usage<'a>(raw: Raw<'a>) -> Raw<'a> {
    #[derive(Deserialize)]
    struct Groq<'a> {
        #[serde(borrow, default)]
        usage: Raw<'a>,
    }
    read::<Groq<'a>>(raw)?.usage
}

/// Reads a whole answer: the events of a stream that would have said the same.
///
/// Some servers answer 200 with an error object; it is a failure here. White space before the answer is keep-alive.
pub fn decode_answer(body: &[u8]) -> Result<Vec<Event>, Failure> {
    let text = lossy(body.trim_ascii());
    let mut decoder = StreamDecoder::new();
    let mut events = Vec::new();
    decoder.chunk(&text, &mut events);
    if !decoder.ended && decoder.choices.is_empty() {
        return Err(failure::without_answer(&text));
    }
    if !decoder.ended {
        decoder.conclude(&mut events);
    }
    match events.iter().position(|event| matches!(event, Event::Failure(_))) {
        Some(at) => match events.swap_remove(at) {
            Event::Failure(failure) => Err(failure),
            _ => Ok(events),
        },
        None => Ok(events),
    }
}

#[cfg(test)]
mod tests;
