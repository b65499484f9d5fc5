//! Counting of tokens.

use super::encode::{Purpose, encode};
use crate::{Ids, Translated, ir::Request};
use byok_types::{Failure, ModelFacts};
use serde::Deserialize;

/// Writes a request for `/v1/messages/count_tokens`: what a generation would send, without cap, stream, sampling and
/// identity.
///
/// # Errors
/// As for a generation.
pub fn encode_count_request(
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    encode(request, facts, ids, Purpose::Count)
}

/// The count in an answer.
pub fn decode_count(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Wire {
        input_tokens: u64,
    }
    serde_json::from_slice::<Wire>(body).ok().map(|wire| wire.input_tokens)
}

/// The answer to a client that counts.
pub fn encode_count(tokens: u64) -> Vec<u8> {
    format!("{{\"input_tokens\":{tokens}}}").into_bytes()
}
