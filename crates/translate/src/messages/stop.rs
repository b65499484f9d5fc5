//! Why an answer ended.

use super::object::Object;
use crate::{
    Json,
    ir::{Stop, StopReason},
};

/// The reason behind the vendor's word.
pub(super) fn reason(word: &str) -> StopReason {
    match word {
        "end_turn" => StopReason::End,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolCall,
        "max_tokens" => StopReason::Length,
        "model_context_window_exceeded" => StopReason::ContextFull,
        "refusal" => StopReason::Refusal,
        "pause_turn" => StopReason::Pause,
        "compaction" => StopReason::Compaction,
        _ => foreign(word).unwrap_or(StopReason::Other),
    }
}

/// The reason behind a word of another dialect, which servers that imitate several of them say here.
fn foreign(word: &str) -> Option<StopReason> {
    match word {
        "stop" | "completed" => Some(StopReason::End),
        "tool_calls" | "function_call" => Some(StopReason::ToolCall),
        "length" => Some(StopReason::Length),
        "content_filter" => Some(StopReason::Refusal),
        _ => None,
    }
}

/// The vendor's word for a reason.
fn word(reason: StopReason) -> &'static str {
    match reason {
        StopReason::End | StopReason::MalformedCall | StopReason::Cancelled | StopReason::Other => "end_turn",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolCall => "tool_use",
        StopReason::Length => "max_tokens",
        StopReason::ContextFull => "model_context_window_exceeded",
        StopReason::ContentFilter | StopReason::Refusal => "refusal",
        StopReason::Pause => "pause_turn",
        StopReason::Compaction => "compaction",
    }
}

/// What calls of the client's tools an answer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Calls {
    /// None.
    #[default]
    None,
    /// Only such as the vendor's own code made; they may have been answered within the turn.
    ByCode,
    /// Some that the model made.
    ByModel,
}

/// Makes the reason agree with what was said: a call that the model made waits for its result, whatever the vendor called
/// it, and without any call nothing waits.
pub(super) fn agree(stop: &mut Stop, calls: Calls) {
    let corrected = match (stop.reason, calls) {
        (
            StopReason::End
            | StopReason::StopSequence
            | StopReason::MalformedCall
            | StopReason::Cancelled
            | StopReason::Other,
            Calls::ByModel,
        ) => StopReason::ToolCall,
        (StopReason::ToolCall, Calls::None) => StopReason::End,
        _ => return,
    };
    *stop = Stop { details: stop.details.take(), ..Stop::new(corrected) };
}

/// Writes `stop_reason`, `stop_sequence` and, for a refusal, `stop_details`. `native` says that the upstream speaks this
/// dialect: then its own word and details stand.
pub(super) fn write(object: &mut Object<'_>, stop: &Stop, native: bool) {
    // A new word of the vendor is passed on; what is no word at all, or another dialect's, is not.
    let is_word = |own: &str| {
        own.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !own.is_empty() && foreign(own).is_none()
    };
    let own = stop.word.as_deref().filter(|own| native && is_word(own) && reason(own) == stop.reason);
    object.string("stop_reason", own.unwrap_or_else(|| word(stop.reason)));
    object.value("stop_sequence", &stop.sequence);
    if let Some(details) = stop.details.as_ref().filter(|details| native && !details.is_null()) {
        object.json("stop_details", details);
    } else if !native && word(stop.reason) == "refusal" {
        let mut details = Object::typed(object.key("stop_details"), "refusal");
        details.json("category", &Json::null());
        details.value("explanation", &stop.explanation());
        details.end();
    }
}
