//! What a token endpoint says when it says no.

use crate::{
    LoginError, Polled, RefreshError, Standing,
    answer::whole_seconds,
    login::{page_of, plain},
};
use byok_transport::BufferedReply;
use byok_types::AccountState;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use std::{fmt, time::Duration};

/// How long to wait after a 429 without `Retry-After`.
const UNSTATED_WAIT: Duration = Duration::from_mins(1);

/// What vendors say of a token that is not good with another status than 401: Claude, Kiro.
const BAD_TOKEN: [&str; 2] = ["token has been revoked", "bearer token included in the request is invalid"];

/// The shapes of an error: `{"error": "code", "error_description": "…"}` (RFC 6749),
/// `{"error": {"code" or "type": "code", "message": "…"}}`, and `{"code" or "__type": "code", "message": "…"}`.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    error_description: Value,
    #[serde(default)]
    error_uri: Value,
    #[serde(default)]
    code: Value,
    #[serde(rename = "__type", default)]
    kind: Value,
    #[serde(default)]
    message: Value,
    #[serde(default, deserialize_with = "whole_seconds")]
    interval: Option<u64>,
}

/// An error answer of a token endpoint.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) description: String,
    pub(crate) uri: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The pace of questions that it asks for.
    pub(crate) interval: Option<Duration>,
    /// Whether it is a web page.
    page: bool,
}

impl Refusal {
    /// Reads an answer. A vendor may quote what it was sent: `sent` is not repeated.
    pub(crate) fn read(reply: &BufferedReply, sent: &[&str]) -> Self {
        let body: Body = serde_json::from_slice(&reply.body).unwrap_or_default();
        let hidden = |text: &str| {
            sent.iter()
                .filter(|secret| !secret.is_empty())
                .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
        };
        let text = |value: &Value| value.as_str().map(|text| plain(&hidden(text))).unwrap_or_default();
        let first = |texts: [String; 3]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let (code, message) = match &body.error {
            Value::Object(error) => {
                let field = |name| error.get(name).map(text).unwrap_or_default();
                (first([field("code"), field("type"), field("status")]), field("message"))
            }
            other => (text(other), String::new()),
        };
        let stated = text(&body.error_description);
        Self {
            status: reply.status,
            code: first([code, text(&body.code), text(&body.kind)]),
            description: first([stated, message, text(&body.message)]),
            uri: body.error_uri.as_str().map(str::to_owned),
            retry_after: reply
                .headers
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs),
            interval: body.interval.map(Duration::from_secs),
            page: reply.body.trim_ascii_start().starts_with(b"<"),
        }
    }

    /// Whether it is a web page: the endpoints of vendors speak JSON.
    pub(crate) const fn is_page(&self) -> bool {
        self.page
    }

    /// Whether it comes from something in front of the vendor, such as a challenge or the network's own page, which has refused
    /// nothing (`claude.md`, 1.1).
    pub(crate) fn is_in_front(&self) -> bool {
        self.page && self.status == StatusCode::FORBIDDEN
    }

    /// Whether the vendor turned the request down, and not only this try of it.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// What the answer to a question says of the token that it was asked with.
    pub(crate) fn standing(&self) -> Standing {
        let bad = BAD_TOKEN.iter().any(|words| self.description.contains(words));
        if self.status == StatusCode::UNAUTHORIZED || (self.status == StatusCode::FORBIDDEN && bad) {
            Standing::Refused(self.to_string())
        } else {
            Standing::Unknown
        }
    }

    /// What the answer means for a login: a vendor in trouble, or one that is asked too often, has refused nothing.
    pub(crate) fn of_login(&self) -> LoginError {
        let why = self.to_string();
        let busy = self.status.is_server_error()
            || matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        match self.uri.as_deref().and_then(page_of) {
            _ if busy => LoginError::Busy { why },
            _ if self.is_in_front() => LoginError::Busy {
                why: format!("{why}, with a web page: the network in front of it did not let byok through"),
            },
            Some(page) => LoginError::Refused { why, page: Some(page) },
            None => LoginError::CodeRefused { why },
        }
    }

    /// The same for the request for a code to enter, when there is no code yet.
    pub(crate) fn of_start(&self) -> LoginError {
        match self.of_login() {
            LoginError::CodeRefused { why } => LoginError::NotBegun { why },
            other => other,
        }
    }

    /// What the answer means to the question whether a code was entered (RFC 8628, section 3.5).
    pub(crate) fn of_poll(&self) -> Result<Polled, LoginError> {
        match self.code.as_str() {
            "authorization_pending" => return Ok(Polled::Pending),
            "slow_down" => return Ok(Polled::SlowDown(self.interval)),
            "expired_token" | "token_expired" => return Err(LoginError::CodeExpired),
            "access_denied" => return Err(self.denied()),
            "device_flow_disabled" => return Err(self.of_start()),
            _ => {}
        }
        // A server in trouble decides nothing.
        let too_fast = self.status == StatusCode::TOO_MANY_REQUESTS;
        match self.retry_after {
            Some(wait) if too_fast => Ok(Polled::Later(wait)),
            None if too_fast => Ok(Polled::SlowDown(self.interval)),
            wait if self.status.is_server_error() || self.is_in_front() => {
                let page = if self.page { ", with a web page" } else { "" };
                Ok(Polled::Unclear { why: format!("{self}{page}"), wait })
            }
            _ => Err(self.of_login()),
        }
    }

    /// The person, or the vendor in words of its own, said no.
    pub(crate) fn denied(&self) -> LoginError {
        let page = self.uri.as_deref().and_then(page_of);
        if self.description.is_empty() && page.is_none() {
            return LoginError::Denied { why: self.code.clone() };
        }
        let words = [&*self.code, &*self.description].into_iter().filter(|text| !text.is_empty());
        LoginError::Refused { why: words.collect::<Vec<_>>().join(": "), page }
    }

    /// What the answer means for a refresh. The grant is dead where the vendor says one of `dead` as code or description;
    /// `vendor` and `login` are the words that its owner knows it by.
    pub(crate) fn of_refresh(&self, vendor: &str, login: &str, dead: &[&str]) -> RefreshError {
        let is_dead = dead.iter().any(|word| self.code == *word || self.description == *word);
        if self.is_refusal() && is_dead {
            let reason = format!("{vendor} says `{}`; log in again with `byok login {login}`", self.words());
            return RefreshError::Permanent { state: AccountState::NeedsLogin { reason } };
        }
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                RefreshError::busy(self.to_string(), Some(self.retry_after.unwrap_or(UNSTATED_WAIT)))
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE => {
                RefreshError::Config { why: self.to_string() }
            }
            _ if self.is_refusal() && !self.code.is_empty() => RefreshError::Config { why: self.to_string() },
            status if status.is_redirection() => RefreshError::Config { why: self.to_string() },
            // A page of something in between (a challenge, a captive portal) or trouble of the vendor.
            _ => RefreshError::busy(self.to_string(), self.retry_after),
        }
    }

    /// The vendor's own words, or its code; where it said neither, its status.
    pub(crate) fn words(&self) -> &str {
        let said = [&self.description, &self.code].into_iter().find(|text| !text.is_empty());
        said.map_or(self.status.as_str(), String::as_str)
    }
}

impl fmt::Display for Refusal {
    /// Status and the vendor's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        for text in [&self.code, &self.description] {
            if !text.is_empty() {
                write!(f, ", {text}")?;
            }
        }
        Ok(())
    }
}
