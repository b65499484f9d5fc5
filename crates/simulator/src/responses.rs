//! `OpenAI` Responses, as the vendor's SDK types and its refusals describe it (November 2026).

mod fields;
mod items;
mod read;
mod render;
mod store;
mod stream;
mod validate;

pub(crate) use read::read;
pub(crate) use render::whole;
pub(crate) use store::Stored;
pub(crate) use stream::{error_frame, stream};
pub(crate) use validate::{count, validate};
