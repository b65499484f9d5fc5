//! What the token endpoint says when it says no.

use crate::{RefreshError, login::plain};
use byok_transport::BufferedReply;
use byok_types::AccountState;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Where a person can appeal if the vendor names no page of its own.
const APPEAL: &str = "https://claude.ai/restricted";
/// How long to wait after a 429 without `Retry-After`.
const UNSTATED_WAIT: Duration = Duration::from_mins(1);
/// Descriptions of a dead grant, seen with `invalid_grant` and recognised without it.
const DEAD: [&str; 4] = [
    "Refresh token expired",
    "Refresh token not found or invalid",
    "No organization associated with this token",
    "No account associated with this token",
];

/// The two shapes of an error: `{"error": "code", "error_description": "…"}` and
/// `{"type": "error", "error": {"type": "code", "message": "…"}}`.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    error_description: Value,
    #[serde(default)]
    error_uri: Value,
}

/// An error answer of the token endpoint.
pub(super) struct Refusal {
    status: StatusCode,
    code: String,
    description: String,
    uri: Option<String>,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads an answer. A vendor may quote what it was sent: `sent` is not repeated.
    pub(super) fn read(reply: &BufferedReply, sent: &[&str]) -> Self {
        let body: Body = serde_json::from_slice(&reply.body).unwrap_or_default();
        let hidden = |text: &str| {
            sent.iter()
                .filter(|secret| !secret.is_empty())
                .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
        };
        let text = |value: &Value| value.as_str().map(|text| plain(&hidden(text))).unwrap_or_default();
        let (code, message) = match &body.error {
            Value::Object(error) => {
                let field = |name| error.get(name).map(text).unwrap_or_default();
                (field("type"), field("message"))
            }
            other => (text(other), String::new()),
        };
        let stated = text(&body.error_description);
        Self {
            status: reply.status,
            code,
            description: if stated.is_empty() { message } else { stated },
            uri: body.error_uri.as_str().map(str::to_owned),
            retry_after: reply
                .headers
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs),
        }
    }

    /// Whether a scope was named that the grant does not have.
    pub(super) fn is_about_scope(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST && self.code == "invalid_scope"
    }

    /// What the answer means for a refresh.
    pub(super) fn of_refresh(&self) -> RefreshError {
        let refused =
            matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if refused && self.description == "account_on_hold" {
            let reason =
                format!("Anthropic has put the account on hold for review; appeal at {}", self.appeal());
            return RefreshError::Permanent { state: AccountState::Blocked { reason } };
        }
        if refused && self.is_dead() {
            let reason = format!("Anthropic says `{}`; log in again with `byok login claude`", self.words());
            return RefreshError::Permanent { state: AccountState::NeedsLogin { reason } };
        }
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                RefreshError::busy(self.to_string(), Some(self.retry_after.unwrap_or(UNSTATED_WAIT)))
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE => {
                RefreshError::Config { why: self.to_string() }
            }
            _ if refused && !self.code.is_empty() => RefreshError::Config { why: self.to_string() },
            status if status.is_redirection() => RefreshError::Config { why: self.to_string() },
            // A page of something in between (a challenge, a captive portal) or trouble of the vendor.
            _ => RefreshError::busy(self.to_string(), self.retry_after),
        }
    }

    fn is_dead(&self) -> bool {
        matches!(self.code.as_str(), "invalid_grant" | "access_denied" | "invalid_scope")
            || DEAD.contains(&self.description.as_str())
    }

    /// Only pages of the vendor are shown to a person who is told to go there.
    fn appeal(&self) -> String {
        let trusted = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            let of = |domain: &str| {
                host == domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'))
            };
            url.scheme() == "https" && (of("claude.ai") || of("anthropic.com"))
        };
        let stated = self.uri.as_deref().and_then(|uri| Url::parse(uri).ok()).filter(trusted);
        stated.map_or_else(|| APPEAL.to_owned(), String::from)
    }

    fn words(&self) -> &str {
        [&self.description, &self.code].into_iter().find(|text| !text.is_empty()).map_or("no", String::as_str)
    }
}

impl std::fmt::Display for Refusal {
    /// Status and the vendor's words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        for text in [&self.code, &self.description] {
            if !text.is_empty() {
                write!(f, ", {text}")?;
            }
        }
        Ok(())
    }
}
