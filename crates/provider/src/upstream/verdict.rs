//! What a refusal means.

use byok_types::AccountState;
use std::{fmt, time::Duration};

/// How far a cooldown reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The account for every model.
    Account,
    /// The account for the model that was asked.
    Model,
    /// The account for all models that share a limit with the one that was asked.
    Line(Line),
    /// The account for all models that use up its plan, as far as its vendor lists which these are.
    Charged,
}

/// Models that share a limit, told by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Those with this word in their name.
    With(&'static str),
    /// Those without it.
    Without(&'static str),
}

impl Line {
    /// Whether a model is one of them.
    pub fn has(self, model: &str) -> bool {
        match self {
            Self::With(word) => model.contains(word),
            Self::Without(word) => !model.contains(word),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::With(word) => write!(f, "*{word}*"),
            Self::Without(word) => write!(f, "all but *{word}*"),
        }
    }
}

/// What the executor does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Tell the client; another try cannot help or must not be made.
    GiveUp,
    /// Refresh the token and try the same account once more.
    Refresh,
    /// Try another account.
    OtherAccount,
    /// Ask the same account for the model at another endpoint.
    OtherEndpoint,
}

/// What a refusal means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What to do next.
    pub next: Next,
    /// Leave the account alone for this long.
    pub cool: Option<(Scope, Duration)>,
    /// The account's new state, if the refusal says that it is dead or blocked.
    pub state: Option<AccountState>,
    /// Whether the credential of byok was refused: the client must not take it for its own.
    pub own_credential: bool,
    /// A hint for the client's person, sent beside the vendor's words.
    pub hint: Option<&'static str>,
}

impl Verdict {
    /// The client is told and nothing else happens.
    pub const PASS_ON: Self =
        Self { next: Next::GiveUp, cool: None, state: None, own_credential: false, hint: None };

    /// Another account is tried after this one has been set aside.
    pub const fn other(cool: Option<(Scope, Duration)>) -> Self {
        Self { next: Next::OtherAccount, cool, ..Self::PASS_ON }
    }
}
