//! Sizes: `64MiB`, `512KiB`, `1GB`, or a number of bytes.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de};
use std::fmt;

const EXPECTED: &str = "a size such as `64MiB` or a number of bytes";
const UNITS: [(&str, u64); 6] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "B" => 1,
        unit => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    number.checked_mul(unit)
}

/// The spelling with the largest binary unit that divides the size.
pub(crate) fn show(bytes: usize) -> String {
    let bytes = bytes as u64;
    let unit = UNITS[..3].iter().rev().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

struct Visitor {
    /// Whether zero is a size, too.
    or_zero: bool,
}

impl de::Visitor<'_> for Visitor {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<usize, E> {
        match usize::try_from(bytes) {
            Ok(0) if !self.or_zero => Err(E::custom("expected a size above zero")),
            Ok(bytes) => Ok(bytes),
            Err(_) => Err(E::custom("expected a size that this machine can address")),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<usize, E> {
        let bytes = parse(text).ok_or_else(|| E::custom(format!("expected {EXPECTED}")))?;
        self.visit_u64(bytes)
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    deserializer.deserialize_any(Visitor { or_zero: false })
}

/// For sizes of what may be left out altogether.
pub(crate) fn or_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    deserializer.deserialize_any(Visitor { or_zero: true })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde's `with` calls")]
pub(crate) fn serialize<S: Serializer>(bytes: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show(*bytes))
}

pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "pattern": "^[0-9]+ *([kKmMgG](i?[bB])|B)?$" })
}
