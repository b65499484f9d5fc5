//! What can be asked for, as `byok models` shows it.

use crate::app::App;
use byok_provider::registry::Registry;
use byok_types::Dialect;
use serde::{Deserialize, Serialize};

/// A model that clients can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The name to ask by.
    pub id: String,
    /// Name for people.
    pub display_name: Option<String>,
    /// Who offers it.
    pub owner: Option<String>,
    /// Dialects in which it is served without translation, best first.
    pub dialects: Vec<Dialect>,
    /// Context window in tokens.
    pub context_tokens: Option<u32>,
    /// Longest answer in tokens.
    pub max_output_tokens: Option<u32>,
}

impl ModelInfo {
    /// The models that a running server offers.
    pub fn of(app: &App) -> Vec<Self> {
        Self::list(&app.current().state.registry)
    }

    /// All models that the configured keys and logins can serve.
    pub fn list(registry: &Registry) -> Vec<Self> {
        let info = |entry: byok_translate::ModelEntry| Self {
            id: entry.id,
            display_name: entry.facts.display_name,
            owner: entry.owner,
            dialects: entry.facts.endpoints,
            context_tokens: entry.facts.context_tokens,
            max_output_tokens: entry.facts.max_output_tokens,
        };
        registry.list().into_iter().map(info).collect()
    }
}
