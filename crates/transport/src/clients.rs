use crate::{Host, ProxyChoice, TransportError, USER_AGENT};
use parking_lot::Mutex;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Streams that one HTTP/2 connection is trusted with. A client keeps one such connection a host and servers commonly
/// allow 100 streams on it; further requests would wait in silence, so they get a client of their own.
const STREAMS_PER_CLIENT: usize = 100;

/// Connections kept open and unused per host: as many as byok is measured with, so that bursts do not reconnect.
const IDLE_CONNECTIONS_PER_HOST: usize = 256;

/// Shorter than the 90 s of the library: fewer stale sockets after a laptop slept.
const POOL_IDLE: Duration = Duration::from_mins(1);

/// An HTTP/2 connection whose other end has vanished is found within half a minute.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(20);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Response headers beyond this are refused (HTTP/2 here, HTTP/1.1 where the head is read).
pub(crate) const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// What tells one kind of client from another.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) proxy: ProxyChoice,
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) connect_timeout: Duration,
}

/// The clients of one route.
pub(crate) struct Clients {
    pub(crate) route: Route,
    slots: Mutex<Vec<Slot>>,
    building: tokio::sync::Mutex<()>,
}

struct Slot {
    client: Client,
    /// Every running call holds a clone, so the strong count is the number of calls plus one.
    running: InFlight,
}

/// Counts a call as running until it is dropped.
pub(crate) type InFlight = Arc<()>;

impl Clients {
    pub(crate) fn new(route: Route) -> Self {
        Self { route, slots: Mutex::default(), building: tokio::sync::Mutex::default() }
    }

    /// Builds the first client now, so that a broken setting is found before the first call.
    pub(crate) fn prepared(route: Route) -> Result<Self, TransportError> {
        let clients = Self::new(route);
        clients.add(build(&clients.route)?);
        Ok(clients)
    }

    /// A client with room for one more call to `host`.
    pub(crate) async fn pick(&self, host: &Host) -> Result<(Client, InFlight), TransportError> {
        if let Some(found) = self.free(host) {
            return Ok(found);
        }
        let _one_builder = self.building.lock().await;
        if let Some(found) = self.free(host) {
            return Ok(found);
        }
        // Reading the certificates of the machine takes milliseconds of file access.
        let route = self.route.clone();
        match tokio::task::spawn_blocking(move || build(&route)).await {
            Ok(built) => Ok(self.add(built?)),
            Err(stopped) => Err(TransportError::Stopped { why: stopped.to_string() }),
        }
    }

    fn free(&self, host: &Host) -> Option<(Client, InFlight)> {
        let slots = self.slots.lock();
        // HTTP/1.1, which is all there is without TLS, opens a connection for each call.
        let room = |slot: &&Slot| !host.is_https() || Arc::strong_count(&slot.running) <= STREAMS_PER_CLIENT;
        slots.iter().find(room).map(|slot| (slot.client.clone(), Arc::clone(&slot.running)))
    }

    fn add(&self, client: Client) -> (Client, InFlight) {
        let running = InFlight::default();
        self.slots.lock().push(Slot { client: client.clone(), running: Arc::clone(&running) });
        (client, running)
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.slots.lock().len()
    }
}

fn build(route: &Route) -> Result<Client, TransportError> {
    builder(route)?.build().map_err(setup)
}

/// A client of this route that is not finished yet. Reads files.
pub(crate) fn builder(route: &Route) -> Result<ClientBuilder, TransportError> {
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(route.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
        .tcp_nodelay(true)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
        .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
        .http2_keep_alive_while_idle(true)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        // Decoding is byok's own and capped; a dependency that switches these features on must not bring them back.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .tls_certs_merge(certificates(&route.ca_files)?);
    Ok(match &route.proxy {
        ProxyChoice::System => builder,
        ProxyChoice::Direct => builder.no_proxy(),
        ProxyChoice::Url(url) => builder.proxy(Proxy::all(url.clone()).map_err(setup)?),
    })
}

pub(crate) fn setup(source: reqwest::Error) -> TransportError {
    TransportError::Setup { source: source.without_url() }
}

fn certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, TransportError> {
    let mut all = Vec::new();
    for path in files {
        let bad = |why: String| TransportError::BadCa { path: path.clone(), why };
        let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
        let found = Certificate::from_pem_bundle(&pem).map_err(|_| bad("it is not PEM".into()))?;
        if found.is_empty() {
            return Err(bad("it contains no certificate in PEM form".into()));
        }
        all.extend(found);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
