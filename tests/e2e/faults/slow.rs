//! Time: an upstream that says nothing, a client that reads or writes nothing.

use super::{named, world_of_troubles};
use crate::support::{
    ask::Ask,
    byok::until,
    client::{Raw, bounded},
    dialect,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// All waits short.
fn short() -> Value {
    json!({"timeouts": {
        "stream_headers": "200ms", "answer_headers": "200ms", "reasoning_headers": "200ms", "first_event": "200ms",
        "reasoning_first_event": "200ms", "idle": "200ms", "header_read": "300ms", "body_read": "300ms",
        "stalled_client": "500ms",
    }})
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_a_timeout() {
    let pairs = Pair::all();
    let world = world_of_troubles(&pairs, &["silent", "stall"], short()).await;
    for wish in ["silent", "stall"] {
        each(pairs.clone(), async |pair| {
            let ask = Ask::new("Hello.").model(&named(pair, wish)).stream(pair.stream);
            let answer = pair.send(&world, &ask).await;
            let wrong = |error: String| format!("{wish}: {error}: {}", answer.text());
            equal("status", &answer.status, &504).map_err(wrong)?;
            dialect::fault(pair.client, &answer.body).map(drop).map_err(wrong)
        })
        .await;
    }
    until("the end of all calls", || world.simulator.open_calls() == 0).await;
}

#[tokio::test]
async fn comments_are_no_first_event() {
    let pairs = Pair::streams();
    // Nothing but the wait for the first event is short.
    let mut settings = json!({"timeouts": {"first_event": "200ms", "reasoning_first_event": "200ms"}});
    // Within the hold it is a status, and another key can still be asked.
    let world = world_of_troubles(&pairs, &["stall_comments"], settings.clone()).await;
    each(pairs.clone(), async |pair| {
        let ask = Ask::new("Hello.").model(&named(pair, "stall_comments")).stream(true);
        let answer = pair.send(&world, &ask).await;
        equal("status", &answer.status, &504).map_err(|error| format!("{error}: {}", answer.text()))?;
        equal("the setting", &answer.text().contains("first_event"), &true)
    })
    .await;
    // Behind it the answer has begun, and ends in an error.
    settings["timeouts"]["hold"] = json!("50ms");
    settings["timeouts"]["keep_alive"] = json!("30ms");
    let world = world_of_troubles(&pairs, &["stall_comments"], settings).await;
    each(pairs, async |pair| {
        let ask = Ask::new("Hello.").model(&named(pair, "stall_comments")).stream(true);
        let answer = pair.send(&world, &ask).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let said = dialect::read_stream(pair.client, &answer.body)?;
        equal("an error", &said.error.is_some(), &true)
            .map_err(|error| format!("{error}: {}", answer.text()))?;
        equal("the setting", &answer.text().contains("first_event"), &true)
    })
    .await;
    until("the end of all calls", || world.simulator.open_calls() == 0).await;
}

#[tokio::test]
async fn t23_an_upstream_that_falls_silent_ends_the_answer_with_an_error() {
    // Long enough that a busy machine is not taken for an upstream that has fallen silent.
    let world = World::with(json!({"timeouts": {"idle": "1s"}})).await;
    each(Pair::streams(), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:stall_mid 2 sim:long 9")).await;
        equal("status", &answer.status, &200).map_err(|error| format!("{error}: {}", answer.text()))?;
        let said = dialect::read(pair.client, true, &answer)?;
        equal("what came before", &said.text.contains("word 2"), &true)?;
        equal("an error", &said.error.is_some(), &true)
    })
    .await;
}

#[tokio::test]
async fn a_client_that_waits_hears_something() {
    let world = World::with(json!({"timeouts": {"keep_alive": "50ms", "hold": "100ms"}})).await;
    each(Pair::streams(), async |pair| {
        // The first event comes after the hold, and pauses are longer than the sign of life.
        let mut open = pair.open(&world, &pair.ask("sim:pace 300 400 sim:text One two three")).await;
        equal("status", &open.status, &200)?;
        let text = open.until("three").await;
        equal("signs of life", &(text.matches(": ").count() > 2), &true)
            .map_err(|e| format!("{e}: {text}"))?;
        let comments = text.lines().filter(|line| line.starts_with(':')).count();
        equal("comments", &(comments > 2), &true).map_err(|error| format!("{error}: {text}"))?;
        let mut whole = text.into_bytes();
        whole.extend(open.whole().await.body);
        // Comments and all, every client reads it.
        let said = dialect::read_stream(pair.client, &whole)?;
        equal("text", &said.text.as_str(), &"One two three")
    })
    .await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_stops_the_upstream_and_is_let_go() {
    let world = World::with(json!({"timeouts": {"stalled_client": "500ms"}})).await;
    let mut silent = Vec::new();
    for pair in Pair::streams() {
        // 64 MB: more than the buffers of all sockets on the way.
        let ask = pair.ask("sim:bench chunks=4000 bytes=16000");
        let (target, body) = match pair.client {
            Dialect::Chat => ("/v1/chat/completions".to_owned(), dialect::chat::body(&ask)),
            Dialect::Responses => ("/v1/responses".to_owned(), dialect::responses::body(&ask)),
            Dialect::Messages => ("/v1/messages".to_owned(), dialect::messages::body(&ask)),
            Dialect::Gemini => (dialect::gemini::target(&ask), dialect::gemini::body(&ask)),
        };
        let body = body.to_string();
        let mut raw = Raw::open(world.byok.address()).await;
        raw.write(format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             anthropic-version: 2023-06-01\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
        let begun = String::from_utf8_lossy(&raw.some(64).await).into_owned();
        assert!(begun.starts_with("HTTP/1.1 200"), "{pair}: {begun}");
        silent.push(raw);
    }
    // byok gives up on each of them; the vendor is not kept writing.
    for _ in &silent {
        bounded("the end of an upstream call", world.simulator.cancelled()).await;
    }
    assert!(world.byok.peak_memory() < 200 << 20, "{} MB", world.byok.peak_memory() >> 20);
    let pair = Pair { client: Dialect::Chat, upstream: Dialect::Chat, stream: true };
    pair.say(&world, &pair.ask("Still there?")).await.unwrap();
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_everything() {
    let world = World::start().await;
    for upstream in Dialect::ALL {
        let pair = Pair { client: Dialect::Messages, upstream, stream: true };
        let mut open =
            pair.open(&world, &pair.ask("sim:long 20000").with(|ask| ask.max_tokens = Some(50_000))).await;
        let mut bytes = Vec::new();
        let mut reads = 0_usize;
        while let Some(chunk) = open.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
            reads += 1;
            if reads.is_multiple_of(8) {
                // Others are served in between.
                let other = Pair { client: Dialect::Chat, upstream, stream: false };
                if reads < 64 {
                    other.say(&world, &other.ask("Me too.")).await.unwrap();
                }
            }
        }
        let said = dialect::read_stream(Dialect::Messages, &bytes).unwrap();
        assert!(said.text.contains("word 20000"), "{pair}");
        assert!(said.error.is_none(), "{pair}");
    }
}

#[tokio::test]
async fn half_a_request_does_not_hold_a_connection() {
    let world = World::with(short()).await;
    let address = world.byok.address();
    let answer = Raw::talk(address, "POST /v1/chat/completions HTTP/1.1\r\nhost: localh").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "half a head: {answer}");
    let head = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let answer = Raw::talk(address, format!("{head}content-length: 5000\r\n\r\n{{\"model\":")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "half a body: {answer}");
    if let Some((_, body)) = answer.split_once("\r\n\r\n") {
        dialect::fault(Dialect::Messages, body.as_bytes()).unwrap();
    }
    // A client that hangs up in the middle is no event.
    let mut raw = Raw::open(address).await;
    raw.write(format!("{head}content-length: 5000\r\n\r\n{{")).await;
    drop(raw);
    let pair = Pair { client: Dialect::Chat, upstream: Dialect::Gemini, stream: true };
    pair.say(&world, &pair.ask("Still there?")).await.unwrap();
}

#[tokio::test]
async fn many_slow_heads_keep_nobody_out() {
    let world = World::with(short()).await;
    let mut open = Vec::new();
    for _ in 0..300 {
        let mut raw = Raw::open(world.byok.address()).await;
        raw.write("GET / HTTP/1.1\r\nx-").await;
        open.push(raw);
    }
    let pair = Pair { client: Dialect::Chat, upstream: Dialect::Chat, stream: false };
    pair.say(&world, &pair.ask("And me?")).await.unwrap();
    for raw in open {
        raw.rest().await;
    }
}
