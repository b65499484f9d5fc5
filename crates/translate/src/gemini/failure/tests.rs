use super::*;
use byok_types::FailureKind as Kind;
use serde_json::json;

fn google(code: u16, status: &str, message: &str, details: &Value) -> Value {
    json!({"error": {"code": code, "message": message, "status": status, "details": details}})
}

fn info(reason: &str, metadata: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "cloudcode-pa.googleapis.com", "metadata": metadata})
}

fn retry(delay: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
}

fn quota(id: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id}]})
}

/// Checks kind and waiting time of an error, also of the same error in a list.
fn check(status: u16, body: &Value, kind: Kind, seconds: Option<f64>) {
    for form in [body.clone(), json!([body])] {
        let failure = decode_failure(status, form.to_string().as_bytes());
        let after = failure.retry_after.map(|d| d.as_secs_f64());
        assert_eq!((failure.kind, failure.status, after), (kind, status, seconds), "{form}");
        assert_eq!(failure.raw.unwrap().content_type.as_deref(), Some("application/json"));
    }
}

#[test]
fn what_google_says() {
    let too_long = "The input token count (2000000) exceeds the maximum number of tokens allowed (1048575).";
    let bare = |status, word, message: &str, kind| {
        check(status, &google(status, word, message, &json!([])), kind, None);
    };
    bare(400, "INVALID_ARGUMENT", "Unknown name \"x\"", Kind::BadRequest);
    bare(400, "INVALID_ARGUMENT", too_long, Kind::ContextTooLong);
    bare(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", Kind::Auth);
    bare(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", Kind::BadRequest);
    bare(401, "UNAUTHENTICATED", "x", Kind::Auth);
    bare(403, "PERMISSION_DENIED", "x", Kind::Permission);
    bare(404, "NOT_FOUND", "models/x is not found", Kind::NotFound);
    bare(499, "CANCELLED", "x", Kind::ClientGone);
    bare(500, "INTERNAL", "x", Kind::Server);
    bare(503, "UNAVAILABLE", "The model is overloaded.", Kind::Overloaded);
    bare(504, "DEADLINE_EXCEEDED", "x", Kind::Timeout);
}

#[test]
fn what_google_says_in_the_details() {
    let reason = |name: &str| info(name, &json!({}));
    for (status, detail, kind, seconds) in [
        (400, reason("API_KEY_INVALID"), Kind::Auth, None),
        (403, reason("SERVICE_DISABLED"), Kind::Permission, None),
        (403, reason("BILLING_DISABLED"), Kind::Billing, None),
        (429, retry("34.07s"), Kind::RateLimit, Some(34.07)),
        (429, retry("900ms"), Kind::RateLimit, Some(0.9)),
        (429, retry("161h39m41.5s"), Kind::QuotaWindow, Some(581_981.5)),
        (429, quota("RequestsPerMinute"), Kind::RateLimit, None),
        (429, quota("GenerateRequestsPerDayPerProject-FreeTier"), Kind::QuotaWindow, None),
        (
            429,
            info("QUOTA_EXHAUSTED", &json!({"quotaResetDelay": "1h16m0.5s"})),
            Kind::QuotaWindow,
            Some(4560.5),
        ),
        (429, reason("MODEL_CAPACITY_EXHAUSTED"), Kind::Overloaded, None),
        (429, reason("INSUFFICIENT_G1_CREDITS_BALANCE"), Kind::Billing, None),
        (503, reason("MODEL_CAPACITY_EXHAUSTED"), Kind::Overloaded, None),
    ] {
        check(status, &google(status, "X", "x", &json!([detail])), kind, seconds);
    }
    for (message, kind, seconds) in [
        ("Please retry in 12.5s.", Kind::RateLimit, Some(12.5)),
        ("Your quota will reset after 2h5s.", Kind::QuotaWindow, Some(7205.0)),
        ("Quota exceeded, limit: 0", Kind::QuotaWindow, None),
        ("Resource has been exhausted (e.g. check quota).", Kind::RateLimit, None),
    ] {
        check(429, &google(429, "RESOURCE_EXHAUSTED", message, &json!([])), kind, seconds);
    }
}

#[test]
fn what_others_say() {
    let nested = google(503, "UNAVAILABLE", "The model is overloaded.", &json!([])).to_string();
    for (status, body, kind, expected, message) in [
        (0, nested.clone(), Kind::Overloaded, 503, "The model is overloaded."),
        (502, json!({"error": {"message": nested, "code": 502}}).to_string(), Kind::Server, 502, "The model is overloaded."),
        (0, json!({"error": {"status": "NOT_FOUND", "message": "gone"}}).to_string(), Kind::NotFound, 404, "gone"),
        (
            400,
            json!({"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}).to_string(),
            Kind::ContextTooLong,
            400,
            "too long",
        ),
        (529, json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).to_string(), Kind::Overloaded, 529, "Overloaded"),
        (400, json!({"detail": "no"}).to_string(), Kind::BadRequest, 400, "no"),
        (429, json!({"error": "slow down"}).to_string(), Kind::RateLimit, 429, "slow down"),
        (502, "<html><head><title>502 Bad Gateway</title>".to_owned() + "</head></html>", Kind::Server, 502, "The way to the upstream answered with a web page (502 Bad Gateway) instead of an API error. Try again later; if it stays, check the proxy and the base URL."),
        (413, "too big".to_owned(), Kind::PayloadTooLarge, 413, "too big"),
        (500, String::new(), Kind::Server, 500, "The upstream answered with status 500 and no explanation. Try again."),
        (500, "{}".to_owned(), Kind::Server, 500, "The upstream answered with status 500 and no explanation. Try again."),
    ] {
        let failure = decode_failure(status, body.as_bytes());
        assert_eq!((failure.kind, failure.status, failure.message.as_str()), (kind, expected, message), "{body}");
        assert_eq!(failure.raw.unwrap().body, body.as_bytes());
    }
    assert_eq!(decode_failure(500, b"\xFF\xFE").kind, Kind::Server);
}

#[test]
fn every_kind_survives_the_way_out_and_in() {
    for kind in [
        Kind::BadRequest,
        Kind::ContextTooLong,
        Kind::Auth,
        Kind::Permission,
        Kind::NotFound,
        Kind::Conflict,
        Kind::RateLimit,
        Kind::QuotaWindow,
        Kind::Timeout,
        Kind::ClientGone,
        Kind::Overloaded,
        Kind::Server,
        Kind::PayloadTooLarge,
    ] {
        let failure = Failure::new(kind, Blame::Upstream, "words");
        let again = decode_failure(failure.status, &encode_failure(&failure, ""));
        assert_eq!(again.kind, kind);
        assert!(again.message.ends_with("words"));
    }
}

#[test]
fn clients_of_google_find_what_they_decide_by() {
    let show =
        |failure: &Failure| serde_json::from_slice::<Value>(&encode_failure(failure, "req-1")).unwrap();
    let details = |error: &Value| -> Vec<String> {
        let list = error["error"]["details"].as_array().cloned().unwrap_or_default();
        list.iter().map(|d| d["@type"].as_str().unwrap().rsplit('.').next().unwrap().to_owned()).collect()
    };
    let limited =
        Failure::new(Kind::RateLimit, Blame::Upstream, "slow").with_retry_after(Duration::from_millis(1500));
    let error = show(&limited);
    assert_eq!(
        (&error["error"]["code"], &error["error"]["status"]),
        (&json!(429), &json!("RESOURCE_EXHAUSTED"))
    );
    assert_eq!(details(&error), ["ErrorInfo", "RetryInfo", "RequestInfo"]);
    assert_eq!(error["error"]["details"][1]["retryDelay"], "2s");
    assert_eq!(error["error"]["details"][2]["requestId"], "req-1");
    let window = show(&Failure::new(Kind::QuotaWindow, Blame::Upstream, "gone"));
    assert!(window["error"]["details"][1]["violations"][0]["quotaId"].as_str().unwrap().contains("PerDay"));
    let wrong = show(&Failure::bad_request("contents[0]", "no"));
    assert_eq!(wrong["error"]["details"][0]["fieldViolations"][0]["field"], "contents[0]");
    let long =
        show(&Failure::new(Kind::ContextTooLong, Blame::Client, "prompt is too long: 5 tokens > 4 maximum"));
    assert!(long["error"]["message"].as_str().unwrap().contains("exceeds the maximum number of tokens"));
}

#[test]
fn a_credential_that_the_vendor_refused_is_told_apart_from_the_callers() {
    let failure = Failure::new(Kind::Credential, Blame::Upstream, "x");
    let body: Value = serde_json::from_slice(&encode_failure(&failure, "")).unwrap();
    assert_eq!(
        body,
        json!({"error": {"code": 503, "message": "x", "status": "UNAVAILABLE", "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "UPSTREAM_CREDENTIAL_REFUSED", "domain": "byok"}]}})
    );
}
