use super::{
    super::{
        Executor, Inbound, Inner, OutboundBody,
        aside::Aside,
        count::Uncounted,
        peek::Peek,
        prepare::{Means, Prepared},
    },
    Fetch, Remote,
};
use crate::{budget::Budget, pool::HealthBook, replay::Replay, state::State};
use byok_auth::{SystemClock, TokenManager};
use byok_config::{Sources, load};
use byok_store::Store;
use byok_transport::{FetchError, Fetched, Transport, TransportError, TransportOptions};
use byok_types::{Blame, Dialect, Failure, RequestId};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

/// Finds a picture, a document or nothing, by the end of the address.
#[derive(Default)]
struct Shelf {
    asked: Mutex<Vec<String>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

impl Fetch for Shelf {
    fn fetch<'a>(&'a self, url: &'a str, _: &'a [PathBuf]) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Box::pin(async move {
            self.asked.lock().push(url.to_owned());
            let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_running.fetch_max(running, Ordering::Relaxed);
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            self.running.fetch_sub(1, Ordering::Relaxed);
            match url.rsplit('.').next() {
                Some("png") => Ok(Fetched { media_type: "image/png", bytes: Bytes::from_static(b"picture") }),
                Some("pdf") => {
                    Ok(Fetched { media_type: "application/pdf", bytes: Bytes::from_static(b"pages") })
                }
                Some("broken") => {
                    Err(TransportError::BadCa { path: "a.pem".into(), why: "no PEM".into() }.into())
                }
                _ => Err(FetchError::BadUrl { why: "nothing is there" }),
            }
        })
    }
}

impl Fetch for Arc<Shelf> {
    fn fetch<'a>(&'a self, url: &'a str, files: &'a [PathBuf]) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Fetch::fetch(&**self, url, files)
    }
}

const PICTURE: &str = "cGljdHVyZQ==";
const PAGES: &str = "cGFnZXM=";

fn state(fetch_remote: bool, gemini: &str) -> Arc<State> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    let yaml = format!(
        "providers:
  claude: {{ api_key: sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaa }}
  codex: {{ api_key: sk-proj-aaaaaaaaaaaaaaaaaaaaaaaa }}
  gemini: {{ api_key: AIza0123456789abcdef, base_url: '{gemini}' }}
limits: {{ body: 4096 }}
media: {{ fetch_remote: {fetch_remote} }}
"
    );
    std::fs::write(&file, yaml).unwrap();
    let env = vec![("HOME".to_owned(), directory.path().display().to_string())];
    let sources = Sources { file: Some(file), file_required: true, env, ..Sources::default() };
    let config = Arc::new(load(&sources).unwrap().config);
    Arc::new(State::build(config, Vec::new(), &HealthBook::default()))
}

fn inbound(dialect: Dialect, body: &Value) -> Inbound {
    let (model, stream) = match dialect {
        Dialect::Gemini => (Some("gemini-2.5-flash".to_owned()), Some(false)),
        Dialect::Chat | Dialect::Responses | Dialect::Messages => (None, None),
    };
    Inbound {
        id: RequestId::new("req_1").unwrap(),
        at: Instant::now(),
        at_ms: 0,
        client_key: None,
        allowed: Vec::new(),
        debug: false,
        dialect,
        count: false,
        model,
        stream,
        raw: None,
        json_array: false,
        previous_response: None,
        kept: false,
        brought: None,
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        place: None,
    }
}

/// A Chat request that shows pictures.
fn chat(model: &str, urls: &[&str]) -> Value {
    let show = |url: &&str| json!({"type": "image_url", "image_url": {"url": url}});
    let content: Vec<_> = urls.iter().map(show).collect();
    json!({"model": model, "messages": [{"role": "user", "content": content}]})
}

/// A Messages request with a document, and a picture in the result of a tool.
fn messages(model: &str) -> Value {
    let source = |url| json!({"type": "url", "url": url});
    json!({"model": model, "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "document", "source": source("https://a.test/b.pdf")}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1",
            "content": [{"type": "image", "source": source("https://a.test/c.png")}]}]}
    ]})
}

fn means<'a, 'r>(remote: &'a mut Option<Remote<'r>>) -> Means<'a, 'r> {
    let (replay, aside) = (Replay::default(), Aside::default());
    Means { remote: remote.as_mut(), replay, aside, unsealed: false, account: None }
}

