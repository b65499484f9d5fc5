//! Gets a picture or a document that a client's request names by address.
//!
//! The address comes from outside, so it must not be a way into the networks that byok stands in. A name is resolved once,
//! every address that it leads to is checked, and the connection goes to those addresses and nowhere else; a redirect
//! starts over. No credential, cookie or proxy is involved: a proxy would resolve the name again, and out of byok's sight.

mod address;
mod error;
mod kind;
mod resolve;

pub use error::FetchError;

use crate::{
    Host, ProxyChoice, TransportError,
    clients::{self, Route},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use resolve::{Pinned, Resolve, System};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use url::Url;

/// How often an address may point to another one.
const MAX_REDIRECTS: usize = 3;

/// Most bytes.
const LIMIT: usize = 20 * 1024 * 1024;

/// Time for all of it, redirects included.
const TIME: Duration = Duration::from_secs(10);

/// A picture or document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// `image/jpeg`, `image/png`, `image/gif`, `image/webp` or `application/pdf`, as the bytes say.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Bytes,
}

/// Fetches pictures and documents. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    resolver: Arc<dyn Resolve>,
    rules: Rules,
}

/// What a fetch may do. Only tests know other rules than the default.
#[derive(Clone)]
struct Rules {
    /// Whether `http://` is fetched like `https://`.
    plain_http: bool,
    /// Addresses that are asked although they are not public and their port is another.
    exempt: Vec<SocketAddr>,
    limit: usize,
    time: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { plain_http: false, exempt: Vec::new(), limit: LIMIT, time: TIME }
    }
}

impl Rules {
    /// The host of an address that may be asked; else what is wrong with the address.
    fn admit(&self, url: &Url) -> Result<Host, &'static str> {
        if url.scheme() != "https" && !(self.plain_http && url.scheme() == "http") {
            return Err("it must begin with `https://`");
        }
        let host = Host::of(url).map_err(|error| match error {
            TransportError::BadUrl { why } => why,
            _ => "it has no host",
        })?;
        let port = port(url);
        if port == 443 || port == 80 || self.exempt.iter().any(|address| address.port() == port) {
            Ok(host)
        } else {
            Err("its port must be 443 or 80")
        }
    }

    /// What an address is if nothing may be fetched from it.
    fn refused(&self, address: SocketAddr) -> Option<&'static str> {
        if self.exempt.contains(&address) { None } else { address::refused(address.ip()) }
    }
}

impl Default for Fetcher {
    fn default() -> Self {
        Self { resolver: Arc::new(System), rules: Rules::default() }
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher")
    }
}

impl Fetcher {
    /// Gets what is at `url`: over `https://`, from the ports 443 and 80 of public addresses, with at most three redirects,
    /// 20 MiB and 10 s. `ca_files` are certificate files (PEM) trusted besides those of the machine.
    ///
    /// Cancellation: dropping the future ends the fetch at once.
    ///
    /// # Errors
    /// Every kind.
    pub async fn fetch(&self, url: &str, ca_files: &[PathBuf]) -> Result<Fetched, FetchError> {
        let bad = |why| FetchError::BadUrl { why };
        let url = Url::parse(url).map_err(|_| bad("it is not a URL"))?;
        let host = self.rules.admit(&url).map_err(bad)?;
        let after = self.rules.time;
        match tokio::time::timeout(after, self.follow(url, host.clone(), ca_files)).await {
            Ok(done) => done,
            Err(_) => Err(FetchError::Timeout { host, after }),
        }
    }

    async fn follow(
        &self,
        mut url: Url,
        mut host: Host,
        ca_files: &[PathBuf],
    ) -> Result<Fetched, FetchError> {
        let mut redirects = 0;
        loop {
            let addresses = self.addresses(&url, &host).await?;
            let answer = get(&url, &host, addresses, ca_files).await?;
            if !is_redirect(answer.status()) {
                return self.read(answer, host).await;
            }
            let no = |why| FetchError::Redirect { host: host.clone(), why };
            let next = target(&url, answer.headers()).map_err(no)?;
            let next_host = self.rules.admit(&next).map_err(no)?;
            redirects += 1;
            if redirects > MAX_REDIRECTS {
                return Err(no("it does so more than three times"));
            }
            (url, host) = (next, next_host);
        }
    }

