//! What is left of a membership.

use crate::{
    knowledge::{Quota, Window},
    upstream::time::unix_of,
};
use serde_json::Value;

/// Reads the answer of `usages`. Numbers are texts; older answers count what remains.
pub(super) fn read(body: &[u8], now: i64) -> Quota {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut windows: Vec<Window> = window(&answer["usage"], "week".to_owned(), now).into_iter().collect();
    for limit in answer["limits"].as_array().into_iter().flatten() {
        windows.extend(window(&limit["detail"], name_of(limit), now));
    }
    Quota { windows, ..Quota::default() }
}

/// Whether what is asked now is paid for from the wallet beside the plan: a limit of the plan is used up, and the wallet was
/// used this month and is not empty.
pub(super) fn charges(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let wallet = &answer["boosterWallet"];
    let spent = number(&wallet["monthlyUsed"]["priceInCents"]).is_some_and(|cents| cents > 0.0);
    let left = number(&wallet["balance"]["amountLeft"]).is_none_or(|left| left > 0.0);
    spent && left && read(body, 0).windows.iter().any(|window| window.used >= 1.0)
}

fn window(told: &Value, name: String, now: i64) -> Option<Window> {
    let limit = number(&told["limit"]).filter(|limit| *limit > 0.0)?;
    let used = number(&told["used"]).or_else(|| number(&told["remaining"]).map(|left| limit - left))?;
    let at = ["resetTime", "resetAt", "reset_at"].into_iter();
    let at = at.filter_map(|name| told[name].as_str()).find_map(unix_of);
    #[expect(clippy::cast_possible_truncation, reason = "seconds until a reset; anything else is limited")]
    let after =
        || ["reset_in", "ttl"].into_iter().find_map(|name| number(&told[name])).map(|s| now + s as i64);
    Some(Window { name, used: (used / limit).clamp(0.0, 1.0), resets_at: at.or_else(after), scope: None })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `5 hours` of 300 minutes.
fn name_of(limit: &Value) -> String {
    let duration = number(&limit["window"]["duration"]).unwrap_or(0.0);
    let unit = limit["window"]["timeUnit"].as_str().unwrap_or_default().trim_start_matches("TIME_UNIT_");
    let minutes = match unit {
        "MINUTE" => duration,
        "HOUR" => duration * 60.0,
        "DAY" => duration * 1440.0,
        "WEEK" => duration * 10_080.0,
        _ => 0.0,
    };
    let stated = || limit["name"].as_str().map_or_else(|| "limit".to_owned(), str::to_owned);
    match minutes {
        0.0 => stated(),
        10_080.0 => "week".to_owned(),
        1440.0 => "day".to_owned(),
        60.0 => "hour".to_owned(),
        minutes if minutes % 60.0 == 0.0 => format!("{} hours", minutes / 60.0),
        minutes => format!("{minutes} minutes"),
    }
}
