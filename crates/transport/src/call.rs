use crate::{Host, ProxyChoice, ReplyBody};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use std::{path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// How long a call may wait. The time to connect is an option of the whole transport.
#[derive(Clone, Copy, Debug)]
pub struct CallTimeouts {
    /// From the start of the call to the head of the answer.
    pub headers: Duration,
    /// Between two pieces of the body; `None` waits for ever.
    pub idle: Option<Duration>,
    /// From the start of the call to the end of the body; `None` for streams, which may last an hour.
    pub total: Option<Duration>,
}

impl CallTimeouts {
    /// One limit for everything: for calls whose answer is small.
    pub const fn within(limit: Duration) -> Self {
        Self { headers: limit, idle: None, total: Some(limit) }
    }

    /// Limits of a stream: for its head, and between its pieces.
    pub const fn stream(headers: Duration, idle: Duration) -> Self {
        Self { headers, idle: Some(idle), total: None }
    }
}

/// One HTTP request and the rules it is sent under.
#[derive(Clone)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Finished URL.
    pub url: Url,
    /// Headers; taken over as they are. Where `user-agent`, `accept` or `accept-encoding` are missing, the transport
    /// sends [`crate::USER_AGENT`], `*/*` and `identity`.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Hosts that the credential in `headers` may be sent to. An empty list forbids everything.
    pub allowed_hosts: Arc<[Host]>,
    /// How long to wait.
    pub timeouts: CallTimeouts,
    /// A way out of its own, in place of that of the transport.
    pub proxy: Option<ProxyChoice>,
    /// Certificate files (PEM) trusted besides those of the transport.
    pub ca_files: Arc<[PathBuf]>,
    /// Whether the caller vouches that the call carries no credential, in its headers or in its body. Only such a call may
    /// go unencrypted to another machine.
    pub without_secrets: bool,
    /// Whether a compressed body is decoded: by its `content-encoding`, and by its first bytes when a vendor compresses
    /// without saying so. Decoding is capped. With a named coding the headers `content-encoding` and `content-length` are
    /// taken away; without one they are as the vendor sent them, so do not relay a `content-length`.
    pub decode: bool,
}

impl Call {
    /// A call without headers and body that decodes its answer.
    pub fn new(method: Method, url: Url, allowed_hosts: Arc<[Host]>, timeouts: CallTimeouts) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            allowed_hosts,
            timeouts,
            proxy: None,
            ca_files: Arc::default(),
            without_secrets: false,
            decode: true,
        }
    }
}

impl std::fmt::Debug for Call {
    /// Method and host: the rest may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({} {})", self.method, self.url.host_str().unwrap_or_default())
    }
}

/// The head of an answer, with its body still at the other end of the connection.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; dropping it ends the upstream call.
    pub body: ReplyBody,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct BufferedReply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}
