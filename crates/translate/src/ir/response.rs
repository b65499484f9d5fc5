use super::{Extra, Part, Usage};
use crate::Json;

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The model was done.
    #[default]
    End,
    /// A stop sequence occurred.
    StopSequence,
    /// The model waits for the results of tools.
    ToolCall,
    /// The cap on the output was reached.
    Length,
    /// The context is full.
    ContextFull,
    /// The vendor filtered the content.
    ContentFilter,
    /// The model declined.
    Refusal,
    /// The vendor paused a long turn; the client continues it by sending it back.
    Pause,
    /// The conversation was compacted.
    Compaction,
    /// The model made a call that could not be read.
    MalformedCall,
    /// Somebody ended it.
    Cancelled,
    /// A reason that byok does not know; `Stop::word` has it.
    Other,
}

/// How an answer ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// The stop sequence that occurred.
    pub sequence: Option<String>,
    /// Details in the vendor's shape, verbatim: Messages `stop_details`, or the text of Gemini's `finishMessage`.
    pub details: Option<Json>,
    /// The vendor's own word, for targets of the same dialect.
    pub word: Option<String>,
}

impl Stop {
    /// A stop with nothing but a reason.
    pub fn new(reason: StopReason) -> Self {
        Self { reason, ..Self::default() }
    }

    /// Why the model declined or the vendor filtered, in the vendor's words.
    pub fn explanation(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Details {
            explanation: Option<String>,
        }
        let details = self
            .details
            .as_ref()
            .filter(|_| matches!(self.reason, StopReason::Refusal | StopReason::ContentFilter))?;
        let member = || details.read::<Details>().ok()?.explanation;
        details.as_string().or_else(member).filter(|words| !words.is_empty())
    }
}

/// One of the answers (there is one unless the client asked for more).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// What the model said, in order.
    pub parts: Vec<Part>,
    /// How it ended; `None` if the upstream never said.
    pub stop: Option<Stop>,
}

/// A whole answer: always the fold of its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The vendor's id.
    pub id: Option<String>,
    /// The vendor's name of the model.
    pub model: Option<String>,
    /// When it was made, Unix seconds.
    pub created: Option<i64>,
    /// The answers by their index.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// Unknown fields of the envelope.
    pub extra: Extra,
}
