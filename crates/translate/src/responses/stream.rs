//! Streams for Responses clients.
//!
//! One item is open at a time, whatever the upstream interleaves: clients assume it. Parts that begin while a call is
//! open wait for its end; text and reasoning that are interrupted go on in an item of their own.

mod active;
mod ending;
mod frames;
mod open;

use super::{
    envelope::{Envelope, State},
    failure,
    item::{self, ItemIds, Status},
    whole::{Tag, append_list},
};
use crate::{
    Exchange, Ids, Loss, Losses,
    ir::{
        Choice, Delta, Event, Extra, Failure, Flavour, Part, PartHead, PartId, Response, ServerCall, Start,
        Stop, ToolCall, Usage, unfold,
    },
    media,
    open_parts::OpenParts,
};
use active::Active;
use byok_types::Dialect;
pub(super) use ending::{Shown, ending};
use frames::Frames;
use open::Item;

/// A part that waits for the one before it.
#[derive(Debug)]
struct Waiting {
    head: PartHead,
    /// The message in which it stood before it was interrupted.
    message: Option<Tag>,
    events: Vec<Event>,
}

/// Writes the events of an answer as a stream.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that was or was not written")]
pub struct StreamEncoder {
    frames: Frames,
    envelope: Envelope,
    ids: Ids,
    losses: Losses,
    upstream: Dialect,
    started: bool,
    over: bool,
    /// Items that are complete, separated by commas.
    output: Vec<u8>,
    /// How many items there are.
    items: u32,
    item: Option<Item>,
    /// The part that is being written.
    active: Option<(PartId, Active)>,
    /// Text and reasoning that was interrupted, and the message in which it stood.
    suspended: Vec<(PartId, PartHead, Option<Tag>)>,
    /// The message in which the active part stands, until it is written.
    entering: Option<Tag>,
    named: ItemIds,
    /// The parts that wait, in their order.
    waiting: OpenParts<Waiting>,
    /// A hosted call whose result may follow.
    server_call: Option<ServerCall>,
    refused: bool,
    /// Whether a call of a client's tool was written.
    called: bool,
    stop: Option<Stop>,
    usage: Option<Usage>,
    extra: Extra,
}

impl StreamEncoder {
    /// An encoder for one answer.
    pub fn new(exchange: &Exchange) -> Self {
        let mut ids = exchange.ids.clone();
        let own = ids.next("resp_");
        Self {
            frames: Frames::from(exchange.first_event),
            envelope: Envelope::new(exchange, exchange.begun.clone().unwrap_or(own)),
            ids,
            losses: Losses::default(),
            upstream: exchange.upstream,
            started: exchange.begun.is_some(),
            over: false,
            output: Vec::new(),
            items: 0,
            item: None,
            active: None,
            suspended: Vec::new(),
            entering: None,
            named: ItemIds::default(),
            waiting: OpenParts::default(),
            server_call: None,
            refused: false,
            called: false,
            stop: None,
            usage: None,
            extra: Extra::default(),
        }
    }

    /// What of the answer could not be said.
    pub fn losses(&self) -> &[Loss] {
        self.losses.list()
    }

