//! Answers of the portal and of the platform.

use super::refuse::{self, said};
use crate::{
    call::Call,
    engine, openai_chat,
    scenario::{Script, Trouble},
    server::Reply,
    world::World,
};
use serde_json::{Value, json};

/// The models that keys are good for.
const MODELS: [&str; 12] = [
    "qwen3.8-max",
    "qwen3.8-max-preview",
    "qwen3.8-flash",
    "qwen3.7-max",
    "qwen3.7-plus",
    "qwen3.6-plus",
    "qwen3.6-flash",
    "qwen3.5-plus",
    "qwen3-max-2026-01-23",
    "qwen3-coder-plus",
    "qwen3-coder-next",
    "glm-5",
];
/// Of these thinking cannot be switched off, and it has three levels.
const TIERED: [&str; 2] = ["qwen3.8-max", "qwen3.8-max-preview"];
/// What a request may have.
const KNOWN: [&str; 19] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "presence_penalty",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "metadata",
    "enable_thinking",
    "thinking_budget",
    "reasoning_effort",
    "vl_high_resolution_images",
];
/// Members that only this vendor knows.
const OWN: [&str; 4] =
    ["enable_thinking", "thinking_budget", "reasoning_effort", "vl_high_resolution_images"];

fn bad(message: &str) -> Reply {
    said(400, "InvalidParameter", message)
}

pub(super) fn models(call: &Call) -> Reply {
    if !call.bearer().is_some_and(|key| key.starts_with("sk-")) {
        return said(401, "invalid_api_key", "Incorrect API key provided.");
    }
    let show =
        |id: &&str| json!({"id": id, "object": "model", "created": 1_780_000_000, "owned_by": "system"});
    Reply::json(
        200,
        Vec::new(),
        &json!({"object": "list", "data": MODELS.iter().map(show).collect::<Vec<_>>()}),
    )
}

/// The portal of the login.
pub(super) fn portal(world: &World, call: &Call) -> Reply {
    let token = call.bearer().unwrap_or_default();
    if !world.qwen.admits(token, world.now()) {
        return said(401, "invalid_api_key", "invalid access token or token expired");
    }
    if call.header("x-dashscope-authtype") != Some("qwen-oauth") {
        return bad("X-DashScope-AuthType is required");
    }
    served(world, call, true, portal_rules).unwrap_or_else(|refused| refused)
}

/// The platform for keys.
pub(super) fn platform(world: &World, call: &Call) -> Reply {
    if !call.bearer().is_some_and(|key| key.starts_with("sk-")) {
        return said(401, "invalid_api_key", "Incorrect API key provided.");
    }
    if call.headers.contains_key("x-dashscope-authtype") {
        return bad("X-DashScope-AuthType does not fit the credential");
    }
    served(world, call, false, platform_rules).unwrap_or_else(|refused| refused)
}

/// One model; and exactly one system message, first, that begins with the empty cached part.
fn portal_rules(body: &Value) -> Result<(), Reply> {
    if body["model"] != "coder-model" {
        return Err(said(
            404,
            "model_not_found",
            "The model does not exist or you do not have access to it.",
        ));
    }
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let systems = messages.iter().filter(|message| message["role"] == "system").count();
    let wanted = json!({"type": "text", "text": "", "cache_control": {"type": "ephemeral"}});
    match messages.first() {
        Some(first) if first["role"] == "system" && systems == 1 && first["content"][0] == wanted => Ok(()),
        _ => Err(bad("messages: one system message of the expected shape must come first")),
    }
}

fn platform_rules(body: &Value) -> Result<(), Reply> {
    let id = body["model"].as_str().unwrap_or_default();
    if !MODELS.contains(&id) {
        return Err(said(404, "model_not_found", &format!("The model `{id}` does not exist.")));
    }
    let forced = body["tool_choice"] == "required" || body["tool_choice"].is_object();
    if body["enable_thinking"] == true && forced {
        return Err(bad(
            "The tool_choice parameter does not support being set to required or object in thinking mode",
        ));
    }
    let effort = body["reasoning_effort"].as_str();
    if TIERED.contains(&id) {
        if body["enable_thinking"] == false
            || effort.is_some_and(|e| !["low", "medium", "xhigh"].contains(&e))
        {
            return Err(bad("this model thinks at low, medium or xhigh effort"));
        }
    } else if effort.is_some() {
        return Err(bad("reasoning_effort is not supported by this model"));
    }
    Ok(())
}

fn served(
    world: &World,
    call: &Call,
    login: bool,
    rules: fn(&Value) -> Result<(), Reply>,
) -> Result<Reply, Reply> {
    if call.header("x-dashscope-cachecontrol") != Some("enable") {
        return Err(bad("X-DashScope-CacheControl is required"));
    }
    if !call.is_json() {
        return Err(bad("Content-Type must be application/json"));
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| bad("Invalid JSON"))?;
    let accept = if body["stream"] == true { "text/event-stream" } else { "application/json" };
    if call.header("accept") != Some(accept) {
        return Err(bad("Accept does not fit `stream`"));
    }
    fields(&body)?;
    rules(&body)?;
    let asked = openai_chat::read(&body);
    // What is counted for a credential stays the same while its tokens are renewed.
    let key = if login { "qwen-login" } else { call.bearer().unwrap_or_default() };
    let script = Script::read(key, &asked.text, call.header("x-sim-scenario"))
        .map_err(|error| bad(&error.to_string()))?;
    let cause = match script.trouble {
        Some(Trouble::Refuse(cause, wait)) => Some((cause, wait)),
        Some(Trouble::Fail { times, cause }) if world.must_fail(key, cause, times) => Some((cause, None)),
        _ => None,
    };
    if let Some(refused) = cause.and_then(|(cause, wait)| refuse::of(cause, wait, login)) {
        return Err(refused);
    }
    let thinks = body["enable_thinking"] == true || body["reasoning_effort"].is_string();
    Ok(engine::chat(world, call, body, key, &OWN, thinks))
}

fn fields(body: &Value) -> Result<(), Reply> {
    let members = body.as_object().ok_or_else(|| bad("expected an object"))?;
    if let Some(name) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(bad(&format!("Unknown parameter: '{name}'")));
    }
    let wrong = |name: &str, fits: fn(&Value) -> bool| members.get(name).is_some_and(|value| !fits(value));
    if wrong("enable_thinking", Value::is_boolean) || wrong("thinking_budget", Value::is_u64) {
        return Err(bad("enable_thinking must be a boolean, thinking_budget an integer"));
    }
    if body["enable_thinking"] == false && body.get("reasoning_effort").is_some() {
        return Err(bad("reasoning_effort cannot be set where thinking is off"));
    }
    if body["messages"].as_array().into_iter().flatten().any(|message| message["role"] == "developer") {
        return Err(bad("messages: 'developer' is not one of ['system', 'assistant', 'user', 'tool']"));
    }
    Ok(())
}
