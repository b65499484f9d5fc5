//! The routes of the four dialects.

use super::{Visit, neighbours, rest_of};
use crate::{
    app::App,
    body, reply,
    stored::{Bounds, Keeper, Place, resolve},
};
use axum::{
    body::Body,
    extract::{Extension, Request, State},
    response::Response,
};
use byok_provider::{
    executor::{Inbound, Outbound, Raw, Target},
    ledger::Arrival,
    upstream::Endpoint,
};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, Uri, header::CONTENT_ENCODING};

/// What a route knows of a request before its body is read.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a route, one line each")]
pub(super) struct Kind {
    pub(super) dialect: Dialect,
    pub(super) count: bool,
    pub(super) model: Option<String>,
    pub(super) stream: Option<bool>,
    pub(super) json_array: bool,
    pub(super) raw: Option<Raw>,
    /// Whether a compressed body goes on as it is.
    pub(super) coded: bool,
    /// The kept response that the conversation goes on from.
    pub(super) previous: Option<String>,
    /// Whether byok keeps the answer, so that a conversation can go on from it.
    pub(super) kept: bool,
}

impl Kind {
    pub(super) fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            count: false,
            model: None,
            stream: None,
            json_array: false,
            raw: None,
            coded: false,
            previous: None,
            kept: false,
        }
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
        "embedContent" => Kind { raw: Some(neighbours::post(Endpoint::EmbedContent)), ..base },
        "batchEmbedContents" => Kind { raw: Some(neighbours::post(Endpoint::BatchEmbedContents)), ..base },
        _ => return unknown_method(&visit, &rest),
    };
    run(app, visit, request, kind).await
}

/// Whether the rest of a path ends in a method of Gemini's, which are all for POST.
pub(super) fn ends_in_method(rest: &str) -> bool {
    const METHODS: [&str; 5] =
        ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"];
    rest.rsplit_once(':').is_some_and(|(_, method)| METHODS.contains(&method))
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
            "`{shown}` names no method of byok: use `:generateContent`, `:streamGenerateContent`, `:countTokens`, \
             `:embedContent` or `:batchEmbedContents`."
        ),
    );
    reply::failure(Dialect::Gemini, &failure, visit.id.as_str())
}

/// Reads the body and has the request served.
pub(super) async fn run(app: App, visit: Visit, request: Request<Body>, kind: Kind) -> Response {
    let arrival = arrival(&visit, kind.dialect);
    let executor = app.executor();
    let Some(place) = app.place() else {
        return reply::outbound(executor.turn_away(arrival, &busy()));
    };
    let arrival = Arrival { place: Some(place), ..arrival };
    let (mut parts, body) = request.into_parts();
    let config = &visit.current.state.config;
    let (limit, within) = (config.limits.body, config.timeouts.body_read);
    let no_coding = HeaderMap::new();
    let about = if kind.coded { &no_coding } else { &parts.headers };
    let read = tokio::select! {
        read = body::read(body, about, limit, within) => read,
        failure = executor.stopping() => Err(failure),
    };
    let body = match read {
        Ok(body) => body,
        Err(failure) => return reply::outbound(executor.turn_away(arrival, &failure)),
    };
    if !kind.coded {
        parts.headers.remove(CONTENT_ENCODING);
    }
    if kind.dialect == Dialect::Responses && !kind.count && kind.raw.is_none() {
        return answer_and_keep(app, visit, arrival, parts.headers, body, kind).await;
    }
    let body = match whole_conversation(&app, &visit, &kind, body) {
        Ok(body) => body,
        Err(failure) => return reply::outbound(executor.turn_away(arrival, &failure)),
    };
    reply::outbound(answer(&app, visit, arrival, parts.headers, body, kind).await)
}

/// A conversation that is to be compacted may go on from a response that byok keeps; no vendor knows of it.
fn whole_conversation(app: &App, visit: &Visit, kind: &Kind, body: Bytes) -> Result<Bytes, Failure> {
    let compacts =
        matches!(&kind.raw, Some(raw) if matches!(raw.target, Target::Endpoint(Endpoint::Compact)));
    match stored_for(app, visit) {
        Some(place) if compacts => Ok(resolve(body, &[place], &visit.current.state)?.body),
        _ => Ok(body),
    }
}

/// What is known of a request when its route is known.
pub(super) fn arrival(visit: &Visit, dialect: Dialect) -> Arrival {
    Arrival {
        id: visit.id.clone(),
        at: visit.at,
        at_ms: visit.at_ms,
        client_key: visit.admitted.caller.key.clone(),
        dialect,
        place: None,
    }
}

/// Has a request served whose body is known.
pub(super) async fn answer(
    app: &App,
    visit: Visit,
    arrival: Arrival,
    headers: HeaderMap,
    body: Bytes,
    kind: Kind,
) -> Outbound {
    let caller = visit.admitted.caller;
    let inbound = Inbound {
        allowed: caller.models,
        debug: caller.debug,
        count: kind.count,
        model: kind.model,
        stream: kind.stream,
        json_array: kind.json_array,
        raw: kind.raw,
        previous_response: kind.previous,
        kept: kind.kept,
        brought: visit.admitted.own,
        headers,
        body,
        ..Inbound::new(arrival)
    };
    app.executor().run(visit.current.state.clone(), inbound).await
}

/// The same where responses are kept, if the settings say so.
async fn answer_and_keep(
    app: App,
    visit: Visit,
    arrival: Arrival,
    headers: HeaderMap,
    body: Bytes,
    kind: Kind,
) -> Response {
    let Some(place) = stored_for(&app, &visit) else {
        return reply::outbound(answer(&app, visit, arrival, headers, body, kind).await);
    };
    let resolved = match resolve(body, std::slice::from_ref(&place), &visit.current.state) {
        Ok(resolved) => resolved,
        Err(failure) => return reply::outbound(app.executor().turn_away(arrival, &failure)),
    };
    let kept = resolved.store && resolved.whole;
    let kind = Kind { previous: resolved.previous, kept, ..kind };
    let outbound = answer(&app, visit, arrival, headers, resolved.body, kind).await;
    if !kept {
        return reply::outbound(outbound);
    }
    Keeper { places: vec![place], input: resolved.input }.watch(outbound)
}

/// Where the responses of a caller are kept; `None` if none are.
pub(super) fn stored_for(app: &App, visit: &Visit) -> Option<Place> {
    let shelf = app.shelf();
    let Some(bounds) = Bounds::of(&visit.current) else {
        shelf.clear();
        return None;
    };
    Some(Place { shelf: shelf.clone(), bounds, owner: visit.admitted.caller.key.clone() })
}

/// All places are taken.
pub(super) fn busy() -> Failure {
    Failure::new(
        FailureKind::Overloaded,
        Blame::Byok,
        "byok answers as many requests at the same time as it may (`limits.streams` in the config). Try again shortly.",
    )
    .with_retry_after(std::time::Duration::from_secs(1))
}
