//! GitHub Copilot: Chat, Responses and Messages below one address, each model at its own.
//!
//! What is charged depends on who is said to have begun a turn (`X-Initiator`): the client's own word, else what the last message
//! of the final body says and nothing else, so that byok never passes off a question of a person as one of an agent.

mod body;
mod budget;
mod models;
mod quota;
mod unsealed;

use super::{
    Ask, Endpoint, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, names, set,
};
use crate::knowledge::{Discovered, Quota, Window};
use byok_auth::copilot::{API_VERSION, BASE, EXCHANGE, GITHUB, HOST, MODE};
use byok_translate::{Losses, Translated, codec};
use byok_types::{AccountState, Dialect, Failure, FailureKind, ModelFacts};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use std::{borrow::Cow, time::Duration};
use url::Url;

const INTEGRATION: HeaderName = HeaderName::from_static("copilot-integration-id");
const EDITOR: HeaderName = HeaderName::from_static("editor-version");
const VERSION: HeaderName = HeaderName::from_static("x-github-api-version");
const INITIATOR: HeaderName = HeaderName::from_static("x-initiator");
const VISION: HeaderName = HeaderName::from_static("copilot-vision-request");
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// The betas that the gateway lets through; it refuses the whole request for any other.
const BETAS: [&str; 3] =
    ["interleaved-thinking-2025-05-14", "context-management-2025-06-27", "advanced-tool-use-2025-11-20"];

/// The headers that an exchanged token needs, with the claims that stand for them.
const CLAIMED: [(HeaderName, &str); 2] =
    [(INTEGRATION, "copilot-integration-id"), (EDITOR, "copilot-editor-version")];

/// GitHub Copilot.
#[derive(Clone, Debug, Default)]
pub struct Copilot {
    /// The person's own address of the models.
    pub inference: Option<Url>,
    /// The person's own address of the quota.
    pub usage: Option<Url>,
}

impl Copilot {
    /// A header as the client of a request that passes through says it.
    fn clients<'a>(ask: &Ask<'a>, name: &HeaderName) -> Option<&'a str> {
        ask.client?.get(name)?.to_str().ok()
    }

    fn is_exchanged(token: &Token) -> bool {
        token.fact(MODE) == Some(EXCHANGE)
    }
}

