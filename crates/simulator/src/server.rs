//! Connections, routes, and the HTTP around every answer.

mod reply;
mod route;

pub(crate) use reply::Reply;

use crate::{
    body::SimBody,
    call::{Call, parse_query},
    codex, compatible, copilot, google, iflow, kimi, kiro,
    log::{Seen, Via},
    oauth, qwen,
    socket::{Hangup, Socket},
    vendor,
    world::World,
    xai,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use route::Route;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Largest request body: twice what any vendor takes.
const LARGEST_BODY: usize = 64 << 20;

/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A connection that ends without an answer. Nobody sees this: hyper drops the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends here without an answer: this is simulated, no action is needed")]
pub(crate) struct NoAnswer;

/// Accepts connections until the simulator is dropped.
pub(crate) async fn accept(listener: TcpListener, world: Arc<World>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // One client gave up, or there are no file handles left: the next try must not spin.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(connection(stream, Arc::clone(&world), stop.clone()));
    }
}

async fn connection(stream: TcpStream, world: Arc<World>, stop: CancellationToken) {
    // Frames are small and must not wait for each other; without the option they are only slower.
    let _ = stream.set_nodelay(true);
    let hangup = Hangup::default();
    let io = TokioIo::new(Socket::new(stream, hangup.clone()));
    let service = service_fn(move |request| answer(Arc::clone(&world), hangup.clone(), request));
    let server = auto::Builder::new(TokioExecutor::new());
    tokio::select! {
        () = stop.cancelled() => {}
        // Errors of a connection are the scenario's or the client's doing.
        _ = server.serve_connection(io, service) => {}
    }
}

async fn answer(
    world: Arc<World>,
    hangup: Hangup,
    request: Request<Incoming>,
) -> Result<Response<SimBody>, NoAnswer> {
    let (head, body) = request.into_parts();
    let route = Route::of(&head);
    let guard = world.watch.begin(head.uri.path(), route.dialect());
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| NoAnswer)?.to_bytes();
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: parse_query(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body,
    };
    if route.is_generation() && crate::bench::wanted(&call) {
        world.log.count_only();
    } else {
        world.log.push(Seen {
            method: call.method.clone(),
            path: call.path.clone(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: call.headers.clone(),
            body: call.body.clone(),
            dialect: route.dialect(),
            via: Via::from(head.version),
            at: Instant::now(),
        });
    }
    let reply = match &route {
        Route::Generate(dialect, target) => vendor::generate(&world, &call, *dialect, target),
        Route::Count(dialect, model) => vendor::count(&world, &call, *dialect, model.as_deref()),
        Route::Models(dialect, id) => vendor::models(&world, &call, *dialect, id.as_deref()),
        Route::ListOf(server) => Reply::json(200, Vec::new(), &compatible::list(*server)),
        Route::Beside(neighbour, model) => vendor::beside(&world, &call, *neighbour, model.as_deref()),
        Route::Oauth(endpoint) => oauth::answer(&world, &call, *endpoint),
        Route::Google(endpoint) => google::answer(&world, &call, endpoint),
        Route::Copilot(endpoint) => copilot::answer(&world, &call, *endpoint),
        Route::Kimi(endpoint) => kimi::answer(&world, &call, *endpoint),
        Route::Codex(endpoint) => codex::answer(&world, &call, *endpoint),
        Route::Xai(endpoint) => xai::answer(&world, &call, *endpoint),
        Route::Qwen(endpoint) => qwen::answer(&world, &call, *endpoint),
        Route::Iflow(endpoint) => iflow::answer(&world, &call, *endpoint),
        Route::Kiro(endpoint) => kiro::answer(&world, &call, *endpoint),
        Route::Nowhere => Reply::nowhere(&call),
    };
    reply.send(hangup, guard).await
}
