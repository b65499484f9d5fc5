use crate::value::{secret, text, timestamp};
use byok_types::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A key that a client shows to byok.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientKey {
    /// The key itself: at least 20 characters.
    #[serde(deserialize_with = "secret::own", serialize_with = "secret::serialize")]
    #[schemars(schema_with = "secret::schema")]
    pub key: Secret,
    /// Name for people, in lists and logs.
    #[serde(default, deserialize_with = "text::label")]
    pub label: Option<String>,
    /// The only models it may ask for; empty means all.
    #[serde(default)]
    pub models: Vec<crate::Pattern>,
    /// When it ends: `2027-01-31` (to the end of that day, UTC) or `2027-01-31T12:00:00Z`. Unix time in seconds.
    #[serde(default, with = "timestamp")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<i64>,
    /// Whether answers name the account that served them.
    #[serde(default)]
    pub debug: bool,
}
