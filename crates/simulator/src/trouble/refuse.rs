//! A cause, worded by a vendor.

use crate::{models::Maker, refusal::Refusal, scenario::Cause};
use byok_types::Dialect;
use jiff::Timestamp;
use serde_json::json;

/// What the words of a refusal depend on.
pub(crate) struct Circumstances<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) key: &'a str,
    pub(crate) model: &'a str,
    /// Tokens of the prompt.
    pub(crate) tokens: u64,
    /// Unix seconds.
    pub(crate) now: i64,
    /// Wait that the scenario names, in seconds.
    pub(crate) wait: Option<u64>,
}

impl Circumstances<'_> {
    fn oauth(&self) -> bool {
        self.key.starts_with("sk-ant-oat")
    }

    fn wait_or(&self, default: u64) -> u64 {
        self.wait.unwrap_or(default)
    }

    fn after(&self, seconds: u64) -> i64 {
        self.now.saturating_add(seconds.try_into().unwrap_or(i64::MAX))
    }

    /// Longest prompt of the model.
    fn context(&self, maker: Maker) -> u64 {
        crate::models::find(maker, self.model).map_or(200_000, |model| model.context)
    }
}

/// `2026-11-20T12:00:00Z`.
pub(crate) fn rfc3339(unix: i64) -> String {
    Timestamp::from_second(unix).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The refusal for a cause.
pub(crate) fn refusal(cause: Cause, at: &Circumstances<'_>) -> Refusal {
    match at.dialect {
        Dialect::Messages => anthropic(cause, at),
        Dialect::Chat | Dialect::Responses => openai(cause, at),
        Dialect::Gemini => google(cause, at),
    }
}

fn anthropic(cause: Cause, at: &Circumstances<'_>) -> Refusal {
    let plain = |status, kind: &'static str, message: &str| Refusal::new(status, kind, message);
    match cause {
        Cause::BadRequest => {
            plain(400, "invalid_request_error", "messages: the scenario refuses this request")
        }
        Cause::Auth if at.oauth() => plain(
            401,
            "authentication_error",
            "OAuth token has expired. Please obtain a new token or refresh your existing token.",
        ),
        Cause::Auth => plain(401, "authentication_error", "invalid x-api-key"),
        Cause::Billing => plain(
            402,
            "billing_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
        ),
        Cause::Forbidden if at.oauth() => {
            plain(403, "permission_error", "OAuth token has been revoked. Please obtain a new token.")
        }
        Cause::Forbidden => plain(
            403,
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        Cause::NotFound => Refusal::new(404, "not_found_error", format!("model: {}", at.model)),
        Cause::TooLarge => plain(413, "request_too_large", "Request exceeds the maximum size"),
        Cause::ContextTooLong => {
            let most = at.context(Maker::Anthropic);
            let tokens = at.tokens.max(most + 1);
            Refusal::new(
                400,
                "invalid_request_error",
                format!("prompt is too long: {tokens} tokens > {most} maximum"),
            )
        }
        Cause::RateLimit => anthropic_rate(at),
        Cause::Quota => anthropic_quota(at),
        Cause::Server | Cause::BadGateway => plain(500, "api_error", "Internal server error"),
        Cause::Unavailable => plain(503, "api_error", "Service temporarily unavailable"),
        Cause::Timeout => plain(504, "timeout_error", "Request timed out"),
        Cause::Overloaded => plain(529, "overloaded_error", "Overloaded"),
        Cause::ThirdParty => plain(
            400,
            "invalid_request_error",
            "Third-party apps now draw from your extra usage, not your plan limits. Add more at claude.ai/settings/usage and keep going.",
        ),
        Cause::ExtraUsage => {
            plain(429, "rate_limit_error", "Usage credits are required for long context requests.")
        }
        Cause::Banned if at.oauth() => plain(
            403,
            "permission_error",
            "OAuth authentication is currently not allowed for this organization.",
        ),
        Cause::Banned => plain(400, "invalid_request_error", "This organization has been disabled."),
    }
}

fn anthropic_rate(at: &Circumstances<'_>) -> Refusal {
    let wait = at.wait_or(1);
    let refusal = Refusal::new(
        429,
        "rate_limit_error",
        "This request would exceed the rate limit for your organization of 50 requests per minute.",
    )
    .header("retry-after", wait.to_string());
    if at.oauth() {
        // A burst refusal of a subscription carries no window headers.
        return refusal;
    }
    let reset = rfc3339(at.after(wait));
    refusal
        .header("anthropic-ratelimit-requests-limit", "50")
        .header("anthropic-ratelimit-requests-remaining", "0")
        .header("anthropic-ratelimit-requests-reset", reset)
}

/// A window of the plan: the `unified` headers for subscriptions, a spend limit for keys.
fn anthropic_quota(at: &Circumstances<'_>) -> Refusal {
    let wait = at.wait_or(3600);
    let reset = at.after(wait).to_string();
    let refusal = Refusal::new(
        429,
        "rate_limit_error",
        "This request would exceed your account's rate limit. Please try again later.",
    )
    .header("retry-after", wait.to_string())
    .header("x-should-retry", "false");
    if !at.oauth() {
        return refusal.code("enforced_spend_limit_reached");
    }
    let week = at.after(wait + 3 * 86_400).to_string();
    [
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", &reset),
        ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
        ("anthropic-ratelimit-unified-5h-status", "rejected"),
        ("anthropic-ratelimit-unified-5h-utilization", "1.02"),
        ("anthropic-ratelimit-unified-5h-reset", &reset),
        ("anthropic-ratelimit-unified-7d-status", "allowed"),
        ("anthropic-ratelimit-unified-7d-utilization", "0.41"),
        ("anthropic-ratelimit-unified-7d-reset", &week),
        ("anthropic-ratelimit-unified-overage-status", "rejected"),
        ("anthropic-ratelimit-unified-overage-disabled-reason", "overage_not_provisioned"),
    ]
    .into_iter()
    .fold(refusal, |refusal, (name, value)| refusal.header(name, value))
}

fn openai(cause: Cause, at: &Circumstances<'_>) -> Refusal {
    let own = if crate::plan::Plan::Codex.marks(at.key) {
        crate::codex::worded(cause, at)
    } else if crate::xai::is_ours(at.key) {
        crate::xai::worded(cause, at)
    } else {
        None
    };
    if let Some(refusal) = own {
        return refusal;
    }
    let plain = |status, kind: &'static str, message: &str| Refusal::new(status, kind, message);
    let input = if at.dialect == Dialect::Chat { "messages" } else { "input" };
    match cause {
        Cause::BadRequest | Cause::ThirdParty => plain(400, "invalid_request_error", "The scenario refuses this request.")
            .code("invalid_value")
            .param(input),
        Cause::Auth => incorrect_key(at.key),
        Cause::Billing => plain(402, "unknown_error", "Insufficient Balance").code("invalid_request_error"),
        Cause::Forbidden => {
            plain(403, "permission_error", "You do not have permission to use this model with this project.")
        }
        Cause::NotFound => Refusal::new(
            404,
            "invalid_request_error",
            format!("The model `{}` does not exist or you do not have access to it.", at.model),
        )
        .code("model_not_found")
        .param("model"),
        Cause::TooLarge => {
            plain(413, "invalid_request_error", "Request body is too large.").code("request_too_large")
        }
        Cause::ContextTooLong => openai_context(at, input),
        Cause::RateLimit | Cause::ExtraUsage => openai_rate(at),
        Cause::Quota => openai_quota(at),
        Cause::Server | Cause::BadGateway => plain(
            500,
            "server_error",
            "The server had an error while processing your request. Sorry about that!",
        )
        .code("internal_server_error"),
        Cause::Unavailable => {
            plain(503, "server_error", "Our servers are currently overloaded. Please try again later.")
                .code("server_is_overloaded")
        }
        Cause::Timeout => plain(504, "timeout", "Request timed out.").code("request_timeout"),
        Cause::Overloaded => plain(529, "server_error", "Slow down.").code("slow_down"),
        Cause::Banned => plain(
            401,
            "invalid_request_error",
            "The account associated with this API key has been deactivated. If you feel this is an error, contact us through our help center at help.openai.com.",
        )
        .code("account_deactivated"),
    }
}

/// Shows a key as `OpenAI` does: the ends of it.
pub(crate) fn incorrect_key(key: &str) -> Refusal {
    let shown: String = if key.chars().count() > 12 {
        let end: String = key.chars().skip(key.chars().count() - 4).collect();
        format!("{}***{end}", key.chars().take(4).collect::<String>())
    } else {
        "***".to_owned()
    };
    Refusal::new(
        401,
        "invalid_request_error",
        format!(
            "Incorrect API key provided: {shown}. You can find your API key at https://platform.openai.com/account/api-keys."
        ),
    )
    .code("invalid_api_key")
}

fn openai_context(at: &Circumstances<'_>, input: &str) -> Refusal {
    let most = at.context(Maker::Openai);
    let message = if at.dialect == Dialect::Chat {
        format!(
            "This model's maximum context length is {most} tokens. However, your messages resulted in {} tokens. Please reduce the length of the messages.",
            at.tokens.max(most + 1)
        )
    } else {
        "Your input exceeds the context window of this model. Please adjust your input and try again."
            .to_owned()
    };
    Refusal::new(400, "invalid_request_error", message).code("context_length_exceeded").param(input)
}

fn openai_rate(at: &Circumstances<'_>) -> Refusal {
    let wait = at.wait_or(1);
    Refusal::new(
        429,
        "requests",
        format!(
            "Rate limit reached for {} in organization org-simulator on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in {wait}s.",
            at.model
        ),
    )
    .code("rate_limit_exceeded")
    .header("retry-after", wait.to_string())
    .header("retry-after-ms", (wait * 1000).to_string())
    .header("x-ratelimit-limit-requests", "500")
    .header("x-ratelimit-remaining-requests", "0")
    .header("x-ratelimit-reset-requests", format!("{wait}s"))
}

/// No money for `sk-` keys; a used-up window with its end for tokens of a plan.
fn openai_quota(at: &Circumstances<'_>) -> Refusal {
    if at.key.starts_with("sk-") {
        return Refusal::new(
            429,
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details.",
        )
        .code("insufficient_quota");
    }
    let wait = at.wait_or(3600);
    Refusal::new(429, "usage_limit_reached", "The usage limit has been reached")
        .extra("plan_type", json!("plus"))
        .extra("resets_at", json!(at.after(wait)))
        .extra("resets_in_seconds", json!(wait))
        .header("x-codex-primary-used-percent", "100.0")
        .header("x-codex-primary-window-minutes", "300")
        .header("x-codex-primary-reset-at", at.after(wait).to_string())
}

fn google(cause: Cause, at: &Circumstances<'_>) -> Refusal {
    if at.key.starts_with("ya29.")
        && let Some(refusal) = crate::google::worded(cause, at)
    {
        return refusal;
    }
    let plain = |status, kind: &'static str, message: &str| Refusal::new(status, kind, message);
    match cause {
        Cause::BadRequest | Cause::ThirdParty => {
            plain(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        }
        Cause::Auth => bad_google_key(),
        Cause::Billing => plain(403, "PERMISSION_DENIED", "This API method requires billing to be enabled.")
            .extra("details", json!([error_info("BILLING_DISABLED")])),
        Cause::Forbidden => plain(
            403,
            "PERMISSION_DENIED",
            "Your API key was reported as leaked. Please use another API key.",
        ),
        Cause::NotFound => Refusal::new(
            404,
            "NOT_FOUND",
            format!(
                "models/{} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.",
                at.model
            ),
        ),
        Cause::TooLarge => {
            plain(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
        }
        Cause::ContextTooLong => {
            let most = at.context(Maker::Google);
            Refusal::new(
                400,
                "INVALID_ARGUMENT",
                format!(
                    "The input token count ({}) exceeds the maximum number of tokens allowed ({most}).",
                    at.tokens.max(most + 1)
                ),
            )
        }
        Cause::RateLimit | Cause::ExtraUsage => google_quota(at, "PerMinute", at.wait_or(37)),
        Cause::Quota => google_quota(at, "PerDay", at.wait_or(3600)),
        Cause::Server | Cause::BadGateway => {
            plain(500, "INTERNAL", "An internal error has occurred. Please retry.")
        }
        Cause::Banned => plain(
            403,
            "PERMISSION_DENIED",
            "This service has been disabled in this account for violation of Terms of Service.",
        ),
        Cause::Unavailable | Cause::Overloaded => {
            plain(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        }
        Cause::Timeout => {
            plain(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
        }
    }
}

fn error_info(reason: &str) -> serde_json::Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    })
}

/// Google answers a bad key with 400.
pub(crate) fn bad_google_key() -> Refusal {
    Refusal::new(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
        .extra("details", json!([error_info("API_KEY_INVALID")]))
}

fn google_quota(at: &Circumstances<'_>, window: &str, wait: u64) -> Refusal {
    let quota = format!("GenerateRequests{window}PerProjectPerModel-FreeTier");
    Refusal::new(
        429,
        "RESOURCE_EXHAUSTED",
        format!(
            "You exceeded your current quota, please check your plan and billing details. Please retry in {wait}s."
        ),
    )
    .extra(
        "details",
        json!([
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{
                    "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                    "quotaId": quota, "quotaDimensions": {"location": "global", "model": at.model},
                    "quotaValue": "250",
                }],
            },
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [{
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{wait}s")},
        ]),
    )
}
