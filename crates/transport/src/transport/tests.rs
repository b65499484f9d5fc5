mod decoding;
mod limits;
mod network;

use super::{Transport, TransportOptions};
use crate::testing::{answer, canned, listen, read_head};
use crate::{BodyWait, Call, CallTimeouts, Host, ProxyChoice, TransportError};
use http::Method;
use std::{net::SocketAddr, time::Duration};
use url::Url;

/// Long enough for a busy machine: tests that pass never wait for it.
const LONG: Duration = Duration::from_secs(30);

fn direct() -> Transport {
    Transport::new(TransportOptions { proxy: ProxyChoice::Direct, ..TransportOptions::default() }).unwrap()
}

fn get(url: &str) -> Call {
    let url = Url::parse(url).unwrap();
    let host = Host::of(&url).unwrap();
    Call::new(Method::GET, url, [host].into(), CallTimeouts::within(LONG))
}

fn get_from(address: SocketAddr) -> Call {
    get(&format!("http://{address}/v1"))
}

/// A name that no resolver asks the network for: its label is too long.
fn no_such_name() -> String {
    format!("{}.localhost", "x".repeat(64))
}

#[tokio::test]
async fn a_credential_goes_only_to_its_hosts() {
    let (address, mut heads) = canned(answer("", b"ok")).await;
    let mut call = get_from(address);
    call.allowed_hosts = [Host::of(&Url::parse("https://api.example.com/").unwrap()).unwrap()].into();
    let error = direct().send(call.clone()).await.unwrap_err();
    assert!(matches!(error, TransportError::HostNotAllowed { .. }), "{error:?}");
    assert!(!error.request_was_sent());

    call.allowed_hosts = [].into();
    let error = direct().send(call).await.unwrap_err();
    assert!(matches!(error, TransportError::HostNotAllowed { .. }), "{error:?}");
    assert!(heads.try_recv().is_err(), "nothing was dialled");
}

#[tokio::test]
async fn a_credential_over_plain_http_stays_on_this_machine() {
    let refused = async |call| {
        let error = direct().send(call).await.unwrap_err();
        assert!(matches!(error, TransportError::NotEncrypted { .. }), "{error:?}");
    };
    refused(get("http://192.0.2.1/v1")).await;
    let mut call = get("http://192.0.2.1/v1");
    call.without_secrets = true;
    let mut key = http::HeaderValue::from_static("Bearer k");
    key.set_sensitive(true);
    call.headers.insert(http::header::AUTHORIZATION, key);
    refused(call).await;
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let (address, mut heads) =
        canned("HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n").await;
    let reply = direct().send_buffered(get_from(address), 10).await.unwrap();
    assert_eq!(reply.status, 307);
    assert_eq!(reply.headers["location"], "/elsewhere");
    assert!(heads.recv().await.unwrap().starts_with("GET /v1 HTTP/1.1\r\n"));
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
async fn headers_that_byok_adds_and_headers_that_win() {
    let (address, mut heads) = canned(answer("", b"ok")).await;
    let transport = direct();
    transport.send_buffered(get_from(address), 10).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(head.contains(&format!("user-agent: {}\r\n", crate::USER_AGENT)), "{head}");
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    assert!(!head.contains("referer"), "{head}");

    let mut call = get_from(address);
    call.headers.insert("user-agent", "caller/1".parse().unwrap());
    call.headers.insert("accept-encoding", "gzip".parse().unwrap());
    transport.send_buffered(call, 10).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(
        head.contains("user-agent: caller/1\r\n") && head.contains("accept-encoding: gzip\r\n"),
        "{head}"
    );
    assert_eq!(head.matches("user-agent").count(), 1, "{head}");
}

#[tokio::test]
async fn what_breaks_is_named() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let error = direct().send(get_from(closed)).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{error:?}");
    assert!(!error.request_was_sent());

    let (hangs_up, _) = canned("").await;
    let error = direct().send(get_from(hangs_up)).await.unwrap_err();
    assert!(matches!(error, TransportError::Reset { after_headers: false, .. }), "{error:?}");
    assert!(error.request_was_sent());

    let (cut, _) = canned("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let error = direct().send_buffered(get_from(cut), 1000).await.unwrap_err();
    assert!(matches!(error, TransportError::Reset { after_headers: true, .. }), "{error:?}");

    let (other, _) = canned("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let error = direct().send(get_from(other)).await.unwrap_err();
    assert!(matches!(error, TransportError::Garbled { .. }), "{error:?}");

    let error = direct().send(get(&format!("http://{}/v1", no_such_name()))).await.unwrap_err();
    assert!(matches!(error, TransportError::Dns { .. }), "{error:?}");
    assert!(!error.request_was_sent());
}

#[tokio::test]
async fn no_error_shows_path_query_or_header() {
    let (hangs_up, _) = canned("").await;
    let (garbled, _) = canned("canary?\r\n\r\n").await;
    for address in [hangs_up, garbled, SocketAddr::from(([127, 0, 0, 1], 1))] {
        let mut call = get(&format!("http://{address}/canary-path?key=canary-query"));
        call.headers.insert("authorization", "Bearer canary-header".parse().unwrap());
        assert!(!format!("{call:?}").contains("canary"));
        let error = direct().send(call).await.unwrap_err();
        let mut text = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn no_headers_in_time() {
    let address = listen(|mut socket| async move {
        read_head(&mut socket).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut call = get_from(address);
    call.timeouts = CallTimeouts::stream(Duration::from_millis(50), LONG);
    let error = direct().send(call).await.unwrap_err();
    assert!(matches!(error, TransportError::HeadersTimeout { .. }), "{error:?}");
    assert!(error.request_was_sent());
}

#[tokio::test]
async fn no_body_in_time() {
    use tokio::io::AsyncWriteExt as _;
    let short = Duration::from_millis(50);
    let cases = [
        (CallTimeouts::stream(LONG, short), BodyWait::Idle),
        (CallTimeouts { headers: LONG, idle: Some(LONG), total: Some(short) }, BodyWait::Total),
    ];
    for (timeouts, expected) in cases {
        let address = listen(|mut socket| async move {
            read_head(&mut socket).await;
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        let mut call = get_from(address);
        call.timeouts = timeouts;
        match direct().send_buffered(call, 100).await.unwrap_err() {
            TransportError::BodyTimeout { wait, after, .. } => assert_eq!((wait, after), (expected, short)),
            other => panic!("{other:?}"),
        }
    }
}
