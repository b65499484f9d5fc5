//! xAI: Grok by the login of a plan, or by API key. Responses with rules of its own, always as a stream.

mod account;
mod shape;

use super::{
    Ask, Endpoint, Lookup, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join, judge_by_kind,
    set, without_tail,
};
use crate::knowledge::{Discovered, Quota};
use byok_auth::{claims, xai::VERSION_CLAIM};
use byok_config::{HttpUrl, UrlName};
use byok_translate::{Losses, codec};
use byok_types::{Blame, Dialect, Failure, FailureKind, ModelFacts};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use indexmap::IndexMap;
use std::time::Duration;
use url::Url;

/// Says which kind of token it is.
const TOKEN_KIND: HeaderName = HeaderName::from_static("x-xai-token-auth");
const VERSION: HeaderName = HeaderName::from_static("x-grok-client-version");
const IDENTIFIER: HeaderName = HeaderName::from_static("x-grok-client-identifier");
const USER: HeaderName = HeaderName::from_static("x-userid");
/// What the vendor's own program says of itself and its conversation travels with its own requests.
const FORWARDED: [HeaderName; 10] = [
    VERSION,
    IDENTIFIER,
    HeaderName::from_static("x-grok-conv-id"),
    HeaderName::from_static("x-grok-session-id"),
    HeaderName::from_static("x-grok-req-id"),
    HeaderName::from_static("x-grok-model-override"),
    HeaderName::from_static("x-grok-agent-id"),
    HeaderName::from_static("x-grok-turn-idx"),
    HeaderName::from_static("x-grok-client-mode"),
    HeaderName::from_static("x-authenticateresponse"),
];
/// A day of the free allowance.
const DAY: Duration = Duration::from_hours(24);
/// How long an account without money rests.
const NO_MONEY: Duration = Duration::from_hours(6);

/// xAI.
#[derive(Clone, Debug, Default)]
pub struct Xai {
    /// Whether it is the host of the plans.
    plan: bool,
    /// The person's own address of the list of models.
    models: Option<Url>,
    /// The person's own address of what is left of the plan.
    usage: Option<Url>,
}

impl Xai {
    /// The host of the plans, with the addresses of the settings.
    pub fn plan(urls: &IndexMap<UrlName, HttpUrl>) -> Self {
        let own = |name| urls.get(&name).map(|own: &HttpUrl| own.url().clone());
        Self { plan: true, models: own(UrlName::Models), usage: own(UrlName::Usage) }
    }

    /// The platform for API keys.
    pub fn keys() -> Self {
        Self::default()
    }

    fn identify(&self, token: &Token, headers: &mut HeaderMap) {
        let secret = token.secret.expose();
        if !secret.is_empty() {
            set(headers, AUTHORIZATION, &format!("Bearer {secret}"), true);
        }
        if self.plan {
            headers.insert(TOKEN_KIND, HeaderValue::from_static("xai-grok-cli"));
            headers.insert(IDENTIFIER, HeaderValue::from_static("byok"));
        }
    }

    fn inquiry(&self, url: Url, token: &Token) -> Lookup {
        let mut headers = HeaderMap::new();
        self.identify(token, &mut headers);
        if let Some(user) = token.fact("user_id").filter(|_| self.plan) {
            set(&mut headers, USER, user, false);
        }
        Lookup::get(url, headers)
    }
}

