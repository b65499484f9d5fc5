//! What vendors offer beside the dialects, and raw access to a provider. Nothing is translated here.

use super::{
    Visit,
    dialects::{Kind, run},
};
use crate::{amp::query_without_key, app::App, canonical, reply};
use axum::{
    extract::{Extension, Request, State},
    response::Response,
    routing::{MethodRouter, post as route_post},
};
use byok_provider::{
    executor::{Raw, Target},
    upstream::Endpoint,
};
use byok_types::{Blame, Failure, FailureKind};
use http::Method;

/// The endpoints that have a path of their own.
pub(super) fn routes() -> Vec<(String, MethodRouter<App>)> {
    let route = |endpoint: Endpoint| {
        let serve = move |State(app): State<App>, Extension(visit): Extension<Visit>, request: Request| {
            let kind = Kind { raw: Some(post(endpoint)), ..Kind::of(endpoint.dialect()) };
            run(app, visit, request, kind)
        };
        (format!("/v1{}", endpoint.path()), route_post(serve))
    };
    Endpoint::WITH_PATH.into_iter().map(route).collect()
}

/// A call of an endpoint.
pub(super) const fn post(endpoint: Endpoint) -> Raw {
    Raw { method: Method::POST, target: Target::Endpoint(endpoint) }
}

/// Whether a form with files may be sent to this path.
pub(crate) fn takes_forms(path: &str) -> bool {
    let path = path.strip_prefix("/v1").unwrap_or_default();
    Endpoint::WITH_PATH.iter().any(|endpoint| endpoint.takes_forms() && endpoint.path() == path)
}

/// `/passthrough/{provider}/{path}`: any call to a provider, with byok's credential.
pub(crate) async fn passthrough(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    let uri = request.uri();
    let rest = uri.path().strip_prefix("/passthrough/").unwrap_or_default();
    let (provider, path) = rest.split_once('/').unwrap_or((rest, ""));
    let dialect = match visit.current.state.registry.provider(provider) {
        Some(provider) => provider.own_dialect(),
        None => canonical::dialect_of(uri.path(), request.headers()),
    };
    if let Err(failure) = may_pass(&visit) {
        return reply::failure(dialect, &failure, visit.id.as_str());
    }
    // As it was written: decoded, a `?` in it would become one of the address.
    let path = format!("/{path}{}", query_without_key(uri));
    let target = Target::Path { provider: provider.to_owned(), path };
    let raw = Raw { method: request.method().clone(), target };
    let kind = Kind { raw: Some(raw), coded: true, ..Kind::of(dialect) };
    run(app, visit, request, kind).await
}

/// Raw access is for holders of a key, and not for those whose key names models: a path says nothing of models.
fn may_pass(visit: &Visit) -> Result<(), Failure> {
    let caller = &visit.admitted.caller;
    if caller.key.is_none() {
        return Err(Failure::new(
            FailureKind::Permission,
            Blame::Client,
            "`/passthrough` needs a client key, also on this machine. Write one of your own making into the config, \
             `api_keys: [\"…\"]` (`openssl rand -hex 24` makes one), and send it with every request.",
        )
        .with_code("client_key_required"));
    }
    if caller.models.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Permission,
        Blame::Client,
        "this client key may ask for certain models only, and `/passthrough` cannot tell which one is asked for. Use a key \
         without `models`.",
    ))
}
