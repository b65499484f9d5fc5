use super::{StreamDecoder, stream_encode};
use crate::{
    Exchange, Translated,
    ir::{Event, Failure, Response, unfold},
};
use byok_types::{Blame, FailureKind};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Reads a whole answer (also one in the Code Assist envelope) as events that end in `End`.
///
/// # Errors
/// The failure that the body reports instead of an answer, or that makes the answer unusable.
pub fn decode_answer(body: &[u8]) -> Result<Vec<Event>, Failure> {
    let mut decoder = StreamDecoder::for_whole();
    let mut events = Vec::new();
    decoder.data(body, &mut events);
    decoder.finish(&mut events);
    let failed = events.iter().position(|event| matches!(event, Event::Failure(_)));
    match failed.map(|at| events.swap_remove(at)) {
        // That it has no answer in it would say less.
        _ if says_nothing(body) => {
            let message = "The upstream answered with something that is not an answer of Gemini. Check that its address is right.";
            Err(Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502))
        }
        Some(Event::Failure(failure)) => Err(failure),
        _ => Ok(events),
    }
}

/// Whether an object has no member of an answer, or of a failure: then it is something else.
fn says_nothing(body: &[u8]) -> bool {
    const MEMBERS: [&str; 9] = [
        "candidates",
        "promptFeedback",
        "prompt_feedback",
        "usageMetadata",
        "usage_metadata",
        "responseId",
        "response_id",
        "response",
        "error",
    ];
    serde_json::from_slice::<HashMap<String, &RawValue>>(body)
        .is_ok_and(|object| !MEMBERS.iter().any(|name| object.contains_key(*name)))
}

/// Writes a whole answer.
pub fn encode_answer(response: &Response, exchange: &Exchange) -> Translated<Vec<u8>> {
    let mut writer = stream_encode::Writer::for_whole(exchange);
    let mut value = Vec::new();
    for event in unfold(response) {
        writer.push(event, &mut value);
    }
    Translated { value, losses: writer.losses().to_vec() }
}
