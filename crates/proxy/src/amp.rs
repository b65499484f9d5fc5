//! The routes of Amp that byok serves: login, management, chat. Chat is the ordinary Chat route.

use crate::{
    app::App,
    body, reply,
    routes::{Visit, rest_of},
};
use axum::{
    extract::{Extension, Request, State},
    response::Response,
};
use byok_provider::executor::Forward;
use byok_types::{Dialect, Failure};
use http::{HeaderValue, StatusCode, Uri, header};

/// Sends the browser to the login page of the Amp service.
pub(crate) async fn login(Extension(visit): Extension<Visit>, request: Request) -> Response {
    let base = visit.current.state.config.amp.base_url.as_base().trim_end_matches('/').to_owned();
    let target = format!("{base}/login{}", query_without_key(request.uri()));
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
    request: Request,
) -> Response {
    // A URL parser takes `%2e%2e` for a step up, too, and that would lead out of the management paths.
    let path = rest_of(request.uri(), "/amp/v0/management/").and_then(|path| {
        if path.split(['/', '\\']).any(|step| matches!(step, "." | "..")) {
            let text = "the path must not contain `.` or `..`. Write it out.";
            return Err(Failure::bad_request("path", text));
        }
        Ok(())
    });
    if let Err(failure) = path {
        return reply::failure(Dialect::Chat, &failure, visit.id.as_str());
    }
    let state = visit.current.state.clone();
    let (parts, body) = request.into_parts();
    let (limit, within) = (state.config.limits.body, state.config.timeouts.body_read);
    // The body goes on as it is, compressed or not.
    let body = match body::read(body, &http::HeaderMap::new(), limit, within).await {
        Ok(body) => body,
        Err(failure) => return reply::failure(Dialect::Chat, &failure, visit.id.as_str()),
    };
    // The path goes on as it was written: decoded, a `?` in it would become one of the address.
    let written = parts.uri.path().strip_prefix("/amp").unwrap_or_default();
    let target = format!("{written}{}", query_without_key(&parts.uri));
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

/// The query with its question mark. `key` is a place where a byok key is shown, and that key is nobody else's business.
pub(crate) fn query_without_key(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&');
    let kept: Vec<_> = pairs.filter(|pair| !pair.is_empty() && !names_key(pair)).collect();
    if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
}

/// Whether a pair of a query is named `key`, however it is spelt.
fn names_key(pair: &str) -> bool {
    url::form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byok_key_stays_here() {
        for (query, expected) in [
            ("", ""),
            ("?key=secret", ""),
            ("?a=1&key=secret&b=%2F", "?a=1&b=%2F"),
            ("?k%65y=secret&keys=1", "?keys=1"),
        ] {
            let uri: Uri = format!("/amp/v1/login{query}").parse().unwrap();
            assert_eq!(query_without_key(&uri), expected, "{query}");
        }
    }
}
