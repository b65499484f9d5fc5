use std::time::Duration;

/// Whose fault an error is. Decides the status class, the log level and whether an account is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The caller sent something that cannot be served.
    Client,
    /// byok itself, its configuration or its machine.
    Byok,
    /// The vendor or the way to it.
    Upstream,
}

/// Whether doing the same thing again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail again.
    Never,
    /// Worth trying at once, possibly on another account.
    Now,
    /// Worth trying after the given time.
    After(Duration),
    /// Worth trying after a person has done something, for example logged in again.
    AfterPerson,
}

/// The two questions that every error of every byok crate answers.
pub trait Fault: std::error::Error {
    /// Whose fault it is.
    fn blame(&self) -> Blame;
    /// Whether a retry can help.
    fn retry(&self) -> Retry;
}
