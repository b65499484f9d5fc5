//! The list of models.

use crate::knowledge::Discovered;
use byok_types::Effort;
use serde_json::{Map, Value, json};

/// The models of chats that may be used; one that cannot be read is left out, of one that comes twice the first counts.
pub(super) fn read(body: &[u8]) -> Vec<Discovered> {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut all: Vec<Discovered> = Vec::new();
    for model in list["data"].as_array().into_iter().flatten() {
        let Some(id) = model["id"].as_str().filter(|id| !id.is_empty()) else { continue };
        let chats = model["capabilities"]["type"] == "chat";
        let offered = model["model_picker_enabled"] != false && model["policy"]["state"] != "disabled";
        if chats && offered && all.iter().all(|known| known.id != id) {
            let billing = &model["billing"];
            let included = billing["multiplier"].as_f64() == Some(0.0) || billing["is_premium"] == false;
            all.push(Discovered { included, ..Discovered::new(id, facts(model)) });
        }
    }
    all
}

fn facts(model: &Value) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    put("endpoints", json!(endpoints(&model["supported_endpoints"])));
    if let Some(name) = model["name"].as_str() {
        put("display_name", json!(name));
    }
    // Azure's are OpenAI's, too.
    if model["vendor"].as_str().is_some_and(|vendor| vendor.ends_with("OpenAI")) {
        put("max_tokens_field", json!("max_completion_tokens"));
        put("developer_role", json!(true));
    }
    let (limits, supports) = (&model["capabilities"]["limits"], &model["capabilities"]["supports"]);
    let size = |name: &str| limits[name].as_u64().and_then(|size| u32::try_from(size).ok());
    // What may be sent can be far less than the window.
    if let Some(size) = size("max_prompt_tokens").or_else(|| size("max_context_window_tokens")) {
        put("context_tokens", json!(size));
    }
    if let Some(size) = size("max_output_tokens") {
        put("max_output_tokens", json!(size));
    }
    let levels = supports["reasoning_effort"].as_array().into_iter().flatten();
    let levels: Vec<&str> =
        levels.filter_map(|level| level.as_str().and_then(Effort::parse).map(Effort::name)).collect();
    // Of Claude more is known than the levels; at Messages it thinks in forms of its own.
    if !levels.is_empty() && !endpoints(&model["supported_endpoints"]).contains(&"messages") {
        let off = levels.contains(&"none");
        put("thinking", json!({"forms": ["level"], "levels": levels, "can_disable": off}));
    }
    // At Chat Claude is told a number of tokens.
    let tokens = |name: &str| supports[name].as_u64().and_then(|tokens| u32::try_from(tokens).ok());
    if model["vendor"] == "Anthropic"
        && endpoints(&model["supported_endpoints"]) == ["chat"]
        && let Some(most) = tokens("max_thinking_budget")
    {
        let least = tokens("min_thinking_budget").unwrap_or(1024);
        put("thinking", json!({"forms": ["budget"], "budget": [least, most], "can_disable": true}));
    }
    if let Some(tools) = supports["tool_calls"].as_bool() {
        put("tools", json!(tools));
    }
    if let Some(image) = supports["vision"].as_bool() {
        put("input", json!({"image": image, "pdf": false, "audio": false, "video": false, "url": image}));
    }
    facts
}

/// Messages before the others: what Claude says at Chat is less than it says there. Without a word it is Chat.
fn endpoints(listed: &Value) -> &'static [&'static str] {
    let has = |path: &str| listed.as_array().is_some_and(|paths| paths.iter().any(|known| known == path));
    if has("/v1/messages") {
        return &["messages"];
    }
    match (has("/responses"), has("/chat/completions")) {
        (true, true) => &["responses", "chat"],
        (true, false) => &["responses"],
        _ => &["chat"],
    }
}
