//! Reading what compatible servers send where the official types say something else.

use crate::wire::{Str, unescaped};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A JSON value that is looked at only when it is needed. `null` counts as absent.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// The text, if the value is a string. Halves of a surrogate pair that stand alone become U+FFFD.
pub(super) fn text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let json = raw?.get();
    if !json.starts_with('"') {
        return None;
    }
    whole(json).or_else(|| wide(json).map(|bytes| Cow::Owned(paired(&bytes))))
}

/// The text, if the value is a string with something in it.
pub(super) fn filled(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    text(raw).filter(|text| !text.is_empty())
}

/// A whole number, also written as a float or a string.
pub(super) fn number(raw: Raw<'_>) -> Option<u64> {
    let json = raw?.get().trim_matches('"');
    json.parse().ok().or_else(|| {
        let float = json.parse::<f64>().ok().filter(|f| f.is_finite() && *f >= 0.0 && *f < 1e18)?;
        // Bounded above, so nothing is cut off but the fraction.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 0..1e18")]
        Some(float as u64)
    })
}

/// The input of a tool call as text: a string as it is, an object as JSON text, `null` as nothing.
pub(super) fn input(raw: Raw<'_>) -> Cow<'_, str> {
    match raw {
        None => Cow::Borrowed(""),
        Some(json) if json.get().starts_with('"') => text(raw).unwrap_or_default(),
        Some(json) => Cow::Borrowed(json.get()),
    }
}

/// Reads a value as `T`; what does not fit counts as absent.
pub(super) fn read<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The content of a JSON string without lone surrogates.
fn whole(json: &str) -> Option<Cow<'_, str>> {
    unescaped(json).or_else(|| serde_json::from_str::<Str<'_>>(json).ok().map(|text| text.0))
}

/// The bytes of a JSON string; lone surrogates as three bytes that are not UTF-8.
fn wide(json: &str) -> Option<Vec<u8>> {
    struct Bytes(Vec<u8>);
    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl de::Visitor<'_> for Visitor {
                type Value = Bytes;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a string")
                }
                fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Visitor)
        }
    }
    serde_json::from_str::<Bytes>(json).ok().map(|bytes| bytes.0)
}

/// Joins the halves of a surrogate pair that a server has put into two pieces of one text.
#[derive(Debug, Default)]
pub(super) struct Halves {
    /// The first half, as three bytes.
    held: Vec<u8>,
}

impl Halves {
    /// The text of the next piece; a first half at its end is held for the piece after it.
    pub(super) fn join<'a>(&mut self, raw: Raw<'a>) -> Option<Cow<'a, str>> {
        let json = raw?.get();
        if self.held.is_empty()
            && let Some(text) = whole(json)
        {
            return Some(text);
        }
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend(wide(json)?);
        if let [.., 0xED, 0xA0..=0xAF, _] = bytes.as_slice() {
            self.held = bytes.split_off(bytes.len() - 3);
        }
        Some(Cow::Owned(paired(&bytes)))
    }

    /// Nothing of the text follows: what stands for a half that is held.
    pub(super) fn rest(&mut self) -> Option<&'static str> {
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then_some("\u{FFFD}")
    }
}

/// Turns pairs of halves into the character that they stand for, and lone halves into U+FFFD.
fn paired(bytes: &[u8]) -> String {
    let mut whole = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if let [0xED, high @ 0xA0..=0xAF, a, 0xED, low @ 0xB0..=0xBF, b, ..] = *rest {
            // Ten bits of each half count.
            let bits = |byte: u8, last: u8| (u32::from(byte & 0x0F) << 6) | u32::from(last & 0x3F);
            let code = 0x10000 + (bits(high, a) << 10) + bits(low, b);
            let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            whole.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[6..];
        } else if let [0xED, 0xA0..=0xBF, _, ..] = rest {
            whole.extend_from_slice("\u{FFFD}".as_bytes());
            rest = &rest[3..];
        } else {
            whole.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&whole).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn values_of_the_wrong_type_are_read_as_far_as_they_make_sense() {
        for (json, as_text, as_number, as_input) in [
            (r#""a\n""#, Some("a\n"), None, "a\n"),
            (r#""""#, Some(""), None, ""),
            (r#""12""#, Some("12"), Some(12), "12"),
            ("12", None, Some(12), "12"),
            ("12.0", None, Some(12), "12.0"),
            ("-1", None, None, "-1"),
            ("1e99", None, None, "1e99"),
            (r#"{"a":1}"#, None, None, r#"{"a":1}"#),
            (r#""\ud83d""#, Some("\u{FFFD}"), None, "\u{FFFD}"),
        ] {
            let value = raw(json);
            assert_eq!(text(Some(&value)).as_deref(), as_text, "{json}");
            assert_eq!(number(Some(&value)), as_number, "{json}");
            assert_eq!(input(Some(&value)), as_input, "{json}");
        }
        assert_eq!((text(None), number(None), input(None)), (None, None, Cow::Borrowed("")));
    }

    #[test]
    fn halves_of_a_character_are_joined_across_pieces() {
        for (pieces, expected) in [
            (&[r#""a\ud83d""#, r#""\ude42b""#][..], "a🙂b"),
            (&[r#""\ud83d\ude42""#], "🙂"),
            (&[r#""\ud83d""#, r#""b""#], "\u{FFFD}b"),
            (&[r#""\ude42b""#], "\u{FFFD}b"),
            (&[r#""x""#, r#""\udbff""#, r#""\udfff""#], "x\u{10FFFF}"),
            (&[r#""x\ud83d""#], "x\u{FFFD}"),
        ] {
            let mut halves = Halves::default();
            let mut seen: String =
                pieces.iter().filter_map(|p| halves.join(Some(&raw(p))).map(Cow::into_owned)).collect();
            seen.extend(halves.rest());
            assert_eq!((seen.as_str(), halves.rest()), (expected, None), "{pieces:?}");
        }
    }
}
