//! The door: every request passes here before it is routed.

use crate::{
    access::{
        Caller, HostCheck, OriginCheck, Shown, came_through_a_proxy, check_origin, host_of, is_json, shown,
    },
    app::{App, Current},
    canonical, reply,
    routes::takes_forms,
};
use axum::response::Response;
use byok_types::{Blame, Failure, FailureKind, Secret};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

/// Who came in, and what the answer must carry.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// The caller.
    pub(crate) caller: Caller,
    /// The caller's own credential for the vendor, if it showed one beside its byok key.
    pub(crate) own: Option<Secret>,
    /// The origin of a configured page.
    pub(crate) origin: Option<String>,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Checks a request. `Err` is the answer to one that is not let in.
pub(crate) fn check(
    app: &App,
    current: &Current,
    peer: Peer,
    parts: &Parts,
    id: &str,
) -> Result<Admitted, Box<Response>> {
    let dialect = canonical::dialect_of(parts.uri.path(), &parts.headers);
    let listed = std::cell::OnceCell::<String>::new();
    let refuse = |failure: Failure| {
        let mut response = reply::failure(dialect, &failure, id);
        // Without this the page would see a broken connection in place of what was said.
        if let Some(origin) = listed.get() {
            allow_origin(&mut response, origin);
        }
        Box::new(response)
    };
    check_size(parts, current.state.config.limits.header_bytes).map_err(|failure| refuse(*failure))?;
    let host = host_of(&parts.uri, &parts.headers);
    let proxied = came_through_a_proxy(&parts.headers);
    let keys_needed = !current.keys.is_empty() || current.exposed || proxied;
    match current.hosts.check(host) {
        HostCheck::Ours => {}
        HostCheck::Broken => return Err(refuse(broken_host())),
        // A page that rebound its name has no key; where keys are needed the name does not matter.
        HostCheck::Foreign if keys_needed => {}
        HostCheck::Foreign => return Err(refuse(foreign_host(host.unwrap_or_default()))),
    }
    let origin =
        match check_origin(&parts.headers, host.unwrap_or_default(), &current.state.config.cors_origins) {
            OriginCheck::None => None,
            OriginCheck::Listed(origin) => Some(listed.get_or_init(|| origin).clone()),
            OriginCheck::Refused(origin) => return Err(refuse(foreign_origin(&origin))),
        };
    if parts.method == Method::OPTIONS {
        return Err(Box::new(preflight(origin.as_deref(), &parts.headers)));
    }
    if is_open(parts) {
        return Ok(Admitted {
            caller: Caller { debug: !keys_needed, ..Caller::default() },
            own: None,
            origin,
        });
    }
    let seen = shown(&parts.uri, &parts.headers);
    let caller = if keys_needed {
        key_holder(app, current, peer.0.ip(), &seen, proxied).map_err(|failure| refuse(*failure))?
    } else {
        json_only(parts, app.address()).map_err(|failure| refuse(*failure))?;
        Caller { debug: true, ..Caller::default() }
    };
    let own = if seen.beside { usual_credential(parts) } else { None };
    Ok(Admitted { caller, own, origin })
}

/// The connection refuses what its buffer cannot hold; a lower limit of the settings holds here.
fn check_size(parts: &Parts, limit: usize) -> Result<(), Box<Failure>> {
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if fields.sum::<usize>() + target <= limit {
        return Ok(());
    }
    let message = format!(
        "the head of the request is larger than {limit} bytes (`limits.header_bytes` in the config). Send less."
    );
    Err(Box::new(Failure::bad_request("headers", message).with_status(431)))
}

/// What may be asked without a key: whether byok is there.
fn is_open(parts: &Parts) -> bool {
    matches!(parts.uri.path(), "/health") && matches!(parts.method, Method::GET | Method::HEAD)
}

fn key_holder(
    app: &App,
    current: &Current,
    address: IpAddr,
    seen: &Shown,
    proxied: bool,
) -> Result<Caller, Box<Failure>> {
    let seconds = crate::app::now_ms() / 1000;
    let shown = seen.key.as_ref().filter(|_| !seen.contradictory);
    // Who holds a right key is let in whatever others of the same machine try: only wrong ones count and have to wait.
    if let Some(caller) = shown.and_then(|key| current.keys.find(key, seconds)) {
        return Ok(caller);
    }
    // Who shows no key tries none.
    if seen.key.is_some() {
        let now = Instant::now();
        let limit = current.state.config.limits.wrong_keys_per_minute;
        if let Some(wait) = app.throttle().blocked(address, limit, now) {
            let failure = Failure::new(
                FailureKind::RateLimit,
                Blame::Client,
                "too many wrong keys from this address, and this one is wrong, too. Use a key of `api_keys`.",
            );
            return Err(Box::new(failure.with_retry_after(wait)));
        }
        app.throttle().wrong(address, now);
    }
    Err(Box::new(wrong_key(current.keys.is_empty(), proxied, seen.contradictory)))
}

