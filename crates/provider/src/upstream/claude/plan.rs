//! What Anthropic tells of what is left of a plan.
//!
//! Source: the official client, version 2.1.328, and the vendor's SDK of November 2026. Headers give fractions, the usage
//! endpoint per cent.

use crate::{knowledge::Window, upstream::time::unix_of};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::SystemTime;

const PREFIX: &str = "anthropic-ratelimit-unified-";
/// Windows of the headers, and what people call them.
const WINDOWS: [(&str, &str, Option<&str>); 3] =
    [("5h", "5 hours", None), ("7d", "week", None), ("7d_oi", "week", Some("Fable"))];

/// The time that a header names: Unix seconds, or a date, which costs nothing to read.
pub(super) fn moment(text: &str) -> Option<i64> {
    let date = || {
        let since =
            httpdate::parse_http_date(text.trim()).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    text.trim().parse().ok().or_else(|| unix_of(text)).or_else(date)
}

/// The windows that the headers of an answer tell.
pub(super) fn windows_of_headers(headers: &HeaderMap) -> Vec<Window> {
    let header = |name: String| headers.get(name).and_then(|value| value.to_str().ok());
    WINDOWS
        .iter()
        .filter_map(|(id, name, scope)| {
            let used = header(format!("{PREFIX}{id}-utilization"))?.trim().parse().ok()?;
            let resets_at = header(format!("{PREFIX}{id}-reset")).and_then(moment);
            Some(Window { name: (*name).to_owned(), used, resets_at, scope: scope.map(str::to_owned) })
        })
        .collect()
}

#[derive(Deserialize)]
struct Row {
    utilization: Option<f64>,
    resets_at: Option<String>,
}

/// The windows of the usage endpoint: its `limits` where they are, else the older fields.
pub(super) fn windows_of_usage(body: &[u8]) -> Vec<Window> {
    let Ok(usage) = serde_json::from_slice::<Map<String, Value>>(body) else { return Vec::new() };
    let at = |text: Option<&str>| {
        text.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second)
    };
    let rows = usage.get("limits").and_then(Value::as_array);
    let of_row = |row: &Value| {
        let name = match row["kind"].as_str()? {
            "session" => "5 hours",
            "weekly_all" | "weekly_scoped" => "week",
            other => other,
        };
        let scope = ["model", "surface"].iter().find_map(|what| row["scope"][what]["display_name"].as_str());
        Some(Window {
            name: name.to_owned(),
            used: row["percent"].as_f64()? / 100.0,
            resets_at: at(row["resets_at"].as_str()),
            scope: scope.map(str::to_owned),
        })
    };
    let mut windows: Vec<Window> = rows.into_iter().flatten().filter_map(of_row).collect();
    // The rows are newer, but nobody says that every account has all of them.
    let older = [
        ("five_hour", "5 hours", None),
        ("seven_day", "week", None),
        ("seven_day_opus", "week", Some("Opus")),
        ("seven_day_sonnet", "week", Some("Sonnet")),
    ]
    .into_iter()
    .filter_map(|(key, name, scope)| {
        let row = Row::deserialize(usage.get(key)?).ok()?;
        Some(Window {
            name: name.to_owned(),
            used: row.utilization? / 100.0,
            resets_at: at(row.resets_at.as_deref()),
            scope: scope.map(str::to_owned),
        })
    })
    .filter(|older| {
        !windows.iter().any(|window| (&window.name, &window.scope) == (&older.name, &older.scope))
    })
    .collect::<Vec<_>>();
    windows.extend(older);
    windows
}

#[cfg(test)]
mod tests;
