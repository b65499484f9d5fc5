//! Parts that are being written.

use crate::{ir::Citation, shown_reasoning::Reasoning};

/// A part that is being written. `choice` is a place in the list of choices.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) choice: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text { start: u64, citations: Vec<Citation> },
    Refusal,
    Thinking(Reasoning),
    Call(Call),
    Nothing,
}

#[derive(Debug)]
pub(super) struct Call {
    /// Its index, which it gets with its first chunk.
    pub(super) index: Option<u32>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) form: Form,
    /// Whether a piece of the input was sent.
    pub(super) input: bool,
}

/// How the input of a call is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Function,
    Custom,
    /// Free text as the argument of a function, for clients that declared a function.
    Wrapped,
}
