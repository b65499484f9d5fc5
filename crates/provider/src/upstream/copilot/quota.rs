//! What is left of a plan: in the headers of every answer, and at an address of its own.

use crate::{
    knowledge::{Quota, Window},
    upstream::time::unix_of,
};
use http::HeaderMap;
use serde_json::Value;
use std::time::Duration;
use url::form_urlencoded;

const PREMIUM: &str = "premium requests";

/// The headers, and how people call what they tell of.
const HEADERS: [(&str, &str); 6] = [
    ("x-quota-snapshot-premium_interactions", PREMIUM),
    ("x-quota-snapshot-premium_models", PREMIUM),
    ("x-quota-snapshot-chat", "chat"),
    ("x-quota-snapshot-completions", "completions"),
    ("x-usage-ratelimit-session", "session"),
    ("x-usage-ratelimit-weekly", "week"),
];

/// `ent=300&ov=0.0&ovPerm=false&rem=87.5&rst=2026-12-01T00:00:00Z`.
struct Snapshot {
    entitlement: f64,
    beyond: f64,
    /// In percent.
    remaining: f64,
    resets_at: Option<i64>,
}

impl Snapshot {
    fn of(headers: &HeaderMap, name: &str) -> Option<Self> {
        let text = headers.get(name)?.to_str().ok()?;
        let field = |wanted: &str| {
            let found = form_urlencoded::parse(text.as_bytes()).find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        let number = |name: &str| field(name).and_then(|text| text.parse::<f64>().ok());
        Some(Self {
            entitlement: number("ent").unwrap_or(0.0),
            beyond: number("ov").unwrap_or(0.0),
            remaining: number("rem")?,
            resets_at: field("rst").as_deref().and_then(unix_of),
        })
    }

    /// Without an end, or not metered by seat.
    fn is_open(&self) -> bool {
        self.entitlement < 0.0 || (self.entitlement == 0.0 && self.remaining >= 100.0)
    }
}

/// The windows that the headers of an answer tell of.
pub(super) fn windows(headers: &HeaderMap) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    for (name, called) in HEADERS {
        let Some(told) = Snapshot::of(headers, name).filter(|told| !told.is_open()) else { continue };
        if all.iter().all(|known| known.name != called) {
            all.push(Window {
                name: called.to_owned(),
                used: ((100.0 - told.remaining) / 100.0).clamp(0.0, 1.0),
                resets_at: told.resets_at,
                scope: None,
            });
        }
    }
    all
}

/// Whether an answer was served beyond the plan.
pub(super) fn charges_extra(headers: &HeaderMap) -> bool {
    let premium = HEADERS.iter().filter(|(_, called)| *called == PREMIUM);
    let mut told = premium.filter_map(|(name, _)| Snapshot::of(headers, name));
    told.any(|told| !told.is_open() && told.beyond > 0.0 && told.remaining <= 0.0)
}

/// Whether GitHub's own page says that what is asked now is charged beyond the plan, by the same rule as the headers. What was
/// charged before its owner switched that off is no sign any more.
pub(super) fn charges(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let told = &answer["quota_snapshots"]["premium_interactions"];
    let beyond = told["overage_count"].as_f64().is_some_and(|count| count > 0.0);
    let used_up = told["percent_remaining"].as_f64().is_some_and(|remaining| remaining <= 0.0);
    beyond && used_up && told["unlimited"] != true && told["overage_permitted"] != false
}

/// How long until a used-up window begins anew.
pub(super) fn reset(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let told = HEADERS.iter().filter_map(|(name, _)| Snapshot::of(headers, name));
    let ends = told.filter(|told| !told.is_open() && told.remaining <= 0.0).filter_map(|told| told.resets_at);
    let seconds = u64::try_from(ends.max()? - now).ok()?;
    Some(Duration::from_secs(seconds))
}

/// Reads the answer of `copilot_internal/user`.
pub(super) fn read(body: &[u8]) -> Quota {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let free = answer["access_type_sku"] == "free_limited_copilot";
    let plan = if free { Some("free") } else { answer["copilot_plan"].as_str() };
    let reset = ["quota_reset_date_utc", "quota_reset_date"].into_iter();
    let reset = reset.filter_map(|name| answer[name].as_str()).find_map(unix_of);
    let mut windows = Vec::new();
    for (name, called) in
        [("premium_interactions", PREMIUM), ("chat", "chat"), ("completions", "completions")]
    {
        let told = &answer["quota_snapshots"][name];
        let Some(remaining) = told["percent_remaining"].as_f64() else { continue };
        let unmetered = told["entitlement"].as_f64() == Some(0.0) && remaining >= 100.0;
        if told["unlimited"] == true || unmetered {
            continue;
        }
        windows.push(Window {
            name: called.to_owned(),
            used: ((100.0 - remaining) / 100.0).clamp(0.0, 1.0),
            resets_at: told["quota_reset_at"].as_i64().filter(|at| *at > 0).or(reset),
            scope: None,
        });
    }
    // The older form of the free plan.
    for name in ["chat", "completions"] {
        let (left, all) = (&answer["limited_user_quotas"][name], &answer["monthly_quotas"][name]);
        if let (Some(left), Some(all)) = (left.as_f64(), all.as_f64().filter(|all| *all > 0.0))
            && windows.iter().all(|known| known.name != name)
        {
            let resets_at = answer["limited_user_reset_date"].as_i64();
            windows.push(Window {
                name: name.to_owned(),
                used: (1.0 - left / all).clamp(0.0, 1.0),
                resets_at: resets_at.or_else(|| answer["limited_user_reset_date"].as_str().and_then(unix_of)),
                scope: None,
            });
        }
    }
    Quota { plan: plan.map(str::to_owned), windows, closed: false }
}
