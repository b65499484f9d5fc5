//! Errors: what each vendor says for each kind, and what each client is told.

use crate::support::{CHAT, GEMINI, MESSAGES, RESPONSES};
use byok_translate::codec;
use byok_types::{Dialect, FailureKind};
use serde_json::{Value, json};

/// A kind of error: its words in OpenAI's dialects (`type`, `code`), in Messages (`type`) and in Gemini (`status`), with the
/// status of HTTP, and what a client is told where that is another.
struct Kind {
    means: FailureKind,
    status: u16,
    openai: (&'static str, Option<&'static str>),
    messages: &'static str,
    gemini: &'static str,
}

const fn kind(
    means: FailureKind,
    status: u16,
    openai: (&'static str, Option<&'static str>),
    messages: &'static str,
    gemini: &'static str,
) -> Kind {
    Kind { means, status, openai, messages, gemini }
}

const KINDS: &[Kind] = &[
    kind(
        FailureKind::BadRequest,
        400,
        ("invalid_request_error", None),
        "invalid_request_error",
        "INVALID_ARGUMENT",
    ),
    kind(
        FailureKind::PayloadTooLarge,
        413,
        ("invalid_request_error", Some("request_too_large")),
        "request_too_large",
        "INVALID_ARGUMENT",
    ),
    kind(
        FailureKind::Auth,
        401,
        ("invalid_request_error", Some("invalid_api_key")),
        "authentication_error",
        "UNAUTHENTICATED",
    ),
    kind(
        FailureKind::Billing,
        402,
        ("insufficient_quota", Some("insufficient_quota")),
        "billing_error",
        "RESOURCE_EXHAUSTED",
    ),
    kind(FailureKind::Permission, 403, ("permission_error", None), "permission_error", "PERMISSION_DENIED"),
    kind(
        FailureKind::NotFound,
        404,
        ("invalid_request_error", Some("model_not_found")),
        "not_found_error",
        "NOT_FOUND",
    ),
    kind(FailureKind::Conflict, 409, ("conflict_error", None), "conflict_error", "ABORTED"),
    kind(
        FailureKind::RateLimit,
        429,
        ("rate_limit_error", Some("rate_limit_exceeded")),
        "rate_limit_error",
        "RESOURCE_EXHAUSTED",
    ),
    kind(
        FailureKind::Timeout,
        504,
        ("timeout", Some("request_timeout")),
        "timeout_error",
        "DEADLINE_EXCEEDED",
    ),
    kind(
        FailureKind::Overloaded,
        503,
        ("server_error", Some("server_is_overloaded")),
        "overloaded_error",
        "UNAVAILABLE",
    ),
    kind(FailureKind::Server, 500, ("server_error", Some("internal_server_error")), "api_error", "INTERNAL"),
];

/// The vendor's body.
fn body(dialect: Dialect, kind: &Kind) -> Value {
    match dialect {
        CHAT | RESPONSES => {
            json!({"error": {"message": "words of the vendor", "type": kind.openai.0, "param": null, "code": kind.openai.1}})
        }
        MESSAGES => {
            json!({"type": "error", "error": {"type": kind.messages, "message": "words of the vendor"}, "request_id": "req_1"})
        }
        GEMINI => {
            json!({"error": {"code": kind.status, "message": "words of the vendor", "status": kind.gemini}})
        }
    }
}

