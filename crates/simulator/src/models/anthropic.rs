//! Anthropic's models (names, windows and limits of the official client's table, November 2026).

use super::{Abilities, AnthropicAbilities, SimModel};

const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const EFFORTS_46: &[&str] = &["low", "medium", "high", "max"];

/// Budgets only; the old sampling fields and prefill (up to 4.5).
const OLD: AnthropicAbilities = AnthropicAbilities {
    budget: true,
    adaptive: false,
    disabled: true,
    efforts: &[],
    sampling: true,
    system_turns: false,
    prefill: true,
};
/// Both thinking forms (4.6).
const BETWEEN: AnthropicAbilities =
    AnthropicAbilities { adaptive: true, efforts: EFFORTS_46, prefill: false, ..OLD };
/// Adaptive only, no sampling fields (4.7).
const ADAPTIVE: AnthropicAbilities =
    AnthropicAbilities { budget: false, sampling: false, efforts: EFFORTS, ..BETWEEN };
/// System turns too (4.8 and later).
const TURNS: AnthropicAbilities = AnthropicAbilities { system_turns: true, ..ADAPTIVE };
/// Always thinks.
const ALWAYS: AnthropicAbilities = AnthropicAbilities { disabled: false, ..TURNS };

const fn model(
    id: &'static str,
    name: &'static str,
    context: u64,
    max_output: u64,
    abilities: AnthropicAbilities,
) -> SimModel {
    SimModel { id, name, context, max_output, abilities: Abilities::Anthropic(abilities) }
}

pub(super) const MODELS: &[SimModel] = &[
    model("claude-opus-5-5", "Claude Opus 5.5", 1_000_000, 128_000, ALWAYS),
    model("claude-opus-5", "Claude Opus 5", 1_000_000, 128_000, TURNS),
    model("claude-opus-4-8", "Claude Opus 4.8", 1_000_000, 128_000, TURNS),
    model("claude-opus-4-7", "Claude Opus 4.7", 1_000_000, 128_000, ADAPTIVE),
    model("claude-opus-4-6", "Claude Opus 4.6", 200_000, 128_000, BETWEEN),
    model("claude-opus-4-5-20251101", "Claude Opus 4.5", 200_000, 64_000, OLD),
    model("claude-opus-4-1-20250805", "Claude Opus 4.1", 200_000, 32_000, OLD),
    model("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000, 128_000, ALWAYS),
    model("claude-sonnet-5", "Claude Sonnet 5", 1_000_000, 128_000, TURNS),
    model("claude-sonnet-4-6", "Claude Sonnet 4.6", 200_000, 128_000, BETWEEN),
    model("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", 200_000, 64_000, OLD),
    model("claude-sonnet-4-20250514", "Claude Sonnet 4", 200_000, 64_000, OLD),
    model("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000, 128_000, ALWAYS),
    model("claude-haiku-4-5-20251001", "Claude Haiku 4.5", 200_000, 64_000, OLD),
    model("claude-fable-5-2", "Claude Fable 5.2", 1_000_000, 128_000, ALWAYS),
];

/// Takes everything.
pub(crate) static PERMISSIVE: SimModel = model(
    "permissive",
    "Permissive",
    u64::MAX,
    u64::MAX,
    AnthropicAbilities {
        budget: true,
        adaptive: true,
        disabled: true,
        efforts: EFFORTS,
        sampling: true,
        system_turns: true,
        prefill: true,
    },
);

/// The dated id behind an alias without a date.
pub(super) fn undated(id: &str) -> &str {
    match id {
        "claude-opus-4-5" => "claude-opus-4-5-20251101",
        "claude-opus-4-1" => "claude-opus-4-1-20250805",
        "claude-sonnet-4-5" => "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-0" => "claude-sonnet-4-20250514",
        "claude-haiku-4-5" => "claude-haiku-4-5-20251001",
        other => other,
    }
}
