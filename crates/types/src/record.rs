use crate::{AccountId, ClientKeyId, Dialect, ProviderId, RequestId, Usage};
use serde::{Deserialize, Serialize};

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer was delivered whole.
    Complete,
    /// The client went away; what a record says until something better is known.
    #[default]
    Cancelled,
    /// The answer was an error, or a stream ended in one.
    Failed,
}

impl Outcome {
    /// The name as it stands in the usage table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// One row per request: numbers and names, never a word of prompt or answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// When the request arrived, Unix time in milliseconds.
    pub at_ms: i64,
    /// Request id, as told to the client.
    pub id: RequestId,
    /// The client key used, if any.
    pub client_key: Option<ClientKeyId>,
    /// Dialect of the client.
    pub dialect: Dialect,
    /// Dialect of the upstream that answered.
    pub upstream_dialect: Option<Dialect>,
    /// Model as the client wrote it.
    pub model_asked: String,
    /// Model as the upstream knows it.
    pub model_served: Option<String>,
    /// Provider that answered.
    pub provider: Option<ProviderId>,
    /// Account that answered.
    pub account: Option<AccountId>,
    /// Number of upstream calls.
    pub attempts: u32,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// HTTP status sent to the client.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Class of the error, if there was one (name of a `FailureKind`).
    pub error: Option<String>,
    /// From the arrival to the first byte of the answer, in milliseconds.
    pub first_byte_ms: Option<u64>,
    /// From the arrival to the end, in milliseconds.
    pub total_ms: u64,
    /// Tokens.
    pub usage: Usage,
}
