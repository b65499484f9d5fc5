//! The one HTTP client of byok: proxies, extra certificates, timeouts, host allow-lists, capped decoding.
//!
//! Owns: how bytes get to a vendor and back. Login, refresh, model lists and inference all go through [`Transport`],
//! so a proxy or a certificate that is configured once holds for all of them.
//! Must not know: dialects, providers, accounts, retries, configuration files.
//!
//! Invariants:
//! - A request leaves only for a host that the call's credential may be sent to, and a credential only over TLS unless the host is
//!   this machine; the check looks at the finished URL ([`TransportError::HostNotAllowed`]).
//! - [`Transport`] never follows a redirect.
//! - Bodies are pulled: no task and no channel stands between the socket and the reader, a reader that stops slows the
//!   sender down, and dropping a [`Reply`] ends the upstream call at once.
//! - No error text contains a path, a query or a header value.
//! - What a client's request names by address is got by [`Fetcher`] alone: without credentials, and from public addresses only.
#![forbid(unsafe_code)]

mod body;
mod call;
mod clients;
mod decode;
mod error;
mod fetch;
mod host;
mod proxy;
#[cfg(test)]
mod testing;
mod transport;

pub use body::ReplyBody;
pub use call::{BufferedReply, Call, CallTimeouts, Reply};
pub use error::{BodyWait, TransportError};
pub use fetch::{FetchError, Fetched, Fetcher};
pub use host::Host;
pub use proxy::{InvalidProxy, ProxyChoice};
pub use transport::{Transport, TransportOptions};

/// How byok names itself to every server it calls, unless the caller of a call sets a `user-agent` of its own.
pub const USER_AGENT: &str =
    concat!("byok/", env!("CARGO_PKG_VERSION"), " (+", env!("CARGO_PKG_REPOSITORY"), ")");
