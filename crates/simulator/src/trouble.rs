//! Refusals that a scenario asks for, in each vendor's words, and streams that break.

mod broken;
mod refuse;

pub(crate) use broken::{break_whole, broken_items, padding, special};
pub(crate) use refuse::{Circumstances, bad_google_key, incorrect_key, refusal, rfc3339};
