use crate::value::{size, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much byok takes. Sizes are written `64MiB`, or as a number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Body of a request, also after decompression.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub body: usize,
    /// One frame of a stream that is translated.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub frame: usize,
    /// Answer that is not a stream and is translated.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub answer: usize,
    /// Memory of all answers that are being translated; beyond it new requests are asked to come again.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub translation_memory: usize,
    /// Memory of the reasoning that is kept for clients of Chat, which have no place for it; `0` keeps none.
    #[serde(deserialize_with = "size::or_zero", serialize_with = "size::serialize")]
    #[schemars(schema_with = "size::schema")]
    pub replay_memory: usize,
    /// Request line and header fields together.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub header_bytes: usize,
    /// Connections at the same time.
    #[serde(deserialize_with = "text::between::<_, 1, 1_000_000>")]
    pub connections: usize,
    /// Requests that are being answered at the same time.
    #[serde(deserialize_with = "text::between::<_, 1, 1_000_000>")]
    pub streams: usize,
    /// Depth of nested JSON.
    #[serde(deserialize_with = "text::between::<_, 8, 128>")]
    pub json_depth: usize,
    /// Upstream calls for one request, before its first byte has been sent.
    #[serde(deserialize_with = "text::between::<_, 1, 20>")]
    pub attempts: usize,
    /// Days that request records are kept; `0` keeps all.
    #[serde(deserialize_with = "text::between::<_, 0, 36_500>")]
    pub record_days: usize,
    /// Wrong keys in a minute from one address, before further wrong ones have to wait.
    #[serde(deserialize_with = "text::between::<_, 1, 1_000_000>")]
    pub wrong_keys_per_minute: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 << 20,
            frame: 64 << 20,
            answer: 64 << 20,
            translation_memory: 512 << 20,
            replay_memory: 64 << 20,
            header_bytes: 64 << 10,
            connections: 4096,
            streams: 4096,
            json_depth: 128,
            attempts: 3,
            record_days: 90,
            wrong_keys_per_minute: 20,
        }
    }
}
