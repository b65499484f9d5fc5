//! Errors, in the many shapes of compatible servers.

mod kind;

pub(crate) use kind::says_nothing;

use super::{
    chunk::Chunk,
    loose::{filled, read},
    object::object,
};
use crate::error_words;
use byok_types::{Blame, Dialect, Failure, FailureKind, RawFailure};
use serde_json::Value;
use std::time::Duration;

/// Longest message that is shown, in characters.
const LONGEST_MESSAGE: usize = 2000;

/// Status of an error in an answer that began with 200 and does not name one itself.
const UNKNOWN_STATUS: u16 = 502;

/// What an error body says.
#[derive(Debug, Default)]
struct Found {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    status: Option<u16>,
    /// Whether the vendor's moderation gives reasons (OpenRouter).
    moderated: bool,
    /// Waiting time stated in the body, in seconds.
    wait: Option<f64>,
}

/// Reads an error body of this status. Takes the shapes of all vendors, plain text and web pages; keeps the bytes.
pub fn decode_failure(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let mut failure = from_text(Some(status), text.trim());
    failure.raw = Some(RawFailure { dialect: Dialect::Chat, content_type: None, body: body.to_vec() });
    failure
}

/// An error in the place of an answer, after the server said 200.
pub(super) fn in_answer(text: &str) -> Failure {
    from_text(None, text)
}

/// A body without choices that is not recognised as an error either.
pub(super) fn without_answer(text: &str) -> Failure {
    let failure = from_text(None, text);
    if failure.code.is_some() {
        return failure;
    }
    let message = "the upstream answered without `choices`; check that its base URL is that of a Chat API.";
    Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(UNKNOWN_STATUS)
}

/// How `DashScope` ends an answer whose text is an error.
pub(crate) const ERROR_FINISH: &str = "error_finish";

/// A `finish_reason` that says that the server failed.
pub(super) fn in_the_middle(overloaded: bool, word: Option<&str>, said: Option<&str>) -> Failure {
    if let Some(said) = said.filter(|_| word.is_some_and(|word| word.eq_ignore_ascii_case(ERROR_FINISH))) {
        return throttled(in_answer(said.trim()));
    }
    let kind = if overloaded { FailureKind::Overloaded } else { FailureKind::Server };
    let message = said.unwrap_or("the upstream failed in the middle of the answer; try again.");
    let mut failure = Failure::new(kind, Blame::Upstream, message);
    failure.code = word.map(str::to_owned);
    failure
}

/// An error that `DashScope` tells as text, or as JSON in the text: nearly always a limit, which often only its words say.
fn throttled(mut failure: Failure) -> Failure {
    let code = failure.code.as_deref().unwrap_or_default();
    let says = |text: &str| text.to_ascii_lowercase().contains("throttl");
    if failure.kind == FailureKind::Server && (says(code) || says(&failure.message)) {
        failure.kind = FailureKind::RateLimit;
        failure.status = FailureKind::RateLimit.default_status();
    }
    failure.code.get_or_insert_with(|| ERROR_FINISH.to_owned());
    failure
}

