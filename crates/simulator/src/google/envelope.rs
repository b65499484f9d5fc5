//! The envelope around a conversation, and the rules that are the service's own.

use super::{assist::ANTIGRAVITY, books::GoogleClient, inner_call, only, target, trouble, unknown};
use crate::{call::Call, refusal::Refusal, server::Reply, vendor, world::World};
use byok_types::Dialect;
use serde_json::Value;

/// Members of the request that both clients may send.
const REQUEST: [&str; 12] = [
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "session_id",
    "sessionId",
    "model",
    "continuationToken",
];

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "INVALID_ARGUMENT", message)
}

pub(super) fn generate(
    world: &World,
    call: &Call,
    client: GoogleClient,
    mut body: Value,
    stream: bool,
) -> Result<Reply, Refusal> {
    let known: &[&str] = match client {
        GoogleClient::Antigravity => {
            &["model", "project", "requestId", "userAgent", "requestType", "request", "enabledCreditTypes"]
        }
        _ => &["model", "project", "user_prompt_id", "request", "enabled_credit_types"],
    };
    only(&body, known, "")?;
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let model = text("model").ok_or_else(|| bad("model is required"))?;
    if model.starts_with("models/") {
        return Err(Refusal::new(404, "NOT_FOUND", "Requested entity was not found."));
    }
    text("project").ok_or_else(trouble::disabled_service)?;
    if client == GoogleClient::Antigravity {
        let (kind, id) =
            if model.contains("-image") { ("image_gen", "image_gen/") } else { ("agent", "agent-") };
        if text("userAgent").as_deref() != Some("antigravity") || text("requestType").as_deref() != Some(kind)
        {
            return Err(bad("Request contains an invalid argument."));
        }
        if !text("requestId").is_some_and(|named| named.starts_with(id)) {
            return Err(bad("requestId is required"));
        }
    } else if text("user_prompt_id").is_none() {
        return Err(bad("user_prompt_id is required"));
    }
    let mut request = body["request"].take();
    only(&request, &REQUEST, "request")?;
    if let Some(reply) = trouble::asked_for(world, &request, &model, stream) {
        return reply;
    }
    let mut engine = model.clone();
    // Code Assist has a name of its own for this model.
    if client != GoogleClient::Antigravity {
        match &*model {
            "gemini-3-flash" => "gemini-3.5-flash".clone_into(&mut engine),
            "gemini-3.5-flash" => {
                return Err(Refusal::new(404, "NOT_FOUND", "Requested entity was not found."));
            }
            _ => {}
        }
    }
    if client == GoogleClient::Antigravity {
        let found = ANTIGRAVITY.iter().find(|(id, ..)| *id == model);
        let (_, _, stand_in, most) =
            found.ok_or_else(|| Refusal::new(404, "NOT_FOUND", "Requested entity was not found."))?;
        (*stand_in).clone_into(&mut engine);
        let claude = model.starts_with("claude") || model.starts_with("gpt-");
        session(&request, model.contains("-image"))?;
        antigravity(&request, claude, *most)?;
        if claude {
            check_claude(&mut request)?;
        }
    }
    let members = request.as_object_mut().ok_or_else(|| bad("request is required"))?;
    members.remove("session_id");
    members.remove("sessionId");
    let mut target = target(&engine, stream, call);
    target.envelope = true;
    Ok(vendor::generate(world, &inner_call(call, &request), Dialect::Gemini, &target))
}

/// Agents have a session, drawings have none.
fn session(request: &Value, draws: bool) -> Result<(), Refusal> {
    let id = request["sessionId"].as_str();
    let sound = |id: &str| id.starts_with('-') && id[1..].bytes().all(|byte| byte.is_ascii_digit());
    match id {
        None if draws => Ok(()),
        Some(_) if draws => Err(unknown("sessionId", "request")),
        Some(id) if sound(id) => Ok(()),
        _ => Err(bad("request.sessionId is required")),
    }
}

/// What Antigravity refuses for every model.
fn antigravity(request: &Value, claude: bool, most: u64) -> Result<(), Refusal> {
    if request.get("safetySettings").is_some() {
        return Err(unknown("safetySettings", "request"));
    }
    let output = request["generationConfig"]["maxOutputTokens"].as_u64();
    if claude && output.is_some_and(|output| output > most) {
        return Err(bad(format!(
            "max_tokens: {} > {most}, which is the maximum allowed number of output tokens",
            output.unwrap_or(0)
        )));
    }
    for declaration in declarations(request) {
        if declaration.get("parametersJsonSchema").is_some() {
            return Err(unknown("parametersJsonSchema", "request.tools[0].function_declarations[0]"));
        }
        let text = declaration["parameters"].to_string();
        for keyword in ["\"$schema\"", "\"$ref\"", "\"additionalProperties\"", "\"anyOf\"", "\"enum\""] {
            if text.contains(&format!("{keyword}:")) {
                return Err(unknown(
                    keyword.trim_matches('"'),
                    "request.tools[0].function_declarations[0].parameters",
                ));
            }
        }
    }
    Ok(())
}

