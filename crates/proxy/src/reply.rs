//! Answers as axum responses.

use axum::{body::Body, response::Response};
use byok_provider::executor::{Outbound, refuse};
use byok_types::{Dialect, Failure};
use http::{HeaderValue, StatusCode, header};

/// What the executor answered.
pub(crate) fn outbound(answer: Outbound) -> Response {
    let mut response = Response::new(Body::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// A failure in a dialect.
pub(crate) fn failure(dialect: Dialect, failure: &Failure, request_id: &str) -> Response {
    tracing::info!(request = request_id, failure = %failure, blame = ?failure.blame, "refused");
    outbound(refuse(dialect, failure, request_id))
}

/// JSON.
pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Nothing but a status.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