    /// Takes one event; appends whole frames.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start(start) => self.start(Some(start), out),
            Event::PartStart { choice, .. } if choice != 0 => {
                self.losses.dropped("choices", "a response has one answer");
            }
            Event::PartStart { part, head, .. } => {
                self.start(None, out);
                self.part_start(part, head, out);
            }
            Event::Delta { part, delta } => self.part_delta(part, delta, out),
            Event::PartStop { part, complete, whole } => self.part_stop(part, complete, whole, out),
            Event::Usage(usage) => self.usage.get_or_insert_with(Usage::default).merge(&usage),
            Event::Envelope(extra) => self.extra = extra,
            Event::Finish { choice: 0, stop } => self.stop = Some(stop),
            Event::Failure(failure) => self.fail(&failure, out),
            Event::End => self.end(out),
            Event::Finish { .. } | Event::Lost(_) | Event::Ping => {}
        }
    }

    /// Whether the upstream speaks Responses: then its ids are kept and raw reasoning is shown as such.
    fn native(&self) -> bool {
        self.upstream == Dialect::Responses
    }

    /// Whether calls wait for their end, because a signature may follow that must stand before them.
    fn holds_calls(&self) -> bool {
        self.upstream == Dialect::Gemini
    }

    fn start(&mut self, start: Option<Start>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        if let Some(id) = start.and_then(|start| start.id)
            && self.native()
            && !id.is_empty()
        {
            self.envelope.id = id;
        }
        for kind in ["response.created", "response.in_progress"] {
            self.response(kind, State::InProgress, out);
        }
    }

    fn response(&mut self, kind: &str, state: State<'_>, out: &mut Vec<u8>) {
        let Self { frames, envelope, output, usage, extra, .. } = self;
        frames.event(out, kind, |object| {
            envelope.write(object.member("response"), state, output, usage.as_ref(), extra);
        });
    }

    // --- Which part is written

    fn part_start(&mut self, part: PartId, head: PartHead, out: &mut Vec<u8>) {
        let waits = match &self.active {
            None => false,
            Some((_, active)) => matches!(active, Active::Call { .. }) || active.is_like(&head),
        };
        if waits {
            self.waiting.push(part, Waiting { head, message: None, events: Vec::new() });
            return;
        }
        self.suspend(out);
        self.activate(part, head, out);
    }

    fn part_delta(&mut self, part: PartId, delta: Delta, out: &mut Vec<u8>) {
        if self.active.as_ref().is_some_and(|(active, _)| *active == part) {
            self.delta(delta, out);
            return;
        }
        if let Some(waiting) = self.waiting.get_mut(part) {
            waiting.events.push(Event::Delta { part, delta });
            return;
        }
        let Some(at) = self.suspended.iter().position(|(name, ..)| *name == part) else {
            if matches!(delta, Delta::Citation(_)) {
                self.losses.dropped("output", "a citation came when the item of its text was over");
            }
            return;
        };
        let (_, head, message) = self.suspended.remove(at);
        if matches!(self.active, Some((_, Active::Call { .. }))) {
            let events = vec![Event::Delta { part, delta }];
            self.waiting.push(part, Waiting { head, message, events });
            return;
        }
        self.suspend(out);
        self.activate(part, head, out);
        self.entering = message;
        self.delta(delta, out);
    }

    fn part_stop(&mut self, part: PartId, complete: bool, whole: Option<Box<Part>>, out: &mut Vec<u8>) {
        if self.active.as_ref().is_some_and(|(active, _)| *active == part) {
            self.stop_active(complete, whole.as_deref(), out);
            self.advance(out);
        } else if let Some(waiting) = self.waiting.get_mut(part) {
            waiting.events.push(Event::PartStop { part, complete, whole });
        } else {
            self.suspended.retain(|(name, ..)| *name != part);
        }
    }

    /// Interrupts text or reasoning.
    fn suspend(&mut self, out: &mut Vec<u8>) {
        let Some((part, active)) = self.active.take() else { return };
        let head = match &active {
            Active::Text { .. } => PartHead::Text,
            Active::Refusal => PartHead::Refusal,
            Active::Thinking { .. } => PartHead::Thinking { id: None, redacted: false },
            Active::Call { .. } => return,
        };
        let spoken = matches!(active, Active::Text { .. } | Active::Refusal);
        let message = self.entering.take().or_else(|| self.message().filter(|_| spoken));
        self.active = Some((part, active));
        self.stop_active(/* complete */ true, None, out);
        self.suspended.push((part, head, message));
    }

    /// Writes the parts that waited, as far as they go.
    fn advance(&mut self, out: &mut Vec<u8>) {
        while self.active.is_none() {
            let Some((part, Waiting { head, message, events })) = self.waiting.pop_first() else { return };
            self.activate(part, head, out);
            self.entering = message;
            for event in events {
                match event {
                    Event::Delta { delta, .. } => self.delta(delta, out),
                    Event::PartStop { complete, whole, .. } => {
                        self.stop_active(complete, whole.as_deref(), out);
                    }
                    _ => {}
                }
            }
        }
    }

    fn activate(&mut self, part: PartId, head: PartHead, out: &mut Vec<u8>) {
        self.entering = None;
        let active = match head {
            PartHead::Text => Active::Text { blob: None, empty: true },
            PartHead::Refusal => Active::Refusal,
            PartHead::Thinking { id, .. } => {
                Active::Thinking { id: id.filter(|_| self.native()), blob: None, opened: false }
            }
            PartHead::ToolCall { call_id, item_id, name, namespace, flavour, caller } => {
                let caller = caller.filter(|_| self.native());
                let item_id = item_id.filter(|_| self.native());
                let call =
                    ToolCall { call_id, item_id, name, namespace, flavour, caller, ..ToolCall::default() };
                Active::Call { call: Box::new(call), blob: None, opened: false }
            }
            PartHead::Whole(whole) => return self.whole(part, *whole, out),
        };
        self.active = Some((part, active));
        let waits = |call: &ToolCall| self.holds_calls() || item::comes_whole(call.flavour);
        if matches!(&self.active, Some((_, Active::Call { call, .. })) if !waits(call)) {
            self.open_call(out);
        }
    }

    /// Writes a part that comes whole.
    fn whole(&mut self, part: PartId, whole: Part, out: &mut Vec<u8>) {
        match whole {
            Part::ServerCall(call) => {
                self.flush_server_call(None, out);
                self.server_call = Some(call);
            }
            Part::ServerResult(result) => {
                let waits = self.server_call.as_ref().is_some_and(|call| call.id == result.call_id);
                if waits {
                    self.flush_server_call(Some(&result), out);
                }
                if result.verbatim.is_some() {
                    self.whole_item(&Part::ServerResult(result), out);
                }
            }
            Part::Text(_) | Part::Refusal(_) | Part::Thinking(_) | Part::ToolCall(_) => {
                let choice = Choice { parts: vec![whole], stop: None };
                let events = unfold(&Response { choices: vec![choice], ..Response::default() });
                for event in events {
                    match event {
                        Event::PartStart { head, .. } => self.activate(part, head, out),
                        Event::Delta { delta, .. } => self.delta(delta, out),
                        Event::PartStop { complete, whole, .. } => {
                            self.stop_active(complete, whole.as_deref(), out);
                        }
                        _ => {}
                    }
                }
            }
            Part::Audio(audio) => {
                self.losses.dropped("output", "Responses has no sound in an answer");
                self.close_item(Status::Completed, out);
                self.whole(part, Part::text(media::sound_in_words(&audio)), out);
                self.close_item(Status::Completed, out);
            }
            other => self.whole_item(&other, out),
        }
    }

    fn whole_item(&mut self, part: &Part, out: &mut Vec<u8>) {
        if let Some(whole) = item::whole(part, &mut self.ids, &mut self.losses) {
            self.write_whole(&whole, out);
        }
    }

    fn flush_server_call(&mut self, result: Option<&crate::ir::ServerResult>, out: &mut Vec<u8>) {
        let Some(call) = self.server_call.take() else { return };
        if let Some(whole) = item::server_call(&call, result, &mut self.ids, &mut self.losses) {
            self.write_whole(&whole, out);
        }
    }

    // --- What is written of a part

    fn delta(&mut self, delta: Delta, out: &mut Vec<u8>) {
        let Some((_, active)) = &mut self.active else { return };
        match (active, delta) {
            (Active::Text { empty, .. }, Delta::Text(text)) if !text.is_empty() => {
                *empty = false;
                self.text(&text, /* refusal */ false, out);
            }
            (Active::Text { .. }, Delta::Refusal(text))
            | (Active::Refusal, Delta::Refusal(text) | Delta::Text(text))
                if !text.is_empty() =>
            {
                self.refused = true;
                self.text(&text, /* refusal */ true, out);
            }
            (Active::Text { .. } | Active::Refusal, Delta::Extra(extra)) => {
                self.entering = Tag::of(&extra);
            }
            (Active::Text { .. }, Delta::Citation(citation)) => self.citation(*citation, out),
            (Active::Text { .. }, Delta::Logprobs(list)) => {
                let mut elements = Vec::new();
                append_list(&mut elements, &list);
                self.logprobs(&elements, out);
            }
            (
                Active::Text { blob, .. } | Active::Thinking { blob, .. } | Active::Call { blob, .. },
                Delta::Signature(sign),
            ) => {
                *blob = Some(sign);
            }
            (Active::Thinking { id, opened, .. }, Delta::Thinking { text, paragraph, raw })
                if !text.is_empty() =>
            {
                let id = id.clone();
                if !std::mem::replace(opened, true) {
                    self.open_reasoning(id.as_deref(), out);
                }
                let raw_shown = raw && self.native();
                self.thought(&text, (raw, paragraph), raw_shown, out);
            }
            (Active::Call { call, opened, .. }, Delta::Arguments(text)) if !text.is_empty() => {
                call.arguments.push_str(&text);
                if *opened {
                    self.arguments(&text, out);
                }
            }
            _ => {}
        }
    }

    /// The active part ends.
    fn stop_active(&mut self, complete: bool, whole: Option<&Part>, out: &mut Vec<u8>) {
        let Some((part, active)) = self.active.take() else { return };
        match active {
            Active::Text { blob, empty } => {
                // Only what the pieces lacked is taken from the whole.
                if let (true, Some(Part::Text(text))) = (empty, whole)
                    && !text.text.is_empty()
                {
                    self.entering = self.entering.take().or_else(|| Tag::of(&text.extra));
                    self.text(&text.text, /* refusal */ false, out);
                }
                self.settle_citations(out);
                if let Some(blob) = blob {
                    self.carrier(&blob, out);
                }
            }
            Active::Refusal => {}
            Active::Thinking { id, blob, opened } => {
                let blob = blob.or(match whole {
                    Some(Part::Thinking(thinking)) => thinking.blob.clone(),
                    _ => None,
                });
                if !opened && (blob.is_some() || id.is_some()) {
                    self.open_reasoning(id.as_deref(), out);
                }
                if opened || blob.is_some() || id.is_some() {
                    let status = match whole {
                        Some(Part::Thinking(thinking)) if self.native() => thinking.status.as_deref(),
                        _ => None,
                    };
                    self.close_reasoning(blob.as_ref(), status, out);
                }
            }
            Active::Call { mut call, blob, opened } => {
                let mut rest = String::new();
                if let Some(Part::ToolCall(known)) = whole {
                    if call.arguments.is_empty() {
                        rest.clone_from(&known.arguments);
                    }
                    call.caller = known.caller.clone().filter(|_| self.native());
                    call.extra = known.extra.clone();
                }
                let custom = call.flavour == Flavour::Custom;
                if complete && !custom && call.arguments.trim().is_empty() && rest.trim().is_empty() {
                    "{}".clone_into(&mut rest);
                }
                call.arguments.push_str(&rest);
                let said = if opened { rest } else { call.arguments.clone() };
                self.active = Some((part, Active::Call { call, blob, opened }));
                if !opened {
                    self.open_call(out);
                }
                if !said.is_empty() {
                    self.arguments(&said, out);
                }
                if let Some((_, Active::Call { call, .. })) = self.active.take() {
                    self.close_call(&call, Status::of(complete), out);
                }
            }
        }
    }

    fn open_call(&mut self, out: &mut Vec<u8>) {
        let Some((_, Active::Call { call, blob, opened })) = &mut self.active else { return };
        *opened = true;
        let (call, blob) = (call.clone(), blob.take());
        if let Some(blob) = blob {
            // The signature of a call travels in a reasoning item ahead of it.
            self.carrier(&blob, out);
        }
        self.called = true;
        self.begin_call(&call, out);
    }

    // --- Endings

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.over = true;
        let (code, message) = failure::in_stream(failure);
        if self.started {
            self.keep_so_far();
            self.response("response.failed", State::Failed(code, &message), out);
            return;
        }
        self.frames.event(out, "error", |object| {
            object.text("code", code).text("message", &message).value("param", &failure.param);
        });
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(None, out);
        // Nothing comes any more: what is open was cut off.
        while self.active.is_some() || !self.waiting.is_empty() {
            self.stop_active(/* complete */ false, None, out);
            self.advance(out);
        }
        self.over = true;
        let nothing = self.items == 0 && self.item.is_none() && self.server_call.is_none();
        let shown = Shown { refused: self.refused, called: self.called, empty: nothing };
        let ending = ending(self.stop.as_ref(), shown, self.native());
        if let Some(words) = &ending.refusal {
            self.text(words, /* refusal */ true, out);
        }
        self.flush_server_call(None, out);
        let cut = matches!(ending.state(), State::Incomplete(_));
        self.close_item(Status::of(!cut), out);
        let kind = match ending.state() {
            State::Incomplete(_) => "response.incomplete",
            State::Failed(..) => "response.failed",
            State::Completed | State::InProgress => "response.completed",
        };
        self.response(kind, ending.state(), out);
    }
}
