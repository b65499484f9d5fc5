//! A plain answer from every endpoint, whole and streamed.

use crate::client::{ANTHROPIC, Answer, GEMINI, OPENAI, get, post, simulator};
use byok_simulator::Simulator;
use byok_types::Dialect;
use serde_json::{Value, json};

/// A request of a dialect with this user text.
pub fn ask(dialect: Dialect, text: &str, stream: bool) -> (String, Vec<(&'static str, &'static str)>, Value) {
    let tool = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    match dialect {
        Dialect::Messages => (
            "/v1/messages".to_owned(),
            ANTHROPIC.to_vec(),
            json!({
                "model": "claude-sonnet-4-5", "max_tokens": 4000, "stream": stream,
                "messages": [{"role": "user", "content": text}],
                "tools": [{"name": "get_weather", "input_schema": tool}],
            }),
        ),
        Dialect::Chat => (
            "/v1/chat/completions".to_owned(),
            OPENAI.to_vec(),
            json!({
                "model": "gpt-4.1", "stream": stream, "messages": [{"role": "user", "content": text}],
                "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": tool}}],
            }),
        ),
        Dialect::Responses => (
            "/v1/responses".to_owned(),
            OPENAI.to_vec(),
            json!({
                "model": "gpt-5.1", "stream": stream, "input": text,
                "tools": [{"type": "function", "name": "get_weather", "parameters": tool, "strict": false}],
            }),
        ),
        Dialect::Gemini => (
            if stream {
                "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse".to_owned()
            } else {
                "/v1beta/models/gemini-2.5-pro:generateContent".to_owned()
            },
            GEMINI.to_vec(),
            json!({
                "contents": [{"role": "user", "parts": [{"text": text}]}],
                "tools": [{"functionDeclarations": [{"name": "get_weather", "parameters": tool}]}],
            }),
        ),
    }
}

pub async fn send(simulator: &Simulator, dialect: Dialect, text: &str, stream: bool) -> Answer {
    let (target, headers, body) = ask(dialect, text, stream);
    post(simulator, &target, &headers, &body).await
}

/// The visible text of an answer.
pub fn text_of(dialect: Dialect, answer: &Answer, stream: bool) -> String {
    let documents = if stream { answer.events() } else { vec![answer.json()] };
    let pointers: &[&str] = match (dialect, stream) {
        (Dialect::Messages, true) => &["/delta/text"],
        (Dialect::Messages, false) => &["/content/0/text", "/content/1/text"],
        (Dialect::Chat, true) => &["/choices/0/delta/content"],
        (Dialect::Chat, false) => &["/choices/0/message/content"],
        (Dialect::Responses, true) => &[],
        (Dialect::Responses, false) => &["/output/0/content/0/text", "/output/1/content/0/text"],
        (Dialect::Gemini, _) => &["/candidates/0/content/parts/0/text", "/candidates/0/content/parts/1/text"],
    };
    let mut text = String::new();
    for document in &documents {
        if document["type"] == "response.output_text.delta" {
            text.push_str(document["delta"].as_str().unwrap());
        }
        if document.pointer("/candidates/0/content/parts/0/thought").is_some() {
            continue;
        }
        text.extend(
            pointers.iter().filter_map(|pointer| document.pointer(pointer)).filter_map(Value::as_str),
        );
    }
    text
}

#[tokio::test]
async fn every_dialect_answers_whole_and_streamed_with_the_same_words() {
    let simulator = simulator().await;
    for dialect in Dialect::ALL {
        let whole = send(&simulator, dialect, "Wie geht's in Zürich? 早上好", false).await;
        assert_eq!(whole.status, 200, "{dialect}: {}", whole.text());
        assert!(whole.header("content-type").starts_with("application/json"), "{dialect}");
        let streamed = send(&simulator, dialect, "Wie geht's in Zürich? 早上好", true).await;
        assert!(streamed.header("content-type").starts_with("text/event-stream"), "{dialect}");
        let text = text_of(dialect, &whole, false);
        assert!(
            text.contains("byok simulator") && text.contains("Wie geht's in Zürich? 早上好"),
            "{dialect}: {text}"
        );
        assert_eq!(text, text_of(dialect, &streamed, true), "{dialect}");
        assert!(streamed.chunks.len() > 8, "{dialect}: the stream is no stream");
    }
}

#[tokio::test]
async fn every_dialect_calls_the_tool() {
    let simulator = simulator().await;
    let call = "sim:tool get_weather {\"city\":\"Oslo\"}";
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            let answer = send(&simulator, dialect, call, stream).await;
            let text = answer.text();
            assert!(text.contains("get_weather") && text.contains("Oslo"), "{dialect} {stream}: {text}");
        }
    }
}

#[tokio::test]
async fn ids_are_the_same_for_the_same_seed() {
    let (one, two) = (simulator().await, simulator().await);
    for dialect in Dialect::ALL {
        let first = send(&one, dialect, "hello", false).await.text();
        assert_eq!(first, send(&two, dialect, "hello", false).await.text(), "{dialect}");
    }
}

