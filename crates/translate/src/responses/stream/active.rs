//! The part that is being written.

use crate::ir::{Blob, PartHead, ToolCall};

/// The part that is being written.
#[derive(Debug)]
pub(super) enum Active {
    Text { blob: Option<Blob>, empty: bool },
    Refusal,
    Thinking { id: Option<String>, blob: Option<Blob>, opened: bool },
    Call { call: Box<ToolCall>, blob: Option<Blob>, opened: bool },
}

impl Active {
    /// Whether a part with this head is of the same kind. Words and refusals are both parts of messages.
    pub(super) fn is_like(&self, head: &PartHead) -> bool {
        matches!(
            (self, head),
            (Self::Text { .. } | Self::Refusal, PartHead::Text | PartHead::Refusal)
                | (Self::Thinking { .. }, PartHead::Thinking { .. })
        )
    }
}
