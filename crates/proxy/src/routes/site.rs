//! What byok says of itself.

use super::Visit;
use crate::{app::App, reply};
use axum::{
    extract::{Extension, State},
    response::Response,
};
use byok_config::Status;
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Root<'a> {
    name: &'static str,
    version: &'static str,
    endpoints: &'a [String],
}

/// What there is.
pub(crate) fn root(endpoints: &[String]) -> Response {
    let root = Root { name: "byok", version: env!("CARGO_PKG_VERSION"), endpoints };
    reply::json(StatusCode::OK, serde_json::to_vec(&root).unwrap_or_default())
}

/// The same words whoever asks, but for the state of the config file.
pub(crate) async fn health(State(app): State<App>, Extension(_): Extension<Visit>) -> Response {
    let body = match app.live().status() {
        Status::Stale { .. } => r#"{"status":"ok","config":"stale"}"#,
        Status::Fresh => r#"{"status":"ok","config":"ok"}"#,
    };
    reply::json(StatusCode::OK, body)
}

/// Telemetry of known clients: taken, and forgotten.
pub(crate) async fn ignored() -> Response {
    reply::empty(StatusCode::NO_CONTENT)
}
