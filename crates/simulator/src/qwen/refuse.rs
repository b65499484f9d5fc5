//! The words of the vendor's refusals.

use crate::{scenario::Cause, server::Reply};
use serde_json::json;

/// A refusal in the shape of the platform.
pub(super) fn said(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({
        "error": {"code": code, "message": message, "type": code, "param": null}, "request_id": "sim-request",
    });
    Reply::json(status, Vec::new(), &body)
}

/// The refusal for a cause; `None` where the vendor has the words of `OpenAI`.
pub(super) fn of(cause: Cause, wait: Option<u64>, login: bool) -> Option<Reply> {
    Some(match cause {
        Cause::BadRequest => said(400, "InvalidParameter", "The scenario refuses this request."),
        Cause::Auth if login => said(401, "invalid_api_key", "invalid access token or token expired"),
        Cause::Auth => said(401, "invalid_api_key", "Incorrect API key provided."),
        Cause::Forbidden => said(403, "access_denied", "Access denied."),
        Cause::Quota => said(429, "insufficient_quota", "Free allocated quota exceeded."),
        Cause::ExtraUsage => said(403, "quota_exceeded", "Quota exceeded for this account."),
        Cause::Billing | Cause::Banned => {
            said(400, "Arrearage", "Access denied, please make sure your account is in good standing.")
        }
        Cause::ThirdParty => {
            said(400, "DataInspectionFailed", "Input text data may contain inappropriate content.")
        }
        Cause::RateLimit => {
            let body = json!({
                "error": {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded, please try again later.", "type": "Throttling.RateQuota", "param": null},
                "request_id": "sim-request",
            });
            Reply::json(429, vec![("retry-after".to_owned(), wait.unwrap_or(1).to_string())], &body)
        }
        _ => return None,
    })
}
