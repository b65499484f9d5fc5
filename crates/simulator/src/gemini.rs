//! Gemini `generateContent`, as the vendor's SDK types and its refusals describe it (autumn 2026).

mod access;
mod fields;
mod read;
mod render;
mod spelling;
mod validate;

pub(crate) use access::{authorize, models, unknown_model};
pub(crate) use read::read;
pub(crate) use render::{error_frame, stream, whole};
pub(crate) use spelling::canonical;
pub(crate) use validate::{count, validate};
