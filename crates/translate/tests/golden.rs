//! Whole bodies in and out. Each file below `golden/` is what a client or a vendor sends; beside it stands, as a snapshot, what
//! becomes of it in every dialect, to the last member. The tables in `mapping` say what has to be so; here whatever else
//! changes is seen. After a change that is meant: `INSTA_UPDATE=always cargo test -p byok-translate --test golden`, and
//! read the difference.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use byok_translate::{
    Exchange, Incoming, Loss, StreamReader, codec,
    ir::{Event, Fold},
};
use byok_types::{Dialect, ModelFacts};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

#[path = "grammar/chat.rs"]
mod chat_grammar;
#[path = "grammar/gemini.rs"]
mod gemini_grammar;
#[path = "grammar/messages.rs"]
mod messages_grammar;
#[path = "grammar/responses.rs"]
mod responses_grammar;
#[expect(dead_code, reason = "the tables use the rest")]
#[path = "mapping/support.rs"]
mod support;

/// Names by which a request says at which models it is made.
const MODELS: [(&str, fn(&mut ModelFacts)); 4] = [
    ("usual", |_| {}),
    ("compatible", support::compatible),
    ("levels", support::levels),
    ("forced", support::forced),
];

fn folder(kind: &str, dialect: Dialect) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(kind).join(dialect.name())
}

/// Shows each file of the folder in all dialects, and holds that against the snapshot beside it.
fn each(kind: &str, dialect: Dialect, ending: &str, show: impl Fn(&str, Dialect) -> String) {
    let folder = folder(kind, dialect);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|known| known == ending));
    files.sort();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    for path in files {
        let input = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut shown = String::new();
        for other in Dialect::ALL {
            writeln!(shown, "==== {other}\n{}", show(&input, other).trim_end()).unwrap();
        }
        insta::with_settings!({
            snapshot_path => &folder, prepend_module_to_snapshot => false, omit_expression => true,
        }, { insta::assert_snapshot!(name, shown) });
    }
}

/// A request `{"models": …, "body": …}` as the upstream of another dialect gets it, and what was lost.
fn request(client: Dialect, input: &str, upstream: Dialect) -> String {
    let input: Value = serde_json::from_str(input).unwrap();
    let models = input["models"].as_str().unwrap_or("usual");
    let (_, differ) = MODELS.iter().find(|(name, _)| *name == models).unwrap();
    let mut facts = support::facts(upstream);
    differ(&mut facts);
    match support::ask(client, upstream, &facts, &input["body"]) {
        Ok((body, losses)) => format!("{}\n{}", pretty(&body), lost(&losses)),
        Err(failure) => format!(
            "{} {:?} at {}\n{}",
            failure.status,
            failure.kind,
            failure.param.as_deref().unwrap_or("-"),
            failure.message
        ),
    }
}

fn lost(losses: &[Loss]) -> String {
    let mut lines: Vec<String> =
        losses.iter().map(|loss| format!("{:?} {}", loss.action, loss.field)).collect();
    lines.sort();
    lines.join("\n")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// What a client of `client` has asked for who gets an answer of `upstream`.
fn exchange(upstream: Dialect, client: Dialect) -> Exchange {
    let user = json!([{"role": "user", "content": "x"}]);
    let body = match client {
        Dialect::Chat => json!({"model": "m", "messages": user, "stream_options": {"include_usage": true}}),
        Dialect::Messages => json!({"model": "m", "max_tokens": 9, "messages": user}),
        Dialect::Responses => json!({"model": "m", "input": "x"}),
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}),
    };
    let body = body.to_string();
    let incoming = Incoming { body: body.as_bytes(), model: Some("m"), stream: None };
    let request = codec::decode_request(client, &incoming).unwrap().value;
    Exchange::new(&request, &support::facts(upstream), upstream, 1, "seed")
}

/// A whole answer as a client of another dialect gets it.
fn answer(upstream: Dialect, input: &str, client: Dialect) -> String {
    let exchange = exchange(upstream, client);
    match byok_translate::read_answer(input.as_bytes(), &exchange) {
        Ok(events) => whole(&exchange, events),
        Err(failure) => format!("{} {:?}: {}", failure.status, failure.kind, failure.message),
    }
}

/// A stream as a client of another dialect gets it, and the same as a whole answer.
fn stream(upstream: Dialect, input: &str, client: Dialect) -> String {
    let exchange = exchange(upstream, client);
    let mut reader = StreamReader::new(&exchange, 64 << 20);
    let mut encoder = codec::StreamEncoder::new(&exchange);
    let (mut events, mut out) = (Vec::new(), Vec::new());
    reader.push(input.as_bytes(), &mut events);
    reader.finish(&mut events);
    for event in events.clone() {
        encoder.push(event, &mut out);
    }
    let grammar = match client {
        Dialect::Chat => chat_grammar::check(&out),
        Dialect::Responses => responses_grammar::check(&out),
        Dialect::Messages => messages_grammar::check(&out),
        Dialect::Gemini => gemini_grammar::check(&out),
    };
    let out = String::from_utf8(out).unwrap();
    assert_eq!(grammar, Ok(()), "{out}");
    format!("{}\n---- whole\n{}", out.trim_end(), whole(&exchange, events))
}

fn whole(exchange: &Exchange, events: Vec<Event>) -> String {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    match fold.finish() {
        Ok(response) => {
            let answer = codec::encode_answer(&response, exchange);
            let body: Value = serde_json::from_slice(&answer.value).unwrap();
            format!("{}\n{}", pretty(&body), lost(&answer.losses))
        }
        Err(failure) => format!("{} {:?}: {}", failure.status, failure.kind, failure.message),
    }
}

#[test]
fn requests_of_chat() {
    each("requests", Dialect::Chat, "json", |input, other| request(Dialect::Chat, input, other));
}

#[test]
fn requests_of_responses() {
    each("requests", Dialect::Responses, "json", |input, other| request(Dialect::Responses, input, other));
}

#[test]
fn requests_of_messages() {
    each("requests", Dialect::Messages, "json", |input, other| request(Dialect::Messages, input, other));
}

#[test]
fn requests_of_gemini() {
    each("requests", Dialect::Gemini, "json", |input, other| request(Dialect::Gemini, input, other));
}

#[test]
fn answers_of_chat() {
    each("answers", Dialect::Chat, "json", |input, other| answer(Dialect::Chat, input, other));
}

#[test]
fn answers_of_responses() {
    each("answers", Dialect::Responses, "json", |input, other| answer(Dialect::Responses, input, other));
}

#[test]
fn answers_of_messages() {
    each("answers", Dialect::Messages, "json", |input, other| answer(Dialect::Messages, input, other));
}

#[test]
fn answers_of_gemini() {
    each("answers", Dialect::Gemini, "json", |input, other| answer(Dialect::Gemini, input, other));
}

#[test]
fn streams_of_chat() {
    each("streams", Dialect::Chat, "sse", |input, other| stream(Dialect::Chat, input, other));
}

#[test]
fn streams_of_responses() {
    each("streams", Dialect::Responses, "sse", |input, other| stream(Dialect::Responses, input, other));
}

#[test]
fn streams_of_messages() {
    each("streams", Dialect::Messages, "sse", |input, other| stream(Dialect::Messages, input, other));
}

#[test]
fn streams_of_gemini() {
    each("streams", Dialect::Gemini, "sse", |input, other| stream(Dialect::Gemini, input, other));
}
