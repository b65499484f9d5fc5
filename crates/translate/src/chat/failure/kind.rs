//! What an error means, and the words for it.

use super::Found;
use byok_types::{Blame, CREDENTIAL_REFUSED, Dialect, Failure, FailureKind};

/// Phrases by which servers say that the prompt is too long for the model.
const TOO_LONG: [&str; 9] = [
    "context_length_exceeded",
    "maximum_context_length",
    "maximum context length",
    "prompt is too long",
    "input is too long",
    "exceeds the context window",
    "exceed context window",
    "context window exceeded",
    "exceeds the available context size",
];

/// Phrases by which servers say that there is no money left.
const NO_MONEY: [&str; 5] = [
    "insufficient balance",
    "insufficient_balance",
    "exceeded your current quota",
    "credit balance is too low",
    "insufficient credits",
];

/// The kind of an error, by status, type, code and, last, the words.
pub(super) fn of(status: Option<u16>, found: &Found) -> FailureKind {
    let code = found.code.as_deref().unwrap_or_default().to_ascii_lowercase();
    let kind = found.kind.as_deref().unwrap_or_default().to_ascii_lowercase();
    let message = found.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    let any = |words: &[&str]| words.contains(&code.as_str()) || words.contains(&kind.as_str());
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase) || code == *phrase);

    // The request's own faults come first: some servers give them any status.
    if says(&TOO_LONG) && status != Some(429) {
        return FailureKind::ContextTooLong;
    }
    let policy = ["content_policy_violation", "content_filter", "cyber_policy", "data_inspection_failed"];
    if any(&policy) || found.moderated {
        return FailureKind::ContentPolicy;
    }
    if let Some(kind) = business_code(&code) {
        return kind;
    }
    if status == Some(401) || any(&["invalid_api_key", "authentication_error", "unauthenticated"]) {
        return FailureKind::Auth;
    }
    if any(&["usage_limit_reached"]) || message.contains("usage limit reached") {
        return FailureKind::QuotaWindow;
    }
    let quota = ["insufficient_quota", "billing_hard_limit_reached", "billing_error", "billing_not_active"];
    if status == Some(402) || any(&quota) || says(&NO_MONEY) {
        return FailureKind::Billing;
    }
    if any(&[
        "server_is_overloaded",
        "slow_down",
        "overloaded_error",
        "engine_overloaded_error",
        "unavailable",
    ]) {
        return FailureKind::Overloaded;
    }
    if any(&["model_not_found", "not_found_error"]) {
        return FailureKind::NotFound;
    }
    match status {
        Some(status) => by_status(status),
        None => by_type(&kind),
    }
}

/// Codes of Z.ai, which answers 429 to nearly everything. They are strings of four digits.
fn business_code(code: &str) -> Option<FailureKind> {
    Some(match code.parse::<u16>().ok().filter(|_| code.len() == 4)? {
        1000..=1004 => FailureKind::Auth,
        1110..=1112 | 1120 | 1121 | 1220..=1222 | 1309 | 1311 | 1313..=1315 => FailureKind::Permission,
        1113 => FailureKind::Billing,
        1211 => FailureKind::NotFound,
        1210 | 1212..=1215 => FailureKind::BadRequest,
        1230 | 1234 => FailureKind::Server,
        1261 => FailureKind::ContextTooLong,
        1301 => FailureKind::ContentPolicy,
        1302 | 1303 => FailureKind::RateLimit,
        1305 => FailureKind::Overloaded,
        1304 | 1308 | 1310 | 1316..=1321 => FailureKind::QuotaWindow,
        _ => return None,
    })
}

fn by_status(status: u16) -> FailureKind {
    match status {
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        409 => FailureKind::Conflict,
        413 => FailureKind::PayloadTooLarge,
        429 => FailureKind::RateLimit,
        499 => FailureKind::ClientGone,
        503 | 529 => FailureKind::Overloaded,
        400..=498 => FailureKind::BadRequest,
        _ => FailureKind::Server,
    }
}

fn by_type(kind: &str) -> FailureKind {
    match kind {
        "invalid_request_error" | "bad_request" | "invalid_argument" => FailureKind::BadRequest,
        "permission_error" | "permission_denied" => FailureKind::Permission,
        "rate_limit_error" | "rate_limit_exceeded" | "resource_exhausted" => FailureKind::RateLimit,
        "timeout" | "timeout_error" | "deadline_exceeded" => FailureKind::Timeout,
        _ => FailureKind::Server,
    }
}

/// Whose fault a kind of error is. The account that a server refuses is byok's, not the caller's.
pub(super) fn blame(kind: FailureKind) -> Blame {
    match kind {
        FailureKind::BadRequest
        | FailureKind::ContextTooLong
        | FailureKind::PayloadTooLarge
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::ClientGone
        | FailureKind::ContentPolicy => Blame::Client,
        FailureKind::Auth
        | FailureKind::Credential
        | FailureKind::Billing
        | FailureKind::Permission
        | FailureKind::RateLimit
        | FailureKind::QuotaWindow
        | FailureKind::Timeout
        | FailureKind::Overloaded
        | FailureKind::Server
        | FailureKind::UpstreamTruncated => Blame::Upstream,
    }
}

/// Whether a code says less than the kind: a type said again, be it Anthropic's, or a bare status.
pub(crate) fn says_nothing(code: &str) -> bool {
    code.ends_with("_error") || code == "request_too_large" || matches!(code.parse(), Ok(100..=599_u16))
}

/// OpenAI's `type` and `code` for a failure. Codes that clients act on are fixed; the vendor's own is shown otherwise.
pub(super) fn words(failure: &Failure) -> (&'static str, Option<&str>) {
    // A code of another vendor's vocabulary would be misread.
    let openai = |dialect| matches!(dialect, Dialect::Chat | Dialect::Responses);
    let known = failure.raw.as_ref().is_none_or(|raw| openai(raw.dialect));
    let own = failure.code.as_deref().filter(|code| known && !says_nothing(code));
    match failure.kind {
        FailureKind::BadRequest => ("invalid_request_error", own),
        FailureKind::ContextTooLong => ("invalid_request_error", Some("context_length_exceeded")),
        FailureKind::PayloadTooLarge => ("invalid_request_error", Some("request_too_large")),
        FailureKind::Auth => ("invalid_request_error", Some("invalid_api_key")),
        FailureKind::Credential => ("server_error", Some(own.unwrap_or(CREDENTIAL_REFUSED))),
        FailureKind::Billing => ("insufficient_quota", Some("insufficient_quota")),
        FailureKind::Permission => ("permission_error", own),
        FailureKind::NotFound => ("invalid_request_error", Some(own.unwrap_or("model_not_found"))),
        FailureKind::Conflict => ("conflict_error", own),
        FailureKind::RateLimit => ("rate_limit_error", Some("rate_limit_exceeded")),
        FailureKind::QuotaWindow => ("usage_limit_reached", Some("insufficient_quota")),
        FailureKind::Timeout => ("timeout", Some("request_timeout")),
        FailureKind::ClientGone => ("server_error", Some("client_closed_request")),
        FailureKind::Overloaded => ("server_error", Some("server_is_overloaded")),
        FailureKind::Server => ("server_error", Some(own.unwrap_or("internal_server_error"))),
        FailureKind::ContentPolicy => ("invalid_request_error", Some("content_policy_violation")),
        FailureKind::UpstreamTruncated => ("server_error", Some("upstream_truncated")),
    }
}
