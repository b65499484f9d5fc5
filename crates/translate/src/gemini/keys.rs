//! Object keys: both spellings, and property names that Gemini refuses.

use crate::Json;
use std::{borrow::Cow, fmt::Write};

/// The text with every object key replaced for which `rename` gives another name. Numbers, strings and white space stay as
/// they are written. `None` if nothing changed.
fn rewrite(text: &str, mut rename: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(start) = memchr::memchr(b'"', &bytes[at..]).map(|i| i + at) {
        let end = string_end(bytes, start)?;
        at = end;
        let colon = bytes[end..].iter().position(|b| !b.is_ascii_whitespace());
        if colon.is_none_or(|i| bytes[end + i] != b':') {
            continue;
        }
        let name: Cow<'_, str> = match &text[start + 1..end - 1] {
            plain if !plain.contains('\\') => Cow::Borrowed(plain),
            _ => Cow::Owned(serde_json::from_str(&text[start..end]).ok()?),
        };
        if let Some(new) = rename(&name) {
            out.push_str(&text[copied..start]);
            out.push_str(Json::string(&new).get());
            copied = end;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// JSON text without white space between its tokens, if it was written on several lines.
pub(super) fn compact(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\n', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let quote = memchr::memchr(b'"', &bytes[at..]).map_or(bytes.len(), |i| i + at);
        out.extend(text[at..quote].split_ascii_whitespace());
        let Some(end) = string_end(bytes, quote) else { break };
        out.push_str(&text[quote..end]);
        at = end;
    }
    Cow::Owned(out)
}

/// One past the closing quote of the string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn renamed(value: &Json, rename: impl FnMut(&str) -> Option<String>) -> Option<Json> {
    rewrite(value.get(), rename).and_then(|text| Json::parse(text).ok())
}

/// The value with all its keys in camel case. Only for structures of the vendor, never for maps with names of the client.
pub(super) fn camel(value: Json) -> Json {
    if memchr::memchr(b'_', value.get().as_bytes()).is_none() {
        return value;
    }
    renamed(&value, |name| name.contains('_').then(|| camel_name(name))).unwrap_or(value)
}

/// The value with one key in camel case.
pub(super) fn camel_key(value: Json, key: &str) -> Json {
    renamed(&value, |name| (name == key).then(|| camel_name(name))).unwrap_or(value)
}

/// `snake_case` as `snakeCase`.
pub(super) fn camel_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' if !out.is_empty() => upper = true,
            c if std::mem::take(&mut upper) => out.push(c.to_ascii_uppercase()),
            c => out.push(c),
        }
    }
    out
}

/// The name of a field that byok keeps verbatim, in camel case if it is one that Google documents. Others stay as they are.
pub(super) fn canonical(name: String) -> String {
    const KNOWN: [&str; 21] = [
        "audio_timestamp",
        "audio_transcription_config",
        "continuation_token",
        "display_name",
        "enable_enhanced_civic_answers",
        "include_server_side_tool_invocations",
        "media_processing",
        "media_resolution",
        "model_armor_config",
        "model_selection_config",
        "part_metadata",
        "partial_args",
        "retrieval_config",
        "routing_config",
        "speech_metadata",
        "stream_function_call_arguments",
        "tool_call",
        "tool_response",
        "url_context",
        "video_metadata",
        "will_continue",
    ];
    if KNOWN.contains(&name.as_str()) { camel_name(&name) } else { name }
}

/// Marks a property name that was rewritten: `_byok24_filter` is `$filter`.
const MARK: &str = "_byok";

/// Longest parameter name that Gemini takes.
const LONGEST: usize = 64;

/// Whether Gemini takes the name of a parameter: a letter or `_`, then letters, digits and `_`.
fn is_legal(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A legal name from which the original can be read again; `None` if the name is legal as it is. A name that only looks
/// rewritten is rewritten too, so that reading back is exact.
pub(crate) fn legal_parameter(name: &str) -> Option<String> {
    if is_legal(name) && !name.contains(MARK) {
        return None;
    }
    let mut out = String::with_capacity(name.len() + 12);
    for (at, c) in name.char_indices() {
        let first_digit = out.is_empty() && c.is_ascii_digit();
        let looks_marked = c == '_' && name[at..].starts_with(MARK);
        if (c.is_ascii_alphanumeric() || c == '_') && !first_digit && !looks_marked {
            out.push(c);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "{MARK}{:x}_", u32::from(c));
        }
    }
    if out.is_empty() {
        out.push_str(MARK);
        out.push('_');
    }
    Some(out)
}

/// Whether every property name can be written so that Gemini takes it and it can be read back.
pub(crate) fn fits(name: &str) -> bool {
    legal_parameter(name).is_none_or(|legal| legal.len() <= LONGEST)
}

/// The name that `legal_parameter` was given.
fn original_parameter(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(MARK) {
        let (code, after) = rest[at + MARK.len()..].split_once('_')?;
        out.push_str(&rest[..at]);
        if !code.is_empty() {
            out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        }
        rest = after;
    }
    out.push_str(rest);
    (out != name).then_some(out)
}

/// Arguments of a call with legal names, for history that goes to a backend with the restricted schema.
pub(super) fn legal_arguments(arguments: Json) -> Json {
    renamed(&arguments, legal_parameter).unwrap_or(arguments)
}

/// Arguments with the names that the client declared.
pub(super) fn original_arguments(arguments: &str) -> Cow<'_, str> {
    if memchr::memmem::find(arguments.as_bytes(), MARK.as_bytes()).is_none() {
        return Cow::Borrowed(arguments);
    }
    rewrite(arguments, original_parameter).map_or(Cow::Borrowed(arguments), Cow::Owned)
}

#[cfg(test)]
mod tests;
