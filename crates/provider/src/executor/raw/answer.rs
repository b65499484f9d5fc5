//! The answer to a raw call, as it arrives.

use super::{
    super::{
        Refused,
        attempt::Attempt,
        forward::DROPPED,
        outbound::{Ready, relayed_headers},
        reply::{failure_inside, read, transport_failure, unreadable, web_page},
        stopped,
    },
    Raw, Target,
};
use crate::ledger::Ledger;
use byok_translate::{Relay, UsageScanner, codec, looks_like_html};
use byok_transport::{Reply, ReplyBody};
use byok_types::{Dialect, Failure};
use bytes::Bytes;
use http::{
    HeaderMap,
    header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// The upstream's answer broke off, and the client can be told only by a connection that breaks off, too.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer broke off at the upstream; send the request again")]
pub struct BrokenOff;

impl Attempt<'_> {
    /// Passes an answer on. Until its first bytes are there it may still be refused.
    pub(in super::super) async fn answered_raw(
        &self,
        raw: &Raw,
        reply: Reply,
        ledger: &mut Ledger,
    ) -> Result<Ready, Refused> {
        let Reply { status, headers: upstream, mut body } = reply;
        let kind = Kind::of(&upstream);
        let endpoint = matches!(raw.target, Target::Endpoint(_));
        if endpoint && kind == Kind::Json {
            let whole = read(body, self.state.config.limits.answer, false);
            let whole = whole.await.map_err(|failure| self.broken(failure))?;
            if !matches!(whole.trim_ascii_start().first(), Some(b'{' | b'[')) {
                return Err(self.broken(unreadable(self.candidate.provider.id.as_str())));
            }
            return self.passed_whole(&whole, &upstream, ledger);
        }
        let hint = body.size_hint().exact();
        let hold = self.state.config.timeouts.hold;
        let first = match tokio::time::timeout(hold, body.frame()).await {
            Ok(Some(Ok(frame))) => frame.into_data().ok(),
            Ok(Some(Err(error))) => return Err(self.broken(transport_failure(&error))),
            Ok(None) | Err(_) => None,
        };
        let dialect = self.prepared.dialect;
        let mut scanner = (kind == Kind::Events || kind == Kind::Json)
            .then(|| UsageScanner::new(counted(raw, dialect), kind == Kind::Events));
        if let Some(first) = &first {
            if let Some(scanner) = &mut scanner {
                scanner.push(first);
            }
            if endpoint && looks_like_html(first) {
                return Err(self.broken(web_page(self.candidate.provider.id.as_str())));
            }
            // Accepted with status 200 and refused in the first event.
            if endpoint && scanner.as_ref().is_some_and(UsageScanner::failed) {
                let text = first.strip_prefix(b"data:").unwrap_or(first).trim_ascii();
                return Err(self.broken(failure_inside(dialect, text)));
            }
        }
        let headers = if endpoint { few(&upstream) } else { all(&upstream) };
        let mut relay = (endpoint && kind == Kind::Events).then(|| self.prepared.relay()).flatten();
        let first = match (&mut relay, first) {
            (Some(relay), Some(first)) => Some(relay.push(first)),
            (_, first) => first,
        };
        let size = if relay.is_some() { None } else { hint };
        let stopping = Box::pin(self.executor.stopping.clone().cancelled_owned());
        let body = RawBody {
            ledger: None,
            body: Some(body),
            first,
            size,
            scanner,
            relay,
            stopping,
            dialect,
            events: kind == Kind::Events,
            complete: false,
        };
        Ok(Ready::raw(self, status, &upstream, headers, body))
    }
}

/// The dialect in which an answer states its usage. A vendor of two dialects tells them apart by their paths.
fn counted(raw: &Raw, dialect: Dialect) -> Dialect {
    match &raw.target {
        Target::Path { path, .. } if dialect == Dialect::Responses && path.contains("/completions") => {
            Dialect::Chat
        }
        _ => dialect,
    }
}

/// What an answer consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Events,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/event-stream" => Self::Events,
            "application/json" => Self::Json,
            _ => Self::Other,
        }
    }
}

/// Of an endpoint: what its clients read.
fn few(upstream: &HeaderMap) -> HeaderMap {
    let mut headers = relayed_headers(upstream);
    for name in [CONTENT_TYPE, CONTENT_DISPOSITION] {
        if let Some(value) = upstream.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// Of raw access: everything that is not of the connection or of the vendor's site.
fn all(upstream: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in upstream {
        let text = name.as_str();
        let dropped = DROPPED.contains(&text) && *name != CONTENT_ENCODING;
        let ours = text.starts_with("access-control-") || text.starts_with("x-byok-");
        if !dropped && !ours {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

/// An answer that passes as it arrives. Dropping it ends the call and writes the record.
pub struct RawBody {
    ledger: Option<Ledger>,
    body: Option<ReplyBody>,
    first: Option<Bytes>,
    /// Length, where the vendor states it: a client then notices an answer that breaks off.
    size: Option<u64>,
    scanner: Option<UsageScanner>,
    relay: Option<Relay>,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    dialect: Dialect,
    events: bool,
    complete: bool,
}

impl std::fmt::Debug for RawBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawBody")
    }
}

impl RawBody {
    /// Attaches the record that is written when the answer ends.
    pub(in super::super) fn recorded_by(&mut self, ledger: Ledger) {
        self.ledger = Some(ledger);
    }

    /// Ends the answer: with an event where it consists of events, else by breaking the connection.
    fn fail(&mut self, failure: &Failure) -> Result<Frame<Bytes>, BrokenOff> {
        self.body = None;
        tracing::warn!(failure = %failure, blame = ?failure.blame, "answer broke off");
        if let Some(ledger) = &mut self.ledger {
            ledger.failed(failure, 200);
        }
        if !self.events {
            return Err(BrokenOff);
        }
        let mut frame = b"\n\ndata: ".to_vec();
        frame.extend(codec::encode_failure(self.dialect, failure, ""));
        frame.extend_from_slice(b"\n\n");
        Ok(Frame::data(frame.into()))
    }
}

impl Body for RawBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(first) = self.first.take().filter(|bytes| !bytes.is_empty()) {
            self.size = self.size.map(|size| size.saturating_sub(first.len() as u64));
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        loop {
            if self.body.is_some() && self.stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(self.fail(&stopped())));
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.size = self.size.map(|size| size.saturating_sub(data.len() as u64));
                    if let Some(scanner) = &mut self.scanner {
                        scanner.push(&data);
                    }
                    let data = match &mut self.relay {
                        Some(relay) => relay.push(data),
                        None => data,
                    };
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(self.fail(&transport_failure(&error))));
                }
                Poll::Ready(None) => {
                    self.body = None;
                    self.complete = true;
                    let rest = self.relay.as_mut().map(Relay::finish).unwrap_or_default();
                    return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size.map(SizeHint::with_exact).unwrap_or_default()
    }
}

impl Drop for RawBody {
    fn drop(&mut self) {
        let Some(ledger) = &mut self.ledger else { return };
        if let Some(usage) = self.scanner.as_ref().and_then(UsageScanner::usage) {
            ledger.usage(usage);
        }
        // With a stated length the connection need not ask for the end, and behind the last event its client need not.
        let ended = self.events && self.scanner.as_ref().is_some_and(UsageScanner::ended);
        if self.complete || self.size == Some(0) || (ended && self.first.is_none()) {
            ledger.complete();
        }
    }
}
