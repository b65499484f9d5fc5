use crate::{
    BufferedReply, Call, Host, ProxyChoice, Reply, ReplyBody, TransportError,
    body::RawBody,
    clients::{Clients, MAX_HEADER_BYTES, Route},
    decode::{self, Decoding},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::Instant;

/// What holds for every call of a transport.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// The way out.
    pub proxy: ProxyChoice,
    /// Certificate files (PEM) trusted besides those of the machine.
    pub ca_files: Vec<PathBuf>,
    /// How long a connection may take to come about, TLS included.
    pub connect_timeout: Duration,
    /// How large a compressed body may become, in bytes.
    pub decode_limit: usize,
}

impl Default for TransportOptions {
    /// The way out that the machine names, its certificates, 10 s to connect, 64 MiB of decoded body.
    fn default() -> Self {
        Self {
            proxy: ProxyChoice::System,
            ca_files: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            decode_limit: 64 * 1024 * 1024,
        }
    }
}

/// The HTTP client of byok. Clones share their connections.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    options: TransportOptions,
    usual: Mutex<Arc<Clients>>,
    others: Mutex<Vec<Arc<Clients>>>,
}

impl Transport {
    /// Sets up a client; contacts nobody.
    ///
    /// # Errors
    /// [`TransportError::BadCa`] and [`TransportError::Setup`] when a setting cannot be used.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        let route = Route {
            proxy: options.proxy.clone(),
            ca_files: options.ca_files.clone(),
            connect_timeout: options.connect_timeout,
        };
        let usual = Mutex::new(Arc::new(Clients::prepared(route)?));
        Ok(Self(Arc::new(Inner { options, usual, others: Mutex::default() })))
    }

    /// Sends a call and waits for the head of the answer, whatever its status.
    ///
    /// Cancellation: dropping the future, or the reply's body, ends the call at once.
    ///
    /// # Errors
    /// Every kind but [`TransportError::BodyTimeout`] and [`TransportError::TooLarge`]; the body can still fail later.
    pub async fn send(&self, call: Call) -> Result<Reply, TransportError> {
        let host = Host::of(&call.url)?;
        if !call.allowed_hosts.contains(&host) {
            return Err(TransportError::HostNotAllowed { host });
        }
        // A local model server on the network may be called in the clear, but no credential ever is.
        let open = call.without_secrets && !call.headers.values().any(HeaderValue::is_sensitive);
        if !open && !host.is_https() && !host.is_loopback() {
            return Err(TransportError::NotEncrypted { host });
        }
        let started = Instant::now();
        let clients = self.clients(&call, &host);
        let (client, running) = clients.pick(&host).await?;
        let proxied = matches!(clients.route.proxy, ProxyChoice::Url(_));

        let mut request = reqwest::Request::new(call.method, call.url);
        *request.headers_mut() = call.headers;
        request.headers_mut().entry(header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        if !call.body.is_empty() {
            *request.body_mut() = Some(call.body.into());
        }
        let answer = match tokio::time::timeout(call.timeouts.headers, client.execute(request)).await {
            Ok(Ok(answer)) => http::Response::from(answer),
            Ok(Err(error)) => return Err(TransportError::before_headers(error, host, proxied)),
            Err(_) => return Err(TransportError::HeadersTimeout { host, after: call.timeouts.headers }),
        };
        let (mut head, body) = answer.into_parts();
        check_size(&head.headers, &host)?;

        let total = call.timeouts.total.map(|limit| (started + limit, limit));
        let coding = if call.decode {
            decode::named(&head.headers).map_err(|why| TransportError::Decode { host: host.clone(), why })?
        } else {
            None
        };
        let body = RawBody::new(body, host, running, self.0.options.decode_limit)
            .with_limits(call.timeouts.idle, total);
        let body = match coding {
            Some(coding) => {
                head.headers.remove(header::CONTENT_ENCODING);
                head.headers.remove(header::CONTENT_LENGTH);
                ReplyBody::decoding(Decoding::new(body, coding))
            }
            None if call.decode => ReplyBody::sniffed(body),
            None => ReplyBody::raw(body),
        };
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    /// Sends a call and reads the whole answer, which may have at most `limit` bytes after decoding.
    ///
    /// # Errors
    /// Every kind.
    pub async fn send_buffered(&self, call: Call, limit: usize) -> Result<BufferedReply, TransportError> {
        let host = Host::of(&call.url)?;
        let Reply { status, headers, mut body } = self.send(call).await?;
        let announced = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
        let mut whole = BytesMut::with_capacity(announced.unwrap_or_default().min(limit));
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                if data.len() > limit.saturating_sub(whole.len()) {
                    return Err(TransportError::TooLarge { host, limit });
                }
                whole.extend_from_slice(&data);
            }
        }
        Ok(BufferedReply { status, headers, body: Bytes::from(whole) })
    }

    /// The clients for the way out that this call takes.
    fn clients(&self, call: &Call, host: &Host) -> Arc<Clients> {
        let mut proxy = call.proxy.as_ref().unwrap_or(&self.0.options.proxy);
        // An environment that names a proxy for the world does not mean the server next door, and a key for that
        // server must not travel there in the clear.
        if *proxy == ProxyChoice::System && host.is_loopback() {
            proxy = &ProxyChoice::Direct;
        }
        if *proxy == self.0.options.proxy && call.ca_files.is_empty() {
            return Arc::clone(&self.0.usual.lock());
        }
        let mut others = self.0.others.lock();
        let files = || self.0.options.ca_files.iter().chain(call.ca_files.iter());
        let same = |clients: &&Arc<Clients>| {
            clients.route.proxy == *proxy && clients.route.ca_files.iter().eq(files())
        };
        if let Some(found) = others.iter().find(same) {
            return Arc::clone(found);
        }
        let route = Route {
            proxy: proxy.clone(),
            ca_files: files().cloned().collect(),
            connect_timeout: self.0.options.connect_timeout,
        };
        let clients = Arc::new(Clients::new(route));
        others.push(Arc::clone(&clients));
        clients
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("options", &self.0.options).finish_non_exhaustive()
    }
}

fn check_size(headers: &HeaderMap, host: &Host) -> Result<(), TransportError> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > MAX_HEADER_BYTES as usize {
        let why = format!("its headers are larger than {MAX_HEADER_BYTES} bytes");
        return Err(TransportError::Garbled { host: host.clone(), why });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
