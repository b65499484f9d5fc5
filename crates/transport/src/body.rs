use crate::{
    BodyWait, Host, TransportError,
    clients::InFlight,
    decode::{self, Coding, Decoding, Sniffed},
};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// The body of an answer. Each poll reads from the connection; nothing is read ahead.
///
/// After an error or the end it yields nothing more.
pub struct ReplyBody(State);

enum State {
    /// As it comes.
    Raw(RawBody),
    /// The first bytes decide whether it is compressed.
    Sniffing(RawBody),
    Decoding(Box<Decoding>),
    Done,
}

impl ReplyBody {
    pub(crate) fn raw(body: RawBody) -> Self {
        Self(State::Raw(body))
    }

    pub(crate) fn sniffed(body: RawBody) -> Self {
        Self(State::Sniffing(body))
    }

    pub(crate) fn decoding(decoding: Decoding) -> Self {
        Self(State::Decoding(Box::new(decoding)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        if let State::Sniffing(body) = &mut self.0 {
            let sniffed = ready!(body.poll_sniff(cx));
            self.0 = match (std::mem::replace(&mut self.0, State::Done), sniffed) {
                (State::Sniffing(body), Ok(Some(coding))) => {
                    State::Decoding(Box::new(Decoding::new(body, coding)))
                }
                (State::Sniffing(body), Ok(None)) => State::Raw(body),
                (_, Err(error)) => return Poll::Ready(Some(Err(error))),
                (other, _) => other,
            };
        }
        let frame = match &mut self.0 {
            State::Raw(body) => ready!(Pin::new(body).poll_frame(cx)),
            State::Decoding(decoding) => ready!(decoding.poll_data(cx)).map(|data| data.map(Frame::data)),
            State::Sniffing(_) | State::Done => None,
        };
        if !matches!(frame, Some(Ok(_))) {
            // Lets go of the connection at once, also when the reader keeps the finished body.
            self.0 = State::Done;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Raw(body) => body.is_end_stream(),
            State::Sniffing(_) | State::Decoding(_) => false,
            State::Done => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Raw(body) => body.size_hint(),
            State::Sniffing(_) | State::Decoding(_) => SizeHint::default(),
            State::Done => SizeHint::with_exact(0),
        }
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            State::Raw(_) => "ReplyBody(raw)",
            State::Sniffing(_) => "ReplyBody(unread)",
            State::Decoding(_) => "ReplyBody(decoding)",
            State::Done => "ReplyBody(done)",
        })
    }
}

/// The bytes of the connection under the call's timeouts.
pub(crate) struct RawBody {
    pub(crate) host: Host,
    pub(crate) decode_limit: usize,
    body: reqwest::Body,
    /// Bytes that were looked at and put back.
    unread: Bytes,
    idle: Option<Duration>,
    total: Option<(Instant, Duration)>,
    /// Runs only while the connection has nothing to give.
    timer: Option<(Pin<Box<Sleep>>, BodyWait)>,
    waiting: bool,
    _running: InFlight,
}

impl RawBody {
    pub(crate) fn new(body: reqwest::Body, host: Host, running: InFlight, decode_limit: usize) -> Self {
        Self {
            host,
            decode_limit,
            body,
            unread: Bytes::new(),
            idle: None,
            total: None,
            timer: None,
            waiting: false,
            _running: running,
        }
    }

    /// The same body with limits: between two pieces, and for the whole call, which ends at the given time.
    pub(crate) fn with_limits(mut self, idle: Option<Duration>, total: Option<(Instant, Duration)>) -> Self {
        self.idle = idle;
        self.total = total;
        self
    }

    /// Looks at the first bytes. `Ok(Some(_))` names a compression that the headers did not.
    fn poll_sniff(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Coding>, TransportError>> {
        loop {
            match decode::sniff(&self.unread) {
                Sniffed::Plain => return Poll::Ready(Ok(None)),
                Sniffed::Compressed(coding) => return Poll::Ready(Ok(Some(coding))),
                Sniffed::MoreNeeded => {}
            }
            match ready!(self.poll_connection(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.put_back(data);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Ok(None)),
            }
        }
    }

    fn put_back(&mut self, data: Bytes) {
        if self.unread.is_empty() {
            self.unread = data;
        } else {
            let mut joined = BytesMut::from(std::mem::take(&mut self.unread));
            joined.extend_from_slice(&data);
            self.unread = joined.freeze();
        }
    }

    fn poll_connection(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.waiting = false;
                Poll::Ready(frame.map(|frame| {
                    frame.map_err(|error| TransportError::broken(error, self.host.clone(), true))
                }))
            }
            Poll::Pending => self.poll_timer(cx),
        }
    }

    fn poll_timer<T>(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, TransportError>>> {
        if !self.waiting {
            self.waiting = true;
            let idle = self.idle.map(|idle| (Instant::now() + idle, BodyWait::Idle));
            let total = self.total.map(|(end, _)| (end, BodyWait::Total));
            if let Some((end, wait)) = [idle, total].into_iter().flatten().min_by_key(|(end, _)| *end) {
                match &mut self.timer {
                    Some((timer, kind)) => {
                        timer.as_mut().reset(end);
                        *kind = wait;
                    }
                    None => self.timer = Some((Box::pin(tokio::time::sleep_until(end)), wait)),
                }
            }
        }
        let Some((timer, wait)) = &mut self.timer else { return Poll::Pending };
        ready!(timer.as_mut().poll(cx));
        let limit = match wait {
            BodyWait::Idle => self.idle,
            BodyWait::Total => self.total.map(|(_, limit)| limit),
        };
        Poll::Ready(Some(Err(TransportError::BodyTimeout {
            host: self.host.clone(),
            wait: *wait,
            after: limit.unwrap_or_default(),
        })))
    }
}

impl Body for RawBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        if !self.unread.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.unread)))));
        }
        self.poll_connection(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.unread.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.unread.is_empty() { self.body.size_hint() } else { SizeHint::default() }
    }
}
