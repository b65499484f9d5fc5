use crate::value::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a client gets that asks for an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `provider/model`, or the name of a model.
    #[serde(deserialize_with = "text::model")]
    pub model: String,
    /// Targets with a higher number are tried first; equal ones in the order in which they are written.
    #[serde(default)]
    pub priority: i32,
    /// Whether the target stays listed under its own name, too.
    #[serde(default)]
    pub fork: bool,
}
