//! Points in time: `2027-01-31` (to the end of that day, UTC) or RFC 3339 (`2027-01-31T12:00:00Z`).

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Unix time in seconds.
fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_second());
    }
    let day: Date = if text.len() == "2027-01-31".len() { text.parse().ok()? } else { return None };
    let next = day.checked_add(1.day()).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(next.timestamp().as_second())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let expected = || D::Error::custom("expected a date such as `2027-01-31` or `2027-01-31T12:00:00Z`");
    parse(&text).map(Some).ok_or_else(expected)
}

#[expect(clippy::ref_option, reason = "the signature that serde's `with` calls")]
pub(crate) fn serialize<S: Serializer>(seconds: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(moment) => serializer.collect_str(&moment),
        None => serializer.serialize_none(),
    }
}
