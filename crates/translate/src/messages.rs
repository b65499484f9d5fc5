//! The dialect of Anthropic Messages: requests, answers, streams, errors, token counts and model lists.
//!
//! Requests are written by the rules of `anthropic-version: 2023-06-01`, the version that still knows sampling fields.
//! The encoder owns every repair that the vendor's validation asks for (turn order, pairing of calls and results, empty
//! blocks, ids, thinking blocks, cache markers); the decoder keeps what was sent.

mod answer;
mod betas;
mod block;
mod citation;
mod count;
mod decode;
mod encode;
mod failure;
mod fields;
pub(crate) mod found;
mod models;
mod object;
mod server;
mod stop;
mod stream_decode;
mod stream_encode;
mod surrogate;
mod tool;
pub(crate) mod typed;
mod usage;
mod writer;

pub use answer::{decode_answer, encode_answer};
pub use betas::headers_for;
pub use count::{decode_count, encode_count, encode_count_request};
pub use decode::decode_request;
pub use encode::encode_request;
pub use failure::{decode_failure, encode_failure};
pub use models::{decode_models, encode_model, encode_models, next_models};
pub use stream_decode::StreamDecoder;
pub use stream_encode::StreamEncoder;

use crate::ir::Part;

/// The `anthropic-version` by whose rules requests are encoded.
///
/// The newer version `2026-10-21` refuses `temperature`, `top_p` and `top_k` for every model and citations on user text.
pub const VERSION: &str = "2023-06-01";

/// Name of the tool that a model without native structured output is made to call; its input is the answer.
pub const FORCED_TOOL: &str = crate::emulate::JSON_TOOL;

/// Whether a system block is Claude Code's attribution text (`x-anthropic-billing-header: …`).
///
/// It changes with every request. Towards Claude it stays as it is; any other vendor's prompt cache would never hit with
/// it, and the text would mean nothing there.
pub fn is_billing_block(part: &Part) -> bool {
    matches!(part, Part::Text(text) if text.text.trim_start().starts_with("x-anthropic-billing-header:"))
}

#[cfg(test)]
mod tests;
