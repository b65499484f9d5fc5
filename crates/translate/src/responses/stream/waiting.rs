//! Parts that wait for the one before them.

use super::Tag;
use crate::ir::{Event, PartHead, PartId};
use std::collections::{HashMap, VecDeque};

/// A part that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) part: PartId,
    pub(super) head: PartHead,
    /// The message in which it stood before it was interrupted.
    pub(super) message: Option<Tag>,
    pub(super) events: Vec<Event>,
}

/// The parts that wait, in their order; ten thousand of them are looked up as fast as ten.
#[derive(Debug, Default)]
pub(super) struct Queue {
    list: VecDeque<Waiting>,
    /// Where each of them stands, counted from the first one that ever waited.
    places: HashMap<PartId, usize>,
    /// How many of them wait no more.
    passed: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.places.insert(waiting.part, self.passed + self.list.len());
        self.list.push_back(waiting);
    }

    pub(super) fn get_mut(&mut self, part: PartId) -> Option<&mut Waiting> {
        self.list.get_mut(self.places.get(&part)?.checked_sub(self.passed)?)
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let next = self.list.pop_front()?;
        self.passed += 1;
        self.places.remove(&next.part);
        Some(next)
    }
}
