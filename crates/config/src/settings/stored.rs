use crate::value::{duration, size, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Answers of `POST /v1/responses` that are kept in memory, so that a client may name them in `previous_response_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoredResponses {
    /// Whether they are kept. They hold what was asked and answered, so byok keeps none unless told to; never on disk.
    pub enabled: bool,
    /// Memory of all of them together; the oldest go first.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub max_bytes: usize,
    /// How many of them.
    #[serde(deserialize_with = "text::between::<_, 1, 1_000_000>")]
    pub max_count: usize,
    /// How long one is kept.
    #[serde(with = "duration")]
    #[schemars(schema_with = "duration::schema")]
    pub ttl: Duration,
}

impl Default for StoredResponses {
    fn default() -> Self {
        Self { enabled: false, max_bytes: 64 << 20, max_count: 1000, ttl: Duration::from_hours(1) }
    }
}
