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
    routing::{MethodRouter, any, get, post},
};
use byok_types::{Blame, Dialect, Failure, FailureKind, RequestId};
use http::{HeaderValue, Method, StatusCode, Uri};
use std::{sync::Arc, time::Instant};
use tower::ServiceExt;

/// What is known of a request when it has been let in.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) id: RequestId,
    pub(crate) at: Instant,
    pub(crate) at_ms: i64,
    pub(crate) peer: gate::Peer,
    pub(crate) admitted: gate::Admitted,
    pub(crate) current: Arc<VisitState>,
}

/// The state that a visit works with.
pub(crate) type VisitState = app::Current;

/// All routes behind the door.
pub(crate) fn router(app: App) -> Router {
    let Table { router, listed } = table();
    let listed: Arc<[String]> = listed.into();
    router
        .route("/", get(move || std::future::ready(site::root(&listed))))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

/// Routes, and how `GET /` and docs/endpoints.md call them.
struct Table {
    router: Router<App>,
    listed: Vec<String>,
}

impl Table {
    /// Adds a path with all its methods, under the names by which people know what it does.
    fn at(mut self, path: &str, methods: MethodRouter<App>, names: &[&str]) -> Self {
        self.router = self.router.route(path, methods);
        self.listed.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }
}

fn table() -> Table {
    // These are served at the door (`serve`) or added last.
    let elsewhere = [
        "GET /",
        "GET /v0/oauth",
        "GET /v0/oauth/{provider}",
        "POST /v0/oauth/{provider}",
        "POST /v0/oauth/{provider}/start",
        "POST /v0/oauth/{provider}/code",
    ];
    let table = Table { router: Router::new(), listed: elsewhere.map(str::to_owned).to_vec() }
        .at("/health", get(site::health), &["GET /health"])
        .at("/v1/chat/completions", post(dialects::chat), &["POST /v1/chat/completions"])
        .at(
            "/v1/responses",
            post(dialects::responses).get(socket::upgrade),
            &["POST /v1/responses", "GET /v1/responses"],
        )
        .at(
            "/v1/responses/input_tokens",
            post(dialects::responses_count),
            &["POST /v1/responses/input_tokens"],
        )
        .at(
            "/v1/responses/{id}",
            get(responses::get).delete(responses::delete),
            &["GET /v1/responses/{id}", "DELETE /v1/responses/{id}"],
        )
        .at(
            "/v1/responses/{id}/input_items",
            get(responses::input_items),
            &["GET /v1/responses/{id}/input_items"],
        )
        .at("/v1/messages", post(dialects::messages), &["POST /v1/messages"])
        .at("/v1/messages/count_tokens", post(dialects::messages_count), &["POST /v1/messages/count_tokens"])
        .at("/v1/models", get(models::list), &["GET /v1/models"])
        .at(
            "/v1/models/{*rest}",
            get(models::one).post(dialects::gemini),
            &["GET /v1/models/{model}", "POST /v1/models/{model}:{method}"],
        )
        .at("/v1beta/models", get(models::gemini_list), &["GET /v1beta/models"])
        .at(
            "/v1beta/models/{*rest}",
            get(models::gemini_one).post(dialects::gemini),
            &[
                "GET /v1beta/models/{model}",
                "POST /v1beta/models/{model}:generateContent",
                "POST /v1beta/models/{model}:streamGenerateContent",
                "POST /v1beta/models/{model}:countTokens",
                "POST /v1beta/models/{model}:embedContent",
                "POST /v1beta/models/{model}:batchEmbedContents",
            ],
        )
        .at(
            "/passthrough/{provider}/{*path}",
            any(neighbours::passthrough),
            &["ANY /passthrough/{provider}/{path}"],
        )
        .at("/amp/v1/login", get(amp::login), &["GET /amp/v1/login"])
        .at("/amp/v0/management/{*path}", any(amp::management), &["ANY /amp/v0/management/{path}"])
        .at("/amp/v1/chat/completions", post(dialects::chat), &["POST /amp/v1/chat/completions"])
        .at("/api/event_logging/{*rest}", any(site::ignored), &["ANY /api/event_logging/{path}"])
        .at("/v1/telemetry", any(site::ignored), &["ANY /v1/telemetry"]);
    neighbours::routes().into_iter().fold(table, |table, (path, methods)| {
        let name = format!("POST {path}");
        table.at(&path, methods, &[name.as_str()])
    })
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
    let mut response = with_id(response, &id);
    // Clients of Anthropic look for it by another name.
    if path.starts_with("/v1/messages")
        && !response.headers().contains_key("request-id")
        && let Some(id) = response.headers().get("x-request-id").cloned()
    {
        response.headers_mut().insert("request-id", id);
    }
    response
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
    refused(&request, &not_taken(request.uri().path(), request.method()))
}

/// A path that there is, with a method that it does not have.
fn not_taken(path: &str, method: &Method) -> Failure {
    let path: String = path.chars().take(200).collect();
    let message = format!("`{path}` does not take `{method}`. `GET /` lists the endpoints of byok.");
    Failure::new(FailureKind::BadRequest, Blame::Client, message).with_status(405)
}

fn refused(request: &Request<Body>, failure: &Failure) -> Response {
    let dialect: Dialect = canonical::dialect_of(request.uri().path(), request.headers());
    let id =
        request.extensions().get::<Visit>().map(|visit| visit.id.as_str().to_owned()).unwrap_or_default();
    reply::failure(dialect, failure, &id)
}

#[cfg(test)]
mod tests {
    use super::table;
    use std::collections::BTreeSet;

    #[test]
    fn the_documentation_lists_the_routes_and_no_others() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/endpoints.md");
        let text = std::fs::read_to_string(file).unwrap();
        let first = text.split("\n## ").next().unwrap();
        let spans = first.split('`').skip(1).step_by(2);
        let documented: BTreeSet<String> =
            spans.filter(|span| span.contains(" /")).map(str::to_owned).collect();
        let served: BTreeSet<String> = table().listed.into_iter().collect();
        assert_eq!(documented, served, "left: docs/endpoints.md, its table; right: the routes");
    }
}
