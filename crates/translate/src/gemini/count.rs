use super::{
    encode::{self, Purpose},
    fields::Fields,
};
use crate::{
    Ids, Translated,
    ir::{Failure, Request},
};
use byok_types::ModelFacts;
use serde::Deserialize;

/// The body of `countTokens` for a request of any dialect: the whole request inside `generateContentRequest`, so that
/// instructions and tools are counted. What only matters for generating is left out.
///
/// # Errors
/// As for `encode_request`.
pub fn encode_count_request(
    request: &Request,
    facts: &ModelFacts,
    ids: &mut Ids,
) -> Result<Translated<Vec<u8>>, Failure> {
    let inner = encode::encode(request, facts, ids, Purpose::Count)?;
    let mut value = Vec::with_capacity(inner.value.len() + 32);
    let mut body = Fields::open(&mut value);
    body.key("generateContentRequest").extend_from_slice(&inner.value);
    body.close();
    Ok(Translated { value, losses: inner.losses })
}

/// The number of tokens in the answer to `countTokens`. `None` if it has none.
pub fn decode_count(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Count {
        #[serde(rename = "totalTokens", alias = "total_tokens")]
        total: Option<u64>,
        response: Option<Box<Count>>,
    }
    let count: Count = serde_json::from_slice(body).ok()?;
    count.total.or_else(|| count.response?.total)
}

/// The answer to `countTokens`.
pub fn encode_count(tokens: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    let mut body = Fields::open(&mut out);
    body.value("totalTokens", &tokens);
    body.close();
    out
}
