//! The way of a request, the same for all dialects: credential, checks, then an answer, a count or a list.

mod generation;
mod neighbours;

pub(crate) use generation::{Target, Turn, generate};
pub(crate) use neighbours::{Neighbour, beside};

use crate::{
    anthropic, call::Call, gemini, ids::Ids, models::Maker, openai_chat, refusal::Refusal, responses,
    server::Reply, world::World,
};
use byok_types::Dialect;
use serde_json::Value;

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
        Err(refusal) => refused(&refusal, dialect, ids),
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
        Err(refusal) => refused(&refusal, dialect, ids),
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
    let malformed = |why: &str| {
        let (kind, message) = match dialect {
            Dialect::Messages => {
                ("invalid_request_error", format!("The request body is not valid JSON: {why}"))
            }
            Dialect::Chat | Dialect::Responses => (
                "invalid_request_error",
                format!("We could not parse the JSON body of your request. ({why})"),
            ),
            Dialect::Gemini => ("INVALID_ARGUMENT", format!("Invalid JSON payload received. {why}")),
        };
        Refusal::new(400, kind, message)
    };
    if !call.is_json() {
        return Err(malformed("Content-Type must be application/json"));
    }
    let mut body: Value = serde_json::from_slice(&call.body).map_err(|e| malformed(&e.to_string()))?;
    if dialect == Dialect::Gemini {
        gemini::canonical(&mut body);
    }
    if body.is_object() { Ok(body) } else { Err(malformed("expected an object")) }
}

fn request_id(dialect: Dialect, ids: Ids) -> String {
    match dialect {
        Dialect::Messages => ids.base62("req_01", 0, 22),
        Dialect::Chat | Dialect::Responses | Dialect::Gemini => ids.hex("req_", 0, 32),
    }
}

fn id_header(dialect: Dialect, ids: Ids) -> Vec<(String, String)> {
    let name = match dialect {
        Dialect::Messages => "request-id",
        Dialect::Chat | Dialect::Responses => "x-request-id",
        Dialect::Gemini => return Vec::new(),
    };
    vec![(name.to_owned(), request_id(dialect, ids))]
}

/// Headers of a good answer.
fn headers(world: &World, call: &Call, dialect: Dialect, ids: Ids) -> Vec<(String, String)> {
    let mut headers = id_header(dialect, ids);
    let more = match dialect {
        Dialect::Messages => anthropic::limits(call.key(dialect), world.now()),
        Dialect::Chat | Dialect::Responses => openai_chat::limits(),
        Dialect::Gemini => Vec::new(),
    };
    headers.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    headers
}

/// The refusal as an HTTP answer.
fn refused(refusal: &Refusal, dialect: Dialect, ids: Ids) -> Reply {
    let body = refusal.body(dialect, &request_id(dialect, ids));
    Reply::json(refusal.status, refused_headers(refusal, dialect, ids), &body)
}

fn refused_headers(refusal: &Refusal, dialect: Dialect, ids: Ids) -> Vec<(String, String)> {
    let mut headers = id_header(dialect, ids);
    headers.extend(refusal.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    headers
}
