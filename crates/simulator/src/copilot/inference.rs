//! The models: who may call, with which headers, where.

use super::{
    github::Owner,
    models::{self, OFFERED},
    refuse,
};
use crate::{
    anthropic,
    body::Step,
    call::Call,
    openai_chat, responses,
    scenario::{Script, Trouble},
    server::Reply,
    vendor::{self, Target},
    world::World,
};
use byok_types::Dialect;
use http::{HeaderValue, header};
use serde_json::{Value, json};

/// Integrations that GitHub has registered.
const INTEGRATIONS: [&str; 3] = ["vscode-chat", "jetbrains-chat", "copilot-developer-cli"];
/// Fields of Messages that are known here.
const MESSAGES: [&str; 15] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "context_management",
    "metadata",
];

/// Checks the credential, its address and the headers that go with it.
fn admitted(world: &World, call: &Call, lists: bool) -> Result<String, Reply> {
    let token = call.bearer().unwrap_or_default();
    let Some(owner) = world.github.owner(token, world.now()) else {
        return Err(refuse::plain(401, "unauthorized: token expired"));
    };
    if call.header("user-agent").is_none() {
        return Err(refuse::plain(403, "Request forbidden by administrative rules"));
    }
    if call.header("x-github-api-version").is_none_or(|version| version < "2026-06-01") {
        return Err(refuse::plain(466, "client not supported: the API version is too old"));
    }
    let exchanged_base = call.path.starts_with("/copilot/individual/");
    let person = match owner {
        Owner::Exchanged(_) if !exchanged_base => return Err(refuse::plain(421, "misdirected request")),
        Owner::Direct(_) if exchanged_base => return Err(refuse::plain(421, "misdirected request")),
        Owner::Direct(person) => return Ok(person),
        Owner::Exchanged(person) => person,
    };
    // The list is open to exchanged tokens without a word about the editor.
    if lists {
        return Ok(person);
    }
    if call.header("editor-version").is_none() {
        return Err(refuse::plain(400, "bad request: missing Editor-Version header for IDE auth"));
    }
    match call.header("copilot-integration-id") {
        Some(id) if INTEGRATIONS.contains(&id) => Ok(person),
        _ => Err(refuse::plain(403, "forbidden: unknown Copilot-Integration-Id")),
    }
}

pub(super) fn models(world: &World, call: &Call) -> Reply {
    match admitted(world, call, true) {
        Ok(_) => Reply::json(200, refuse::quota_headers(87.5), &models::list()),
        Err(refused) => refused,
    }
}

pub(super) fn generate(world: &World, call: &Call, dialect: Dialect) -> Reply {
    served(world, call, dialect).unwrap_or_else(|refused| refused)
}

fn served(world: &World, call: &Call, dialect: Dialect) -> Result<Reply, Reply> {
    let person = admitted(world, call, false)?;
    let mut body: Value =
        serde_json::from_slice(&call.body).map_err(|_| refuse::plain(413, "failed to parse request"))?;
    let id = body["model"].as_str().unwrap_or_default().to_owned();
    let unsupported = || refuse::of(crate::scenario::Cause::NotFound, None, &id, world.now());
    let offered = OFFERED.iter().find(|model| model.id == id).ok_or_else(unsupported)?;
    let Some((_, engine)) = offered.at.iter().find(|(at, _)| *at == dialect) else {
        let path = call.path.trim_start_matches("/copilot").trim_start_matches("/individual");
        let words = format!("model \"{id}\" is not accessible via the {path} endpoint");
        return Err(refuse::coded(400, "unsupported_api_for_model", &words));
    };
    check(call, &body, dialect)?;
    // A key that stays the same while tokens are renewed: what is sealed belongs to the person.
    let key = format!("sk-ant-api03-copilot-{person}");
    // The engine counts failures by its own key; one that was played here must not be played again there.
    let of_engine = if dialect == Dialect::Messages { key.as_str() } else { &key["sk-ant-api03-".len()..] };
    let asked = match dialect {
        Dialect::Messages => anthropic::read(&body),
        Dialect::Responses => responses::read(world, &body),
        _ => openai_chat::read(&body),
    };
    let script = Script::read(&person, &asked.text, call.header("x-sim-scenario"))
        .map_err(|bad| refuse::coded(400, "invalid_request_body", &bad.to_string()))?;
    match script.trouble {
        Some(Trouble::Refuse(cause, wait)) => return Err(refuse::of(cause, wait, &id, world.now())),
        Some(Trouble::Fail { times, cause }) if world.must_fail(of_engine, cause, times) => {
            return Err(refuse::of(cause, None, &id, world.now()));
        }
        _ => {}
    }
    let thinks = offered.vendor == "Anthropic" && dialect == Dialect::Chat && thinks(&mut body)?;
    let seals = offered.vendor == "Google" || thinks;
    if seals {
        brought_back(&mut body)?;
    }
    body["model"] = json!(engine);
    let mut inner = call.clone();
    inner.body = body.to_string().into();
    let (name, value) = match dialect {
        Dialect::Messages => (header::HeaderName::from_static("x-api-key"), key),
        _ => (header::AUTHORIZATION, format!("Bearer copilot-{person}")),
    };
    inner.headers.remove(header::AUTHORIZATION);
    if let Ok(value) = HeaderValue::from_str(&value) {
        inner.headers.insert(name, value);
    }
    let remaining = if script.overage { -0.1 } else { 87.5 };
    let beyond = script.overage;
    let mut reply = vendor::generate(world, &inner, dialect, &Target::default());
    if dialect == Dialect::Responses {
        sealed_anew(&mut reply);
    }
    if seals {
        sealed(&mut reply);
    }
    Ok(told(reply, remaining, beyond))
}

