//! Kiro: AWS's coding service, by its logins and by API key.
//!
//! It speaks a wire of its own (`byok_translate::kiro`): requests are made from those of the Messages dialect, answers come as a
//! binary event stream. Hosts depend on the region of the profile. What it charges is told only by the usage call.

mod account;

use super::{
    Ask, Endpoint, Lack, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, names, set, without_tail,
};
use crate::knowledge::{Discovered, Quota};
use byok_translate::{
    Envelope, Losses,
    kiro::{self, Conversation, code},
};
use byok_types::{AccountState, Dialect, Failure, FailureKind, Family, ModelFacts};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde::de::IgnoredAny;
use std::{borrow::Cow, time::Duration};
use url::Url;

/// Where requests go without a word of the settings or of the profile.
pub(crate) const BASE: &str = "https://runtime.us-east-1.kiro.dev";
const GENERATE: &str = "/generateAssistantResponse";
const HOME: &str = "us-east-1";
const TOKEN_TYPE: HeaderName = HeaderName::from_static("tokentype");
const MODE: HeaderName = HeaderName::from_static("x-amzn-kiro-agent-mode");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// The profiles that the service shares among those who have none of their own.
const BUILDER_ID: &str = "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX";
const SOCIAL: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";
/// Where a locked account is unlocked.
const SUPPORT: &str = "https://support.aws.amazon.com/#/contacts/kiro";

/// Kiro.
#[derive(Clone, Debug, Default)]
pub struct Kiro {
    /// Where its models are listed, if not at the vendor's host of the region.
    pub models: Option<Url>,
    /// Where the usage is asked for, if not there.
    pub usage: Option<Url>,
}

/// A model's name on the wire.
fn wire_name(model: &str) -> String {
    match model.rsplit('/').next().unwrap_or(model) {
        "kiro-default" => "auto".to_owned(),
        name => names::wire(name),
    }
}

/// The profile that a request names: the account's own, or the one that its kind of login shares. API keys have none.
fn profile(token: &Token) -> Option<&str> {
    if !token.oauth {
        return None;
    }
    Some(match (token.fact("kind"), token.fact("profile_arn")) {
        // Never another's: that of an organisation is not to be replaced by a shared one.
        (Some("idc"), own) => return own,
        (Some("builder-id"), _) => BUILDER_ID,
        (_, own) => own.unwrap_or(SOCIAL),
    })
}

/// The region of the API: that of the profile.
fn region(token: &Token) -> &str {
    let region = profile(token).and_then(|arn| arn.split(':').nth(3)).filter(|region| is_region(region));
    region.unwrap_or(HOME)
}

