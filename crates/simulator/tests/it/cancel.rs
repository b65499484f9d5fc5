//! Calls that a client drops.

use crate::{
    client::{connect, request, simulator},
    plain::{ask, send},
};
use byok_simulator::Simulator;
use byok_types::Dialect;
use http_body_util::BodyExt;
use std::time::{Duration, Instant};

/// Begins a request, reads `chunks` chunks, then drops the connection.
async fn drop_after(simulator: &Simulator, dialect: Dialect, text: &str, chunks: usize) {
    let (target, headers, body) = ask(dialect, text, true);
    let (mut sender, connection) = connect(simulator).await;
    let mut all = headers;
    all.push(("content-type", "application/json"));
    let expected = simulator.request_count() + 1;
    let answer = sender.send_request(request("POST", &target, &all, body.to_string().into_bytes()));
    if chunks == 0 {
        // The answer never comes: give up once the simulator has the request.
        tokio::select! {
            _ = answer => panic!("there is an answer"),
            () = simulator.requests_reached(expected) => {}
        }
    } else {
        let mut body = answer.await.unwrap().into_body();
        for _ in 1..chunks {
            body.frame().await.unwrap().unwrap();
        }
    }
    connection.abort();
}

#[tokio::test]
async fn a_dropped_call_is_told_at_once() {
    let simulator = simulator().await;
    let cases = [("sim:silent", 0), ("sim:stall", 1), ("sim:stall_mid 1", 2), ("sim:slow 1000 50", 3)];
    for dialect in Dialect::ALL {
        for (text, chunks) in cases {
            drop_after(&simulator, dialect, text, chunks).await;
            let dropped = Instant::now();
            let notice = tokio::time::timeout(Duration::from_secs(5), simulator.cancelled()).await.unwrap();
            assert_eq!(notice.dialect, Some(dialect), "{text}");
            let noticed = notice.at.saturating_duration_since(dropped);
            assert!(noticed < Duration::from_secs(2), "{dialect} {text}: {noticed:?}");
        }
    }
    assert_eq!((simulator.open_calls(), simulator.cancelled_count()), (0, 16));
}

#[tokio::test]
async fn a_finished_call_is_no_loss() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            send(&simulator, dialect, "hello", stream).await;
        }
        send(&simulator, dialect, "sim:reset_mid", true).await;
        send(&simulator, dialect, "sim:empty", false).await;
    }
    assert_eq!((simulator.open_calls(), simulator.cancelled_count()), (0, 0));
}

#[tokio::test]
async fn a_stream_of_http2_is_dropped_alone() {
    let simulator = simulator().await;
    let stream = tokio::net::TcpStream::connect(simulator.address()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let ask = |text: &str| {
        let (target, mut headers, body) = ask(Dialect::Chat, text, true);
        headers.push(("content-type", "application/json"));
        let target = format!("{}{target}", simulator.base_url());
        let mut request = http::Request::post(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(http_body_util::Full::new(bytes::Bytes::from(body.to_string()))).unwrap()
    };
    let stalled = sender.send_request(ask("sim:stall")).await.unwrap();
    drop(stalled);
    let notice = simulator.cancelled().await;
    assert_eq!(notice.dialect, Some(Dialect::Chat));
    let answer = sender.send_request(ask("hello")).await.unwrap();
    assert_eq!(answer.status(), 200, "the connection lives on");
    assert_eq!(simulator.requests()[0].via, byok_simulator::Via::Http2);
}
