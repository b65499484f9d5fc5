//! What a request asks the simulator to play, and where the wish may stand.
//!
//! A wish is written `sim:NAME arguments`. Several may follow each other. They are read from the start of the last user
//! text, from the key (`…-sim-NAME-argument`), and in direct calls from the header `x-sim-scenario`.

mod parse;
mod table;

pub use table::{SCENARIOS, ScenarioDoc, ScenarioKind};

use crate::body::Tear;
use serde_json::value::RawValue;
use std::time::Duration;

/// Everything that one request asked for.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent wishes that may be combined")]
pub(crate) struct Script {
    /// What is said.
    pub(crate) say: Say,
    /// Thinking text to show before the answer.
    pub(crate) thinking: Option<String>,
    /// Thinking of which only the blob is shown.
    pub(crate) redacted: bool,
    /// Tools to call.
    pub(crate) calls: Vec<Wish>,
    /// Every declared tool is to be called.
    pub(crate) all_tools: bool,
    /// Calls have no ids, where the dialect lets the vendor leave them out.
    pub(crate) no_ids: bool,
    /// Number of turns in which the tools are called again before the answer.
    pub(crate) rounds: usize,
    /// Number of text deltas.
    pub(crate) chunks: Option<usize>,
    /// Pause before the response headers.
    pub(crate) late: Duration,
    /// The answer is charged beyond the plan.
    pub(crate) overage: bool,
    /// Pause before the first delta.
    pub(crate) first: Duration,
    /// Pause between deltas.
    pub(crate) gap: Option<Duration>,
    /// Characters in each text delta.
    pub(crate) split: Option<usize>,
    /// Words that a web search looks for.
    pub(crate) search: Option<String>,
    /// Stop reason, in the vendor's spelling.
    pub(crate) stop: Option<String>,
    /// Fixed numbers of tokens.
    pub(crate) usage: Option<UsageWish>,
    /// What goes wrong.
    pub(crate) trouble: Option<Trouble>,
    /// How the bytes are laid on the wire.
    pub(crate) wire: Wire,
}

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Say {
    /// The question again, in friendly words.
    #[default]
    Echo,
    /// This.
    Text(String),
    /// A JSON document.
    Json,
    /// A refusal.
    Refusal,
}

/// A tool call that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) name: String,
    /// Arguments as they were written; `None`: made from the schema.
    pub(crate) input: Option<Box<RawValue>>,
}

/// Fixed numbers of tokens: those not named are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UsageWish {
    pub(crate) input: Option<u64>,
    pub(crate) cached: Option<u64>,
    pub(crate) written: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    /// Nothing is stated at all.
    pub(crate) none: bool,
}

/// How the bytes of a stream are laid on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches that may be combined")]
pub(crate) struct Wire {
    /// Every byte is a chunk.
    pub(crate) one_byte: bool,
    /// The whole stream is one chunk.
    pub(crate) coalesce: bool,
    /// Lines end in CR LF.
    pub(crate) crlf: bool,
    /// Comments and events that no client knows stand between the frames.
    pub(crate) noise: bool,
    /// Chunks end inside UTF-8 characters.
    pub(crate) split_utf8: bool,
    /// A call for a stream is answered with one JSON text.
    pub(crate) unstreamed: bool,
    /// The body is compressed.
    pub(crate) gzip: Option<Gzip>,
}

/// Whether a compressed body says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gzip {
    /// With `content-encoding: gzip`.
    Announced,
    /// Without a word.
    Silent,
}

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Refused with the vendor's words; the number is a wait in seconds where the cause has one.
    Refuse(Cause, Option<u64>),
    /// Refused the first `times` times that a key asks, then served.
    Fail { times: u32, cause: Cause },
    /// The request is read and never answered.
    Silent,
    /// The connection is torn down before any header.
    Tear(Tear),
    /// A web page with this status.
    Html(u16),
    /// An error object with status 200.
    ErrorOk,
    /// Status 200 and nothing in the body.
    Empty,
    /// The stream begins with an error event.
    FirstEvent,
    /// An error event after so many deltas.
    MidError(usize),
    /// As [`Trouble::MidError`], but as a bare JSON document between the frames, as Google sends it.
    BareError(usize),
    /// The connection is torn down after so many deltas.
    MidTear(usize, Tear),
    /// The connection is torn down in the middle of the frame after so many deltas.
    HalfFrame(usize),
    /// Nothing more comes after the headers.
    StallHeaders,
    /// Nothing but comments comes after the headers, one each time so many milliseconds have passed.
    StallComments(u64),
    /// Nothing more comes after so many deltas.
    StallMid(usize),
    /// The stream ends without its terminal event.
    NoEnd,
    /// The stream ends without `[DONE]`, its terminal event being there.
    NoDone,
    /// A line of so many MiB that has no end.
    EndlessLine(usize),
    /// Bytes that are no UTF-8 inside the text.
    InvalidUtf8,
    /// A small compressed body that unpacks to so many MiB.
    GzipBomb(usize),
    /// So many KiB of response headers before a good answer.
    HugeHeaders(usize),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    BadRequest,
    Auth,
    Billing,
    Forbidden,
    NotFound,
    TooLarge,
    ContextTooLong,
    RateLimit,
    /// A window of the plan is used up.
    Quota,
    Server,
    BadGateway,
    Unavailable,
    Timeout,
    Overloaded,
    /// The plan does not serve this program.
    ThirdParty,
    /// The plan does not pay for this feature.
    ExtraUsage,
    /// The account is closed.
    Banned,
}

impl Cause {
    /// The cause that a vendor's status stands for.
    pub(crate) const fn of_status(status: u16) -> Option<Self> {
        Some(match status {
            400 => Self::BadRequest,
            401 => Self::Auth,
            402 => Self::Billing,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            413 => Self::TooLarge,
            429 => Self::RateLimit,
            500 => Self::Server,
            502 => Self::BadGateway,
            503 => Self::Unavailable,
            504 => Self::Timeout,
            529 => Self::Overloaded,
            _ => return None,
        })
    }
}

/// A wish that cannot be played.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BadScenario {
    #[error("the simulator has no scenario `{0}`: take one of the table in its README")]
    Unknown(String),
    #[error("`{0}` is no argument for the scenario `{1}`: see the table in the simulator's README")]
    Argument(String, String),
}

impl Script {
    /// Reads all wishes of a request. `header` and `text` must name known scenarios; a key may contain any word.
    pub(crate) fn read(key: &str, text: &str, header: Option<&str>) -> Result<Self, BadScenario> {
        let mut script = Self::default();
        if let Some((name, arguments)) = parse::of_key(key) {
            // Keys are names that people choose: what is no scenario is just a name.
            let _ = script.add(&name, &arguments);
        }
        for source in [Some(text), header].into_iter().flatten() {
            for (name, arguments) in parse::of_text(source) {
                script.add(&name, arguments)?;
            }
        }
        Ok(script)
    }

    fn fail_first(&mut self, trouble: Trouble) {
        self.trouble.get_or_insert(trouble);
    }
}

#[cfg(test)]
mod tests;
