//! Kimi Code: Messages below one address of each region.
//!
//! The vendor's Chat surface serves only programs of a list; its Messages surface serves all. byok therefore speaks Messages
//! to it, whatever its client speaks.

mod body;
mod quota;

use super::{
    Ask, Endpoint, Lookup, Next, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, join,
    judge_by_kind, set, without_tail,
};
use crate::knowledge::{Discovered, Quota};
use byok_auth::kimi::{DEVICE, REGION, device_headers};
use byok_translate::{Losses, codec};
use byok_types::{AccountState, Dialect, Failure, FailureKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, time::Duration};
use url::Url;

const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// A beta that the vendor's own program takes out.
const UNWANTED_BETA: &str = "interleaved-thinking-2025-05-14";
const GLOBAL: &str = "https://api.kimi.ai/coding";

/// Kimi Code.
#[derive(Clone, Debug, Default)]
pub struct Kimi {
    /// Whether the person's settings name an address.
    pub own: bool,
}

impl Kimi {
    fn root(base: &str) -> &str {
        without_tail(base, &["/v1/messages", "/v1"])
    }

    fn lookup(base: &str, path: &str, token: &Token) -> Option<Lookup> {
        let mut headers = HeaderMap::new();
        authorize(token, &mut headers);
        Some(Lookup::get(join(Self::root(base), path).ok()?, headers))
    }
}

fn authorize(token: &Token, headers: &mut HeaderMap) {
    set(headers, AUTHORIZATION, &format!("Bearer {}", token.secret.expose()), true);
    if token.oauth {
        for (name, value) in device_headers(token.fact(DEVICE)) {
            set(headers, HeaderName::from_static(name), &value, false);
        }
    }
}

impl Upstream for Kimi {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let base = Self::root(base);
        match ask.operation {
            Operation::Generate { .. } => join(base, "/v1/messages"),
            Operation::Count => join(base, "/v1/messages/count_tokens"),
            Operation::Models => join(base, "/v1/models"),
            Operation::Endpoint(endpoint) => join(base, endpoint.path()),
        }
    }

    fn has(&self, _endpoint: Endpoint) -> bool {
        false
    }

    fn base<'a>(&self, base: &'a str, token: &'a Token) -> Cow<'a, str> {
        let global = !self.own && token.fact(REGION) == Some("global");
        Cow::Borrowed(if global { GLOBAL } else { base })
    }

    fn trusts(&self, host: &str) -> bool {
        matches!(host, "api.kimi.com" | "api.kimi.ai")
    }

    fn headers(&self, ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        authorize(token, headers);
        set(headers, VERSION, "2023-06-01", false);
        let client = ask.client.into_iter().flat_map(|client| client.get_all(&BETA));
        let needed =
            ask.needed.iter().filter(|(name, _)| *name == BETA.as_str()).map(|(_, value)| value.as_str());
        let betas: Vec<&str> = client
            .filter_map(|value| value.to_str().ok())
            .chain(needed)
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|beta| !beta.is_empty() && *beta != UNWANTED_BETA)
            .collect();
        if !betas.is_empty() {
            set(headers, BETA, &betas.join(","), false);
        }
    }

    fn shape(&self, body: Bytes, shaping: &Shaping<'_>, losses: &mut Losses) -> Result<Bytes, Failure> {
        body::shape(body, shaping.ask.model, &shaping.facts.thinking, losses)
    }

    fn read_failure(&self, dialect: Dialect, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        let mut failure = codec::decode_failure(dialect, status, body);
        let message = failure.message.to_ascii_lowercase();
        if message.contains("reached your usage limit") {
            failure.kind = FailureKind::QuotaWindow;
        } else if is_broke(&failure, &message) {
            failure.kind = FailureKind::Billing;
        } else if message.contains("overloaded") {
            failure.kind = FailureKind::Overloaded;
        }
        failure
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        false
    }

    fn counts_tokens(&self) -> bool {
        true
    }

    fn ends_logins(&self) -> bool {
        true
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let message = failure.message.to_ascii_lowercase();
        let blocked = |scope: Duration| Verdict {
            state: Some(AccountState::Blocked { reason: failure.message.clone() }),
            own_credential: true,
            ..Verdict::other(Some((Scope::Account, scope)))
        };
        let used_up = |usual: u64| {
            let wait = failure.retry_after.unwrap_or(Duration::from_secs(usual));
            Verdict::other(Some((Scope::Account, wait.min(Duration::from_hours(7 * 24)))))
        };
        match failure.status {
            402 => blocked(Duration::from_hours(1)),
            403 if message.contains("reached your usage limit") => used_up(3600),
            // The vendor's gate for programs: no matter of the account, and no other account helps.
            403 if message.contains("only available for coding agents") => Verdict {
                hint: Some(
                    "Kimi serves this only to programs of its list; byok asks its Messages surface, which has none",
                ),
                ..Verdict::PASS_ON
            },
            403 if message.contains("access terminated") || message.contains("access_terminated") => {
                blocked(Duration::from_hours(1))
            }
            429 if message.contains("reached your usage limit") => used_up(1800),
            429 if is_broke(failure, &message) => {
                Verdict::other(Some((Scope::Account, Duration::from_mins(30))))
            }
            429 if failure.kind == FailureKind::Overloaded => {
                Verdict::other(Some((Scope::Model, failure.retry_after.unwrap_or(Duration::from_secs(5)))))
            }
            401 if refusal.oauth => Verdict { next: Next::Refresh, own_credential: true, ..Verdict::PASS_ON },
            _ => judge_by_kind(refusal),
        }
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        Self::lookup(base, "/v1/models", token)
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        let list: Value = serde_json::from_slice(body).unwrap_or_default();
        let models = list["data"].as_array().into_iter().flatten();
        models.filter_map(|model| Some(Discovered::new(model["id"].as_str()?, facts(model)))).collect()
    }

    fn tells_quota(&self) -> bool {
        true
    }

    fn ask_quota(&self, base: &str, token: &Token) -> Option<Lookup> {
        Self::lookup(base, "/v1/usages", token)
    }

    fn read_quota(&self, body: &[u8], now: i64) -> Quota {
        quota::read(body, now)
    }

    /// The refusal does not say when its limit opens; the limits do.
    fn rests_until_reset(&self, failure: &Failure) -> bool {
        failure.kind == FailureKind::QuotaWindow
    }

    fn tells_charges_by_quota(&self) -> bool {
        true
    }

    fn quota_charges(&self, body: &[u8]) -> bool {
        quota::charges(body)
    }
}

