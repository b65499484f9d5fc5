//! The routes of Amp.

use crate::support::{ask::Ask, client::Call, dialect, world::World};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A service of Amp that writes down what it is asked and always answers the same.
struct Service {
    base: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let book = heard.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let asked = request(&mut stream).await;
                book.lock().unwrap().push(asked);
                let answer = "HTTP/1.1 418 I'm a teapot\r\ncontent-type: application/json\r\nx-amp: here\r\n\
                              content-length: 14\r\nconnection: close\r\n\r\n{\"amp\":\"here\"}";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { base, heard }
    }

    fn last(&self) -> String {
        self.heard.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// Reads one request to its end.
async fn request(stream: &mut TcpStream) -> String {
    let (mut asked, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        asked.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = asked.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return asked;
        }
    }
}

async fn world(amp: Value) -> World {
    World::with(json!({"amp": amp})).await
}

#[tokio::test]
async fn the_login_leads_to_the_service() {
    let world = world(json!({"base_url": "https://amp.example"})).await;
    for (target, location) in [
        ("/amp/v1/login", "https://amp.example/login"),
        (
            "/amp/v1/login?authToken=abc&callbackPort=35789",
            "https://amp.example/login?authToken=abc&callbackPort=35789",
        ),
    ] {
        let answer = Call::get(target).send(world.byok.address()).await;
        assert_eq!((answer.status, answer.header("location")), (302, location), "{target}");
    }
    // Where nothing is set it is Amp's own.
    let usual = World::start().await;
    let answer = Call::get("/amp/v1/login").send(usual.byok.address()).await;
    assert_eq!((answer.status, answer.header("location")), (302, "https://ampcode.com/login"));
}

#[tokio::test]
async fn the_management_is_that_of_the_service() {
    let service = Service::start().await;
    let world = world(json!({"base_url": service.base, "api_key": "sgamp_user_mine"})).await;
    let body = "{\"last\":\"the end\"}";
    let call = Call::post("/amp/v0/management/a%2Fb/threads?limit=2&key=any", body);
    let answer = call
        .header("authorization", "Bearer any")
        .header("x-amp-thread-id", "T-1")
        .send(world.byok.address());
    let answer = answer.await;
    // Whatever it is: status, headers and body are the service's.
    assert_eq!((answer.status, answer.header("x-amp"), &*answer.text()), (418, "here", "{\"amp\":\"here\"}"));
    let heard = service.last();
    let (head, sent) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v0/management/a%2Fb/threads?limit=2 HTTP/1.1\r\n"), "{head}");
    assert_eq!(sent, body);
    for part in ["authorization: Bearer sgamp_user_mine", "x-amp-thread-id: T-1"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(!head.contains("Bearer any"), "{head}");
    let answer = Call::get("/amp/v0/management/user").send(world.byok.address()).await;
    assert_eq!(answer.status, 418);
    assert!(service.last().starts_with("GET /v0/management/user HTTP/1.1\r\n"), "{}", service.last());
}

#[tokio::test]
async fn a_chat_is_answered_as_any_other() {
    let world = World::start().await;
    for model in ["codex/gpt-5.1", "claude-sonnet-5", "gemini-2.5-flash"] {
        for stream in [false, true] {
            let ask = Ask::new("Is Amp here?").model(model).stream(stream);
            let call = Call::post("/amp/v1/chat/completions", dialect::chat::body(&ask).to_string());
            let answer = call.header("authorization", "Bearer any").send(world.byok.address()).await;
            assert_eq!(answer.status, 200, "{model}: {}", answer.text());
            let said = dialect::read(Dialect::Chat, stream, &answer).unwrap();
            assert!(said.text.contains("Is Amp here?"), "{model}: {}", said.text);
        }
    }
}