/// The same words for a missing, unknown, revoked or expired key: nothing is told to somebody who tries keys.
fn wrong_key(none_exist: bool, proxied: bool, contradictory: bool) -> Failure {
    let text = match (none_exist, proxied) {
        (false, _) if contradictory => {
            "this request shows different keys in two places, and byok does not guess which is meant. Send byok's key alone, or \
             in `x-byok-key` beside another vendor's."
        }
        (true, true) => {
            "this request came through a proxy, so a key is needed, and none is configured. Set `api_keys` in the config of byok."
        }
        (true, false) => {
            "byok can be reached from other machines, so a key is needed, and none is configured. Set `api_keys` in the config."
        }
        (false, _) => {
            "a valid byok key is needed: as `Authorization: Bearer`, `x-api-key`, `x-goog-api-key` or `?key=`. The keys stand in `api_keys` in the config."
        }
    };
    Failure::new(FailureKind::Auth, Blame::Client, text).with_code("invalid_api_key")
}

/// A form of a web page can post text and forms without asking, but not JSON.
fn json_only(parts: &Parts, address: SocketAddr) -> Result<(), Box<Failure>> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::DELETE) {
        return Ok(());
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    if kind.is_some_and(is_json) {
        return Ok(());
    }
    let path = parts.uri.path();
    if takes_forms(path) && kind.is_some_and(|kind| kind.trim_start().starts_with("multipart/form-data")) {
        let message = "a form with files is taken only from callers with a client key, because any web page can send one. \
                       Set `api_keys` in the config, and send the key with the request.";
        return Err(Box::new(Failure::bad_request("content-type", message).with_status(415)));
    }
    let message = format!(
        "the content type must be `application/json`, not `{}`. With curl: curl http://{address}{path} -H 'content-type: application/json' -d @request.json",
        kind.unwrap_or("(none)").chars().take(80).collect::<String>(),
    );
    Err(Box::new(Failure::bad_request("content-type", message).with_status(415)))
}

/// The caller's own credential, from the places where the vendors' clients put it.
fn usual_credential(parts: &Parts) -> Option<Secret> {
    let mut without = parts.headers.clone();
    without.remove("x-byok-key");
    shown(&parts.uri, &without).key
}

fn broken_host() -> Failure {
    Failure::bad_request(
        "host",
        "the request must have exactly one readable Host. Use the address that byok prints at its start.",
    )
}

fn foreign_host(host: &str) -> Failure {
    let shown: String = host.chars().take(100).collect();
    let name = shown.rsplit_once(':').map_or(shown.as_str(), |(name, _)| name);
    Failure::new(
        FailureKind::Permission,
        Blame::Client,
        format!("byok does not answer to the name `{shown}`. If it is meant to, add `{name}` to `allowed_hosts` in the config; keys are then needed."),
    )
    .with_status(421)
    .with_code("misdirected_request")
}

fn foreign_origin(origin: &str) -> Failure {
    let shown: String = origin.chars().take(100).collect();
    Failure::new(
        FailureKind::Permission,
        Blame::Client,
        format!("web pages of `{shown}` may not call byok. If this one is meant to, add its origin to `cors_origins` in the config."),
    )
    .with_code("origin_not_allowed")
}

/// The answer to a browser that asks first. A listed page may send whatever header it names: what is let in is decided by
/// the list of origins and by the key.
fn preflight(origin: Option<&str>, asked: &HeaderMap) -> Response {
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    let Some(origin) = origin else { return response };
    allow_origin(&mut response, origin);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    );
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// What a configured page may read of the head of an answer.
const EXPOSED: &str = "x-request-id, request-id, x-byok-model, x-byok-attempts, x-byok-dropped, x-byok-usage, x-byok-hint, x-byok-account, \
                       retry-after, x-should-retry";

/// Lets a configured page read the answer.
pub(crate) fn allow_origin(response: &mut Response, origin: &str) {
    if let Ok(value) = HeaderValue::from_str(origin) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}
