//! Limits, sampling, output format, and the sentence that plan credentials need.

use super::{Checked, Checks, bad, schemas};
use serde_json::Value;

/// The sentences of which one must be the whole first system block when the credential is a plan's (the official
/// client's own; without one, other models than Haiku are refused).
const SENTENCES: [&str; 3] = [
    "You are Claude Code, Anthropic's official CLI for Claude.",
    "You are Claude Code, Anthropic's official CLI for Claude, running within the Claude Agent SDK.",
    "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
];

/// `max_tokens`, `stop_sequences`, `metadata`.
pub(super) fn limits(checks: &Checks<'_>) -> Checked {
    let wanted = checks.body["max_tokens"].as_i64().unwrap_or(i64::MAX);
    if wanted < 1 {
        return Err(bad("max_tokens: Input should be greater than or equal to 1"));
    }
    let most = checks.model.max_output;
    if !checks.lenient && u64::try_from(wanted).is_ok_and(|wanted| wanted > most) {
        return Err(bad(format!(
            "max_tokens: {wanted} > {most}, which is the maximum allowed number of output tokens for {}",
            checks.model.id
        )));
    }
    let blank = |stop: &Value| stop.as_str().is_some_and(|text| text.trim().is_empty());
    if checks.body["stop_sequences"].as_array().into_iter().flatten().any(blank) {
        return Err(bad("stop_sequences: each stop sequence must contain non-whitespace"));
    }
    match checks.body["metadata"]["user_id"].as_str() {
        Some(id) if id.chars().count() > 256 => {
            Err(bad("metadata.user_id: String should have at most 256 characters"))
        }
        _ => Ok(()),
    }
}

/// `temperature`, `top_p`, `top_k`: gone in the newer API version, refused by newer models, restricted by thinking.
pub(super) fn sampling(checks: &Checks<'_>) -> Checked {
    let body = checks.body;
    for name in ["temperature", "top_p", "top_k"] {
        let Some(value) = body.get(name) else { continue };
        if checks.newer {
            return Err(bad(format!("{name}: Extra inputs are not permitted")));
        }
        let default = name != "top_k" && value.as_f64() == Some(1.0);
        if !checks.abilities.sampling && !default {
            return Err(bad(format!("`{name}` is deprecated for this model.")));
        }
    }
    for name in ["temperature", "top_p"] {
        if body[name].as_f64().is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(bad(format!("{name}: range: 0..1")));
        }
    }
    if matches!(body["thinking"]["type"].as_str(), Some("enabled" | "adaptive" | "between_tools")) {
        return sampling_while_thinking(body);
    }
    if body.get("temperature").is_some() && body.get("top_p").is_some() {
        return Err(bad(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ));
    }
    Ok(())
}

fn sampling_while_thinking(body: &Value) -> Checked {
    if body["temperature"].as_f64().is_some_and(|value| (value - 1.0).abs() > f64::EPSILON) {
        return Err(bad("`temperature` may only be set to 1 when thinking is enabled."));
    }
    if body["top_p"].as_f64().is_some_and(|value| value < 0.95) {
        return Err(bad("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."));
    }
    if body.get("top_k").is_some() {
        return Err(bad("`top_k` must be unset when thinking is enabled."));
    }
    Ok(())
}

/// `output_config`, and `context_management` where it depends on thinking.
pub(super) fn output(checks: &Checks<'_>) -> Checked {
    if let Some(effort) = checks.body["output_config"]["effort"].as_str() {
        let efforts = checks.abilities.efforts;
        if efforts.is_empty() {
            return Err(bad("This model does not support the effort parameter."));
        }
        if !efforts.contains(&effort) {
            return Err(bad(format!("output_config.effort: Input should be {}", super::any_of(efforts))));
        }
    }
    if let Some(schema) = checks.body.pointer("/output_config/format/schema") {
        schemas::strict(schema, "output_config.format.schema")?;
    }
    let clears = |edit: &Value| edit["type"] == "clear_thinking_20251015";
    let edits = checks.body["context_management"]["edits"].as_array();
    let thinks = matches!(checks.body["thinking"]["type"].as_str(), Some("enabled" | "adaptive"));
    if edits.into_iter().flatten().any(clears) && !thinks {
        return Err(bad("`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive"));
    }
    Ok(())
}

/// Plan credentials serve other models than Haiku only behind one of the sentences.
pub(super) fn oauth_sentence(checks: &Checks<'_>) -> Checked {
    if !checks.is_oauth() || checks.model.id.contains("haiku") {
        return Ok(());
    }
    let system = &checks.body["system"];
    let first = |text: Option<&str>| text.is_some_and(|text| SENTENCES.contains(&text));
    let billing = |block: &&Value| {
        block["text"].as_str().is_some_and(|text| text.starts_with("x-anthropic-billing-header:"))
    };
    // The official client puts an attribution block before the sentence.
    let block = system.as_array().and_then(|blocks| blocks.iter().find(|block| !billing(block)));
    if first(system.as_str()) || first(block.and_then(|block| block["text"].as_str())) {
        return Ok(());
    }
    Err(bad(
        "This credential is only authorized for use with Claude Code and cannot be used for other API requests.",
    ))
}