#[tokio::test]
async fn the_log_shows_what_was_sent() {
    let simulator = simulator().await;
    let (target, headers, body) = ask(Dialect::Messages, "hello", false);
    post(&simulator, &format!("{target}?beta=true"), &headers, &body).await;
    let seen = simulator.requests().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.query.as_str()),
        ("POST", "/v1/messages", "beta=true")
    );
    assert_eq!(seen.dialect, Some(Dialect::Messages));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.body, body.to_string());
    simulator.clear_requests();
    assert!(simulator.requests().is_empty() && simulator.request_count() == 1);
}

#[tokio::test]
async fn models_are_listed_in_the_shape_of_the_caller() {
    let simulator = simulator().await;
    let anthropic = get(&simulator, "/v1/models?limit=2", &ANTHROPIC).await.json();
    assert_eq!(anthropic["data"][0]["type"], "model");
    assert_eq!((&anthropic["has_more"], anthropic["data"].as_array().unwrap().len()), (&json!(true), 2));
    let openai = get(&simulator, "/v1/models", &OPENAI).await.json();
    assert_eq!(openai["object"], "list");
    let gemini = get(&simulator, "/v1beta/models?pageSize=3", &GEMINI).await.json();
    assert!(gemini["models"][0]["name"].as_str().unwrap().starts_with("models/"));
    assert_eq!(gemini["nextPageToken"], "3");
    let cases: [(&str, &[(&str, &str)], u16); 6] = [
        ("/v1/models/claude-opus-5-5", &ANTHROPIC, 200),
        ("/v1/models/claude-none", &ANTHROPIC, 404),
        ("/v1/models/gpt-5.1", &OPENAI, 200),
        ("/v1/models/gpt-none", &OPENAI, 404),
        ("/v1beta/models/gemini-2.5-flash", &GEMINI, 200),
        ("/v1beta/models/gemini-none", &GEMINI, 404),
    ];
    for (target, headers, status) in cases {
        assert_eq!(get(&simulator, target, headers).await.status, status, "{target}");
    }
}

#[tokio::test]
async fn tokens_are_counted_as_they_are_billed() {
    let simulator = simulator().await;
    let question = json!([{"role": "user", "content": "How many tokens is this?"}]);
    let counted = post(
        &simulator,
        "/v1/messages/count_tokens",
        &ANTHROPIC,
        &json!({"model": "claude-sonnet-5", "messages": question}),
    )
    .await
    .json();
    let asked = json!({"model": "claude-sonnet-5", "max_tokens": 100, "messages": question});
    let message = post(&simulator, "/v1/messages", &ANTHROPIC, &asked).await.json();
    assert_eq!(counted["input_tokens"], message["usage"]["input_tokens"]);
    let responses = post(
        &simulator,
        "/v1/responses/input_tokens",
        &OPENAI,
        &json!({"model": "gpt-5.1", "input": "How many?"}),
    )
    .await
    .json();
    assert_eq!(responses["object"], "response.input_tokens");
    let gemini = post(
        &simulator,
        "/v1beta/models/gemini-2.5-pro:countTokens",
        &GEMINI,
        &json!({"contents": [{"parts": [{"text": "How many?"}]}]}),
    )
    .await
    .json();
    assert!(gemini["totalTokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_repeated_prefix_is_read_from_the_cache() {
    let simulator = simulator().await;
    let text = "x".repeat(4000);
    let pointers = [
        (Dialect::Chat, "/usage/prompt_tokens_details/cached_tokens"),
        (Dialect::Responses, "/usage/input_tokens_details/cached_tokens"),
        (Dialect::Gemini, "/usageMetadata/cachedContentTokenCount"),
    ];
    for (dialect, pointer) in pointers {
        let first = send(&simulator, dialect, &text, false).await.json();
        let cached = |answer: &Value| answer.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        assert!(cached(&first) < 100, "{dialect}: {first}");
        let second = send(&simulator, dialect, &format!("{text} and more"), false).await.json();
        assert!(cached(&second) > 900, "{dialect}: {second}");
    }
}

#[tokio::test]
async fn of_messages_only_what_is_marked_is_read_from_the_cache() {
    let simulator = simulator().await;
    let mark = json!({"type": "ephemeral"});
    let turn = |text: &str| json!({"role": "user", "content": [{"type": "text", "text": text}]});
    let long = turn(&"x".repeat(4000));
    let mut marked = turn("end");
    marked["content"][0]["cache_control"] = mark.clone();
    let cases = [
        ("no marks", json!([long]), json!([long, turn("more")]), Value::Null, false),
        ("marked at the top", json!([long]), json!([long, turn("more")]), mark, true),
        (
            "marked only once",
            json!([long, marked]),
            json!([long, turn("end"), turn("more")]),
            Value::Null,
            false,
        ),
        ("marked later", json!([long, marked]), json!([long, turn("end"), marked]), Value::Null, true),
    ];
    for (name, first, second, top, hits) in cases {
        let mut cached = 0;
        for messages in [first, second] {
            let mut body = json!({
                "model": "claude-sonnet-4-5", "max_tokens": 100, "system": name, "messages": messages,
            });
            if top.is_object() {
                body["cache_control"] = top.clone();
            }
            let answer = post(&simulator, "/v1/messages", &ANTHROPIC, &body).await.json();
            cached = answer["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        }
        assert_eq!(cached > 900, hits, "{name}: {cached}");
    }
}
