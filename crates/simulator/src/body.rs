//! The body of an answer: a list of steps, played in order.

use crate::{socket::Hangup, watch::CallGuard};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// One thing that happens while a body is sent.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// These bytes are sent as one chunk.
    Data(Bytes),
    /// The same chunk again and again, each time after a pause.
    Repeat { data: Bytes, times: u64, gap: Duration },
    /// These chunks, shared with other answers, each after a pause.
    Shared { frames: Arc<[Bytes]>, next: usize, gap: Duration },
    /// Nothing is sent for this long.
    Wait(Duration),
    /// Nothing is ever sent again, and the connection stays open.
    Hang,
    /// What was sent so far is flushed, then the connection is torn down without an end.
    Break(Tear),
}

/// How a connection is torn down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tear {
    /// TCP reset.
    Reset,
    /// A close before the last chunk.
    Close,
}

/// The body was cut on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the scenario tears the connection down here: this is simulated, no action is needed")]
pub(crate) struct Torn;

/// The body that hyper sends.
pub(crate) struct SimBody {
    steps: VecDeque<Step>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Set once what was sent has been flushed before a tear.
    flushed: bool,
    sized: bool,
    hangup: Hangup,
    guard: Option<CallGuard>,
}

impl SimBody {
    /// A body of unknown length, as streams are.
    pub(crate) fn streamed(steps: Vec<Step>, hangup: Hangup, guard: CallGuard) -> Self {
        let mut body = Self {
            steps: steps.into(),
            sleep: None,
            flushed: false,
            sized: false,
            hangup,
            guard: Some(guard),
        };
        // A body without steps is never polled: its answer is over as soon as the headers are out.
        if body.steps.is_empty() {
            body.finish();
        }
        body
    }

    /// A body whose length is stated if it is known.
    pub(crate) fn sized(steps: Vec<Step>, hangup: Hangup, guard: CallGuard) -> Self {
        let mut body = Self::streamed(steps, hangup, guard);
        body.sized = true;
        body
    }

    /// The answer is over: what the client does from here on is no cancellation.
    fn finish(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.finish();
        }
    }

    fn data(&mut self, data: Bytes) -> Poll<Option<Result<Frame<Bytes>, Torn>>> {
        if self.steps.is_empty() {
            self.finish();
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    /// Whether the pause is over.
    fn pause(&mut self, length: Duration, cx: &mut Context<'_>) -> bool {
        if length.is_zero() {
            return true;
        }
        let timer = self.sleep.get_or_insert_with(|| Box::pin(sleep(length)));
        let over = timer.as_mut().poll(cx).is_ready();
        if over {
            self.sleep = None;
        }
        over
    }
}

impl Body for SimBody {
    type Data = Bytes;
    type Error = Torn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Torn>>> {
        loop {
            let Some(step) = self.steps.pop_front() else {
                self.finish();
                return Poll::Ready(None);
            };
            match step {
                Step::Data(data) if data.is_empty() => {}
                Step::Data(data) => return self.data(data),
                Step::Repeat { times: 0, .. } => {}
                Step::Repeat { data, times, gap } => {
                    if !self.pause(gap, cx) {
                        self.steps.push_front(Step::Repeat { data, times, gap });
                        return Poll::Pending;
                    }
                    if times > 1 {
                        self.steps.push_front(Step::Repeat { data: data.clone(), times: times - 1, gap });
                    }
                    return self.data(data);
                }
                Step::Shared { frames, next, gap } => {
                    let Some(data) = frames.get(next).cloned() else { continue };
                    if !self.pause(gap, cx) {
                        self.steps.push_front(Step::Shared { frames, next, gap });
                        return Poll::Pending;
                    }
                    if next + 1 < frames.len() {
                        self.steps.push_front(Step::Shared { frames, next: next + 1, gap });
                    }
                    return self.data(data);
                }
                Step::Wait(length) => {
                    if !self.pause(length, cx) {
                        self.steps.push_front(Step::Wait(length));
                        return Poll::Pending;
                    }
                }
                Step::Hang => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                Step::Break(tear) => {
                    if !self.flushed {
                        // One idle turn makes hyper flush what it has buffered.
                        self.flushed = true;
                        self.steps.push_front(Step::Break(tear));
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    if tear == Tear::Reset {
                        self.hangup.arm();
                    }
                    self.finish();
                    return Poll::Ready(Some(Err(Torn)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut length = 0;
        for step in &self.steps {
            match step {
                Step::Data(data) => length += data.len() as u64,
                Step::Wait(_) => {}
                Step::Repeat { .. } | Step::Shared { .. } | Step::Hang | Step::Break(_) => {
                    return SizeHint::new();
                }
            }
        }
        if self.sized { SizeHint::with_exact(length) } else { SizeHint::new() }
    }
}
