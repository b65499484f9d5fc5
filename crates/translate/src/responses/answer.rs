//! Answers of Responses upstreams, streamed or whole, as events.
//!
//! A whole answer is read as a stream of which nothing but the last event was seen, so there is one truth for both.

mod frame;
mod mend;
mod track;

use super::{
    decode::{self, message_parts, thinking, tool_call},
    failure, hosted,
    tagged::OneOf,
    usage,
    wire::{Content, Item, ItemTag, Piece},
};
use crate::{
    Json, content_id,
    ir::{
        Delta, Event, Failure, Flavour, Part, PartHead, PartId, Start, Stop, StopReason, Text, Thinking,
        ToolCall,
    },
    sse,
};
use byok_types::{Blame, Dialect, FailureKind};
use frame::{Answer, Frame, Head};
use serde_json::value::RawValue;
use track::{Called, Kind, Reasoned, Said, Spoken, Tracked};

/// Reads a whole answer. An error in a successful answer is a failure.
pub fn decode_answer(body: &[u8]) -> Result<Vec<Event>, Failure> {
    let unreadable = |_| {
        let message =
            "The upstream answered with something that is not a response. Check that its address is right.";
        Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502)
    };
    let json: Json = serde_json::from_slice(body).map_err(unreadable)?;
    let answer: Answer = json.read().map_err(unreadable)?;
    if let Some(failure) = answer.failure() {
        return Err(failure);
    }
    let mut decoder = StreamDecoder::new();
    let mut events = Vec::new();
    decoder.begin(&answer.head(), &mut events);
    decoder.terminal(answer, &mut events);
    Ok(events)
}

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    started: bool,
    ended: bool,
    next: u32,
    items: Vec<Tracked>,
    /// What the answer consists of so far, for the reason why it ended.
    called: bool,
    refused: bool,
    spoke: bool,
    /// The first half of a character whose second half comes with the next delta.
    half: Option<u16>,
}

