//! Gemini `generateContent`: requests, answers, streams, errors, token counts and model lists.
//!
//! Two spellings of every key occur in the wild (`functionCall`, `function_call`): both are read everywhere, camel case
//! alone is written. The model and the wish for a stream stand in the path, so they come with `Incoming`.
//!
//! What Gemini asks of a conversation and the other dialects do not (counted function responses, signatures on calls,
//! a first user turn) is put right by the request encoder.

mod answer;
mod count;
mod decode;
mod encode;
mod failure;
mod fields;
mod grounding;
mod keys;
mod logprobs;
mod models;
mod output;
mod pages;
mod partial_args;
mod server;
mod stream_decode;
mod stream_encode;
mod wire;

pub(crate) use encode::{is_google, is_stored_by_google};
pub(crate) use keys::{fits, legal_parameter};

pub use answer::{decode_answer, encode_answer};
pub use count::{decode_count, encode_count, encode_count_request};
pub use decode::decode_request;
pub use encode::encode_request;
pub use failure::{decode_failure, encode_failure};
pub use models::{decode_models, encode_model, encode_models, next_models};
pub use stream_decode::StreamDecoder;
pub use stream_encode::StreamEncoder;

use crate::{
    carrier,
    ir::{Blob, BlobSlot, Family},
};

/// The documented stand-in for the signature of a call that Gemini did not make.
pub(crate) const NO_SIGNATURE: &str = carrier::PLACEHOLDERS[0];

/// The blob in a `thoughtSignature`: a carrier of ours, or Gemini's own. Stand-ins are no blob.
fn blob(signature: &str, slot: BlobSlot) -> Option<Blob> {
    if signature.is_empty() || carrier::PLACEHOLDERS.contains(&signature) {
        return None;
    }
    let own = || Blob { family: Family::Gemini, account: None, slot, data: signature.to_owned() };
    Some(carrier::unwrap_base64(signature).unwrap_or_else(own))
}

/// Whether byok made this call id because Gemini or its client gave none. Such ids are not written back: the calls are
/// paired by name and order, as they were before.
pub(crate) fn is_made_up(call_id: &str) -> bool {
    call_id
        .strip_prefix(MADE_UP)
        .is_some_and(|id| id.len() == 24 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// The beginning of call ids that byok makes.
const MADE_UP: &str = "call_";
