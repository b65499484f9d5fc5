//! Keeps the sealed reasoning of an answer for a client that has no place for it, while the answer passes.

use super::attempt::Attempt;
use crate::replay::{Place, Replay};
use byok_translate::ir::{Delta, Event, Fold};
use std::time::Instant;

/// Collects one answer.
pub(super) struct Keeper {
    replay: Replay,
    place: Place,
    limit: usize,
    at: Instant,
    fold: Option<Fold>,
}

impl Keeper {
    /// For the answer of an attempt; `None` where the client keeps reasoning by itself.
    pub(super) fn of(attempt: &Attempt<'_>) -> Option<Self> {
        let limit = attempt.state.config.limits.replay_memory;
        let place = attempt.prepared.place.filter(|_| limit > 0)?;
        let replay = attempt.executor.replay.clone();
        Some(Self { replay, place, limit, at: attempt.inbound.at, fold: Some(Fold::default()) })
    }

    /// Takes one event. With the last one the answer is kept, if it came to its end.
    pub(super) fn note(&mut self, event: &Event) {
        let Some(fold) = &mut self.fold else { return };
        match event {
            Event::End => {
                let whole = self.fold.take().and_then(|fold| fold.finish().ok());
                let first = whole.and_then(|whole| whole.choices.into_iter().next());
                if let Some(choice) = first {
                    self.replay.keep(self.place, &choice.parts, self.limit, self.at);
                }
            }
            Event::Failure(_) => self.fold = None,
            // Only what the client shows again, and what it cannot show.
            Event::PartStart { choice: 0, .. } | Event::PartStop { .. } | Event::Finish { choice: 0, .. } => {
                fold.push(event.clone());
            }
            Event::Delta { delta: Delta::Citation(_) | Delta::Logprobs(_), .. } => {}
            Event::Delta { .. } => fold.push(event.clone()),
            _ => {}
        }
    }
}
