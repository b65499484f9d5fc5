//! Token counts. Chat has no endpoint for them: byok estimates, and answers in the form of the Responses one.

use super::object::object;
use crate::{
    Ids, Translated,
    ir::{Failure, Request},
};
use byok_types::{Blame, FailureKind, ModelFacts};

/// Always fails: there is nothing to ask. The caller estimates instead.
pub fn encode_count_request(
    _request: &Request,
    _facts: &ModelFacts,
    _ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    let message = "Chat upstreams do not count tokens; estimate the count instead.";
    Err(Failure::new(FailureKind::NotFound, Blame::Byok, message))
}

/// Always `None`: no Chat server gives a count.
pub fn decode_count(_body: &[u8]) -> Option<u64> {
    None
}

/// Writes a count for a client.
pub fn encode_count(tokens: u64) -> Vec<u8> {
    let mut out = Vec::new();
    object(&mut out, |count| count.value("input_tokens", &tokens));
    out
}
