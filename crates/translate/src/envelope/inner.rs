//! The member `response` of an object.

use crate::scan::Scan;
use bytes::BytesMut;
use std::ops::Range;

/// Where the value of `response` stands in an object; `None` if it is no object or has none.
pub(super) fn member(object: &[u8]) -> Option<Range<usize>> {
    Scan::of_keys(object, &["response"]).ok()?.value("response")
}

/// Lines of an event stream: of a line with data, the inner object takes the place of the outer.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: BytesMut,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut BytesMut) {
        self.pending.extend_from_slice(bytes);
        while let Some(end) = memchr::memchr(b'\n', &self.pending) {
            let line = self.pending.split_to(end + 1);
            write(&line, out);
        }
    }

    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        let rest = self.pending.split();
        if !rest.is_empty() {
            write(&rest, out);
        }
    }
}

fn write(line: &[u8], out: &mut BytesMut) {
    let inner = line.strip_prefix(b"data:").and_then(|data| {
        let span = member(data)?;
        Some((data, span))
    });
    match inner {
        Some((data, span)) => {
            let end = data.len() - data.iter().rev().take_while(|b| **b == b'\n' || **b == b'\r').count();
            out.extend_from_slice(b"data: ");
            let inner = &data[span];
            match super::repair::repaired(inner) {
                Some(repaired) => out.extend_from_slice(&repaired),
                None => out.extend_from_slice(inner),
            }
            out.extend_from_slice(&data[end..]);
        }
        // Comments, blank lines, and objects without an answer (an error) stay as they are.
        None => out.extend_from_slice(line),
    }
}
