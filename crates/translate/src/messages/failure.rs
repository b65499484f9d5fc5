//! Errors, as bodies and as frames.

use super::object::Object;
use crate::error_words;
use byok_types::{
    Blame, CLAIM_NOT_ACCEPTED, CREDENTIAL_REFUSED, Dialect, Failure, FailureKind, RawFailure,
    THREAD_UNSUPPORTED,
};
use serde_json::Value;

/// What an error body says, in any of the shapes that are met behind this dialect.
#[derive(Default)]
struct Said {
    kind: String,
    code: Option<String>,
    message: String,
    param: Option<String>,
}

/// Reads an error: the vendor's own shape, those of other vendors, plain text, HTML of a gateway.
pub fn decode_failure(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let said = serde_json::from_str::<Value>(&text).ok().and_then(|value| said(&value));
    let said = said.unwrap_or_else(|| Said { message: plain(&text), ..Said::default() });
    let said = if matches!(said.message.as_str(), "{}" | "[]" | "null") { Said::default() } else { said };
    let mut failure = failure(status, said);
    failure.raw = Some(RawFailure { dialect: Dialect::Messages, content_type: None, body: body.to_vec() });
    failure
}

/// Reads the error object of a stream's `error` event or of an answer that failed with a good status.
pub(super) fn decode_event(json: &str) -> Failure {
    let said = serde_json::from_str::<Value>(json).ok().and_then(|value| said(&value));
    failure(200, said.unwrap_or_default())
}

fn failure(status: u16, said: Said) -> Failure {
    let kind = classify(status, &said);
    let message =
        if said.message.is_empty() { error_words::without_words(status, None) } else { said.message };
    let mut failure = Failure::new(kind, blame(kind, &message), message);
    if status >= 400 {
        failure.status = status;
    }
    failure.param = said.param;
    failure.code = said.code.or(Some(said.kind)).filter(|code| !code.is_empty());
    failure
}

fn said(value: &Value) -> Option<Said> {
    if let Value::Array(list) = value {
        return said(list.first()?);
    }
    // Gateways list what is wrong.
    if let Some(first) = value.get("errors").and_then(|list| list.get(0)) {
        return said(first);
    }
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    match value.get("error") {
        Some(error @ Value::Object(_)) => Some(Said {
            kind: text(error, "type").or_else(|| text(error, "status")).unwrap_or_default(),
            code: error
                .get("details")
                .and_then(|details| text(details, "error_code"))
                .or_else(|| text(error, "code")),
            message: text(error, "message").unwrap_or_default(),
            param: text(error, "param"),
        }),
        Some(Value::String(code)) => Some(Said {
            kind: code.clone(),
            message: text(value, "error_description")
                .or_else(|| text(value, "message"))
                .unwrap_or_else(|| code.clone()),
            ..Said::default()
        }),
        _ => {
            let details = || error_words::of_details(value.get("detail")?);
            let message = text(value, "message").or_else(|| text(value, "detail")).or_else(details)?;
            Some(Said { kind: text(value, "type").unwrap_or_default(), message, ..Said::default() })
        }
    }
}

/// Text of a body that is not JSON. A page of a gateway is named as such and not quoted.
fn plain(text: &str) -> String {
    let text = text.trim();
    error_words::of_web_page(text).unwrap_or_else(|| text.chars().take(2000).collect())
}

fn classify(status: u16, said: &Said) -> FailureKind {
    let message = said.message.to_ascii_lowercase();
    let has = |pieces: &[&str]| pieces.iter().any(|piece| message.contains(piece));
    let code = said.code.as_deref().unwrap_or_default();
    if code == "context_length_exceeded" || has(&CONTEXT_TEXTS) {
        return FailureKind::ContextTooLong;
    }
    if BILLING_CODES.contains(&code) || has(&BILLING_TEXTS) {
        return FailureKind::Billing;
    }
    if code == "content_policy_violation" || has(&["content filtering policy"]) {
        return FailureKind::ContentPolicy;
    }
    if code == "usage_limit_reached" || said.kind == "usage_limit_reached" {
        return FailureKind::QuotaWindow;
    }
    if code == "organization_on_hold"
        || has(&["organization has been disabled", "oauth token has been revoked"])
    {
        return FailureKind::Permission;
    }
    by_type(&said.kind).unwrap_or_else(|| by_status(status))
}

/// How vendors say that the prompt is too long.
const CONTEXT_TEXTS: [&str; 5] = [
    "prompt is too long",
    "exceed context limit",
    "maximum context length",
    "exceeds the context window",
    "input token count",
];

/// The account has no money for this, or the plan does not cover it.
const BILLING_TEXTS: [&str; 6] = [
    "credit balance is too low",
    "draw from your extra usage",
    "out of extra usage",
    "extra usage is required",
    "usage credits are required",
    "insufficient balance",
];

