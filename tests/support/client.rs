//! HTTP clients: one for ordinary requests that shows an answer chunk by chunk, one that writes raw bytes.

use super::byok::PATIENCE;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{future::Future, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};

/// A request that is being written.
pub struct Call {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Call {
    pub fn get(target: impl Into<String>) -> Self {
        Self { method: "GET", target: target.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// A POST of JSON bytes.
    pub fn post(target: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let call = Self { method: "POST", target: target.into(), headers: Vec::new(), body: body.into() };
        call.header("content-type", "application/json")
    }

    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// Sets a header; an empty value takes it away.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub fn headers(mut self, pairs: &[(&str, &str)]) -> Self {
        for (name, value) in pairs {
            self = self.header(name, value);
        }
        self
    }

    /// Sends it on a connection of its own and waits for the head of the answer.
    pub async fn open(self, address: SocketAddr) -> Open {
        self.try_open(address).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    pub async fn try_open(self, address: SocketAddr) -> Result<Open, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(1 << 20)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        let connection = Connection(tokio::spawn(connection).abort_handle());
        let mut request = Request::builder().method(self.method).uri(&self.target);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header("host", address.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body)).unwrap();
        let answer = bounded("the head of an answer", sender.send_request(request)).await;
        let (head, body) = answer.map_err(|error| error.to_string())?.into_parts();
        Ok(Open { status: head.status.as_u16(), headers: head.headers, body, _connection: connection })
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self, address: SocketAddr) -> Answer {
        self.open(address).await.whole().await
    }
}

/// Fails a test that waits too long.
pub async fn bounded<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// An answer whose head has come. Dropping it closes the connection.
pub struct Open {
    pub status: u16,
    pub headers: HeaderMap,
    body: Incoming,
    _connection: Connection,
}

/// Closes the connection when it is dropped.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Open {
    /// The next bytes of the body; `None` at its end, `Err` if it broke off.
    pub async fn next(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            match bounded("bytes of an answer", self.body.frame()).await {
                None => return None,
                Some(Err(error)) => return Some(Err(error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
            }
        }
    }

    /// Reads on until `text` has come; returns what was read.
    pub async fn until(&mut self, text: &str) -> String {
        let mut read = String::new();
        while !read.contains(text) {
            let bytes =
                self.next().await.unwrap_or_else(|| panic!("the answer ended before `{text}`: {read}"));
            read.push_str(&String::from_utf8_lossy(&bytes.unwrap()));
        }
        read
    }

    /// Reads to the end.
    pub async fn whole(mut self) -> Answer {
        let (mut chunks, mut complete) = (Vec::new(), true);
        while let Some(bytes) = self.next().await {
            match bytes {
                Ok(bytes) => chunks.push(bytes),
                Err(_) => {
                    complete = false;
                    break;
                }
            }
        }
        Answer { status: self.status, headers: self.headers.clone(), body: chunks.concat(), complete }
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether the body ended as HTTP wants it.
    pub complete: bool,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
    }
}

/// A connection on which a test writes bytes of its own making.
pub struct Raw(TcpStream);

impl Raw {
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Writes; a server that has hung up is no failure here.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = bounded("a write", self.0.write_all(bytes.as_ref())).await;
    }

    /// Reads to the end of the connection.
    pub async fn rest(mut self) -> String {
        let mut all = Vec::new();
        let _ = bounded("the end of a connection", self.0.read_to_end(&mut all)).await;
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Reads at most `most` bytes; an empty answer is the end.
    pub async fn some(&mut self, most: usize) -> Vec<u8> {
        let mut buffer = vec![0; most];
        let read = bounded("some bytes", self.0.read(&mut buffer)).await.unwrap_or(0);
        buffer.truncate(read);
        buffer
    }

    /// Sends one request and reads to the end; asks for the connection to be closed.
    pub async fn talk(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let mut raw = Self::open(address).await;
        raw.write(bytes).await;
        raw.rest().await
    }
}
