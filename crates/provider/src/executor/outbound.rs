//! What the client gets: status, headers and body, or a refusal in its own dialect.

mod credential;

use super::{
    AnswerBody, BrokenOff, Inbound, Refused, WholeBody,
    attempt::Attempt,
    compact, lost,
    prepare::Way,
    raw::{Raw, RawBody},
};
use crate::{ledger::Ledger, state::State};
use byok_translate::codec;
use byok_types::{Dialect, Failure, FailureKind, Fault, Retry};
use bytes::Bytes;
use credential::{credential_refused, whose};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use http_body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_MODEL: HeaderName = HeaderName::from_static("x-byok-model");
const X_ATTEMPTS: HeaderName = HeaderName::from_static("x-byok-attempts");
const X_DROPPED: HeaderName = HeaderName::from_static("x-byok-dropped");
const X_ACCOUNT: HeaderName = HeaderName::from_static("x-byok-account");
const X_HINT: HeaderName = HeaderName::from_static("x-byok-hint");
const X_USAGE: HeaderName = HeaderName::from_static("x-byok-usage");
const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The longest value of a header that byok makes: clients and servers between have limits of their own.
pub(super) const LONGEST_VALUE: usize = 1024;

/// Beside the answer after which an account is not used any more.
const CHARGED: &str = "the vendor charges this answer beyond the plan, so byok stops using this login; `byok status` says what helps";

/// An answer for a client.
#[derive(Debug)]
pub struct Outbound {
    /// Status.
    pub status: StatusCode,
    /// Headers, complete but for the length.
    pub headers: HeaderMap,
    /// Body.
    pub body: OutboundBody,
}

/// The body of an answer.
#[derive(Debug)]
pub enum OutboundBody {
    /// All of it.
    Whole(WholeBody),
    /// As it comes.
    Stream(AnswerBody),
    /// As it comes, and as it is.
    Raw(Box<RawBody>),
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnswerBody")
    }
}

impl Body for OutboundBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Raw(body) => Pin::new(&mut **body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(_) => SizeHint::default(),
            Self::Raw(body) => body.size_hint(),
        }
    }
}

/// An answer that is ready to begin.
pub(super) struct Ready {
    status: StatusCode,
    headers: HeaderMap,
    body: OutboundBody,
}

impl Ready {
    fn ok(headers: HeaderMap, body: OutboundBody) -> Self {
        Self { status: StatusCode::OK, headers, body }
    }

    /// An answer that passes as it is; `headers` are those of the vendor that go with it.
    pub(super) fn raw(
        attempt: &Attempt<'_>,
        status: StatusCode,
        upstream: &HeaderMap,
        headers: HeaderMap,
        body: RawBody,
    ) -> Self {
        let mut headers = headers;
        about_attempt(attempt, upstream, &mut headers);
        Self { status, headers, body: OutboundBody::Raw(Box::new(body)) }
    }

    /// The same with the word that byok estimated its token counts.
    pub(super) fn estimated(mut self, is: bool) -> Self {
        if is {
            self.headers.insert(X_USAGE, HeaderValue::from_static("estimated"));
        }
        self
    }

    /// A whole answer.
    pub(super) fn whole(attempt: &Attempt<'_>, body: Bytes, upstream: &HeaderMap) -> Self {
        Self::ok(attempt_headers(attempt, upstream, JSON), OutboundBody::Whole(body.into()))
    }

    /// A whole answer for a client that asked for events.
    pub(super) fn events(attempt: &Attempt<'_>, body: Bytes, upstream: &HeaderMap) -> Self {
        let kind = if attempt.inbound.json_array { JSON } else { EVENTS };
        Self::ok(attempt_headers(attempt, upstream, kind), OutboundBody::Whole(body.into()))
    }

    /// A stream.
    pub(super) fn stream(attempt: &Attempt<'_>, body: AnswerBody, upstream: &HeaderMap) -> Self {
        let kind = if attempt.inbound.json_array { JSON } else { EVENTS };
        let mut headers = attempt_headers(attempt, upstream, kind);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        Self::ok(headers, OutboundBody::Stream(body))
    }

    /// A count of tokens.
    pub(super) fn counted(inbound: &Inbound, tokens: u64) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, JSON);
        let body = codec::encode_count(inbound.dialect, tokens);
        Self::ok(headers, OutboundBody::Whole(body.into()))
    }

    /// The same, where the client asked for a compaction at the endpoint for that.
    pub(super) fn compacted(mut self) -> Self {
        if let OutboundBody::Whole(body) = &mut self.body {
            *body = compact::as_the_endpoint_says(body.bytes().clone()).into();
        }
        self
    }

    /// The answer; its record is written, and its place free, when the last byte has left.
    pub(super) fn into_outbound(self, mut ledger: Ledger) -> Outbound {
        let Self { status, mut headers, mut body } = self;
        own_headers(&mut headers, &ledger);
        ledger.first_byte(status.as_u16());
        match &mut body {
            OutboundBody::Whole(whole) => whole.recorded_by(ledger),
            OutboundBody::Stream(stream) => stream.recorded_by(ledger),
            OutboundBody::Raw(raw) => raw.recorded_by(ledger),
        }
        Outbound { status, headers, body }
    }
}

fn attempt_headers(attempt: &Attempt<'_>, upstream: &HeaderMap, kind: HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let passes = matches!(attempt.prepared.way, Way::Pass { .. });
    if passes {
        headers = relayed_headers(upstream);
    }
    // What was read whole out of a stream has the type of what it is now.
    let same =
        |stated: &&HeaderValue| stated.as_bytes().starts_with(b"text/event-stream") == (kind == EVENTS);
    let stated =
        upstream.get(CONTENT_TYPE).filter(|_| passes && !attempt.inbound.json_array).filter(same).cloned();
    headers.insert(CONTENT_TYPE, stated.unwrap_or(kind));
    let shaped_away = attempt.shaped_away.get().map_or(&[][..], Vec::as_slice);
    if let Some(names) = lost::names(attempt.prepared.losses.iter().chain(shaped_away)) {
        put(&mut headers, X_DROPPED, &names);
    }
    about_attempt(attempt, upstream, &mut headers);
    headers
}