const BILLING_CODES: [&str; 6] = [
    "enforced_spend_limit_reached",
    "ramp_limit_exceeded",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
    "extra_usage_out_of_credits",
    "insufficient_quota",
];

fn by_type(kind: &str) -> Option<FailureKind> {
    Some(match kind {
        "invalid_request_error" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" => FailureKind::BadRequest,
        "authentication_error" | "UNAUTHENTICATED" => FailureKind::Auth,
        "billing_error" => FailureKind::Billing,
        "permission_error" | "PERMISSION_DENIED" => FailureKind::Permission,
        "not_found_error" | "NOT_FOUND" => FailureKind::NotFound,
        "conflict_error" => FailureKind::Conflict,
        "request_too_large" => FailureKind::PayloadTooLarge,
        "rate_limit_error" | "RESOURCE_EXHAUSTED" => FailureKind::RateLimit,
        "timeout_error" | "DEADLINE_EXCEEDED" => FailureKind::Timeout,
        "overloaded_error" | "UNAVAILABLE" => FailureKind::Overloaded,
        "api_error" | "server_error" | "INTERNAL" => FailureKind::Server,
        _ => return None,
    })
}

fn by_status(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Auth,
        402 => FailureKind::Billing,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        409 => FailureKind::Conflict,
        413 => FailureKind::PayloadTooLarge,
        429 => FailureKind::RateLimit,
        499 => FailureKind::ClientGone,
        503 | 529 => FailureKind::Overloaded,
        400..=428 | 430..=498 => FailureKind::BadRequest,
        _ => FailureKind::Server,
    }
}

/// Refusals that concern one request (a long context or a fast mode that the plan does not cover, another program than the
/// plan is meant for) are no fault of the account: it must not be put aside for them.
fn blame(kind: FailureKind, message: &str) -> Blame {
    let message = message.to_ascii_lowercase();
    let one_request = ["draw from your extra usage", "extra usage is required", "usage credits are required"];
    match kind {
        FailureKind::BadRequest
        | FailureKind::ContextTooLong
        | FailureKind::PayloadTooLarge
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::ClientGone
        | FailureKind::ContentPolicy => Blame::Client,
        FailureKind::Billing if one_request.iter().any(|text| message.contains(text)) => Blame::Client,
        FailureKind::Billing
        | FailureKind::Auth
        | FailureKind::Credential
        | FailureKind::Permission
        | FailureKind::RateLimit
        | FailureKind::QuotaWindow
        | FailureKind::Timeout
        | FailureKind::Overloaded
        | FailureKind::Server
        | FailureKind::UpstreamTruncated => Blame::Upstream,
    }
}

/// The body of an error.
pub fn encode_failure(failure: &Failure, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, failure, Some(request_id));
    out
}

/// Writes the error object; frames of a stream have no request id.
pub(super) fn write(out: &mut Vec<u8>, failure: &Failure, request_id: Option<&str>) {
    let mut object = Object::typed(out, "error");
    let mut error = Object::typed(object.key("error"), type_name(failure.kind));
    error.string("message", &message(failure));
    let stated = match failure.code.as_deref() {
        _ if failure.kind == FailureKind::Credential => Some(CREDENTIAL_REFUSED),
        Some(code @ (CLAIM_NOT_ACCEPTED | THREAD_UNSUPPORTED)) => Some(code),
        _ => None,
    };
    if let Some(code) = stated {
        let mut details = Object::new(error.key("details"));
        details.string("error_code", code);
        details.end();
    }
    error.end();
    object.some("request_id", request_id.as_ref());
    object.end();
}

fn type_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::BadRequest | FailureKind::ContextTooLong | FailureKind::ContentPolicy => {
            "invalid_request_error"
        }
        FailureKind::PayloadTooLarge => "request_too_large",
        FailureKind::Auth => "authentication_error",
        FailureKind::Billing => "billing_error",
        FailureKind::Permission => "permission_error",
        FailureKind::NotFound => "not_found_error",
        FailureKind::Conflict => "conflict_error",
        FailureKind::RateLimit | FailureKind::QuotaWindow => "rate_limit_error",
        FailureKind::Timeout => "timeout_error",
        FailureKind::Overloaded => "overloaded_error",
        FailureKind::Server
        | FailureKind::Credential
        | FailureKind::UpstreamTruncated
        | FailureKind::ClientGone => "api_error",
    }
}

/// The text for the client. Claude Code compacts the conversation when the text begins with `prompt is too long`; the
/// dialect has no member for the field at fault, so it is named in the text.
fn message(failure: &Failure) -> String {
    let text = &failure.message;
    if failure.kind == FailureKind::ContextTooLong {
        return match text.to_ascii_lowercase().find("prompt is too long") {
            Some(0) => text.clone(),
            Some(at) => text[at..].to_owned(),
            None => format!("prompt is too long: {text}"),
        };
    }
    match &failure.param {
        Some(param) if !text.contains(param.as_str()) => format!("{param}: {text}"),
        _ => text.clone(),
    }
}
