//! The server in one process with the simulator: every pair of dialects, through real sockets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value, reason = "a test")]

#[path = "serve/accounts.rs"]
mod accounts;
#[path = "serve/broken_off.rs"]
mod broken_off;
#[path = "serve/framing.rs"]
mod framing;
#[path = "serve/models.rs"]
mod models;
#[path = "serve/neighbours.rs"]
mod neighbours;
#[path = "serve/pages.rs"]
mod pages;
#[path = "serve/passthrough.rs"]
mod passthrough;
#[path = "serve/rebuild.rs"]
mod rebuild;
#[path = "serve/room.rs"]
mod room;
#[path = "serve/socket.rs"]
mod socket;
#[path = "serve/stored.rs"]
mod stored;
#[path = "serve/throttled.rs"]
mod throttled;
#[path = "serve/unreached.rs"]
mod unreached;
#[path = "serve/vendors.rs"]
mod vendors;

use byok_auth::{SystemClock, TokenManager};
use byok_config::{Live, Sources, load};
use byok_provider::{budget::Budget, executor::Executor};
use byok_proxy::{App, AppOptions, Server};
use byok_simulator::{SimOptions, Simulator};
use byok_store::Store;
use byok_transport::{ProxyChoice, Transport, TransportOptions};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

struct Running {
    app: App,
    executor: Executor,
    store: Store,
    budget: Budget,
    base: String,
    simulator: Simulator,
    client: reqwest::Client,
    stop: Option<tokio_util::sync::DropGuard>,
    /// What the server waits for when it is stopped.
    tasks: TaskTracker,
}

async fn start(extra: &str) -> Running {
    start_with(extra, TransportOptions::default()).await
}

/// With more providers; `SIM` stands for the address of the simulator.
async fn start_providers(providers: &str, extra: &str) -> Running {
    start_all(providers, extra, TransportOptions::default()).await
}

async fn start_with(extra: &str, options: TransportOptions) -> Running {
    start_all("", extra, options).await
}

async fn start_all(providers: &str, extra: &str, options: TransportOptions) -> Running {
    start_on(Store::memory(), providers, extra, options).await
}

async fn start_on(store: Store, providers: &str, extra: &str, options: TransportOptions) -> Running {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let sim = simulator.base_url();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    let providers = providers.replace("SIM", &sim);
    let yaml = format!(
        "providers:
  claude: {{ api_key: sk-ant-api03-0123456789abcdef, base_url: '{sim}' }}
  codex: {{ api_key: sk-proj-0123456789abcdef, base_url: '{sim}/v1' }}
  gemini: {{ api_key: AIza0123456789abcdef, base_url: '{sim}' }}
  rs: {{ kind: responses, api_key: sk-proj-0123456789abcdef, base_url: '{sim}/v1', models: [gpt-5.1] }}
{providers}{extra}"
    );
    std::fs::write(&file, yaml).unwrap();
    let env = vec![("HOME".to_owned(), directory.path().display().to_string())];
    let sources = Sources { file: Some(file), file_required: true, env, ..Sources::default() };
    let live = Live::fixed(load(&sources).unwrap().config);
    let transport = Transport::new(options).unwrap();
    let tokens = TokenManager::new(store.clone(), transport.clone(), HashMap::new(), Arc::new(SystemClock));
    let budget = Budget::new(512 << 20);
    let stop = CancellationToken::new();
    let executor = Executor::new(transport, tokens.clone(), store.clone(), budget.clone(), stop.clone());
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = server.address();
    let options = AppOptions {
        live,
        store: store.clone(),
        executor: executor.clone(),
        budget: budget.clone(),
        address,
        logins: None,
    };
    let app = App::new(options).await.unwrap();
    let tasks = TaskTracker::new();
    tokio::spawn(server.run(app.clone(), stop.clone(), tasks.clone()));
    Running {
        app,
        executor,
        store,
        budget,
        base: format!("http://{address}"),
        simulator,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        stop: Some(stop.drop_guard()),
        tasks,
    }
}

impl Running {
    /// A POST of JSON.
    fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).header("content-type", "application/json").body(body)
    }

    /// Status and body as JSON.
    async fn ask(&self, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        read(self.post(path, body.to_string()).send().await.unwrap()).await
    }

    /// The newest of so many records. A record is written when the answer has left, and the client may be faster.
    async fn record(&self, number: usize) -> byok_types::RequestRecord {
        let written = async {
            loop {
                self.store.records.flush().await.unwrap();
                let all = self.store.records.recent(number).await.unwrap();
                if all.len() == number {
                    return all[0].clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), written).await.unwrap()
    }
}

