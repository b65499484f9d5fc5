//! Writing of JSON by hand: no tree, no intermediate string.

use crate::Json;

/// Appends `text` as a JSON string. U+2028 and U+2029 are escaped: some clients take them for line ends.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Room for the quotes and for an escape here and there.
    out.reserve(text.len() + text.len() / 16 + 8);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        rest = match special {
            [] => break,
            [0xE2, 0x80, 0xA8, rest @ ..] => {
                out.extend_from_slice(b"\\u2028");
                rest
            }
            [0xE2, 0x80, 0xA9, rest @ ..] => {
                out.extend_from_slice(b"\\u2029");
                rest
            }
            [byte, rest @ ..] => {
                escape(out, *byte);
                rest
            }
        };
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0C => b'f',
        0x00..0x20 => {
            let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
        // The first byte of a character that is none of the two separators.
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// How many bytes at the beginning can be copied as they are. Eight are looked at together, because text is most of what
/// is written and looking at its bytes one by one cost more than everything else.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is zero. A byte after a zero may be marked in error, never one before it.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, chunk) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let equal = |byte: u8| zeros(word ^ (ONES * u64::from(byte)));
        let special = control | equal(b'"') | equal(b'\\') | equal(0xE2);
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(*byte, b'"' | b'\\' | 0xE2);
    words.len() * 8 + tail.iter().position(is_special).unwrap_or(tail.len())
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
