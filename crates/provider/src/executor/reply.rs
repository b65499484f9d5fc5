//! Reading what an upstream sends back: whole bodies, waits, and the failures of both.

use byok_translate::codec;
use byok_transport::TransportError;
use byok_types::{Blame, Dialect, Failure, FailureKind, Fault, RawFailure};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header::RETRY_AFTER};
use http_body::Body;
use http_body_util::BodyExt;
use std::time::{Duration, SystemTime};

/// What a client is told of an answer that is none.
pub(super) fn unreadable(provider: &str) -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Upstream,
        format!(
            "`{provider}` answered with something that is not an answer of its API; check its `base_url`."
        ),
    )
    .with_status(502)
}

/// What a client is told of an answer whose end is missing.
pub(super) fn cut_off(provider: &str, bytes: usize) -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Upstream,
        format!("the answer of `{provider}` breaks off after {bytes} bytes, in the middle; ask again."),
    )
    .with_status(502)
}

/// What a client is told when a page came: of a server that is none of the API, or of the network in front of it.
pub(super) fn web_page(provider: &str) -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Upstream,
        format!(
            "`{provider}` answered with a web page; if it lasts, check its `base_url`, the network and the proxy."
        ),
    )
    .with_status(502)
}

/// An error in an answer that began with status 200, as some gateways send it. It has the status that its class has, as in a
/// stream; one that says no more than that something failed is a fault of the upstream.
pub(super) fn failure_inside(dialect: Dialect, body: &[u8]) -> Failure {
    // Errors of Gemini bear a status of their own, which holds where the answer states none.
    let stated = if dialect == Dialect::Gemini { 200 } else { 502 };
    let mut failure = codec::decode_failure(dialect, stated, body);
    if failure.status == 502 && failure.kind != FailureKind::Server {
        failure.status = failure.kind.default_status();
    }
    failure.raw = Some(RawFailure { dialect, content_type: None, body: body.to_vec() });
    failure
}

/// Whether a body is an object or a list of JSON, as the errors of all dialects are.
pub(super) fn is_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// What a client is told when the way to the vendor failed.
pub(super) fn transport_failure(error: &TransportError) -> Failure {
    let (kind, status) = match error {
        TransportError::HeadersTimeout { .. } | TransportError::BodyTimeout { .. } => {
            (FailureKind::Timeout, 504)
        }
        _ => (FailureKind::Server, 502),
    };
    Failure::new(kind, error.blame(), format!("{error}.")).with_status(status)
}

/// How long the vendor asks to wait: milliseconds, seconds, or until a date.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let millis = text("retry-after-ms").and_then(|value| value.parse::<f64>().ok()).map(|ms| ms / 1000.0);
    let seconds = millis.or_else(|| text(RETRY_AFTER.as_str()).and_then(|value| value.parse::<f64>().ok()));
    match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds.max(0.0)).ok(),
        None => httpdate::parse_http_date(text(RETRY_AFTER.as_str())?).ok()?.duration_since(now).ok(),
    }
}

/// The whole body. Past the limit it is cut (`cut`) or refused.
pub(super) async fn read<B>(body: B, limit: usize, cut: bool) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes, Error = TransportError> + Unpin,
{
    read_counted(body, limit, cut, |_| ()).await
}

/// The same; `holds` is told how many bytes there are.
pub(super) async fn read_counted<B>(
    mut body: B,
    limit: usize,
    cut: bool,
    mut holds: impl FnMut(usize),
) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes, Error = TransportError> + Unpin,
{
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| transport_failure(&error))?.into_data() else { continue };
        if all.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > limit {
            if cut {
                break;
            }
            return Err(Failure::new(
                FailureKind::Server,
                Blame::Upstream,
                format!(
                    "the upstream's answer is larger than {limit} bytes (`limits.answer` in the config)."
                ),
            )
            .with_status(502));
        }
        // Most answers are one piece; only the second makes a copy necessary.
        match (first.take(), all.is_empty()) {
            (None, true) => first = Some(data),
            (Some(one), _) => {
                all.extend_from_slice(&one);
                all.extend_from_slice(&data);
            }
            (None, false) => all.extend_from_slice(&data),
        }
        holds(all.len() + first.as_ref().map_or(0, Bytes::len));
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

#[cfg(test)]
mod tests;
