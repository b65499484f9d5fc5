//! xAI's models, as far as the hosts of xAI serve them.

use super::{Abilities, OpenaiAbilities, SimModel};

const fn model(
    id: &'static str,
    context: u64,
    max_output: u64,
    efforts: &'static [&'static str],
) -> SimModel {
    SimModel { id, name: id, context, max_output, abilities: Abilities::Openai(OpenaiAbilities { efforts }) }
}

pub(super) const MODELS: &[SimModel] = &[
    model("grok-4.6", 500_000, 65_536, &["low", "medium", "high", "xhigh"]),
    model("grok-4.5", 500_000, 65_536, &["low", "medium", "high"]),
    model("grok-4.3", 1_000_000, 65_536, &["none", "low", "medium", "high"]),
    model("grok-build-0.1", 256_000, 256_000, &[]),
];
