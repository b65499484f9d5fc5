//! The words of Copilot's refusals.

use crate::{body::Step, scenario::Cause, server::Reply, trouble::rfc3339};
use serde_json::{Value, json};

/// A refusal with a code.
pub(super) fn coded(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, quota_headers(87.5), &body(code, message))
}

fn body(code: &str, message: &str) -> Value {
    json!({"error": {"message": message, "code": code}})
}

/// A refusal in plain text.
pub(super) fn plain(status: u16, text: &str) -> Reply {
    let kind = ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned());
    let mut headers = quota_headers(87.5);
    headers.push(kind);
    Reply::sized(status, headers, vec![Step::Data(format!("{text}\n").into())])
}

/// What every answer says of the plan.
pub(super) fn quota_headers(remaining: f64) -> Vec<(String, String)> {
    let premium = format!("ent=300&ov=0.0&ovPerm=false&rem={remaining:.1}&rst=2099-12-01T00%3A00%3A00Z");
    vec![
        ("x-quota-snapshot-premium_interactions".to_owned(), premium),
        (
            "x-quota-snapshot-chat".to_owned(),
            "ent=-1&ov=0.0&ovPerm=false&rem=100.0&rst=2099-12-01T00%3A00%3A00Z".to_owned(),
        ),
        ("x-github-request-id".to_owned(), "SIM:1".to_owned()),
    ]
}

/// The refusal for a cause.
pub(super) fn of(cause: Cause, wait: Option<u64>, model: &str, now: i64) -> Reply {
    let waiting = |status, code: &str, message: &str, seconds: u64, remaining: f64| {
        let mut headers = quota_headers(remaining);
        headers.push(("retry-after".to_owned(), seconds.to_string()));
        Reply::json(status, headers, &body(code, message))
    };
    match cause {
        Cause::BadRequest => coded(400, "invalid_request_body", "The scenario refuses this request."),
        Cause::ThirdParty => {
            plain(466, "client not supported: bad request: this version of the API is no longer supported")
        }
        Cause::Auth => plain(401, "unauthorized: token expired"),
        Cause::Billing => coded(402, "overage_limit_reached", "You have reached your overage limit."),
        Cause::Quota | Cause::ExtraUsage => {
            let wait = wait.unwrap_or(3600);
            let end = rfc3339(now.saturating_add(wait.try_into().unwrap_or(i64::MAX / 2)));
            let words = format!("You have exceeded your premium request allowance until {end}.");
            waiting(402, "quota_exceeded", &words, wait, 0.0)
        }
        Cause::Forbidden => plain(403, "forbidden"),
        Cause::Banned => plain(403, "Access to Copilot is suspended: your account shows signs of abuse."),
        Cause::NotFound => Reply::json(
            400,
            quota_headers(87.5),
            &json!({"error": {
            "message": "The requested model is not supported.", "code": "model_not_supported", "param": "model",
            "type": "invalid_request_error"}}),
        ),
        Cause::TooLarge => plain(413, "failed to parse request"),
        Cause::ContextTooLong => coded(
            400,
            "model_max_prompt_tokens_exceeded",
            "prompt token count of 200001 exceeds the limit of 128000",
        ),
        Cause::RateLimit => {
            let words = format!("Sorry, you have exceeded your rate limits for {model}.");
            waiting(429, "user_model_rate_limited", &words, wait.unwrap_or(1), 87.5)
        }
        Cause::Server | Cause::BadGateway => plain(500, "internal server error"),
        Cause::Unavailable | Cause::Overloaded => plain(503, "upstream provider rate limit"),
        Cause::Timeout => plain(504, "gateway timeout"),
    }
}
