//! Lists of models, in the shape that the caller's tools read.

mod page;

use super::{Visit, dialects::ends_in_method, not_taken, rest_of};
use crate::app::App;
use crate::reply;
use axum::{
    extract::{Extension, State},
    response::Response,
};
use byok_translate::{ModelEntry, codec};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::ALLOW};
use page::Page;

/// `GET /v1/models` is one path for three dialects; the headers tell which is meant.
fn shape(headers: &HeaderMap, uri: &Uri) -> Dialect {
    let agent = headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = headers.contains_key("authorization");
    if headers.contains_key("anthropic-version") || agent.starts_with("claude-cli/") {
        Dialect::Messages
    } else if headers.contains_key("x-goog-api-key") || agent.starts_with("google-genai") {
        Dialect::Gemini
    } else if headers.contains_key("x-api-key") && !bearer {
        Dialect::Messages
    } else if !bearer
        && uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key=")))
    {
        Dialect::Gemini
    } else {
        Dialect::Chat
    }
}

pub(crate) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    app.executor().refresh_models(&visit.current.state);
    all(&visit, shape(&headers, &uri), &uri)
}

pub(crate) async fn one(
    Extension(visit): Extension<Visit>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let name = rest_of(&uri, "/v1/models/");
    only_for_post(&visit, &method, &uri, &name).unwrap_or_else(|| find(&visit, shape(&headers, &uri), name))
}

pub(crate) async fn gemini_list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    uri: Uri,
) -> Response {
    app.executor().refresh_models(&visit.current.state);
    all(&visit, Dialect::Gemini, &uri)
}

pub(crate) async fn gemini_one(Extension(visit): Extension<Visit>, method: Method, uri: Uri) -> Response {
    let name = rest_of(&uri, "/v1beta/models/");
    only_for_post(&visit, &method, &uri, &name).unwrap_or_else(|| find(&visit, Dialect::Gemini, name))
}

/// The refusal where what looks like a model is a call of Gemini's, whose paths begin as that of the model does.
fn only_for_post(
    visit: &Visit,
    method: &Method,
    uri: &Uri,
    name: &Result<String, Failure>,
) -> Option<Response> {
    name.as_ref().ok().filter(|name| ends_in_method(name))?;
    let failure = not_taken(uri.path(), method);
    let mut response = reply::failure(Dialect::Gemini, &failure, visit.id.as_str());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    Some(response)
}

fn all(visit: &Visit, dialect: Dialect, uri: &Uri) -> Response {
    match Page::of(dialect, uri).and_then(|page| page.part(dialect, seen_by(visit))) {
        Ok((models, more)) => reply::json(StatusCode::OK, codec::encode_models(dialect, &models, more)),
        Err(failure) => reply::failure(dialect, &failure, visit.id.as_str()),
    }
}

/// The models that the caller may ask for.
fn seen_by(visit: &Visit) -> Vec<ModelEntry> {
    let mut models = visit.current.state.registry.list();
    let allowed = &visit.admitted.caller.models;
    models.retain(|model| allowed.is_empty() || allowed.iter().any(|pattern| pattern.matches(&model.id)));
    models
}

fn find(visit: &Visit, dialect: Dialect, name: Result<String, Failure>) -> Response {
    let found = name.and_then(|name| {
        let name = name.strip_prefix("models/").unwrap_or(&name);
        let registry = &visit.current.state.registry;
        // What a name says about thinking is no part of the model's own; the answer has the name that was asked for.
        let (name, wish) = name.split_at(registry.plain_name(name).len());
        let models = seen_by(visit);
        let listed = |wanted: &str| models.iter().find(|model| model.id == wanted);
        let told = |model: &ModelEntry| ModelEntry { id: format!("{}{wish}", model.id), ..model.clone() };
        // `provider/model` is a name of the same model, but the name alone may mean that of another provider.
        let prefixed = name.split_once('/').filter(|(provider, _)| registry.provider(provider).is_some());
        let model = prefixed.map_or(name, |(_, model)| model);
        if let Some(entry) = listed(name) {
            return Ok(told(entry));
        }
        if let Some(found) = listed(model).or_else(|| listed(registry.full_name(model))) {
            let own = prefixed.and_then(|(provider, _)| {
                registry.list_of(provider).into_iter().find(|own| own.id == found.id)
            });
            return Ok(match own {
                Some(own) if own.owner != found.owner => ModelEntry { id: format!("{name}{wish}"), ..own },
                _ => told(found),
            });
        }
        let allowed = &visit.admitted.caller.models;
        if !allowed.is_empty() && !allowed.iter().any(|pattern| pattern.matches(name)) {
            return Err(not_for_this_key());
        }
        Err(registry.resolve(name).err().unwrap_or_else(not_listed))
    });
    match found {
        Ok(model) => reply::json(StatusCode::OK, codec::encode_model(dialect, &model)),
        Err(failure) => reply::failure(dialect, &failure, visit.id.as_str()),
    }
}

fn not_for_this_key() -> Failure {
    Failure::new(
        FailureKind::NotFound,
        Blame::Client,
        "this client key may not ask for such a model; the owner of byok can allow it in `api_keys`.",
    )
    .with_code("model_not_found")
}

fn not_listed() -> Failure {
    Failure::new(
        FailureKind::NotFound,
        Blame::Client,
        "this model is passed on to its vendor, but byok does not list it. `byok models` shows the list.",
    )
    .with_code("model_not_found")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    #[test]
    fn t120_the_shape_follows_the_caller() {
        let cases = [
            (&[][..], "/v1/models", Dialect::Chat),
            (&[("authorization", "Bearer k")], "/v1/models", Dialect::Chat),
            (
                &[("anthropic-version", "2023-06-01"), ("authorization", "Bearer k")],
                "/v1/models",
                Dialect::Messages,
            ),
            (&[("x-api-key", "k")], "/v1/models", Dialect::Messages),
            (
                &[("user-agent", "claude-cli/2.1 (external, cli)"), ("authorization", "Bearer k")],
                "/v1/models",
                Dialect::Messages,
            ),
            (&[("x-goog-api-key", "k")], "/v1/models", Dialect::Gemini),
            (&[], "/v1/models?key=k", Dialect::Gemini),
            (&[("authorization", "Bearer k")], "/v1/models?key=k", Dialect::Chat),
        ];
        for (pairs, uri, expected) in cases {
            let headers =
                pairs.iter().map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap())).collect();
            assert_eq!(shape(&headers, &uri.parse().unwrap()), expected, "{pairs:?} {uri}");
        }
    }
}