#[test]
fn kinds() {
    let mut faults = Vec::new();
    for kind in KINDS {
        for upstream in Dialect::ALL {
            let failure =
                codec::decode_failure(upstream, kind.status, body(upstream, kind).to_string().as_bytes());
            // Gemini has one word for a limit and for money.
            if failure.kind != kind.means || failure.status != kind.status {
                faults
                    .push(format!("{:?} of {upstream:?}: {:?} {}", kind.means, failure.kind, failure.status));
                continue;
            }
            for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
                let told: Value =
                    serde_json::from_slice(&codec::encode_failure(client, &failure, "r")).unwrap();
                let is_told = match client {
                    CHAT | RESPONSES => {
                        told["error"]["type"] == kind.openai.0
                            && told["error"]["code"] == json!(kind.openai.1)
                    }
                    MESSAGES => told["error"]["type"] == kind.messages,
                    GEMINI => told["error"]["status"] == kind.gemini && told["error"]["code"] == kind.status,
                };
                let words = told["error"]["message"].as_str().unwrap_or_default();
                if !is_told || !words.contains("words of the vendor") {
                    faults.push(format!("{:?}: {upstream:?} to {client:?}: {told}", kind.means));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// A gateway lists what is wrong beside nothing else.
#[test]
fn the_first_of_several_errors_is_told() {
    let body = json!({"errors": [{"message": "no such field"}, {"message": "nor this"}]}).to_string();
    for upstream in Dialect::ALL {
        let failure = codec::decode_failure(upstream, 400, body.as_bytes());
        assert_eq!((failure.status, failure.message.as_str()), (400, "no such field"), "{upstream:?}");
    }
}

/// The kinds that a vendor tells by its words or its details alone.
#[test]
fn kinds_by_words() {
    let too_long = "prompt is too long: 210000 tokens > 200000 maximum";
    let cases = [
        (
            FailureKind::ContextTooLong,
            MESSAGES,
            400,
            json!({"type": "error", "error": {"type": "invalid_request_error", "message": too_long}}),
        ),
        (
            FailureKind::ContextTooLong,
            CHAT,
            400,
            json!({"error": {"message": "maximum context length", "type": "invalid_request_error", "code": "context_length_exceeded"}}),
        ),
        (
            FailureKind::ContextTooLong,
            RESPONSES,
            400,
            json!({"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}),
        ),
        (
            FailureKind::ContextTooLong,
            GEMINI,
            400,
            json!({"error": {"code": 400, "status": "INVALID_ARGUMENT",
            "message": "The input token count (210000) exceeds the maximum number of tokens allowed (200000)."}}),
        ),
        (
            FailureKind::QuotaWindow,
            RESPONSES,
            429,
            json!({"error": {"type": "usage_limit_reached", "message": "limit", "plan_type": "plus", "resets_in_seconds": 100}}),
        ),
        (
            FailureKind::ContentPolicy,
            CHAT,
            400,
            json!({"error": {"message": "no", "type": "invalid_request_error", "code": "content_policy_violation"}}),
        ),
        (
            FailureKind::Overloaded,
            MESSAGES,
            529,
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        ),
        (
            FailureKind::RateLimit,
            GEMINI,
            429,
            json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down", "details": [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}]}}),
        ),
    ];
    let mut faults = Vec::new();
    for (kind, upstream, status, body) in cases {
        let failure = codec::decode_failure(upstream, status, body.to_string().as_bytes());
        if failure.kind != kind {
            faults.push(format!("{kind:?} of {upstream:?}: {:?}", failure.kind));
        }
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let told: Value = serde_json::from_slice(&codec::encode_failure(client, &failure, "r")).unwrap();
            let error = &told["error"];
            let words = error["message"].as_str().unwrap_or_default();
            let is_told = match (kind, client) {
                (FailureKind::ContextTooLong, CHAT | RESPONSES) => error["code"] == "context_length_exceeded",
                (FailureKind::ContextTooLong, MESSAGES) => words.starts_with("prompt is too long"),
                (FailureKind::ContextTooLong, GEMINI) => words.contains("exceeds the maximum"),
                (FailureKind::QuotaWindow, CHAT) => error["code"] == "insufficient_quota",
                (FailureKind::QuotaWindow | FailureKind::RateLimit, MESSAGES) => {
                    error["type"] == "rate_limit_error"
                }
                (FailureKind::QuotaWindow | FailureKind::RateLimit, GEMINI) => {
                    error["status"] == "RESOURCE_EXHAUSTED"
                }
                (FailureKind::ContentPolicy, RESPONSES) => error["code"] == "content_policy_violation",
                (FailureKind::ContentPolicy, MESSAGES) => error["type"] == "invalid_request_error",
                (FailureKind::ContentPolicy, GEMINI) => error["status"] == "INVALID_ARGUMENT",
                (FailureKind::Overloaded, CHAT | RESPONSES) => error["code"] == "server_is_overloaded",
                (FailureKind::Overloaded, GEMINI) => error["status"] == "UNAVAILABLE",
                (FailureKind::RateLimit, CHAT | RESPONSES) => error["code"] == "rate_limit_exceeded",
                _ => true,
            };
            if !is_told {
                faults.push(format!("{kind:?}: {upstream:?} to {client:?}: {told}"));
            }
        }
    }
    let delay = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}]}});
    let failure = codec::decode_failure(GEMINI, 429, delay.to_string().as_bytes());
    assert_eq!(failure.retry_after.map(|wait| wait.as_secs()), Some(37));
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// What servers in Python say is wrong reaches every client in words, whatever dialect they speak.
#[test]
fn lists_of_what_is_wrong() {
    let body = json!({"detail": [
        {"loc": ["body", "messages", 0, "content"], "msg": "Field required", "type": "missing"},
        {"msg": "Input should be a valid string"},
    ]});
    for upstream in Dialect::ALL {
        let failure = codec::decode_failure(upstream, 422, body.to_string().as_bytes());
        assert_eq!(
            (failure.status, failure.message.as_str()),
            (422, "body.messages.0.content: Field required; Input should be a valid string"),
            "{upstream:?}"
        );
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let told = codec::encode_failure(client, &failure, "req");
            let told: Value = serde_json::from_slice(&told).unwrap();
            let said = told["error"]["message"].as_str().unwrap();
            assert!(
                said.contains("Field required") && !said.contains('{'),
                "{upstream:?} to {client:?}: {said}"
            );
        }
    }
}

/// An upstream that gives a status and nothing else: trying again helps only where something may change by itself.
#[test]
fn a_status_without_words_says_what_helps() {
    for (status, help) in [
        (400, "Check the request."),
        (401, "Check the credential and what it may be used for."),
        (404, "Check the name of the model and the base URL."),
        (413, "Send a shorter request."),
        (429, "Wait a little and try again."),
        (500, "Try again."),
    ] {
        for upstream in Dialect::ALL {
            for body in ["", "{}"] {
                let failure = codec::decode_failure(upstream, status, body.as_bytes());
                let said = format!("The upstream answered with status {status} and no explanation. {help}");
                assert_eq!(failure.message, said, "{upstream:?} {body}");
            }
        }
    }
}