/// Whether Claude thinks at Chat, where a budget is the one word for it; the engine does not know that word.
fn thinks(body: &mut Value) -> Result<bool, Reply> {
    let bad = |words: &str| Err(refuse::coded(400, "invalid_request_body", words));
    for name in ["enable_thinking", "thinking", "reasoning_effort"] {
        if body.get(name).is_some() {
            return bad(&format!("Unsupported parameter: '{name}'."));
        }
    }
    let Some(budget) = body.as_object_mut().and_then(|body| body.remove("thinking_budget")) else {
        return Ok(false);
    };
    let Some(budget) = budget.as_u64().filter(|budget| *budget >= 1024) else {
        return bad("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    };
    if body["max_tokens"].as_u64().is_some_and(|most| most <= budget) {
        return bad("`max_tokens` must be greater than `thinking.budget_tokens`");
    }
    if body.get("temperature").is_some_and(|one| one.as_f64() != Some(1.0)) {
        return bad("`temperature` may only be set to 1 when thinking is enabled");
    }
    Ok(true)
}

/// What Gemini and Claude seal the reasoning of their calls with.
const OPAQUE: &str = "sim-opaque";

/// The seals of earlier calls have to come back; the engine knows nothing of them.
fn brought_back(body: &mut Value) -> Result<(), Reply> {
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        let Some(message) = message.as_object_mut() else { continue };
        message.remove("reasoning_text");
        let opaque = message.remove("reasoning_opaque");
        if message.contains_key("tool_calls") && opaque.is_none_or(|opaque| opaque != OPAQUE) {
            let words = "reasoning_opaque of a call is missing or unknown";
            return Err(refuse::coded(400, "invalid_request_body", words));
        }
    }
    Ok(())
}

/// Calls with the seal of what was thought before.
fn sealed(reply: &mut Reply) {
    let Reply::Answer { steps, .. } = reply else { return };
    for step in steps {
        if let Step::Data(bytes) = step
            && let Ok(text) = std::str::from_utf8(bytes)
            && text.contains("\"tool_calls\":[")
        {
            let with = format!("\"reasoning_text\":\"\",\"reasoning_opaque\":\"{OPAQUE}\",\"tool_calls\":[");
            *bytes = text.replacen("\"tool_calls\":[", &with, 1).into();
            return;
        }
    }
}

/// GitHub seals the ids of items anew in every event: each is another one.
fn sealed_anew(reply: &mut Reply) {
    let Reply::Answer { steps, .. } = reply else { return };
    for (at, step) in steps.iter_mut().enumerate() {
        if let Step::Data(bytes) = step
            && let Ok(text) = std::str::from_utf8(bytes)
            && text.contains("\"output_index\"")
        {
            let ids = ["\"item_id\":\"", "\"id\":\"msg_", "\"id\":\"fc_", "\"id\":\"rs_"];
            *bytes = ids
                .iter()
                .fold(text.to_owned(), |text, mark| text.replace(mark, &format!("{mark}{at}-")))
                .into();
        }
    }
}

/// Adds what the vendor says of the plan.
fn told(reply: Reply, remaining: f64, beyond: bool) -> Reply {
    match reply {
        Reply::Answer { status, mut headers, steps, sized, late } => {
            let mut quota = refuse::quota_headers(remaining.max(0.0));
            if beyond {
                quota[0].1 = quota[0].1.replace("ov=0.0", "ov=1.0");
            }
            headers.extend(quota);
            Reply::Answer { status, headers, steps, sized, late }
        }
        other => other,
    }
}

/// The rules about headers and bodies.
fn check(call: &Call, body: &Value, dialect: Dialect) -> Result<(), Reply> {
    let bad = |words: &str| Err(refuse::plain(400, words));
    let turns = if dialect == Dialect::Responses { &body["input"] } else { &body["messages"] };
    if pictures(turns) && call.header("copilot-vision-request") != Some("true") {
        return bad("bad request: missing required Copilot-Vision-Request header for vision requests");
    }
    let last = turns.as_array().and_then(|turns| turns.last());
    let by_person = last.is_none_or(|last| {
        let results = |blocks: &Vec<Value>| blocks.iter().all(|block| block["type"] == "tool_result");
        last["role"] == "user"
            && !(dialect == Dialect::Messages && last["content"].as_array().is_some_and(results))
    });
    match call.header("x-initiator") {
        // Missing counts as a person's, which is paid for.
        None | Some("user") => {}
        Some("agent") if !by_person => {}
        Some(_) => return bad("bad request: error: invalid initiator"),
    }
    match dialect {
        Dialect::Responses if body.get("service_tier").is_some() => {
            Err(refuse::coded(400, "invalid_request_body", "Unsupported parameter: service_tier"))
        }
        Dialect::Responses if body["store"] != false => {
            Err(refuse::coded(400, "invalid_request_body", "store must be false"))
        }
        Dialect::Responses => responses(body),
        Dialect::Messages => messages(call, body),
        _ => Ok(()),
    }
}

/// Tools are functions, and items those that every server of the dialect knows.
fn responses(body: &Value) -> Result<(), Reply> {
    const ITEMS: [&str; 4] = ["message", "reasoning", "function_call", "function_call_output"];
    let bad = |words: String| Err(refuse::coded(400, "invalid_request_body", &words));
    if body.get("client_metadata").is_some() {
        return bad("Unknown parameter: 'client_metadata'.".to_owned());
    }
    let kinds = |list: &Value, usual: &str, known: &[&str]| {
        let all = list.as_array().into_iter().flatten();
        let mut kinds = all.map(|one| one["type"].as_str().unwrap_or(usual).to_owned());
        kinds.find(|kind| !known.contains(&kind.as_str()))
    };
    if let Some(kind) = kinds(&body["tools"], "", &["function"]) {
        return bad(format!("Invalid value: '{kind}'. Supported values are: 'function'."));
    }
    if let Some(kind) = kinds(&body["input"], "message", &ITEMS) {
        return bad(format!("Invalid value: '{kind}' of an item of `input`."));
    }
    let empty = |item: &Value| item.get("status").is_some_and(Value::is_null);
    if body["input"].as_array().is_some_and(|items| items.iter().any(empty)) {
        return bad("Invalid type for 'input[].status': got null.".to_owned());
    }
    Ok(())
}

fn messages(call: &Call, body: &Value) -> Result<(), Reply> {
    let bad = |words: String| Err(refuse::coded(400, "invalid_request_body", &words));
    if call.header("anthropic-version").is_none() {
        return bad("anthropic-version: header is required".to_owned());
    }
    let unknown =
        body.as_object().and_then(|body| body.keys().find(|name| !MESSAGES.contains(&name.as_str())));
    if let Some(name) = unknown {
        return bad(format!("{name}: Extra inputs are not permitted"));
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    if let Some(kind) = tools.filter_map(|tool| tool["type"].as_str()).find(|kind| *kind != "custom") {
        return bad(format!("tools: `{kind}` is not supported"));
    }
    let mut open = vec![body];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => {
                if value["type"] == "thinking" && value["thinking"] == "" {
                    return bad("each thinking block must contain thinking".to_owned());
                }
                if value["cache_control"].get("scope").is_some() {
                    return bad("cache_control.scope: Extra inputs are not permitted".to_owned());
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    Ok(())
}

fn pictures(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(pictures),
        Value::Object(members) => {
            matches!(value["type"].as_str(), Some("image" | "image_url" | "input_image"))
                || members.values().any(pictures)
        }
        _ => false,
    }
}
