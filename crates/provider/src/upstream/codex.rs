//! Codex by the login of a `ChatGPT` plan: Responses with rules of its own, always as a stream.

mod plan;
mod shape;

use super::{
    Ask, Endpoint, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, set, without_tail,
};
use crate::knowledge::{Discovered, Quota, Window};
use byok_config::{HttpUrl, UrlName};
use byok_translate::Losses;
use byok_types::{AccountState, Blame, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use indexmap::IndexMap;
use std::time::Duration;
use url::Url;

const ACCOUNT: HeaderName = HeaderName::from_static("chatgpt-account-id");
const FEDRAMP: HeaderName = HeaderName::from_static("x-openai-fedramp");
const ORIGINATOR: HeaderName = HeaderName::from_static("originator");
/// Marks a body in the shape that the official client has for most models since 2026.
const LITE: HeaderName = HeaderName::from_static("x-openai-internal-codex-responses-lite");
/// What a client of the vendor says of itself and its conversation travels with its own requests.
const FORWARDED: [HeaderName; 14] = [
    ORIGINATOR,
    LITE,
    HeaderName::from_static("session-id"),
    HeaderName::from_static("session_id"),
    HeaderName::from_static("conversation_id"),
    HeaderName::from_static("thread-id"),
    HeaderName::from_static("version"),
    HeaderName::from_static("openai-beta"),
    HeaderName::from_static("x-client-request-id"),
    HeaderName::from_static("x-codex-window-id"),
    HeaderName::from_static("x-codex-turn-state"),
    HeaderName::from_static("x-codex-turn-metadata"),
    HeaderName::from_static("x-codex-routing-hint"),
    HeaderName::from_static("x-codex-beta-features"),
];
/// The list of models is asked for in the shape of this version of its interface; newer models are hidden from older ones.
const LIST_VERSION: &str = "0.169.0";
const MOST: Duration = Duration::from_hours(7 * 24);

/// Codex by login.
#[derive(Clone, Debug, Default)]
pub struct Codex {
    /// The person's own address of the list of models.
    models: Option<Url>,
    /// The person's own address of what is left of the plan.
    usage: Option<Url>,
}

impl Codex {
    /// With the addresses of the settings.
    pub fn of(urls: &IndexMap<UrlName, HttpUrl>) -> Self {
        let own = |name| urls.get(&name).map(|own: &HttpUrl| own.url().clone());
        Self { models: own(UrlName::Models), usage: own(UrlName::Usage) }
    }
}

/// Who asks: the credential and the workspace that it is for.
fn identify(token: &Token, headers: &mut HeaderMap) {
    set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
    if let Some(account) = token.fact("account_id") {
        set(headers, ACCOUNT, account, false);
    }
    if token.fact("fedramp").is_some() {
        headers.insert(FEDRAMP, HeaderValue::from_static("true"));
    }
}

impl Upstream for Codex {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let base = without_tail(base, &["/responses"]);
        match ask.operation {
            Operation::Generate { .. } => join(base, "/responses"),
            Operation::Endpoint(endpoint) => join(base, endpoint.path()),
            Operation::Models => join(base, &format!("/models?client_version={LIST_VERSION}")),
            Operation::Count => Err(Failure::new(
                FailureKind::NotFound,
                Blame::Byok,
                "Codex counts no tokens for the login of a plan; the number is estimated.",
            )),
        }
    }

    fn has(&self, endpoint: Endpoint) -> bool {
        endpoint == Endpoint::Compact
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        identify(token, headers);
        headers.insert(ORIGINATOR, HeaderValue::from_static("byok"));
        for name in FORWARDED {
            if let Some(value) = ask.client.and_then(|client| client.get(&name)) {
                headers.insert(name, value.clone());
            }
        }
    }

    fn charges_extra(&self, headers: &HeaderMap) -> bool {
        // A request that is served although a window is used up is paid for with credits.
        let full = |window: &str| {
            number(headers, &format!("x-codex-{window}-used-percent")).is_some_and(|used| used >= 100.0)
        };
        let credits = text(headers, "x-codex-credits-has-credits");
        credits.is_some_and(|has| has.eq_ignore_ascii_case("true")) && (full("primary") || full("secondary"))
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        judge(refusal)
    }

    fn only_streams(&self, _ask: &Ask<'_>) -> bool {
        true
    }

    /// Its own program knows what this backend adds to a stream and leaves out at its end; others would trip over it.
    fn answers_as_is(&self, client: &HeaderMap) -> bool {
        client.contains_key(ORIGINATOR)
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        if shaping.ask.dialect != Dialect::Responses
            || !matches!(shaping.ask.operation, Operation::Generate { .. })
        {
            return Ok(body);
        }
        let marked = shaping.ask.client.and_then(|client| client.get(&LITE));
        shape::fitted(body, marked.is_some_and(|value| value == "true"), losses)
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn list_mark<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        text(headers, "x-models-etag")
    }

    fn tells_quota(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        let own = self.models.clone();
        let url = own.or_else(|| join(base, &format!("/models?client_version={LIST_VERSION}")).ok())?;
        Some(inquiry(url, token))
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        plan::models(body)
    }

    fn ask_quota(&self, base: &str, token: &Token) -> Option<Lookup> {
        let own = self.usage.clone();
        let url = own.or_else(|| {
            // The backend of the plan lies beside that of Codex.
            match base.trim_end_matches('/').strip_suffix("/codex") {
                Some(backend) => join(backend, "/wham/usage").ok(),
                None => join(base, "/api/codex/usage").ok(),
            }
        })?;
        Some(inquiry(url, token))
    }

    fn read_quota(&self, body: &[u8], now: i64) -> Quota {
        plan::quota(body, now)
    }

    fn windows(&self, headers: &HeaderMap, now: i64) -> Vec<Window> {
        plan::windows(headers, now)
    }
}

