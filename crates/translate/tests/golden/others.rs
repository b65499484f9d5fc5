//! What is neither a request nor an answer: errors, lists of models, requests that count.

use super::{each, pretty, support};
use byok_translate::{Discovered, Ids, Incoming, ModelEntry, codec};
use byok_types::{Dialect, ModelFacts};
use serde_json::Value;
use std::fmt::Write;

/// Each `[status, body]` of a list as a client of another dialect is told of it. A text stands for itself.
fn failures(upstream: Dialect, input: &str, client: Dialect) -> String {
    let mut shown = String::new();
    for one in serde_json::from_str::<Vec<(u16, Value)>>(input).unwrap() {
        let (status, body) = one;
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        let failure = codec::decode_failure(upstream, status, body.as_bytes());
        let told = codec::encode_failure(client, &failure, "req_1");
        writeln!(
            shown,
            "{} {:?} {:?} {:?} {:?} {:?}\n{}",
            failure.status,
            failure.kind,
            failure.blame,
            failure.code,
            failure.param,
            failure.retry_after,
            String::from_utf8(told).unwrap()
        )
        .unwrap();
    }
    shown
}

/// A list of models as a client of another dialect sees it, and what was learned from it.
fn models(upstream: Dialect, input: &str, client: Dialect) -> String {
    let found = codec::decode_models(upstream, input.as_bytes());
    let list: Vec<_> = found.iter().map(entry).collect();
    let body: Value = serde_json::from_slice(&codec::encode_models(client, &list, false)).unwrap();
    let mut shown = pretty(&body);
    if client == upstream {
        for (found, model) in found.iter().zip(&list) {
            let one: Value = serde_json::from_slice(&codec::encode_model(client, model)).unwrap();
            write!(shown, "\n{one}\n{:?} {}", found.created, Value::Object(found.facts.clone())).unwrap();
        }
    }
    shown
}

/// A model of which nothing is known but what the list states.
fn entry(found: &Discovered) -> ModelEntry {
    let mut facts = found.facts.clone();
    facts.insert("id".to_owned(), found.id.clone().into());
    let facts: ModelFacts = serde_json::from_value(Value::Object(facts)).unwrap();
    ModelEntry { id: found.id.clone(), created: found.created, owner: None, facts }
}

/// A request as the upstream counts it, and the number that a client is told.
fn counts(client: Dialect, input: &str, upstream: Dialect) -> String {
    let incoming = Incoming { body: input.as_bytes(), model: Some("models/m"), stream: None };
    let request = codec::decode_request(client, &incoming).unwrap();
    let facts = support::facts(upstream);
    let told = codec::encode_count(upstream, 12);
    let asked = match codec::encode_count_request(upstream, &request.value, &facts, &mut Ids::new("seed")) {
        Ok(written) => {
            assert_eq!(codec::decode_count(upstream, &told), Some(12));
            pretty(&serde_json::from_slice(&written.value).unwrap())
        }
        Err(failure) => format!("{} {:?}: {}", failure.status, failure.kind, failure.message),
    };
    format!("{asked}\n{}", String::from_utf8(told).unwrap())
}

#[test]
fn failures_of_chat() {
    each("failures", Dialect::Chat, "json", |input, other, _| failures(Dialect::Chat, input, other));
}

#[test]
fn failures_of_responses() {
    each("failures", Dialect::Responses, "json", |input, other, _| {
        failures(Dialect::Responses, input, other)
    });
}

#[test]
fn failures_of_messages() {
    each("failures", Dialect::Messages, "json", |input, other, _| failures(Dialect::Messages, input, other));
}

#[test]
fn failures_of_gemini() {
    each("failures", Dialect::Gemini, "json", |input, other, _| failures(Dialect::Gemini, input, other));
}

#[test]
fn models_of_chat() {
    each("models", Dialect::Chat, "json", |input, other, _| models(Dialect::Chat, input, other));
}

#[test]
fn models_of_responses() {
    each("models", Dialect::Responses, "json", |input, other, _| models(Dialect::Responses, input, other));
}

#[test]
fn models_of_messages() {
    each("models", Dialect::Messages, "json", |input, other, _| models(Dialect::Messages, input, other));
}

#[test]
fn models_of_gemini() {
    each("models", Dialect::Gemini, "json", |input, other, _| models(Dialect::Gemini, input, other));
}

#[test]
fn counts_of_chat() {
    each("counts", Dialect::Chat, "json", |input, other, _| counts(Dialect::Chat, input, other));
}

#[test]
fn counts_of_responses() {
    each("counts", Dialect::Responses, "json", |input, other, _| counts(Dialect::Responses, input, other));
}

#[test]
fn counts_of_messages() {
    each("counts", Dialect::Messages, "json", |input, other, _| counts(Dialect::Messages, input, other));
}

#[test]
fn counts_of_gemini() {
    each("counts", Dialect::Gemini, "json", |input, other, _| counts(Dialect::Gemini, input, other));
}
