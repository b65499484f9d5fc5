//! An exchange goes through byok in its own dialect byte for byte: the real binary, with a vendor behind it that answers
//! what was recorded.

use super::{
    check::Difference,
    load::{DIALECTS, Recording},
};
use crate::support::{byok::Byok, client::Call};
use byok_types::Dialect;
use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

const CHECK: &str = "pass";

/// What the vendor will say, and what it was asked.
#[derive(Default)]
struct Exchange {
    status: u16,
    content_type: String,
    body: Bytes,
    asked: Vec<(String, Bytes)>,
}

/// Byok with one provider, and its vendor.
pub struct Line {
    byok: Byok,
    vendor: Arc<Mutex<Exchange>>,
}

impl Line {
    /// One line for each dialect.
    pub async fn all(recordings: &[Recording]) -> Vec<(Dialect, Self)> {
        let mut lines = Vec::new();
        for dialect in DIALECTS {
            lines.push((dialect, Self::new(dialect, recordings).await));
        }
        lines
    }

    pub async fn new(dialect: Dialect, recordings: &[Recording]) -> Self {
        let vendor = Arc::new(Mutex::new(Exchange::default()));
        let address = serve(vendor.clone()).await;
        let models: BTreeSet<&str> = recordings.iter().filter(|r| r.dialect == dialect).map(model).collect();
        // The vendor itself counts tokens, too.
        let models: Vec<Value> =
            models.into_iter().map(|id| json!({"id": id, "first_party": true})).collect();
        let (kind, base) = match dialect {
            Dialect::Chat => ("openai", format!("http://{address}/v1")),
            Dialect::Responses => ("responses", format!("http://{address}/v1")),
            Dialect::Messages => ("anthropic", format!("http://{address}")),
            Dialect::Gemini => ("gemini", format!("http://{address}")),
        };
        let provider = json!({"kind": kind, "base_url": base, "api_key": "sk-recorded", "models": models});
        let config = json!({"providers": {"recorded": provider}});
        Self { byok: Byok::start(config.to_string()).await, vendor }
    }

    pub async fn run(&self, recording: &Recording) -> Vec<Difference> {
        let request = request(recording);
        let sent = Bytes::from(request.to_string());
        {
            let mut vendor = self.vendor.lock().unwrap();
            vendor.status = recording.status;
            vendor.content_type.clone_from(&recording.content_type);
            vendor.body = Bytes::from(recording.body.clone());
            vendor.asked.clear();
        }
        let call = Call::post(target(recording), sent.clone()).header("anthropic-version", "2023-06-01");
        let answer = call.send(self.byok.address()).await;
        let asked = std::mem::take(&mut self.vendor.lock().unwrap().asked);
        let mut found = Vec::new();
        let [(_, body)] = asked.as_slice() else {
            let how =
                format!("the vendor was asked {} times; {}: {}", asked.len(), answer.status, answer.text());
            return vec![Difference::new(CHECK, "asked", how)];
        };
        if *body != sent {
            let how = format!("{} became {}", request, String::from_utf8_lossy(body));
            found.push(Difference::new(CHECK, "request", how));
        }
        if answer.status != recording.status {
            let how = format!("{} became {}: {}", recording.status, answer.status, answer.text());
            found.push(Difference::new(CHECK, "status", how));
        }
        if answer.body != recording.body || !answer.complete {
            let said = String::from_utf8_lossy(&recording.body).into_owned();
            let how = super::plain::difference(&said, &answer.text());
            found.push(Difference::new(CHECK, "answer", how));
        }
        // Every error that byok hands on is JSON by name, too.
        let error = recording.status >= 400 && answer.header("content-type") == "application/json";
        if answer.header("content-type") != recording.content_type && !error {
            let how = format!("{} became {}", recording.content_type, answer.header("content-type"));
            found.push(Difference::new(CHECK, "content type", how));
        }
        found
    }
}

/// The recorded request, or a small one where it is unknown.
fn request(recording: &Recording) -> Value {
    let mut request = recording.request.clone().unwrap_or_else(|| match recording.dialect {
        Dialect::Chat => json!({"messages": [{"role": "user", "content": "Hello"}]}),
        Dialect::Responses => json!({"input": "Hello"}),
        Dialect::Messages => json!({"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1024}),
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}),
    });
    if recording.request.is_none() && recording.dialect != Dialect::Gemini {
        request["model"] = json!(model(recording));
        if recording.stream {
            request["stream"] = json!(true);
        }
    }
    if recording.dialect == Dialect::Chat && recording.stream {
        // Without it byok asks for the usage itself and keeps it to itself.
        request["stream_options"] = json!({"include_usage": true});
    }
    request
}

/// The model that is asked. It is unknown where nothing but the answer was recorded.
fn model(recording: &Recording) -> &str {
    if !recording.model.is_empty() {
        return &recording.model;
    }
    match recording.dialect {
        Dialect::Chat | Dialect::Responses => "gpt-5.1",
        Dialect::Messages => "claude-sonnet-4-5",
        Dialect::Gemini => "gemini-2.5-flash",
    }
}

fn target(recording: &Recording) -> String {
    let model = model(recording);
    match (recording.dialect, recording.op.as_str()) {
        (Dialect::Gemini, "count") => format!("/v1beta/models/{model}:countTokens"),
        (Dialect::Gemini, _) if recording.stream => {
            format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
        }
        (Dialect::Gemini, _) => format!("/v1beta/models/{model}:generateContent"),
        _ => recording.path.clone(),
    }
}

/// A vendor on a port of its own.
async fn serve(vendor: Arc<Mutex<Exchange>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let vendor = vendor.clone();
            let service = service_fn(move |request: http::Request<Incoming>| {
                let vendor = vendor.clone();
                async move {
                    // The list of models, which byok asks for beside the exchange; this vendor has none.
                    if request.method() == http::Method::GET {
                        let none = Response::builder().status(404).body(Full::default());
                        return Ok::<_, Infallible>(none.unwrap());
                    }
                    let path = request.uri().to_string();
                    let body =
                        request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    let mut vendor = vendor.lock().unwrap();
                    vendor.asked.push((path, body));
                    let answer = Response::builder()
                        .status(vendor.status)
                        .header("content-type", vendor.content_type.as_str())
                        .body(Full::new(vendor.body.clone()));
                    Ok(answer.unwrap())
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
