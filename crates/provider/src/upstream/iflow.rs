//! iFlow (ended on 2026-04-17): Chat Completions, signed under the name of the vendor's program.

mod body;
mod sign;

use super::{
    Ask, Endpoint, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, set, without_tail,
};
use crate::knowledge::Discovered;
use byok_auth::iflow::API_KEY;
use byok_translate::{Losses, codec};
use byok_types::{AccountState, Blame, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, header::AUTHORIZATION};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The claim that a signature is made under.
const CLAIM: &str = "iflow-cli";
pub(crate) const ENDED: &str = "iFlow was shut down on 2026-04-17; its open models are served by other providers, for example by `qwen` with a key";
/// What helps where a signed request is not acceptable.
const ENDED_OR_CLOCK: &str = "its requests are signed with the time, so a wrong clock of this machine is refused in the same way: set it; but iFlow was shut down \
     on 2026-04-17, and its open models are served by other providers, for example by `qwen` with a key";

/// iFlow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Iflow;

impl Upstream for Iflow {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let base = without_tail(base, &["/chat/completions"]);
        match ask.operation {
            Operation::Models => join(base, "/models"),
            Operation::Endpoint(endpoint) => join(base, endpoint.path()),
            Operation::Generate { .. } | Operation::Count => join(base, "/chat/completions"),
        }
    }

    fn has(&self, _endpoint: Endpoint) -> bool {
        false
    }

    fn demands(&self, ask: &Ask<'_>, _token: &Token) -> Option<&'static str> {
        (!ask.may_claim(CLAIM)).then_some(CLAIM)
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        set(headers, AUTHORIZATION, &format!("Bearer {}", key_of(token)), true);
        if ask.may_claim(CLAIM) {
            sign::headers(key_of(token), headers);
        }
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // Nothing of it was ever charged.
        false
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        body::shaped(body, &shaping.facts.id, losses)
    }

    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        own(body).unwrap_or_else(|| {
            let failure = codec::decode_failure(dialect, status, body);
            // The gate in front of the API has no body at all.
            if status == 406 { refused(406, &failure.message) } else { failure }
        })
    }

    fn refusal_in(&self, body: &[u8]) -> Option<Failure> {
        own(body)
    }

    fn knows_only_old_cap(&self) -> bool {
        true
    }

    fn relays_refusals(&self) -> bool {
        false
    }

    fn ends_logins(&self) -> bool {
        true
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        match failure.code.as_deref() {
            Some("434" | "438") => Verdict {
                state: Some(AccountState::Blocked {
                    reason: format!("iFlow has blocked the key ({}); {ENDED}.", failure.message),
                }),
                own_credential: true,
                hint: Some(ENDED),
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            },
            // So it refuses a signature, too, whose time is not its own.
            Some("406") => Verdict {
                own_credential: true,
                hint: Some(ENDED_OR_CLOCK),
                ..Verdict::other(Some((Scope::Account, Duration::from_mins(30))))
            },
            _ if failure.kind == FailureKind::Auth && refusal.oauth => {
                Verdict { next: Next::Refresh, own_credential: true, hint: Some(ENDED), ..Verdict::PASS_ON }
            }
            _ => judge_by_kind(refusal),
        }
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        let mut headers = HeaderMap::new();
        set(&mut headers, AUTHORIZATION, &format!("Bearer {}", key_of(token)), true);
        Some(Lookup::get(join(without_tail(base, &["/chat/completions"]), "/models").ok()?, headers))
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        codec::decode_models(Dialect::Chat, body)
    }
}

/// The key: that of a login lies beside its tokens.
fn key_of(token: &Token) -> &str {
    token.fact(API_KEY).unwrap_or_else(|| token.secret.expose())
}

/// A refusal in the vendor's own shape, which often comes with status 200: `{"status":"434","msg":"…"}`, or
/// `{"success":false,"code":"500","message":"…"}`.
fn own(body: &[u8]) -> Option<Failure> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        choices: Value,
        #[serde(default)]
        status: Value,
        #[serde(default)]
        msg: Value,
        #[serde(default)]
        success: Option<bool>,
        #[serde(default)]
        code: Value,
        #[serde(default)]
        message: Value,
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    let number = |value: &Value| match value {
        Value::String(text) => text.trim().parse::<u16>().ok(),
        value => value.as_u64().and_then(|number| u16::try_from(number).ok()),
    };
    if !said.choices.is_null() {
        return None;
    }
    match (number(&said.status), said.msg.as_str(), said.success) {
        (Some(status), Some(words), _) => Some(refused(status, words)),
        (None, _, Some(false)) => {
            Some(refused(number(&said.code).unwrap_or(500), said.message.as_str().unwrap_or_default()))
        }
        _ => None,
    }
}

/// What one of the vendor's numbers means; for the client it becomes a status that clients know.
fn refused(number: u16, words: &str) -> Failure {
    let (kind, status) = match number {
        406 | 434 | 438 => (FailureKind::Permission, 403),
        401 | 439 => (FailureKind::Auth, 401),
        429 | 449 => (FailureKind::RateLimit, 429),
        400 | 413 | 422 => (FailureKind::BadRequest, 400),
        404 | 435 => (FailureKind::NotFound, 404),
        500..=599 => (FailureKind::Overloaded, 503),
        _ => (FailureKind::Server, 502),
    };
    let blame = if matches!(kind, FailureKind::BadRequest | FailureKind::NotFound) {
        Blame::Client
    } else {
        Blame::Upstream
    };
    let words = if words.is_empty() { "iFlow refused the request without a word." } else { words };
    let words: String = words.chars().take(500).collect();
    Failure::new(kind, blame, words).with_status(status).with_code(number.to_string())
}

#[cfg(test)]
mod tests;
