//! OpenAI Chat Completions, and the many servers that are compatible with it.
//!
//! Requests and answers are read far more tolerantly than they are written: what goes out holds only what the official types
//! know, in the order that strict clients and servers insist on.

mod answer;
mod body;
mod chunk;
mod count;
mod decode;
mod encode;
mod failure;
mod frames;
mod loose;
mod models;
mod object;
mod shape;
mod shown;
mod stop;
mod stream;
mod thought;
mod usage;

pub use answer::encode_answer;
pub(crate) use body::WEB_SEARCH_OPTIONS;
pub use count::{decode_count, encode_count, encode_count_request};
pub use decode::decode_request;
pub use encode::encode_request;
pub(crate) use failure::ERROR_FINISH;
pub(crate) use failure::says_nothing;
pub use failure::{decode_failure, encode_failure};
pub use frames::StreamEncoder;
pub use models::{decode_models, encode_model, encode_models};
pub use shape::{has_flat_tools, is_responses_shaped};
pub use stream::{StreamDecoder, decode_answer};
