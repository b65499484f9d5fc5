//! Errors of Responses upstreams, and errors as Responses clients expect them.

use super::writer::Object;
use crate::{Json, chat::says_nothing, error_words, ir::Failure};
use byok_types::{Blame, CREDENTIAL_REFUSED, Dialect, FailureKind, RawFailure};
use std::time::Duration;

/// Longest message taken from a body that is not a vendor's JSON.
const LONGEST_TEXT: usize = 500;

/// Reads the body of a failed request. Takes whatever comes: the vendor's shape, other vendors' shapes, text, a page of a
/// gateway.
pub fn decode_failure(status: u16, body: &[u8]) -> Failure {
    let said =
        serde_json::from_slice::<Json>(body).map_or_else(|_| Said::text(body), |json| Said::json(&json));
    let mut failure = said.failure(Some(status));
    failure.raw = Some(RawFailure { dialect: Dialect::Responses, content_type: None, body: body.to_vec() });
    failure
}

/// Reads the `error` of an answer or of an event. The HTTP status of such an answer was 200 and says nothing.
pub(super) fn of_error(error: &Json) -> Failure {
    Said::json(error).failure(None)
}

/// What an error body says, wherever it says it.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    /// `code`, else the last `type` that is not the mere word `error`.
    code: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    resets_at: Option<i64>,
}

crate::wire::wire! {
    struct Shape {
        "error" => error: Option<Json>,
        "errors" => errors: Vec<Json>,
        "detail" => detail: Option<Json>,
        "message" => message: Option<Json>,
        "msg" => msg: Option<Json>,
        "code" => code: Option<Json>,
        "type" => r#type: Option<Json>,
        "status" | "status_code" => status: Option<Json>,
        "param" => param: Option<Json>,
        "resets_in_seconds" => resets: Option<Json>,
        "resets_at" => resets_at: Option<Json>,
    }
}

impl Said {
    fn json(json: &Json) -> Self {
        let mut said = Self::default();
        said.take(json, 4);
        said
    }

