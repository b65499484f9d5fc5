//! What Kimi wants of bodies.

#![expect(
    clippy::needless_pass_by_value,
    clippy::option_option,
    reason = "the form of all upstreams; no wish and no thinking are two things"
)]

use byok_translate::{
    Losses,
    scan::{Scan, splice},
};
use byok_types::{Effort, Failure, ThinkingFacts};
use bytes::Bytes;
use serde_json::Value;

/// How the block begins that Claude Code puts in for its own billing.
const BILLING: &str = "x-anthropic-billing-header";

/// The id that the vendor knows a model by. Under another name it serves a smaller one without a word.
pub(super) fn upstream_id(model: &str) -> &str {
    let model = model.strip_suffix("[1m]").unwrap_or(model);
    match model {
        "kimi-for-coding" | "kimi-k2.7-code" | "k2.7-code" => "kimi-for-coding",
        "kimi-for-coding-highspeed" | "kimi-k2.7-code-highspeed" | "k2.7-code-highspeed" => {
            "kimi-for-coding-highspeed"
        }
        _ => model.strip_prefix("kimi-").unwrap_or(model),
    }
}

/// The level that the model has for the one that was asked for: the highest that is not above it, else its lowest; none if it
/// has no levels. `None` for a word that is no level.
fn effort(asked: &str, thinking: &ThinkingFacts) -> Option<Option<Effort>> {
    let rank = |level: Effort| Effort::ALL.iter().position(|known| *known == level);
    let wanted = rank(Effort::parse(asked)?);
    let below = thinking
        .levels
        .iter()
        .copied()
        .filter(|level| rank(*level) <= wanted)
        .max_by_key(|level| rank(*level));
    Some(below.or_else(|| thinking.levels.iter().copied().min_by_key(|level| rank(*level))))
}

/// The body as Kimi takes it.
pub(super) fn shape(
    body: Bytes,
    model: &str,
    thinking: &ThinkingFacts,
    losses: &mut Losses,
) -> Result<Bytes, Failure> {
    let scan = Scan::of(&body)?;
    let mut edits = Vec::new();
    let id = upstream_id(model);
    if scan.string(&body, "model").as_deref() != Some(id) {
        edits.push(scan.set("model", &Value::from(id).to_string()));
    }
    if let Some(text) = scan.text(&body, "output_config")
        && let Ok(Value::Object(mut config)) = serde_json::from_str(text)
        && let Some(asked) = config.get("effort").and_then(Value::as_str)
        && let Some(allowed) =
            effort(asked, thinking).filter(|allowed| allowed.map(Effort::name) != Some(asked))
    {
        losses
            .emulated("output_config.effort", "the model has other levels; the next one below is asked for");
        match allowed {
            Some(level) => config.insert("effort".to_owned(), level.name().into()),
            None => config.remove("effort"),
        };
        edits.push(scan.set("output_config", &Value::Object(config).to_string()));
    }
    if !thinking.can_disable
        && !thinking.forms.is_empty()
        && let Some(text) = scan.text(&body, "thinking")
        && serde_json::from_str::<Value>(text).is_ok_and(|asked| asked["type"] == "disabled")
    {
        // A model that always thinks refuses to be told not to.
        losses.dropped("thinking", "the model always thinks");
        edits.push(scan.set("thinking", r#"{"type":"adaptive"}"#));
    }
    if let Some(text) = scan.text(&body, "system").filter(|text| text.contains(BILLING))
        && let Ok(Value::Array(mut blocks)) = serde_json::from_str(text)
    {
        let is_billing =
            |block: &Value| block["text"].as_str().is_some_and(|text| text.trim_start().starts_with(BILLING));
        blocks.retain(|block| !is_billing(block));
        edits.push(scan.set("system", &Value::Array(blocks).to_string()));
    }
    if let Some(text) = scan.text(&body, "tools")
        && let Ok(Value::Array(mut tools)) = serde_json::from_str(text)
    {
        // Tools of the vendor of the dialect are unknown here.
        let before = tools.len();
        tools.retain(|tool| tool["type"].as_str().is_none_or(|kind| kind == "custom"));
        if tools.len() < before {
            losses.dropped("tools", "Kimi does not run the tools of Anthropic");
            edits.push(scan.set("tools", &Value::Array(tools).to_string()));
        }
    }
    Ok(splice(&body, edits))
}