fn inquiry(url: Url, token: &Token) -> Lookup {
    let mut headers = HeaderMap::new();
    identify(token, &mut headers);
    headers.insert(ORIGINATOR, HeaderValue::from_static("byok"));
    Lookup::get(url, headers)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    text(headers, name)?.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

fn judge(refusal: &Refusal<'_>) -> Verdict {
    let failure = refusal.failure;
    let code = failure.code.as_deref().unwrap_or_default();
    let blocked = |reason: String| Verdict {
        state: Some(AccountState::Blocked { reason }),
        own_credential: true,
        ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
    };
    match code {
        "usage_limit_reached" => {
            return Verdict::other(Some((Scope::Account, until_reset(refusal))));
        }
        "usage_not_included" => {
            return blocked(
                "the plan of this account does not include Codex; change it at chatgpt.com, then `byok accounts enable codex`"
                    .to_owned(),
            );
        }
        "deactivated_workspace" => {
            return blocked("OpenAI has deactivated the workspace of this account".to_owned());
        }
        "account_deactivated" => {
            return blocked(
                "OpenAI has deactivated this account; ask its support (help.openai.com), and when that is settled, run `byok accounts \
                 enable codex`"
                    .to_owned(),
            );
        }
        // Of a stream as of an answer: money, which can come back.
        "insufficient_quota" => return judge_by_kind(refusal),
        // Refused after a fresh token, too: the executor refreshes only once.
        "token_revoked" | "token_invalidated" | "token_expired" => {
            return Verdict { next: Next::Refresh, own_credential: true, ..Verdict::PASS_ON };
        }
        _ => {}
    }
    match failure.status {
        400 if failure.message.contains("is not supported when using Codex with a ChatGPT account") => {
            Verdict {
                hint: Some("the plan of this login does not have the model; an API key of the platform may"),
                ..Verdict::other(Some((Scope::Model, Duration::from_hours(1))))
            }
        }
        // A region: nothing that a fresh token could change.
        403 => {
            Verdict { own_credential: true, ..Verdict::other(Some((Scope::Account, Duration::from_mins(5)))) }
        }
        _ => judge_by_kind(refusal),
    }
}

/// How long until the plan has something left.
fn until_reset(refusal: &Refusal<'_>) -> Duration {
    let of_window = ["primary", "secondary"].into_iter().filter_map(|window| {
        let header = |what: &str| number(refusal.headers, &format!("x-codex-{window}-{what}"));
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium")]
        let resets = header("reset-at")? as i64;
        (header("used-percent")? >= 100.0).then_some(resets)
    });
    let at = refusal.failure.resets_at.or_else(|| of_window.max());
    let left = at.and_then(|at| u64::try_from(at.saturating_sub(refusal.now)).ok()).map(Duration::from_secs);
    let wait = left.filter(|left| !left.is_zero()).or(refusal.failure.retry_after);
    wait.unwrap_or(Duration::from_mins(30)).clamp(Duration::from_secs(1), MOST)
}

#[cfg(test)]
mod tests;
