use byok_transport::{BufferedReply, Call, CallTimeouts, Host, ProxyChoice, Transport, TransportError};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::Serialize;
use std::{path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// The largest answer that is read from a token endpoint. Real ones have about 1 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The way out to one vendor, where it differs from that of the whole program.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// A proxy of its own.
    pub proxy: Option<ProxyChoice>,
    /// Certificate files (PEM) trusted besides the usual ones.
    pub ca_files: Arc<[PathBuf]>,
    /// How long the token endpoint may take, if not 30 seconds.
    pub token_timeout: Option<Duration>,
}

/// Calls the endpoints of a login. What is sent there belongs to exactly the host of the URL given.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) network: &'a Network,
}

impl Endpoint<'_> {
    pub(crate) async fn post_json<B: Serialize + Sync>(
        &self,
        url: &Url,
        body: &B,
        limit: Duration,
    ) -> Result<BufferedReply, TransportError> {
        let body = serde_json::to_vec(body)
            .map_err(|_| TransportError::BadUrl { why: "the request for it cannot be written as JSON" })?;
        let mut call = self.call(Method::POST, url, limit)?;
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        call.body = Bytes::from(body);
        self.transport.send_buffered(call, MAX_ANSWER_BYTES).await
    }

    pub(crate) async fn get_with_bearer(
        &self,
        url: &Url,
        token: &byok_types::Secret,
        limit: Duration,
    ) -> Result<BufferedReply, TransportError> {
        let mut call = self.call(Method::GET, url, limit)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
            TransportError::BadUrl { why: "its token contains characters that no header may have" }
        })?;
        value.set_sensitive(true);
        call.headers.insert(header::AUTHORIZATION, value);
        self.transport.send_buffered(call, MAX_ANSWER_BYTES).await
    }

    fn call(&self, method: Method, url: &Url, limit: Duration) -> Result<Call, TransportError> {
        let allowed = [Host::of(url)?].into();
        let mut call = Call::new(method, url.clone(), allowed, CallTimeouts::within(limit));
        call.proxy.clone_from(&self.network.proxy);
        call.ca_files = Arc::clone(&self.network.ca_files);
        call.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(call)
    }
}