/// The error that a chunk tells of, if it does.
pub(super) fn instead_of_answer(chunk: &Chunk<'_>, text: &str) -> Option<Failure> {
    let said = chunk.error.is_some_and(|error| !matches!(error.get(), "{}" | "\"\"" | "false"));
    let typed = || {
        let kind = filled(chunk.r#type);
        matches!(kind.as_deref(), Some("error" | "response.error" | "response.failed"))
    };
    let object = || filled(chunk.object).as_deref() == Some("error");
    let bare = || {
        chunk.choices.is_none()
            && ((chunk.code.is_some() && (chunk.message.is_some() || chunk.msg.is_some()))
                || chunk.detail.is_some())
    };
    let minimax = || {
        let value = read::<Value>(chunk.base_resp);
        value.and_then(|value| value["status_code"].as_i64()).is_some_and(|code| code != 0)
    };
    (said || typed() || object() || bare() || minimax()).then(|| in_answer(text))
}

fn from_text(status: Option<u16>, text: &str) -> Failure {
    let found = match serde_json::from_str::<Value>(text) {
        Ok(value) => find(&value),
        Err(_) => Found { message: words(text), ..Found::default() },
    };
    let status = status.filter(|status| *status >= 300).or(found.status);
    let kind = kind::of(status, &found);
    let status = status.unwrap_or(match kind {
        FailureKind::Server => UNKNOWN_STATUS,
        kind => kind.default_status(),
    });
    let code = found.code.as_deref().or(found.kind.as_deref());
    let message = found
        .message
        .as_deref()
        .map_or_else(|| error_words::without_words(status, code), |said| shortened(said, LONGEST_MESSAGE));
    let mut failure = Failure::new(kind, kind::blame(kind), message).with_status(status);
    failure.param = found.param;
    failure.retry_after = wait(found.wait, &failure.message);
    failure.code = found.code.or(found.kind);
    failure
}

/// The words of a body that is not JSON. Of a web page only the title is worth showing.
fn words(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    Some(error_words::of_web_page(text).unwrap_or_else(|| text.to_owned()))
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Finds what an error says, in any of the known shapes.
fn find(root: &Value) -> Found {
    let root = root.as_array().and_then(|list| list.first()).unwrap_or(root);
    let nested = [&root["error"], &root["response"]["error"], &root["errors"][0]];
    let error = nested.into_iter().find(|error| error.is_object() || error.is_string());
    let inner = match error {
        Some(inner @ Value::Object(_)) => inner,
        _ => root,
    };
    let mut found = Found {
        message: error.and_then(Value::as_str).map(str::to_owned).or_else(|| message(inner)),
        kind: string(&inner["type"]).or_else(|| string(&inner["status"])),
        code: string(&inner["code"]).or_else(|| string(&root["code"])),
        param: string(&inner["param"]),
        ..Found::default()
    };
    found.kind = found.kind.filter(|kind| kind != "error" && kind.parse::<u16>().is_err());
    let stated = [&inner["status"], &inner["code"], &root["status"], &root["status_code"]];
    found.status = stated.into_iter().find_map(|value| {
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
        u16::try_from(number).ok().filter(|status| (400..600).contains(status))
    });
    let metadata = &inner["metadata"];
    found.moderated = metadata["reasons"].is_array();
    if let Some(raw) = metadata["raw"].as_str() {
        let provider = serde_json::from_str::<Value>(raw).ok().and_then(|raw| find(&raw).message);
        let detail = provider.as_deref().unwrap_or(raw);
        found.message =
            Some(found.message.map_or_else(|| detail.to_owned(), |said| format!("{said}: {detail}")));
    }
    let base = &root["base_resp"];
    if base.is_object() && found.message.is_none() {
        found.message = string(&base["status_msg"]);
        // Not a bare number: another vendor's codes have four digits too and mean something else.
        found.code = string(&base["status_code"]).map(|code| format!("base_resp.{code}"));
    }
    let waits = [&inner["retry_after"], &inner["resets_in_seconds"], &metadata["retry_after_seconds"]];
    found.wait = waits.into_iter().find_map(Value::as_f64);
    found
}

fn message(object: &Value) -> Option<String> {
    let direct =
        ["message", "msg", "error_description", "detail"].into_iter().find_map(|name| string(&object[name]));
    direct.or_else(|| error_words::of_details(&object["detail"]))
}

/// A string or a number, as text.
fn string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The waiting time: stated as a number, or in words ("try again in 1.3s").
fn wait(stated: Option<f64>, message: &str) -> Option<Duration> {
    let in_words = || {
        let lower = message.to_ascii_lowercase();
        let rest = &lower[lower.find("try again in ")? + "try again in ".len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit = rest[end..].trim_start();
        Some(match unit {
            unit if unit.starts_with("ms") => number / 1000.0,
            unit if unit.starts_with('m') => number * 60.0,
            unit if unit.starts_with('h') => number * 3600.0,
            _ => number,
        })
    };
    Duration::try_from_secs_f64(stated.or_else(in_words)?).ok().filter(|wait| wait.as_secs() < 1 << 31)
}

/// Writes an error body: `{"error":{"message","type","param","code"}}`.
pub fn encode_failure(failure: &Failure, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    object(&mut out, |body| {
        write_error(failure, body.member("error"));
        if !request_id.is_empty() {
            body.text("request_id", request_id);
        }
    });
    out
}

/// Writes the inner error object, which is the same in a stream.
pub(super) fn write_error(failure: &Failure, out: &mut Vec<u8>) {
    let (kind, code) = kind::words(failure);
    object(out, |error| {
        error.text("message", &failure.message);
        error.text("type", kind);
        error.value("param", &failure.param);
        error.value("code", &code);
    });
}

#[cfg(test)]
mod tests;
