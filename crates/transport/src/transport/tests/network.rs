//! Proxies and certificates.

use super::{Transport, TransportOptions, answer, canned, get, get_from, listen, no_such_name, read_head};
use crate::testing::{Tls, answer_over_tls};
use crate::{ProxyChoice, TransportError};
use std::{io::Write as _, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
};

fn through(proxy: &str, ca_pem: &str) -> (Transport, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ca_pem.as_bytes()).unwrap();
    let options = TransportOptions {
        proxy: proxy.parse().unwrap(),
        ca_files: vec![file.path().to_owned()],
        ..TransportOptions::default()
    };
    (Transport::new(options).unwrap(), file)
}

#[tokio::test]
async fn plain_http_through_a_proxy() {
    let (proxy, mut heads) = canned(answer("", b"from the proxy")).await;
    let mut call = get("http://127.0.0.1:9/v1");
    call.proxy = Some(format!("http://ada:secret@{proxy}").parse().unwrap());
    let reply = super::direct().send_buffered(call, 100).await.unwrap();
    assert_eq!(reply.body, "from the proxy");
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("GET http://127.0.0.1:9/v1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: Basic YWRhOnNlY3JldA==\r\n"), "{head}");
}

#[tokio::test]
async fn a_call_may_go_directly_past_the_proxy() {
    let (proxy, mut heads) = canned(answer("", b"from the proxy")).await;
    let (server, _) = canned(answer("", b"from the server")).await;
    let transport = Transport::new(TransportOptions {
        proxy: format!("http://{proxy}").parse().unwrap(),
        ..TransportOptions::default()
    })
    .unwrap();
    let mut call = get_from(server);
    assert_eq!(transport.send_buffered(call.clone(), 100).await.unwrap().body, "from the proxy");
    heads.recv().await.unwrap();
    call.proxy = Some(ProxyChoice::Direct);
    assert_eq!(transport.send_buffered(call, 100).await.unwrap().body, "from the server");
    assert!(heads.try_recv().is_err());
}

