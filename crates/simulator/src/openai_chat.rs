//! `OpenAI` Chat Completions, as the vendor's SDK types and its refusals describe it (November 2026).

mod access;
mod fields;
mod read;
mod render;
mod validate;

pub(crate) use access::{authorize, limits, models};
pub(crate) use read::read;
pub(crate) use render::{error_frame, stream, whole};
pub(crate) use validate::validate;
