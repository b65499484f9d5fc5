//! How a model is made to think, and thinking that comes back.

use super::{Checked, Checks, bad, blocks, kind};
use crate::{models::Maker, seal};
use serde_json::Value;

/// Smallest thinking budget.
const LEAST: i64 = 1024;

/// `thinking` against what the model takes.
pub(super) fn mode(checks: &Checks<'_>) -> Checked {
    let thinking = &checks.body["thinking"];
    match thinking["type"].as_str() {
        Some("enabled") if !checks.abilities.budget => Err(bad(
            "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        )),
        Some("enabled") => budget(checks, thinking["budget_tokens"].as_i64().unwrap_or(0)),
        Some("adaptive") if !checks.abilities.adaptive => {
            Err(bad("adaptive thinking is not supported on this model"))
        }
        Some("between_tools") if !checks.abilities.adaptive || checks.abilities.budget => {
            Err(bad("\"thinking.type.between_tools\" is not supported for this model."))
        }
        Some("disabled") if !checks.abilities.disabled => {
            Err(bad("\"thinking.type.disabled\" is not supported for this model."))
        }
        _ => Ok(()),
    }
}

fn budget(checks: &Checks<'_>, budget: i64) -> Checked {
    if budget < LEAST {
        return Err(bad(format!(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST}"
        )));
    }
    let most = checks.body["max_tokens"].as_i64();
    let interleaved =
        checks.has_beta("interleaved-thinking-2025-05-14") && checks.body.get("tools").is_some();
    if most.is_some_and(|most| budget >= most) && !interleaved {
        return Err(bad("`max_tokens` must be greater than `thinking.budget_tokens`."));
    }
    Ok(())
}

/// Thinking blocks of earlier turns: issued here, unchanged, and there where a tool loop needs them.
pub(super) fn history(checks: &Checks<'_>) -> Checked {
    for (at, turn) in checks.turns().iter().enumerate() {
        for (number, block) in blocks(&turn["content"]).iter().enumerate() {
            let place = format!("messages.{at}.content.{number}");
            match kind(block) {
                "thinking" => signed(checks, block, &place)?,
                "redacted_thinking" => {
                    let data = block["data"].as_str().unwrap_or_default();
                    if checks.world.seal.open(Maker::Anthropic, data).is_none() {
                        return Err(bad(format!("{place}: Invalid `data` in `redacted_thinking` block")));
                    }
                }
                _ => {}
            }
        }
    }
    loop_begins_with_thinking(checks)
}

fn signed(checks: &Checks<'_>, block: &Value, place: &str) -> Checked {
    let signature = block["signature"].as_str().unwrap_or_default();
    let Some(opened) = checks.world.seal.open(Maker::Anthropic, signature) else {
        return Err(bad(format!("{place}: Invalid `signature` in `thinking` block")));
    };
    let text = block["thinking"].as_str().unwrap_or_default();
    // An omitted text may come back empty; a changed one may not come back.
    if !text.is_empty() && opened.text != seal::tag(text) {
        return Err(bad(format!(
            "{place}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response."
        )));
    }
    Ok(())
}

/// With a budget, the assistant turn whose tools are being answered must begin with its thinking.
fn loop_begins_with_thinking(checks: &Checks<'_>) -> Checked {
    if checks.body["thinking"]["type"] != "enabled" {
        return Ok(());
    }
    let turns = checks.turns();
    let answers = |turn: &Value| blocks(&turn["content"]).iter().any(|block| kind(block) == "tool_result");
    let Some((last, before)) = turns.split_last() else { return Ok(()) };
    let (at, assistant) = if last["role"] == "assistant" {
        (turns.len() - 1, last)
    } else if let Some(assistant) = before.last().filter(|_| answers(last)) {
        (before.len() - 1, assistant)
    } else {
        return Ok(());
    };
    let first = blocks(&assistant["content"]).first().map_or("text", kind);
    if assistant["role"] != "assistant" || matches!(first, "thinking" | "redacted_thinking") {
        return Ok(());
    }
    Err(bad(format!(
        "messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` and `tool_result` blocks)."
    )))
}
