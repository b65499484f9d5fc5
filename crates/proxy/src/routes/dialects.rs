//! The routes of the four dialects.

use super::{Visit, rest_of};
use crate::{app::App, body, reply};
use axum::{
    body::Body,
    extract::{Extension, Request, State},
    response::Response,
};
use byok_provider::{executor::Inbound, ledger::Arrival};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use http::Uri;

/// What a route knows of a request before its body is read.
struct Kind {
    dialect: Dialect,
    count: bool,
    model: Option<String>,
    stream: Option<bool>,
    json_array: bool,
}

impl Kind {
    fn of(dialect: Dialect) -> Self {
        Self { dialect, count: false, model: None, stream: None, json_array: false }
    }

    fn count(dialect: Dialect) -> Self {
        Self { count: true, ..Self::of(dialect) }
    }
}

pub(crate) async fn chat(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    run(app, visit, request, Kind::of(Dialect::Chat)).await
}

pub(crate) async fn responses(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    run(app, visit, request, Kind::of(Dialect::Responses)).await
}

pub(crate) async fn responses_count(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    run(app, visit, request, Kind::count(Dialect::Responses)).await
}

pub(crate) async fn messages(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    run(app, visit, request, Kind::of(Dialect::Messages)).await
}

pub(crate) async fn messages_count(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    run(app, visit, request, Kind::count(Dialect::Messages)).await
}

/// `models/{model}:{method}`: the model may contain slashes and colons, the method is what follows the last colon.
pub(crate) async fn gemini(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    let uri = request.uri();
    let prefix = if uri.path().starts_with("/v1/") { "/v1/models/" } else { "/v1beta/models/" };
    let rest = match rest_of(uri, prefix) {
        Ok(rest) => rest,
        Err(failure) => return reply::failure(Dialect::Gemini, &failure, visit.id.as_str()),
    };
    let Some((model, method)) = rest.rsplit_once(':') else {
        return unknown_method(&visit, &rest);
    };
    let model = Some(model.strip_prefix("models/").unwrap_or(model).to_owned());
    let base = Kind { model, ..Kind::of(Dialect::Gemini) };
    let kind = match method {
        "generateContent" => Kind { stream: Some(false), ..base },
        "streamGenerateContent" => {
            Kind { stream: Some(true), json_array: !asks_for_events(request.uri()), ..base }
        }
        "countTokens" => Kind { stream: Some(false), count: true, ..base },
        _ => return unknown_method(&visit, &rest),
    };
    run(app, visit, request, kind).await
}

fn asks_for_events(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| matches!(pair, "alt=sse" | "$alt=sse" | "%24alt=sse"))
}

fn unknown_method(visit: &Visit, rest: &str) -> Response {
    let shown: String = rest.chars().take(100).collect();
    let failure = Failure::new(
        FailureKind::NotFound,
        Blame::Client,
        format!(
            "`{shown}` names no method of byok: use `:generateContent`, `:streamGenerateContent` or `:countTokens`."
        ),
    );
    reply::failure(Dialect::Gemini, &failure, visit.id.as_str())
}

async fn run(app: App, visit: Visit, request: Request<Body>, kind: Kind) -> Response {
    let state = visit.current.state.clone();
    let caller = visit.admitted.caller;
    let arrival = Arrival {
        id: visit.id,
        at: visit.at,
        at_ms: visit.at_ms,
        client_key: caller.key,
        dialect: kind.dialect,
        place: None,
    };
    let executor = app.executor();
    let Some(place) = app.place() else {
        return reply::outbound(executor.turn_away(arrival, &busy()));
    };
    let arrival = Arrival { place: Some(place), ..arrival };
    let (parts, body) = request.into_parts();
    let (limit, within) = (state.config.limits.body, state.config.timeouts.body_read);
    let read = tokio::select! {
        read = body::read(body, &parts.headers, limit, within) => read,
        failure = executor.stopping() => Err(failure),
    };
    let body = match read {
        Ok(body) => body,
        Err(failure) => return reply::outbound(executor.turn_away(arrival, &failure)),
    };
    let inbound = Inbound {
        allowed: caller.models,
        debug: caller.debug,
        count: kind.count,
        model: kind.model,
        stream: kind.stream,
        json_array: kind.json_array,
        own_credential: visit.admitted.own,
        headers: parts.headers,
        body,
        ..Inbound::new(arrival)
    };
    reply::outbound(executor.run(state, inbound).await)
}

/// All places are taken.
fn busy() -> Failure {
    Failure::new(
        FailureKind::Overloaded,
        Blame::Byok,
        "byok answers as many requests at the same time as it may (`limits.streams` in the config). Try again shortly.",
    )
    .with_retry_after(std::time::Duration::from_secs(1))
}