fn is_region(text: &str) -> bool {
    (4..=32).contains(&text.len())
        && text.contains('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn origin(token: &Token) -> &'static str {
    if token.oauth { "AI_EDITOR" } else { "KIRO_CLI" }
}

/// What every call to Kiro says of its credential.
fn credential(token: &Token, headers: &mut HeaderMap) {
    set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
    // For any other kind of token the header would be refused.
    if !token.oauth {
        set(headers, TOKEN_TYPE, "API_KEY", false);
    }
}

/// Notes the wishes of a Messages body that this wire has no place for.
fn left_out(body: &[u8], losses: &mut Losses) {
    #[derive(Default, serde::Deserialize)]
    struct Choice {
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Default, serde::Deserialize)]
    struct Wishes {
        temperature: Option<IgnoredAny>,
        top_p: Option<IgnoredAny>,
        top_k: Option<IgnoredAny>,
        tool_choice: Option<Choice>,
    }
    let wishes: Wishes = serde_json::from_slice(body).unwrap_or_default();
    for (name, wish) in
        [("temperature", wishes.temperature), ("top_p", wishes.top_p), ("top_k", wishes.top_k)]
    {
        if wish.is_some() {
            losses.dropped(name, "Kiro takes no sampling parameters");
        }
    }
    if wishes.tool_choice.is_some_and(|choice| matches!(&*choice.kind, "any" | "tool")) {
        losses.dropped("tool_choice", "Kiro cannot be made to call a tool");
    }
}

impl Upstream for Kiro {
    fn url(&self, base: &str, _ask: &Ask<'_>) -> Result<Url, Failure> {
        join(without_tail(base, &[GENERATE]), GENERATE)
    }

    fn has(&self, _endpoint: Endpoint) -> bool {
        false
    }

    fn base<'a>(&self, base: &'a str, token: &'a Token) -> Cow<'a, str> {
        match region(token) {
            HOME => Cow::Borrowed(base),
            other if base == BASE => Cow::Owned(format!("https://runtime.{other}.kiro.dev")),
            _ => Cow::Borrowed(base),
        }
    }

    fn trusts(&self, host: &str) -> bool {
        let region = |plane: &str| host.strip_prefix(plane)?.strip_suffix(".kiro.dev");
        region("runtime.").or_else(|| region("management.")).is_some_and(is_region)
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        credential(token, headers);
        if matches!(ask.operation, Operation::Generate { .. }) {
            set(headers, ACCEPT, "application/vnd.amazon.eventstream", false);
            set(headers, MODE, "vibe", false);
        }
    }

    fn only_streams(&self, _ask: &Ask<'_>) -> bool {
        true
    }

    fn reads_all(&self) -> bool {
        true
    }

    fn lacks(&self) -> &'static [Lack] {
        &[Lack::Stops, Lack::Limit]
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        if !matches!(shaping.ask.operation, Operation::Generate { .. }) {
            return Ok(body);
        }
        left_out(&body, losses);
        let model = wire_name(shaping.ask.model);
        let conversation = Conversation {
            model: &model,
            family: if model.starts_with("gpt-") { Family::Openai } else { Family::Claude },
            takes_effort: !shaping.facts.thinking.forms.is_empty(),
            profile: profile(shaping.token),
            origin: origin(shaping.token),
            request_id: shaping.request_id,
        };
        kiro::conversation(&body, &conversation)
    }

    fn envelope_of(&self, facts: &ModelFacts) -> Envelope {
        Envelope::Kiro { window: facts.context_tokens }
    }

    fn read_failure(&self, _dialect: Dialect, status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
        kiro::failure(status, headers.get(ERROR_TYPE).and_then(|name| name.to_str().ok()), body)
    }

    fn relays_refusals(&self) -> bool {
        false
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        false
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let wait = |default: u64, least: u64, most: u64| {
            let stated = failure.retry_after.unwrap_or(Duration::from_secs(default));
            stated.clamp(Duration::from_secs(least), Duration::from_secs(most))
        };
        match failure.code.as_deref() {
            // One offending request must not burn all accounts, so none other is tried.
            Some(code::SUSPENDED) => Verdict {
                state: Some(AccountState::Blocked { reason: format!("{} (AWS: {SUPPORT})", failure.message) }),
                own_credential: true,
                ..Verdict::PASS_ON
            },
            // Credits come back with the month. Where it is not known when, asking once an hour costs nothing.
            Some(code::MONTH | code::OVERAGE) => Verdict {
                hint: Some("the credits of this Kiro plan are used up; `byok status` shows when they come back"),
                ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
            },
            // The model is busy for everybody: the account rests for nothing else.
            Some(code::NO_CAPACITY) => Verdict::other(Some((Scope::Model, wait(5, 1, 30)))),
            Some(code::WATCHED) => Verdict::other(Some((Scope::Account, wait(900, 300, 3600)))),
            // A higher plan may have it.
            Some(code::MODEL) => Verdict::other(None),
            // A refresh brings the profile along. If it is refused again, nobody but a person can name it.
            Some(code::PROFILE) if refusal.oauth => Verdict {
                next: Next::Refresh,
                own_credential: true,
                state: Some(AccountState::NeedsLogin {
                    reason: "Kiro wants a profile that this login does not know. Log in again with `byok login kiro`.".to_owned(),
                }),
                ..Verdict::PASS_ON
            },
            Some(code::PROFILE) => Verdict {
                hint: Some("Kiro's new host did not take the key; set providers.kiro.urls.inference to https://q.us-east-1.amazonaws.com"),
                ..Verdict::PASS_ON
            },
            _ if failure.kind == FailureKind::RateLimit => Verdict::other(Some((Scope::Account, wait(60, 1, 3600)))),
            _ if failure.kind == FailureKind::NotFound => Verdict { next: Next::GiveUp, ..Verdict::PASS_ON },
            _ => judge_by_kind(refusal),
        }
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn tells_quota(&self) -> bool {
        true
    }

    fn ask_models(&self, _base: &str, token: &Token) -> Option<Lookup> {
        let url = self.models.clone().or_else(|| management(token, "/"))?;
        let mut body = serde_json::json!({"origin": origin(token)});
        if let Some(profile) = profile(token) {
            body["profileArn"] = profile.into();
        }
        let mut headers = HeaderMap::new();
        credential(token, &mut headers);
        set(&mut headers, CONTENT_TYPE, "application/x-amz-json-1.0", false);
        set(&mut headers, TARGET, "KiroControlPlaneBearerService.ListAvailableModels", false);
        Some(Lookup { method: Method::POST, url, headers, body: body.to_string().into() })
    }

    fn ask_more_models(&self, before: &Lookup, page: &[u8]) -> Option<Lookup> {
        let next = account::next_page(page)?;
        let mut body: serde_json::Value = serde_json::from_slice(&before.body).ok()?;
        body["nextToken"] = next.into();
        Some(Lookup { body: body.to_string().into(), ..before.clone() })
    }

    fn rests_until_reset(&self, failure: &Failure) -> bool {
        matches!(failure.code.as_deref(), Some(code::MONTH | code::OVERAGE))
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        account::models(body)
    }

    fn ask_quota(&self, _base: &str, token: &Token) -> Option<Lookup> {
        let mut url = self.usage.clone().or_else(|| management(token, "/getUsageLimits"))?;
        url.query_pairs_mut()
            .append_pair("origin", origin(token))
            .append_pair("resourceType", "AGENTIC_REQUEST")
            .append_pair("isEmailRequired", "true")
            // Only an organisation's: the shared ones are nobody's usage.
            .extend_pairs(
                profile(token).filter(|_| token.fact("kind") == Some("idc")).map(|arn| ("profileArn", arn)),
            );
        let mut headers = HeaderMap::new();
        credential(token, &mut headers);
        Some(Lookup::get(url, headers))
    }

    fn read_quota(&self, body: &[u8], _now: i64) -> Quota {
        account::quota(body)
    }

    fn tells_charges_by_quota(&self) -> bool {
        true
    }

    fn quota_charges(&self, body: &[u8]) -> bool {
        account::charges(body)
    }
}

fn management(token: &Token, path: &str) -> Option<Url> {
    Url::parse(&format!("https://management.{}.kiro.dev{path}", region(token))).ok()
}

#[cfg(test)]
mod tests;
