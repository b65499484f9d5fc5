//! Answers of Gemini upstreams, chunk by chunk.
//!
//! A chunk is a whole answer object whose parts are increments. Text grows until another kind of part comes; calls come
//! whole. Google has no terminal frame: the stream is complete if some chunk named a finish reason, and chunks may still
//! follow it, so finishes are said when the connection ends.

mod choice;
mod chunk;

use super::{decode_failure, keys, wire::Number};
use crate::{
    Json,
    ir::{Event, Extra, Failure, Start, Usage},
    lenient,
    responses::mend,
    sse,
    wire::{Str, fault::Fault, fill, lossy},
};
use byok_types::{Blame, Dialect, FailureKind};
use choice::{Choice, Sink};
pub(super) use chunk::PartialArg;
use chunk::{Candidate, Chunk, Counts};
use serde_json::value::RawValue;

/// Largest number of answers that are told apart.
const MOST_CHOICES: usize = 128;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Started,
    Failed,
    Ended,
}

/// Members without which an answer is another one.
const NEEDED: [&str; 9] = [
    "candidates",
    "content",
    "parts",
    "text",
    "functionCall",
    "function_call",
    "name",
    "partialArgs",
    "partial_args",
];

/// What cannot be read of a chunk or a list of chunks.
fn wrong(json: &str) -> Option<Fault> {
    if json.starts_with('[') {
        Fault::of::<Vec<Chunk<'_>>>(json.as_bytes())
    } else {
        Fault::of::<Chunk<'_>>(json.as_bytes())
    }
}

/// A field that is passed on verbatim.
#[derive(Debug)]
struct Kept {
    owner: Owner,
    name: &'static str,
    value: Json,
}

/// The object that such a field stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Answer,
    Candidate(usize),
    Usage,
}

impl Kept {
    fn path(&self) -> String {
        match self.owner {
            Owner::Answer => self.name.to_owned(),
            Owner::Candidate(index) => format!("candidates[{index}].{}", self.name),
            Owner::Usage => format!("usageMetadata.{}", self.name),
        }
    }
}

/// Reads the frames of one stream.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    sink: Sink,
    phase: Phase,
    choices: Vec<Choice>,
    counts: Usage,
    /// Candidate and thought tokens, which come apart and are one number in our terms.
    visible: Option<u64>,
    /// Fields that only a Gemini client can be told.
    envelope: Vec<Kept>,
    /// A whole answer is complete by itself, with or without a finish reason, if it says anything.
    whole: bool,
    /// The first half of a character whose second half comes with the next chunk.
    half: Option<u16>,
    /// The chunk that says U+FFFD in the place of that half.
    waiting: Option<Vec<u8>>,
}

/// The chunk with U+FFFD as its last text and nothing else.
fn with_replacement(chunk: &[u8]) -> Option<Vec<u8>> {
    let chunk: serde_json::Value = serde_json::from_slice(chunk).ok()?;
    let candidate = chunk.get("response").unwrap_or(&chunk).pointer("/candidates/0")?;
    let mut part = candidate.pointer("/content/parts")?.as_array()?.last()?.clone();
    *part.get_mut("text")? = "\u{FFFD}".into();
    let index = candidate.get("index").cloned().unwrap_or_default();
    let content = serde_json::json!({"role": "model", "parts": [part]});
    serde_json::to_vec(&serde_json::json!({"candidates": [{"index": index, "content": content}]})).ok()
}

