//! The answer before any vendor's spelling: what is said, called and counted.

mod compose;
mod cut;
mod say;

pub(crate) use compose::compose;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What it consists of, in order.
    pub(crate) parts: Vec<Part>,
    /// Why it ends.
    pub(crate) stop: Stop,
    /// What it counts.
    pub(crate) tokens: Tokens,
    /// Whether it says so.
    pub(crate) counted: bool,
}

/// One part of an answer. The pieces are what the deltas of a stream carry.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Thinking; without pieces, only its blob is shown.
    Thinking { pieces: Vec<String>, redacted: bool },
    /// Text, with the sources it cites.
    Text { pieces: Vec<String>, sources: Vec<Source> },
    /// Words of a refusal.
    Refusal { pieces: Vec<String> },
    /// A call of a tool that the client runs.
    Call(ToolCall),
    /// A web search that the vendor ran.
    Search { query: String, sources: Vec<Source> },
}

/// A tool call.
#[derive(Clone, Debug)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    /// Whether the input is free text instead of JSON.
    pub(crate) free: bool,
    /// The input, whole unless it was cut by the token limit.
    pub(crate) input: String,
    pub(crate) pieces: Vec<String>,
    /// Whether the token limit cut it.
    pub(crate) cut: bool,
    /// Whether it has an id also where the dialect lets a vendor leave it out.
    pub(crate) named: bool,
}

/// A page that an answer cites.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) url: String,
    pub(crate) title: String,
    /// Words of the page.
    pub(crate) quote: String,
}

/// Why an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All is said.
    End,
    /// This stop sequence was met.
    Sequence(String),
    /// The limit on tokens was reached.
    Length,
    /// Tools are to be run.
    Tools,
    /// The model refuses.
    Refusal,
    /// In the vendor's spelling, because the scenario says so.
    Verbatim(String),
}

/// Numbers of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// The whole prompt.
    pub(crate) input: u64,
    /// Part of `input` read from the cache.
    pub(crate) cached: u64,
    /// Part of `input` written to the cache.
    pub(crate) written: u64,
    /// The whole answer.
    pub(crate) output: u64,
    /// Part of `output` spent on thinking.
    pub(crate) reasoning: u64,
    /// Web searches.
    pub(crate) searches: u64,
}

impl Part {
    /// Its pieces; parts that come whole have none.
    pub(crate) fn pieces(&self) -> &[String] {
        match self {
            Self::Thinking { pieces, .. } | Self::Text { pieces, .. } | Self::Refusal { pieces } => pieces,
            Self::Call(call) => &call.pieces,
            Self::Search { .. } => &[],
        }
    }
}

#[cfg(test)]
mod tests;