fn declarations(request: &Value) -> impl Iterator<Item = &Value> {
    let tools = request["tools"].as_array().into_iter().flatten();
    tools.flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten())
}

/// Anthropic's rules, which shine through.
fn check_claude(request: &mut Value) -> Result<(), Refusal> {
    let mode = &request["toolConfig"]["functionCallingConfig"]["mode"];
    if declarations(request).next().is_some() && mode != "VALIDATED" {
        return Err(bad("tool_choice: functionCallingConfig.mode must be VALIDATED"));
    }
    for declaration in declarations(request) {
        let schema = &declaration["parameters"];
        let filled = |name: &str| match &schema[name] {
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => false,
        };
        if !filled("properties") || !filled("required") {
            return Err(bad("tools.0.custom.input_schema: JSON schema is invalid"));
        }
    }
    let config = &request["generationConfig"];
    let budget = config["thinkingConfig"]["thinkingBudget"].as_i64().unwrap_or(0);
    if budget > 0 {
        if config.get("temperature").is_some() {
            return Err(bad("`temperature` may only be set to 1 when thinking is enabled."));
        }
        if config["maxOutputTokens"].as_i64().is_none_or(|most| most <= budget) {
            return Err(bad("`max_tokens` must be greater than `thinking.budget_tokens`."));
        }
        if budget < 1024 {
            return Err(bad("thinking.budget_tokens: Input should be greater than or equal to 1024"));
        }
    }
    let contents = request["contents"].as_array().cloned().unwrap_or_default();
    if contents.last().is_some_and(|last| last["role"] == "model") {
        return Err(bad(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    for content in &contents {
        let parts = content["parts"].as_array().cloned().unwrap_or_default();
        let rank = |part: &Value| {
            if part["thought"] == true { 0 } else { 1 + i32::from(part.get("functionCall").is_some()) }
        };
        if content["role"] == "model" && !parts.is_sorted_by_key(rank) {
            return Err(bad("`tool_use` ids were found without `tool_result` blocks immediately after"));
        }
        for part in &parts {
            for name in ["functionCall", "functionResponse"] {
                let id = part[name]["id"].as_str().unwrap_or_default();
                let good = !id.is_empty()
                    && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
                if part.get(name).is_some() && !good {
                    return Err(bad(format!("{name}: id is required and matches [a-zA-Z0-9_-]+")));
                }
            }
            if part["thought"] == true && part["text"].as_str().unwrap_or_default().is_empty() {
                return Err(bad("thinking.thinking: Field required"));
            }
            if part["thoughtSignature"] == "skip_thought_signature_validator" {
                return Err(bad("Invalid `signature` in `thinking` block"));
            }
        }
    }
    // The engine that stands in knows the calling modes of Gemini only, and thinks less.
    if let Some(budget) = request.pointer_mut("/generationConfig/thinkingConfig/thinkingBudget")
        && let Some(asked) = budget.as_i64()
    {
        *budget = asked.min(24_576).into();
    }
    if let Some(config) =
        request.pointer_mut("/toolConfig/functionCallingConfig").and_then(Value::as_object_mut)
    {
        config.insert("mode".to_owned(), "AUTO".into());
    }
    Ok(())
}

/// Only contents are counted, and a model below `request`.
pub(super) fn count(world: &World, call: &Call, mut body: Value) -> Result<Reply, Refusal> {
    only(&body, &["request"], "")?;
    only(&body["request"], &["model", "contents"], "request")?;
    let mut request = body["request"].take();
    let model = request["model"].as_str().unwrap_or("models/gemini-2.5-pro").to_owned();
    let model = model.strip_prefix("models/").ok_or_else(|| bad("request.model must begin with models/"))?;
    let stand_in =
        ANTIGRAVITY.iter().find(|(id, ..)| *id == model).map_or(model, |(_, _, stand_in, _)| stand_in);
    if let Some(members) = request.as_object_mut() {
        members.remove("model");
    }
    Ok(vendor::count(world, &inner_call(call, &request), Dialect::Gemini, Some(stand_in)))
}
