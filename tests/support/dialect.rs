//! The four dialects as their clients speak them: strict readers that refuse every answer that some client would trip over.

pub mod chat;
pub mod gemini;
pub mod messages;
pub mod responses;

use super::{
    ask::{Ask, Fault, Said},
    client::{Answer, Call},
};
use byok_types::Dialect;
use serde_json::Value;

/// The request of a client.
pub fn call(dialect: Dialect, ask: &Ask) -> Call {
    let (target, body) = match dialect {
        Dialect::Chat => ("/v1/chat/completions".to_owned(), chat::body(ask)),
        Dialect::Responses => ("/v1/responses".to_owned(), responses::body(ask)),
        Dialect::Messages => ("/v1/messages".to_owned(), messages::body(ask)),
        Dialect::Gemini => (gemini::target(ask), gemini::body(ask)),
    };
    let call = Call::post(target, body.to_string());
    if dialect == Dialect::Messages { call.header("anthropic-version", "2023-06-01") } else { call }
}

/// Reads a good answer: status, headers and body must be what the clients of the dialect expect.
pub fn read(dialect: Dialect, stream: bool, answer: &Answer) -> Result<Said, String> {
    if answer.status != 200 {
        return Err(format!("status {}: {}", answer.status, answer.text()));
    }
    if !answer.complete {
        return Err(format!("the body broke off: {}", answer.text()));
    }
    let kind = answer.header("content-type");
    let wanted = if stream { "text/event-stream" } else { "application/json" };
    if !kind.starts_with(wanted) {
        return Err(format!("content type {kind} instead of {wanted}"));
    }
    let of_anthropic = Some("request-id").filter(|_| dialect == Dialect::Messages);
    for name in ["x-request-id", "x-byok-model", "x-byok-attempts"].into_iter().chain(of_anthropic) {
        if answer.header(name).is_empty() {
            return Err(format!("the header {name} is missing"));
        }
    }
    if let Some(name) = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-")) {
        return Err(format!("a CORS header that nobody asked for: {name}"));
    }
    if stream { read_stream(dialect, &answer.body) } else { read_whole(dialect, &answer.body) }
}

/// Reads the bytes of a stream.
pub fn read_stream(dialect: Dialect, bytes: &[u8]) -> Result<Said, String> {
    match dialect {
        Dialect::Chat => chat::stream(bytes),
        Dialect::Responses => responses::stream(bytes),
        Dialect::Messages => messages::stream(bytes),
        Dialect::Gemini => gemini::stream(bytes),
    }
    .map_err(|error| format!("{error}\n{}", String::from_utf8_lossy(bytes)))
}

/// Reads the bytes of a whole answer.
pub fn read_whole(dialect: Dialect, bytes: &[u8]) -> Result<Said, String> {
    let read = |body: &Value| match dialect {
        Dialect::Chat => chat::whole(body),
        Dialect::Responses => responses::whole(body),
        Dialect::Messages => messages::whole(body),
        Dialect::Gemini => gemini::whole(body),
    };
    serde_json::from_slice(bytes)
        .map_err(|error| error.to_string())
        .and_then(|body| read(&body))
        .map_err(|error| format!("{error}\n{}", String::from_utf8_lossy(bytes)))
}

/// Reads the body of a refusal.
pub fn fault(dialect: Dialect, body: &[u8]) -> Result<Fault, String> {
    let json: Value = serde_json::from_slice(body)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(body)))?;
    let read = match dialect {
        Dialect::Chat | Dialect::Responses => chat::fault(&json["error"]),
        Dialect::Messages => messages::fault(&json),
        Dialect::Gemini => gemini::fault(&json),
    };
    read.map_err(|error| format!("{error}: {json}"))
}
