//! Errors of Google's kind, in both directions.

mod details;

use super::fields::{self, Fields};
use crate::{error_words, ir::Failure};
use byok_types::{Blame, Dialect, FailureKind, RawFailure};
use details::{Details, duration_in};
use serde_json::Value;
use std::time::Duration;

/// A wait from which on the limit is a used-up plan and not a short burst.
const LONG_WAIT: Duration = Duration::from_mins(5);

/// Reads an error body. Takes Google's object, the same in a list (as Code Assist streams it), an object as text inside
/// `message`, the shapes of other vendors, plain text and web pages. `status` 0 means that the body alone says it.
pub fn decode_failure(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let found =
        serde_json::from_str(text.trim()).map_or_else(|_| Found::text(&text), |json| Found::json(&json));
    let status = [status, found.code].into_iter().find(|code| (400..600).contains(code));
    let status = status.or_else(|| status_of(&found.status)).unwrap_or(500);
    let message = Some(found.message.clone()).filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| error_words::without_words(status, None));
    let details = Details::read(&found.details);
    let retry_after = details.retry_after.or_else(|| duration_in(&found.message));
    let kind = kind(status, &found, &details, retry_after);
    let code = [details.reason.as_str(), found.status.as_str()].into_iter().find(|code| !code.is_empty());
    let content_type = serde_json::from_slice::<&serde_json::value::RawValue>(body)
        .is_ok()
        .then(|| "application/json".to_owned());
    Failure {
        status,
        param: details.field,
        code: code.map(str::to_owned),
        retry_after,
        raw: Some(RawFailure { dialect: Dialect::Gemini, content_type, body: body.to_vec() }),
        ..Failure::new(kind, blame(kind), message)
    }
}

/// What an error body says, whoever wrote it.
#[derive(Default)]
struct Found {
    message: String,
    /// HTTP status in the body, 0 if there is none.
    code: u16,
    /// Google's word (`RESOURCE_EXHAUSTED`), or the type or code of another vendor.
    status: String,
    details: Vec<Value>,
}

impl Found {
    fn text(text: &str) -> Self {
        let text = text.trim();
        let message = if text.is_empty() {
            String::new()
        } else {
            error_words::of_web_page(text).unwrap_or_else(|| text.chars().take(2000).collect())
        };
        Self { message, ..Self::default() }
    }

    fn json(json: &Value) -> Self {
        let mut found = Self::read(json);
        if let (true, Some(said)) = (found.message.is_empty(), error_words::of_details(&json["detail"])) {
            found.message = said;
        }
        found
    }

    fn read(json: &Value) -> Self {
        let json = match json {
            Value::Array(list) => list.first().unwrap_or(&Value::Null),
            json => json,
        };
        let json = json.get("response").filter(|inner| inner.get("error").is_some()).unwrap_or(json);
        // Gateways list what is wrong.
        let listed = || json.get("errors")?.get(0);
        let error = json.get("error").or_else(listed).unwrap_or(json);
        let mut found = match error {
            Value::String(text) => Self { message: text.clone(), ..Self::default() },
            error => Self {
                message: first_string(error, &["message", "detail", "error_description"]),
                code: error.get("code").and_then(Value::as_u64).and_then(|n| n.try_into().ok()).unwrap_or(0),
                status: first_string(error, &["status", "code", "type"]),
                details: error.get("details").and_then(Value::as_array).cloned().unwrap_or_default(),
            },
        };
        // Relays put one error as text into the message of another.
        if found.message.trim_start().starts_with(['{', '['])
            && let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(&found.message)
        {
            let inner = Self::read(&inner);
            if !inner.message.is_empty() {
                found.message = inner.message;
                found.details.extend(inner.details);
                if !inner.status.is_empty() {
                    found.status = inner.status;
                }
                if found.code == 0 {
                    found.code = inner.code;
                }
            }
        }
        found
    }
}

fn first_string(object: &Value, names: &[&str]) -> String {
    names.iter().find_map(|name| object.get(name)?.as_str()).unwrap_or_default().to_owned()
}

/// The HTTP status of Google's word.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" | "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => 500,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

