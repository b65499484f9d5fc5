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
    /// Who uses it, for usage by person.
    #[serde(default, deserialize_with = "text::label")]
    pub user: Option<String>,
    /// Groups it belongs to, for usage by group.
    #[serde(default)]
    pub groups: Vec<String>,
    /// When it ends: `2027-01-31` (to the end of that day, UTC) or `2027-01-31T12:00:00Z`. Unix time in seconds.
    #[serde(default, with = "timestamp")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<i64>,
    /// How much it may use.
    #[serde(default)]
    pub limits: KeyLimits,
    /// Whether answers name the account that served them.
    #[serde(default)]
    pub debug: bool,
}

/// How much a client key may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyLimits {
    /// Requests in a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens in a day (UTC), prompts and answers together.
    pub tokens_per_day: Option<u64>,
}
