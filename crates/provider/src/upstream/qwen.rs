//! Qwen: the portal behind the login of chat.qwen.ai (ended on 2026-04-15), and Alibaba's platform for keys.

mod body;

use super::{
    Ask, Endpoint, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, set, without_tail,
};
use crate::knowledge::Discovered;
use byok_auth::qwen::RESOURCE_URL;
use byok_translate::{Losses, codec};
use byok_types::{Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use std::{borrow::Cow, time::Duration};
use url::Url;

/// Where tokens are good whose answer did not say.
pub(crate) const PORTAL: &str = "https://portal.qwen.ai/v1";
/// The platform in its first region.
pub(crate) const PLATFORM: &str = "https://dashscope.aliyuncs.com/compatible-mode/v1";
/// Where keys of the Coding Plan are good.
const CODING_PLAN: &str = "https://coding.dashscope.aliyuncs.com/v1";
/// How they begin.
const CODING_KEY: &str = "sk-sp-";

/// Turns the caching of marked parts on.
const CACHE: HeaderName = HeaderName::from_static("x-dashscope-cachecontrol");
/// Says what kind of credential the token is.
const AUTH_TYPE: HeaderName = HeaderName::from_static("x-dashscope-authtype");

/// Rest of an account whose quota is used up and that says nothing of its end: longer ones have kept good accounts out.
const QUOTA_REST: Duration = Duration::from_mins(30);

/// One of the two services.
#[derive(Clone, Copy, Debug)]
pub struct Qwen {
    /// Whether it is that of logins.
    pub login: bool,
}

impl Upstream for Qwen {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let base = without_tail(base, &["/chat/completions"]);
        match ask.operation {
            Operation::Models => join(base, "/models"),
            Operation::Endpoint(endpoint) => join(base, endpoint.path()),
            Operation::Generate { .. } | Operation::Count => join(base, "/chat/completions"),
        }
    }

    fn has(&self, endpoint: Endpoint) -> bool {
        // The platform has more than chat; what it lacks it says itself. The portal has nothing else.
        !self.login && endpoint.dialect() == Dialect::Chat
    }

    fn headers(&self, _ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        set(headers, CACHE, "enable", false);
        if self.login {
            set(headers, AUTH_TYPE, "qwen-oauth", false);
        }
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // Its keys are charged for every answer, and its free tier knows no charge.
        false
    }

    /// The address that came with the tokens, if it is the vendor's, or that of the settings. A key of the Coding Plan goes to
    /// the plan's host.
    fn base<'a>(&self, base: &'a str, token: &'a Token) -> Cow<'a, str> {
        if !self.login {
            let plan = base == PLATFORM && token.secret.expose().starts_with(CODING_KEY);
            return Cow::Borrowed(if plan { CODING_PLAN } else { base });
        }
        let Some(told) = token.fact(RESOURCE_URL).and_then(resource) else { return Cow::Borrowed(base) };
        let host = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
        let settings = Url::parse(base).ok();
        let named = settings.is_some_and(|settings| host(&settings) == host(&told));
        let vendors =
            base == PORTAL && self.trusts(told.host_str().unwrap_or_default()) && told.scheme() == "https";
        if named || vendors {
            Cow::Owned(told.as_str().trim_end_matches('/').to_owned())
        } else {
            Cow::Borrowed(base)
        }
    }

    fn trusts(&self, host: &str) -> bool {
        // Anybody can have a name below `aliyuncs.com`, but not one of these.
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
        matches!(
            host,
            "portal.qwen.ai"
                | "chat.qwen.ai"
                | "dashscope.aliyuncs.com"
                | "dashscope-intl.aliyuncs.com"
                | "dashscope-us.aliyuncs.com"
                | "coding-intl.dashscope.aliyuncs.com"
        ) || below("dashscope.aliyuncs.com")
            || below("qwen.ai")
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        body::shaped(body, self.login, &shaping.facts.thinking, losses)
    }

    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        let mut failure = codec::decode_failure(dialect, status, body);
        let code = failure.code.clone().unwrap_or_default();
        let says = failure.message.to_ascii_lowercase();
        let quota = matches!(code.as_str(), "insufficient_quota" | "quota_exceeded")
            || says.contains("free allocated quota exceeded")
            || says.contains("quota exceeded") && !code.starts_with("Throttling");
        if quota && matches!(status, 403 | 429) {
            failure.kind = FailureKind::QuotaWindow;
            failure.status = 429;
        } else if code == "Arrearage" {
            failure.kind = FailureKind::Billing;
        } else if code.eq_ignore_ascii_case("DataInspectionFailed") {
            failure.kind = FailureKind::ContentPolicy;
        } else if code.starts_with("Throttling") {
            failure.kind = FailureKind::RateLimit;
            failure.status = 429;
        }
        failure
    }

    fn knows_only_old_cap(&self) -> bool {
        true
    }

    /// `DashScope` throttles within a stream by a last chunk whose text is the error (`qwen.md`, 3).
    fn tells_failures_as_text(&self) -> bool {
        true
    }

    /// The same in a whole answer.
    fn refusal_in(&self, body: &[u8]) -> Option<Failure> {
        memchr::memmem::find(body, b"\"error_finish\"")?;
        codec::decode_answer(Dialect::Chat, body).err()
    }

    fn ends_logins(&self) -> bool {
        true
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let ended = self.login.then_some(
            "Alibaba ended the free service behind the Qwen login on 2026-04-15; set an API key under \
             providers.qwen.api_key",
        );
        match (failure.kind, failure.status) {
            (FailureKind::QuotaWindow, _) => {
                let rest = failure.retry_after.unwrap_or(QUOTA_REST).min(Duration::from_hours(24));
                Verdict { hint: ended, ..Verdict::other(Some((Scope::Account, rest))) }
            }
            // Both statuses may mean a token that is too old; never a 429.
            (FailureKind::Auth | FailureKind::Credential | FailureKind::Permission, _) if refusal.oauth => {
                Verdict { next: Next::Refresh, own_credential: true, hint: ended, ..Verdict::PASS_ON }
            }
            (FailureKind::Billing, _) => Verdict {
                own_credential: true,
                ..Verdict::other(Some((Scope::Account, Duration::from_mins(30))))
            },
            _ => judge_by_kind(refusal),
        }
    }

    fn lists_models(&self) -> bool {
        !self.login
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        let mut headers = HeaderMap::new();
        set(&mut headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        Some(Lookup::get(join(without_tail(base, &["/chat/completions"]), "/models").ok()?, headers))
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        codec::decode_models(Dialect::Chat, body)
    }
}

/// The address that a `resource_url` stands for: with or without a scheme, with or without `/v1`.
fn resource(told: &str) -> Option<Url> {
    let told = told.trim().trim_end_matches('/');
    if told.is_empty() {
        return None;
    }
    let has_scheme = told.starts_with("http://") || told.starts_with("https://");
    let scheme = if has_scheme { "" } else { "https://" };
    let version = if told.ends_with("/v1") { "" } else { "/v1" };
    Url::parse(&format!("{scheme}{told}{version}")).ok()
}

#[cfg(test)]
mod tests;
