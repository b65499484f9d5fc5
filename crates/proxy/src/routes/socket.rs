//! Responses over a WebSocket (`GET /v1/responses`), as Codex CLI speaks it. Each message is a request of its own: the door
//! checks it again, it has an id, a place and a record of its own. What the connection said and heard is remembered for as
//! long as it lives, so that a message may bring only what is new.

use super::{
    Visit,
    dialects::{Kind, answer, arrival, busy, stored_for},
};
use crate::{
    app::{self, App},
    gate, reply,
    server::Upgraded,
    stored::{Bounds, Keeper, Place, Shelf, resolve},
};
use axum::{
    extract::{
        Extension, FromRequestParts, Request, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use byok_provider::ledger::Arrival;
use byok_translate::{
    codec,
    responses::socket::{Create, is_last, refused, remembered},
    sse,
};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a connection may say nothing between two requests.
const SILENCE: Duration = Duration::from_mins(5);
/// How many answers of a connection are remembered: it goes on from the last, or from the one before if that failed.
const REMEMBERED: usize = 4;
/// How long what was said is remembered: a connection does not live longer at the vendor.
const MEMORY: Duration = Duration::from_hours(1);

/// What a client is told whose connection byok ends because it is stopped. An answer that runs is given its time before.
const STOPPED: Option<(u16, &str)> = Some((close_code::AWAY, "byok is being stopped"));

/// Opens a connection; whoever asks without an upgrade is told what this is.
pub(crate) async fn upgrade(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        let failure = Failure::new(
            FailureKind::BadRequest,
            Blame::Client,
            "`GET /v1/responses` opens a WebSocket (version 13, HTTP/1.1). Without one, send `POST /v1/responses`.",
        );
        let mut response = reply::failure(Dialect::Responses, &failure.with_status(426), visit.id.as_str());
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return response;
    };
    let Some(place) = app.connections().try_take() else {
        return reply::failure(Dialect::Responses, &busy(), visit.id.as_str());
    };
    let Some(upgraded) = parts.extensions.remove::<Upgraded>() else {
        return reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let limit = visit.current.state.config.limits.body;
    parts.extensions.clear();
    let bounds = Bounds { bytes: limit, count: REMEMBERED, ttl: MEMORY };
    let owner = visit.admitted.caller.key.clone();
    let memory = Place { shelf: Arc::new(Shelf::default()), bounds, owner };
    let session = Session { app, peer: visit.peer, parts, memory, upgraded };
    upgrade.max_message_size(limit).max_frame_size(limit).on_upgrade(async move |socket| {
        session.run(socket).await;
        drop(place);
    })
}

struct Session {
    app: App,
    peer: gate::Peer,
    /// The head of the request that opened the connection.
    parts: Parts,
    /// What was said on this connection.
    memory: Place,
    upgraded: Upgraded,
}

type Sender = SplitSink<WebSocket, Message>;
type Receiver = SplitStream<WebSocket>;

/// What came from the client.
enum Came {
    Request(Bytes),
    Nothing,
    /// The connection is over; with a code if the client is to be told why.
    Over(Option<(u16, &'static str)>),
}

impl Session {
    async fn run(self, socket: WebSocket) {
        let (mut sender, mut receiver) = socket.split();
        let mut waiting: Option<Bytes> = None;
        let why = loop {
            if self.upgraded.stop.is_cancelled() {
                break STOPPED;
            }
            let message = match waiting.take() {
                Some(message) => message,
                None => match self.next(&mut receiver).await {
                    Came::Request(message) => message,
                    Came::Nothing => continue,
                    Came::Over(why) => break why,
                },
            };
            let mut answering = std::pin::pin!(self.turn(message, &mut sender));
            // Read on while answering: this is how a client that leaves is noticed. One request may wait.
            let over = loop {
                tokio::select! {
                    sent = answering.as_mut() => break sent.err().map(|_| None),
                    came = receiver.next(), if waiting.is_none() => match read(came) {
                        Came::Request(message) => waiting = Some(message),
                        Came::Nothing => {}
                        Came::Over(why) => break Some(why),
                    },
                }
            };
            if let Some(why) = over {
                break why;
            }
        };
        if let Some((code, reason)) = why {
            let frame = CloseFrame { code, reason: reason.into() };
            // The client may be gone already.
            let _ = sender.send(Message::Close(Some(frame))).await;
        }
    }

    async fn next(&self, receiver: &mut Receiver) -> Came {
        tokio::select! {
            came = receiver.next() => read(came),
            () = tokio::time::sleep(SILENCE) => Came::Over(Some((close_code::NORMAL, "nothing was said for five minutes"))),
            () = self.upgraded.stop.cancelled() => Came::Over(STOPPED),
        }
    }

    /// Answers one message.
    async fn turn(&self, message: Bytes, sender: &mut Sender) -> Result<(), axum::Error> {
        let events = match self.serve(message).await {
            Ok(Served::Remembered(events)) => events,
            Ok(Served::Answer(response)) | Err(response) => return send(*response, sender).await,
        };
        for event in events {
            sender.send(Message::text(event)).await?;
        }
        Ok(())
    }

    /// `Err` is the answer to a request that is not served.
    async fn serve(&self, message: Bytes) -> Result<Served, Box<Response>> {
        let visit = self.visit()?;
        let arrival = arrival(&visit, Dialect::Responses);
        let turn_away = |arrival: Arrival, failure: &Failure| {
            Box::new(reply::outbound(self.app.executor().turn_away(arrival, failure)))
        };
        let Some(place) = self.app.place() else { return Err(turn_away(arrival, &busy())) };
        let arrival = Arrival { place: Some(place), ..arrival };
        let stored = stored_for(&self.app, &visit);
        let places: Vec<Place> = [self.memory.clone()].into_iter().chain(stored.clone()).collect();
        let read = Create::of(&message)
            .and_then(|create| Ok((resolve(create.body, &places, &visit.current.state)?, create.generate)));
        let (resolved, generate) = match read {
            Ok(read) => read,
            Err(failure) => return Err(turn_away(arrival, &failure)),
        };
        if !generate {
            // Nobody is asked: what was said is there when the next message goes on from it.
            let id = format!("resp_{}", visit.id.as_str());
            let events = remembered(&id, &resolved.model, visit.at_ms / 1000);
            let place = &self.memory;
            place.shelf.remember((place.owner.clone(), id), resolved.input, place.bounds);
            return Ok(Served::Remembered(events));
        }
        // Kept for this connection whenever all of it is known, and for others if the settings and the request say so.
        let places = match (resolved.whole, resolved.store) {
            (false, _) => Vec::new(),
            (true, true) => places,
            (true, false) => vec![self.memory.clone()],
        };
        let headers = travelling(&self.parts.headers);
        // What only this connection remembers is not stored.
        let kept = stored.is_some() && resolved.whole && resolved.store;
        let kind = Kind { previous: resolved.previous, kept, ..Kind::of(Dialect::Responses) };
        let outbound = answer(&self.app, visit, arrival, headers, resolved.body, kind).await;
        Ok(Served::Answer(Box::new(Keeper { places, input: resolved.input }.watch(outbound))))
    }

    /// A message is let in like a request of its own: its key may have been withdrawn since.
    fn visit(&self) -> Result<Visit, Box<Response>> {
        let id = app::request_id().map_err(|_| Box::new(reply::empty(StatusCode::INTERNAL_SERVER_ERROR)))?;
        let current = self.app.current();
        let admitted = gate::check(&self.app, &current, self.peer, &self.parts, id.as_str())?;
        let (at, at_ms) = (Instant::now(), app::now_ms());
        Ok(Visit { id, at, at_ms, peer: self.peer, admitted, current })
    }
}

/// What a message leads to.
enum Served {
    Answer(Box<Response>),
    /// The events for a request that wants no answer.
    Remembered([String; 2]),
}

/// What the client sent.
fn read(came: Option<Result<Message, axum::Error>>) -> Came {
    match came {
        Some(Ok(Message::Text(text))) => Came::Request(text.into()),
        Some(Ok(Message::Binary(_))) => Came::Over(Some((close_code::UNSUPPORTED, "send text"))),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Came::Nothing,
        Some(Ok(Message::Close(_))) | None => Came::Over(None),
        Some(Err(error)) => Came::Over(why(&error)),
    }
}

/// What a client is told whose message cannot be read: the error itself is of a crate that axum does not show.
fn why(error: &axum::Error) -> Option<(u16, &'static str)> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("too long") || text.contains("too large") {
            return Some((close_code::SIZE, "larger than `limits.body`"));
        }
        if text.contains("UTF-8") || text.contains("utf-8") {
            return Some((close_code::INVALID, "text must be UTF-8"));
        }
        cause = error.source();
    }
    None
}

/// The headers that opened the connection, without what is about the connection.
fn travelling(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    let of_sockets =
        |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("responses_websockets"));
    if headers.get("openai-beta").is_some_and(of_sockets) {
        headers.remove("openai-beta");
    }
    headers
}

/// Sends an answer, one event a message; a refusal is one event.
async fn send(response: Response, sender: &mut Sender) -> Result<(), axum::Error> {
    let (head, mut body) = response.into_parts();
    if head.status != StatusCode::OK {
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let headers =
            head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        return sender.send(Message::text(refused(head.status.as_u16(), headers, &body))).await;
    }
    let mut frames = sse::Decoder::default();
    let mut over = false;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        // What follows the last event is read, so that the call comes to its end, and not sent.
        if over {
            continue;
        }
        let mut events = Vec::new();
        let whole = frames.push(&data, |frame| {
            if frame.data.starts_with(b"{") {
                events.push(String::from_utf8_lossy(frame.data).into_owned());
            }
        });
        if whole.is_err() {
            let failure =
                Failure::new(FailureKind::Server, Blame::Upstream, "an event of the answer is too large.");
            let body = codec::encode_failure(Dialect::Responses, &failure.with_status(502), "");
            return sender.send(Message::text(refused(502, [].into_iter(), &body))).await;
        }
        if events.is_empty() && data.starts_with(b":") {
            // What keeps a stream of events alive.
            sender.send(Message::Ping(Bytes::new())).await?;
        }
        for event in events {
            over = is_last(&event);
            sender.feed(Message::text(event)).await?;
            if over {
                break;
            }
        }
        sender.flush().await?;
    }
    Ok(())
}
