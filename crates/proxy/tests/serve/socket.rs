//! Responses over a WebSocket.

use super::{Running, start};
use byok_store::ClientKeyRow;
use byok_types::{ClientKeyId, SecretHash};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        protocol::frame::{
            Frame,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

type Socket = WebSocketStream<TcpStream>;
const KEY: &str = "byok-test-0123456789abcdef";

async fn dial(running: &Running, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
    let host = running.base.strip_prefix("http://").unwrap();
    let mut request = format!("ws://{host}/v1/responses").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    client_async(request, TcpStream::connect(host).await.unwrap()).await.map(|(socket, _)| socket)
}

async fn message(socket: &mut Socket) -> Message {
    tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap().unwrap().unwrap()
}

async fn event(socket: &mut Socket) -> Value {
    loop {
        match message(socket).await {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Sends a request and reads to the end of its answer.
async fn ask(socket: &mut Socket, body: Value) -> Vec<Value> {
    socket.send(Message::text(body.to_string())).await.unwrap();
    let mut events = Vec::new();
    loop {
        let event = event(socket).await;
        let over = matches!(event["type"].as_str(), Some("response.completed" | "response.failed" | "error"));
        events.push(event);
        if over {
            return events;
        }
    }
}

fn create(model: &str, input: Value) -> Value {
    json!({"type": "response.create", "model": model, "store": false, "input": input})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_within_a_connection() {
    let running = start("").await;
    for (round, model) in ["gpt-5.1", "claude-sonnet-5"].into_iter().enumerate() {
        let mut socket = dial(&running, &[("openai-beta", "responses_websockets=2026-02-06")]).await.unwrap();
        let events = ask(&mut socket, create(model, json!("My word is plum."))).await;
        assert_eq!(events[0]["type"], "response.created", "{events:?}");
        let first = events.last().unwrap()["response"].clone();
        assert!(first["usage"]["output_tokens"].as_u64().unwrap() > 0);
        let seen = running.simulator.requests().pop().unwrap();
        assert_eq!((seen.json()["stream"].clone(), seen.json().get("type")), (json!(true), None));
        assert_eq!(seen.header("openai-beta"), None);

        // Only what is new is sent; the upstream gets all of it.
        let mut next = create(model, json!([{"role": "user", "content": "And now?"}]));
        next["previous_response_id"] = first["id"].clone();
        let events = ask(&mut socket, next.clone()).await;
        assert_eq!(events.last().unwrap()["type"], "response.completed", "{events:?}");
        let sent = String::from_utf8_lossy(&running.simulator.requests().pop().unwrap().body).into_owned();
        assert!(
            sent.contains("plum") && sent.contains("And now?") && !sent.contains("previous_response_id"),
            "{sent}"
        );
        assert_eq!(running.record(2 + 3 * round).await.status, 200);

        // Another connection does not know it.
        let mut other = dial(&running, &[]).await.unwrap();
        let events = ask(&mut other, next).await;
        let error = &events.last().unwrap();
        assert_eq!((&error["type"], &error["status"]), (&json!("error"), &json!(400)), "{error}");
        assert_eq!(error["error"]["code"], "previous_response_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_wants_no_answer_is_remembered() {
    let running = start("").await;
    let mut socket = dial(&running, &[]).await.unwrap();
    let mut warm = create("gpt-5.1", json!("My word is plum."));
    warm["generate"] = json!(false);
    let events = ask(&mut socket, warm).await;
    assert_eq!((events.len(), &events[1]["response"]["output"]), (2, &json!([])));
    assert_eq!(running.simulator.request_count(), 0);
    let mut next = create("gpt-5.1", json!([]));
    next["previous_response_id"] = events[1]["response"]["id"].clone();
    assert_eq!(ask(&mut socket, next).await.last().unwrap()["type"], "response.completed");
    assert!(running.simulator.requests()[0].json()["input"].to_string().contains("plum"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_events_and_the_connection_goes_on() {
    let running = start("").await;
    let mut socket = dial(&running, &[]).await.unwrap();
    for (body, status, pointer, expected) in [
        (create("gpt-5.1", json!("sim:429 7")), 429, "/headers/retry-after", "7"),
        (create("no-such-model", json!("x")), 404, "/error/code", "model_not_found"),
        (json!({"type": "response.steer"}), 400, "/error/param", "type"),
        (json!([]), 400, "/error/param", "body"),
        (json!({"type": "response.create", "input": "x"}), 400, "/error/param", "model"),
    ] {
        let events = ask(&mut socket, body).await;
        let last = events.last().unwrap();
        assert_eq!((last["type"].as_str(), last["status"].as_u64()), (Some("error"), Some(status)), "{last}");
        assert_eq!(last.pointer(pointer).and_then(Value::as_str), Some(expected), "{last}");
        assert!(last["headers"]["x-request-id"].is_string(), "{last}");
    }
    let events = ask(&mut socket, create("gpt-5.5", json!("Hello."))).await;
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    let broken = ask(&mut socket, create("claude-sonnet-5", json!("sim:close_mid 2"))).await;
    assert_eq!(broken.last().unwrap()["type"], "response.failed", "{broken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_stands_before_a_socket_too() {
    let running = start("").await;
    let refused = |socket: Result<Socket, Error>| match socket {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(dial(&running, &[("origin", "http://evil.example")]).await), 403);
    assert_eq!(refused(dial(&running, &[("host", "evil.example")]).await), 421);
    let keyed = start(&format!("api_keys: ['{KEY}']\n")).await;
    assert_eq!(refused(dial(&keyed, &[]).await), 401);
    let bearer = format!("Bearer {KEY}");
    let mut socket = dial(&keyed, &[("authorization", &bearer)]).await.unwrap();
    let events = ask(&mut socket, create("gpt-5.1", json!("Hello."))).await;
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    assert!(keyed.record(1).await.client_key.is_some());
    // Without an upgrade Codex falls back at once.
    let answer = running.client.get(format!("{}/v1/responses", running.base)).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["upgrade"]),
        (426, &"websocket".parse().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_the_call_and_limits_hold() {
    let running = start("limits: { body: 10KiB }\n").await;
    let mut socket = dial(&running, &[]).await.unwrap();
    socket.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(message(&mut socket).await, Message::Pong("p".into()));
    socket.send(Message::text(create("gpt-5.1", json!("sim:stall_mid 1")).to_string())).await.unwrap();
    while event(&mut socket).await["type"] != "response.output_text.delta" {}
    // While it is answered the client is still heard.
    socket.send(Message::Ping("q".into())).await.unwrap();
    let left = running.simulator.cancelled();
    drop(socket);
    tokio::time::timeout(Duration::from_secs(20), left).await.unwrap();

    let mut socket = dial(&running, &[]).await.unwrap();
    socket.send(Message::text(create("gpt-5.1", json!("x".repeat(20 << 10))).to_string())).await.unwrap();
    match message(&mut socket).await {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Size),
        other => panic!("{other:?}"),
    }
    let mut socket = dial(&running, &[]).await.unwrap();
    socket.send(Message::Binary(vec![1].into())).await.unwrap();
    match message(&mut socket).await {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Unsupported),
        other => panic!("{other:?}"),
    }
    let mut socket = dial(&running, &[]).await.unwrap();
    let no_text = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
    socket.send(Message::Frame(no_text)).await.unwrap();
    match message(&mut socket).await {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Invalid),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_told_when_byok_stops() {
    let mut running = start("").await;
    let mut socket = dial(&running, &[]).await.unwrap();
    let events = ask(&mut socket, create("gpt-5.1", json!("Hello."))).await;
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    drop(running.stop.take());
    match message(&mut socket).await {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Away),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_withdrawn_ends_what_a_connection_may_ask() {
    // Another key stays: without any, a loopback address is open to all.
    let running = start(&format!("api_keys: ['{KEY}']\n")).await;
    let key = "byok-test-withdrawn-0123456789abcdef";
    let id = ClientKeyId::new("key-1").unwrap();
    let row = ClientKeyRow {
        id: id.clone(),
        hash: SecretHash::of(key),
        label: "laptop".to_owned(),
        user: None,
        groups: Vec::new(),
        models: Vec::new(),
        limits: None,
        expires_at: None,
        created_at: 1,
        revoked_at: None,
        debug: false,
    };
    running.store.client_keys.insert(row).await.unwrap();
    running.app.rebuild().await;
    let bearer = format!("Bearer {key}");
    let mut socket = dial(&running, &[("authorization", &bearer)]).await.unwrap();
    let events = ask(&mut socket, create("gpt-5.1", json!("Hello."))).await;
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    let asked = running.simulator.request_count();
    assert!(running.store.client_keys.revoke(&id).await.unwrap());
    running.app.rebuild().await;
    let events = ask(&mut socket, create("gpt-5.1", json!("And now?"))).await;
    let last = events.last().unwrap();
    assert_eq!((last["type"].as_str(), last["status"].as_u64()), (Some("error"), Some(401)), "{last}");
    assert_eq!(running.simulator.request_count(), asked, "nobody was asked");
}

/// On one thread, so that the clock can be moved: five minutes pass at once.
#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let running = start("").await;
    let mut socket = dial(&running, &[]).await.unwrap();
    let events = ask(&mut socket, create("gpt-5.1", json!("Hello."))).await;
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(299)).await;
    // Whoever speaks stays.
    socket.send(Message::Ping("p".into())).await.unwrap();
    tokio::time::resume();
    assert_eq!(message(&mut socket).await, Message::Pong("p".into()));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(301)).await;
    tokio::time::resume();
    match message(&mut socket).await {
        Message::Close(Some(frame)) => {
            assert_eq!(
                (frame.code, frame.reason.as_str()),
                (CloseCode::Normal, "nothing was said for five minutes")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_waits_for_connections_and_says_why_it_closes_them() {
    let mut running = start("").await;
    let mut idle = dial(&running, &[]).await.unwrap();
    let mut busy = dial(&running, &[]).await.unwrap();
    busy.send(Message::text(create("claude-sonnet-5", json!("sim:slow 60 200")).to_string())).await.unwrap();
    assert_eq!(event(&mut busy).await["type"], "response.created");
    // hyper lets go of a connection that is upgraded, so what is left are the two conversations.
    let left = async {
        while running.tasks.len() > 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), left).await.unwrap();
    assert_eq!(running.tasks.len(), 2, "an answer is running, and one may begin");
    drop(running.stop.take());
    running.tasks.close();
    let last = loop {
        let event = event(&mut busy).await;
        if matches!(event["type"].as_str(), Some("response.completed" | "response.failed")) {
            break event;
        }
    };
    assert_eq!(last["type"], "response.failed", "{last}");
    for socket in [&mut idle, &mut busy] {
        let Message::Close(Some(frame)) = message(socket).await else { panic!("no word of farewell") };
        assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Away, "byok is being stopped"));
    }
    drop((idle, busy));
    tokio::time::timeout(Duration::from_secs(30), running.tasks.wait()).await.unwrap();
    assert_ne!(running.record(1).await.error, None, "the answer did not end by itself");
}
