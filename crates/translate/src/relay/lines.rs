//! Lines of a stream that nobody has to look into: they go on when they are whole.

use bytes::{Bytes, BytesMut};
use serde::de::IgnoredAny;

/// Most bytes of a line that wait for its end; what is longer (a picture, a whole response) flows in pieces.
pub(super) const HELD: usize = 64 << 10;

/// The lines that are whole with the next bytes; the others stay in `pending`.
pub(super) fn flow(pending: &mut BytesMut, mut bytes: Bytes) -> Bytes {
    if pending.is_empty() {
        let whole = bytes.split_to(whole_lines(&bytes));
        if bytes.len() > HELD {
            // Nothing in it can go on alone, or the line is too long to wait for.
            return joined(&whole, &bytes);
        }
        pending.extend_from_slice(&bytes);
        return whole;
    }
    pending.extend_from_slice(&bytes);
    let mut end = whole_lines(pending);
    if pending.len() - end > HELD {
        end = pending.len();
    }
    pending.split_to(end).freeze()
}

fn joined(whole: &Bytes, rest: &Bytes) -> Bytes {
    if whole.is_empty() { rest.clone() } else { [&whole[..], rest].concat().into() }
}

/// How many of the bytes are lines that can go on. The name of an event says nothing before its data.
fn whole_lines(bytes: &[u8]) -> usize {
    let mut end = line_start(bytes);
    while let Some(line) = bytes[..end].strip_suffix(b"\n").or_else(|| bytes[..end].strip_suffix(b"\r")) {
        let start = line_start(line.strip_suffix(b"\r").unwrap_or(line));
        if !bytes[start..].starts_with(b"event:") {
            break;
        }
        end = start;
    }
    end
}

/// Where the last line begins.
fn line_start(bytes: &[u8]) -> usize {
    memchr::memrchr2(b'\n', b'\r', bytes).map_or(0, |at| at + 1)
}

/// Whether the unfinished frame has data that says something whole.
pub(super) fn is_whole(frame: &[u8]) -> bool {
    let mut lines = super::data_lines(frame).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let data = frame[line].trim_ascii();
    data == b"[DONE]" || serde_json::from_slice::<IgnoredAny>(data).is_ok()
}
