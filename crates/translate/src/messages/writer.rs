//! From events to blocks, for streams and whole answers alike.
//!
//! The dialect has one block open at a time, numbered without gaps, and no empty text blocks; events of other dialects
//! interleave. What cannot be written yet waits in its slot.

mod slot;
mod whole;

use self::slot::{Kind, Slot, deltas_of, members, unwhole};
use crate::{
    Exchange, Json, Losses, carrier,
    ir::{Blob, BlobSlot, Citation, Delta, Family, Part, PartHead, PartId, ServerTool},
};
use byok_types::Dialect;
use std::collections::VecDeque;

/// How a block begins.
#[derive(Debug)]
pub(super) enum Head<'a> {
    Text,
    Thinking,
    Redacted(&'a str),
    ToolUse {
        id: &'a str,
        name: &'a str,
        /// Who calls. A whole answer has it among its members.
        caller: Option<&'a Json>,
    },
    /// A block that comes whole, as JSON; `input` follows as a piece.
    Whole(&'a [u8]),
}

/// A piece of the open block.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Thinking(&'a str),
    Input(&'a str),
    Signature(&'a str),
    Citation(&'a Citation),
    /// Members that only a whole block can show: unknown ones, and who called a tool.
    Members(&'a [(String, Json)]),
}

/// Where blocks go: frames of a stream or the list of a whole answer.
pub(super) trait Sink {
    fn open(&mut self, head: &Head<'_>);
    fn piece(&mut self, piece: &Piece<'_>);
    fn close(&mut self);
}

/// What kinds of content were written, as far as the reason of the end depends on it.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four observations that do not depend on each other")]
pub(super) struct Said {
    pub(super) text: bool,
    pub(super) refusal: bool,
    pub(super) call: bool,
    /// A call whose input is not JSON.
    pub(super) broken_call: bool,
    /// Searches of the web that the vendor made, and pages that it read.
    pub(super) searches: u64,
    pub(super) fetches: u64,
}

/// The state of one answer's content.
#[derive(Debug)]
pub(super) struct Writer {
    slots: Vec<Slot>,
    open: Option<PartId>,
    /// Parts that could begin if the open block were done.
    waiting: VecDeque<PartId>,
    /// Whether calls are held until their signature is known, which is written before them.
    hold_calls: bool,
    account: Option<String>,
    /// Whether the upstream speaks this dialect itself.
    native: bool,
    /// Whether any block was written.
    has_block: bool,
    pub(super) said: Said,
    pub(super) losses: Losses,
}

impl Writer {
    pub(super) fn new(exchange: &Exchange) -> Self {
        Self {
            slots: Vec::new(),
            open: None,
            waiting: VecDeque::new(),
            hold_calls: exchange.family == Family::Gemini || exchange.upstream == Dialect::Gemini,
            account: exchange.account.clone(),
            native: exchange.upstream == Dialect::Messages,
            has_block: false,
            said: Said::default(),
            losses: Losses::default(),
        }
    }

    /// A part begins.
    pub(super) fn start(&mut self, part: PartId, choice: u32, head: PartHead, sink: &mut impl Sink) {
        if choice != 0 {
            self.losses.dropped("choices", "this dialect has one answer");
            return;
        }
        let kind = match head {
            PartHead::Text => Kind::Text,
            PartHead::Refusal => Kind::Refusal,
            PartHead::Thinking { redacted: false, .. } => Kind::Thinking,
            PartHead::Thinking { redacted: true, .. } => Kind::Redacted,
            PartHead::ToolCall { call_id, name, flavour, caller, .. } => {
                let caller = caller.filter(|_| self.native);
                Kind::Call { id: call_id, name, flavour, caller }
            }
            PartHead::Whole(whole) => Kind::Whole(whole),
        };
        if self.index(part).is_some() {
            self.stop(part, None, sink);
        }
        let pending = match &kind {
            Kind::Whole(whole) => deltas_of(whole),
            _ => Vec::new(),
        };
        let kind = match kind {
            Kind::Whole(whole) => unwhole(whole),
            kind => kind,
        };
        self.slots.push(Slot::new(part, kind));
        self.advance(part, sink);
        for delta in pending {
            self.delta(part, delta, sink);
        }
    }

    /// A piece of a part.
    pub(super) fn delta(&mut self, part: PartId, delta: Delta, sink: &mut impl Sink) {
        let Some(index) = self.index(part) else {
            if matches!(delta, Delta::Citation(_)) {
                self.losses.dropped("content", "a citation came when the block of its text was over");
            }
            return;
        };
        let slot = &mut self.slots[index];
        match &delta {
            Delta::Signature(blob) => {
                slot.signature = Some(blob.clone());
                return;
            }
            delta if !slot.takes(delta) => return,
            _ => {}
        }
        if self.open == Some(part) {
            slot.write(&delta, sink);
            return;
        }
        slot.pending.push(delta);
        self.advance(part, sink);
    }

    /// A part ends.
    pub(super) fn stop(&mut self, part: PartId, whole: Option<&Part>, sink: &mut impl Sink) {
        let Some(index) = self.index(part) else { return };
        self.slots[index].stopped = true;
        if self.open == Some(part) {
            if let Some(whole) = whole.filter(|_| self.native) {
                sink.piece(&Piece::Members(&members(whole)));
            }
            self.finish_open(sink);
            self.drain(sink);
        } else {
            self.advance(part, sink);
            if !self.waiting.contains(&part) {
                // It had nothing to show.
                self.slots.retain(|slot| slot.part != part);
            }
        }
    }

    /// Everything that is left is written and closed.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        let left: Vec<PartId> = self.slots.iter().map(|slot| slot.part).collect();
        for part in left {
            self.stop(part, None, sink);
        }
        if !self.has_block && !self.native {
            // Some clients cannot read an answer without any block.
            self.has_block = true;
            sink.open(&Head::Text);
            sink.close();
        }
    }

    /// The answer broke off: the open block is closed and nothing else is written.
    pub(super) fn abandon(&mut self, sink: &mut impl Sink) {
        if self.open.take().is_some() {
            sink.close();
        }
        self.slots.clear();
        self.waiting.clear();
    }

    fn index(&self, part: PartId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.part == part)
    }

    /// Lets a part begin if it has something to say and the open block gives way; else it waits.
    fn advance(&mut self, part: PartId, sink: &mut impl Sink) {
        let Some(index) = self.index(part) else { return };
        if !self.slots[index].is_ready(self.hold_calls) || self.waiting.contains(&part) {
            return;
        }
        let blocked = self
            .open
            .and_then(|open| self.index(open))
            .is_some_and(|open| matches!(self.slots[open].kind, Kind::Call { .. }));
        self.waiting.push_back(part);
        if !blocked {
            self.drain(sink);
        }
    }

    /// Lets waiting parts begin, until one of them is a call that goes on.
    fn drain(&mut self, sink: &mut impl Sink) {
        while let Some(part) = self.waiting.pop_front() {
            self.take_over(part, sink);
            let goes_on = self.open.and_then(|open| self.index(open));
            if goes_on.is_some_and(|index| matches!(self.slots[index].kind, Kind::Call { .. })) {
                return;
            }
        }
    }

    /// Closes the open block, of a text or thinking part that may go on later, and begins the block of `part`.
    fn take_over(&mut self, part: PartId, sink: &mut impl Sink) {
        self.suspend(sink);
        let Some(index) = self.index(part) else { return };
        if let Kind::Whole(whole) = &self.slots[index].kind {
            let written = whole::write(whole, sink, &mut self.losses);
            self.has_block |= written;
            if let (true, Part::ServerCall(call)) = (written, &**whole) {
                self.said.searches += u64::from(call.tool == ServerTool::WebSearch);
                self.said.fetches += u64::from(call.tool == ServerTool::WebFetch);
            }
            self.slots.remove(index);
            return;
        }
        let is_redacted = matches!(self.slots[index].kind, Kind::Redacted);
        if is_redacted {
            self.redacted(index, sink);
            self.slots.remove(index);
            return;
        }
        if self.slots[index].only_signed() {
            if let Some(blob) = self.slots.remove(index).signature {
                self.carrier_block(Blob { slot: BlobSlot::Text, ..blob }, sink);
            }
            return;
        }
        if matches!(self.slots[index].kind, Kind::Call { .. })
            && let Some(blob) = self.slots[index].signature.take()
        {
            self.carrier_block(Blob { slot: BlobSlot::Call, ..blob }, sink);
        }
        self.has_block = true;
        let slot = &mut self.slots[index];
        match &slot.kind {
            Kind::Text => self.said.text = true,
            Kind::Refusal => self.said.refusal = true,
            Kind::Call { .. } => self.said.call = true,
            Kind::Thinking | Kind::Redacted | Kind::Whole(_) => {}
        }
        slot.open(sink);
        self.open = Some(part);
        for delta in std::mem::take(&mut slot.pending) {
            slot.write(&delta, sink);
        }
        if slot.stopped {
            self.finish_open(sink);
        }
    }

    /// Closes the open block without ending its part.
    fn suspend(&mut self, sink: &mut impl Sink) {
        if let Some(index) = self.open.take().and_then(|open| self.index(open)) {
            self.seal(index, sink);
            sink.close();
        }
    }

    /// Ends the part of the open block.
    fn finish_open(&mut self, sink: &mut impl Sink) {
        let Some(index) = self.open.take().and_then(|open| self.index(open)) else { return };
        self.slots[index].complete(sink);
        self.said.broken_call |= self.slots[index].is_broken();
        self.seal(index, sink);
        sink.close();
        let slot = self.slots.remove(index);
        match (slot.kind, slot.signature) {
            // Text has no place for a signature here: it follows in a thinking block of its own.
            (Kind::Text, Some(blob)) => self.carrier_block(Blob { slot: BlobSlot::Text, ..blob }, sink),
            (Kind::Call { .. }, Some(_)) => {
                self.losses.silent("content", "the signature of a call came after the call");
            }
            _ => {}
        }
    }

    /// Writes the signature of a thinking block; it comes last.
    fn seal(&mut self, index: usize, sink: &mut impl Sink) {
        if matches!(self.slots[index].kind, Kind::Thinking)
            && let Some(blob) = self.slots[index].signature.take()
        {
            let text = self.signature(blob);
            sink.piece(&Piece::Signature(&text));
        }
    }

    /// A hidden block; one of another family travels in the signature of an empty thinking block.
    fn redacted(&mut self, index: usize, sink: &mut impl Sink) {
        match self.slots[index].signature.take() {
            Some(blob) if blob.family == Family::Claude => {
                self.has_block = true;
                sink.open(&Head::Redacted(&blob.data));
                sink.close();
            }
            Some(blob) => self.carrier_block(blob, sink),
            None => {}
        }
    }

    /// An empty thinking block around a blob.
    fn carrier_block(&mut self, blob: Blob, sink: &mut impl Sink) {
        self.has_block = true;
        let text = self.signature(blob);
        sink.open(&Head::Thinking);
        sink.piece(&Piece::Signature(&text));
        sink.close();
    }

    /// Claude's own signature as it is, any other in a carrier.
    fn signature(&self, blob: Blob) -> String {
        if blob.family == Family::Claude {
            return blob.data;
        }
        carrier::wrap(&Blob { account: blob.account.or_else(|| self.account.clone()), ..blob })
    }
}
