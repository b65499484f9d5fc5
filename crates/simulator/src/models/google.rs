//! Google's models (names, windows and thinking ranges as of autumn 2026).

use super::{Abilities, GoogleAbilities, GoogleThinking, SimModel};

const fn level(id: &'static str, name: &'static str, levels: &'static [&'static str]) -> SimModel {
    SimModel {
        id,
        name,
        context: 1_048_576,
        max_output: 65_536,
        abilities: Abilities::Google(GoogleAbilities {
            thinking: GoogleThinking::Level(levels),
            call_signatures: true,
        }),
    }
}

const fn budget(id: &'static str, name: &'static str, least: i64, most: i64, zero: bool) -> SimModel {
    SimModel {
        id,
        name,
        context: 1_048_576,
        max_output: 65_536,
        abilities: Abilities::Google(GoogleAbilities {
            thinking: GoogleThinking::Budget { least, most, zero },
            call_signatures: false,
        }),
    }
}

const THREE: &[&str] = &["LOW", "MEDIUM", "HIGH"];
const FOUR: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];

pub(super) const MODELS: &[SimModel] = &[
    level("gemini-3.8-flash", "Gemini 3.8 Flash", THREE),
    level("gemini-3.7-flash", "Gemini 3.7 Flash", THREE),
    level("gemini-3.5-flash", "Gemini 3.5 Flash", FOUR),
    level("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", FOUR),
    level("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", THREE),
    level("gemini-3-flash-preview", "Gemini 3 Flash Preview", FOUR),
    level("gemini-3-pro-preview", "Gemini 3 Pro Preview", &["LOW", "HIGH"]),
    budget("gemini-2.5-pro", "Gemini 2.5 Pro", 128, 32_768, false),
    budget("gemini-2.5-flash", "Gemini 2.5 Flash", 1, 24_576, true),
    budget("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 512, 24_576, true),
];

/// Takes everything.
pub(crate) static PERMISSIVE: SimModel = SimModel {
    id: "permissive",
    name: "Permissive",
    context: u64::MAX,
    max_output: u64::MAX,
    abilities: Abilities::Google(GoogleAbilities { thinking: GoogleThinking::Any, call_signatures: false }),
};
