//! What is sent back, before it becomes an HTTP response.

use super::NoAnswer;
use crate::{
    body::{SimBody, Step, Tear},
    call::Call,
    scenario::Wire,
    socket::Hangup,
    sse,
    watch::CallGuard,
};
use byok_types::Dialect;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use std::{future, time::Duration};

/// An answer, or none.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Status, headers and a body, all of it so much later.
    Answer { status: u16, headers: Vec<(String, String)>, steps: Vec<Step>, sized: bool, late: Duration },
    /// Nothing, ever.
    Silence,
    /// The connection is torn down.
    Tear(Tear),
}

impl Reply {
    /// A body whose length is stated.
    pub(crate) fn sized(status: u16, headers: Vec<(String, String)>, steps: Vec<Step>) -> Self {
        Self::Answer { status, headers, steps, sized: true, late: Duration::ZERO }
    }

    /// A body of unknown length.
    pub(crate) fn streamed(status: u16, headers: Vec<(String, String)>, steps: Vec<Step>) -> Self {
        Self::Answer { status, headers, steps, sized: false, late: Duration::ZERO }
    }

    pub(crate) fn json(status: u16, mut headers: Vec<(String, String)>, body: &Value) -> Self {
        headers.push(content_type("application/json"));
        Self::sized(status, headers, vec![Step::Data(body.to_string().into())])
    }

    pub(crate) fn html(status: u16, page: &'static str) -> Self {
        Self::sized(status, vec![content_type("text/html; charset=UTF-8")], vec![Step::Data(page.into())])
    }

    /// A whole answer of a dialect.
    pub(crate) fn whole(
        mut headers: Vec<(String, String)>,
        dialect: Dialect,
        steps: Vec<Step>,
        wire: Wire,
    ) -> Self {
        headers.push(content_type(match dialect {
            Dialect::Gemini => "application/json; charset=UTF-8",
            Dialect::Chat | Dialect::Responses | Dialect::Messages => "application/json",
        }));
        if wire.gzip.is_none() {
            return Self::sized(200, headers, steps);
        }
        if sse::announces_gzip(wire) {
            headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        }
        Self::sized(200, headers, sse::compressed(steps))
    }

    /// A stream of a dialect.
    pub(crate) fn stream(
        mut headers: Vec<(String, String)>,
        dialect: Dialect,
        array: bool,
        steps: Vec<Step>,
        wire: Wire,
    ) -> Self {
        headers.push(content_type(match (dialect, array) {
            (Dialect::Gemini, true) => "application/json; charset=UTF-8",
            (Dialect::Gemini, false) => "text/event-stream",
            (Dialect::Chat | Dialect::Responses | Dialect::Messages, _) => "text/event-stream; charset=utf-8",
        }));
        headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        if sse::announces_gzip(wire) {
            headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        }
        Self::streamed(200, headers, steps)
    }

    /// The same answer so much later.
    #[must_use]
    pub(crate) fn late(mut self, by: Duration) -> Self {
        if let Self::Answer { late, .. } = &mut self {
            *late = by;
        }
        self
    }

    /// There is nothing at this path.
    pub(crate) fn nowhere(call: &Call) -> Self {
        let message = format!("Invalid URL ({} {})", call.method, call.path);
        let body = if call.path.starts_with("/v1beta") {
            json!({"error": {"code": 404, "message": message, "status": "NOT_FOUND"}})
        } else if call.header("anthropic-version").is_some() {
            json!({"type": "error", "error": {"type": "not_found_error", "message": "Not found"}})
        } else {
            json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
        };
        Self::json(404, Vec::new(), &body)
    }

    /// The HTTP response, or what stands for it.
    pub(super) async fn send(self, hangup: Hangup, guard: CallGuard) -> Result<Response<SimBody>, NoAnswer> {
        match self {
            Self::Silence => {
                // The guard waits with the request: dropped with it, it tells of the loss.
                let _waiting = guard;
                future::pending().await
            }
            Self::Tear(tear) => {
                if tear == Tear::Reset {
                    hangup.arm();
                }
                guard.finish();
                Err(NoAnswer)
            }
            Self::Answer { status, headers, steps, sized, late } => {
                if !late.is_zero() {
                    tokio::time::sleep(late).await;
                }
                let body = if sized {
                    SimBody::sized(steps, hangup, guard)
                } else {
                    SimBody::streamed(steps, hangup, guard)
                };
                let mut response = Response::new(body);
                *response.status_mut() = StatusCode::from_u16(status).map_err(|_| NoAnswer)?;
                for (name, value) in headers {
                    let name = HeaderName::try_from(name).map_err(|_| NoAnswer)?;
                    let value = HeaderValue::try_from(value).map_err(|_| NoAnswer)?;
                    response.headers_mut().append(name, value);
                }
                Ok(response)
            }
        }
    }
}

fn content_type(value: &str) -> (String, String) {
    ("content-type".to_owned(), value.to_owned())
}
