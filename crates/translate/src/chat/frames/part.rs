//! Parts that are being written.

use crate::ir::Citation;

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

/// How far the reasoning of a part has been shown.
#[derive(Debug, Default)]
pub(super) struct Reasoning {
    paragraph: Option<u32>,
    raw: Option<bool>,
}

impl Reasoning {
    /// The text to show. A summary and the raw reasoning say the same: the kind that came first is shown.
    pub(super) fn next(&mut self, text: String, paragraph: u32, raw: bool) -> Option<String> {
        if *self.raw.get_or_insert(raw) != raw || text.is_empty() {
            return None;
        }
        let follows = self.paragraph.replace(paragraph).is_some_and(|earlier| earlier != paragraph);
        Some(if follows { format!("\n\n{text}") } else { text })
    }
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
