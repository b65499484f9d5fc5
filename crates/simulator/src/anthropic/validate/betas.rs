//! The `anthropic-beta` header, and what does not exist without it.

use super::{Checked, any_of, bad, blocks, kind};
use crate::anthropic::fields::{BETA_FIELDS, BETA_KINDS, BETAS};
use serde_json::Value;

/// Every value must be known.
pub(super) fn known(betas: &[&str], lenient: bool) -> Checked {
    let unknown: Vec<String> =
        betas.iter().filter(|beta| !BETAS.contains(beta)).map(|beta| format!("`{beta}`")).collect();
    if unknown.is_empty() || lenient {
        return Ok(());
    }
    Err(bad(format!("Unexpected value(s) {} for the `anthropic-beta` header.", unknown.join(", "))))
}

fn has(betas: &[&str], start: &str) -> bool {
    betas.iter().any(|beta| beta.starts_with(start))
}

/// Fields, blocks and tools whose beta is not named.
pub(super) fn features(body: &Value, betas: &[&str], lenient: bool) -> Checked {
    if lenient {
        return Ok(());
    }
    for (field, beta) in BETA_FIELDS {
        // The standard speed needs no beta.
        let asks = body.pointer(field).is_some_and(|value| !value.is_null() && value != "standard");
        if asks && !has(betas, beta) {
            let path = field.trim_start_matches('/').replace('/', ".");
            return Err(bad(format!("{path}: Extra inputs are not permitted")));
        }
    }
    let missing =
        |value: &Value| BETA_KINDS.iter().any(|(name, beta)| *name == kind(value) && !has(betas, beta));
    if let Some(at) = body["tools"].as_array().and_then(|tools| tools.iter().position(missing)) {
        return Err(bad(format!(
            "tools.{at}.type: Input should be {}",
            any_of(&["custom", "bash_20250124"])
        )));
    }
    for (at, turn) in body["messages"].as_array().into_iter().flatten().enumerate() {
        if let Some(number) = blocks(&turn["content"]).iter().position(missing) {
            let known = any_of(&["text", "image", "document", "tool_use", "tool_result", "thinking"]);
            return Err(bad(format!("messages.{at}.content.{number}.type: Input should be {known}")));
        }
    }
    Ok(())
}