impl Upstream for Copilot {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        match (ask.operation, ask.dialect) {
            (Operation::Generate { .. }, Dialect::Messages) => join(base, "/v1/messages"),
            (Operation::Generate { .. }, Dialect::Responses) => join(base, "/responses"),
            (Operation::Generate { .. }, _) => join(base, "/chat/completions"),
            (Operation::Count, _) => join(base, "/v1/messages/count_tokens"),
            (Operation::Models, _) => join(base, "/models"),
            (Operation::Endpoint(endpoint), _) => join(base, endpoint.path()),
        }
    }

    fn has(&self, endpoint: Endpoint) -> bool {
        endpoint == Endpoint::Embeddings
    }

    /// At Responses tools are functions, and only the first vendor of the dialect has some of its items. At Chat Gemini and Claude
    /// want back what they have sealed, and Claude is told to think in a word of its own: for clients that do not know of it byok
    /// keeps the one and says the other.
    fn takes_as_is(&self, dialect: Dialect, facts: &ModelFacts, body: &[u8]) -> bool {
        match dialect {
            Dialect::Responses => super::plain::is_plain(body),
            Dialect::Chat if facts.id.starts_with("gemini") || facts.id.starts_with("claude") => {
                let says = |word: &[u8]| memchr::memmem::find(body, word).is_some();
                says(b"\"reasoning_opaque\"") || says(b"\"thinking_budget\"")
            }
            _ => true,
        }
    }

    fn tells_lost_calls(
        &self,
        dialect: Dialect,
        facts: &ModelFacts,
        body: &Bytes,
    ) -> Option<Translated<Bytes>> {
        (dialect == Dialect::Chat && facts.id.starts_with("gemini")).then(|| unsealed::told(body))?
    }

    /// GitHub seals the ids anew in every event.
    fn changes_item_ids(&self) -> bool {
        true
    }

    fn base<'a>(&self, base: &'a str, token: &'a Token) -> Cow<'a, str> {
        let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        let own = self.inference.as_ref().and_then(Url::host_str);
        let told = token.fact(BASE).filter(|told| own.is_none() || host(told).as_deref() == own);
        Cow::Borrowed(told.unwrap_or(base))
    }

    fn trusts(&self, host: &str) -> bool {
        let company = host.strip_suffix(".ghe.com").is_some_and(|label| {
            let label = label.strip_prefix("api.").or_else(|| label.strip_prefix("copilot-api."));
            label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
        });
        host == "githubcopilot.com"
            || host.ends_with(".githubcopilot.com")
            || host == "api.github.com"
            || company
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        set(headers, VERSION, API_VERSION, false);
        for (name, claim) in CLAIMED {
            if let Some(value) = Self::clients(ask, &name) {
                set(headers, name, value, false);
            } else if Self::is_exchanged(token)
                && ask.may_claim(claim)
                && let Some(claim) = byok_auth::claims::claim(claim)
            {
                set(headers, name, claim.value, false);
            }
        }
        if ask.dialect == Dialect::Messages {
            let version = Self::clients(ask, &ANTHROPIC_VERSION).unwrap_or("2023-06-01");
            set(headers, ANTHROPIC_VERSION, version, false);
            let needed = ask.needed.iter().find(|(name, _)| *name == ANTHROPIC_BETA.as_str());
            let needed = needed.map(|(_, value)| value.as_str());
            let betas = Self::clients(ask, &ANTHROPIC_BETA).or(needed).unwrap_or_default();
            let allowed: Vec<_> =
                betas.split(',').map(str::trim).filter(|beta| BETAS.contains(beta)).collect();
            if !allowed.is_empty() {
                set(headers, ANTHROPIC_BETA, &allowed.join(","), false);
            }
        }
    }

    fn headers_of_body(&self, body: &[u8], shaping: &Shaping<'_>, headers: &mut HeaderMap) {
        let said = body::look(shaping.ask.dialect, body);
        // A client knows better who began a turn: a question of an agent to its helper looks like a person's.
        let own = shaping.client.get(&INITIATOR).and_then(|value| value.to_str().ok());
        let own = own.filter(|own| ["user", "agent"].contains(own));
        let initiator = own.unwrap_or(if said.by_agent { "agent" } else { "user" });
        set(headers, INITIATOR, initiator, false);
        if said.pictures {
            set(headers, VISION, "true", false);
        }
    }

    fn demands(&self, ask: &Ask<'_>, token: &Token) -> Option<&'static str> {
        if !Self::is_exchanged(token) {
            return None;
        }
        let missing = |(name, claim): &&(HeaderName, &'static str)| {
            Self::clients(ask, name).is_none() && !ask.may_claim(claim)
        };
        CLAIMED.iter().find(missing).map(|(_, claim)| *claim)
    }

    /// `…-4-5-20251001` is `…-4.5` here (`copilot.md`, 3.5).
    fn own_name(&self, name: &str) -> Option<String> {
        Some(names::wire(name)).filter(|own| name.starts_with("claude-") && own != name)
    }

    fn endpoints(&self) -> &'static [Dialect] {
        &[Dialect::Responses, Dialect::Messages, Dialect::Chat]
    }

    /// Whole answers of Claude at Chat come in pieces that no client of Chat expects; its streams are sound.
    fn only_streams(&self, ask: &Ask<'_>) -> bool {
        ask.dialect == Dialect::Chat && ask.model.starts_with("claude")
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        body::shape(body, shaping, losses)
    }

    fn shape_raw(&self, _endpoint: Endpoint, body: Bytes) -> Result<Bytes, Failure> {
        body::listed(body)
    }

    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        let mut failure = codec::decode_failure(dialect, status, body);
        let is_json = matches!(body.trim_ascii_start().first(), Some(b'{'));
        match std::str::from_utf8(body).map(str::trim) {
            Ok(text) if !is_json && !text.is_empty() && !text.starts_with('<') => {
                failure.message = text.chars().take(2000).collect();
            }
            _ => {}
        }
        match (status, failure.code.as_deref()) {
            (_, Some("model_max_prompt_tokens_exceeded")) => failure.kind = FailureKind::ContextTooLong,
            (402, _) => failure.kind = FailureKind::QuotaWindow,
            (422, _) => failure.kind = FailureKind::ContentPolicy,
            _ => {}
        }
        failure
    }

    /// Refusals are often plain text, and at Messages not of the shape of Messages.
    fn relays_refusals(&self) -> bool {
        false
    }

    fn charges_extra(&self, headers: &HeaderMap) -> bool {
        quota::charges_extra(headers)
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let code = failure.code.as_deref().unwrap_or_default();
        let message = failure.message.to_ascii_lowercase();
        let wait = failure.retry_after;
        match (failure.status, code) {
            // Of this account's plan, policy or kind of login; another may have the model.
            (400, "model_not_supported") => Verdict {
                hint: Some(
                    "Copilot does not serve this model to this account; see github.com/settings/copilot/features, \
                     and `byok models` for those that it does",
                ),
                ..Verdict::other(Some((Scope::Model, Duration::from_mins(5))))
            },
            (400, "unsupported_api_for_model") => Verdict {
                next: Next::OtherEndpoint,
                hint: Some("Copilot serves this model at none of the endpoints that byok knows"),
                ..Verdict::PASS_ON
            },
            (400 | 404 | 413 | 422 | 424, _) => Verdict::PASS_ON,
            (401 | 421, _) => Verdict { next: Next::Refresh, own_credential: true, ..Verdict::PASS_ON },
            (402, _) => {
                let reset = quota::reset(refusal.headers, refusal.now);
                let wait = wait.or(reset).unwrap_or(Duration::from_hours(1));
                Verdict::other(Some((Scope::Charged, wait.min(Duration::from_hours(31 * 24)))))
            }
            (403, _) if message.contains("abuse") || message.contains("suspended") => Verdict {
                state: Some(AccountState::Blocked { reason: failure.message.clone() }),
                own_credential: true,
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            },
            (403, _) => Verdict {
                next: Next::Refresh,
                cool: Some((Scope::Account, Duration::from_mins(30))),
                own_credential: true,
                ..Verdict::PASS_ON
            },
            (429, _) => {
                let limit = refusal.headers.get("x-ratelimit-exceeded").and_then(|key| key.to_str().ok());
                let said = [code, limit.unwrap_or_default()];
                let whole = ["global", "weekly", "integration", "extension"]
                    .iter()
                    .any(|part| said.iter().any(|said| said.contains(part)));
                let scope = if whole { Scope::Account } else { Scope::Model };
                let wait = wait.unwrap_or(Duration::from_mins(1)).min(Duration::from_hours(7 * 24));
                Verdict::other(Some((scope, wait)))
            }
            (466, _) => Verdict {
                hint: Some(
                    "Copilot finds the versions that byok states too old; newer ones can be set as `headers` of the provider",
                ),
                ..Verdict::PASS_ON
            },
            (499, _) => Verdict::other(None),
            _ => judge_by_kind(refusal),
        }
    }

    fn backs_off(&self, failure: &Failure) -> bool {
        failure.status == 429 && failure.retry_after.is_none()
    }

    fn opens_at(&self, failure: &Failure, headers: &HeaderMap, now: i64) -> Option<i64> {
        let left = quota::reset(headers, now).filter(|_| failure.status == 402)?;
        Some(now.saturating_add_unsigned(left.as_secs()))
    }

    /// Where neither wait nor headers say when the plan begins anew, GitHub's own page does.
    fn rests_until_reset(&self, failure: &Failure) -> bool {
        failure.status == 402 && failure.retry_after.is_none()
    }

    fn may_refuse_with_room(&self) -> bool {
        true
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        let mut headers = HeaderMap::new();
        set(&mut headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        set(&mut headers, VERSION, API_VERSION, false);
        Some(Lookup::get(join(base, "/models").ok()?, headers))
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        models::read(body)
    }

    fn tells_quota(&self) -> bool {
        true
    }

    fn ask_quota(&self, _base: &str, token: &Token) -> Option<Lookup> {
        // It wants the token of GitHub, not the one of Copilot.
        let github = token.fact(GITHUB).unwrap_or(token.secret.expose());
        let host = token.fact(HOST).unwrap_or("github.com");
        let usual = || Url::parse(&format!("https://api.{host}/copilot_internal/user")).ok();
        let mut headers = HeaderMap::new();
        set(&mut headers, AUTHORIZATION, &format!("token {github}"), true);
        Some(Lookup::get(self.usage.clone().or_else(usual)?, headers))
    }

    fn read_quota(&self, body: &[u8], _now: i64) -> Quota {
        quota::read(body)
    }

    fn quota_charges(&self, body: &[u8]) -> bool {
        quota::charges(body)
    }

    fn windows(&self, headers: &HeaderMap, _now: i64) -> Vec<Window> {
        quota::windows(headers)
    }
}

#[cfg(test)]
mod tests;
