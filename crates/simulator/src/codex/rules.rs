//! What the backend wants of a request.

use super::{MODELS, Refused, workspace};
use crate::{call::Call, plan::Plan, world::World};
use serde_json::{Value, json};

/// All that a body may have.
const ALLOWED: [&str; 14] = [
    "model",
    "input",
    "instructions",
    "stream",
    "store",
    "include",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "prompt_cache_key",
    "service_tier",
    "client_metadata",
];
/// Tools that the vendor runs.
const HOSTED: [&str; 2] = ["web_search", "image_generation"];
/// Marks a body of the official client's newer shape.
const LITE: &str = "x-openai-internal-codex-responses-lite";

fn detail(text: &str) -> Refused {
    (400, json!({"detail": text}))
}

/// The credential, and whose it is.
pub(super) fn known(world: &World, call: &Call) -> Result<(), Refused> {
    let lenient = call.bearer().is_some_and(|key| key.starts_with("sim-codex-lenient"));
    if lenient {
        return Ok(());
    }
    let owner = world.codex.owner(call, world.now());
    let owner = owner.ok_or_else(|| {
        let dead = call.bearer().is_some_and(|token| Plan::Codex.marks(token));
        let code = if dead { "token_expired" } else { "token_invalidated" };
        let message = "Provided authentication token is expired. Please try signing in again.";
        (
            401,
            json!({"error": {"message": message, "type": null, "code": code, "param": null}, "status": 401}),
        )
    })?;
    match call.header("chatgpt-account-id") {
        Some(account) if account == workspace(&owner) => {}
        _ => return Err((401, json!({"detail": "Unauthorized"}))),
    }
    if call.header("user-agent").is_none_or(str::is_empty) {
        return Err((403, json!({"detail": "Forbidden"})));
    }
    Ok(())
}

/// The credential and the headers of a request for a model.
pub(super) fn head(world: &World, call: &Call) -> Result<(), Refused> {
    known(world, call)?;
    for name in ["originator", "user-agent", "content-type"] {
        if call.header(name).is_none_or(str::is_empty) {
            return Err(detail(&format!("Missing header: {name}")));
        }
    }
    Ok(())
}

/// All of a request for an answer.
pub(super) fn check(world: &World, call: &Call) -> Result<(), Refused> {
    head(world, call)?;
    if call.header("accept") != Some("text/event-stream") {
        return Err(detail("Accept must be text/event-stream"));
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| detail("Invalid JSON"))?;
    let object = body.as_object().ok_or_else(|| detail("Invalid JSON"))?;
    if let Some(name) = object.keys().find(|name| !ALLOWED.contains(&name.as_str())) {
        return Err(detail(&format!("Unsupported parameter: {name}")));
    }
    if body["stream"] != true {
        return Err(detail("Stream must be set to true"));
    }
    if body["store"] != false {
        return Err(detail("Store must be set to false"));
    }
    let input = body["input"].as_array().ok_or_else(|| detail("Input must be a list"))?;
    if input.iter().any(|item| item["role"] == "system") {
        return Err(detail("System messages are not allowed"));
    }
    if call.body.windows("prompt_cache_breakpoint".len()).any(|part| part == b"prompt_cache_breakpoint") {
        return Err(detail("Unsupported parameter: prompt_cache_breakpoint"));
    }
    // The official client has the instructions as first message of the developer.
    let first = input.iter().find(|item| item["type"] != "additional_tools");
    let by_message = first.is_some_and(|item| item["role"] == "developer");
    if !body["instructions"].is_string() && !by_message {
        return Err(detail("Instructions are required"));
    }
    let lone = |item: &&Value| {
        item["type"] == "reasoning" && item["id"].is_string() && !item["encrypted_content"].is_string()
    };
    if let Some(item) = input.iter().find(lone) {
        let message = format!("Item with id '{}' not found.", item["id"].as_str().unwrap_or_default());
        return Err((
            404,
            json!({"error": {"message": message, "type": "invalid_request_error", "code": null}}),
        ));
    }
    if let Some(tier) = body["service_tier"].as_str().filter(|tier| !["priority", "default"].contains(tier)) {
        return Err(detail(&format!("Unsupported service_tier: {tier}")));
    }
    let no_tools = body["tools"].as_array().is_none_or(Vec::is_empty);
    let model = body["model"].as_str().unwrap_or_default();
    if !MODELS.iter().any(|(slug, ..)| *slug == model) && !model.contains("-sim-") {
        return Err(detail(&format!(
            "The '{model}' model is not supported when using Codex with a ChatGPT account."
        )));
    }
    lite(call, &body, input, no_tools)
}

/// The newer shape and its header come together.
fn lite(call: &Call, body: &Value, input: &[Value], no_tools: bool) -> Result<(), Refused> {
    let shaped = input.first().is_some_and(|item| item["type"] == "additional_tools");
    let marked = call.header(LITE) == Some("true");
    let unsupported = |param: &str, message: &str| {
        let error = json!({
            "message": message, "type": "invalid_request_error", "param": param, "code": "unsupported_value",
        });
        Err((400, json!({"error": error})))
    };
    if !marked {
        if shaped {
            return Err(detail("additional_tools are only supported by Responses-Lite"));
        }
        if no_tools && !body["parallel_tool_calls"].is_null() {
            return unsupported("parallel_tool_calls", "'parallel_tool_calls' is only allowed with tools.");
        }
        return Ok(());
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let all = tools.chain(input.iter().flat_map(|item| item["tools"].as_array().into_iter().flatten()));
    if all.into_iter().any(|tool| HOSTED.contains(&tool["type"].as_str().unwrap_or_default())) {
        let message =
            "Responses-Lite only supports function tools, custom tools, and client-executed tool search.";
        return unsupported("tools", message);
    }
    if body["parallel_tool_calls"] == true {
        return unsupported("parallel_tool_calls", "'parallel_tool_calls' must be false.");
    }
    Ok(())
}
