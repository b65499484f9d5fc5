//! Reading and editing a body without re-writing it.
//!
//! A scan walks the top level of a JSON object and notes where the values of a few keys stand. Edits are spliced in at
//! those places; every other byte stays as the caller wrote it, so that prompt caches and signatures keep their meaning.

use byok_types::Failure;
use bytes::Bytes;
use std::ops::Range;

/// Deepest nesting of a body.
pub const DEPTH_LIMIT: usize = 128;

/// Keys whose place is noted. A second occurrence of one of them is refused: nobody can say which one counts.
const KEYS: [&str; 18] = [
    "model",
    "stream",
    "stream_options",
    "tools",
    "system",
    "messages",
    "input",
    "contents",
    "thinking",
    "reasoning",
    "reasoning_effort",
    "output_config",
    "generationConfig",
    "metadata",
    "prompt_cache_key",
    "previous_response_id",
    "thread",
    "betas",
];

/// Where the routed and editable keys of a JSON object stand.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    fields: Vec<(&'static str, Range<usize>)>,
    /// Place directly after the opening brace.
    start: usize,
    /// Whether the object has no fields at all.
    empty: bool,
}

impl Scan {
    /// Scans a request body. Fails if it is not one whole JSON object, nests too deep, or names a routed key twice.
    pub fn of(body: &[u8]) -> Result<Self, Failure> {
        Self::walk(body, &KEYS, DEPTH_LIMIT)
    }

    /// The same with a lower limit for the nesting than [`DEPTH_LIMIT`].
    pub fn within(body: &[u8], depth: usize) -> Result<Self, Failure> {
        Self::walk(body, &KEYS, depth.min(DEPTH_LIMIT))
    }

    /// Scans any JSON object for `keys`.
    pub fn of_keys(body: &[u8], keys: &[&'static str]) -> Result<Self, Failure> {
        Self::walk(body, keys, DEPTH_LIMIT)
    }

    fn walk(body: &[u8], keys: &[&'static str], depth: usize) -> Result<Self, Failure> {
        let mut cursor = Cursor { body, at: 0, depth };
        cursor.space();
        if cursor.next() != Some(b'{') {
            return Err(wrong(
                "the request body is not a JSON object. Send one object such as {\"model\": …}.",
            ));
        }
        let mut scan = Self { fields: Vec::new(), start: cursor.at, empty: true };
        cursor.space();
        if cursor.peek() == Some(b'}') {
            cursor.at += 1;
        } else {
            loop {
                scan.empty = false;
                scan.field(&mut cursor, keys)?;
                cursor.space();
                match cursor.next() {
                    Some(b',') => cursor.space(),
                    Some(b'}') => break,
                    _ => return Err(cursor.broken()),
                }
            }
        }
        cursor.space();
        if cursor.at < body.len() {
            return Err(wrong(
                "the request body goes on after its JSON object. Send one object and nothing else.",
            ));
        }
        Ok(scan)
    }

    /// Where the value of `key` stands.
    pub fn value(&self, key: &str) -> Option<Range<usize>> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, range)| range.clone())
    }

    /// The value of `key` as text.
    pub fn text<'b>(&self, body: &'b [u8], key: &str) -> Option<&'b str> {
        std::str::from_utf8(body.get(self.value(key)?)?).ok()
    }

    /// The value of `key`, if it is a string.
    pub fn string(&self, body: &[u8], key: &str) -> Option<String> {
        serde_json::from_str(self.text(body, key)?).ok()
    }

    /// An edit that sets `key` to the JSON text `value`: in its place, or as the first field if it is not there.
    pub fn set(&self, key: &str, value: &str) -> Edit {
        if let Some(range) = self.value(key) {
            Edit { range, text: value.to_owned() }
        } else {
            let comma = if self.empty { "" } else { "," };
            Edit { range: self.start..self.start, text: format!("\"{key}\":{value}{comma}") }
        }
    }

    /// An edit that takes `key` out with its comma; `None` if it is not there.
    pub fn remove(&self, body: &[u8], key: &str) -> Option<Edit> {
        let value = self.value(key)?;
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let before = |end: usize| body.get(..end)?.iter().rposition(|byte| !is_space(byte));
        // In the text of a key that is known there is no quote.
        let colon = before(value.start)?;
        let closing = before(colon)?;
        let opening = body.get(..closing)?.iter().rposition(|byte| *byte == b'"')?;
        let after = body.get(value.end..)?.iter().position(|byte| !is_space(byte))? + value.end;
        let range = if body.get(after) == Some(&b',') {
            opening..after + 1
        } else {
            // The last field takes the comma before it along; the only one has none.
            let last = before(opening)?;
            if body.get(last) == Some(&b',') { last..value.end } else { opening..value.end }
        };
        Some(Edit { range, text: String::new() })
    }

    /// Edits that take all of `keys` out with their commas, also where they stand side by side.
    pub fn remove_all(&self, body: &[u8], keys: &[&str]) -> Vec<Edit> {
        let mut edits: Vec<_> = keys.iter().filter_map(|key| self.remove(body, key)).collect();
        edits.sort_unstable_by_key(|edit| edit.range.start);
        edits.dedup();
        // The last field takes the comma before it along. Where the field before goes too, it has gone with that one.
        while let [.., before, last] = edits.as_slice()
            && before.range.end > last.range.start
        {
            let (start, end) = (before.range.start, last.range.end);
            let comma = body[..start].iter().rposition(|byte| !byte.is_ascii_whitespace());
            let start = comma.filter(|at| body[*at] == b',').unwrap_or(start);
            edits.truncate(edits.len() - 2);
            edits.push(Edit { range: start..end, text: String::new() });
        }
        edits
    }

    fn field(&mut self, cursor: &mut Cursor<'_>, keys: &[&'static str]) -> Result<(), Failure> {
        let key_start = cursor.at;
        if cursor.peek() != Some(b'"') {
            return Err(cursor.broken());
        }
        cursor.string()?;
        let key = &cursor.body[key_start..cursor.at];
        cursor.space();
        if cursor.next() != Some(b':') {
            return Err(cursor.broken());
        }
        cursor.space();
        let value_start = cursor.at;
        cursor.value()?;
        if let Some(name) = known(key, keys) {
            if self.value(name).is_some() {
                let mut failure = wrong("");
                failure.message = format!("`{name}` occurs twice in the request body. Send it once.");
                failure.param = Some(name.to_owned());
                return Err(failure);
            }
            self.fields.push((name, value_start..cursor.at));
        }
        Ok(())
    }
}

