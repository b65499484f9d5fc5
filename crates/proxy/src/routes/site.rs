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

/// The endpoints, as `GET /` lists them.
pub(crate) const ENDPOINTS: [&str; 28] = [
    "POST /v1/chat/completions",
    "POST /v1/responses",
    "POST /v1/responses/input_tokens",
    "POST /v1/responses/compact",
    "GET /v1/responses (WebSocket)",
    "GET /v1/responses/{id}",
    "DELETE /v1/responses/{id}",
    "GET /v1/responses/{id}/input_items",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "POST /v1beta/models/{model}:generateContent",
    "POST /v1beta/models/{model}:streamGenerateContent",
    "POST /v1beta/models/{model}:countTokens",
    "POST /v1beta/models/{model}:embedContent",
    "POST /v1beta/models/{model}:batchEmbedContents",
    "POST /v1/completions",
    "POST /v1/embeddings",
    "POST /v1/images/generations|edits|variations",
    "POST /v1/audio/speech|transcriptions|translations",
    "POST /v1/moderations",
    "GET /v1/models",
    "GET /v1beta/models",
    "ANY /passthrough/{provider}/{path}",
    "GET /amp/v1/login",
    "ANY /amp/v0/management/{path}",
    "POST /amp/v1/chat/completions",
    "GET /v0/oauth/{provider}",
    "GET /health",
];

#[derive(Serialize)]
struct Root {
    name: &'static str,
    version: &'static str,
    endpoints: &'static [&'static str],
}

pub(crate) async fn root() -> Response {
    let root = Root { name: "byok", version: env!("CARGO_PKG_VERSION"), endpoints: &ENDPOINTS };
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