/// The address of a server that gives every request the same answer.
async fn always(status: u16, kind: &'static str, body: impl Into<String>) -> String {
    let body = body.into();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = format!(
                "HTTP/1.1 {status} No\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let mut asked = vec![0; 1 << 16];
            let _ = stream.read(&mut asked).await;
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}")
}

async fn read(answer: reqwest::Response) -> (u16, serde_json::Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| text.into()))
}

const MODELS: [(&str, &str); 4] = [
    ("messages", "claude-sonnet-5"),
    ("chat", "gpt-4o"),
    ("responses", "rs/gpt-5.1"),
    ("gemini", "gemini-2.5-flash"),
];

fn request(client: &str, model: &str, stream: bool, text: &str) -> (String, String) {
    let json = |value: serde_json::Value| value.to_string();
    match client {
        "chat" => (
            "/v1/chat/completions".into(),
            json(serde_json::json!({"model": model, "stream": stream, "messages": [
                {"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]})),
        ),
        "responses" => (
            "/v1/responses".into(),
            json(
                serde_json::json!({"model": model, "stream": stream, "store": false, "instructions": "Be kind.", "input": text}),
            ),
        ),
        "messages" => (
            "/v1/messages".into(),
            json(
                serde_json::json!({"model": model, "stream": stream, "max_tokens": 500, "system": "Be kind.",
                "messages": [{"role": "user", "content": text}]}),
            ),
        ),
        _ => (
            if stream {
                format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
            } else {
                format!("/v1beta/models/{model}:generateContent")
            },
            json(serde_json::json!({"systemInstruction": {"parts": [{"text": "Be kind."}]},
                "contents": [{"role": "user", "parts": [{"text": text}]}]})),
        ),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_dialects_answers() {
    let running = start("").await;
    let mut wrong = Vec::new();
    for client in ["chat", "responses", "messages", "gemini"] {
        for (upstream, model) in MODELS {
            for stream in [false, true] {
                let (path, body) = request(client, model, stream, "Grüße 你好");
                let answer = running
                    .client
                    .post(format!("{}{path}", running.base))
                    .header("content-type", "application/json")
                    .body(body)
                    .send()
                    .await
                    .unwrap();
                let status = answer.status().as_u16();
                let served = answer.headers().get("x-byok-model").map(|v| v.to_str().unwrap().to_owned());
                let text = answer.text().await.unwrap();
                let whole = match client {
                    _ if !stream => text.contains('{'),
                    "chat" => text.ends_with("data: [DONE]\n\n"),
                    "responses" => text.contains("response.completed"),
                    "messages" => text.contains("message_stop"),
                    _ => text.contains("\"finishReason\":\"STOP\""),
                };
                // Deltas may cut the words anywhere; one syllable is never cut.
                let echoed = text.contains('好');
                if status != 200 || served.is_none() || !whole || !echoed {
                    wrong
                        .push(format!("{client} on {upstream}, stream {stream}: {status} {served:?} {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(running.simulator.request_count(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_way_out_holds_from_the_next_call_on() {
    // Nobody listens on port 9 of this machine.
    let dead = ProxyChoice::Url("http://127.0.0.1:9".parse().unwrap());
    let running = start_with("", TransportOptions { proxy: dead, ..TransportOptions::default() }).await;
    let ask = async || {
        let (path, body) = request("chat", "gpt-4o", false, "Hello.");
        let call = running.client.post(format!("{}{path}", running.base));
        call.header("content-type", "application/json").body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 502);
    running.executor.set_transport(Transport::new(TransportOptions::default()).unwrap());
    assert_eq!(ask().await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_a_request_do_not_hold_its_answer_back() {
    let running = start("").await;
    let (path, body) = request("chat", "gpt-4o", false, "Hello.");
    let host = running.base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    // The start of a next request that never becomes whole.
    stream.write_all(format!("{head}\r\n\r\n{body}\r\nGET /he").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_closed() {
    let running = start("timeouts: { header_read: 1s }\n").await;
    let mut stream =
        tokio::net::TcpStream::connect(running.base.strip_prefix("http://").unwrap()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut [0; 1])).await;
    assert_eq!(ended.unwrap().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leads_out_of_the_management_of_amp() {
    let running = start("").await;
    for path in ["%2e%2e/api", "..%2fapi", "a/%2E/b", "..%5capi"] {
        let host = running.base.strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
        stream
            .write_all(format!("GET /amp/v0/management/{path} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = [0; 12];
        tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400", "{path}");
    }
}