    /// Takes what this level says; deeper levels have said it better already.
    fn take(&mut self, json: &Json, depth: u8) {
        if depth == 0 {
            return;
        }
        if let Some(text) = json.as_string() {
            self.message.get_or_insert(text);
            return;
        }
        if json.get().starts_with('[') {
            let list: Vec<Json> = json.read().unwrap_or_default();
            if let Some(first) = list.first() {
                self.take(first, depth - 1);
            }
            return;
        }
        let Ok(shape) = json.read::<Shape>() else { return };
        let list = shape.detail.as_ref().filter(|detail| detail.get().starts_with('['));
        if let Some(said) = list.and_then(|list| error_words::of_details(&list.to_tree())) {
            self.message.get_or_insert(said);
        }
        for inner in shape.error.iter().chain(shape.errors.first()).chain(&shape.detail) {
            self.take(inner, depth - 1);
        }
        if let Some(text) = shape.message.or(shape.msg).and_then(|m| m.as_string()).filter(|m| !m.is_empty())
        {
            self.message.get_or_insert(text);
        }
        // A number in `code` is the status of vendors who write it there.
        let number =
            |value: &Option<Json>| value.as_ref().and_then(|v| v.get().trim_matches('"').parse::<u16>().ok());
        let word = |value: Option<Json>| {
            value.and_then(|v| v.as_string()).filter(|v| !v.is_empty() && v.parse::<u16>().is_err())
        };
        self.status = self.status.or(number(&shape.status)).or(number(&shape.code));
        let (code, kind) = (word(shape.code), word(shape.r#type).filter(|t| t != "error"));
        self.code = self.code.take().or(code);
        self.kind = self.kind.take().or(kind);
        self.param = self.param.take().or_else(|| word(shape.param));
        let seconds = shape.resets.and_then(|r| r.get().trim_matches('"').parse::<f64>().ok());
        self.retry_after =
            self.retry_after.or_else(|| seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()));
        let at = shape.resets_at.and_then(|at| at.get().trim_matches('"').parse::<i64>().ok());
        self.resets_at = self.resets_at.or(at);
    }

    /// The readable part of a body that is not JSON.
    fn text(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let readable = error_words::of_web_page(&text)
            .unwrap_or_else(|| text.trim().chars().take(LONGEST_TEXT).collect());
        Self { message: (!readable.is_empty()).then_some(readable), ..Self::default() }
    }

    fn failure(self, status: Option<u16>) -> Failure {
        let status = status.filter(|s| *s >= 400).or(self.status.filter(|s| *s >= 400));
        let kind = self.failure_kind(status);
        let message = self.message.unwrap_or_else(|| match status {
            Some(status) => error_words::without_words(status, self.code.as_deref().or(self.kind.as_deref())),
            None => "The upstream reported an error and no explanation. Try again.".to_owned(),
        });
        let wait = self.retry_after.or_else(|| wait_in(&message));
        Failure {
            status: status.unwrap_or(kind.default_status()),
            param: self.param,
            code: self.code.or(self.kind),
            retry_after: wait,
            resets_at: self.resets_at,
            ..Failure::new(kind, blame(kind), message)
        }
    }

    fn failure_kind(&self, status: Option<u16>) -> FailureKind {
        let words = [self.code.as_deref(), self.kind.as_deref()];
        if let Some(kind) = words.into_iter().flatten().find_map(kind_of_word) {
            return kind;
        }
        let message = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        let clients = status.is_none_or(|s| matches!(s, 400 | 413 | 422));
        if clients && OVERFLOW.iter().any(|words| message.contains(words)) {
            return FailureKind::ContextTooLong;
        }
        if message.contains("is at capacity") {
            return FailureKind::Overloaded;
        }
        match status {
            Some(401) => FailureKind::Auth,
            Some(402) => FailureKind::Billing,
            Some(403) => FailureKind::Permission,
            Some(404) => FailureKind::NotFound,
            Some(408 | 504) => FailureKind::Timeout,
            Some(409) => FailureKind::Conflict,
            Some(413) => FailureKind::PayloadTooLarge,
            Some(429) => FailureKind::RateLimit,
            Some(499) => FailureKind::ClientGone,
            Some(503 | 529) => FailureKind::Overloaded,
            Some(500..) => FailureKind::Server,
            Some(_) => FailureKind::BadRequest,
            None if words.contains(&Some("invalid_request_error")) => FailureKind::BadRequest,
            None => FailureKind::Server,
        }
    }
}

/// How vendors say that the prompt is longer than the context.
const OVERFLOW: [&str; 6] = [
    "context length",
    "context window",
    "maximum context",
    "prompt is too long",
    "input token count",
    "context_length_exceeded",
];

/// What a code or type means, as far as it says more than the status.
fn kind_of_word(word: &str) -> Option<FailureKind> {
    Some(match word {
        "context_length_exceeded" => FailureKind::ContextTooLong,
        "insufficient_quota" | "billing_error" | "billing_hard_limit_reached" | "billing_not_active" => {
            FailureKind::Billing
        }
        "usage_limit_reached" => FailureKind::QuotaWindow,
        "usage_not_included" | "permission_error" | "permission_denied" => FailureKind::Permission,
        "rate_limit_exceeded" | "rate_limit_error" | "tokens" | "requests" => FailureKind::RateLimit,
        "server_is_overloaded" | "slow_down" | "overloaded_error" => FailureKind::Overloaded,
        "invalid_api_key"
        | "authentication_error"
        | "token_expired"
        | "token_invalidated"
        | "token_revoked"
        | "account_deactivated" => FailureKind::Auth,
        "model_not_found" | "not_found_error" => FailureKind::NotFound,
        "content_policy_violation"
        | "content_filter"
        | "cyber_policy"
        | "bio_policy"
        | "image_content_policy_violation" => FailureKind::ContentPolicy,
        "request_too_large" => FailureKind::PayloadTooLarge,
        "conflict_error" => FailureKind::Conflict,
        "request_timeout" | "timeout" | "timeout_error" => FailureKind::Timeout,
        "invalid_prompt" | "invalid_encrypted_content" => FailureKind::BadRequest,
        "server_error" | "internal_server_error" | "api_error" => FailureKind::Server,
        _ => return None,
    })
}

fn blame(kind: FailureKind) -> Blame {
    match kind {
        FailureKind::BadRequest
        | FailureKind::ContextTooLong
        | FailureKind::PayloadTooLarge
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::ClientGone
        | FailureKind::ContentPolicy => Blame::Client,
        FailureKind::Auth
        | FailureKind::Credential
        | FailureKind::Billing
        | FailureKind::Permission
        | FailureKind::RateLimit
        | FailureKind::QuotaWindow
        | FailureKind::Timeout
        | FailureKind::Overloaded
        | FailureKind::Server
        | FailureKind::UpstreamTruncated => Blame::Upstream,
    }
}

/// The time in a message such as `Please try again in 1.3s` or `… in 28ms` or `… in 6m0s`.
fn wait_in(message: &str) -> Option<Duration> {
    let at = message.find("try again in ")? + "try again in ".len();
    let mut rest = &message[at..];
    let mut seconds = 0.0;
    let mut found = false;
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0) {
        let Ok(number) = rest[..end].parse::<f64>() else { break };
        rest = &rest[end..];
        let (unit, length) = match rest.as_bytes() {
            [b'm', b's', ..] => (0.001, 2),
            [b's', ..] => (1.0, 1),
            [b'm', ..] => (60.0, 1),
            [b'h', ..] => (3600.0, 1),
            _ => break,
        };
        seconds += number * unit;
        found = true;
        rest = &rest[length..];
    }
    found.then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// Writes the body of a failed request. `OpenAI` names the request in a header, so `_request_id` is not part of it.
pub fn encode_failure(failure: &Failure, _request_id: &str) -> Vec<u8> {
    let (kind, default_code) = words(failure.kind);
    // A code of another vendor's vocabulary would be misread; one of OpenAI's or of byok itself says more than the kind.
    let own =
        failure.raw.as_ref().is_none_or(|raw| matches!(raw.dialect, Dialect::Chat | Dialect::Responses));
    let stated = failure.code.as_deref().filter(|code| own && *code != kind && !says_nothing(code));
    // Codes that clients act on are OpenAI's own.
    let decisive = matches!(
        failure.kind,
        FailureKind::ContextTooLong
            | FailureKind::Billing
            | FailureKind::QuotaWindow
            | FailureKind::RateLimit
            | FailureKind::Overloaded
    );
    let code = stated.filter(|code| !decisive || kind_of_word(code) == Some(failure.kind)).or(default_code);
    let mut out = Vec::with_capacity(failure.message.len() + 128);
    let mut object = Object::begin(&mut out);
    let mut error = Object::begin(object.member("error"));
    error.text("message", &failure.message).text("type", kind);
    error.value("param", &failure.param).value("code", &code);
    if failure.kind == FailureKind::QuotaWindow {
        // Codex CLI tells its person when to come back.
        if let Some(at) = failure.resets_at {
            error.value("resets_at", &at);
        }
        if let Some(wait) = failure.retry_after {
            error.value("resets_in_seconds", &wait.as_secs());
        }
    }
    error.end();
    object.end();
    out
}

/// `type` and `code` of a kind in the vendor's words.
fn words(kind: FailureKind) -> (&'static str, Option<&'static str>) {
    match kind {
        FailureKind::BadRequest => ("invalid_request_error", None),
        FailureKind::ContextTooLong => ("invalid_request_error", Some("context_length_exceeded")),
        FailureKind::PayloadTooLarge => ("invalid_request_error", Some("request_too_large")),
        FailureKind::Auth => ("invalid_request_error", Some("invalid_api_key")),
        FailureKind::Credential => ("server_error", Some(CREDENTIAL_REFUSED)),
        FailureKind::Billing => ("insufficient_quota", Some("insufficient_quota")),
        FailureKind::Permission => ("permission_error", None),
        FailureKind::NotFound => ("invalid_request_error", Some("model_not_found")),
        FailureKind::Conflict => ("conflict_error", None),
        FailureKind::RateLimit => ("rate_limit_error", Some("rate_limit_exceeded")),
        FailureKind::QuotaWindow => ("usage_limit_reached", Some("insufficient_quota")),
        FailureKind::Timeout => ("timeout", Some("request_timeout")),
        FailureKind::ClientGone => ("invalid_request_error", Some("client_closed_request")),
        FailureKind::Overloaded => ("server_error", Some("server_is_overloaded")),
        FailureKind::Server | FailureKind::UpstreamTruncated => {
            ("server_error", Some("internal_server_error"))
        }
        FailureKind::ContentPolicy => ("invalid_request_error", Some("content_policy_violation")),
    }
}

/// Code and message of a failure in the middle of a stream. Codex reads nothing but these: it gives up on the codes that it
/// knows and tries everything else again, after the time that the message names.
pub(super) fn in_stream(failure: &Failure) -> (&'static str, String) {
    let code = match failure.kind {
        FailureKind::ContextTooLong => "context_length_exceeded",
        FailureKind::Billing | FailureKind::QuotaWindow => "insufficient_quota",
        FailureKind::RateLimit => "rate_limit_exceeded",
        FailureKind::Overloaded => "server_is_overloaded",
        FailureKind::BadRequest | FailureKind::PayloadTooLarge | FailureKind::ContentPolicy => {
            "invalid_prompt"
        }
        FailureKind::Auth
        | FailureKind::Credential
        | FailureKind::Permission
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::Timeout
        | FailureKind::ClientGone
        | FailureKind::Server
        | FailureKind::UpstreamTruncated => "server_error",
    };
    let mut message = failure.message.clone();
    if let Some(wait) = failure.retry_after.filter(|_| !message.contains("try again in ")) {
        message.push_str(" Please try again in ");
        message.push_str(&wait.as_secs_f64().to_string());
        message.push_str("s.");
    }
    (code, message)
}
