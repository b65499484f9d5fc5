//! The way of a generation request, the same for all dialects: credential, checks, scenario, answer.

use crate::{
    answer::{self, Answer, Part},
    anthropic,
    asked::Asked,
    bench,
    call::Call,
    gemini,
    ids::Ids,
    models::Maker,
    openai_chat,
    refusal::Refusal,
    responses,
    scenario::{BadScenario, Cause, Script, Trouble},
    server::Reply,
    sse::{self, Frame},
    trouble::{self, Circumstances},
    world::World,
};
use byok_types::Dialect;
use serde_json::Value;

/// What the path says about a generation request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Model, where the path names it.
    pub(crate) model: Option<String>,
    /// Whether to stream, where the path says it.
    pub(crate) stream: Option<bool>,
    /// Whether a stream is one JSON array.
    pub(crate) array: bool,
}

/// A checked request with everything that its answer needs.
pub(crate) struct Turn<'a> {
    pub(crate) world: &'a World,
    pub(crate) asked: &'a Asked,
    pub(crate) answer: &'a Answer,
    pub(crate) ids: Ids,
    pub(crate) key: &'a str,
    /// The request as it was sent.
    pub(crate) body: &'a Value,
}

/// Whose service a dialect belongs to.
pub(crate) const fn maker(dialect: Dialect) -> Maker {
    match dialect {
        Dialect::Messages => Maker::Anthropic,
        Dialect::Chat | Dialect::Responses => Maker::Openai,
        Dialect::Gemini => Maker::Google,
    }
}

/// Whether unknown fields, models and credentials of any form are accepted for this key.
pub(crate) fn lenient(key: &str) -> bool {
    key.contains("lenient")
}

/// Answers a generation request.
pub(crate) fn generate(world: &World, call: &Call, dialect: Dialect, target: &Target) -> Reply {
    if let Some(reply) = bench::reply(world, call, dialect, target) {
        return reply;
    }
    let ids = world.ids.next();
    attempt(world, call, dialect, target, ids).unwrap_or_else(|refusal| {
        let wrapped = target.array && target.stream == Some(true);
        refused(&refusal, dialect, ids, wrapped)
    })
}

/// Counts the tokens of a request.
pub(crate) fn count(world: &World, call: &Call, dialect: Dialect, model: Option<&str>) -> Reply {
    let ids = world.ids.next();
    let counted = || {
        let body = checked_body(world, call, dialect)?;
        match dialect {
            Dialect::Messages => anthropic::count(world, call, &body),
            Dialect::Responses => responses::count(world, call, &body),
            Dialect::Gemini => gemini::count(world, call, &body, model.unwrap_or_default()),
            Dialect::Chat => Err(Refusal::new(404, "invalid_request_error", "Unknown request URL")),
        }
    };
    match counted() {
        Ok(body) => Reply::json(200, headers(world, call, dialect, ids), &body),
        Err(refusal) => refused(&refusal, dialect, ids, false),
    }
}

/// Lists models, or shows one.
pub(crate) fn models(world: &World, call: &Call, dialect: Dialect, id: Option<&str>) -> Reply {
    let ids = world.ids.next();
    let listed = || {
        authorize(world, call, dialect)?;
        match dialect {
            Dialect::Messages => anthropic::models(call, id),
            Dialect::Chat | Dialect::Responses => openai_chat::models(id),
            Dialect::Gemini => gemini::models(call, id),
        }
    };
    match listed() {
        Ok(body) => Reply::json(200, headers(world, call, dialect, ids), &body),
        Err(refusal) => refused(&refusal, dialect, ids, false),
    }
}

fn authorize(world: &World, call: &Call, dialect: Dialect) -> Result<(), Refusal> {
    match dialect {
        Dialect::Messages => anthropic::authorize(world, call),
        Dialect::Chat | Dialect::Responses => openai_chat::authorize(call),
        Dialect::Gemini => gemini::authorize(call),
    }
}

