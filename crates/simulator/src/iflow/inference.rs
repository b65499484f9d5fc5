//! Answers of the API, for signed requests.

use super::{
    refuse::{self, said},
    sign,
};
use crate::{
    call::Call,
    engine, openai_chat,
    scenario::{Script, Trouble},
    server::Reply,
    world::World,
};
use serde_json::{Value, json};

const PROGRAM: &str = "iFlow-Cli";
const MODELS: [&str; 17] = [
    "qwen3-coder-plus",
    "qwen3-max",
    "qwen3-vl-plus",
    "qwen3-max-preview",
    "glm-4.6",
    "glm-4.7",
    "minimax-m2",
    "kimi-k2",
    "deepseek-v3.2",
    "deepseek-v3.1",
    "deepseek-r1",
    "deepseek-v3",
    "qwen3-32b",
    "qwen3-235b-a22b-thinking-2507",
    "qwen3-235b-a22b-instruct",
    "qwen3-235b",
    "iflow-rome-30ba3b",
];
/// How far a clock may be off, in milliseconds.
const SKEW: i64 = 300_000;
/// Members that only this vendor knows.
const OWN: [&str; 2] = ["chat_template_kwargs", "reasoning_split"];

/// How a model is told to think.
enum Switch {
    /// `chat_template_kwargs`, and whether it knows `clear_thinking`.
    Template {
        clears: bool,
    },
    Split,
    None,
}

fn switch(model: &str) -> Switch {
    match model {
        model if model.starts_with("glm-") => Switch::Template { clears: true },
        "deepseek-v3.1" | "deepseek-v3.2" | "qwen3-max-preview" => Switch::Template { clears: false },
        model if model.starts_with("minimax-") => Switch::Split,
        _ => Switch::None,
    }
}

fn bad(message: &str) -> Reply {
    Reply::json(
        400,
        Vec::new(),
        &json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": "400"}}),
    )
}

/// The key of a call, if it has one that the vendor could have given out.
fn key(call: &Call) -> Result<&str, Reply> {
    let key = call.bearer().unwrap_or_default();
    if key.starts_with("sk-") { Ok(key) } else { Err(said(401, "401", "Invalid API key")) }
}

pub(super) fn models(_world: &World, call: &Call) -> Reply {
    if let Err(refused) = key(call) {
        return refused;
    }
    let show =
        |id: &&str| json!({"id": id, "object": "model", "created": 1_780_000_000, "owned_by": "iflow"});
    Reply::json(
        200,
        Vec::new(),
        &json!({"object": "list", "data": MODELS.iter().map(show).collect::<Vec<_>>()}),
    )
}

pub(super) fn chat(world: &World, call: &Call) -> Reply {
    served(world, call).unwrap_or_else(|refused| refused)
}

/// The name of the program, a session and the time, signed with the key.
fn signed(world: &World, call: &Call, key: &str) -> bool {
    let header = |name: &str| call.header(name).unwrap_or_default();
    let (session, time) = (header("session-id"), header("x-iflow-timestamp"));
    let is_session = session
        .strip_prefix("session-")
        .is_some_and(|id| id.len() == 36 && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()));
    let now = world.now() * 1000;
    let in_time = time.parse::<i64>().is_ok_and(|time| (now - SKEW..=now + SKEW).contains(&time));
    let wanted = sign::hmac(key, &format!("{PROGRAM}:{session}:{time}"));
    header("user-agent") == PROGRAM && is_session && in_time && header("x-iflow-signature") == wanted
}

fn served(world: &World, call: &Call) -> Result<Reply, Reply> {
    let key = key(call)?;
    if !signed(world, call, key) {
        return Err(said(406, "406", "Not Acceptable"));
    }
    if !call.is_json() {
        return Err(bad("Content-Type must be application/json"));
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| bad("Invalid JSON"))?;
    let accept = if body["stream"] == true { "text/event-stream" } else { "application/json" };
    if call.header("accept") != Some(accept) {
        return Err(bad("Accept does not fit `stream`"));
    }
    let model = body["model"].as_str().unwrap_or_default();
    if !MODELS.contains(&model) {
        return Err(said(200, "435", "Model not support"));
    }
    thinking(&body, model)?;
    let asked = openai_chat::read(&body);
    // Keys of logins change with their tokens; what is counted for the person does not.
    let person = if key.starts_with("sk-iflow-login-") { "iflow-login" } else { key };
    let script = Script::read(person, &asked.text, call.header("x-sim-scenario"))
        .map_err(|error| bad(&error.to_string()))?;
    let cause = match script.trouble {
        Some(Trouble::Refuse(cause, _)) => Some(cause),
        Some(Trouble::Fail { times, cause }) if world.must_fail(person, cause, times) => Some(cause),
        _ => None,
    };
    if let Some(refused) = cause.and_then(refuse::of) {
        return Err(refused);
    }
    let thinks = body["chat_template_kwargs"]["enable_thinking"] == true || body["reasoning_split"] == true;
    Ok(engine::chat(world, call, body, person, &OWN, thinks))
}

/// The switches of thinking: each family has its own, and no other.
fn thinking(body: &Value, model: &str) -> Result<(), Reply> {
    for name in ["thinking", "enable_thinking", "thinking_budget", "reasoning_effort"] {
        if body.get(name).is_some() {
            return Err(bad(&format!("Unknown parameter: '{name}'")));
        }
    }
    let (template, split) = (&body["chat_template_kwargs"], &body["reasoning_split"]);
    let (has_template, has_split) = (!template.is_null(), !split.is_null());
    let fits = match switch(model) {
        Switch::Template { clears } => {
            let on = template["enable_thinking"] == true;
            let is_switch = template["enable_thinking"].is_boolean();
            let cleared = match template.get("clear_thinking") {
                None => !(clears && on),
                Some(value) => clears && on && *value == false,
            };
            !has_split && (!has_template || (is_switch && cleared))
        }
        Switch::Split => !has_template && (!has_split || split.is_boolean()),
        Switch::None => !has_template && !has_split,
    };
    if fits { Ok(()) } else { Err(bad("the switch of thinking is not that of this model")) }
}
