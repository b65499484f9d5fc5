//! One choice of an answer: turns pieces into events in order.

use super::{
    calls::{Calls, Slot},
    citation::citation,
    media::{self, Sound},
    sink::Sink,
    think::{Kind, Think},
};
use crate::{
    Json,
    chat::{
        chunk::{CallPiece, ChunkChoice, ContentPiece, FunctionPiece, Piece},
        loose::{Halves, Raw, filled, read, text},
        stop::{self, Seen},
        thought::{self, Details},
    },
    ir::{Citation, CitationPlace, Delta, Event, Failure, Flavour, PartHead, PartId},
    lenient,
    unfinished::Progress,
    wire::{Few, fault::Fault},
};
use serde::Deserialize;
use std::borrow::Cow;

type Calling<'a> = Few<Option<CallPiece<'a>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Thinking,
    Text,
    Refusal,
}

/// The state of one choice.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u32,
    open: Option<(PartId, Open)>,
    calls: Calls,
    think: Think,
    details: Details,
    sound: Sound,
    content_halves: Halves,
    reasoning_halves: Halves,
    /// Reasoning that came after visible text: shown only if a call follows, because answers must not fall to pieces.
    stray: String,
    text_since_call: bool,
    cited: bool,
    /// Whether there is something in the place of calls that nobody can read.
    unreadable: bool,
    seen: Seen,
    finish: Option<String>,
    sequence: Option<String>,
}

