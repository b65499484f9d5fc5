//! What Kimi wants of bodies.

use byok_translate::scan::{Scan, splice};
use byok_types::Failure;
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

/// The body as Kimi takes it.
pub(super) fn shape(body: Bytes, model: &str) -> Result<Bytes, Failure> {
    let scan = Scan::of(&body)?;
    let mut edits = Vec::new();
    let id = upstream_id(model);
    if scan.string(&body, "model").as_deref() != Some(id) {
        edits.push(scan.set("model", &Value::from(id).to_string()));
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
            edits.push(scan.set("tools", &Value::Array(tools).to_string()));
        }
    }
    Ok(splice(&body, edits))
}