/// The body as JSON, once the credential is good.
fn checked_body(world: &World, call: &Call, dialect: Dialect) -> Result<Value, Refusal> {
    authorize(world, call, dialect)?;
    let malformed = |why: &str| match dialect {
        Dialect::Messages => {
            Refusal::new(400, "invalid_request_error", format!("The request body is not valid JSON: {why}"))
        }
        Dialect::Chat | Dialect::Responses => Refusal::new(
            400,
            "invalid_request_error",
            format!("We could not parse the JSON body of your request. ({why})"),
        ),
        Dialect::Gemini => {
            Refusal::new(400, "INVALID_ARGUMENT", format!("Invalid JSON payload received. {why}"))
        }
    };
    if !call.is_json() {
        return Err(malformed("Content-Type must be application/json"));
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|e| malformed(&e.to_string()))?;
    if body.is_object() { Ok(body) } else { Err(malformed("expected an object")) }
}

fn read(dialect: Dialect, world: &World, body: &Value, target: &Target) -> Asked {
    match dialect {
        Dialect::Messages => anthropic::read(body),
        Dialect::Chat => openai_chat::read(body),
        Dialect::Responses => responses::read(world, body),
        Dialect::Gemini => gemini::read(body, target),
    }
}

fn attempt(
    world: &World,
    call: &Call,
    dialect: Dialect,
    target: &Target,
    ids: Ids,
) -> Result<Reply, Refusal> {
    let body = checked_body(world, call, dialect)?;
    match dialect {
        Dialect::Messages => anthropic::validate(world, call, &body)?,
        Dialect::Chat => openai_chat::validate(call, &body)?,
        Dialect::Responses => responses::validate(world, call, &body)?,
        Dialect::Gemini => gemini::validate(world, call, &body, target)?,
    }
    let asked = read(dialect, world, &body, target);
    let key = call.key(dialect);
    let script = Script::read(key, &asked.text, call.header("x-sim-scenario"))
        .map_err(|bad| bad_scenario(dialect, &bad))?;
    if let Some(cause) = cause(world, dialect, key, &asked, &script) {
        return fail(world, dialect, key, &asked, &script, cause);
    }
    if let Some(reply) = script.trouble.and_then(|trouble| trouble::special(trouble, asked.stream)) {
        return Ok(reply);
    }
    let cached = world.cache.visit(key, &asked.prompt) / 4;
    let answer = answer::compose(&asked, &script, cached as u64);
    let turn = Turn { world, asked: &asked, answer: &answer, ids, key, body: &body };
    let mut headers = headers(world, call, dialect, ids);
    headers.extend(trouble::padding(&script));
    Ok(if asked.stream {
        stream(&turn, dialect, &script, target, headers)
    } else {
        whole(&turn, dialect, &script, headers)
    })
}

fn bad_scenario(dialect: Dialect, bad: &BadScenario) -> Refusal {
    let kind = if dialect == Dialect::Gemini { "INVALID_ARGUMENT" } else { "invalid_request_error" };
    Refusal::new(400, kind, bad.to_string())
}

/// Why this request is refused although it is well formed.
fn cause(
    world: &World,
    dialect: Dialect,
    key: &str,
    asked: &Asked,
    script: &Script,
) -> Option<(Cause, Option<u64>)> {
    let model = crate::models::find(maker(dialect), &asked.model);
    if model.is_some_and(|model| asked.prompt_tokens() > model.context) {
        return Some((Cause::ContextTooLong, None));
    }
    match script.trouble {
        Some(Trouble::Refuse(cause, wait)) => Some((cause, wait)),
        Some(Trouble::Fail { times, cause }) => world.must_fail(key, cause, times).then_some((cause, None)),
        Some(Trouble::FirstEvent | Trouble::MidError(_) | Trouble::BareError(_)) if !asked.stream => {
            Some((Cause::Overloaded, None))
        }
        _ => None,
    }
}

fn circumstances<'a>(world: &World, dialect: Dialect, key: &'a str, asked: &'a Asked) -> Circumstances<'a> {
    Circumstances {
        dialect,
        key,
        model: &asked.model,
        tokens: asked.prompt_tokens(),
        now: world.now(),
        wait: None,
    }
}

fn fail(
    world: &World,
    dialect: Dialect,
    key: &str,
    asked: &Asked,
    script: &Script,
    (cause, wait): (Cause, Option<u64>),
) -> Result<Reply, Refusal> {
    if cause == Cause::BadGateway && script.trouble.is_some() {
        return Ok(Reply::html(502, "<html><head><title>502 Bad Gateway</title></head></html>\n"));
    }
    Err(trouble::refusal(cause, &Circumstances { wait, ..circumstances(world, dialect, key, asked) }))
}