impl StreamDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the terminal event was seen.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Takes one frame. Whatever cannot be read is skipped: a vendor's new event must not end a stream.
    pub fn frame(&mut self, frame: sse::Frame<'_>, out: &mut Vec<Event>) {
        if self.ended || frame.data.is_empty() || frame.data == b"[DONE]" {
            return;
        }
        if let Ok(event) = serde_json::from_slice::<Frame<'_>>(frame.data) {
            self.event(&event, frame.event, out);
            return;
        }
        // Half of a surrogate pair is not valid in a JSON text, but vendors cut between the halves.
        let Some(mended) = mend::mend(frame.data, &mut self.half) else { return };
        if let Ok(event) = serde_json::from_slice::<Frame<'_>>(&mended) {
            self.event(&event, frame.event, out);
        }
    }

    /// The stream is over. Without a terminal event that is a failure.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let message =
            "The upstream closed the stream before the answer was complete. Send the request again.";
        self.fail(Failure::new(FailureKind::UpstreamTruncated, Blame::Upstream, message), out);
    }

    fn event(&mut self, frame: &Frame<'_>, name: &[u8], out: &mut Vec<Event>) {
        let kind = match frame.kind.get() {
            Some(kind) => kind,
            None => std::str::from_utf8(name).unwrap_or_default(),
        };
        match kind {
            "response.output_text.delta" => {
                self.spoken(frame, /* refusal */ false, frame.delta.get(), out)
            }
            "response.refusal.delta" => self.spoken(frame, /* refusal */ true, frame.delta.get(), out),
            "response.output_text.done" => {
                self.spoken_whole(frame, /* refusal */ false, frame.text.get(), out)
            }
            "response.refusal.done" => {
                self.spoken_whole(frame, /* refusal */ true, frame.refusal.get(), out)
            }
            "response.output_text.annotation.added" => self.annotation(frame, out),
            "response.content_part.done" => self.content_done(frame, out),
            "response.reasoning_summary_text.delta" => {
                self.thought(frame, /* raw */ false, frame.delta.get(), out);
            }
            "response.reasoning_text.delta" => {
                self.thought(frame, /* raw */ true, frame.delta.get(), out)
            }
            "response.reasoning_summary_text.done" => {
                self.thought_whole(frame, /* raw */ false, frame.text.get(), out);
            }
            "response.reasoning_text.done" => {
                self.thought_whole(frame, /* raw */ true, frame.text.get(), out)
            }
            "response.function_call_arguments.delta" => {
                self.arguments(frame, Flavour::Function, frame.delta.get(), out);
            }
            "response.custom_tool_call_input.delta" => {
                self.arguments(frame, Flavour::Custom, frame.delta.get(), out);
            }
            "response.function_call_arguments.done" => {
                let whole = frame.arguments.map(text_of);
                self.arguments_whole(frame, Flavour::Function, whole.as_deref(), out);
            }
            "response.custom_tool_call_input.done" => {
                self.arguments_whole(frame, Flavour::Custom, frame.input.get(), out);
            }
            "response.created" | "response.in_progress" | "response.queued" => {
                let head = frame.response.and_then(|raw| serde_json::from_str::<Head>(raw.get()).ok());
                self.begin(&head.unwrap_or_default(), out);
            }
            "response.output_item.added" => self.added(frame, out),
            "response.output_item.done" => {
                if let Some(item) = frame.item.and_then(mend::read) {
                    self.begin(&Head::default(), out);
                    self.done(frame.output_index.0, item, out);
                }
            }
            "response.completed" | "response.done" | "response.incomplete" | "response.cancelled" => {
                let answer: Answer = frame.response.and_then(mend::read).unwrap_or_default();
                self.begin(&answer.head(), out);
                match answer.failure() {
                    Some(failure) => self.fail(failure, out),
                    None => self.terminal(answer, out),
                }
            }
            "response.failed" => self.failed(frame, out),
            "error" => self.error(frame, out),
            "keepalive" => out.push(Event::Ping),
            // A gateway's error body pushed into the stream.
            "" if frame.error.is_some() => self.error(frame, out),
            _ => {}
        }
    }

    /// The answer begins, unless it has.
    fn begin(&mut self, head: &Head, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start {
                id: head.id.clone(),
                model: head.model.clone(),
                created: head.created_at.map(|at| {
                    // Seconds of this century are far from the edge of the type.
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "some servers write seconds with a fraction"
                    )]
                    let seconds = at as i64;
                    seconds
                }),
            }));
        }
    }

    fn part(&mut self, head: PartHead, out: &mut Vec<Event>) -> PartId {
        let part = PartId(self.next);
        self.next += 1;
        out.push(Event::PartStart { part, choice: 0, head });
        part
    }

    fn whole(&mut self, part: Part, out: &mut Vec<Event>) {
        let name = self.part(PartHead::Whole(Box::new(part)), out);
        out.push(Event::PartStop { part: name, complete: true, whole: None });
    }

    // --- Items

    fn added(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        let Some(item) = frame.item.and_then(mend::read::<OneOf<Item>>) else { return };
        let (kind, id, call_id) = identity(&item);
        let index = frame.output_index.0;
        // A delta may have come ahead of its item.
        let at = self.items.iter().rposition(|t| t.guessed && t.kind() == kind && t.matches(id, index));
        let at = at.unwrap_or_else(|| {
            self.items.push(Tracked::new(kind, index));
            self.items.len() - 1
        });
        let tracked = &mut self.items[at];
        tracked.guessed = false;
        id.unwrap_or_default().clone_into(&mut tracked.id);
        call_id.unwrap_or_default().clone_into(&mut tracked.call_id);
        tracked.index = index.or(tracked.index);
        let OneOf::Known(tag, item) = item else { return };
        match (&mut tracked.said, tag) {
            (Said::Message(message), ItemTag::Message) => message.tag = message_tag(&item),
            (Said::Reasoning(reasoned), ItemTag::Reasoning) => reasoned.id = item.id,
            (Said::Call(called), _) => {
                let call = tool_call(item, called.flavour);
                called.early = call.arguments.clone();
                called.call = call;
                self.open_call(at, out);
            }
            _ => {}
        }
    }

    /// The item that an event belongs to: by its id, else by its place, else the last of its kind that is not done. Some
    /// servers give an item another id in every event. `None` for an item that is done.
    fn find(&mut self, kind: Kind, frame: &Frame<'_>) -> Option<usize> {
        let (id, index) = (frame.item_id.get(), frame.output_index.0);
        let mut same = self.items.iter().enumerate().rev().filter(|(_, t)| t.kind() == kind);
        if let Some((at, tracked)) = same.clone().find(|(_, t)| id.is_some_and(|id| t.id == id)) {
            return (!tracked.done).then_some(at);
        }
        let by_place = same.clone().find(|(_, t)| index.is_some() && t.index == index);
        if let Some((at, tracked)) = by_place
            && (!tracked.done || id.is_none())
        {
            return (!tracked.done).then_some(at);
        }
        let current = same.find(|(_, t)| !t.done && (index.is_none() || t.index.is_none()));
        if let Some((at, _)) = current {
            return Some(at);
        }
        let mut tracked = Tracked::new(kind, index);
        tracked.guessed = true;
        id.unwrap_or_default().clone_into(&mut tracked.id);
        self.items.push(tracked);
        Some(self.items.len() - 1)
    }

    /// An item is complete: what was not streamed of it is said now.
    fn done(&mut self, index: Option<u64>, item: OneOf<Item>, out: &mut Vec<Event>) {
        let (kind, id, call_id) = identity(&item);
        let find = |test: &dyn Fn(&Tracked) -> bool| {
            self.items.iter().position(|t| t.kind() == kind && !t.done && test(t))
        };
        let at = find(&|t| id.is_some_and(|id| t.id == id))
            .or_else(|| find(&|t| call_id.is_some_and(|id| t.call_id == id)))
            .or_else(|| find(&|t| index.is_some() && t.index == index))
            .or_else(|| find(&|t| index.is_none() || t.index.is_none()));
        let at = at.unwrap_or_else(|| {
            self.items.push(Tracked::new(kind, index));
            self.items.len() - 1
        });
        let tracked = &mut self.items[at];
        tracked.done = true;
        if let Some(id) = id {
            id.clone_into(&mut tracked.id);
        }
        if let Some(id) = call_id {
            id.clone_into(&mut tracked.call_id);
        }
        match item {
            OneOf::Other(other) => {
                for part in hosted::parts(&other.tag, other.json) {
                    self.spoke |= !matches!(part, Part::Opaque(_));
                    self.whole(compacted(part), out);
                }
            }
            OneOf::Known(ItemTag::Message, item) => self.message_done(at, item, out),
            OneOf::Known(ItemTag::Reasoning, item) => self.reasoning_done(at, thinking(item), out),
            OneOf::Known(ItemTag::FunctionCall, item) => {
                self.call_done(at, tool_call(item, Flavour::Function), out);
            }
            OneOf::Known(ItemTag::CustomToolCall, item) => {
                self.call_done(at, tool_call(item, Flavour::Custom), out);
            }
            // A vendor does not answer its own calls.
            OneOf::Known(ItemTag::FunctionCallOutput | ItemTag::CustomToolCallOutput, _) => {}
        }
    }

    // --- Messages

    fn spoken(&mut self, frame: &Frame<'_>, refusal: bool, text: Option<&str>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        let text = text.unwrap_or_default();
        let logprobs =
            frame.logprobs.filter(|list| list.get() != "[]").map(|list| Json::from(list.to_owned()));
        if text.is_empty() && logprobs.is_none() {
            return;
        }
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let Some(part) = self.open_spoken(at, frame.content_index.0.unwrap_or(0), refusal, text.len(), out)
        else {
            return;
        };
        if !text.is_empty() {
            let delta = if refusal { Delta::Refusal(text.to_owned()) } else { Delta::Text(text.to_owned()) };
            out.push(Event::Delta { part, delta });
        }
        if let Some(list) = logprobs {
            out.push(Event::Delta { part, delta: Delta::Logprobs(list) });
        }
    }

    /// Says a text that was not streamed. Texts that were are repeated by the vendor and not said again.
    fn spoken_whole(&mut self, frame: &Frame<'_>, refusal: bool, text: Option<&str>, out: &mut Vec<Event>) {
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let index = frame.content_index.0.unwrap_or(0);
        let Said::Message(message) = &self.items[at].said else { return };
        if message.spoken.iter().all(|s| s.index != index) {
            self.spoken(frame, refusal, text, out);
        }
    }

    /// The part of a message that has this place, opened if it is new. `None` if it is closed.
    fn open_spoken(
        &mut self,
        at: usize,
        index: u64,
        refusal: bool,
        length: usize,
        out: &mut Vec<Event>,
    ) -> Option<PartId> {
        let Said::Message(message) = &mut self.items[at].said else { return None };
        if let Some(spoken) = message.spoken.iter_mut().find(|s| s.index == index) {
            spoken.length += length;
            return spoken.open.then_some(spoken.part);
        }
        // A new part of a message ends the one before.
        for old in message.spoken.iter_mut().filter(|s| s.open) {
            old.open = false;
            out.push(Event::PartStop { part: old.part, complete: true, whole: None });
        }
        if refusal {
            self.refused = true;
        } else {
            self.spoke = true;
        }
        let part = self.part(if refusal { PartHead::Refusal } else { PartHead::Text }, out);
        if let Said::Message(message) = &mut self.items[at].said {
            message.spoken.push(Spoken { index, part, open: true, length, citations: 0 });
        }
        Some(part)
    }

    fn annotation(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(annotation) = frame.annotation else { return };
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let index = frame.content_index.0.unwrap_or(0);
        let Said::Message(message) = &mut self.items[at].said else { return };
        let Some(spoken) = message.spoken.iter_mut().find(|s| s.index == index && s.open) else { return };
        spoken.citations += 1;
        let citation = super::citation::decode(Json::from(annotation.to_owned()));
        out.push(Event::Delta { part: spoken.part, delta: Delta::Citation(Box::new(citation)) });
    }

    fn content_done(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(piece) = frame.part.and_then(mend::read::<OneOf<Piece>>) else { return };
        if let OneOf::Known(_, piece) = &piece
            && piece.text.is_none()
            && piece.refusal.is_none()
        {
            return;
        }
        let tag = frame.part.and_then(|raw| frame::tag_within(raw.get()));
        if tag.as_deref() == Some("reasoning_text") {
            return;
        }
        self.begin(&Head::default(), out);
        let Some(at) = self.find(Kind::Message, frame) else { return };
        let parts = message_parts(Some(Content::Pieces(vec![piece])), &String::new).unwrap_or_default();
        for part in parts {
            self.piece_done(at, frame.content_index.0.unwrap_or(0), part, out);
        }
    }

    fn message_done(&mut self, at: usize, item: Item, out: &mut Vec<Event>) {
        let tag = message_tag(&item);
        let parts = message_parts(item.content, &String::new).unwrap_or_default();
        if let Said::Message(message) = &mut self.items[at].said
            && tag.is_some()
        {
            message.tag = tag;
        }
        for (index, part) in (0..).zip(parts) {
            self.piece_done(at, index, part, out);
        }
        self.close(at, /* complete */ true, out);
    }

    /// A part of a message is complete.
    fn piece_done(&mut self, at: usize, index: u64, mut part: Part, out: &mut Vec<Event>) {
        let Said::Message(message) = &self.items[at].said else { return };
        let tag = message.tag.clone();
        let known = message.spoken.iter().find(|s| s.index == index).copied();
        if known.is_some_and(|s| !s.open) {
            return;
        }
        let (text, refusal) = match &mut part {
            Part::Text(text) => {
                if let Some(tag) = tag {
                    text.extra.push(Dialect::Responses, super::MESSAGE, tag);
                }
                (text.text.clone(), false)
            }
            Part::Refusal(refusal) => (refusal.text.clone(), true),
            _ => {
                self.whole(part, out);
                return;
            }
        };
        let spoken = match known {
            Some(spoken) => spoken,
            None if text.is_empty() => return,
            None => {
                let Some(name) = self.open_spoken(at, index, refusal, text.len(), out) else { return };
                let delta = if refusal { Delta::Refusal(text.clone()) } else { Delta::Text(text.clone()) };
                out.push(Event::Delta { part: name, delta });
                if let Part::Text(Text { logprobs: Some(list), .. }) = &part {
                    out.push(Event::Delta { part: name, delta: Delta::Logprobs(list.clone()) });
                }
                Spoken { index, part: name, open: true, length: text.len(), citations: 0 }
            }
        };
        if let Part::Text(text) = &part {
            for citation in text.citations.iter().skip(spoken.citations) {
                let delta = Delta::Citation(Box::new(citation.clone()));
                out.push(Event::Delta { part: spoken.part, delta });
            }
        }
        if let Said::Message(message) = &mut self.items[at].said {
            message.spoken.iter_mut().filter(|s| s.index == index).for_each(|s| s.open = false);
        }
        // A last word that differs from what was streamed is not trusted.
        let whole = (text.len() == spoken.length).then(|| Box::new(part));
        out.push(Event::PartStop { part: spoken.part, complete: true, whole });
    }

    // --- Reasoning

    fn thought(&mut self, frame: &Frame<'_>, raw: bool, text: Option<&str>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let Some(at) = self.find(Kind::Reasoning, frame) else { return };
        let index = if raw { frame.content_index.0 } else { frame.summary_index.0 }.unwrap_or(0);
        let Said::Reasoning(reasoned) = &mut self.items[at].said else { return };
        let paragraph = reasoned.paragraph(raw, index);
        reasoned.length += text.len();
        let (open, id) = (reasoned.part, reasoned.id.clone());
        let part = open.unwrap_or_else(|| {
            let part = self.part(PartHead::Thinking { id, redacted: false }, out);
            if let Said::Reasoning(reasoned) = &mut self.items[at].said {
                reasoned.part = Some(part);
            }
            part
        });
        out.push(Event::Delta { part, delta: Delta::Thinking { text: text.to_owned(), paragraph, raw } });
    }

    fn thought_whole(&mut self, frame: &Frame<'_>, raw: bool, text: Option<&str>, out: &mut Vec<Event>) {
        let Some(at) = self.find(Kind::Reasoning, frame) else { return };
        let index = if raw { frame.content_index.0 } else { frame.summary_index.0 }.unwrap_or(0);
        let Said::Reasoning(reasoned) = &self.items[at].said else { return };
        if !reasoned.has(raw, index) {
            self.thought(frame, raw, text, out);
        }
    }

    fn reasoning_done(&mut self, at: usize, whole: Thinking, out: &mut Vec<Event>) {
        let Said::Reasoning(reasoned) = &self.items[at].said else { return };
        let Reasoned { part: open, length: streamed, .. } = *reasoned;
        let part = open
            .unwrap_or_else(|| self.part(PartHead::Thinking { id: whole.id.clone(), redacted: false }, out));
        let mut streamed = streamed;
        if open.is_none() {
            for (list, raw) in [(&whole.summary, false), (&whole.raw, true)] {
                for (text, paragraph) in list.iter().zip(0..) {
                    streamed += text.len();
                    out.push(Event::Delta {
                        part,
                        delta: Delta::Thinking { text: text.clone(), paragraph, raw },
                    });
                }
            }
        }
        if let Some(blob) = &whole.blob {
            out.push(Event::Delta { part, delta: Delta::Signature(blob.clone()) });
        }
        if let Said::Reasoning(reasoned) = &mut self.items[at].said {
            reasoned.part = None;
        }
        let length: usize = whole.summary.iter().chain(&whole.raw).map(String::len).sum();
        let whole = (length == streamed).then(|| Box::new(Part::Thinking(whole)));
        out.push(Event::PartStop { part, complete: true, whole });
    }

    // --- Calls

    fn arguments(&mut self, frame: &Frame<'_>, flavour: Flavour, text: Option<&str>, out: &mut Vec<Event>) {
        self.begin(&Head::default(), out);
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let Some(at) = self.find(Kind::Call(flavour), frame) else { return };
        let Said::Call(called) = &mut self.items[at].said else { return };
        called.length += text.len();
        match called.part {
            Some(part) => out.push(Event::Delta { part, delta: Delta::Arguments(text.to_owned()) }),
            None => called.held.push_str(text),
        }
    }

    fn arguments_whole(
        &mut self,
        frame: &Frame<'_>,
        flavour: Flavour,
        text: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let Some(at) = self.find(Kind::Call(flavour), frame) else { return };
        let Said::Call(called) = &self.items[at].said else { return };
        if called.length == 0 {
            self.arguments(frame, flavour, text, out);
        }
        if let Said::Call(called) = &mut self.items[at].said {
            called.whole = true;
        }
    }

    /// Opens a call as soon as its name is known.
    fn open_call(&mut self, at: usize, out: &mut Vec<Event>) {
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.part.is_some() || called.call.name.is_empty() {
            return;
        }
        if called.call.call_id.is_empty() {
            let own = called.call.item_id.clone().filter(|id| !id.is_empty());
            called.call.call_id =
                own.unwrap_or_else(|| content_id("call_", &[&at.to_string(), &called.call.name]));
        }
        let call = &called.call;
        let head = PartHead::ToolCall {
            call_id: call.call_id.clone(),
            item_id: call.item_id.clone(),
            name: call.name.clone(),
            namespace: call.namespace.clone(),
            flavour: called.flavour,
        };
        let held = std::mem::take(&mut called.held);
        self.called = true;
        let part = self.part(head, out);
        if let Said::Call(called) = &mut self.items[at].said {
            called.part = Some(part);
        }
        if !held.is_empty() {
            out.push(Event::Delta { part, delta: Delta::Arguments(held) });
        }
    }

    fn call_done(&mut self, at: usize, mut whole: ToolCall, out: &mut Vec<Event>) {
        let Said::Call(called) = &mut self.items[at].said else { return };
        if called.part.is_none() {
            called.call = whole.clone();
            self.open_call(at, out);
        }
        let Said::Call(called) = &mut self.items[at].said else { return };
        // A call that never got a name is no call.
        let Some(part) = called.part.take() else { return };
        if called.length == 0 {
            let text = if whole.arguments.is_empty() {
                std::mem::take(&mut called.early)
            } else {
                whole.arguments.clone()
            };
            called.length = text.len();
            whole.arguments.clone_from(&text);
            if !text.is_empty() {
                out.push(Event::Delta { part, delta: Delta::Arguments(text) });
            }
        }
        whole.call_id.clone_from(&called.call.call_id);
        if whole.name.is_empty() {
            whole.name.clone_from(&called.call.name);
        }
        let complete = whole.status.as_deref() != Some("incomplete");
        let whole = (whole.arguments.len() == called.length).then(|| Box::new(Part::ToolCall(whole)));
        out.push(Event::PartStop { part, complete, whole });
    }

    // --- Endings

    /// Closes whatever is open of an item.
    fn close(&mut self, at: usize, complete: bool, out: &mut Vec<Event>) {
        let mut stop = |part, complete| out.push(Event::PartStop { part, complete, whole: None });
        match &mut self.items[at].said {
            Said::Message(message) => {
                for spoken in message.spoken.iter_mut().filter(|s| s.open) {
                    spoken.open = false;
                    stop(spoken.part, complete);
                }
            }
            Said::Reasoning(Reasoned { part, .. }) => {
                if let Some(part) = part.take() {
                    stop(part, complete);
                }
            }
            Said::Call(called) => {
                let Called { part, whole, held, early, length, .. } = &mut **called;
                if let Some(part) = part.take() {
                    if *length == 0 && !early.is_empty() {
                        let delta = Delta::Arguments(std::mem::take(early));
                        out.push(Event::Delta { part, delta });
                    }
                    held.clear();
                    out.push(Event::PartStop { part, complete: complete || *whole, whole: None });
                }
            }
            Said::Other => {}
        }
    }

    fn close_all(&mut self, complete: bool, out: &mut Vec<Event>) {
        for at in 0..self.items.len() {
            self.close(at, complete, out);
        }
    }

    /// The answer is complete, or as complete as it will be.
    fn terminal(&mut self, mut answer: Answer, out: &mut Vec<Event>) {
        self.reconcile(std::mem::take(&mut answer.output), out);
        let stop = self.stop(&answer);
        self.close_all(stop.reason != StopReason::Length, out);
        if let Some(usage) = answer.usage.as_ref().and_then(usage::decode) {
            let mut usage = usage;
            usage.service_tier = answer.text("service_tier");
            out.push(Event::Usage(usage));
        }
        let envelope = answer.envelope();
        if !envelope.is_empty() {
            out.push(Event::Envelope(envelope));
        }
        out.push(Event::Finish { choice: 0, stop });
        self.end(out);
    }

    /// Says what the last event has and the stream had not. Items that were streamed are only recognised.
    fn reconcile(&mut self, output: Vec<Json>, out: &mut Vec<Event>) {
        let items: Vec<OneOf<Item>> = output.iter().filter_map(|json| json.read().ok()).collect();
        let streamed = self.match_items(&items);
        for ((index, item), at) in (0_u64..).zip(items).zip(streamed) {
            match at {
                Some(at) if self.items[at].done => {}
                Some(at) => {
                    let (id, place) = (self.items[at].id.clone(), self.items[at].index);
                    self.done(place, with_id(item, id), out);
                }
                None => self.done(Some(index), item, out),
            }
        }
    }

    /// Which streamed item each item of the output is: by id, by the id of the call, by place, or the next of its kind.
    fn match_items(&self, output: &[OneOf<Item>]) -> Vec<Option<usize>> {
        type Test = fn(&Tracked, usize, Option<&str>, Option<&str>) -> bool;
        let tests: [Test; 4] = [
            |t, _, id, _| id.is_some_and(|id| t.id == id),
            |t, _, _, call_id| call_id.is_some_and(|id| t.call_id == id),
            |t, place, _, _| t.index.is_some_and(|index| index == place as u64),
            |_, _, _, _| true,
        ];
        let mut found = vec![None; output.len()];
        let mut taken = vec![false; self.items.len()];
        for test in tests {
            for (place, item) in output.iter().enumerate().filter(|_| !self.items.is_empty()) {
                if found[place].is_some() {
                    continue;
                }
                let (kind, id, call_id) = identity(item);
                let at = (0..self.items.len()).find(|at| {
                    !taken[*at]
                        && self.items[*at].kind() == kind
                        && test(&self.items[*at], place, id, call_id)
                });
                if let Some(at) = at {
                    taken[at] = true;
                    found[place] = Some(at);
                }
            }
        }
        found
    }

    fn stop(&self, answer: &Answer) -> Stop {
        let word = answer.incomplete_details.as_ref().and_then(|d| d.reason.clone());
        let reason = match (answer.status.as_deref(), word.as_deref()) {
            (Some("incomplete"), Some("max_output_tokens") | None) => StopReason::Length,
            (Some("incomplete"), Some("content_filter")) => StopReason::ContentFilter,
            (Some("incomplete"), Some("steered" | "max_messages")) => StopReason::Cancelled,
            (Some("incomplete"), Some(_)) => StopReason::Other,
            (Some("cancelled"), _) => StopReason::Cancelled,
            _ if self.called => StopReason::ToolCall,
            _ if self.refused && !self.spoke => StopReason::Refusal,
            _ => StopReason::End,
        };
        Stop { word, ..Stop::new(reason) }
    }

    fn failed(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let answer: Answer = frame.response.and_then(mend::read).unwrap_or_default();
        self.begin(&answer.head(), out);
        if let Some(usage) = answer.usage.as_ref().and_then(usage::decode) {
            self.close_all(/* complete */ false, out);
            out.push(Event::Usage(usage));
        }
        let error = answer.error.filter(|error| !error.is_null()).unwrap_or_else(Json::empty_object);
        self.fail(failure::of_error(&error), out);
    }

    /// A bare error, which says everything at its top level or within `error`.
    fn error(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        self.fail(failure::of_error(&frame.as_error()), out);
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) {
        self.close_all(/* complete */ false, out);
        out.push(Event::Failure(failure));
        self.end(out);
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        self.items = Vec::new();
        out.push(Event::End);
    }
}

