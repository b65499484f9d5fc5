//! The events of an answer, as they are made.

use crate::ir::{Delta, Event, Part, PartHead, PartId};

/// Where events go.
pub(super) struct Sink<'s> {
    pub(super) out: &'s mut Vec<Event>,
    pub(super) next: &'s mut u32,
    /// The answer's id, of which ids of calls are made where there are none.
    pub(super) answer: &'s str,
}

impl Sink<'_> {
    pub(super) fn open(&mut self, choice: u32, head: PartHead) -> PartId {
        let part = PartId(*self.next);
        *self.next += 1;
        self.out.push(Event::PartStart { part, choice, head });
        part
    }

    pub(super) fn delta(&mut self, part: PartId, delta: Delta) {
        self.out.push(Event::Delta { part, delta });
    }

    pub(super) fn close(&mut self, part: PartId, complete: bool) {
        self.out.push(Event::PartStop { part, complete, whole: None });
    }

    pub(super) fn whole(&mut self, choice: u32, part: Part) {
        let part = self.open(choice, PartHead::Whole(Box::new(part)));
        self.close(part, true);
    }
}
