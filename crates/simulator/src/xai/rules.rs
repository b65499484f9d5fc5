//! What the hosts want of a request.

use super::{Host, Refused};
use crate::{call::Call, world::World};
use serde_json::{Value, json};

/// The oldest version of the vendor's program that is served.
const LEAST_VERSION: (u32, u32, u32) = (0, 1, 202);
/// Fields of Responses that are not taken.
const REFUSED: [&str; 5] =
    ["previous_response_id", "prompt_cache_retention", "safety_identifier", "stream_options", "stop"];
/// Tools that are taken.
const TOOLS: [&str; 4] = ["function", "web_search", "x_search", "image_generation"];

fn bad(why: &str) -> Refused {
    (400, json!({"code": "invalid-argument", "error": why}))
}

/// The credential, and the headers that the host of the plans wants with it.
pub(super) fn known(world: &World, call: &Call, host: Host) -> Result<(), Refused> {
    let token = call.bearer().unwrap_or_default();
    let refused = || {
        let error = "The OAuth2 access token could not be validated.";
        (403, json!({"code": "unauthenticated:bad-credentials", "error": error}))
    };
    if host == Host::Api {
        let good = token.starts_with("xai-") && token.len() > "xai-".len();
        return if good { Ok(()) } else { Err(bad("Incorrect API key provided.")) };
    }
    if call.header("x-xai-token-auth") != Some("xai-grok-cli") {
        return Err((
            401,
            json!({"code": "unauthenticated:bad-credentials", "error": "Unknown kind of token."}),
        ));
    }
    let version = call.header("x-grok-client-version").unwrap_or("none");
    if !is_recent(version) {
        let error = format!(
            "Your Grok CLI version ({version}) is outdated. Please update to version 0.1.202 or later."
        );
        return Err((426, json!({"error": error})));
    }
    world.xai.owner(call, world.now()).map(drop).ok_or_else(refused)
}

fn is_recent(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
        (Some(major), Some(minor), Some(patch), None) => (major, minor, patch) >= LEAST_VERSION,
        _ => false,
    }
}

/// All of a request for an answer.
pub(super) fn check(world: &World, call: &Call, host: Host) -> Result<(), Refused> {
    known(world, call, host)?;
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| bad("Invalid JSON"))?;
    let object = body.as_object().ok_or_else(|| bad("Invalid JSON"))?;
    if let Some(name) = REFUSED.into_iter().find(|name| object.contains_key(*name)) {
        return Err(bad(&format!("Argument not supported: {name}")));
    }
    if body["stream"] != true || call.header("accept") != Some("text/event-stream") {
        return Err(bad("Only streaming is supported"));
    }
    let model = body["model"].as_str().unwrap_or_default();
    if !model.starts_with("grok-") {
        return Err((
            404,
            json!({"code": "not-found", "error": format!("The model {model} does not exist")}),
        ));
    }
    let known = crate::models::GROK.iter().find(|known| known.id == model);
    let efforts = crate::openai::efforts(known).unwrap_or_default();
    if known.is_some() && efforts.is_empty() && !body["reasoning"].is_null() {
        return Err(bad("Model does not support parameter reasoning"));
    }
    let tools: &[Value] = body["tools"].as_array().map_or(&[], Vec::as_slice);
    tools.iter().try_for_each(tool)?;
    if tools.is_empty() && ["tool_choice", "parallel_tool_calls"].iter().any(|name| !body[*name].is_null()) {
        return Err(bad("A tool_choice was set on the request but no tools were specified"));
    }
    if let Some(kind) = body["tool_choice"]["type"].as_str()
        && !["function", "allowed_tools"].contains(&kind)
    {
        return Err(bad("Invalid tool_choice"));
    }
    body["input"].as_array().into_iter().flatten().try_for_each(item)
}

fn tool(tool: &Value) -> Result<(), Refused> {
    let kind = tool["type"].as_str().unwrap_or_default();
    if !TOOLS.contains(&kind) {
        return Err(bad(&format!("unknown variant `{kind}`")));
    }
    if kind == "function" {
        let parameters = &tool["parameters"];
        let union = ["anyOf", "oneOf", "allOf"].iter().any(|name| !parameters[*name].is_null());
        if parameters["type"] != "object" || union {
            return Err(bad("Invalid function parameters: the root must be an object"));
        }
    }
    Ok(())
}

fn item(item: &Value) -> Result<(), Refused> {
    let kind = item["type"].as_str().unwrap_or("message");
    let foreign = [
        "additional_tools",
        "custom_tool_call",
        "custom_tool_call_output",
        "tool_search_call",
        "tool_search_output",
        "local_shell_call",
    ];
    if foreign.contains(&kind) {
        return Err(bad(&format!("unknown variant `{kind}`")));
    }
    if kind == "reasoning" && item["encrypted_content"].as_str().is_some_and(|blob| blob.starts_with("gAAAA"))
    {
        return Err(bad("Could not decode the encrypted_content"));
    }
    Ok(())
}