/// The body that would be sent, and what was fetched for it.
async fn prepared(
    fetch_remote: bool,
    client: Dialect,
    body: &Value,
) -> (Result<Value, Failure>, Vec<String>) {
    let state = state(fetch_remote, "http://127.0.0.1:9");
    let shelf = Shelf::default();
    let inbound = inbound(client, body);
    let peek = Peek::of(&inbound, &state.config.limits).unwrap();
    let candidate = &state.registry.resolve(&peek.model).unwrap()[0];
    let mut remote = Remote::allowed(&shelf, &state.config);
    let prepared = Prepared::of(&inbound, &peek, candidate, means(&mut remote)).await;
    assert!(shelf.most_running.into_inner() <= super::AT_ONCE);
    (prepared.map(|prepared| serde_json::from_slice(&prepared.body).unwrap()), shelf.asked.into_inner())
}

#[tokio::test]
async fn bytes_take_the_place_of_addresses_that_the_upstream_does_not_take() {
    let png = "https://a.test/a.png";
    let gemini = json!({"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": png}}]}]});
    let own_file = "https://generativelanguage.googleapis.com/v1beta/files/a.png";
    let file = |url| {
        let file = json!({"type": "input_file", "filename": "b.pdf", "file_url": url});
        json!({"model": "gpt-4o", "input": [{"role": "user", "content": [file]}]})
    };
    // client, request, what is fetched, what must stand in the body
    let cases = [
        (Dialect::Chat, chat("gemini-2.5-flash", &[png]), vec![png], vec![PICTURE]),
        (Dialect::Chat, chat("gemini-2.5-flash", &[png, png]), vec![png], vec![PICTURE]),
        (
            Dialect::Messages,
            messages("gemini-2.5-flash"),
            vec!["https://a.test/b.pdf", "https://a.test/c.png"],
            vec![PAGES, PICTURE],
        ),
        (Dialect::Chat, chat("gemini-2.5-flash", &[own_file]), vec![], vec![own_file]),
        (Dialect::Chat, chat("claude-sonnet-5", &[png]), vec![], vec![png]),
        (Dialect::Chat, chat("gpt-4o", &[png]), vec![], vec![png]),
        (Dialect::Responses, file("https://a.test/b.pdf"), vec![], vec!["https://a.test/b.pdf"]),
        (Dialect::Messages, messages("claude-sonnet-5"), vec![], vec!["https://a.test/c.png"]),
        (Dialect::Gemini, gemini, vec![], vec![png]),
    ];
    for (client, body, fetched, expected) in cases {
        let (sent, mut asked) = prepared(true, client, &body).await;
        asked.sort_unstable();
        let sent = sent.unwrap().to_string();
        assert_eq!(asked, fetched, "{client}: {body}");
        for text in expected {
            assert!(sent.contains(text), "{client}: {body} became {sent}");
        }
        for url in fetched {
            assert!(!sent.contains(url), "{client}: {body} became {sent}");
        }
    }
}

