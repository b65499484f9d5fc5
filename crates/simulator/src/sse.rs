//! Frames of a stream, and how they are laid on the wire.

mod wire;

pub(crate) use wire::{Item, announces_gzip, compressed, lay_out};

use serde_json::Value;

/// What a frame is for: decides where troubles and pauses stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Opens the answer or a part of it.
    Frame,
    /// Carries a delta.
    Delta,
    /// Belongs to the end of the answer.
    End,
    /// `[DONE]`.
    Done,
}

/// One frame of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) role: Role,
    pub(crate) text: String,
}

impl Frame {
    /// `event:` and `data:` lines, as Anthropic and Responses frame.
    pub(crate) fn event(role: Role, name: &str, data: &Value) -> Self {
        Self { role, text: format!("event: {name}\ndata: {data}\n\n") }
    }

    /// One `data:` line, as Chat frames.
    pub(crate) fn data(role: Role, data: &Value) -> Self {
        Self { role, text: format!("data: {data}\n\n") }
    }
}

#[cfg(test)]
mod tests;
