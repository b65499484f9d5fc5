//! Durations: `10s`, `2m`, `1h30m`, `500ms`, or a number of seconds.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de};
use std::{fmt, time::Duration};

const EXPECTED: &str = "a duration such as `10s`, `2m` or a number of seconds";
const LONGEST: Duration = Duration::from_hours(24);

pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let ms = match tail[..unit_end].trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(ms)?))?;
        rest = &tail[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

/// The shortest spelling that [`parse`] reads back.
pub(crate) fn show(duration: Duration) -> String {
    let ms = duration.as_millis();
    if !ms.is_multiple_of(1000) {
        return format!("{ms}ms");
    }
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let part = |number: u128, unit: &str| if number > 0 { format!("{number}{unit}") } else { String::new() };
    match part(hours, "h") + &part(minutes, "m") + &part(seconds, "s") {
        text if text.is_empty() => "0s".to_owned(),
        text => text,
    }
}

struct Visitor {
    zero: bool,
}

impl Visitor {
    fn check<E: de::Error>(&self, duration: Duration) -> Result<Duration, E> {
        if duration.is_zero() && !self.zero {
            return Err(E::custom("expected a duration above zero"));
        }
        if duration > LONGEST {
            return Err(E::custom(
                "expected a duration of at most 24h\na number without a unit counts seconds",
            ));
        }
        Ok(duration)
    }
}

impl de::Visitor<'_> for Visitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Duration, E> {
        self.check(Duration::from_secs(seconds))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        let duration = parse(text).ok_or_else(|| E::custom(format!("expected {EXPECTED}")))?;
        self.check(duration)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Visitor { zero: false })
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show(*duration))
}

pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "pattern": "^([0-9]+ *(ms|s|m|min|h)?)+$" })
}

/// A duration that may be zero.
pub(crate) mod or_zero {
    pub(crate) use super::serialize;

    pub(crate) fn deserialize<'de, D: super::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<super::Duration, D::Error> {
        deserializer.deserialize_any(super::Visitor { zero: true })
    }
}

/// A duration that may be left out.
pub(crate) mod option {
    use super::{Deserializer, Duration, Serializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }

    #[expect(clippy::ref_option, reason = "the signature that serde's `with` calls")]
    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}
