use crate::{Blame, Dialect, Fault, Retry};
use std::{fmt, time::Duration};

/// The code by which clients tell that a vendor refused byok's credential, and not byok theirs.
pub const CREDENTIAL_REFUSED: &str = "upstream_credential_refused";

/// The code for a model whose provider has no credential that may be used. Only a person can give it one.
pub const NO_ACCOUNT: &str = "no_account";

/// The code for a login whose owner has not consented to what its vendor wants to hear.
pub const CLAIM_NOT_ACCEPTED: &str = "claim_not_accepted";

/// The code that Anthropic's clients take to mean: send the whole conversation, without a thread. Source: the SDK's types of errors.
pub const THREAD_UNSUPPORTED: &str = "thread_unsupported_request";

/// What went wrong, in terms that every dialect can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The request is malformed or asks for something that cannot be served.
    BadRequest,
    /// The prompt is longer than the model's context.
    ContextTooLong,
    /// The body is larger than allowed.
    PayloadTooLarge,
    /// The caller's key is missing or wrong.
    Auth,
    /// A vendor refused the credential that byok showed it: nothing that the caller could mend.
    Credential,
    /// The account has no money or credit left.
    Billing,
    /// The caller or the account may not do this.
    Permission,
    /// No such model, endpoint or object.
    NotFound,
    /// The object is in a state that forbids this.
    Conflict,
    /// Too many requests or tokens for the moment.
    RateLimit,
    /// A plan window (hours, days, a month) is used up.
    QuotaWindow,
    /// Nobody answered in time.
    Timeout,
    /// The client went away.
    ClientGone,
    /// The vendor is overloaded.
    Overloaded,
    /// The vendor or byok failed.
    Server,
    /// The vendor refused the content.
    ContentPolicy,
    /// The upstream ended a stream without its terminal event.
    UpstreamTruncated,
}

impl FailureKind {
    /// The HTTP status that fits the kind when the vendor stated none.
    pub const fn default_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ContextTooLong | Self::ContentPolicy => 400,
            Self::PayloadTooLarge => 413,
            Self::Auth => 401,
            Self::Billing => 402,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::RateLimit | Self::QuotaWindow => 429,
            Self::Timeout => 504,
            Self::ClientGone => 499,
            Self::Overloaded | Self::Credential => 503,
            Self::Server => 500,
            Self::UpstreamTruncated => 502,
        }
    }
}

/// The bytes of an error as the vendor sent them, to be relayed unchanged to a client of the same dialect.
#[derive(Clone, PartialEq, Eq)]
pub struct RawFailure {
    /// Dialect of the body.
    pub dialect: Dialect,
    /// `content-type` of the body, if the vendor stated one.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for RawFailure {
    /// A vendor's body may quote the prompt: show its size, never its text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawFailure({}, {} bytes)", self.dialect, self.body.len())
    }
}

/// An error as a client sees it: rendered by the dialects, never shown as text of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// HTTP status (vendor's own, else the default of the kind).
    pub status: u16,
    /// Text for the person: the vendor's words, or ours ending in what to do.
    pub message: String,
    /// The field of the request that is at fault, in the caller's vocabulary (`messages[3].content[1]`).
    pub param: Option<String>,
    /// The vendor's machine-readable code or type, in the vendor's vocabulary.
    pub code: Option<String>,
    /// How long to wait before trying again.
    pub retry_after: Option<Duration>,
    /// When a plan that is used up opens again, Unix time in seconds, if the vendor stated it so.
    pub resets_at: Option<i64>,
    /// Whose fault it is.
    pub blame: Blame,
    /// The vendor's body, kept for clients of the same dialect.
    pub raw: Option<RawFailure>,
}

impl Failure {
    /// A failure of the given kind with its default status.
    pub fn new(kind: FailureKind, blame: Blame, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: kind.default_status(),
            message: message.into(),
            param: None,
            code: None,
            retry_after: None,
            resets_at: None,
            blame,
            raw: None,
        }
    }

    /// A 400 that names the field at fault.
    pub fn bad_request(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..Self::new(FailureKind::BadRequest, Blame::Client, message) }
    }

    /// The upstream's stream ended before the answer did.
    pub fn truncated() -> Self {
        let message =
            "The upstream closed the stream before the answer was complete. Send the request again.";
        Self::new(FailureKind::UpstreamTruncated, Blame::Upstream, message)
    }

    /// The same failure with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same failure with a code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same failure with a waiting time.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

impl fmt::Display for Failure {
    /// For logs: kind, status and field, never the message, which may quote the prompt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.kind, self.status)?;
        if let Some(param) = &self.param {
            write!(f, " at {param}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl Fault for Failure {
    fn blame(&self) -> Blame {
        self.blame
    }

    fn retry(&self) -> Retry {
        if self.blame == Blame::Byok && self.code.as_deref() == Some(NO_ACCOUNT) {
            return Retry::AfterPerson;
        }
        match self.kind {
            FailureKind::RateLimit | FailureKind::QuotaWindow => {
                self.retry_after.map_or(Retry::Now, Retry::After)
            }
            FailureKind::Timeout
            | FailureKind::Overloaded
            | FailureKind::Server
            | FailureKind::UpstreamTruncated => Retry::Now,
            FailureKind::Billing | FailureKind::Auth | FailureKind::Credential => Retry::AfterPerson,
            FailureKind::BadRequest
            | FailureKind::ContextTooLong
            | FailureKind::PayloadTooLarge
            | FailureKind::Permission
            | FailureKind::NotFound
            | FailureKind::Conflict
            | FailureKind::ClientGone
            | FailureKind::ContentPolicy => Retry::Never,
        }
    }
}
