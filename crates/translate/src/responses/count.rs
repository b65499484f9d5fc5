//! Answers of `POST /v1/responses/input_tokens`.

use super::writer::Object;
use serde::Deserialize;

/// Reads the number of tokens.
pub fn decode_count(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Wire {
        input_tokens: u64,
    }
    serde_json::from_slice::<Wire>(body).ok().map(|wire| wire.input_tokens)
}

/// Writes the number of tokens.
pub fn encode_count(tokens: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    object.text("object", "response.input_tokens").value("input_tokens", &tokens);
    object.end();
    out
}