fn kind(status: u16, found: &Found, details: &Details, retry_after: Option<Duration>) -> FailureKind {
    use FailureKind as Kind;
    let message = found.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let reason = |words: &[&str]| words.contains(&details.reason.as_str());
    let too_long = (message.contains("token")
        && says(&["exceeds the maximum", "exceeds the limit", "too many tokens"]))
        || says(&["prompt is too long", "context length", "context window", "maximum context"])
        || found.status == "context_length_exceeded";
    match status {
        400 | 413 | 422 if too_long => Kind::ContextTooLong,
        400 if reason(&["API_KEY_INVALID", "API_KEY_EXPIRED"])
            || says(&["api key not valid", "api key not found", "api key expired"]) =>
        {
            Kind::Auth
        }
        400 if says(&[
            "prohibited content",
            "content policy",
            "violates our policies",
            "blocked by safety",
        ]) || found.status == "content_policy_violation" =>
        {
            Kind::ContentPolicy
        }
        401 => Kind::Auth,
        402 => Kind::Billing,
        403 if reason(&["BILLING_DISABLED"]) || says(&["billing"]) => Kind::Billing,
        403 => Kind::Permission,
        404 => Kind::NotFound,
        408 | 504 => Kind::Timeout,
        409 => Kind::Conflict,
        413 => Kind::PayloadTooLarge,
        429 | 503 if reason(&["MODEL_CAPACITY_EXHAUSTED", "MODEL_CAPACITY_EXCEEDED"]) => Kind::Overloaded,
        429 if reason(&["INSUFFICIENT_G1_CREDITS_BALANCE"]) || found.status == "insufficient_quota" => {
            Kind::Billing
        }
        429 if reason(&["QUOTA_EXHAUSTED"]) || details.daily || says(&["limit: 0"]) => Kind::QuotaWindow,
        429 if retry_after.is_some_and(|wait| wait > LONG_WAIT) => Kind::QuotaWindow,
        429 => Kind::RateLimit,
        499 => Kind::ClientGone,
        503 | 529 => Kind::Overloaded,
        400..500 => Kind::BadRequest,
        _ => Kind::Server,
    }
}

const fn blame(kind: FailureKind) -> Blame {
    use FailureKind as Kind;
    match kind {
        Kind::BadRequest
        | Kind::ContextTooLong
        | Kind::PayloadTooLarge
        | Kind::NotFound
        | Kind::Conflict
        | Kind::ClientGone
        | Kind::ContentPolicy => Blame::Client,
        Kind::Auth
        | Kind::Credential
        | Kind::Billing
        | Kind::Permission
        | Kind::RateLimit
        | Kind::QuotaWindow
        | Kind::Timeout
        | Kind::Overloaded
        | Kind::Server
        | Kind::UpstreamTruncated => Blame::Upstream,
    }
}

/// Google's word for a failure.
const fn word(failure: &Failure) -> &'static str {
    use FailureKind as Kind;
    match failure.kind {
        Kind::BadRequest | Kind::ContextTooLong | Kind::PayloadTooLarge | Kind::ContentPolicy => {
            "INVALID_ARGUMENT"
        }
        Kind::Auth => "UNAUTHENTICATED",
        Kind::Billing | Kind::RateLimit | Kind::QuotaWindow => "RESOURCE_EXHAUSTED",
        Kind::Permission => "PERMISSION_DENIED",
        Kind::NotFound => "NOT_FOUND",
        Kind::Conflict => "ABORTED",
        Kind::Timeout => "DEADLINE_EXCEEDED",
        Kind::ClientGone => "CANCELLED",
        Kind::Overloaded | Kind::Credential => "UNAVAILABLE",
        Kind::Server if failure.status == 503 => "UNAVAILABLE",
        Kind::Server | Kind::UpstreamTruncated => "INTERNAL",
    }
}

/// The body of an error: Google's object with the details that its clients decide by. `request_id` may be empty.
pub fn encode_failure(failure: &Failure, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_failure(&mut out, failure, request_id);
    out
}

/// Writes `{"error":{…}}`.
pub(super) fn write_failure(out: &mut Vec<u8>, failure: &Failure, request_id: &str) {
    let mut body = Fields::open(out);
    let mut error = Fields::open(body.key("error"));
    error.value("code", &failure.status);
    error.string("message", &message(failure));
    error.string("status", word(failure));
    let details = details::of(failure, request_id);
    if !details.is_empty() {
        fields::list(error.key("details"), &details, crate::wire::write::value);
    }
    error.close();
    body.close();
}

/// The text for the person. Clients of Gemini compact their history when the message speaks of the maximum of tokens.
fn message(failure: &Failure) -> String {
    let known = failure.message.contains("exceeds the maximum");
    if failure.kind == FailureKind::ContextTooLong && !known {
        format!("The input token count exceeds the maximum number of tokens allowed. {}", failure.message)
    } else {
        failure.message.clone()
    }
}

#[cfg(test)]
mod tests;
