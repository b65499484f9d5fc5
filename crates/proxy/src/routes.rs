//! The routes. Each of them says what the request is and hands it to the executor.

mod dialects;
mod models;
mod neighbours;
mod responses;
mod site;
mod socket;

pub(crate) use neighbours::takes_forms;

use crate::{
    amp,
    app::{self, App},
    canonical, gate,
    logins::{self, Front},
    reply,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::{any, get, post},
};
use byok_types::{Blame, Dialect, Failure, FailureKind, RequestId};
use http::{HeaderValue, StatusCode, Uri};
use std::time::Instant;
use tower::ServiceExt;

/// What is known of a request when it has been let in.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) id: RequestId,
    pub(crate) at: Instant,
    pub(crate) at_ms: i64,
    pub(crate) peer: gate::Peer,
    pub(crate) admitted: gate::Admitted,
    pub(crate) current: std::sync::Arc<VisitState>,
}

/// The state that a visit works with.
pub(crate) type VisitState = app::Current;

/// All routes behind the door.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(site::root))
        .route("/health", get(site::health))
        .route("/v1/chat/completions", post(dialects::chat))
        .route("/v1/responses", post(dialects::responses).get(socket::upgrade))
        .route("/v1/responses/input_tokens", post(dialects::responses_count))
        .route("/v1/responses/{id}", get(responses::get).delete(responses::delete))
        .route("/v1/responses/{id}/input_items", get(responses::input_items))
        .route("/v1/messages", post(dialects::messages))
        .route("/v1/messages/count_tokens", post(dialects::messages_count))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*rest}", get(models::one).post(dialects::gemini))
        .route("/v1beta/models", get(models::gemini_list))
        .route("/v1beta/models/{*rest}", get(models::gemini_one).post(dialects::gemini))
        .merge(neighbours::routes())
        .route("/passthrough/{provider}/{*path}", any(neighbours::passthrough))
        .route("/amp/v1/login", get(amp::login))
        .route("/amp/v0/management/{*path}", any(amp::management))
        .route("/amp/v1/chat/completions", post(dialects::chat))
        .route("/api/event_logging/{*rest}", any(site::ignored))
        .route("/v1/telemetry", any(site::ignored))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

/// Serves one request: the door, then its route.
pub(crate) async fn serve(app: App, router: Router, peer: gate::Peer, mut request: Request) -> Response {
    let (at, at_ms) = (Instant::now(), app::now_ms());
    let Ok(id) = app::request_id() else { return reply::empty(StatusCode::INTERNAL_SERVER_ERROR) };
    let current = app.current();
    let path = canonical::canonical(request.uri().path());
    if path != request.uri().path() {
        rewrite(&mut request, &path);
    }
    // Logins have a door of their own: no client key opens it, and none is needed.
    if let (true, Some(desk)) = (logins::is_ours(&path), app.logins()) {
        let limit = current.state.config.limits.wrong_keys_per_minute;
        let front = Front { desk, hosts: &current.hosts, throttle: app.throttle(), wrong_per_minute: limit };
        return with_id(logins::answer(front, peer.0.ip(), request).await, &id);
    }
    let (mut parts, body) = request.into_parts();
    let response = match gate::check(&app, &current, peer, &parts, id.as_str()) {
        Err(refused) => *refused,
        Ok(admitted) => {
            let origin = admitted.origin.clone();
            parts.extensions.insert(Visit { id: id.clone(), at, at_ms, peer, admitted, current });
            let request = Request::from_parts(parts, body);
            let mut response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if let Some(origin) = origin {
                gate::allow_origin(&mut response, &origin);
            }
            response
        }
    };
    with_id(response, &id)
}

fn with_id(mut response: Response, id: &RequestId) -> Response {
    if !response.headers().contains_key("x-request-id")
        && let Ok(value) = HeaderValue::from_str(id.as_str())
    {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// What follows `prefix` in the path of a request, decoded.
pub(crate) fn rest_of(uri: &Uri, prefix: &str) -> Result<String, Failure> {
    let rest = uri.path().strip_prefix(prefix).unwrap_or_default();
    match percent_encoding::percent_decode_str(rest).decode_utf8() {
        Ok(rest) => Ok(rest.into_owned()),
        Err(_) => {
            Err(Failure::bad_request("path", "the path is not UTF-8 when it is decoded. Write it in UTF-8."))
        }
    }
}

fn rewrite(request: &mut Request, path: &str) {
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    if let Ok(target) = target.parse() {
        parts.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

async fn unknown(State(_): State<App>, request: Request<Body>) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let message =
        format!("there is nothing at `{} {path}`. `GET /` lists the endpoints of byok.", request.method());
    refused(&request, &Failure::new(FailureKind::NotFound, Blame::Client, message).with_code("not_found"))
}

async fn wrong_method(State(_): State<App>, request: Request<Body>) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let message =
        format!("`{path}` does not take `{}`. `GET /` lists the endpoints of byok.", request.method());
    refused(&request, &Failure::new(FailureKind::BadRequest, Blame::Client, message).with_status(405))
}

fn refused(request: &Request<Body>, failure: &Failure) -> Response {
    let dialect: Dialect = canonical::dialect_of(request.uri().path(), request.headers());
    let id =
        request.extensions().get::<Visit>().map(|visit| visit.id.as_str().to_owned()).unwrap_or_default();
    reply::failure(dialect, failure, &id)
}