impl Upstream for Xai {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let base = without_tail(base, &["/responses"]);
        match ask.operation {
            Operation::Generate { .. } => join(base, "/responses"),
            Operation::Endpoint(endpoint) => join(base, endpoint.path()),
            Operation::Models => join(base, "/models"),
            Operation::Count => Err(Failure::new(
                FailureKind::NotFound,
                Blame::Byok,
                "xAI counts no tokens; the number is estimated.",
            )),
        }
    }

    fn has(&self, endpoint: Endpoint) -> bool {
        // The host of the plans has none of them.
        !self.plan
            && matches!(endpoint, Endpoint::Compact | Endpoint::ImageGenerations | Endpoint::ImageEdits)
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        self.identify(token, headers);
        self.claim_headers(ask.claims, headers);
        for name in FORWARDED {
            if let Some(value) = ask.client.and_then(|client| client.get(&name)) {
                headers.insert(name, value.clone());
            }
        }
    }

    fn claim_headers(&self, consented: &[String], headers: &mut HeaderMap) {
        let claim = claims::claim(VERSION_CLAIM).filter(|_| self.plan);
        if let Some(claim) = claim.filter(|claim| consented.iter().any(|name| name == claim.name)) {
            headers.insert(VERSION, HeaderValue::from_static(claim.value));
        }
    }

    fn demands(&self, ask: &Ask<'_>, token: &Token) -> Option<&'static str> {
        let brought = ask.client.is_some_and(|client| client.contains_key(&VERSION));
        (self.plan && token.oauth && !brought && !ask.may_claim(VERSION_CLAIM)).then_some(VERSION_CLAIM)
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // It says so only where it is asked about the plan.
        false
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        judge(refusal)
    }

    fn only_streams(&self, _ask: &Ask<'_>) -> bool {
        true
    }

    fn takes_as_is(&self, _dialect: Dialect, _facts: &ModelFacts, body: &[u8]) -> bool {
        super::plain::is_plain(body)
    }

    /// The end of a stream may lack what was said, and reasoning may come under other names.
    fn answers_as_is(&self, client: &HeaderMap) -> bool {
        client.contains_key(VERSION)
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        if shaping.ask.dialect != Dialect::Responses
            || !matches!(shaping.ask.operation, Operation::Generate { .. })
        {
            return Ok(body);
        }
        shape::fitted(body, shaping.facts, losses)
    }

    /// Errors are a code and a text beside each other; now and then the text is such an error again.
    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        let failure = codec::decode_failure(dialect, status, body);
        if failure.message.trim_start().starts_with('{') {
            let inner = codec::decode_failure(dialect, status, failure.message.as_bytes());
            return Failure { code: inner.code.or(failure.code), ..inner };
        }
        failure
    }

    fn relays_refusals(&self) -> bool {
        false
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn tells_quota(&self) -> bool {
        self.plan
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        let url = self.models.clone().or_else(|| join(base, "/models").ok())?;
        Some(self.inquiry(url, token))
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        account::models(body)
    }

    fn ask_quota(&self, base: &str, token: &Token) -> Option<Lookup> {
        let url = self.usage.clone().or_else(|| join(base, "/billing?format=credits").ok())?;
        Some(self.inquiry(url, token))
    }

    fn read_quota(&self, body: &[u8], _now: i64) -> Quota {
        account::quota(body)
    }

    fn ask_plan(&self, base: &str, token: &Token) -> Option<Lookup> {
        // Where its owner has named the address of the limits, nothing is known of what lies beside it.
        let url = join(base, "/settings").ok().filter(|_| self.plan && self.usage.is_none())?;
        Some(self.inquiry(url, token))
    }

    fn read_plan(&self, body: &[u8]) -> Option<String> {
        account::plan(body)
    }

    fn tells_charges_by_quota(&self) -> bool {
        self.plan
    }

    fn quota_charges(&self, body: &[u8]) -> bool {
        account::charges(body)
    }
}

fn judge(refusal: &Refusal<'_>) -> Verdict {
    let failure = refusal.failure;
    let code = failure.code.as_deref().unwrap_or_default();
    let message = failure.message.as_str();
    let says = |words: &str| code.contains(words) || message.contains(words);
    if says("bad-credentials") || message.contains("OAuth2 access token could not be validated") {
        return super::credential_refused(refusal);
    }
    if says("free-usage-exhausted") || message.contains("used all the included free usage") {
        return Verdict::other(Some((Scope::Account, DAY)));
    }
    let money = ["spending-limit", "ran out of credits", "used all available credits"];
    if money.iter().any(|words| says(words)) || message.contains("requires a Grok subscription") {
        return Verdict {
            own_credential: matches!(failure.status, 401 | 403),
            hint: Some(
                "the plan or the credits of the xAI account are used up, or the plan has no Grok; see console.x.ai",
            ),
            ..Verdict::other(Some((Scope::Account, NO_MONEY)))
        };
    }
    match failure.status {
        // Every other 403 is a matter of rules, and no fresh token changes it.
        403 => Verdict { own_credential: true, ..Verdict::other(Some((Scope::Model, NO_MONEY))) },
        404 => Verdict::PASS_ON,
        426 => Verdict {
            hint: Some(
                "xAI wants a newer version in `x-grok-client-version`; set it under providers.xai.headers",
            ),
            ..Verdict::PASS_ON
        },
        429 => {
            let asked = failure.retry_after.unwrap_or(Duration::from_secs(5)).min(Duration::from_mins(2));
            Verdict::other(Some((Scope::Model, asked)))
        }
        529 => Verdict::other(Some((Scope::Model, Duration::from_secs(5)))),
        // A wrong API key is a bad request here.
        400 if message.contains("Incorrect API key") => {
            Verdict { own_credential: true, ..Verdict::other(Some((Scope::Account, Duration::from_mins(5)))) }
        }
        _ => judge_by_kind(refusal),
    }
}

#[cfg(test)]
mod tests;
