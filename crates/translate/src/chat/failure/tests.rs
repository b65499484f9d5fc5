use super::*;
use FailureKind::{
    Auth, BadRequest, Billing, ContentPolicy, ContextTooLong, NotFound, Overloaded, PayloadTooLarge,
    Permission, QuotaWindow, RateLimit, Server, Timeout,
};

/// Status, body, kind, beginning of the message, code.
const SHAPES: &[(u16, &str, FailureKind, &str, Option<&str>)] = &[
    (
        400,
        r#"{"error":{"message":"bad","type":"invalid_request_error","param":"x","code":"unsupported_parameter"}}"#,
        BadRequest,
        "bad",
        Some("unsupported_parameter"),
    ),
    (
        401,
        r#"{"error":{"message":"no","type":"authentication_error","code":"invalid_request_error"}}"#,
        Auth,
        "no",
        Some("invalid_request_error"),
    ),
    (
        402,
        r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
        Billing,
        "Insufficient",
        Some("invalid_request_error"),
    ),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        Billing,
        "You",
        Some("insufficient_quota"),
    ),
    (
        429,
        r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#,
        RateLimit,
        "slow",
        Some("rate_limit_exceeded"),
    ),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 8 tokens","code":"context_length_exceeded"}}"#,
        ContextTooLong,
        "This",
        Some("context_length_exceeded"),
    ),
    (400, r#"{"error":"prompt is too long: 9 tokens"}"#, ContextTooLong, "prompt", None),
    (413, "too big", PayloadTooLarge, "too big", None),
    (404, r#"{"error":{"message":"m","code":"model_not_found"}}"#, NotFound, "m", Some("model_not_found")),
    (
        403,
        r#"{"error":{"code":403,"message":"flagged","metadata":{"reasons":["x"]}}}"#,
        ContentPolicy,
        "flagged",
        Some("403"),
    ),
    (403, r#"{"error":{"code":403,"message":"key limit"}}"#, Permission, "key", Some("403")),
    (
        400,
        r#"{"error":{"message":"m","code":"content_policy_violation"}}"#,
        ContentPolicy,
        "m",
        Some("content_policy_violation"),
    ),
    (429, r#"{"error":{"code":"1113","message":"no balance"}}"#, Billing, "no balance", Some("1113")),
    (429, r#"{"error":{"code":"1305","message":"busy"}}"#, Overloaded, "busy", Some("1305")),
    (
        429,
        r#"{"error":{"code":"1308","message":"Usage limit reached for 5 hour."}}"#,
        QuotaWindow,
        "Usage",
        Some("1308"),
    ),
    (429, r#"{"error":{"message":"request 1113 failed"}}"#, RateLimit, "request", None),
    (
        429,
        r#"{"error":{"type":"usage_limit_reached","message":"m","resets_in_seconds":60}}"#,
        QuotaWindow,
        "m",
        Some("usage_limit_reached"),
    ),
    (
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        Overloaded,
        "Overloaded",
        Some("overloaded_error"),
    ),
    (
        429,
        r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]"#,
        RateLimit,
        "m",
        Some("429"),
    ),
    (
        400,
        r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
        BadRequest,
        "m",
        Some("400"),
    ),
    (
        422,
        r#"{"detail":[{"loc":["body","x"],"msg":"field required"}]}"#,
        BadRequest,
        "body.x: field required",
        None,
    ),
    (400, r#"{"detail":"nope"}"#, BadRequest, "nope", None),
    (500, r#"{"code":1234,"msg":"net","success":false}"#, Server, "net", Some("1234")),
    (
        502,
        r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"{\"error\":{\"message\":\"inner\"}}"}}}"#,
        Server,
        "Provider returned error: inner",
        Some("502"),
    ),
    (
        403,
        "<html><head><title>Just a moment...</title></head></html>",
        Permission,
        "The way to the upstream answered with a web page (Just a moment",
        None,
    ),
    (504, "", Timeout, "The upstream answered with status 504", None),
    (
        401,
        r#"{"error":{"code":"token_expired"}}"#,
        Auth,
        "The upstream answered with status 401, `token_expired` and no explanation.",
        Some("token_expired"),
    ),
    (503, "upstream connect error", Overloaded, "upstream connect error", None),
];

#[test]
fn every_shape_of_every_server() {
    for (status, body, kind, message, code) in SHAPES {
        let failure = decode_failure(*status, body.as_bytes());
        assert_eq!(failure.kind, *kind, "{body}");
        assert!(failure.message.starts_with(message), "{body}: {}", failure.message);
        assert_eq!(failure.code.as_deref(), *code, "{body}");
        assert_eq!(failure.status, *status, "{body}");
        assert_eq!(failure.raw.as_ref().unwrap().body, body.as_bytes());
    }
}

#[test]
fn waiting_times_are_found() {
    for (body, seconds) in [
        (r#"{"error":{"message":"Please try again in 1.5s."}}"#, Some(1.5)),
        (r#"{"error":{"message":"Please try again in 28ms."}}"#, Some(0.028)),
        (r#"{"error":{"message":"try again in 2m3s"}}"#, Some(120.0)),
        (r#"{"error":{"message":"m","resets_in_seconds":60}}"#, Some(60.0)),
        (r#"{"error":{"message":"try again in a while"}}"#, None),
        (r#"{"error":{"message":"m","retry_after":-1}}"#, None),
    ] {
        let found = decode_failure(429, body.as_bytes()).retry_after;
        assert_eq!(found.map(|wait| wait.as_secs_f64()), seconds, "{body}");
    }
}

#[test]
fn t124_failures_are_written_with_the_codes_that_clients_act_on() {
    for (kind, code, expected) in [
        (
            ContextTooLong,
            Some("x"),
            r#""type":"invalid_request_error","param":null,"code":"context_length_exceeded""#,
        ),
        (BadRequest, Some("x"), r#""type":"invalid_request_error","param":null,"code":"x""#),
        (BadRequest, None, r#""type":"invalid_request_error","param":null,"code":null"#),
        (NotFound, None, r#""type":"invalid_request_error","param":null,"code":"model_not_found""#),
        (RateLimit, None, r#""type":"rate_limit_error","param":null,"code":"rate_limit_exceeded""#),
        (Server, None, r#""type":"server_error","param":null,"code":"internal_server_error""#),
    ] {
        let mut failure = Failure::new(kind, Blame::Upstream, "m");
        failure.code = code.map(str::to_owned);
        let body = String::from_utf8(encode_failure(&failure, "")).unwrap();
        assert_eq!(body, format!(r#"{{"error":{{"message":"m",{expected}}}}}"#), "{kind:?}");
    }
    let failure = Failure::bad_request("messages[0]", "m");
    let body = String::from_utf8(encode_failure(&failure, "req_1")).unwrap();
    assert!(
        body.contains(r#""param":"messages[0]""#) && body.ends_with(r#""request_id":"req_1"}"#),
        "{body}"
    );
}

#[test]
fn what_is_written_is_read_as_the_same_kind() {
    for kind in [
        BadRequest,
        ContextTooLong,
        Auth,
        Billing,
        Permission,
        NotFound,
        RateLimit,
        QuotaWindow,
        Timeout,
        Overloaded,
        Server,
        ContentPolicy,
    ] {
        let failure = Failure::new(kind, Blame::Upstream, "m");
        let back = decode_failure(failure.status, &encode_failure(&failure, "r"));
        assert_eq!((back.kind, back.message.as_str()), (kind, "m"));
    }
}

#[test]
fn a_long_message_is_cut() {
    for (length, cut) in [(2000, false), (2001, true)] {
        let said = "ä".repeat(length);
        let body = format!(r#"{{"error":{{"message":"{said}"}}}}"#);
        let expected = if cut { format!("{}…", "ä".repeat(2000)) } else { said.clone() };
        assert_eq!(decode_failure(400, body.as_bytes()).message, expected, "{length}");
        assert_eq!(decode_failure(400, said.as_bytes()).message, expected, "{length}");
    }
}