#[tokio::test]
async fn nothing_is_fetched_unless_it_is_allowed() {
    for (client, body, field) in [
        (Dialect::Chat, chat("gemini-2.5-flash", &["https://a.test/a.png"]), "messages[0].content[0]"),
        (Dialect::Messages, messages("gemini-2.5-flash"), "messages[0].content[0]"),
    ] {
        let (sent, asked) = prepared(false, client, &body).await;
        let failure = sent.unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(field)), "{failure:?}");
        assert!(failure.message.contains("`media.fetch_remote`"), "{failure:?}");
        assert_eq!(asked, [""; 0]);
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_names_its_field_and_the_remedy() {
    let many: Vec<_> = (0..21).map(|i| format!("https://a.test/{i}.png")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let png = "https://a.test/a.png";
    // Each of them is 12 bytes in base64, and the limit is 4,096.
    let copies = vec![png; 342];
    for (urls, at, status, blame, words) in [
        (&["https://a.test/none"][..], 0, 400, Blame::Client, "nothing is there; correct it"),
        (&[png, "https://a.test/none"], 1, 400, Blame::Client, "nothing is there; correct it"),
        (&["https://a.test/b.pdf"], 0, 400, Blame::Client, "Send it as a document."),
        (&["https://a.test/a.broken"], 0, 500, Blame::Byok, "correct `ca_files`"),
        (&many, 20, 400, Blame::Client, "at most 20 addresses"),
        (&copies, 341, 413, Blame::Client, "`limits.body`"),
    ] {
        let state = state(true, "http://127.0.0.1:9");
        let shelf = Shelf::default();
        let inbound = inbound(Dialect::Chat, &chat("gemini-2.5-flash", urls));
        let peek = Peek::of(&inbound, &byok_config::Limits::default()).unwrap();
        let candidate = &state.registry.resolve(&peek.model).unwrap()[0];
        let mut remote = Remote::allowed(&shelf, &state.config);
        let failure = Prepared::of(&inbound, &peek, candidate, means(&mut remote)).await.err().unwrap();
        assert_eq!((failure.status, failure.blame), (status, blame), "{failure:?}");
        assert_eq!(failure.param, Some(format!("messages[0].content[{at}]")), "{failure:?}");
        assert!(failure.message.contains(words), "{failure:?}");
        assert_eq!(shelf.asked.lock().is_empty(), urls.len() == many.len(), "{urls:?}");
    }
}

#[tokio::test]
async fn twenty_addresses_four_at_a_time_and_each_of_them_once() {
    let state = state(true, "http://127.0.0.1:9");
    let shelf = Shelf::default();
    let urls: Vec<_> = (0..20).map(|i| format!("https://a.test/{i}.png")).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let inbound = inbound(Dialect::Chat, &chat("gemini-2.5-flash", &urls));
    let peek = Peek::of(&inbound, &state.config.limits).unwrap();
    let candidate = &state.registry.resolve(&peek.model).unwrap()[0];
    let mut remote = Remote::allowed(&shelf, &state.config);
    // The second candidate of a request finds what was fetched for the first.
    for _ in 0..2 {
        let prepared = Prepared::of(&inbound, &peek, candidate, means(&mut remote)).await.unwrap();
        let body = std::str::from_utf8(&prepared.body).unwrap();
        assert_eq!(body.matches(PICTURE).count(), 20);
    }
    assert_eq!(*shelf.asked.lock(), urls);
    assert_eq!(shelf.most_running.load(Ordering::Relaxed), 4);
}

/// Answers one call like Gemini; what it was sent is the result.
async fn gemini(listener: TcpListener) -> Value {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut all = Vec::new();
    let head = loop {
        all.push(socket.read_u8().await.unwrap());
        if all.ends_with(b"\r\n\r\n") {
            break String::from_utf8(std::mem::take(&mut all)).unwrap().to_ascii_lowercase();
        }
    };
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    all.resize(length, 0);
    socket.read_exact(&mut all).await.unwrap();
    let parts = json!([{"text": "A picture."}]);
    let answer =
        json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]});
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    socket.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
    serde_json::from_slice(&all).unwrap()
}

#[tokio::test]
async fn a_request_for_gemini_is_sent_with_the_picture_in_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let state = state(true, &format!("http://{}", listener.local_addr().unwrap()));
    let upstream = tokio::spawn(gemini(listener));
    let shelf = Arc::new(Shelf::default());
    let (store, transport) = (Store::memory(), Transport::new(TransportOptions::default()).unwrap());
    let executor = Executor(Arc::new(Inner {
        tokens: TokenManager::new(store.clone(), transport.clone(), HashMap::new(), Arc::new(SystemClock)),
        transport: transport.into(),
        fetch: Box::new(Arc::clone(&shelf)),
        store,
        budget: Budget::new(1 << 20),
        replay: Replay::default(),
        aside: Aside::default(),
        uncounted: Uncounted::default(),
        stopping: CancellationToken::new(),
    }));
    let body = chat("gemini-2.5-flash", &["https://a.test/a.png"]);
    let answer = executor.run(state, inbound(Dialect::Chat, &body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let OutboundBody::Whole(whole) = answer.body else { panic!("a whole answer") };
    let bytes = whole.bytes().clone();
    assert!(bytes.windows(10).any(|window| window == b"A picture."));
    let sent = upstream.await.unwrap();
    let inline = json!({"mimeType": "image/png", "data": PICTURE});
    assert_eq!(sent["contents"][0]["parts"][0]["inlineData"], inline, "{sent}");
    assert_eq!(*shelf.asked.lock(), ["https://a.test/a.png"]);
}
