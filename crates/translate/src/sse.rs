//! Server-sent events: reading frames from bytes that are cut anywhere.

use byok_types::{Blame, Failure, FailureKind};

/// Longest piece of a frame that is shown, in characters.
const SHOWN: usize = 200;

/// One event of a stream. Comments, ids and retry hints are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The `event:` line, empty if there was none.
    pub event: &'a [u8],
    /// The `data:` lines, joined by a line feed.
    pub data: &'a [u8],
}

/// Why the data of a frame that no decoder could read ends the answer. JSON of another shape may be an addition of the vendor,
/// and an empty frame or a mark of the end says nothing; anything else may have been a piece of the answer, which must not be
/// told as if it were whole.
pub(crate) fn unreadable(data: &str) -> Option<Failure> {
    let data = data.trim();
    if data.is_empty() || data == "[DONE]" || serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok() {
        return None;
    }
    let within = data.strip_prefix('[').unwrap_or(data).trim_start();
    let message = if within.starts_with(['{', '[', '"']) {
        // The words in it are those of the answer. They are the client's alone, and what is said here is shown to others as well.
        format!("the upstream broke an event off in the middle, after {} bytes of JSON", data.len())
    } else {
        let mut shown: String = data.chars().take(SHOWN).collect();
        if shown.len() < data.len() {
            shown.push('…');
        }
        format!("the upstream sent something that is not JSON: {shown}")
    };
    Some(Failure::new(FailureKind::Server, Blame::Upstream, message).with_status(502))
}

/// The stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream sent an event larger than {limit} bytes; raise `limits.frame` if that is meant")]
pub struct FrameTooLarge {
    /// The limit in bytes.
    pub limit: usize,
}

/// Largest frame unless set otherwise. Images travel as one line of several megabytes.
pub const DEFAULT_FRAME_LIMIT: usize = 64 << 20;

/// What the frame that is being read has so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    /// `data:` lines.
    Lines,
    /// JSON without a field name before it.
    Bare,
}

/// Reads frames. Takes `\n`, `\r\n` and `\r` as line ends, drops a byte order mark, joins several `data:` lines, and
/// accepts a last frame without its blank line. Bytes are not decoded here: UTF-8 that was cut is whole again in a frame.
///
/// Bare JSON between the events, as Google sends its errors in the middle of a stream, is a frame, too: from a line that
/// begins with `{` or `[` to the next blank line or `data:` line.
#[derive(Debug)]
pub struct Decoder {
    /// Bytes of lines that are not complete yet.
    pending: Vec<u8>,
    event: Vec<u8>,
    data: Vec<u8>,
    content: Content,
    /// Whether the last byte was `\r`, whose `\n` may come in the next chunk.
    after_cr: bool,
    started: bool,
    limit: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(DEFAULT_FRAME_LIMIT)
    }
}

impl Decoder {
    /// A decoder that refuses frames above `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            pending: Vec::new(),
            event: Vec::new(),
            data: Vec::new(),
            content: Content::Nothing,
            after_cr: false,
            started: false,
            limit,
        }
    }

    /// Takes the next bytes and hands every complete frame to `each`.
    pub fn push(&mut self, chunk: &[u8], mut each: impl FnMut(Frame<'_>)) -> Result<(), FrameTooLarge> {
        let mut rest = chunk;
        // The part of the first line that came earlier is completed first; all further lines are read in place.
        while !rest.is_empty() && (!self.pending.is_empty() || !self.started) {
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                return self.keep(rest);
            };
            self.keep(&rest[..=end])?;
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.pending);
            let begin = self.skip_mark(&line);
            self.line(&line[begin..], &mut each)?;
        }
        let mut from = 0;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', &rest[from..]) {
            self.line(&rest[from..=from + end], &mut each)?;
            from += end + 1;
        }
        self.keep(&rest[from..])
    }

    /// The stream is over: hands a last frame that lacks its blank line to `each`.
    pub fn finish(&mut self, mut each: impl FnMut(Frame<'_>)) -> Result<(), FrameTooLarge> {
        let mut line = std::mem::take(&mut self.pending);
        if !line.is_empty() {
            line.push(b'\n');
            let begin = self.skip_mark(&line);
            self.line(&line[begin..], &mut each)?;
        }
        self.dispatch(&mut each);
        Ok(())
    }

    /// Bytes held back because they do not make a frame yet.
    pub fn held(&self) -> usize {
        self.pending.len() + self.data.len()
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), FrameTooLarge> {
        if self.held() + bytes.len() > self.limit {
            return Err(FrameTooLarge { limit: self.limit });
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    fn skip_mark(&mut self, line: &[u8]) -> usize {
        let first = !std::mem::replace(&mut self.started, true);
        if first && line.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
    }

    /// Takes one line with its end byte.
    fn line(&mut self, line: &[u8], each: &mut impl FnMut(Frame<'_>)) -> Result<(), FrameTooLarge> {
        let Some((&end, text)) = line.split_last() else { return Ok(()) };
        let follows_cr = std::mem::replace(&mut self.after_cr, end == b'\r');
        if end == b'\n' && text.is_empty() && follows_cr {
            return Ok(());
        }
        if text.is_empty() {
            self.dispatch(each);
            return Ok(());
        }
        if self.content == Content::Bare && text.starts_with(b"data:") {
            self.dispatch(each);
        }
        let begins_bare = self.content == Content::Nothing && matches!(text[0], b'{' | b'[');
        if begins_bare || self.content == Content::Bare {
            return self.add(text, Content::Bare);
        }
        let (name, value) = match memchr::memchr(b':', text) {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (text, &[][..]),
        };
        // One space after the colon belongs to the colon.
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => self.add(undoubled(value), Content::Lines)?,
            b"event" => {
                self.event.clear();
                self.event.extend_from_slice(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, value: &[u8], content: Content) -> Result<(), FrameTooLarge> {
        let joins = self.content != Content::Nothing;
        if self.data.len() + usize::from(joins) + value.len() > self.limit {
            return Err(FrameTooLarge { limit: self.limit });
        }
        if joins {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        self.content = content;
        Ok(())
    }

    fn dispatch(&mut self, each: &mut impl FnMut(Frame<'_>)) {
        if self.content != Content::Nothing {
            each(Frame { event: &self.event, data: &self.data });
        }
        self.event.clear();
        self.data.clear();
        if self.data.capacity() > 1 << 20 {
            // One huge frame must not hold its memory for the rest of a long stream.
            self.data = Vec::new();
        }
        self.content = Content::Nothing;
    }
}

/// Without a second `data:` that some relays add.
fn undoubled(value: &[u8]) -> &[u8] {
    match value.strip_prefix(b"data:") {
        Some(inner) => inner.strip_prefix(b" ").unwrap_or(inner),
        None => value,
    }
}

#[cfg(test)]
mod tests;
