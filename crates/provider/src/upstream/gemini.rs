//! Gemini by API key, and servers that speak the same.

use super::{
    Ask, Endpoint, Lookup, Operation, Refusal, Scope, Shaping, Token, Upstream, Verdict, empty_parts, join,
    judge_by_kind, limits, listing, set, time, without_tail,
};
use crate::knowledge::Discovered;
use byok_translate::{Losses, codec};
use byok_types::{Dialect, Failure};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use std::time::Duration;
use url::Url;

const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// By what a key can be restricted.
const RESTRICTED: [&str; 4] = ["HTTP_REFERRER", "IP_ADDRESS", "ANDROID_APP", "IOS_APP"];

/// Gemini.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gemini;

impl Upstream for Gemini {
    fn url(&self, base: &str, ask: &Ask<'_>) -> Result<Url, Failure> {
        let base = without_tail(base, &["/models"]);
        // `v1beta` is the superset; an address that names a version keeps it.
        let versioned = ["/v1", "/v1beta", "/v1alpha"].iter().any(|version| base.ends_with(version));
        let base = if versioned { base.to_owned() } else { format!("{base}/v1beta") };
        let method = match ask.operation {
            Operation::Generate { stream: true } => "streamGenerateContent?alt=sse",
            Operation::Generate { stream: false } => "generateContent",
            Operation::Count => "countTokens",
            Operation::Models => return join(&base, "/models?pageSize=1000"),
            Operation::Endpoint(Endpoint::BatchEmbedContents) => "batchEmbedContents",
            Operation::Endpoint(_) => "embedContent",
        };
        // Model names come from clients: nothing in them may change the path or the query.
        let model: String = url::form_urlencoded::byte_serialize(ask.model.as_bytes()).collect();
        join(&base, &format!("/models/{}:{method}", model.replace('+', "%20").replace("%2F", "/")))
    }

    fn has(&self, endpoint: Endpoint) -> bool {
        endpoint.dialect() == Dialect::Gemini
    }

    fn headers(&self, _ask: &Ask<'_>, token: &Token, headers: &mut HeaderMap) {
        let secret = token.secret.expose();
        if !secret.is_empty() {
            set(headers, X_GOOG_API_KEY, secret, true);
        }
    }

    fn shape(&self, body: Bytes, _shaping: &Shaping<'_>, _losses: &mut Losses) -> Result<Bytes, Failure> {
        Ok(empty_parts::left_out(body))
    }

    fn charges_extra(&self, _headers: &HeaderMap) -> bool {
        // Its keys are charged for every answer; there is no plan.
        false
    }

    fn judge(&self, refusal: &Refusal<'_>) -> Verdict {
        let failure = refusal.failure;
        let raw = failure.raw.as_ref().map(|raw| String::from_utf8_lossy(&raw.body)).unwrap_or_default();
        // Such a key is dead: nothing but another one helps.
        if failure.message.contains("reported as leaked") || raw.contains("API_KEY_EXPIRED") {
            return limits::key_ended(
                failure,
                "Make a new key at aistudio.google.com and set it in place of this one",
            );
        }
        if failure.status == 403 && RESTRICTED.iter().any(|by| raw.contains(&format!("API_KEY_{by}_BLOCKED")))
        {
            return limits::key_ended(
                failure,
                "Lift the restriction of the key in Google's console, or set another key",
            );
        }
        // A bad key is a 400 here, not a 401.
        if failure.status == 400
            && (raw.contains("API_KEY_INVALID") || failure.message.contains("API key not valid"))
        {
            return Verdict {
                own_credential: true,
                ..Verdict::other(Some((Scope::Account, Duration::from_mins(5))))
            };
        }
        if raw.contains("MODEL_CAPACITY_EXHAUSTED") || raw.contains("MODEL_CAPACITY_EXCEEDED") {
            return Verdict::other(Some((Scope::Model, Duration::from_secs(5))));
        }
        if failure.status == 429
            && (raw.contains("PerDay") || raw.contains("Daily") || raw.contains("limit: 0"))
        {
            let left = u64::try_from(time::next_day_in_california(refusal.now) - refusal.now).unwrap_or(0);
            let day = Duration::from_secs(left).max(Duration::from_mins(1));
            // A limit of nothing is none of a day: the model may be allowed the next hour.
            let least = if raw.contains("limit: 0") { Duration::from_hours(1) } else { day };
            // The wait that comes beside is that of the minute.
            let wait = failure.retry_after.unwrap_or(least).max(least);
            return Verdict::other(Some((Scope::Model, wait)));
        }
        if failure.status == 429 && raw.contains("PerMinute") && failure.retry_after.is_none() {
            return Verdict::other(Some((Scope::Model, Duration::from_mins(1))));
        }
        judge_by_kind(refusal)
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn ask_models(&self, base: &str, token: &Token) -> Option<Lookup> {
        listing::ask(self, base, token, Dialect::Gemini)
    }

    fn ask_more_models(&self, before: &Lookup, page: &[u8]) -> Option<Lookup> {
        listing::ask_more(Dialect::Gemini, before, page)
    }

    fn read_models(&self, body: &[u8]) -> Vec<Discovered> {
        codec::decode_models(Dialect::Gemini, body)
    }
}
