//! What the backend tells of models and of a plan.

use super::{number, text};
use crate::knowledge::{Discovered, Quota, Window};
use byok_types::Effort;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// The models of the list that are meant for people.
pub(super) fn models(body: &[u8]) -> Vec<Discovered> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let listed = body["models"].as_array().into_iter().flatten();
    listed
        .filter(|model| model["visibility"].as_str().is_none_or(|visibility| visibility == "list"))
        .filter_map(|model| {
            let id = model["slug"].as_str().filter(|slug| !slug.is_empty())?;
            Some(Discovered::new(id, facts(model)))
        })
        .collect()
}

fn facts(model: &Value) -> Map<String, Value> {
    let mut facts = Map::new();
    if let Some(name) = model["display_name"].as_str() {
        facts.insert("display_name".to_owned(), json!(name));
    }
    let window = [&model["max_context_window"], &model["context_window"]];
    if let Some(tokens) = window.into_iter().find_map(Value::as_u64).and_then(|n| u32::try_from(n).ok()) {
        facts.insert("context_tokens".to_owned(), json!(tokens));
    }
    let levels = model["supported_reasoning_levels"].as_array().into_iter().flatten();
    let levels: Vec<&str> = levels
        .filter_map(|level| level["effort"].as_str().and_then(Effort::parse).map(Effort::name))
        .collect();
    if !levels.is_empty() {
        let off = levels.contains(&"none");
        let thinking = json!({"forms": ["level"], "levels": levels, "can_disable": off});
        facts.insert("thinking".to_owned(), thinking);
    }
    if let Some(kinds) = model["input_modalities"].as_array() {
        let image = kinds.iter().any(|kind| kind == "image");
        let input = json!({"image": image, "pdf": image, "audio": false, "video": false, "url": true});
        facts.insert("input".to_owned(), input);
    }
    facts
}

/// The name of a window by its length.
fn name(seconds: i64) -> String {
    const HOUR: i64 = 3600;
    match seconds {
        604_800 => "week".to_owned(),
        86_400 => "day".to_owned(),
        seconds if seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        HOUR => "hour".to_owned(),
        seconds if seconds % HOUR == 0 => format!("{} hours", seconds / HOUR),
        seconds => format!("{} minutes", seconds / 60),
    }
}

/// The answer about a plan.
pub(super) fn quota(body: &[u8], now: i64) -> Quota {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut windows = Vec::new();
    limit(&body["rate_limit"], None, now, &mut windows);
    limit(&body["code_review_rate_limit"], Some("code review"), now, &mut windows);
    for more in body["additional_rate_limits"].as_array().into_iter().flatten() {
        let scope = more["limit_name"].as_str().or_else(|| more["metered_feature"].as_str());
        limit(&more["rate_limit"], Some(scope.unwrap_or("other")), now, &mut windows);
    }
    let rate = &body["rate_limit"];
    let closed = rate["allowed"] == false
        || rate["limit_reached"] == true
        || body["rate_limit_reached_type"]["type"].is_string();
    Quota { closed, plan: body["plan_type"].as_str().map(str::to_ascii_lowercase), windows }
}

fn limit(limit: &Value, scope: Option<&str>, now: i64, windows: &mut Vec<Window>) {
    for window in [&limit["primary_window"], &limit["secondary_window"]] {
        let (Some(used), Some(seconds)) =
            (window["used_percent"].as_f64(), window["limit_window_seconds"].as_i64())
        else {
            continue;
        };
        let left = window["reset_after_seconds"].as_i64().map(|left| now.saturating_add(left));
        windows.push(Window {
            name: name(seconds),
            used: used / 100.0,
            resets_at: window["reset_at"].as_i64().or(left),
            scope: scope.map(str::to_owned),
        });
    }
}

/// What the headers of an answer say. Which window is the first is the plan's matter: only its length tells.
pub(super) fn windows(headers: &HeaderMap, now: i64) -> Vec<Window> {
    const USED: [(&str, &str); 2] =
        [("-primary-used-percent", "primary"), ("-secondary-used-percent", "secondary")];
    let mut windows = Vec::new();
    for header in headers.keys() {
        let found =
            USED.iter().find_map(|(tail, window)| Some((header.as_str().strip_suffix(tail)?, *window)));
        let Some((family, window)) = found.filter(|(family, _)| family.starts_with("x-")) else { continue };
        let value = |what: &str| number(headers, &format!("{family}-{window}-{what}"));
        let (Some(used), Some(minutes)) = (value("used-percent"), value("window-minutes")) else { continue };
        let after = value("reset-after-seconds").or_else(|| value("resets-in-seconds"));
        let resets_at = value("reset-at").map(whole).or(after.map(|left| now.saturating_add(whole(left))));
        let scope = match family {
            "x-codex" => None,
            other => {
                let named = text(headers, &format!("{other}-limit-name")).map(str::to_owned);
                Some(named.unwrap_or_else(|| other.trim_start_matches("x-").to_owned()))
            }
        };
        windows.push(Window { name: name(whole(minutes * 60.0)), used: used / 100.0, resets_at, scope });
    }
    windows
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium; anything else is limited")]
fn whole(number: f64) -> i64 {
    number as i64
}
