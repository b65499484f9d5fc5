//! Models, limits and answers.

use super::refuse;
use crate::{
    anthropic,
    call::Call,
    scenario::{Script, Trouble},
    server::Reply,
    trouble::rfc3339,
    vendor::{self, Target},
    world::World,
};
use byok_types::Dialect;
use http::{HeaderValue, header};
use serde_json::{Value, json};

/// The ids, whether they always think, and their efforts.
const MODELS: [(&str, bool, &[&str]); 4] = [
    ("k3", true, &["low", "high", "max"]),
    ("kimi-for-coding", true, &["low", "high"]),
    ("k2.6", false, &[]),
    ("k2", false, &[]),
];
/// The key of the engine, by which it counts failures, too.
const ENGINE_KEY: &str = "sk-ant-api03-kimi";
/// The model of the engine that speaks for all of them.
const ENGINE: &str = "claude-sonnet-4-6";

/// Whose call it is: a device, or a key.
fn admitted(world: &World, call: &Call) -> Result<String, Reply> {
    let token = call.bearer().or_else(|| call.header("x-api-key")).unwrap_or_default();
    if token.starts_with("sk-kimi-") {
        return Ok(token.to_owned());
    }
    let Some(device) = world.kimi.device_of(token, world.now()) else {
        return Err(refuse::of(crate::scenario::Cause::Auth, None));
    };
    // The id of the login stays with its tokens.
    if call.header("x-msh-device-id") != Some(device.as_str()) || call.header("x-msh-platform").is_none() {
        return Err(refuse::said(401, "invalid_authentication_error", "Invalid Authentication"));
    }
    Ok(device)
}

fn owned(world: &World, call: &Call, body: impl FnOnce() -> Value) -> Reply {
    match admitted(world, call) {
        Ok(_) => Reply::json(200, Vec::new(), &body()),
        Err(refused) => refused,
    }
}

pub(super) fn me(world: &World, call: &Call) -> Reply {
    // The profile does not look at devices.
    let token = call.bearer().unwrap_or_default();
    if !token.starts_with("sk-kimi-") && world.kimi.device_of(token, world.now()).is_none() {
        return refuse::of(crate::scenario::Cause::Auth, None);
    }
    Reply::json(
        200,
        Vec::new(),
        &json!({
            "user_id": "sim-user", "nickname": "Ada", "status": "USER_STATUS_NORMAL", "region": "REGION_CN",
            "user_level": 2, "user_level_name": "Allegretto", "email": "ada@example.org",
        }),
    )
}

pub(super) fn models(world: &World, call: &Call) -> Reply {
    owned(world, call, || {
        let show = |(id, always, efforts): &(&str, bool, &[&str])| {
            let mut model = json!({
                "id": id, "object": "model", "context_length": 262_144, "display_name": id, "supports_reasoning": *id != "k2",
                "supports_image_in": true, "supports_video_in": false, "supports_tool_use": true,
                "supports_thinking_type": if *always { "only" } else if *id == "k2" { "no" } else { "both" },
            });
            if !efforts.is_empty() {
                model["think_efforts"] =
                    json!({"support": true, "valid_efforts": efforts, "default_effort": "high"});
            }
            model
        };
        json!({"object": "list", "data": MODELS.iter().map(show).collect::<Vec<_>>()})
    })
}

pub(super) fn usages(world: &World, call: &Call) -> Reply {
    let now = world.now();
    let beyond = world.is_beyond("kimi");
    let (used, spent) = if beyond { ("100", "120") } else { ("12", "0") };
    owned(world, call, || {
        json!({
            "usage": {"used": "340", "limit": "1000", "resetTime": rfc3339(now + 259_200)},
            "limits": [{
                "window": {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"},
                "detail": {"used": used, "limit": "100", "resetTime": rfc3339(now + 7200)},
            }],
            "boosterWallet": {
                "balance": {"type": "BOOSTER", "amount": "1000000000", "amountLeft": "880000000"},
                "monthlyChargeLimitEnabled": false, "monthlyUsed": {"priceInCents": spent, "currency": "USD"},
            },
        })
    })
}

/// Chat serves programs of a list; keys of any other are refused.
pub(super) fn chat(world: &World, call: &Call) -> Reply {
    match admitted(world, call) {
        Ok(_) => refuse::of(crate::scenario::Cause::ThirdParty, None),
        Err(refused) => refused,
    }
}

pub(super) fn messages(world: &World, call: &Call, count: bool) -> Reply {
    served(world, call, count).unwrap_or_else(|refused| refused)
}

fn served(world: &World, call: &Call, count: bool) -> Result<Reply, Reply> {
    let who = admitted(world, call)?;
    let bad = |words: &str| refuse::said(400, "invalid_request_error", words);
    if call.header("anthropic-version") != Some("2023-06-01") {
        return Err(bad("anthropic-version: header is required"));
    }
    if call.header("anthropic-beta").is_some_and(|betas| betas.contains("interleaved-thinking")) {
        return Err(bad("anthropic-beta: interleaved-thinking-2025-05-14 is not supported"));
    }
    let mut body: Value =
        serde_json::from_slice(&call.body).map_err(|_| bad("The request body is not valid JSON"))?;
    let id = body["model"].as_str().unwrap_or_default().to_owned();
    let Some((_, always, efforts)) = MODELS.iter().find(|(known, ..)| *known == id) else {
        return Err(refuse::of(crate::scenario::Cause::NotFound, None));
    };
    if *always && body["thinking"]["type"] == "disabled" {
        return Err(bad("thinking cannot be disabled for this model"));
    }
    if let Some(effort) = body["output_config"]["effort"].as_str().filter(|effort| !efforts.contains(effort))
    {
        return Err(bad(&format!("output_config.effort: `{effort}` is not supported by {id}")));
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    if let Some(kind) = tools.filter_map(|tool| tool["type"].as_str()).find(|kind| *kind != "custom") {
        return Err(bad(&format!("tools: unknown type `{kind}`")));
    }
    let asked = anthropic::read(&body);
    let script = Script::read(&who, &asked.text, call.header("x-sim-scenario"))
        .map_err(|error| bad(&error.to_string()))?;
    if script.overage {
        world.go_beyond("kimi");
    }
    match script.trouble {
        Some(Trouble::Refuse(cause, wait)) => return Err(refuse::of(cause, wait)),
        Some(Trouble::Fail { times, cause }) if world.must_fail(ENGINE_KEY, cause, times) => {
            return Err(refuse::of(cause, None));
        }
        _ => {}
    }
    body["model"] = json!(ENGINE);
    let mut inner = call.clone();
    inner.body = body.to_string().into();
    inner.headers.remove(header::AUTHORIZATION);
    if let Ok(value) = HeaderValue::from_str(ENGINE_KEY) {
        inner.headers.insert("x-api-key", value);
    }
    Ok(if count {
        vendor::count(world, &inner, Dialect::Messages, None)
    } else {
        vendor::generate(world, &inner, Dialect::Messages, &Target::default())
    })
}