/// What byok says of the call itself.
fn about_attempt(attempt: &Attempt<'_>, upstream: &HeaderMap, headers: &mut HeaderMap) {
    if attempt.begins_to_charge(upstream) {
        put(headers, X_HINT, CHARGED);
    }
    if attempt.inbound.debug {
        put(headers, X_ACCOUNT, attempt.seat.public_name());
    }
}

fn own_headers(headers: &mut HeaderMap, ledger: &Ledger) {
    put(headers, X_REQUEST_ID, ledger.id());
    put(headers, X_ATTEMPTS, &ledger.attempts().to_string());
    if let Some(served) = ledger.served() {
        put(headers, X_MODEL, &served);
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let clean: String = value
        .chars()
        .map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' })
        .take(LONGEST_VALUE)
        .collect();
    if let Ok(value) = HeaderValue::from_str(&clean) {
        headers.insert(name, value);
    }
}

/// Headers of a vendor that its clients read; nothing else of a vendor's head reaches a client.
pub(super) fn relayed_headers(upstream: &HeaderMap) -> HeaderMap {
    const NAMES: [&str; 6] = [
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "openai-processing-ms",
        "openai-version",
    ];
    const STARTS: [&str; 4] =
        ["anthropic-ratelimit-", "anthropic-organization-id", "x-ratelimit-", "x-codex-"];
    let read = |name: &str| NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start));
    upstream.iter().filter(|(name, _)| read(name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// The answer to a request that could not be served.
pub(super) fn refused(inbound: &Inbound, state: &State, refused: &Refused, mut ledger: Ledger) -> Outbound {
    let mut failure = refused.failure.clone();
    let mut headers = refused.headers.clone();
    if refused.verdict.own_credential {
        // The client must not take this for a refusal of its own key and log out.
        headers = HeaderMap::new();
        failure = credential_refused(&failure, &refused.verdict, ledger.provider(), whose(state, &ledger));
    }
    // Neither must it take a limit for one that the vendor tells with such a status.
    let limit = matches!(failure.kind, FailureKind::RateLimit | FailureKind::QuotaWindow);
    if limit && matches!(failure.status, 401 | 403) && refused.verdict.cool.is_some() {
        failure.status = 429;
        failure.raw = None;
    }
    let raw =
        failure.raw.take().filter(|raw| raw.dialect == inbound.dialect && !refused.verdict.own_credential);
    if raw.is_none()
        && refused.failure.raw.as_ref().is_some_and(|raw| !same_words(raw.dialect, inbound.dialect))
    {
        // The code is a word of the vendor's dialect; in the client's it is said by the kind.
        failure.code = None;
    }
    let any_path = inbound.raw.as_ref().is_some_and(Raw::is_any_path);
    let mut answer = match raw {
        Some(raw) => {
            // JSON is JSON, whatever a gateway calls it.
            let stated = raw.content_type.as_deref().filter(|kind| any_path || kind.contains("json"));
            let kind = stated.and_then(|kind| HeaderValue::from_str(kind).ok());
            headers.insert(CONTENT_TYPE, kind.unwrap_or(JSON));
            Outbound { status: status(failure.status), headers, body: OutboundBody::Whole(raw.body.into()) }
        }
        None => render(inbound.dialect, &failure, ledger.id(), inbound.json_array, headers),
    };
    if let Some(hint) = refused.verdict.hint {
        put(&mut answer.headers, X_HINT, hint);
    }
    own_headers(&mut answer.headers, &ledger);
    ledger.first_byte(answer.status.as_u16());
    ledger.failed(&failure, answer.status.as_u16());
    if let OutboundBody::Whole(whole) = &mut answer.body {
        whole.recorded_by(ledger);
    }
    answer
}

/// Whether two dialects use the same words for codes of errors.
fn same_words(a: Dialect, b: Dialect) -> bool {
    let openai = |dialect| matches!(dialect, Dialect::Chat | Dialect::Responses);
    a == b || (openai(a) && openai(b))
}

/// A failure as an answer in a dialect, for requests that never came to a call.
pub fn refuse(dialect: Dialect, failure: &Failure, request_id: &str) -> Outbound {
    let mut answer = render(dialect, failure, request_id, false, HeaderMap::new());
    put(&mut answer.headers, X_REQUEST_ID, request_id);
    answer
}

fn render(
    dialect: Dialect,
    failure: &Failure,
    id: &str,
    json_array: bool,
    mut headers: HeaderMap,
) -> Outbound {
    let mut body = codec::encode_failure(dialect, failure, id);
    if json_array {
        // A Gemini client that reads a list gets its error in one.
        body.insert(0, b'[');
        body.push(b']');
    }
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(wait) = failure.retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    let retried_by_habit =
        failure.status == 408 || failure.status == 409 || failure.status == 429 || failure.status >= 500;
    if retried_by_habit && !headers.contains_key(&X_SHOULD_RETRY) {
        let long = failure.retry_after.is_some_and(|wait| wait.as_secs() > 300);
        if long || matches!(failure.retry(), Retry::Never | Retry::AfterPerson) {
            headers.insert(X_SHOULD_RETRY, HeaderValue::from_static("false"));
        }
    }
    Outbound { status: status(failure.status), headers, body: OutboundBody::Whole(body.into()) }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY)
}
