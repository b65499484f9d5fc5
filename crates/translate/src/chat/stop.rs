//! Why an answer ended.

use crate::ir::{Stop, StopReason};

/// What a `finish_reason` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The answer ended.
    Ended(StopReason),
    /// The server failed in the middle (DeepSeek, Z.ai, OpenRouter, DashScope).
    Failed { overloaded: bool },
}

/// Reads a `finish_reason`. Servers use words of their own; one that byok does not know is a normal end.
pub(super) fn word(word: &str) -> Word {
    let reason = match word.to_ascii_lowercase().as_str() {
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolCall,
        "length" | "max_tokens" | "model_length" => StopReason::Length,
        "model_context_window_exceeded" => StopReason::ContextFull,
        "content_filter" | "sensitive" | "refusal" | "safety" => StopReason::ContentFilter,
        "malformed_function_call" => StopReason::MalformedCall,
        "error" | "network_error" | "error_finish" => return Word::Failed { overloaded: false },
        "insufficient_system_resource" => return Word::Failed { overloaded: true },
        _ => StopReason::End,
    };
    Word::Ended(reason)
}

/// What an answer contained, as far as it bears on how it ended.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four observations that do not depend on each other")]
pub(super) struct Seen {
    /// A call of a client's tool.
    pub(super) call: bool,
    /// A call whose arguments break off.
    pub(super) cut_call: bool,
    /// Visible text.
    pub(super) text: bool,
    /// Words of a refusal.
    pub(super) refusal: bool,
}

/// How an answer ended, by what the server said and by what it sent: a call that was sent wins over `stop`, and
/// `tool_calls` without a call is a normal end.
pub(super) fn settle(said: Option<&str>, sequence: Option<String>, seen: Seen) -> Stop {
    let said_reason = match said.map(word) {
        Some(Word::Ended(reason)) => reason,
        Some(Word::Failed { .. }) | None => StopReason::End,
    };
    let reason = match said_reason {
        StopReason::End | StopReason::ToolCall if seen.cut_call => StopReason::Length,
        StopReason::End | StopReason::ToolCall if seen.call => StopReason::ToolCall,
        StopReason::End | StopReason::ToolCall if sequence.is_some() => StopReason::StopSequence,
        StopReason::End | StopReason::ToolCall if seen.refusal => StopReason::Refusal,
        StopReason::ToolCall => StopReason::End,
        reason => reason,
    };
    let sequence = sequence.filter(|_| reason == StopReason::StopSequence);
    Stop { reason, sequence, details: None, word: said.map(str::to_owned) }
}

/// The same for clients that know calls only as `function_call`.
pub(super) fn in_form(reason: &'static str, old_functions: bool) -> &'static str {
    if old_functions && reason == "tool_calls" { "function_call" } else { reason }
}

/// The official word for how an answer ended. `call` and `refusal` say what the client was shown.
pub(super) fn finish_reason(stop: Option<&Stop>, call: bool, refusal: bool) -> &'static str {
    match stop.map(|stop| stop.reason).unwrap_or_default() {
        StopReason::Length | StopReason::ContextFull => "length",
        StopReason::ContentFilter => "content_filter",
        // A call beside a normal end would be carried out.
        StopReason::Refusal if call || !refusal => "content_filter",
        _ if call => "tool_calls",
        _ => "stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StopReason::{ContentFilter, ContextFull, End, Length, Refusal, StopSequence, ToolCall};

    #[test]
    fn t44_t45_what_was_sent_decides() {
        let call = Seen { call: true, ..Seen::default() };
        let cut = Seen { call: true, cut_call: true, ..Seen::default() };
        let refused = Seen { refusal: true, ..Seen::default() };
        let nothing = Seen::default();
        for (said, sequence, seen, expected) in [
            (Some("stop"), None, call, ToolCall),
            (Some("tool_calls"), None, call, ToolCall),
            (Some("tool_calls"), None, nothing, End),
            (Some("length"), None, call, Length),
            (Some("length"), None, cut, Length),
            (Some("tool_calls"), None, cut, Length),
            (None, None, call, ToolCall),
            (None, None, nothing, End),
            (Some("eos"), None, nothing, End),
            (Some("whatever"), None, nothing, End),
            (Some("MAX_TOKENS"), None, nothing, Length),
            (Some("model_context_window_exceeded"), None, nothing, ContextFull),
            (Some("sensitive"), None, nothing, ContentFilter),
            (Some("stop"), None, refused, Refusal),
            (Some("tool_calls"), None, refused, Refusal),
            (Some("stop"), Some("END"), nothing, StopSequence),
        ] {
            let stop = settle(said, sequence.map(str::to_owned), seen);
            assert_eq!(stop.reason, expected, "{said:?} {seen:?}");
            assert_eq!(stop.word.as_deref(), said);
            assert_eq!(stop.sequence.as_deref(), sequence);
        }
    }

    #[test]
    fn t123_only_official_words_are_written() {
        let cases = [
            (End, false, false, "stop"),
            (End, true, false, "tool_calls"),
            (ToolCall, true, false, "tool_calls"),
            (ToolCall, false, false, "stop"),
            (Length, true, false, "length"),
            (ContextFull, false, false, "length"),
            (ContentFilter, false, false, "content_filter"),
            (Refusal, false, false, "content_filter"),
            (Refusal, false, true, "stop"),
            (StopReason::Pause, false, false, "stop"),
            (StopReason::Other, true, false, "tool_calls"),
        ];
        for (reason, call, refusal, expected) in cases {
            assert_eq!(finish_reason(Some(&Stop::new(reason)), call, refusal), expected, "{reason:?}");
        }
        assert_eq!(finish_reason(None, true, false), "tool_calls");
    }
}
