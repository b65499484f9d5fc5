//! Points in time as programs write them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

/// Numbers beyond this are milliseconds.
const MILLIS: i64 = 1_000_000_000_000;
/// The names of an end, in the order in which they count.
const ENDS: [&str; 7] = ["expired", "expire", "expires_at", "expiresAt", "expiry", "expires", "expiration"];

/// Unix seconds of a date or a number of seconds or milliseconds.
pub(super) fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a date that is too large becomes the largest"
            )]
            let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))?;
            let seconds = if whole > MILLIS { whole / 1000 } else { whole };
            Some(seconds).filter(|seconds| *seconds > 0)
        }
        Value::String(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<i64>() {
                return moment(&number.into());
            }
            let zoned = text.parse::<Timestamp>().ok();
            // Without a zone it is taken for UTC.
            let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
            zoned.or_else(|| civil().map(|zoned| zoned.timestamp())).map(Timestamp::as_second)
        }
        _ => None,
    }
}

/// The end that a record states, by whatever name.
pub(super) fn end_of(record: &Value) -> Option<i64> {
    ENDS.iter().find_map(|name| moment(&record[name]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_that_is_in_use() {
        let cases = [
            (json!("2026-09-01T20:00:00+08:00"), Some(1_788_264_000)),
            (json!("2026-09-01T12:00:00Z"), Some(1_788_264_000)),
            (json!("2026-09-01T12:00:00.123456+00:00"), Some(1_788_264_000)),
            (json!("2026-09-01T12:00:00.123456789Z"), Some(1_788_264_000)),
            (json!("2026-09-01 12:00:00"), Some(1_788_264_000)),
            (json!("2026-09-01 12:00"), Some(1_788_264_000)),
            (json!(1_788_264_000), Some(1_788_264_000)),
            (json!(1_788_264_000_000_i64), Some(1_788_264_000)),
            (json!(1_788_264_000.5), Some(1_788_264_000)),
            (json!("1788264000"), Some(1_788_264_000)),
            (json!("1788264000000"), Some(1_788_264_000)),
            (json!(0), None),
            (json!(-5), None),
            (json!("0"), None),
            (json!("soon"), None),
            (json!(""), None),
            (json!(null), None),
            (json!({"expires": 1}), None),
        ];
        for (value, expected) in cases {
            assert_eq!(moment(&value), expected, "{value}");
        }
        assert_eq!(end_of(&json!({"expires": 5, "expired": "no date", "expires_at": 7})), Some(7));
        assert_eq!(end_of(&json!({})), None);
    }
}
