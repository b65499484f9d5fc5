//! What refusals of vendors that speak Chat Completions say of their limits: the headers of resets, and the codes of Z.ai.

use super::{Next, Scope, Verdict, time::unix_of};
use byok_types::{AccountState, Failure};
use http::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// How the reason of a blocked account ends that its owner can use again.
pub(crate) const THEN_ENABLE: &str = ", then run `byok accounts enable`";
/// Headers that say when a limit opens again, and those that say what is left of it.
const RESET: &str = "x-ratelimit-reset";
const REMAINING: &str = "x-ratelimit-remaining";
/// The clock of Z.ai is that of Beijing.
const BEIJING: i64 = 8 * 3600;
const DAY: i64 = 86_400;
/// How long a key of the settings rests that is no good any more: its owner acts, or it is asked once a day.
const ENDED: Duration = Duration::from_hours(24);

/// When the limit that was reached opens again, Unix time in seconds.
pub(super) fn opens_at(failure: &Failure, headers: &HeaderMap, now: i64) -> Option<i64> {
    by_code(failure, now).or_else(|| {
        // OpenRouter says it in the body, too.
        let body = failure.raw.as_ref().and_then(|raw| serde_json::from_slice::<Value>(&raw.body).ok());
        let inner = body.as_ref().and_then(|body| body.pointer("/error/metadata/headers")?.as_object());
        let inner = inner.into_iter().flatten();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let inner = inner.map(|(name, value)| (name.to_ascii_lowercase(), text(value)));
        let outer = headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        by_headers(&outer.chain(inner).collect::<Vec<_>>(), now)
    })
}

/// Of several limits that which is used up; if none says so, the one that opens first.
fn by_headers(headers: &[(String, String)], now: i64) -> Option<i64> {
    let left = |of: &str| {
        let named = headers.iter().find(|(name, _)| name.strip_prefix(REMAINING) == Some(of))?;
        named.1.trim().parse::<f64>().ok()
    };
    let resets = headers.iter().filter_map(|(name, value)| {
        let of = name.strip_prefix(RESET)?;
        Some((left(of).is_some_and(|left| left <= 0.0), point(value, now)?))
    });
    let (used_up, others): (Vec<_>, Vec<_>) = resets.partition(|(used_up, _)| *used_up);
    let latest = used_up.into_iter().map(|(_, at)| at).max();
    latest.or_else(|| others.into_iter().map(|(_, at)| at).min()).filter(|at| *at > now)
}

/// A point in time: a date, seconds or milliseconds since 1970, seconds from now, or a duration such as `6m0s`.
fn point(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let seconds = if number > 1e11 { number / 1000.0 } else { number };
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        let seconds = (0.0..1e11).contains(&seconds).then(|| seconds.ceil() as i64)?;
        return Some(if seconds > 1_000_000_000 { seconds } else { now + seconds });
    }
    unix_of(text).or_else(|| Some(now + duration(text)?))
}

/// Whole seconds of `1s`, `6m0s`, `2m59.56s`, `120ms`.
fn duration(text: &str) -> Option<i64> {
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, unit) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, tail) = unit.split_at(unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len()));
        let worth = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * worth;
        rest = tail;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..1e9).contains(&seconds).then(|| seconds.ceil() as i64)
}

/// A code of Z.ai: four digits and nothing else.
pub(super) fn of_code(failure: &Failure) -> Option<u16> {
    failure.code.as_deref().filter(|code| code.len() == 4)?.parse().ok()
}

/// When a limit of Z.ai opens again: its messages name the time, without a zone; one of a day ends with the day.
fn by_code(failure: &Failure, now: i64) -> Option<i64> {
    match of_code(failure)? {
        1304 => Some(now + DAY - (now + BEIJING).rem_euclid(DAY)),
        1308 | 1310 | 1316..=1321 => time_in(&failure.message).filter(|at| *at > now),
        _ => None,
    }
}

/// The first time of the form `2026-07-12 04:30:37` in a text; `T` and a zone may be there, too.
fn time_in(text: &str) -> Option<i64> {
    const LENGTH: usize = "2026-07-12 04:30:37".len();
    let mut starts = text.match_indices('-').filter_map(|(dash, _)| dash.checked_sub(4));
    starts.find_map(|start| {
        let rest = text.get(start..)?;
        let word = rest.get(..LENGTH)?;
        unix_of(word)?;
        let zone: String = rest[LENGTH..]
            .chars()
            .take_while(|c| c.is_ascii_digit() || matches!(c, 'Z' | '+' | '-' | ':' | '.'))
            .collect();
        let zone = zone.trim_end_matches('.');
        let zoned = zone.ends_with('Z') || zone.contains(['+', '-']);
        if zoned { unix_of(&format!("{word}{zone}")) } else { unix_of(word).map(|at| at - BEIJING) }
    })
}

/// What a code of Z.ai means for the key, where it is no matter of the moment.
pub(super) fn judge(failure: &Failure) -> Option<Verdict> {
    Some(match of_code(failure)? {
        1110..=1112 | 1120 | 1121 => key_ended(failure, "Ask the vendor to open the account again"),
        1309 => key_ended(failure, "Renew the plan with the vendor"),
        1313 => key_ended(failure, "The vendor's rules of fair use were broken; settle it with the vendor"),
        1113 => Verdict {
            hint: Some("there is no balance, or the key is of another product or region than the `base_url`"),
            ..Verdict::other(Some((Scope::Account, Duration::from_hours(1))))
        },
        1305 => {
            let wait = failure.retry_after.unwrap_or(Duration::from_mins(1));
            Verdict::other(Some((Scope::Model, wait.min(Duration::from_mins(10)))))
        }
        1311 | 1314 | 1315 => Verdict {
            own_credential: true,
            hint: Some("the plan of the key does not include this model"),
            ..Verdict::other(Some((Scope::Model, ENDED)))
        },
        _ => return None,
    })
}

/// A key that is of no use until its owner acts: an account is marked so, a key of the settings rests for a day at a time.
pub(super) fn key_ended(failure: &Failure, remedy: &'static str) -> Verdict {
    let message = failure.message.trim().trim_end_matches('.');
    Verdict {
        next: Next::OtherAccount,
        cool: Some((Scope::Account, ENDED)),
        state: Some(AccountState::Blocked { reason: format!("{message}. {remedy}{THEN_ENABLE}.") }),
        own_credential: true,
        hint: Some(remedy),
    }
}

#[cfg(test)]
mod tests;
