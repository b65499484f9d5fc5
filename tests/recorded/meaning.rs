//! What an answer means, and what of it each dialect must show. Shares nothing with byok's own translation.

use crate::support::ask::{Said, Usage};
use byok_types::Dialect;
use serde_json::Value;

/// Why an answer ended, in classes that the table of stop reasons has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    #[default]
    End,
    Sequence,
    Tool,
    Length,
    Context,
    Filter,
    Refusal,
    Pause,
    Compaction,
    Malformed,
}

/// What a vendor said, as its own dialect has it.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    pub text: String,
    pub refusal: String,
    /// Why the vendor declined or filtered, where it says so beside what was said.
    pub explanation: String,
    /// Names and arguments, in order.
    pub calls: Vec<(String, Value)>,
    pub stop: Stop,
    /// Token counts; `None` where the vendor stated none.
    pub usage: Option<Usage>,
    /// The answer is an error, or ends in one, or breaks off.
    pub failed: bool,
}

impl Meaning {
    /// A call that was made is why the answer ended; a stop for a call that was not made is an end.
    pub fn settled(mut self) -> Self {
        match self.stop {
            Stop::End | Stop::Malformed if !self.calls.is_empty() => self.stop = Stop::Tool,
            Stop::End | Stop::Tool if !self.calls.is_empty() => self.stop = Stop::Tool,
            Stop::Tool => self.stop = Stop::End,
            Stop::End if !self.refusal.is_empty() && self.text.is_empty() => self.stop = Stop::Refusal,
            _ => {}
        }
        self
    }

    /// The first difference between this and what a client of `dialect` reads: what differs, and how.
    pub fn differs(&self, dialect: Dialect, said: &Said) -> Option<(&'static str, String)> {
        let shown = match dialect {
            // These two show a refusal as text.
            Dialect::Messages | Dialect::Gemini => said.text.clone(),
            Dialect::Chat | Dialect::Responses => format!("{}{}", said.text, said.refusal),
        };
        // Chat has a place for an explanation, and Responses for that of a refusal.
        let explained = match (dialect, self.stop) {
            (Dialect::Chat, Stop::Filter | Stop::Refusal) | (Dialect::Responses, Stop::Refusal)
                if self.refusal.is_empty() =>
            {
                self.explanation.as_str()
            }
            _ => "",
        };
        let meant = format!("{}{}{explained}", self.text, self.refusal);
        // Where a vendor declines without a word, this dialect needs one.
        let shown = match dialect {
            Dialect::Responses if self.stop == Stop::Refusal && meant == self.text => said.text.clone(),
            _ => shown,
        };
        if shown != meant {
            return Some(("text", format!("{meant:?} became {shown:?}")));
        }
        let calls: Vec<_> =
            said.calls.iter().map(|call| (call.name.clone(), call.arguments.clone())).collect();
        if calls != self.calls {
            return Some(("calls", format!("{:?} became {calls:?}", self.calls)));
        }
        if self.failed != said.error.is_some() {
            return Some(("failure", format!("failed: {}, shown: {:?}", self.failed, said.error)));
        }
        if self.failed {
            return None;
        }
        let words = words(dialect, self.stop);
        if !words.contains(&said.stop.as_str()) {
            return Some(("stop", format!("{:?} became {}, not one of {words:?}", self.stop, said.stop)));
        }
        let usage = self.usage?;
        (usage != said.usage).then(|| ("usage", format!("{usage:?} became {:?}", said.usage)))
    }
}

/// The words in which a dialect says why an answer ended.
fn words(dialect: Dialect, stop: Stop) -> &'static [&'static str] {
    match (dialect, stop) {
        (Dialect::Chat, Stop::Tool) => &["tool_calls"],
        (Dialect::Chat, Stop::Length | Stop::Context) => &["length"],
        (Dialect::Chat, Stop::Filter) => &["content_filter"],
        (Dialect::Chat, Stop::Refusal) => &["stop", "content_filter"],
        (Dialect::Chat, _) => &["stop"],
        (Dialect::Responses, Stop::Length | Stop::Context) => &["max_output_tokens"],
        (Dialect::Responses, Stop::Filter) => &["content_filter"],
        (Dialect::Responses, Stop::Refusal) => &["completed", "content_filter"],
        (Dialect::Responses, _) => &["completed"],
        (Dialect::Messages, Stop::Tool) => &["tool_use"],
        (Dialect::Messages, Stop::Sequence) => &["stop_sequence"],
        (Dialect::Messages, Stop::Length) => &["max_tokens"],
        (Dialect::Messages, Stop::Context) => &["model_context_window_exceeded"],
        (Dialect::Messages, Stop::Filter | Stop::Refusal) => &["refusal"],
        (Dialect::Messages, Stop::Pause) => &["pause_turn"],
        (Dialect::Messages, Stop::Compaction) => &["compaction"],
        (Dialect::Messages, Stop::End | Stop::Malformed) => &["end_turn"],
        (Dialect::Gemini, Stop::Length | Stop::Context) => &["MAX_TOKENS"],
        (Dialect::Gemini, Stop::Filter | Stop::Refusal) => {
            &["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT"]
        }
        (Dialect::Gemini, Stop::Malformed) => &["MALFORMED_FUNCTION_CALL"],
        (Dialect::Gemini, _) => &["STOP"],
    }
}