/// The noted key that a quoted key means, escapes decoded.
fn known(quoted: &[u8], keys: &[&'static str]) -> Option<&'static str> {
    let plain = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if memchr::memchr(b'\\', plain).is_none() {
        return keys.iter().copied().find(|key| key.as_bytes() == plain);
    }
    let decoded: String = serde_json::from_slice(quoted).ok()?;
    keys.iter().copied().find(|key| *key == decoded)
}

/// One replacement in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// The body with all edits made. Without edits it is the same memory. Edits must not overlap; of two that do, the later is
/// left out.
pub fn splice(body: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|edit| edit.range.start);
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut from = 0;
    for edit in &edits {
        if let Some(before) = body.get(from..edit.range.start) {
            out.extend_from_slice(before);
            out.extend_from_slice(edit.text.as_bytes());
            from = edit.range.end;
        }
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    out.into()
}

struct Cursor<'a> {
    body: &'a [u8],
    at: usize,
    /// Deepest nesting that is allowed.
    depth: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Passes a string; stands on its opening quote.
    fn string(&mut self) -> Result<(), Failure> {
        self.at += 1;
        loop {
            let rest = self.body.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.body.len();
                return Err(self.broken());
            };
            self.at += found + 1;
            if rest[found] == b'"' {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// Passes any value. Brackets are matched and strings are passed whole; what is between them is left to the reader of
    /// the value, because byok only needs to know where it ends.
    fn value(&mut self) -> Result<(), Failure> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(bracket @ (b'{' | b'[')) => {
                    if open.len() + 1 >= self.depth {
                        return Err(wrong(&format!(
                            "the request body nests deeper than {} levels. Flatten it.",
                            self.depth
                        )));
                    }
                    open.push(if bracket == b'{' { b'}' } else { b']' });
                    self.at += 1;
                }
                Some(bracket @ (b'}' | b']')) => {
                    if open.pop() != Some(bracket) {
                        return Err(self.broken());
                    }
                    self.at += 1;
                }
                Some(b',' | b':' | b' ' | b'\n' | b'\r' | b'\t') if !open.is_empty() => {
                    self.at += 1;
                    continue;
                }
                Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.') => {
                    while self
                        .peek()
                        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'))
                    {
                        self.at += 1;
                    }
                }
                _ => return Err(self.broken()),
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    fn broken(&self) -> Failure {
        let mut failure = wrong("");
        failure.message = if self.at >= self.body.len() {
            "the request body ends in the middle of its JSON. Send the whole object.".to_owned()
        } else {
            format!("the request body is not valid JSON at byte {}. Send one complete JSON object.", self.at)
        };
        failure
    }
}

fn wrong(message: &str) -> Failure {
    Failure::bad_request("body", message)
}

#[cfg(test)]
mod tests;
