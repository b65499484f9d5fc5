//! `OpenAI`'s models: the reasoning families and the older ones that take sampling fields.

use super::{Abilities, OpenaiAbilities, SimModel};

const fn model(
    id: &'static str,
    context: u64,
    max_output: u64,
    efforts: &'static [&'static str],
) -> SimModel {
    SimModel { id, name: id, context, max_output, abilities: Abilities::Openai(OpenaiAbilities { efforts }) }
}

/// `OpenAI`'s word list, longest first family.
const TO_MAX: &[&str] = &["none", "low", "medium", "high", "xhigh", "max"];
const TO_XHIGH: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const FROM_NONE: &[&str] = &["none", "low", "medium", "high"];
const FROM_MINIMAL: &[&str] = &["minimal", "low", "medium", "high"];
const CLASSIC: &[&str] = &["low", "medium", "high"];

pub(super) const MODELS: &[SimModel] = &[
    model("gpt-6.1-sol", 872_000, 128_000, TO_MAX),
    model("gpt-6-sol", 872_000, 128_000, TO_MAX),
    model("gpt-6-luna", 872_000, 128_000, TO_MAX),
    model("gpt-5.5", 272_000, 128_000, TO_XHIGH),
    model("gpt-5.1", 272_000, 128_000, FROM_NONE),
    model("gpt-5", 272_000, 128_000, FROM_MINIMAL),
    model("gpt-5-mini", 272_000, 128_000, FROM_MINIMAL),
    model("o4-mini", 200_000, 100_000, CLASSIC),
    model("gpt-4.1", 1_047_576, 32_768, &[]),
    model("gpt-4.1-mini", 1_047_576, 32_768, &[]),
    model("gpt-4o", 128_000, 16_384, &[]),
    model("gpt-4o-mini", 128_000, 16_384, &[]),
];
