//! The words of Kimi's refusals.

use crate::{scenario::Cause, server::Reply};
use serde_json::json;

/// A refusal in the shape of Messages.
pub(super) fn said(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(status, Vec::new(), &json!({"type": "error", "error": {"type": kind, "message": message}}))
}

/// The refusal for a cause.
pub(super) fn of(cause: Cause, wait: Option<u64>) -> Reply {
    let waiting = |message: &str, kind: &str, seconds: u64| {
        let headers = vec![("retry-after".to_owned(), seconds.to_string())];
        Reply::json(429, headers, &json!({"type": "error", "error": {"type": kind, "message": message}}))
    };
    match cause {
        Cause::BadRequest => said(400, "invalid_request_error", "The scenario refuses this request."),
        Cause::ThirdParty => said(
            403,
            "access_terminated_error",
            "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, Kilo Code, etc.",
        ),
        Cause::Auth => said(
            401,
            "invalid_authentication_error",
            "The API Key appears to be invalid or may have expired.",
        ),
        Cause::Billing => {
            said(402, "membership_error", "We're unable to verify your membership benefits at this time.")
        }
        Cause::ExtraUsage => {
            said(403, "quota_error", "You've reached your usage limit for this billing cycle.")
        }
        Cause::Quota => waiting(
            "You've reached your usage limit for this period.",
            "rate_limit_reached_error",
            wait.unwrap_or(3600),
        ),
        Cause::Forbidden | Cause::Banned => said(403, "access_terminated_error", "Access terminated"),
        Cause::NotFound => said(404, "resource_not_found_error", "Not found the model or permission denied"),
        Cause::TooLarge => said(413, "request_too_large", "Request body is too large"),
        Cause::ContextTooLong => {
            said(400, "invalid_request_error", "prompt is too long: 300000 tokens > 262144 maximum")
        }
        Cause::RateLimit => waiting(
            "We're receiving too many requests at the moment. Please wait a moment and try again.",
            "rate_limit_reached_error",
            wait.unwrap_or(1),
        ),
        Cause::Overloaded => {
            said(429, "engine_overloaded_error", "The engine is currently overloaded, please try again later")
        }
        Cause::Server | Cause::BadGateway => said(500, "server_error", "Internal server error"),
        Cause::Unavailable => said(503, "server_error", "Service unavailable"),
        Cause::Timeout => said(504, "timeout_error", "Request timed out"),
    }
}