/// The refusal as an HTTP answer. Google wraps it in an array where a stream would have been one.
fn refused(refusal: &Refusal, dialect: Dialect, ids: Ids, wrapped: bool) -> Reply {
    let id = request_id(dialect, ids);
    let body = refusal.body(dialect, &id);
    let mut headers = id_header(dialect, id);
    headers.extend(refusal.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    if wrapped {
        Reply::json(refusal.status, headers, &Value::Array(vec![body]))
    } else {
        Reply::json(refusal.status, headers, &body)
    }
}

fn request_id(dialect: Dialect, ids: Ids) -> String {
    match dialect {
        Dialect::Messages => ids.base62("req_01", 0, 22),
        Dialect::Chat | Dialect::Responses | Dialect::Gemini => ids.hex("req_", 0, 32),
    }
}

fn id_header(dialect: Dialect, id: String) -> Vec<(String, String)> {
    match dialect {
        Dialect::Messages => vec![("request-id".to_owned(), id)],
        Dialect::Chat | Dialect::Responses => vec![("x-request-id".to_owned(), id)],
        Dialect::Gemini => Vec::new(),
    }
}

/// Headers of a good answer.
fn headers(world: &World, call: &Call, dialect: Dialect, ids: Ids) -> Vec<(String, String)> {
    let mut headers = id_header(dialect, request_id(dialect, ids));
    let more = match dialect {
        Dialect::Messages => anthropic::limits(call.key(dialect), world.now()),
        Dialect::Chat | Dialect::Responses => openai_chat::limits(),
        Dialect::Gemini => Vec::new(),
    };
    headers.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    headers
}

fn whole(turn: &Turn<'_>, dialect: Dialect, script: &Script, headers: Vec<(String, String)>) -> Reply {
    let body = match dialect {
        Dialect::Messages => anthropic::whole(turn),
        Dialect::Chat => openai_chat::whole(turn),
        Dialect::Responses => responses::whole(turn),
        Dialect::Gemini => gemini::whole(turn),
    };
    if script.trouble == Some(Trouble::ErrorOk) {
        return error_ok(turn, dialect, headers);
    }
    let text = body.to_string();
    let steps = trouble::break_whole(text.into_bytes(), script.trouble, first_text(turn.answer));
    Reply::whole(headers, dialect, steps, script.wire)
}

fn error_ok(turn: &Turn<'_>, dialect: Dialect, headers: Vec<(String, String)>) -> Reply {
    let refusal = server_error(turn, dialect);
    Reply::json(200, headers, &refusal.body(dialect, &request_id(dialect, turn.ids)))
}

fn server_error(turn: &Turn<'_>, dialect: Dialect) -> Refusal {
    let at = circumstances(turn.world, dialect, turn.key, turn.asked);
    let cause = if dialect == Dialect::Messages { Cause::Overloaded } else { Cause::Unavailable };
    trouble::refusal(cause, &at)
}

fn first_text(answer: &Answer) -> &str {
    let text = |part: &Part| matches!(part, Part::Text { .. });
    answer
        .parts
        .iter()
        .find(|part| text(part))
        .and_then(|part| part.pieces().first())
        .map_or("", String::as_str)
}

fn stream(
    turn: &Turn<'_>,
    dialect: Dialect,
    script: &Script,
    target: &Target,
    headers: Vec<(String, String)>,
) -> Reply {
    if script.trouble == Some(Trouble::ErrorOk) {
        return error_ok(turn, dialect, headers);
    }
    let frames: Vec<Frame> = match dialect {
        Dialect::Messages => anthropic::stream(turn),
        Dialect::Chat => openai_chat::stream(turn),
        Dialect::Responses => responses::stream(turn),
        Dialect::Gemini => gemini::stream(turn, target.array),
    };
    let error = server_error(turn, dialect);
    let document = error.body(dialect, &request_id(dialect, turn.ids));
    let frame = |number: usize| match dialect {
        Dialect::Messages => anthropic::error_frame(&document),
        Dialect::Chat => openai_chat::error_frame(&document),
        Dialect::Responses => responses::error_frame(turn, &error, number),
        Dialect::Gemini => gemini::error_frame(&document, number, target.array),
    };
    let bare = format!("{document:#}\n");
    let items = trouble::broken_items(frames, script.trouble, frame, &bare, first_text(turn.answer));
    let steps = sse::lay_out(items, script, dialect, turn.world.options.pace);
    Reply::stream(headers, dialect, target.array, steps, script.wire)
}
