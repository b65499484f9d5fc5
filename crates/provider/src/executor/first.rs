//! The wait for the first event of a stream that carries something.

use byok_translate::{Progress, StreamReader, ir::Event};
use byok_types::{Blame, Failure, FailureKind};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// Waits for the first event of an answer that was begun without one. Comments, blank lines and events that carry nothing
/// do not end the wait.
pub(super) struct FirstEvent {
    end: Pin<Box<Sleep>>,
    limit: Duration,
    /// Reads along where the bytes pass; where they are translated their events are read anyway.
    reader: Option<Box<StreamReader>>,
    events: Vec<Event>,
}

impl FirstEvent {
    /// A wait that began at `begun`. `reader` has read what came so far.
    pub(super) fn new(begun: Instant, limit: Duration, reader: Option<StreamReader>) -> Self {
        let end = Box::pin(tokio::time::sleep_until(begun + limit));
        Self { end, limit, reader: reader.map(Box::new), events: Vec::new() }
    }

    /// Whether bytes that pass bring the first event, or the end.
    pub(super) fn comes_with(&mut self, data: &[u8]) -> bool {
        let Some(reader) = &mut self.reader else { return false };
        reader.push(data, &mut self.events);
        let mut progress = Progress::default();
        self.events.drain(..).for_each(|event| progress.note(&event));
        progress.good || progress.failure.is_some() || reader.ended()
    }

    /// What the client is told once the wait is over.
    pub(super) fn poll_missed(&mut self, cx: &mut Context<'_>) -> Option<Failure> {
        match self.end.as_mut().poll(cx) {
            Poll::Ready(()) => Some(silent(self.limit)),
            Poll::Pending => None,
        }
    }
}

/// The upstream did not say anything in time.
pub(super) fn silent(limit: Duration) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        Blame::Upstream,
        format!(
            "the upstream accepted the request and sent no event that carries anything for {} s (`timeouts.first_event`; \
             `timeouts.reasoning_first_event` for a model that reasons). Send it again.",
            limit.as_secs_f32()
        ),
    )
}
