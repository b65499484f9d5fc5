use super::{StreamDecoder, stream_encode};
use crate::{
    Exchange, Translated,
    ir::{Event, Failure, Response, unfold},
};

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
        Some(Event::Failure(failure)) => Err(failure),
        _ => Ok(events),
    }
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
