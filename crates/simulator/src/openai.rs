//! What the two `OpenAI` dialects share: the words of refusals, schemas, model-dependent options, tool names.

mod options;
mod schemas;
mod words;

pub(crate) use options::{Limits, efforts, limits, model, sampling};
pub(crate) use schemas::{function, strict, structured};
pub(crate) use words::{
    bad, empty_list, invalid, name, not_found_tool, pattern, too_long, too_many, unsupported, worded,
};
