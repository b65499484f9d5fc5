//! The body of a streamed answer: pulled by the client, frame by frame, from the upstream's body.
//!
//! No task and no channel stands between the two sockets. A client that stops reading stops the upstream; dropping the body
//! ends the upstream call, and the record of the request is written then, whatever was reached.

use super::{
    attempt::Attempt, first::FirstEvent, keeper::Keeper, opened::OpenedBody, prepare::log_answer,
    reply::transport_failure, stopped,
};
use crate::{budget::Share, ledger::Ledger};
use byok_translate::{Exchange, Progress, Relay, Sign, StreamReader, UsageScanner, codec, ir::Event};
use byok_types::Failure;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Most bytes of a burst that are joined before they go on.
const BURST: usize = 32 << 10;

/// How often the body says that nothing is there before it is believed. The server's connection asks twice in one turn of its
/// task, so that one time would not let any other task run.
const WAITS: u8 = 2;

/// A streamed answer.
pub struct AnswerBody(Option<Box<Running>>);

impl AnswerBody {
    pub(super) fn new(running: Running) -> Self {
        Self(Some(Box::new(running)))
    }

    /// Attaches the record that is written when the answer ends.
    pub(super) fn recorded_by(&mut self, ledger: Ledger) {
        if let Some(running) = &mut self.0 {
            running.ledger = Some(ledger);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(running) = &mut self.0 else { return Poll::Ready(None) };
        match running.poll_bytes(cx) {
            Poll::Ready(Some(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Poll::Ready(None) => {
                self.0 = None;
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// How the upstream's bytes become the client's.
pub(super) enum Source {
    /// As they are.
    Pass(Box<Passing>),
    /// By way of events.
    Translate(Box<Translation>),
}

pub(super) struct Passing {
    relay: Relay,
    scanner: UsageScanner,
    /// What the upstream told of as text of the answer.
    failure: Option<Failure>,
}

pub(super) struct Translation {
    reader: StreamReader,
    encoder: codec::StreamEncoder,
    progress: Progress,
    share: Share,
    events: Vec<Event>,
    keeper: Option<Keeper>,
}

impl Source {
    /// Passes on; `held` are the bytes that came while the answer was held back.
    pub(super) fn pass(relay: Relay, scanner: UsageScanner, held: Vec<Bytes>) -> (Self, Vec<Bytes>) {
        (Self::Pass(Box::new(Passing { relay, scanner, failure: None })), held)
    }

    /// Translates; `held` are the events that came while the answer was held back.
    pub(super) fn translate(
        reader: StreamReader,
        encoder: codec::StreamEncoder,
        held: Vec<Event>,
        share: Share,
        keeper: Option<Keeper>,
    ) -> (Self, Vec<Bytes>) {
        let progress = Progress::default();
        let translation = Translation { reader, encoder, progress, share, events: held, keeper };
        (Self::Translate(Box::new(translation)), Vec::new())
    }
}

/// A running answer.
pub(super) struct Running {
    ledger: Option<Ledger>,
    body: Option<OpenedBody>,
    source: Source,
    /// Bytes that are ready for the client.
    ready: BytesMut,
    /// A chunk that passes through as it is.
    chunk: Option<Bytes>,
    exchange: Exchange,
    /// Fires when the client has heard nothing for a while.
    quiet: Pin<Box<Sleep>>,
    keep_alive: Duration,
    sign: Sign,
    /// The wait for something good, if it has not come yet.
    first_event: Option<FirstEvent>,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    halt: CancellationToken,
    /// The client has its terminal event; what is left is to let the connection come to its end.
    ended: bool,
    /// How often nothing more was there since the last bytes came.
    waits: u8,
}

impl Running {
    pub(super) fn new(
        attempt: &Attempt<'_>,
        body: OpenedBody,
        (source, held): (Source, Vec<Bytes>),
        first_event: Option<FirstEvent>,
    ) -> Self {
        let keep_alive = attempt.state.config.timeouts.keep_alive;
        let sign = Sign {
            // Beside chunks of the upstream's own one of byok's would bear another id.
            chunk: attempt.state.config.chat_keep_alive == byok_config::KeepAlive::Chunk
                && matches!(source, Source::Translate(_)),
            ..Sign::default()
        };
        let mut running = Self {
            ledger: None,
            body: Some(body),
            source,
            ready: BytesMut::new(),
            chunk: None,
            exchange: attempt.prepared.exchange.clone(),
            quiet: Box::pin(tokio::time::sleep(keep_alive)),
            keep_alive,
            sign,
            first_event: None,
            stopping: Box::pin(attempt.executor.stopping.clone().cancelled_owned()),
            halt: attempt.executor.stopping.clone(),
            ended: false,
            // What was held goes out with the head.
            waits: WAITS,
        };
        for bytes in held {
            running.take(&bytes);
            running.settle();
        }
        running.first_event = first_event;
        running.encode();
        running
    }

    /// Moves a chunk that passes through behind the bytes that are ready.
    fn settle(&mut self) {
        if let Some(chunk) = self.chunk.take() {
            self.ready.extend_from_slice(&chunk);
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // An upstream that never pauses must not keep byok from stopping.
        if self.halt.is_cancelled() && !self.ended {
            self.waited(cx);
        }
        let missed = self.first_event.as_mut().and_then(|first| first.poll_missed(cx));
        if let Some(failure) = missed.filter(|_| !self.ended) {
            self.first_event = None;
            self.body = None;
            self.fail(&failure);
        }
        loop {
            let told = self.ended && matches!(self.source, Source::Translate(_));
            if (told || self.body.is_none() || self.ready.len() >= BURST)
                && let Some(bytes) = self.flush()
            {
                return Poll::Ready(Some(bytes));
            }
            if told {
                return self.drain(cx);
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.waits = 0;
                        self.take(&data);
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.body = None;
                    self.fail(&transport_failure(&error));
                }
                Poll::Ready(None) => {
                    self.body = None;
                    self.upstream_closed();
                }
                // What has arrived goes on as soon as nothing more is there; a burst goes on in one piece. The upstream's
                // connection is a task that hands over one piece at a time: it gets its turn before that is believed.
                Poll::Pending => {
                    if self.waits < WAITS && self.holds_bytes() {
                        self.waits += 1;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    if let Some(bytes) = self.flush() {
                        return Poll::Ready(Some(bytes));
                    }
                    if !self.waited(cx) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn holds_bytes(&self) -> bool {
        !self.ready.is_empty() || self.chunk.is_some()
    }

    /// The bytes that are ready for the client.
    fn flush(&mut self) -> Option<Bytes> {
        if !self.ready.is_empty() {
            self.settle();
            let bytes = self.ready.split().freeze();
            return Some(self.sent(bytes));
        }
        let chunk = self.chunk.take()?;
        Some(self.sent(chunk))
    }

    /// The client has everything. If the upstream closes at once its connection can be used again; it is not waited for.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while let Some(body) = &mut self.body {
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) | Poll::Pending => self.body = None,
            }
        }
        Poll::Ready(None)
    }

    /// Nothing came from the upstream. Whether a timer brought something to do.
    fn waited(&mut self, cx: &mut Context<'_>) -> bool {
        if self.stopping.as_mut().poll(cx).is_ready() {
            self.body = None;
            self.fail(&stopped());
            return true;
        }
        if self.quiet.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.quiet.as_mut().reset(Instant::now() + self.keep_alive);
        let between = match &self.source {
            Source::Pass(passing) => passing.relay.between_frames(),
            Source::Translate(_) => true,
        };
        if between && !self.exchange.json_array {
            let frame = self.sign.frame(&self.exchange);
            self.sign.heard = false;
            self.ready.extend_from_slice(&frame);
        }
        // The timer has to be polled once more to be woken by it again.
        true
    }

    /// Takes bytes of the upstream.
    fn take(&mut self, data: &Bytes) {
        self.sign.heard = true;
        match &mut self.source {
            Source::Pass(passing) => {
                if self.first_event.as_mut().is_some_and(|first| first.comes_with(data)) {
                    self.first_event = None;
                }
                let out = passing.relay.push(data.clone());
                passing.failure = passing.relay.failure().or(passing.failure.take());
                // What follows a failure is not passed on, and is no end of the answer.
                if passing.failure.is_none() {
                    passing.scanner.push(data);
                }
                if !out.is_empty() {
                    self.sign.begun = true;
                    self.settle_into(out);
                }
                self.told_as_text();
            }
            Source::Translate(translation) => {
                translation.reader.push(data, &mut translation.events);
                translation.share.hold(translation.reader.held());
                self.encode();
            }
        }
    }

    /// Ends the answer with the failure that the upstream told of as text of it, if it did.
    fn told_as_text(&mut self) -> bool {
        let Source::Pass(passing) = &self.source else { return false };
        let Some(failure) = passing.failure.clone() else { return false };
        if !self.ended {
            self.body = None;
            self.fail(&failure);
        }
        true
    }

    fn settle_into(&mut self, out: Bytes) {
        self.settle();
        if self.ready.is_empty() { self.chunk = Some(out) } else { self.ready.extend_from_slice(&out) }
    }

    /// Writes the events that were read.
    fn encode(&mut self) {
        let Source::Translate(translation) = &mut self.source else { return };
        if translation.reader.gathers() {
            self.first_event = None;
        }
        if translation.events.is_empty() {
            return;
        }
        let mut out = Vec::with_capacity(256);
        for event in translation.events.drain(..) {
            translation.progress.note(&event);
            if let Some(keeper) = &mut translation.keeper {
                keeper.note(&event);
            }
            translation.encoder.push(event, &mut out);
        }
        if translation.progress.good {
            self.first_event = None;
        }
        if translation.reader.ended() {
            self.ended = true;
            log_answer(&translation.reader.losses());
            log_answer(translation.encoder.losses());
            if !translation.reader.upstream_ended() {
                // Cut by us: the vendor need not go on.
                self.body = None;
            }
        }
        self.sign.begun |= !out.is_empty();
        self.ready.extend_from_slice(&out);
    }

    fn upstream_closed(&mut self) {
        match &mut self.source {
            Source::Pass(passing) => {
                let whole = passing.scanner.may_end();
                let rest = if whole { passing.relay.finish() } else { passing.relay.cut() };
                let end = if whole { passing.relay.close() } else { b"" };
                passing.failure = passing.relay.failure().or(passing.failure.take());
                self.settle_into(rest);
                if self.told_as_text() {
                    return;
                }
                self.settle();
                self.ready.extend_from_slice(end);
                if !whole {
                    self.fail(&Failure::truncated());
                }
            }
            Source::Translate(translation) => {
                translation.reader.finish(&mut translation.events);
                self.encode();
            }
        }
    }

    /// Ends the answer with one error frame of the client's dialect.
    fn fail(&mut self, failure: &Failure) {
        self.settle();
        let mut out = Vec::new();
        match &mut self.source {
            // The upstream has said its last word, and nothing may follow it.
            Source::Pass(passing) if passing.scanner.ended() => {
                out.extend_from_slice(&passing.relay.finish());
            }
            Source::Pass(passing) if self.exchange.json_array => {
                out.extend_from_slice(&passing.relay.cut());
                let element = codec::encode_failure(self.exchange.client, failure, "");
                out.extend_from_slice(&passing.relay.element(&element));
                out.extend_from_slice(passing.relay.close());
            }
            Source::Pass(passing) => {
                out.extend_from_slice(&passing.relay.cut());
                if !passing.relay.between_frames() {
                    out.extend_from_slice(b"\n\n");
                }
                self.exchange.first_event = passing.scanner.next_event();
                self.exchange.begun = passing.scanner.response().map(str::to_owned);
                let mut encoder = codec::StreamEncoder::new(&self.exchange);
                encoder.push(Event::Failure(failure.clone()), &mut out);
                encoder.push(Event::End, &mut out);
            }
            Source::Translate(translation) if !self.ended => {
                translation.encoder.push(Event::Failure(failure.clone()), &mut out);
                translation.encoder.push(Event::End, &mut out);
            }
            Source::Translate(_) => {}
        }
        self.ended = true;
        self.ready.extend_from_slice(&out);
        if let Some(ledger) = &mut self.ledger {
            ledger.failed(failure, 200);
        }
        tracing::warn!(failure = %failure, blame = ?failure.blame, "answer broke off");
    }

    /// Bytes leave for the client: it has heard something.
    fn sent(&mut self, bytes: Bytes) -> Bytes {
        self.sign.heard = false;
        // Moving the timer costs a lock; it is enough when it is right to a fraction of its length.
        let next = Instant::now() + self.keep_alive;
        if next > self.quiet.deadline() + self.keep_alive / 8 {
            self.quiet.as_mut().reset(next);
        }
        bytes
    }
}

impl Drop for Running {
    /// Completes the record: what was counted, and whether the answer came to its end.
    fn drop(&mut self) {
        let nothing_left = !self.holds_bytes();
        let Some(ledger) = &mut self.ledger else { return };
        let (usage, failure, whole) = match &mut self.source {
            Source::Pass(passing) => {
                (passing.scanner.usage(), passing.failure.take(), passing.scanner.may_end())
            }
            Source::Translate(translation) => {
                // Nothing more will be stated of an answer that has broken off.
                if let Some(delivered) = translation.reader.estimate_so_far() {
                    translation.progress.usage.get_or_insert_default().merge(&delivered);
                }
                (translation.progress.usage.take(), translation.progress.failure.take(), self.ended)
            }
        };
        if let Some(usage) = usage {
            ledger.usage(usage);
        }
        match failure {
            Some(failure) => ledger.failed(&failure, 200),
            None if whole && nothing_left => ledger.complete(),
            None => {}
        }
    }
}
