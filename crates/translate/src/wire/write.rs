//! Writing of JSON by hand: no tree, no intermediate string.

use crate::Json;

/// Appends `text` as a JSON string. U+2028 and U+2029 are escaped: some clients take them for line ends.
///
/// Text is most of what is written, so it is taken eight bytes at a time.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Room for the quotes and for an escape here and there.
    out.reserve(text.len() + text.len() / 8 + 10);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(chunk) = rest.first_chunk::<8>() {
        let plain = plain_bytes(*chunk);
        out.extend_from_slice(chunk);
        if plain < 8 {
            out.truncate(out.len() - (8 - plain));
            rest = special(out, &rest[plain..]);
        } else {
            rest = &rest[8..];
        }
    }
    let may_need_escape = |byte: &u8| *byte < 0x20 || matches!(*byte, b'"' | b'\\' | 0xE2);
    let (plain, mut rest) = rest.split_at(rest.iter().position(may_need_escape).unwrap_or(rest.len()));
    out.extend_from_slice(plain);
    while !rest.is_empty() {
        rest = special(out, rest);
    }
    out.push(b'"');
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// The high bit of each byte that is below a bound. Bytes after such a one may be marked in error, bytes before it never are.
fn below(word: u64, bound: u64) -> u64 {
    word.wrapping_sub(ONES * bound) & !word & (ONES << 7)
}

/// The high bit of each byte that equals another, with the same reservation.
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// How many bytes come before the first one that may need an escape.
fn plain_bytes(chunk: [u8; 8]) -> usize {
    let word = u64::from_le_bytes(chunk);
    let special = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\') | equal(word, 0xE2);
    special.trailing_zeros() as usize / 8
}

/// How many bytes come before the first quotation mark or backslash.
pub(super) fn before_mark(chunk: [u8; 8]) -> usize {
    let word = u64::from_le_bytes(chunk);
    (equal(word, b'"') | equal(word, b'\\')).trailing_zeros() as usize / 8
}

/// Appends the first byte, escaped if need be (or all of a line separator); what is left of the text is the answer.
fn special<'t>(out: &mut Vec<u8>, text: &'t [u8]) -> &'t [u8] {
    let letter = match *text {
        [] => return text,
        [0xE2, 0x80, last @ (0xA8 | 0xA9), ref rest @ ..] => {
            out.extend_from_slice(if last == 0xA8 { b"\\u2028" } else { b"\\u2029" });
            return rest;
        }
        [byte @ (b'"' | b'\\'), ..] => byte,
        [b'\n', ..] => b'n',
        [b'\t', ..] => b't',
        [b'\r', ..] => b'r',
        [0x08, ..] => b'b',
        [0x0C, ..] => b'f',
        [byte @ 0x00..0x20, ref rest @ ..] => {
            let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return rest;
        }
        [byte, ref rest @ ..] => {
            out.push(byte);
            return rest;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
    &text[1..]
}

/// Appends `"name":`. Names of byok's own have nothing to escape.
pub(crate) fn name(out: &mut Vec<u8>, name: &'static str) {
    out.reserve(name.len() + 3);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends `"key":` with a leading comma.
pub(crate) fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    string(out, name);
    out.push(b':');
}

/// Appends JSON text. Line ends in its white space become blanks: a frame of a stream is one line, and line ends
/// within strings are always escaped.
pub(crate) fn json(out: &mut Vec<u8>, value: &Json) {
    let start = out.len();
    out.extend_from_slice(value.get().as_bytes());
    let mut from = start;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &out[from..]) {
        out[from + at] = b' ';
        from += at + 1;
    }
    escape_separators(out, start);
}

/// Appends any serialisable value; `null` if it cannot be written.
pub(crate) fn value<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
        return;
    }
    escape_separators(out, start);
}

fn escape_separators(out: &mut Vec<u8>, start: usize) {
    let mut from = start;
    while let Some(at) = memchr::memchr(0xE2, &out[from..]).map(|i| i + from) {
        match out.get(at + 1..at + 3) {
            Some([0x80, 0xA8]) => drop(out.splice(at..at + 3, *b"\\u2028")),
            Some([0x80, 0xA9]) => drop(out.splice(at..at + 3, *b"\\u2029")),
            _ => {}
        }
        from = at + 1;
    }
}
