//! The three Amp routes of byok's first design: login, management, chat. Chat is the ordinary Chat route.

use crate::{app::App, body, reply, routes::Visit};
use axum::{
    extract::{Extension, Path, Request, State},
    response::Response,
};
use byok_provider::executor::Forward;
use byok_types::Dialect;
use http::{HeaderValue, StatusCode, header};

/// Sends the browser to the login page of the Amp service.
pub(crate) async fn login(Extension(visit): Extension<Visit>, request: Request) -> Response {
    let base = visit.current.state.config.amp.base_url.as_base().trim_end_matches('/').to_owned();
    let target = match request.uri().query() {
        Some(query) => format!("{base}/login?{query}"),
        None => format!("{base}/login"),
    };
    let mut response = reply::empty(StatusCode::FOUND);
    if let Ok(value) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Passes a request on to the management API of the Amp service.
pub(crate) async fn management(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let state = visit.current.state.clone();
    let (parts, body) = request.into_parts();
    let (limit, within) = (state.config.limits.body, state.config.timeouts.body_read);
    // The body goes on as it is, compressed or not.
    let body = match body::read(body, &http::HeaderMap::new(), limit, within).await {
        Ok(body) => body,
        Err(failure) => return reply::failure(Dialect::Chat, &failure, visit.id.as_str()),
    };
    let target = match parts.uri.query() {
        Some(query) => format!("/v0/management/{path}?{query}"),
        None => format!("/v0/management/{path}"),
    };
    // With a byok key in the usual place, that key must not travel on; beside `x-byok-key` it is the caller's own.
    let keep_credential = visit.admitted.caller.key.is_none() || visit.admitted.own.is_some();
    let request =
        Forward { method: parts.method, target: &target, headers: &parts.headers, keep_credential, body };
    let sent = app.executor().forward_to_amp(&state, request).await;
    match sent {
        Ok(answer) => reply::outbound(answer),
        Err(failure) => reply::failure(Dialect::Chat, &failure, visit.id.as_str()),
    }
}
