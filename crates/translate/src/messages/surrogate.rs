//! Text that was cut between the two halves of a character.
//!
//! Some servers escape characters outside the basic plane as two `\u` escapes and cut their deltas between them. JSON
//! strings are therefore read as bytes, in which a lone half stands as its three-byte form, and joined here.

use crate::wire::unescaped;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A JSON string that may hold lone halves.
#[derive(Debug, Default)]
pub(super) struct Piece<'de>(Cow<'de, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Piece<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Piece(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Piece(Cow::Owned(bytes.to_owned())))
            }
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        match unescaped(raw.get()) {
            Some(Cow::Borrowed(text)) => Ok(Self(Cow::Borrowed(text.as_bytes()))),
            Some(Cow::Owned(text)) => Ok(Self(Cow::Owned(text.into_bytes()))),
            None => serde_json::Deserializer::from_str(raw.get())
                .deserialize_bytes(Visitor)
                .map_err(de::Error::custom),
        }
    }
}

impl Piece<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Joins the pieces of one text.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    /// First half of a character, waiting for the second.
    high: Option<u32>,
}

impl Joiner {
    /// The text of the next piece.
    pub(super) fn text(&mut self, piece: Piece<'_>) -> String {
        if self.high.is_none() {
            match piece.0 {
                Cow::Borrowed(bytes) => {
                    if let Ok(text) = std::str::from_utf8(bytes) {
                        return text.to_owned();
                    }
                    self.join(bytes)
                }
                Cow::Owned(bytes) => match String::from_utf8(bytes) {
                    Ok(text) => text,
                    Err(error) => self.join(error.as_bytes()),
                },
            }
        } else {
            self.join(&piece.0)
        }
    }

    /// What is left when the text ends: a half that never found its other one.
    pub(super) fn finish(&mut self) -> &'static str {
        if self.high.take().is_some() { "\u{FFFD}" } else { "" }
    }

    fn join(&mut self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len() + 4);
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = rest.windows(3).position(is_half).unwrap_or(rest.len());
            let (plain, tail) = rest.split_at(at);
            if !plain.is_empty() {
                out.push_str(self.finish());
                out.push_str(&String::from_utf8_lossy(plain));
            }
            let [first, second, third, ..] = *tail else { break };
            rest = &tail[3..];
            let half =
                (u32::from(first & 0x0F) << 12) | (u32::from(second & 0x3F) << 6) | u32::from(third & 0x3F);
            match (self.high.take(), half < 0xDC00) {
                (waiting, true) => {
                    out.push_str(if waiting.is_some() { "\u{FFFD}" } else { "" });
                    self.high = Some(half);
                }
                (Some(high), false) => {
                    let code = 0x1_0000 + ((high - 0xD800) << 10) + (half - 0xDC00);
                    out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
                }
                (None, false) => out.push('\u{FFFD}'),
            }
        }
        out
    }
}

/// Whether the three bytes are the form of half a character, which valid UTF-8 never holds.
fn is_half(window: &[u8]) -> bool {
    matches!(window, [0xED, 0xA0..=0xBF, 0x80..=0xBF])
}
