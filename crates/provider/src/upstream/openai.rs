//! `OpenAI` by API key, and everything that speaks Chat Completions or Responses like it.

use super::{
    Ask, Endpoint, Lookup, Operation, Refusal, Scope, Token, Upstream, Verdict, join, judge_by_kind, limits,
    listing, set, without_tail,
};
use crate::knowledge::Discovered;
use byok_translate::codec;
use byok_types::{Dialect, Failure, FailureKind};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use std::time::Duration;
use url::Url;

/// Headers of a client that mean something to the vendor and nothing to anybody else.
const FORWARDED: [HeaderName; 3] = [
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
    HeaderName::from_static("openai-beta"),
];

/// `OpenAI` and compatible servers.
#[derive(Clone, Copy, Debug)]
pub struct OpenAi {
    /// Whether this is the vendor itself, to which the headers of its clients may be passed on.
    pub first_party: bool,
}

impl Upstream for OpenAi {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        // The address holds the version already; only the path is appended.
        let base = without_tail(base, &["/chat/completions", "/responses"]);
        match (ask.operation, ask.dialect) {
            (Operation::Generate { .. }, Dialect::Responses) => join(base, "/responses"),
            (Operation::Generate { .. }, _) => join(base, "/chat/completions"),
            (Operation::Count, _) => join(base, "/responses/input_tokens"),
            (Operation::Models, _) => join(base, "/models"),
            (Operation::Endpoint(endpoint), _) => join(base, endpoint.path()),
        }
    }

    fn has(&self, endpoint: Endpoint) -> bool {
        // Of a compatible server nobody knows which of them it has; it says so itself.
        endpoint.dialect() != Dialect::Gemini
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        // A local server without a key gets no header at all: some refuse an empty one.
        let secret = token.secret.expose();
        if !secret.is_empty() {
            set(headers, AUTHORIZATION, &format!("Bearer {secret}"), true);
        }
        if let Some(client) = ask.client.filter(|_| self.first_party) {
            for name in FORWARDED {
                if let Some(value) = client.get(&name) {
                    headers.insert(name, value.clone());
                }
            }
        }
    }

    fn knows_only_old_cap(&self) -> bool {
        // The vendors that are known by a file of facts alone.
        !self.first_party
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // Its keys are charged for every answer; there is no plan.
        false
    }

    fn opens_at(&self, failure: &Failure, headers: &HeaderMap, now: i64) -> Option<i64> {
        let limited = matches!(failure.kind, FailureKind::RateLimit | FailureKind::QuotaWindow);
        if limited { limits::opens_at(failure, headers, now) } else { None }
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        if let Some(verdict) = limits::judge(refusal.failure).filter(|_| !self.first_party) {
            return verdict;
        }
        let code = refusal.failure.code.as_deref().unwrap_or_default();
        match (refusal.failure.status, code) {
            (429, "insufficient_quota" | "billing_not_active") => {
                Verdict::other(Some((Scope::Account, Duration::from_mins(30))))
            }
            // Not an organisation's matter but the key's or its project's: another key may be allowed.
            (status @ (403 | 404), "model_not_found")
                if refusal.failure.message.contains("does not have access") =>
            {
                Verdict {
                    own_credential: status == 403,
                    ..Verdict::other(Some((Scope::Model, Duration::from_mins(5))))
                }
            }
            // That, or a wrong name: nobody can say which. Other servers mean the latter.
            (404, "model_not_found")
                if self.first_party && refusal.failure.message.contains("do not have access") =>
            {
                Verdict::other(None)
            }
            (403, _) if refusal.failure.kind == FailureKind::ContentPolicy => Verdict::PASS_ON,
            // OpenRouter's word for a key that has spent what its owner lets it spend.
            (403, _) if refusal.failure.message.contains("Key limit exceeded") => Verdict {
                own_credential: true,
                hint: Some("the key has spent what it may; raise its limit with the vendor"),
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            },
            // Limits of a day are among them.
            _ if refusal.failure.kind == FailureKind::RateLimit => {
                let wait = refusal.failure.retry_after.unwrap_or(Duration::from_secs(5));
                Verdict::other(Some((Scope::Model, wait.min(Duration::from_hours(24)))))
            }
            _ => judge_by_kind(refusal),
        }
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        listing::ask(self, base, token, Dialect::Chat)
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        codec::decode_models(Dialect::Chat, body)
    }
}
