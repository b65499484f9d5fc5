//! The typed details of Google's errors (`google.rpc.ErrorInfo` and its kin).

use crate::ir::Failure;
use byok_types::{CLAIM_NOT_ACCEPTED, FailureKind};
use serde_json::{Value, json};
use std::time::Duration;

const TYPE: &str = "type.googleapis.com/google.rpc.";

/// What the details of an error say.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// `ErrorInfo.reason`.
    pub(super) reason: String,
    /// `RetryInfo.retryDelay`, else what `ErrorInfo` says of the reset.
    pub(super) retry_after: Option<Duration>,
    /// Whether the quota that was exceeded is one of a day.
    pub(super) daily: bool,
    /// `BadRequest.fieldViolations[0].field`.
    pub(super) field: Option<String>,
}

impl Details {
    pub(super) fn read(list: &[Value]) -> Self {
        let mut details = Self::default();
        let mut reset = None;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        for detail in list {
            match detail.get("@type").and_then(Value::as_str).and_then(|t| t.strip_prefix(TYPE)) {
                Some("ErrorInfo") => {
                    details.reason = text(detail, "reason").unwrap_or_default();
                    let metadata = detail.get("metadata");
                    reset = metadata.and_then(|m| text(m, "quotaResetDelay")).and_then(|d| duration(&d));
                }
                Some("RetryInfo") => {
                    details.retry_after = text(detail, "retryDelay").and_then(|delay| duration(&delay));
                }
                Some("QuotaFailure") => {
                    let violations = detail.get("violations").and_then(Value::as_array);
                    details.daily |= violations.into_iter().flatten().any(|violation| {
                        text(violation, "quotaId")
                            .is_some_and(|id| id.contains("PerDay") || id.contains("Daily"))
                    });
                }
                Some("BadRequest") => {
                    details.field = detail.pointer("/fieldViolations/0").and_then(|v| text(v, "field"));
                }
                _ => {}
            }
        }
        details.retry_after = details.retry_after.or(reset);
        details
    }
}

/// A duration as Google writes it: `34.07s`, `900ms`, `1h16m0.667s`.
fn duration(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end =
            rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |i| i + digits);
        total += number
            * match &rest[digits..unit_end] {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    Duration::try_from_secs_f64(total).ok()
}

/// The waiting time that a message names.
pub(super) fn duration_in(message: &str) -> Option<Duration> {
    let lower = message.to_ascii_lowercase();
    ["retry in ", "reset after ", "resets in ", "try again in "].iter().find_map(|phrase| {
        let after = &lower[lower.find(phrase)? + phrase.len()..];
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(after.len());
        duration(after[..end].trim_end_matches('.'))
    })
}

/// The details that Google's clients decide by: how long to wait, whether waiting helps today at all, which field.
pub(super) fn of(failure: &Failure, request_id: &str) -> Vec<Value> {
    let typed = |name: &str, mut value: Value| {
        if let Value::Object(fields) = &mut value {
            fields.shift_insert(0, "@type".to_owned(), format!("{TYPE}{name}").into());
        }
        value
    };
    let mut details = Vec::new();
    let reason = match failure.kind {
        _ if failure.code.as_deref() == Some(CLAIM_NOT_ACCEPTED) => Some("CLAIM_NOT_ACCEPTED"),
        FailureKind::RateLimit => Some("RATE_LIMIT_EXCEEDED"),
        FailureKind::QuotaWindow | FailureKind::Billing => Some("QUOTA_EXHAUSTED"),
        FailureKind::Auth => Some("API_KEY_INVALID"),
        FailureKind::Credential => Some("UPSTREAM_CREDENTIAL_REFUSED"),
        _ => None,
    };
    if let Some(reason) = reason {
        details.push(typed("ErrorInfo", json!({"reason": reason, "domain": "byok"})));
    }
    if matches!(failure.kind, FailureKind::QuotaWindow | FailureKind::Billing) {
        // Clients stop retrying when the name of the quota says that it is one of a day.
        let violation = json!({"quotaId": "PlanPerDay", "description": failure.message});
        details.push(typed("QuotaFailure", json!({"violations": [violation]})));
    }
    if let Some(after) = failure.retry_after {
        let seconds = after.as_millis().div_ceil(1000);
        details.push(typed("RetryInfo", json!({"retryDelay": format!("{seconds}s")})));
    }
    if let Some(field) = &failure.param {
        let violation = json!({"field": field, "description": failure.message});
        details.push(typed("BadRequest", json!({"fieldViolations": [violation]})));
    }
    if !request_id.is_empty() {
        details.push(typed("RequestInfo", json!({"requestId": request_id})));
    }
    details
}
