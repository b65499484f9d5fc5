use super::*;
use byok_types::{Blame, Dialect, FailureKind, RawFailure};
use serde_json::json;
use std::time::Duration;

#[test]
fn vendors_errors_are_understood() {
    use FailureKind::*;
    let cases: &[(u16, &str, FailureKind, &str)] = &[
        (
            400,
            r#"{"error":{"message":"no","type":"invalid_request_error","param":"input","code":null}}"#,
            BadRequest,
            "no",
        ),
        (
            400,
            r#"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            ContextTooLong,
            "Your input exceeds the context window of this model.",
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 1 tokens","type":"invalid_request_error"}}"#,
            ContextTooLong,
            "This model's maximum context length is 1 tokens",
        ),
        (400, r#"{"detail":"Store must be set to false"}"#, BadRequest, "Store must be set to false"),
        (
            402,
            r#"{"detail":{"code":"deactivated_workspace"}}"#,
            Billing,
            "The upstream answered with status 402, `deactivated_workspace` and no explanation. Check the account and its plan.",
        ),
        (401, r#"{"error":{"message":"x","code":"token_expired"}}"#, Auth, "x"),
        (
            403,
            "<html><head><title>Just a moment...</title></head></html>",
            Permission,
            "The way to the upstream answered with a web page (Just a moment...) instead of an API error. Try again later; if it stays, check the proxy and the base URL.",
        ),
        (
            404,
            r#"{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}"#,
            NotFound,
            "The model does not exist",
        ),
        (413, "too big", PayloadTooLarge, "too big"),
        (
            422,
            r#"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#,
            BadRequest,
            "body: field required",
        ),
        (
            429,
            r#"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#,
            RateLimit,
            "slow",
        ),
        (
            429,
            r#"{"error":{"message":"no money","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Billing,
            "no money",
        ),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_in_seconds":12}}"#,
            QuotaWindow,
            "The usage limit has been reached",
        ),
        (503, r#"{"error":{"code":"server_is_overloaded","message":"x"}}"#, Overloaded, "x"),
        (500, r#"{"error":"plain"}"#, Server, "plain"),
        (502, "", Server, "The upstream answered with status 502 and no explanation. Try again."),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 5 tokens"}}"#,
            ContextTooLong,
            "prompt is too long: 5 tokens",
        ),
        (400, r#"{"error":{"code":"cyber_policy","message":"x"}}"#, ContentPolicy, "x"),
        (429, r#"{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}"#, RateLimit, "x"),
    ];
    for (status, body, kind, message) in cases {
        let failure = responses::decode_failure(*status, body.as_bytes());
        assert_eq!(
            (failure.kind, failure.message.as_str(), failure.status),
            (*kind, *message, *status),
            "{body}"
        );
        assert_eq!(failure.raw.unwrap().body, body.as_bytes());
    }
    let limited = responses::decode_failure(429, cases[12].1.as_bytes());
    assert_eq!((limited.retry_after, limited.blame), (Some(Duration::from_secs(12)), Blame::Upstream));
}

#[test]
fn waiting_times_are_found_in_the_text() {
    for (text, millis) in [
        ("Please try again in 1.3s.", Some(1300)),
        ("try again in 28ms", Some(28)),
        ("try again in 6m0s", Some(360_000)),
        ("try again in a while", None),
        ("nothing", None),
    ] {
        let body = bytes(&json!({"error": {"message": text, "code": "rate_limit_exceeded"}}));
        let found = responses::decode_failure(429, &body).retry_after.map(|wait| wait.as_millis());
        assert_eq!(found, millis, "{text}");
    }
}

#[test]
fn failures_are_written_in_the_vendors_words() {
    use FailureKind::*;
    for (kind, expected) in [
        (BadRequest, json!({"type": "invalid_request_error", "code": null})),
        (ContextTooLong, json!({"type": "invalid_request_error", "code": "context_length_exceeded"})),
        (Auth, json!({"type": "invalid_request_error", "code": "invalid_api_key"})),
        (NotFound, json!({"type": "invalid_request_error", "code": "model_not_found"})),
        (RateLimit, json!({"type": "rate_limit_error", "code": "rate_limit_exceeded"})),
        (
            QuotaWindow,
            json!({"type": "usage_limit_reached", "code": "insufficient_quota", "resets_at": 7, "resets_in_seconds": 9}),
        ),
        (Overloaded, json!({"type": "server_error", "code": "server_is_overloaded"})),
        (UpstreamTruncated, json!({"type": "server_error", "code": "internal_server_error"})),
    ] {
        // A code of another vendor's vocabulary does not get through.
        let mut failure = Failure::new(kind, Blame::Upstream, "m").with_code("their_code");
        failure.raw = Some(RawFailure { dialect: Dialect::Messages, content_type: None, body: Vec::new() });
        failure.retry_after = Some(Duration::from_secs(9));
        failure.resets_at = Some(7);
        let written: Value = serde_json::from_slice(&responses::encode_failure(&failure, "req_1")).unwrap();
        let mut expected = expected;
        expected["message"] = "m".into();
        expected["param"] = Value::Null;
        assert_eq!(written, json!({"error": expected}), "{kind:?}");
    }
    let own = Failure::bad_request("previous_response_id", "gone").with_code("previous_response_not_found");
    let written: Value = serde_json::from_slice(&responses::encode_failure(&own, "")).unwrap();
    assert_eq!(written["error"]["code"], "previous_response_not_found");
    assert_eq!(written["error"]["param"], "previous_response_id");
}

#[test]
fn of_a_long_text_only_the_beginning_is_told() {
    let said = "ä".repeat(501);
    let failure = responses::decode_failure(400, said.as_bytes());
    assert_eq!(failure.message, "ä".repeat(500));
    let body = bytes(&json!({"error": {"message": said}}));
    assert_eq!(responses::decode_failure(400, &body).message, said);
}
