//! What Kiro's errors say: `{"message", "reason"}`, with the exception's name in `__type` or in a header.

use byok_types::{Blame, Failure, FailureKind};
use serde::Deserialize;

/// Codes by which byok tells refusals apart. Those in capitals are the vendor's own reasons.
pub mod code {
    /// The access token is not accepted.
    pub const INVALID_BEARER: &str = "invalid_bearer_token";
    /// The account is locked.
    pub const SUSPENDED: &str = "TEMPORARILY_SUSPENDED";
    /// The account is slowed down while the vendor looks at it.
    pub const WATCHED: &str = "suspicious_activity";
    /// The model has no room, for anybody.
    pub const NO_CAPACITY: &str = "INSUFFICIENT_MODEL_CAPACITY";
    /// The credits of the month are used up.
    pub const MONTH: &str = "MONTHLY_REQUEST_COUNT";
    /// The credits beyond the plan are used up.
    pub const OVERAGE: &str = "OVERAGE_REQUEST_LIMIT_EXCEEDED";
    /// The model is unknown, or not in the plan.
    pub const MODEL: &str = "INVALID_MODEL_ID";
    /// The request names no profile.
    pub const PROFILE: &str = "profile_required";
    /// The prompt is too long.
    pub const TOO_LONG: &str = "CONTENT_LENGTH_EXCEEDS_THRESHOLD";
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default, alias = "Message")]
    message: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default, rename = "__type")]
    kind: Option<String>,
}

/// The name of an exception without name space and ending, on which generations of the clients disagree.
fn stem(name: &str) -> &str {
    let name = name.rsplit('#').next().unwrap_or(name);
    let name = name.split(':').next().unwrap_or(name);
    name.strip_suffix("Exception").or_else(|| name.strip_suffix("Error")).unwrap_or(name)
}

/// The status that an exception in the middle of a stream would have had.
pub(super) fn status_of(exception: &str) -> u16 {
    match stem(exception) {
        "Throttling" => 429,
        "Validation" | "ContentLengthExceeded" => 400,
        "AccessDenied" | "AccountSuspended" => 403,
        "ServiceQuotaExceeded" => 402,
        "ServiceUnavailable" => 503,
        "ResourceNotFound" => 404,
        "Conflict" => 409,
        _ => 500,
    }
}

/// Reads a refusal. `exception` is its name, where a header or a frame says it.
pub fn failure(status: u16, exception: Option<&str>, body: &[u8]) -> Failure {
    let read: Body = serde_json::from_slice(body).unwrap_or_default();
    let said = read.message.unwrap_or_default();
    let name = exception.or(read.kind.as_deref()).map(stem).unwrap_or_default();
    let reason = read.reason.unwrap_or_default();
    let (kind, code) = classify(status, name, &reason, &said);
    let message = match (kind, said.is_empty()) {
        // Words that clients know, followed by the vendor's.
        (FailureKind::ContextTooLong, _) => {
            format!("prompt is too long: {}", if said.is_empty() { &reason } else { &said })
        }
        (_, true) if code == Some(code::SUSPENDED) => "AWS has locked this account.".to_owned(),
        (_, true) if reason.is_empty() => {
            format!("Kiro answered with status {status} and no message. Try again later.")
        }
        (_, true) => reason.clone(),
        (_, false) => said,
    };
    let blame = match kind {
        FailureKind::BadRequest | FailureKind::ContextTooLong | FailureKind::NotFound => Blame::Client,
        _ => Blame::Upstream,
    };
    let code = code.map_or(reason.as_str(), |code| code);
    let failure = Failure::new(kind, blame, message).with_status(if status < 400 {
        kind.default_status()
    } else {
        status
    });
    if code.is_empty() { failure } else { failure.with_code(code) }
}

/// Kind and code, in the order in which the official client looks: length, capacity, rate, month.
fn classify(status: u16, name: &str, reason: &str, said: &str) -> (FailureKind, Option<&'static str>) {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let because = |reasons: &[&str]| reasons.contains(&reason);
    if says(&["Input is too long"]) || because(&[code::TOO_LONG, "PROMPT_TOO_LONG"]) {
        return (FailureKind::ContextTooLong, Some(code::TOO_LONG));
    }
    if says(&["experiencing high traffic", "unexpectedly high load"])
        || because(&[code::NO_CAPACITY, "MODEL_TEMPORARILY_UNAVAILABLE"])
    {
        return (FailureKind::Overloaded, Some(code::NO_CAPACITY));
    }
    if status == 423
        || name == "AccountSuspended"
        || because(&[code::SUSPENDED])
        || says(&["temporarily is suspended"])
    {
        return (FailureKind::Permission, Some(code::SUSPENDED));
    }
    if because(&[code::OVERAGE]) {
        return (FailureKind::QuotaWindow, Some(code::OVERAGE));
    }
    // The conversation's own limit: no other account helps.
    if because(&["CONVERSATION_LIMIT_EXCEEDED"]) {
        return (FailureKind::BadRequest, None);
    }
    if status == 402 || because(&[code::MONTH]) {
        return (FailureKind::QuotaWindow, Some(code::MONTH));
    }
    if says(&["suspicious activity"]) {
        return (FailureKind::RateLimit, Some(code::WATCHED));
    }
    if status == 401 || status == 403 && says(&["bearer token"]) {
        return (FailureKind::Auth, Some(code::INVALID_BEARER));
    }
    if because(&[code::MODEL]) || status == 400 && says(&["Invalid model"]) {
        return (FailureKind::NotFound, Some(code::MODEL));
    }
    if says(&["profileArn is required"]) {
        return (FailureKind::BadRequest, Some(code::PROFILE));
    }
    let kind = match status {
        404 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        413 => FailureKind::PayloadTooLarge,
        429 => FailureKind::RateLimit,
        403 => FailureKind::Permission,
        400..=499 => FailureKind::BadRequest,
        503 => FailureKind::Overloaded,
        504 => FailureKind::Timeout,
        _ => FailureKind::Server,
    };
    (kind, None)
}