    /// The addresses of the host, all of them checked.
    async fn addresses(&self, url: &Url, host: &Host) -> Result<Vec<SocketAddr>, FetchError> {
        let found = match url.host() {
            Some(url::Host::Ipv4(address)) => Ok(vec![IpAddr::V4(address)]),
            Some(url::Host::Ipv6(address)) => Ok(vec![IpAddr::V6(address)]),
            Some(url::Host::Domain(name)) => self.resolver.resolve(name).await,
            None => Ok(Vec::new()),
        };
        let found = match found {
            Ok(found) if found.is_empty() => Err(io::Error::other("it has no address")),
            found => found,
        };
        let found = found.map_err(|source| FetchError::Dns { host: host.clone(), source })?;
        let addresses: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, port(url))).collect();
        match addresses.iter().find_map(|address| self.rules.refused(*address)) {
            Some(what) => Err(FetchError::NotPublic { host: host.clone(), what }),
            None => Ok(addresses),
        }
    }

    async fn read(&self, mut answer: reqwest::Response, host: Host) -> Result<Fetched, FetchError> {
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status { host, status: answer.status() });
        }
        let limit = self.rules.limit;
        let announced =
            answer.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced > limit {
            return Err(FetchError::TooLarge { host, limit });
        }
        let mut bytes = BytesMut::with_capacity(announced);
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) if piece.len() > limit - bytes.len() => {
                    return Err(FetchError::TooLarge { host, limit });
                }
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => break,
                Err(error) => return Err(unreachable(error, host)),
            }
        }
        match kind::recognised(&bytes) {
            Some(media_type) => Ok(Fetched { media_type, bytes: bytes.freeze() }),
            None => Err(FetchError::WrongType { host }),
        }
    }
}

/// Asks for `url` at `addresses` and waits for the head of the answer. The client lives for this one call.
async fn get(
    url: &Url,
    host: &Host,
    addresses: Vec<SocketAddr>,
    ca_files: &[PathBuf],
) -> Result<reqwest::Response, FetchError> {
    let route = Route { proxy: ProxyChoice::Direct, ca_files: ca_files.to_vec(), connect_timeout: TIME };
    // Reading the certificates of the machine takes milliseconds of file access.
    let building = tokio::task::spawn_blocking(move || {
        clients::builder(&route)?.dns_resolver(Pinned(addresses)).build().map_err(clients::setup)
    });
    let client = match building.await {
        Ok(built) => built?,
        Err(stopped) => return Err(TransportError::Stopped { why: stopped.to_string() }.into()),
    };
    let mut request = reqwest::Request::new(http::Method::GET, url.clone());
    let accepted = HeaderValue::from_static("image/jpeg,image/png,image/gif,image/webp,application/pdf");
    request.headers_mut().insert(header::ACCEPT, accepted);
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    client.execute(request).await.map_err(|error| unreachable(error, host.clone()))
}

fn unreachable(error: reqwest::Error, host: Host) -> FetchError {
    if error.is_builder() {
        return FetchError::BadUrl { why: "it is not a URL that can be sent" };
    }
    FetchError::Unreachable { host, source: error.without_url() }
}

/// `Rules::admit` has seen the scheme, which has a port of its own.
fn port(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or_default()
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads; else why it is not followed.
fn target(from: &Url, headers: &HeaderMap) -> Result<Url, &'static str> {
    let location = headers.get(header::LOCATION).ok_or("it does not say where")?;
    let location = location.to_str().map_err(|_| "it does not say where")?;
    let next = from.join(location).map_err(|_| "it does not say where")?;
    if next.scheme() == from.scheme() { Ok(next) } else { Err("it leads to another scheme") }
}

#[cfg(test)]
mod tests;