/// Whether it is a balance that is used up.
fn is_broke(failure: &Failure, message: &str) -> bool {
    const WORDS: [&str; 6] = [
        "exceeded your current",
        "check your account balance",
        "insufficient balance",
        "please recharge",
        "account in arrears",
        "exceeded_current_quota_error",
    ];
    failure.code.as_deref() == Some("exceeded_current_quota_error")
        || WORDS.iter().any(|word| message.contains(word))
}

/// What the list says of a model.
fn facts(model: &Value) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    if let Some(name) = model["display_name"].as_str() {
        put("display_name", json!(name));
    }
    if let Some(size) = model["context_length"].as_u64().and_then(|size| u32::try_from(size).ok()) {
        put("context_tokens", json!(size));
    }
    if let (Some(image), video) = (model["supports_image_in"].as_bool(), model["supports_video_in"] == true) {
        put("input", json!({"image": image, "pdf": false, "audio": false, "video": video, "url": false}));
    }
    if let Some(tools) = model["supports_tool_use"].as_bool() {
        put("tools", json!(tools));
    }
    let always = model["supports_thinking_type"] == "only";
    let efforts = &model["think_efforts"];
    if model["supports_thinking_type"] == "no" || model["supports_reasoning"] == false {
        put("thinking", json!({"forms": [], "levels": []}));
    } else if efforts["support"] == true {
        let known = ["low", "medium", "high", "xhigh", "max"];
        let levels = efforts["valid_efforts"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let levels: Vec<&str> = levels.filter(|level| known.contains(level)).collect();
        put("thinking", json!({"forms": ["adaptive", "effort"], "levels": levels, "can_disable": !always}));
    }
    facts
}

#[cfg(test)]
mod tests;
