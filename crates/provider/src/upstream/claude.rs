//! Anthropic Messages: the vendor itself, by API key or by the login of a plan, and hosts that speak the same.

mod plan;

use super::{
    Ask, Endpoint, Line, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, limits, listing, set, without_tail,
};
use crate::knowledge::{Discovered, Quota, Window};
use byok_translate::{
    Losses, codec,
    scan::{Edit, Scan, splice},
};
use byok_types::{AccountState, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use std::time::Duration;
use url::Url;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// Headers of the official client about itself and its session.
const OWN_WORDS: [HeaderName; 3] = [
    HeaderName::from_static("x-app"),
    HeaderName::from_static("x-claude-code-session-id"),
    HeaderName::from_static("x-client-request-id"),
];
/// The beta without which a plan login is refused (strings of the official client).
const OAUTH_BETA: &str = "oauth-2025-04-20";
/// How clients mark a model whose context is to be 1M tokens (Claude Code); the vendor knows no such name.
const LONG: &str = "[1m]";
/// The beta for it, and the models that need it; newer ones have such a context anyway.
const LONG_BETA: &str = "context-1m-2025-08-07";
const LONG_BY_BETA: [&str; 5] = [
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-sonnet-4-5",
    "claude-sonnet-4-0",
    "claude-sonnet-4-2025",
];
/// The version that requests are encoded by unless they say otherwise.
const DEFAULT_VERSION: &str = "2023-06-01";

/// First system blocks by which the vendor accepts a plan login (strings of the official client).
pub const ACCEPTED_SENTENCES: [&str; 3] = [
    "You are Claude Code, Anthropic's official CLI for Claude.",
    "You are Claude Code, Anthropic's official CLI for Claude, running within the Claude Agent SDK.",
    "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
];

/// Anthropic Messages.
#[derive(Clone, Debug, Default)]
pub struct Claude {
    /// Where the settings say that the use of a plan is asked for.
    pub usage: Option<Url>,
}

impl Upstream for Claude {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        // An SDK adds `/v1/messages` itself, but many lists write the address with `/v1` or in full.
        let base = without_tail(base, &["/v1/messages", "/v1"]);
        match ask.operation {
            Operation::Generate { .. } => join(base, "/v1/messages"),
            Operation::Count => join(base, "/v1/messages/count_tokens"),
            Operation::Models => join(base, "/v1/models?limit=1000"),
            Operation::Endpoint(endpoint) => join(base, endpoint.path()),
        }
    }

    fn has(&self, _endpoint: Endpoint) -> bool {
        false
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        let secret = token.secret.expose();
        // Characters 8 to 10 of a value of the vendor tell a login token (`oat`) from a key (`api`).
        let oauth = token.oauth || secret.starts_with("sk-ant-oat");
        if oauth {
            set(headers, AUTHORIZATION, &format!("Bearer {secret}"), true);
        } else if !secret.is_empty() {
            set(headers, X_API_KEY, secret, true);
        }
        let client = |name: &HeaderName| {
            let values = ask.client.into_iter().flat_map(|map| map.get_all(name));
            let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
            (!texts.is_empty()).then(|| texts.join(","))
        };
        let needed = |name: &HeaderName| {
            ask.needed.iter().find(|(key, _)| *key == name.as_str()).map(|(_, value)| value.clone())
        };
        // What the official client says of itself is true of it, and travels with its own requests.
        for name in OWN_WORDS {
            if let Some(value) = ask.client.and_then(|map| map.get(&name)) {
                headers.insert(name, value.clone());
            }
        }
        let version = client(&VERSION).or_else(|| needed(&VERSION));
        set(headers, VERSION, version.as_deref().unwrap_or(DEFAULT_VERSION), false);
        let mut betas: Vec<String> = Vec::new();
        let login = oauth.then(|| OAUTH_BETA.to_owned());
        let long = ask.model.strip_suffix(LONG);
        let long = long.filter(|model| LONG_BY_BETA.iter().any(|by_beta| model.starts_with(by_beta)));
        let long = long.map(|_| LONG_BETA.to_owned());
        for list in [client(&BETA), needed(&BETA), login, long].into_iter().flatten() {
            for beta in list.split(',').map(str::trim).filter(|b| !b.is_empty()) {
                if !betas.iter().any(|known| known == beta) {
                    betas.push(beta.to_owned());
                }
            }
        }
        if !betas.is_empty() {
            set(headers, BETA, &betas.join(","), false);
        }
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, _losses: &mut Losses) -> Result<Bytes, Failure> {
        let Some(model) = shaping.ask.model.strip_suffix(LONG) else { return Ok(body) };
        let model = serde_json::Value::from(model).to_string();
        let edit = Scan::of_keys(&body, &["model"])?.set("model", &model);
        Ok(splice(&body, vec![edit]))
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        listing::ask(self, base, token, Dialect::Messages)
    }

    fn ask_more_models(&self, before: &Lookup, page: &[u8]) -> Option<Lookup> {
        listing::ask_more(Dialect::Messages, before, page)
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        codec::decode_models(Dialect::Messages, body)
    }

    fn tells_quota(&self) -> bool {
        true
    }

    fn ask_quota(&self, base: &str, token: &Token) -> Option<Lookup> {
        if !token.oauth {
            return None;
        }
        let url = match &self.usage {
            Some(url) => url.clone(),
            None => join(without_tail(base, &["/v1/messages", "/v1"]), "/api/oauth/usage").ok()?,
        };
        let mut headers = HeaderMap::new();
        set(&mut headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
        set(&mut headers, BETA, OAUTH_BETA, false);
        Some(Lookup::get(url, headers))
    }

    fn read_quota(&self, body: &[u8], _now: i64) -> Quota {
        Quota { windows: plan::windows_of_usage(body), ..Quota::default() }
    }

    fn windows(&self, headers: &HeaderMap, _now: i64) -> Vec<Window> {
        plan::windows_of_headers(headers)
    }

    fn charges_extra(&self, headers: &HeaderMap) -> bool {
        let says = |name: &str, words: &[&str]| {
            let value = headers.get(format!("anthropic-ratelimit-unified-{name}"));
            value.and_then(|value| value.to_str().ok()).is_some_and(|value| words.contains(&value))
        };
        let beyond = says("status", &["rejected"]) && says("overage-status", &["allowed", "allowed_warning"]);
        says("overage-in-use", &["true"]) || says("representative-claim", &["overage"]) || beyond
    }

    /// Others that speak Messages say it in their own codes.
    fn opens_at(&self, failure: &Failure, headers: &HeaderMap, now: i64) -> Option<i64> {
        limits::of_code(failure).and_then(|_| limits::opens_at(failure, headers, now))
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        if limits::of_code(refusal.failure).is_some() {
            return limits::judge(refusal.failure).unwrap_or_else(|| judge_by_kind(refusal));
        }
        let message = refusal.failure.message.as_str();
        let status = refusal.failure.status;
        if refusal.oauth && message.contains("draw from your extra usage")
            || message.contains("out of extra usage")
            || details(refusal.failure)["error_code"] == "extra_usage_out_of_credits"
        {
            return Verdict {
                hint: Some(
                    "the vendor counts this request as one of a third-party app; enable extra usage at \
                     claude.ai/settings/usage, or set an API key under providers.claude.api_key",
                ),
                ..Verdict::PASS_ON
            };
        }
        // Entitlements of one request, which say nothing about the account.
        let entitlement =
            ["long context", "fast mode", "fast request"].iter().any(|words| message.contains(words));
        if status == 429 && entitlement {
            return Verdict::PASS_ON;
        }
        if let Some(page) = on_hold(refusal.failure) {
            let appeal = if page.is_empty() { String::new() } else { format!(" Appeal at {page}") };
            return Verdict {
                state: Some(AccountState::Blocked { reason: format!("{message}{appeal}") }),
                own_credential: true,
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            };
        }
        // The vendor's word on trying again goes for other accounts too.
        let no_more = refusal.headers.get("x-should-retry").is_some_and(|value| value == "false");
        if status >= 500 && no_more {
            return Verdict::PASS_ON;
        }
        match status {
            401 | 403 if message.contains("revoked") => Verdict {
                state: Some(AccountState::NeedsLogin {
                    reason: "the vendor has revoked this login. Log in again with `byok login claude`."
                        .to_owned(),
                }),
                own_credential: true,
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            },
            400 | 403
                if message.contains("organization has been disabled")
                    || message.contains("not allowed for this organization") =>
            {
                Verdict {
                    state: Some(AccountState::Blocked { reason: message.to_owned() }),
                    own_credential: true,
                    ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
                }
            }
            400 if message.contains("credit balance is too low") => {
                Verdict::other(Some((Scope::Account, Duration::from_mins(30))))
            }
            429 => limit(refusal),
            529 => Verdict::other(Some((Scope::Model, Duration::from_secs(5)))),
            _ => judge_by_kind(refusal),
        }
    }
}

/// Codes of 429s that no wait of a moment ends: what may be spent has been spent.
const SPENT: [&str; 3] = [
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
];
/// How long an account without money to spend rests, where the vendor names no time.
const NOTHING_TO_SPEND: Duration = Duration::from_hours(1);

/// What the vendor says of an error beside its words; nothing if it says nothing.
fn details(failure: &Failure) -> serde_json::Value {
    let body =
        failure.raw.as_ref().and_then(|raw| serde_json::from_slice::<serde_json::Value>(&raw.body).ok());
    body.and_then(|body| body.get("error")?.get("details").cloned()).unwrap_or_default()
}

/// The page at which an organisation on hold can appeal; empty where the answer names none.
fn on_hold(failure: &Failure) -> Option<String> {
    let details = details(failure);
    let on_hold = details["error_code"] == "organization_on_hold";
    on_hold.then(|| details["appeal_url"].as_str().unwrap_or_default().to_owned())
}

/// What a 429 means: plan logins say it in the `anthropic-ratelimit-unified-*` headers.
fn limit(refusal: &Refusal<'_>) -> Verdict {
    let header = |name: &str| {
        refusal
            .headers
            .get(format!("anthropic-ratelimit-unified-{name}"))
            .and_then(|value| value.to_str().ok())
    };
    let rejected = |window: &str| header(&format!("{window}-status")) == Some("rejected");
    let until = |name: String| header(&name).and_then(plan::moment);
    let wait = |resets: &[&str]| {
        let latest = resets.iter().filter_map(|window| until(format!("{window}-reset"))).max();
        let reset = latest.or_else(|| until("reset".to_owned())).filter(|at| *at > refusal.now);
        // The vendor may name the wait in place of the time.
        let left = reset.and_then(|at| u64::try_from(at - refusal.now).ok()).map(Duration::from_secs);
        let left = left.or(refusal.failure.retry_after).unwrap_or_default();
        left.clamp(Duration::from_secs(1), Duration::from_hours(7 * 24))
    };
    if details(refusal.failure)["error_code"].as_str().is_some_and(|code| SPENT.contains(&code)) {
        let wait = refusal.failure.retry_after.unwrap_or(NOTHING_TO_SPEND).min(Duration::from_hours(24));
        return Verdict {
            hint: Some(
                "a limit of spending is reached; raise it with the vendor (claude.ai/settings/usage, or platform.claude.com), or use \
                 another account",
            ),
            ..Verdict::other(Some((Scope::Account, wait)))
        };
    }
    let windows: Vec<_> = ["5h", "7d"].into_iter().filter(|window| rejected(window)).collect();
    if !windows.is_empty() {
        return Verdict::other(Some((Scope::Account, wait(&windows))));
    }
    // Limits of one line of models, whichever of them was asked.
    let line = match header("representative-claim") {
        Some("seven_day_opus") => Some("opus"),
        Some("seven_day_sonnet") => Some("sonnet"),
        // The limit of the largest models, whatever was asked.
        _ if rejected("7d_oi") => Some(if refusal.model.contains("mythos") { "mythos" } else { "fable" }),
        _ => None,
    };
    if let Some(line) = line {
        let scope = Scope::Line(Line::With(line));
        let of_line = if rejected("7d_oi") { &["7d_oi"][..] } else { &[] };
        return Verdict::other(Some((scope, wait(of_line))));
    }
    if header("status") == Some("rejected") {
        return Verdict::other(Some((Scope::Account, wait(&[]))));
    }
    let of_a_window =
        |name: &str| name.starts_with("anthropic-ratelimit-unified-") && name.ends_with("reset");
    if refusal.oauth && !refusal.headers.keys().any(|name| of_a_window(name.as_str())) {
        // A 429 without the reset of a window is one of this request or of the moment, not of the plan, however long the wait
        // that it names (`claude.md`, 4.1): a longer pause once took accounts out for days.
        return Verdict { next: Next::GiveUp, ..Verdict::other(None) };
    }
    judge_by_kind(&Refusal { failure: &limited(refusal.failure), ..*refusal })
}

fn limited(failure: &Failure) -> Failure {
    Failure { kind: FailureKind::RateLimit, raw: None, ..failure.clone() }
}

/// Whether the first system block of a Messages body is one of the accepted sentences.
pub fn brings_sentence(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Block {
        #[serde(default)]
        text: String,
    }
    let Ok(scan) = Scan::of(body) else { return false };
    let Some(system) = scan.text(body, "system") else { return false };
    if let Ok(text) = serde_json::from_str::<String>(system) {
        return ACCEPTED_SENTENCES.contains(&text.as_str());
    }
    let blocks: Vec<Block> = serde_json::from_str(system).unwrap_or_default();
    // The official client may put its billing block before the sentence.
    let first = blocks.iter().find(|block| !block.text.starts_with("x-anthropic-billing-header:"));
    first.is_some_and(|block| ACCEPTED_SENTENCES.contains(&block.text.as_str()))
}

/// The body with the first accepted sentence as a system block of its own before all others. Only called with the consent
/// of the account's owner.
pub fn with_sentence(body: &Bytes) -> Result<Bytes, Failure> {
    let block = format!(r#"{{"type":"text","text":"{}"}}"#, ACCEPTED_SENTENCES[0]);
    let scan = Scan::of(body)?;
    let Some(range) = scan.value("system") else {
        return Ok(splice(body, vec![scan.set("system", &format!("[{block}]"))]));
    };
    let text = scan.text(body, "system").unwrap_or_default();
    let edit = match text.as_bytes().first() {
        Some(b'[') => {
            let empty = text[1..].trim_start().starts_with(']');
            let comma = if empty { "" } else { "," };
            Edit { range: range.start + 1..range.start + 1, text: format!("{block}{comma}") }
        }
        Some(b'"') if text != "\"\"" => {
            Edit { range, text: format!(r#"[{block},{{"type":"text","text":{text}}}]"#) }
        }
        _ => Edit { range, text: format!("[{block}]") },
    };
    Ok(splice(body, vec![edit]))
}

#[cfg(test)]
mod tests;
