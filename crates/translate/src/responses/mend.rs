//! Halves of surrogate pairs.
//!
//! A character beyond the basic plane is two escapes in JSON. Vendors that cut their deltas between UTF-16 units send the
//! halves in two events, each of which is invalid alone. The halves are joined; a half that stays alone becomes U+FFFD.

use crate::{
    halves::{repaired, unit},
    ir::Event,
    lenient,
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads `raw`, with halves that are alone replaced if need be.
pub(super) fn read<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    read_text(raw.get())
}

/// Reads `text`, with halves that are alone replaced if need be.
pub(super) fn read_text<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_slice(&whole(text.as_bytes())?).ok())
}

/// The same; members of a wrong type count as absent, and `out` is told of them. `within` is the place of the text.
pub(super) fn leniently<T: DeserializeOwned>(text: &str, within: &str, out: &mut Vec<Event>) -> Option<T> {
    if let Some(read) = read_text(text) {
        return Some(read);
    }
    let mended = whole(text.as_bytes()).and_then(|mended| String::from_utf8(mended).ok());
    let (read, lost) = lenient::read(mended.as_deref().unwrap_or(text))?;
    out.extend(lenient::told(lost, within));
    Some(read)
}

/// A whole text with every half that is alone replaced. `None` if there is none.
pub(super) fn whole(json: &[u8]) -> Option<Vec<u8>> {
    match repaired(json) {
        Cow::Owned(mended) => Some(mended),
        Cow::Borrowed(_) => None,
    }
}

/// A piece of a stream with every half mended. A first half at the very end of a string moves to `half`, and joins the
/// second half that a later piece has. `None` if there is nothing to mend.
pub(crate) fn piece(json: &[u8], half: &mut Option<u16>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(json.len());
    let mut mended = false;
    let mut at = 0;
    while at < json.len() {
        let rest = &json[at..];
        let Some(found) = unit(rest, 0) else {
            // Any other escape is two bytes that belong together.
            let length = if rest[0] == b'\\' { 2.min(rest.len()) } else { 1 };
            out.extend_from_slice(&rest[..length]);
            at += length;
            continue;
        };
        let escape = &rest[..6];
        let after = &rest[6..];
        at += 6;
        match found {
            0xD800..=0xDBFF if unit(after, 0).is_some_and(|low| (0xDC00..=0xDFFF).contains(&low)) => {
                out.extend_from_slice(escape);
                out.extend_from_slice(&after[..6]);
                at += 6;
            }
            0xD800..=0xDBFF => {
                mended = true;
                if half.is_none() && after.first() == Some(&b'"') {
                    *half = Some(found);
                } else {
                    out.extend_from_slice(b"\\ufffd");
                }
            }
            0xDC00..=0xDFFF => {
                mended = true;
                match half.take() {
                    Some(first) => {
                        out.extend_from_slice(format!("\\u{first:04x}").as_bytes());
                        out.extend_from_slice(escape);
                    }
                    None => out.extend_from_slice(b"\\ufffd"),
                }
            }
            _ => out.extend_from_slice(escape),
        }
    }
    mended.then_some(out)
}
