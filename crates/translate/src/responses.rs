//! `OpenAI` Responses: requests, answers, streams, failures, models and token counts, read and written.
//!
//! Both sides of the dialect meet here: clients (Codex CLI, the `OpenAI` SDKs) and upstreams (`OpenAI` and servers that are
//! compatible with it). Items of a request are messages of their own in the middle form; what a vendor sent and byok does
//! not know is kept verbatim and written again only in this dialect.

mod answer;
mod citation;
pub(crate) mod client_tools;
mod count;
mod decode;
mod encode;
mod envelope;
mod failure;
mod hosted;
mod item;
pub(crate) mod mend;
mod models;
pub mod socket;
pub mod stored;
mod stream;
mod tagged;
pub(crate) mod typed;
mod usage;
mod whole;
mod wire;
mod writer;

pub use answer::{StreamDecoder, decode_answer};
pub use count::{decode_count, encode_count};
pub use decode::decode_request;
pub(crate) use encode::bounded;
pub use encode::{bounded_call_id, encode_count_request, encode_request};
pub use failure::{decode_failure, encode_failure};
pub use models::{encode_model, encode_models};
pub use stream::StreamEncoder;
pub use whole::encode_answer;

#[cfg(test)]
mod tests;

/// The member of a text's extras that says which message item it stood in (`id`, `phase`, `status`), because an answer of
/// the middle form has no messages. Never written as it is.
const MESSAGE: &str = "$message";
