//! Tests by area. What needs only the public face of the dialect stands in the crate's `tests/responses.rs`.

mod encode;
mod failure;
mod read;
mod request;
mod write;

use crate::{
    Ids, Incoming, LossAction, Translated,
    ir::{Event, Failure, Fold, Request, Response},
    responses,
};
use byok_types::{Effort, Family, ModelFacts, ThinkingFacts, ThinkingForm};
use serde_json::Value;

/// A reasoning model of the vendor itself.
fn facts() -> ModelFacts {
    ModelFacts {
        id: "gpt-up".into(),
        family: Family::Openai,
        first_party: true,
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Level],
            levels: vec![Effort::Low, Effort::Medium, Effort::High],
            can_disable: true,
            ..ThinkingFacts::default()
        },
        ..ModelFacts::default()
    }
}

/// A model of a compatible server.
fn compatible() -> ModelFacts {
    ModelFacts { first_party: false, family: Family::Other, ..facts() }
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn decode(value: &Value) -> Request {
    try_decode(value).unwrap()
}

fn try_decode(value: &Value) -> Result<Request, Failure> {
    responses::decode_request(&Incoming::body(&bytes(value))).map(|decoded| decoded.value)
}

fn from_chat(value: &Value) -> Request {
    crate::chat::decode_request(&Incoming::body(&bytes(value))).unwrap().value
}

fn from_messages(value: &Value) -> Request {
    crate::messages::decode_request(&Incoming::body(&bytes(value))).unwrap().value
}

fn try_encode(request: &Request, facts: &ModelFacts) -> Result<Translated<Vec<u8>>, Failure> {
    responses::encode_request(request, facts, &mut Ids::new("test"))
}

fn encode(request: &Request) -> Value {
    encode_for(request, &facts())
}

fn encode_for(request: &Request, facts: &ModelFacts) -> Value {
    serde_json::from_slice(&try_encode(request, facts).unwrap().value).unwrap()
}

fn losses(request: &Request, facts: &ModelFacts) -> Vec<(String, LossAction)> {
    try_encode(request, facts).unwrap().losses.into_iter().map(|loss| (loss.field, loss.action)).collect()
}

fn fold(events: Vec<Event>) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}
