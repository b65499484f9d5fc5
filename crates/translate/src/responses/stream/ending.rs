//! How an answer ends in the words of Responses.

use crate::{
    ir::{Stop, StopReason},
    responses::envelope::State,
};

/// An ending.
pub(in super::super) struct Ending {
    kind: EndingKind,
    /// Words of a refusal that the answer does not have yet.
    pub(in super::super) refusal: Option<String>,
}

enum EndingKind {
    Completed,
    Incomplete(Option<String>),
    Malformed,
}

impl Ending {
    pub(in super::super) fn state(&self) -> State<'_> {
        match &self.kind {
            EndingKind::Completed => State::Completed,
            EndingKind::Incomplete(reason) => State::Incomplete(reason.as_deref()),
            EndingKind::Malformed => State::Failed(
                "server_error",
                "The model made a call that could not be read. Send the request again.",
            ),
        }
    }
}

/// What the client was shown, as far as it bears on the ending.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Shown {
    /// Words of a refusal.
    pub(in super::super) refused: bool,
    /// A call of one of its tools.
    pub(in super::super) called: bool,
    /// Nothing at all.
    pub(in super::super) empty: bool,
}

/// The ending for `stop`. `native` says that the upstream speaks this dialect: then its own reason stands.
pub(in super::super) fn ending(stop: Option<&Stop>, shown: Shown, native: bool) -> Ending {
    let completed = Ending { kind: EndingKind::Completed, refusal: None };
    let incomplete = |reason: Option<&str>| Ending {
        kind: EndingKind::Incomplete(reason.map(str::to_owned)),
        refusal: None,
    };
    let Some(stop) = stop else { return completed };
    match stop.reason {
        StopReason::Length | StopReason::ContextFull => incomplete(Some("max_output_tokens")),
        StopReason::ContentFilter => incomplete(Some("content_filter")),
        StopReason::Cancelled => {
            incomplete(stop.word.as_deref().filter(|word| matches!(*word, "steered" | "max_messages")))
        }
        StopReason::Other if native && stop.word.is_some() => incomplete(stop.word.as_deref()),
        StopReason::MalformedCall if shown.empty => Ending { kind: EndingKind::Malformed, refusal: None },
        // A call in a completed answer would be carried out.
        StopReason::Refusal if shown.called => {
            let refusal = (!shown.refused).then(|| why_declined(stop));
            Ending { refusal, ..incomplete(Some("content_filter")) }
        }
        StopReason::Refusal if !shown.refused => {
            Ending { kind: EndingKind::Completed, refusal: Some(why_declined(stop)) }
        }
        StopReason::End
        | StopReason::StopSequence
        | StopReason::ToolCall
        | StopReason::Refusal
        | StopReason::Pause
        | StopReason::Compaction
        | StopReason::MalformedCall
        | StopReason::Other => completed,
    }
}

/// Why the model declined, in the vendor's words if it gave any.
fn why_declined(stop: &Stop) -> String {
    stop.explanation().unwrap_or_else(|| "The model declined to answer.".to_owned())
}
