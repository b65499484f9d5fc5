//! A client of a few lines: sends one request on a connection of its own and shows what came back, chunk by chunk.

use byok_simulator::{SimOptions, Simulator};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle};

pub const ANTHROPIC: [(&str, &str); 2] =
    [("x-api-key", "sk-ant-api03-test"), ("anthropic-version", "2023-06-01")];
pub const OPENAI: [(&str, &str); 1] = [("authorization", "Bearer sk-test")];
pub const GEMINI: [(&str, &str); 1] = [("x-goog-api-key", "AIza-test")];

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub chunks: Vec<Bytes>,
    /// Whether the body ended as it should.
    pub complete: bool,
}

impl Answer {
    pub fn bytes(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap_or_else(|e| panic!("{e}: {:?}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `data:` documents of a stream.
    pub fn events(&self) -> Vec<Value> {
        self.data()
            .iter()
            .filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// The `data:` lines of a stream.
    pub fn data(&self) -> Vec<String> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }
}

pub async fn simulator() -> Simulator {
    Simulator::start(SimOptions::default()).await.unwrap()
}

type Sender = hyper::client::conn::http1::SendRequest<Full<Bytes>>;

/// Opens a connection for one request; aborting the task drops it.
pub async fn connect(simulator: &Simulator) -> (Sender, JoinHandle<hyper::Result<()>>) {
    let stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(1 << 20)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    (sender, tokio::spawn(connection))
}

pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(target).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// Sends a request; `None` if the connection ended before the headers.
pub async fn try_send(
    simulator: &Simulator,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Option<Answer> {
    let (mut sender, _) = connect(simulator).await;
    let response = sender.send_request(request(method, target, headers, body)).await.ok()?;
    let (head, mut body) = response.into_parts();
    let (mut chunks, mut complete) = (Vec::new(), true);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => chunks.extend(frame.into_data().ok()),
            Err(_) => {
                complete = false;
                break;
            }
        }
    }
    Some(Answer { status: head.status.as_u16(), headers: head.headers, chunks, complete })
}

pub async fn post(simulator: &Simulator, target: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    try_send(simulator, "POST", target, &all, body.to_string().into_bytes()).await.unwrap()
}

pub async fn get(simulator: &Simulator, target: &str, headers: &[(&str, &str)]) -> Answer {
    try_send(simulator, "GET", target, headers, Vec::new()).await.unwrap()
}
