//! Passing a request on as it is: the management API of the Amp service.

use super::{
    Executor, Outbound, OutboundBody,
    reply::{read, transport_failure},
};
use crate::state::State;
use byok_transport::{Call, CallTimeouts, Host};
use byok_types::{Blame, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::sync::Arc;
use url::Url;

/// Headers that belong to one connection or to the caller's machine, and never travel on.
pub(super) const KEPT_BACK: [&str; 20] = [
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "content-length",
    "cookie",
    "origin",
    "referer",
    "accept-encoding",
    "forwarded",
    "via",
    "x-real-ip",
    "x-byok-key",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
];
/// Headers that hold a credential.
pub(super) const CREDENTIALS: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
/// Headers of an answer that are not passed on.
pub(super) const DROPPED: [&str; 10] = [
    "set-cookie",
    "server",
    "via",
    "alt-svc",
    "strict-transport-security",
    "connection",
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "keep-alive",
];

/// A request that is passed on.
#[derive(Debug)]
pub struct Forward<'a> {
    /// Method.
    pub method: Method,
    /// Path and query at the service.
    pub target: &'a str,
    /// Headers of the caller.
    pub headers: &'a HeaderMap,
    /// Whether the caller's own credential goes with it.
    pub keep_credential: bool,
    /// Body.
    pub body: Bytes,
}

impl Executor {
    /// Passes a request on to the Amp service. With a configured Amp key that key is sent, else (`keep_credential`) the
    /// caller's own.
    pub async fn forward_to_amp(
        &self,
        state: &Arc<State>,
        request: Forward<'_>,
    ) -> Result<Outbound, Failure> {
        let Forward { method, target, headers, keep_credential, body } = request;
        let amp = &state.config.amp;
        let base = amp.base_url.as_base().trim_end_matches('/');
        let wrong = || {
            Failure::new(
                FailureKind::Server,
                Blame::Byok,
                "`amp.base_url` in the config cannot be called; correct it.",
            )
        };
        let url = Url::parse(&format!("{base}{target}")).map_err(|_| wrong())?;
        let host = Host::of(&url).map_err(|_| wrong())?;
        let times = &state.config.timeouts;
        let mut call =
            Call::new(method, url, vec![host].into(), CallTimeouts::stream(times.answer_headers, times.idle));
        call.body = body;
        call.proxy = state.config.proxy.as_ref().map(crate::registry::choice);
        for (name, value) in headers {
            let text = name.as_str();
            let credential = CREDENTIALS.contains(&text);
            let private = KEPT_BACK.contains(&text)
                || text.starts_with("x-forwarded-")
                || text.starts_with("sec-fetch-");
            if !private && !(credential && (amp.api_key.is_some() || !keep_credential)) {
                call.headers.append(name.clone(), value.clone());
            }
        }
        call.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(key) = &amp.api_key {
            crate::upstream::set(
                &mut call.headers,
                header::AUTHORIZATION,
                &format!("Bearer {}", key.expose()),
                true,
            );
        }
        let transport = self.0.transport();
        let reply = transport.send(call).await.map_err(|error| transport_failure(&error).with_status(502))?;
        let mut relayed = HeaderMap::new();
        for (name, value) in &reply.headers {
            let text = name.as_str();
            if !DROPPED.contains(&text) && !text.starts_with("access-control-") {
                relayed.append(HeaderName::clone(name), value.clone());
            }
        }
        let status = reply.status;
        let body = read(reply.body, state.config.limits.answer, false).await?;
        Ok(Outbound { status, headers: relayed, body: OutboundBody::Whole(body.into()) })
    }
}