impl Choice {
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            open: None,
            calls: Calls::default(),
            think: Think::default(),
            details: Details::default(),
            sound: Sound::default(),
            content_halves: Halves::default(),
            reasoning_halves: Halves::default(),
            stray: String::new(),
            text_since_call: false,
            cited: false,
            unreadable: false,
            seen: Seen::default(),
            finish: None,
            sequence: None,
        }
    }

    /// Whether the server said why this choice ended.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Takes one entry of `choices`.
    pub(super) fn push(&mut self, choice: &ChunkChoice<'_>, sink: &mut Sink<'_>) {
        // A last chunk with the whole message beside an empty delta repeats what has been said.
        let piece = match (&choice.delta, choice.message.as_deref()) {
            (Some(delta), _) => Some((delta, false)),
            (None, Some(message)) if !self.has_begun() => Some((message, true)),
            (None, _) => None,
        };
        if let Some((piece, whole)) = piece {
            self.piece(piece, whole, sink);
        }
        self.logprobs(choice.logprobs, sink);
        if let Some(word) = filled(choice.finish_reason) {
            self.finish = Some(word.into_owned());
        }
        if let Some(sequence) = filled(choice.stop_reason) {
            self.sequence = Some(sequence.into_owned());
        }
    }

    fn has_begun(&self) -> bool {
        self.open.is_some() || self.seen.text || self.seen.refusal || !self.calls.slots.is_empty()
    }

    fn piece(&mut self, piece: &Piece<'_>, whole: bool, sink: &mut Sink<'_>) {
        self.reasoning_members(piece, sink);
        match piece.content.map(|raw| raw.get().as_bytes()[0]) {
            Some(b'"') => {
                if piece.content.is_some_and(|raw| raw.get().len() > 2) {
                    self.flush_reasoning(sink);
                }
                if let Some(text) = self.content_halves.join(piece.content) {
                    self.tagged_text(text, sink);
                }
            }
            Some(b'[') => self.content_list(piece.content, sink),
            _ => {}
        }
        self.annotations(piece.annotations, sink);
        if let Some(text) = filled(piece.refusal) {
            self.refusal(text.into_owned(), sink);
        }
        for url in media::image_urls(piece.images) {
            self.close_open(sink);
            sink.whole(self.index, media::image(url));
        }
        self.sound.push(piece.audio);
        self.call_pieces(piece, whole, sink);
    }

    fn reasoning_members(&mut self, piece: &Piece<'_>, sink: &mut Sink<'_>) {
        self.details.push(piece.reasoning_details);
        self.details.push_opaque(piece.reasoning_opaque);
        // Where two of the members are there, they say the same.
        let direct = [piece.reasoning_content, piece.reasoning, piece.reasoning_text]
            .into_iter()
            .flatten()
            .find(|raw| raw.get().len() > 2 && raw.get().starts_with('"'));
        let text = match direct {
            Some(raw) => self.reasoning_halves.join(Some(raw)).unwrap_or_default().into_owned(),
            None => thought::details_text(piece.reasoning_details),
        };
        if !text.is_empty() {
            self.think.switch_off();
            self.reasoning(text, sink);
        }
    }

    fn content_list(&mut self, list: Raw<'_>, sink: &mut Sink<'_>) {
        for part in read::<Vec<ContentPiece<'_>>>(list).unwrap_or_default() {
            match filled(part.r#type).as_deref() {
                Some("thinking") => {
                    let direct = text(part.thinking);
                    let inner = || -> String {
                        let list: Vec<ContentPiece<'_>> = read(part.thinking).unwrap_or_default();
                        list.iter().filter_map(|piece| text(piece.text)).collect()
                    };
                    self.reasoning(direct.map_or_else(inner, Into::into), sink);
                }
                Some("refusal") => {
                    self.refusal(text(part.refusal).unwrap_or_default().into_owned(), sink);
                }
                Some("image_url") => {
                    if let Some(url) = media::target(part.image_url) {
                        self.close_open(sink);
                        sink.whole(self.index, media::image(url));
                    }
                }
                _ => self.text(text(part.text).unwrap_or_default(), sink),
            }
        }
    }

    /// Text that may begin with a reasoning tag.
    fn tagged_text(&mut self, text: Cow<'_, str>, sink: &mut Sink<'_>) {
        if self.think.is_off() {
            return self.text(text, sink);
        }
        let mut think = std::mem::take(&mut self.think);
        think.push(&text, |kind, text| self.divided(kind, text, sink));
        self.think = think;
    }

    /// No reasoning follows: half of a character stays half.
    fn flush_reasoning(&mut self, sink: &mut Sink<'_>) {
        if let Some(rest) = self.reasoning_halves.rest() {
            self.reasoning(rest.to_owned(), sink);
        }
    }

    /// Nothing that belongs to the text so far can follow: half of a character stays half, and what looked like the
    /// beginning of a tag is text.
    fn flush_think(&mut self, sink: &mut Sink<'_>) {
        self.flush_reasoning(sink);
        if let Some(rest) = self.content_halves.rest() {
            self.tagged_text(Cow::Borrowed(rest), sink);
        }
        let mut think = std::mem::take(&mut self.think);
        think.finish(|kind, text| self.divided(kind, text, sink));
        self.think = think;
    }

    fn divided(&mut self, kind: Kind, text: &str, sink: &mut Sink<'_>) {
        match kind {
            Kind::Thinking => self.reasoning(text.to_owned(), sink),
            Kind::Text => self.text(Cow::Borrowed(text), sink),
        }
    }

    fn reasoning(&mut self, text: String, sink: &mut Sink<'_>) {
        if text.is_empty() {
            return;
        }
        if self.text_since_call {
            self.stray.push_str(&text);
            return;
        }
        let part = self.ensure(Open::Thinking, sink);
        sink.delta(part, Delta::Thinking { text, paragraph: 0, raw: false });
    }

    fn text(&mut self, text: Cow<'_, str>, sink: &mut Sink<'_>) {
        if text.is_empty() {
            return;
        }
        self.seen.text = true;
        self.text_since_call = true;
        let part = self.ensure(Open::Text, sink);
        sink.delta(part, Delta::Text(text.into_owned()));
    }

    fn refusal(&mut self, text: String, sink: &mut Sink<'_>) {
        if text.is_empty() {
            return;
        }
        self.seen.refusal = true;
        let part = self.ensure(Open::Refusal, sink);
        sink.delta(part, Delta::Refusal(text));
    }

    /// The open part of this kind; anything else that is open is closed first.
    fn ensure(&mut self, kind: Open, sink: &mut Sink<'_>) -> PartId {
        if let Some((part, open)) = self.open {
            if open == kind {
                return part;
            }
            self.close_open(sink);
        }
        close_whole(&mut self.calls, usize::MAX, sink);
        let head = match kind {
            Open::Thinking => PartHead::Thinking { id: None, redacted: false },
            Open::Text => PartHead::Text,
            Open::Refusal => PartHead::Refusal,
        };
        let part = sink.open(self.index, head);
        self.open = Some((part, kind));
        part
    }

    fn close_open(&mut self, sink: &mut Sink<'_>) {
        let Some((part, kind)) = self.open.take() else { return };
        if kind == Open::Thinking
            && let Some(blob) = self.details.take()
        {
            sink.delta(part, Delta::Signature(blob));
        }
        sink.close(part, true);
    }

    fn annotations(&mut self, list: Raw<'_>, sink: &mut Sink<'_>) {
        let Some((part, Open::Text)) = self.open else { return };
        for json in read::<Vec<Json>>(list).unwrap_or_default() {
            if let Some(citation) = citation(json) {
                self.cited = true;
                sink.delta(part, Delta::Citation(Box::new(citation)));
            }
        }
    }

    /// Addresses that the server names for the answer as a whole.
    pub(super) fn sources(&mut self, urls: &[String], sink: &mut Sink<'_>) {
        let Some((part, Open::Text)) = self.open else { return };
        if std::mem::replace(&mut self.cited, true) {
            return;
        }
        for url in urls {
            let place = CitationPlace::Web { url: url.clone(), encrypted_index: None };
            sink.delta(part, Delta::Citation(Box::new(Citation { place, ..Citation::default() })));
        }
    }

    fn logprobs(&mut self, raw: Raw<'_>, sink: &mut Sink<'_>) {
        #[derive(Deserialize)]
        struct Logprobs<'a> {
            #[serde(borrow, default)]
            content: Raw<'a>,
        }
        let list = read::<Logprobs<'_>>(raw).and_then(|found| found.content);
        let list = list.filter(|list| list.get().starts_with('[') && list.get().len() > 2);
        if let (Some(list), Some((part, Open::Text))) = (list, self.open) {
            sink.delta(part, Delta::Logprobs(Json::from(list.to_owned())));
        }
    }

    fn call_pieces(&mut self, piece: &Piece<'_>, whole: bool, sink: &mut Sink<'_>) {
        let mut mended = None;
        let list = match piece.tool_calls {
            Some(raw) if read::<Calling<'_>>(Some(raw)).is_none() => {
                let wrong = |json: &str| Fault::of::<Calling<'_>>(json.as_bytes());
                let found = lenient::mended_beside(raw.get(), &[], wrong);
                self.unreadable |= found.is_none() && !matches!(raw.get(), "\"\"" | "{}");
                found.and_then(|(json, lost)| {
                    sink.out.extend(lenient::told(lost, "choices[].message.tool_calls"));
                    serde_json::from_str::<Calling<'_>>(mended.insert(json)).ok()
                })
            }
            raw => read(raw),
        };
        let Few(list) = list.unwrap_or_default();
        // The old way to call: one function, without id or index.
        let legacy = read::<FunctionPiece<'_>>(piece.function_call)
            .map(|function| CallPiece { function: Some(function), ..CallPiece::default() });
        if list.iter().flatten().next().is_none() && legacy.is_none() {
            return;
        }
        // What was said before may end a call that is whole.
        self.flush_think(sink);
        for (place, call) in (0..).zip(list.iter().flatten().chain(&legacy)) {
            self.calls.push(call, whole.then_some(place));
        }
        self.tell_calls(false, sink);
    }

    /// Tells what is new of the calls. One is begun when its name is certain: when arguments came, or something after it.
    fn tell_calls(&mut self, over: bool, sink: &mut Sink<'_>) {
        let mut calls = std::mem::take(&mut self.calls);
        let last = calls.slots.len().saturating_sub(1);
        for place in calls.take_fresh(over) {
            let slot = &calls.slots[place];
            let certain = over || place < last || !slot.arguments.is_empty();
            if slot.part.is_none() && !slot.name.is_empty() && certain {
                let head = PartHead::ToolCall {
                    call_id: slot.call_id(sink.answer, self.index, place),
                    item_id: None,
                    name: slot.name.clone(),
                    namespace: None,
                    flavour: slot.flavour,
                    caller: None,
                };
                self.before_call(sink);
                close_whole(&mut calls, place, sink);
                calls.slots[place].part = Some(sink.open(self.index, head));
            }
            let slot = &mut calls.slots[place];
            let (Some(part), false) = (slot.part, slot.closed) else { continue };
            if let Some(blob) = slot.blob.take() {
                sink.delta(part, Delta::Signature(blob));
            }
            if slot.told < slot.arguments.len() {
                sink.delta(part, Delta::Arguments(slot.arguments[slot.told..].to_owned()));
                slot.told = slot.arguments.len();
            }
            calls.grew(place);
        }
        self.calls = calls;
    }

    fn before_call(&mut self, sink: &mut Sink<'_>) {
        self.close_open(sink);
        self.text_since_call = false;
        let stray = std::mem::take(&mut self.stray);
        self.reasoning(stray, sink);
        self.sealed_details(sink);
        self.close_open(sink);
        self.seen.call = true;
    }

    /// Sealed reasoning without a thinking part to go with it.
    fn sealed_details(&mut self, sink: &mut Sink<'_>) {
        if self.open.is_none()
            && let Some(blob) = self.details.take()
        {
            let part = sink.open(self.index, PartHead::Thinking { id: None, redacted: false });
            sink.delta(part, Delta::Signature(blob));
            sink.close(part, true);
        }
    }

    /// The answer is over: closes what is open and says how this choice ended, or why it cannot be used.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) -> Option<Failure> {
        self.flush_think(sink);
        self.close_open(sink);
        self.calls.settle_halves();
        self.tell_calls(true, sink);
        let limit =
            self.finish.as_deref().map(stop::word) == Some(stop::Word::Ended(crate::ir::StopReason::Length));
        let last = self.calls.slots.len().saturating_sub(1);
        self.seen.cut_call |= self.calls.overflow;
        for (place, slot) in self.calls.slots.iter_mut().enumerate() {
            let (Some(part), false) = (slot.part, slot.closed) else { continue };
            let progress = slot.progress();
            let cut = progress == Progress::Begun || (progress == Progress::Empty && limit && place == last);
            if progress == Progress::Empty && !cut {
                sink.delta(part, Delta::Arguments("{}".to_owned()));
            }
            self.seen.cut_call |= cut;
            slot.closed = true;
            sink.close(part, !cut);
        }
        self.sealed_details(sink);
        if let Some(sound) = self.sound.take() {
            sink.whole(self.index, sound);
        }
        if self.unreadable || self.calls.slots.iter().any(Slot::is_nameless) {
            return Some(lenient::unreadable_call());
        }
        let stop = stop::settle(self.finish.as_deref(), self.sequence.take(), self.seen);
        sink.out.push(Event::Finish { choice: self.index, stop });
        None
    }
}

/// Closes the calls before `end` that have all of their arguments, now that something follows them. Only those that grew can
/// have become whole.
fn close_whole(calls: &mut Calls, end: usize, sink: &mut Sink<'_>) {
    for place in calls.grown(end) {
        let slot = &mut calls.slots[place];
        if let (Some(part), false, Flavour::Function) = (slot.part, slot.closed, slot.flavour)
            && slot.told == slot.arguments.len()
            && slot.progress() == Progress::Whole
        {
            slot.closed = true;
            sink.close(part, true);
        }
    }
}
