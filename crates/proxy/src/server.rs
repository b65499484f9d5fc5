//! Accepting connections. axum's own loop sets no time limit on a request's head, so a client that sends one byte a second
//! would hold a socket for ever; this one does.

use crate::{app::App, gate::Peer, routes, stall::Patient};
use axum::{body::Body, response::Response};
use byok_config::Config;
use byok_types::Blame;
use http::{Request, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// Pause after an accept that failed, for example because no file descriptor was left.
const BREATHE: Duration = Duration::from_millis(100);
/// Most header fields.
const HEADERS: usize = 100;
/// Buffer of an HTTP/1 connection beyond the head.
const BUFFER: usize = 64 << 10;
/// Streams of one HTTP/2 connection.
const STREAMS: u32 = 256;

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken.
    #[error("{0} is in use; if it is another byok, stop it, else choose a port with `--port`")]
    InUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {source}; choose another with `--host` and `--port`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// A socket that is listened on.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::InUse(address),
            _ => ServeError::Bind { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address, with the real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`: then no connection is accepted any more, idle ones are closed, and running requests go on. The
    /// connections are tasks of `tasks`, so that the caller can wait for them.
    pub async fn run(self, app: App, stop: CancellationToken, tasks: TaskTracker) {
        let router = routes::router(app.clone());
        let mut config = app.current().state.config.clone();
        let mut builder = Arc::new(builder(&config));
        loop {
            // The permit comes first: a connection that nobody will serve stays in the kernel's queue.
            let permit = tokio::select! {
                () = stop.cancelled() => return,
                permit = app.connections().take() => match permit {
                    Some(permit) => permit,
                    None => return,
                },
            };
            let (stream, peer) = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(BREATHE).await;
                        continue;
                    }
                },
            };
            let now = &app.current().state.config;
            if !Arc::ptr_eq(now, &config) {
                config = now.clone();
                builder = Arc::new(self::builder(now));
            }
            let (app, router, builder, stop) = (app.clone(), router.clone(), builder.clone(), stop.clone());
            let tracker = tasks.clone();
            tasks.spawn(async move {
                serve_connection(stream, peer, app, router, &builder, (stop, &tracker)).await;
                drop(permit);
            });
        }
    }
}

fn builder(config: &Config) -> auto::Builder<TokioExecutor> {
    let (header_read, header_bytes) = (config.timeouts.header_read, config.limits.header_bytes);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read)
        .max_headers(HEADERS)
        .max_buf_size(header_bytes.max(BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20);
    builder
}

/// What a connection that is upgraded needs to know of the server: hyper lets go of it before it ends.
#[derive(Clone)]
pub(crate) struct Upgraded {
    /// The server waits for whoever holds one.
    pub(crate) _waited_for: TaskTrackerToken,
    /// The server is being stopped; answers that run may end.
    pub(crate) stop: CancellationToken,
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: App,
    router: axum::Router,
    builder: &auto::Builder<TokioExecutor>,
    (stop, tasks): (CancellationToken, &TaskTracker),
) {
    // Without this, the first event of a stream waits for an acknowledgement of its head.
    let _ = stream.set_nodelay(true);
    let (silence, patience) = {
        let timeouts = &app.current().state.config.timeouts;
        (timeouts.header_read, timeouts.stalled_client)
    };
    let called = Arc::new(AtomicBool::new(false));
    let calling = called.clone();
    // A token is a task that is waited for, so it is taken when there is something to wait for.
    let upgraded = {
        let (tasks, stop) = (tasks.clone(), stop.clone());
        move || Upgraded { _waited_for: tasks.token(), stop: stop.clone() }
    };
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        calling.store(true, Ordering::Relaxed);
        if request.headers().contains_key(header::UPGRADE) {
            request.extensions_mut().insert(upgraded());
        }
        let (app, router) = (app.clone(), router.clone());
        // In a box of its own: what serving takes is freed when the answer begins, while the connection keeps this future's
        // place for as long as it is open.
        let served = Box::pin(routes::serve(app, router, Peer(peer), request.map(Body::new)));
        async move { Ok::<Response, Infallible>(served.await) }
    });
    // The limit on a head runs from its first byte; a connection that never sends one would keep its place for ever.
    let mut byte = [0; 1];
    let spoke = tokio::select! {
        () = stop.cancelled() => return,
        spoke = tokio::time::timeout(silence, stream.peek(&mut byte)) => spoke,
    };
    if !matches!(spoke, Ok(Ok(1..))) {
        tracing::debug!(%peer, "a connection that sent nothing was closed");
        return;
    }
    let stream = Patient::new(stream, patience);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            if !called.load(Ordering::Relaxed) {
                // Nobody waits for an answer to a head that is not there yet.
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            tracing::info!(%peer, %error, blame = ?Blame::Client, "something that is no request was refused");
        } else {
            tracing::debug!(%peer, %error, "connection ended");
        }
    }
}
