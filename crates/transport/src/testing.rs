//! A server that says exactly the bytes it is told to.

use std::{future::Future, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Accepts connections for as long as the test runs and hands each to `serve`.
pub(crate) async fn listen<F, S>(serve: S) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream) -> F + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket));
        }
    });
    address
}

/// Answers every connection with the same bytes, then closes it; the heads of the requests come out of the receiver.
pub(crate) async fn canned(answer: impl Into<Vec<u8>>) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let answer: Arc<[u8]> = answer.into().into();
    let (heads, seen) = mpsc::unbounded_channel();
    let address = listen(move |mut socket| {
        let (answer, heads) = (Arc::clone(&answer), heads.clone());
        async move {
            let head = read_head(&mut socket).await;
            let _ = heads.send(head);
            let _ = socket.write_all(&answer).await;
            let _ = socket.shutdown().await;
        }
    })
    .await;
    (address, seen)
}

/// Reads up to the empty line that ends the head of a request.
pub(crate) async fn read_head(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An answer with a body of known length.
pub(crate) fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut all = format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
    all.extend_from_slice(body);
    all
}

/// A certificate for `upstream.test` and a server that shows it.
pub(crate) struct Tls {
    pub(crate) ca_pem: String,
    pub(crate) acceptor: tokio_rustls::TlsAcceptor,
}

impl Tls {
    pub(crate) fn new() -> Self {
        Self::speaking(&[])
    }

    /// With these protocols offered in the handshake.
    pub(crate) fn speaking(protocols: &[&str]) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["upstream.test".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { ca_pem: made.cert.pem(), acceptor: Arc::new(config).into() }
    }
}

/// Speaks TLS on `socket`, reads one request and answers `ok`.
pub(crate) async fn answer_over_tls(
    acceptor: tokio_rustls::TlsAcceptor,
    socket: impl AsyncRead + AsyncWrite + Unpin,
) {
    if let Ok(mut socket) = acceptor.accept(socket).await {
        read_head(&mut socket).await;
        let _ = socket.write_all(&answer("", b"ok")).await;
        let _ = socket.shutdown().await;
    }
}