/// What an item is and the names that it goes by.
fn identity(item: &OneOf<Item>) -> (Kind, Option<&str>, Option<&str>) {
    match item {
        OneOf::Known(tag, item) => {
            let kind = match tag {
                ItemTag::Message => Kind::Message,
                ItemTag::Reasoning => Kind::Reasoning,
                ItemTag::FunctionCall => Kind::Call(Flavour::Function),
                ItemTag::CustomToolCall => Kind::Call(Flavour::Custom),
                ItemTag::FunctionCallOutput | ItemTag::CustomToolCallOutput => Kind::Other,
            };
            let given = |id: &'_ Option<String>| id.as_deref().filter(|id| !id.is_empty()).is_some();
            let id = item.id.as_deref().filter(|_| given(&item.id));
            let call_id = item.call_id.as_deref().filter(|_| given(&item.call_id));
            (kind, id, call_id)
        }
        OneOf::Other(other) => (Kind::Other, frame::id_within(other.json.get()), None),
    }
}

/// The item under the id by which it was streamed.
fn with_id(item: OneOf<Item>, id: String) -> OneOf<Item> {
    match item {
        OneOf::Known(tag, mut item) => {
            if !id.is_empty() && item.id.is_none() {
                item.id = Some(id);
            }
            OneOf::Known(tag, item)
        }
        other @ OneOf::Other(_) => other,
    }
}

/// A compaction is more than carried.
fn compacted(part: Part) -> Part {
    match part {
        Part::Opaque(block) => match frame::tag_within(block.json.get()).as_deref() {
            Some("compaction" | "compaction_summary" | "context_compaction") => {
                Part::Compaction(decode::compaction(block.json))
            }
            _ => Part::Opaque(block),
        },
        other => other,
    }
}

/// What of a message item has no place in a text part.
fn message_tag(item: &Item) -> Option<Json> {
    let id = item.id.as_deref().filter(|id| !id.is_empty());
    if id.is_none() && item.phase.is_none() {
        return None;
    }
    let mut out = Vec::new();
    let mut object = super::writer::Object::begin(&mut out);
    object.maybe_text("id", id).maybe_text("phase", item.phase.as_deref());
    object.end();
    Json::parse(String::from_utf8(out).ok()?).ok()
}

fn text_of(raw: &RawValue) -> String {
    serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}
