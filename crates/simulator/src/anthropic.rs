//! Anthropic Messages, as the vendor's SDK types and its refusals describe it (November 2026).

mod access;
mod fields;
mod models;
mod read;
mod render;
mod validate;

pub(crate) use access::{authorize, charge_extra, has_oauth_beta, limits};
pub(crate) use models::models;
pub(crate) use read::read;
pub(crate) use render::{error_frame, stream, whole};
pub(crate) use validate::{count, validate};