#[tokio::test]
async fn tls_through_a_connect_proxy() {
    let tls = Tls::new();
    let acceptor = tls.acceptor.clone();
    let (heads, mut seen) = mpsc::unbounded_channel();
    let proxy = listen(move |mut socket| {
        let (acceptor, heads) = (acceptor.clone(), heads.clone());
        async move {
            heads.send(read_head(&mut socket).await).unwrap();
            socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            answer_over_tls(acceptor, socket).await;
        }
    })
    .await;
    let (transport, _file) = through(&format!("http://ada:secret@{proxy}"), &tls.ca_pem);
    let reply = transport.send_buffered(get("https://upstream.test/v1"), 100).await.unwrap();
    assert_eq!(reply.body, "ok");
    let head = seen.recv().await.unwrap();
    assert!(head.starts_with("CONNECT upstream.test:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: Basic YWRhOnNlY3JldA==\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("\r\nauthorization"), "{head}");
}

/// Plays a SOCKS5 server that wants a password; sends the name it was asked for to `asked`.
async fn socks5(tls: &Tls, asked: mpsc::UnboundedSender<String>) -> SocketAddr {
    let acceptor = tls.acceptor.clone();
    listen(move |mut socket| {
        let (acceptor, asked) = (acceptor.clone(), asked.clone());
        async move {
            let mut bytes = [0; 2];
            socket.read_exact(&mut bytes).await.unwrap();
            let mut methods = vec![0; bytes[1].into()];
            socket.read_exact(&mut methods).await.unwrap();
            assert!(methods.contains(&2), "a password was offered");
            socket.write_all(&[5, 2]).await.unwrap();
            assert_eq!(socket.read_u8().await.unwrap(), 1);
            for expected in ["ada", "secret"] {
                let mut word = vec![0; socket.read_u8().await.unwrap().into()];
                socket.read_exact(&mut word).await.unwrap();
                assert_eq!(word, expected.as_bytes());
            }
            socket.write_all(&[1, 0]).await.unwrap();
            let mut request = [0; 4];
            socket.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [5, 1, 0, 3], "connect, by name");
            let mut name = vec![0; socket.read_u8().await.unwrap().into()];
            socket.read_exact(&mut name).await.unwrap();
            let port = socket.read_u16().await.unwrap();
            asked.send(format!("{}:{port}", String::from_utf8(name).unwrap())).unwrap();
            socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            answer_over_tls(acceptor, socket).await;
        }
    })
    .await
}

#[tokio::test]
async fn tls_through_a_socks_proxy() {
    let tls = Tls::new();
    let (asked, mut names) = mpsc::unbounded_channel();
    let proxy = socks5(&tls, asked).await;
    let (transport, _file) = through(&format!("socks5h://ada:secret@{proxy}"), &tls.ca_pem);
    let reply = transport.send_buffered(get("https://upstream.test/v1"), 100).await.unwrap();
    assert_eq!(reply.body, "ok");
    assert_eq!(names.recv().await.unwrap(), "upstream.test:443");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_blamed() {
    let (refuses, _) =
        canned("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    let hangs_up = listen(|socket| async move { drop(socket) }).await;
    let cases = [
        format!("http://{refuses}"),
        format!("http://{hangs_up}"),
        format!("socks5h://{hangs_up}"),
        "http://127.0.0.1:1".to_owned(),
        format!("http://{}:1", no_such_name()),
    ];
    for proxy in cases {
        let mut call = get("https://upstream.test/v1");
        call.proxy = Some(proxy.parse().unwrap());
        let error = super::direct().send(call).await.unwrap_err();
        assert!(matches!(error, TransportError::Proxy { .. }), "{proxy}: {error:?}");
        assert!(!error.request_was_sent());
    }
}

#[tokio::test]
async fn certificates_are_checked_and_can_be_added() {
    let tls = Tls::new();
    let acceptor = tls.acceptor.clone();
    let proxy = listen(move |mut socket| {
        let acceptor = acceptor.clone();
        async move {
            read_head(&mut socket).await;
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            answer_over_tls(acceptor, socket).await;
        }
    })
    .await;
    let proxy_url = format!("http://{proxy}");

    let mut unknown = get("https://upstream.test/v1");
    unknown.proxy = Some(proxy_url.parse().unwrap());
    let error = super::direct().send(unknown.clone()).await.unwrap_err();
    assert!(matches!(error, TransportError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("ca_files"), "{error}");
    assert!(!error.request_was_sent());

    let (transport, file) = through(&proxy_url, &tls.ca_pem);
    assert_eq!(transport.send_buffered(get("https://upstream.test/v1"), 9).await.unwrap().body, "ok");
    let error = transport.send(get("https://other.test/v1")).await.unwrap_err();
    assert!(matches!(error, TransportError::Tls { .. }), "another name than the certificate's: {error:?}");

    unknown.ca_files = [file.path().to_owned()].into();
    assert_eq!(super::direct().send_buffered(unknown, 9).await.unwrap().body, "ok", "a file for one call");
}

#[test]
fn certificate_files_that_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "no certificate here").unwrap();
    let broken = dir.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap();
    for path in [dir.path().join("missing.pem"), empty, broken] {
        let options = TransportOptions { ca_files: vec![path.clone()], ..TransportOptions::default() };
        match Transport::new(options) {
            Err(TransportError::BadCa { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_offers_http2_gets_it() {
    let tls = Tls::speaking(&["h2", "http/1.1"]);
    let acceptor = tls.acceptor.clone();
    let proxy = listen(move |mut socket| {
        let acceptor = acceptor.clone();
        async move {
            read_head(&mut socket).await;
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let socket = acceptor.accept(socket).await.unwrap();
            let service =
                hyper::service::service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                    let version = format!("{:?}", request.version());
                    Ok::<_, std::convert::Infallible>(hyper::Response::new(version))
                });
            let executor = hyper_util::rt::TokioExecutor::new();
            let io = hyper_util::rt::TokioIo::new(socket);
            let _ = hyper::server::conn::http2::Builder::new(executor).serve_connection(io, service).await;
        }
    })
    .await;
    let (transport, _file) = through(&format!("http://{proxy}"), &tls.ca_pem);
    let (one, two) = tokio::join!(
        transport.send_buffered(get("https://upstream.test/1"), 99),
        transport.send_buffered(get("https://upstream.test/2"), 99)
    );
    assert_eq!((one.unwrap().body, two.unwrap().body), ("HTTP/2.0".into(), "HTTP/2.0".into()));
}

#[tokio::test]
async fn the_environment_names_a_proxy() {
    let (proxy, mut heads) =
        canned("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    // A process of its own, because the environment belongs to all tests of this one.
    let child = tokio::task::spawn_blocking(move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "transport::tests::network::with_a_proxy_in_the_environment"])
            .env("HTTPS_PROXY", format!("http://{proxy}"))
            .env("HTTP_PROXY", format!("http://{proxy}"))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap()
    });
    let output = child.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(heads.recv().await.unwrap().starts_with("CONNECT upstream.test:443 HTTP/1.1\r\n"));
    assert!(heads.try_recv().is_err(), "an address of this machine was called directly");
}

#[tokio::test]
#[ignore = "run by `the_environment_names_a_proxy`"]
async fn with_a_proxy_in_the_environment() {
    let transport = Transport::new(TransportOptions::default()).unwrap();
    let error = transport.send(get("https://upstream.test/v1")).await.unwrap_err();
    assert!(matches!(error, TransportError::Proxy { .. }), "{error:?}");
    let (server, _) = canned(answer("", b"ok")).await;
    assert_eq!(transport.send_buffered(get_from(server), 9).await.unwrap().body, "ok");
}