impl StreamDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// A decoder for one answer object that is not a stream.
    pub(super) fn for_whole() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// Takes one frame and appends what it says. Takes single chunks, lists of chunks and the Code Assist envelope.
    pub fn frame(&mut self, frame: sse::Frame<'_>, out: &mut Vec<Event>) {
        self.data(frame.data, out);
    }

    pub(super) fn data(&mut self, data: &[u8], out: &mut Vec<Event>) {
        let data = data.trim_ascii();
        if matches!(self.phase, Phase::Failed | Phase::Ended) || data.is_empty() || data == b"[DONE]" {
            return;
        }
        if self.half.is_some() && serde_json::from_slice::<serde_json::Value>(data).is_ok() {
            self.settle_half(out);
        }
        self.read(data, out);
    }

    /// A half of a character whose other half did not come becomes U+FFFD, in the place where it stood.
    fn settle_half(&mut self, out: &mut Vec<Event>) {
        if self.half.take().is_some()
            && let Some(waiting) = self.waiting.take()
        {
            self.read(&waiting, out);
        }
    }

    fn read(&mut self, data: &[u8], out: &mut Vec<Event>) {
        // A byte that is no UTF-8 costs its character, not the answer.
        let text = lossy(data);
        let read = if data[0] == b'[' {
            serde_json::from_str::<Vec<Chunk<'_>>>(&text)
                .map(|chunks| chunks.into_iter().for_each(|chunk| self.chunk(chunk, out)))
        } else {
            let mut chunk = Chunk::default();
            fill(&mut chunk, &text).map(|()| self.chunk(chunk, out))
        };
        if read.is_err() {
            // Half of a surrogate pair is not valid in a JSON text, but servers cut between the halves.
            if let Some(mended) = mend::piece(text.as_bytes(), &mut self.half) {
                self.waiting = self.half.and_then(|_| with_replacement(&mended));
                return self.read(&mended, out);
            }
            if let Some((mended, lost)) = lenient::mended_beside(&text, &NEEDED, wrong) {
                out.extend(lenient::told(lost, ""));
                return self.read(mended.as_bytes(), out);
            }
            let message = "the upstream sent an event that is not a Gemini answer. Try again.";
            let failure = Failure::new(FailureKind::Server, Blame::Upstream, message);
            self.fail(failure.with_status(502), out);
        }
    }

    /// The connection is over: closes what is open and says how the answer ended, or that it was cut off.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        self.settle_half(out);
        match self.phase {
            Phase::Ended => return,
            Phase::Failed => {}
            Phase::Before | Phase::Started => self.close(out),
        }
        self.phase = Phase::Ended;
        out.push(Event::End);
    }

    /// Whether `End` has been said. Gemini has no terminal frame, so that is after `finish`.
    pub fn ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    fn chunk(&mut self, mut chunk: Chunk<'_>, out: &mut Vec<Event>) {
        if self.phase == Phase::Failed {
            return;
        }
        let Some(mut inner) = chunk.response.take() else { return self.answer(chunk, out) };
        inner.error = chunk.error.or(inner.error);
        inner.usage = inner.usage.or(chunk.usage);
        self.answer(*inner, out);
    }

    fn answer(&mut self, chunk: Chunk<'_>, out: &mut Vec<Event>) {
        if let Some(error) = chunk.error {
            return self.fail(stream_failure(error), out);
        }
        self.begin(&chunk, out);
        self.keep(Owner::Answer, "promptFeedback", chunk.prompt_feedback);
        self.keep(Owner::Answer, "modelStatus", chunk.model_status);
        for (place, candidate) in chunk.candidates.into_iter().flat_map(|list| list.0).enumerate() {
            let index = candidate.index.map_or(place, |n| usize::try_from(n.count()).unwrap_or(usize::MAX));
            if index < MOST_CHOICES {
                self.candidate(index, candidate, out);
            }
        }
        if let Some((reason, message)) = chunk.prompt_feedback.and_then(chunk::block_reason) {
            self.choice(0).blocked(reason, message);
        }
        if let Some(usage) = chunk.usage {
            self.usage(&usage, out);
        }
    }

    fn begin(&mut self, chunk: &Chunk<'_>, out: &mut Vec<Event>) {
        if self.phase != Phase::Before {
            return;
        }
        self.phase = Phase::Started;
        let filled =
            |text: &Option<Str<'_>>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        let id = filled(&chunk.response_id);
        self.sink.answer = id.clone().unwrap_or_default();
        out.push(Event::Start(Start {
            id,
            model: filled(&chunk.model_version),
            created: chunk.create_time.as_deref().and_then(unix_seconds),
        }));
    }

    fn candidate(&mut self, index: usize, candidate: Candidate<'_>, out: &mut Vec<Event>) {
        for (name, value) in candidate.sidelines() {
            if value.get() != "{}" {
                self.keep(Owner::Candidate(index), name, Some(value));
            }
        }
        self.choice(index);
        let Self { choices, sink, whole, .. } = self;
        choices[index].candidate(candidate, *whole, sink, out);
    }

    fn choice(&mut self, index: usize) -> &mut Choice {
        while self.choices.len() <= index {
            self.choices.push(Choice::new(u32::try_from(self.choices.len()).unwrap_or(u32::MAX)));
        }
        &mut self.choices[index]
    }

    /// Keeps a field of the envelope; later words replace earlier ones.
    fn keep(&mut self, owner: Owner, name: &'static str, value: Option<&RawValue>) {
        let Some(value) = value else { return };
        match self.envelope.iter_mut().find(|kept| kept.owner == owner && kept.name == name) {
            // Most chunks repeat what the one before said.
            Some(kept) if kept.value.get() == value.get() => {}
            Some(kept) => kept.value = Json::from(value.to_owned()),
            None => self.envelope.push(Kept { owner, name, value: Json::from(value.to_owned()) }),
        }
    }

    fn usage(&mut self, wire: &Counts<'_>, out: &mut Vec<Event>) {
        let count = |number: Option<Number>| number.map(Number::count);
        let new = Usage {
            input: count(wire.prompt),
            cache_read: count(wire.cached),
            reasoning: count(wire.thoughts),
            tool_input: count(wire.tool_use),
            input_audio: wire.prompt_details.and_then(chunk::audio_tokens),
            output_audio: wire.candidate_details.and_then(chunk::audio_tokens),
            service_tier: wire.service_tier.as_deref().map(str::to_owned),
            ..Usage::default()
        };
        self.visible = count(wire.candidates).or(self.visible);
        let before = self.counts.clone();
        self.counts.merge(&new);
        let apart = self.visible.is_some() || self.counts.reasoning.is_some();
        self.counts.output = if apart {
            Some(self.visible.unwrap_or(0).saturating_add(self.counts.reasoning.unwrap_or(0)))
        } else {
            // Some relays state nothing but the total.
            let rest = |total: u64| {
                total.checked_sub(self.counts.input.unwrap_or(0) + self.counts.tool_input.unwrap_or(0))
            };
            count(wire.total).and_then(rest).filter(|n| *n > 0).or(self.counts.output)
        };
        for (name, value) in wire.sidelines() {
            self.keep(Owner::Usage, name, Some(value));
        }
        if self.counts != before && !self.counts.is_placeholder() {
            out.push(Event::Usage(self.counts.clone()));
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        let finished = self.whole || self.choices.iter().any(Choice::is_finished);
        for choice in &mut self.choices {
            choice.close(finished, &mut self.sink, out);
        }
        if !finished || self.phase == Phase::Before {
            self.fail(Failure::truncated(), out);
            return;
        }
        if let Some(failure) = self.choices.iter().find_map(Choice::unusable) {
            self.fail(failure, out);
            return;
        }
        if !self.choices.iter().any(Choice::says_something) {
            let message = "the upstream answered without an answer, and did not say why. Try again.";
            let failure = Failure::new(FailureKind::Server, Blame::Upstream, message);
            self.fail(failure.with_status(502), out);
            return;
        }
        for choice in &self.choices {
            out.push(Event::Finish { choice: choice.index(), stop: choice.stop() });
        }
        let kept = std::mem::take(&mut self.envelope).into_iter();
        let mut envelope: Vec<_> = kept.map(|kept| (kept.path(), keys::camel(kept.value))).collect();
        envelope.sort_by(|(a, _), (b, _)| a.cmp(b));
        if !envelope.is_empty() {
            out.push(Event::Envelope(Extra::new(Dialect::Gemini, envelope)));
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) {
        for choice in &mut self.choices {
            choice.close(false, &mut self.sink, out);
        }
        self.phase = Phase::Failed;
        out.push(Event::Failure(failure));
    }
}

/// The failure that an `error` member of a chunk reports. The status of the connection says nothing about it.
fn stream_failure(error: &RawValue) -> Failure {
    let body = format!("{{\"error\":{}}}", error.get());
    decode_failure(0, body.as_bytes())
}

/// Unix seconds of an RFC 3339 time in UTC, which is how Google writes `createTime`.
fn unix_seconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !text.ends_with('Z') || !(1..=12).contains(&month) {
        return None;
    }
    // Days since 1970 of a date in the Gregorian calendar; years begin in March, so leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;
