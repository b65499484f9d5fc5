//! The login pages alone, for a command that waits for one login.

use super::{Front, answer, is_ours};
use crate::{
    access::{Hosts, Throttle},
    reply,
};
use axum::body::Body;
use byok_auth::Desk;
use http::{Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Time for the head of a request.
const HEADER_READ: Duration = Duration::from_secs(10);
/// Most connections: a browser opens a few.
const CONNECTIONS: usize = 32;
/// Wrong tokens that one address may show in a minute.
const WRONG: usize = 20;
/// Pause after an accept that failed.
const BREATHE: Duration = Duration::from_millis(100);

/// Serves the login pages and nothing else until `stop`; then open connections may end.
pub async fn serve(listener: TcpListener, desk: Desk, stop: CancellationToken) {
    let Ok(address) = listener.local_addr() else { return };
    let hosts = Hosts::new(&address.ip().to_string(), [], address.port());
    let shared = Arc::new((desk, hosts, Throttle::default()));
    let (places, tasks) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        let (shared, stop) = (shared.clone(), stop.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let shared = shared.clone();
            async move {
                let (desk, hosts, throttle) = &*shared;
                let front = Front { desk, hosts, throttle, wrong_per_minute: WRONG };
                if !is_ours(request.uri().path()) {
                    return Ok::<_, Infallible>(reply::empty(StatusCode::NOT_FOUND));
                }
                Ok(answer(front, peer.ip(), request.map(Body::new)).await)
            }
        });
        tasks.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_READ)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            // What goes wrong on one connection concerns only whoever opened it.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(place);
        });
    }
    tasks.close();
    tasks.wait().await;
}
