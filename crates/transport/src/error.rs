use crate::Host;
use byok_types::{Blame, Fault, Retry};
use std::{error::Error, fmt, io, path::PathBuf, time::Duration};

/// Which wait of a body ended without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyWait {
    /// Nothing came for the idle limit.
    Idle,
    /// The whole call took longer than its total limit.
    Total,
}

/// Why a call failed. The texts name the host and the cause, never a path, a query or a header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The URL cannot be called.
    #[error("the URL cannot be used: {why}; correct it in the configuration")]
    BadUrl {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The credential of the call may not be sent to this host.
    #[error(
        "a credential was about to be sent to {host}, which it does not belong to; check `base_url` of the provider"
    )]
    HostNotAllowed {
        /// Host of the finished URL.
        host: Host,
    },
    /// The host is not this machine and the URL is not encrypted.
    #[error(
        "{host} is not this machine, so byok calls it only over `https://`; correct `base_url` of the provider"
    )]
    NotEncrypted {
        /// Host of the finished URL.
        host: Host,
    },
    /// A certificate file of the configuration cannot be used.
    #[error("the certificate file `{}` cannot be used: {why}; correct `ca_files` in the configuration", path.display())]
    BadCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The client could not be set up.
    #[error("the HTTP client could not be set up: {}; check the proxy and certificate settings", Root(.source))]
    Setup {
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// byok is shutting down.
    #[error("byok is stopping: {why}; try again when it runs")]
    Stopped {
        /// The cause.
        why: String,
    },
    /// The name of the host (or of the proxy) was not found.
    #[error("the name of {host} could not be resolved: {}; check the network", Root(.source))]
    Dns {
        /// Host of the call.
        host: Host,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// No connection came about.
    #[error("no connection to {host}: {}; check the network, and the `proxy` setting if you need one", Root(.source))]
    Connect {
        /// Host of the call.
        host: Host,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The proxy could not be reached or refused.
    #[error("no connection to {host} through the proxy: {}; check the `proxy` setting", Root(.source))]
    Proxy {
        /// Host of the call.
        host: Host,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The certificate or the TLS handshake was not acceptable.
    #[error(
        "no trusted connection to {host}: {}; if a proxy of your organisation re-signs traffic, add its certificate to \
         `ca_files`", Root(.source)
    )]
    Tls {
        /// Host of the call.
        host: Host,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// No answer began in time.
    #[error("{host} did not begin to answer within {} s; try again", after.as_secs_f32())]
    HeadersTimeout {
        /// Host of the call.
        host: Host,
        /// The limit.
        after: Duration,
    },
    /// The answer began and then stopped for too long.
    #[error("the answer of {host} did not continue within {} s; try again", after.as_secs_f32())]
    BodyTimeout {
        /// Host of the call.
        host: Host,
        /// Which wait it was.
        wait: BodyWait,
        /// The limit.
        after: Duration,
    },
    /// The connection broke.
    #[error("{host} broke off the connection {}: {}; try again", if *after_headers { "in its answer" } else { "before it answered" }, Root(.source))]
    Reset {
        /// Host of the call.
        host: Host,
        /// Whether the head of the answer had come.
        after_headers: bool,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// What came is not a valid HTTP answer.
    #[error("{host} did not answer in valid HTTP: {why}; check that `base_url` points to an API")]
    Garbled {
        /// Host of the call.
        host: Host,
        /// What is wrong with it.
        why: String,
    },
    /// The answer is larger than this call allows.
    #[error(
        "the answer of {host} is larger than {limit} bytes, which is no answer of an API; try again, and if it stays so, check the \
         provider's addresses (`base_url`, `urls`) in the settings"
    )]
    TooLarge {
        /// Host of the call.
        host: Host,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is compressed in a way that cannot be undone, or grows beyond all measure.
    #[error("the compressed answer of {host} cannot be read: {why}; try again")]
    Decode {
        /// Host of the call.
        host: Host,
        /// What is wrong with it.
        why: String,
    },
}

impl TransportError {
    /// Whether the request may have reached the server. `false` is certain: repeating it cannot do anything twice.
    pub const fn request_was_sent(&self) -> bool {
        match self {
            Self::BadUrl { .. }
            | Self::HostNotAllowed { .. }
            | Self::NotEncrypted { .. }
            | Self::BadCa { .. }
            | Self::Setup { .. }
            | Self::Stopped { .. }
            | Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::Tls { .. } => false,
            Self::HeadersTimeout { .. }
            | Self::BodyTimeout { .. }
            | Self::Reset { .. }
            | Self::Garbled { .. }
            | Self::TooLarge { .. }
            | Self::Decode { .. } => true,
        }
    }

    /// Sorts an error of `execute`, before the head of an answer has come. `proxied` says that the call has a proxy of
    /// its own, so that a connection that fails is the proxy's.
    pub(crate) fn before_headers(source: reqwest::Error, host: Host, proxied: bool) -> Self {
        let source = source.without_url();
        if source.is_builder() {
            return Self::Setup { source };
        }
        if source.is_connect() {
            return if chain(&source).any(is_tls) {
                Self::Tls { host, source }
            } else if proxied || chain(&source).any(is_proxy_handshake) {
                Self::Proxy { host, source }
            } else if source.is_dns() {
                Self::Dns { host, source }
            } else {
                Self::Connect { host, source }
            };
        }
        Self::broken(source, host, false)
    }

    /// Sorts an error of the connection once the request was under way.
    pub(crate) fn broken(source: reqwest::Error, host: Host, after_headers: bool) -> Self {
        let source = source.without_url();
        let parse =
            chain(&source).filter_map(|cause| cause.downcast_ref::<hyper::Error>()).find(|e| e.is_parse());
        match parse {
            Some(parse) => Self::Garbled { host, why: parse.to_string() },
            None => Self::Reset { host, after_headers, source },
        }
    }
}

impl Fault for TransportError {
    fn blame(&self) -> Blame {
        match self {
            Self::BadUrl { .. }
            | Self::HostNotAllowed { .. }
            | Self::NotEncrypted { .. }
            | Self::BadCa { .. }
            | Self::Setup { .. }
            | Self::Stopped { .. } => Blame::Byok,
            _ => Blame::Upstream,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::BadUrl { .. }
            | Self::HostNotAllowed { .. }
            | Self::NotEncrypted { .. }
            | Self::BadCa { .. }
            | Self::Setup { .. }
            | Self::Tls { .. } => Retry::AfterPerson,
            Self::TooLarge { .. } => Retry::Never,
            _ => Retry::Now,
        }
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// rustls reports through `io::Error`, whose `source` skips the wrapped error itself.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<rustls::Error>()
        || cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .is_some_and(|inner| chain(inner).any(<dyn Error>::is::<rustls::Error>))
}

/// The errors of a proxy handshake have private types, so only their words tell them from others.
fn is_proxy_handshake(cause: &(dyn Error + 'static)) -> bool {
    let text = cause.to_string();
    text.starts_with("tunnel error") || text.starts_with("SOCKS error") || text.contains("socks proxy")
}

/// Shows the innermost cause: the layers above it say "client error" and the like.
pub(crate) struct Root<'a>(pub(crate) &'a reqwest::Error);

impl fmt::Display for Root<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chain(self.0).last() {
            Some(root) => write!(f, "{root}"),
            None => Ok(()),
        }
    }
}
