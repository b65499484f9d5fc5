//! Finding a field in a form with files (`multipart/form-data`), without taking the form apart.

use byok_types::Failure;
use std::ops::Range;

/// Longest boundary (RFC 2046).
const LONGEST: usize = 70;

/// The boundary of a form, if the content type is one.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(parameters, "boundary").filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// Where the value of `name` stands in a form; `None` if it has no such field. A field that occurs twice is refused, because
/// nobody can say which one counts.
pub(super) fn field(body: &[u8], boundary: &str, name: &str) -> Result<Option<Range<usize>>, Failure> {
    let between = format!("\r\n--{boundary}").into_bytes();
    let mut found = None;
    // Before the first mark there may be words for people.
    let mut at = match body.strip_prefix(&between[2..]) {
        Some(rest) if ends_mark(rest) => between.len() - 2,
        _ => mark(body, 0, &between).ok_or_else(broken)? + between.len(),
    };
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(found);
        }
        let line = find(body, at, b"\r\n").ok_or_else(broken)?;
        let (head, start) = if body.get(line..line + 4) == Some(b"\r\n\r\n") {
            (&body[line..line], line + 4)
        } else {
            let end = find(body, line + 2, b"\r\n\r\n").ok_or_else(broken)?;
            (&body[line + 2..end], end + 4)
        };
        // An empty value has its mark directly behind the empty line.
        let end = mark(body, start - 2, &between).ok_or_else(broken)?;
        let value = start..end.max(start);
        if named(head).as_deref() == Some(name) && found.replace(value).is_some() {
            let message = format!("`{name}` occurs twice in the form. Send it once.");
            return Err(Failure::bad_request(name.to_owned(), message));
        }
        at = end + between.len();
    }
}

/// The next mark. What only begins like one is part of a value: others would read the form in another way.
fn mark(body: &[u8], from: usize, between: &[u8]) -> Option<usize> {
    let mut from = from;
    loop {
        let at = find(body, from, between)?;
        if ends_mark(&body[at + between.len()..]) {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Whether a mark is over here: its line ends, or it is the last one.
fn ends_mark(rest: &[u8]) -> bool {
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    rest.starts_with(b"--") || rest[blank..].starts_with(b"\r\n")
}

/// The name of a field, from the head of its part.
fn named(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    parameter(line.split_once(';')?.1, "name")
}

/// A parameter of a header's value. What stands in quotes is one word, whatever is in it.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches(|c: char| c == ';' || c.is_ascii_whitespace());
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut letters = quoted.char_indices();
                let end = loop {
                    match letters.next()? {
                        (_, '\\') => value.push(letters.next()?.1),
                        (end, '"') => break end,
                        (_, letter) => value.push(letter),
                    }
                };
                (value, &quoted[end + 1..])
            }
            None => match after.split_once(';') {
                Some((value, left)) => (value.trim_end().to_owned(), left),
                None => (after.trim_end().to_owned(), ""),
            },
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = left;
    }
}

fn find(body: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    memchr::memmem::find(body.get(from..)?, what).map(|at| at + from)
}

fn broken() -> Failure {
    Failure::bad_request("body", "the form ends before its last boundary. Send the whole form.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_of_forms() {
        for (kind, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b;c\"", Some("a b;c")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/json", None),
        ] {
            assert_eq!(boundary(kind).as_deref(), expected, "{kind}");
        }
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    #[test]
    fn fields_are_found_where_they_stand() {
        let part = |head: &str, value: &str| {
            format!("--B\r\ncontent-disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        let end = "--B--\r\n";
        let file = part(
            "name=\"file\"; filename=\"a; name=\\\"model\\\".wav\"\r\ncontent-type: audio/wav",
            "\0\r\n--A\r\nname=\"model\"",
        );
        for (form, expected) in [
            (format!("{file}{}{end}", part("name=\"model\"", "whisper-1")), Ok(Some("whisper-1"))),
            (format!("words\r\n{}{file}{end}", part("name=model", "m")), Ok(Some("m"))),
            (format!("{}{end}", part("name=\"model\"", "")), Ok(Some(""))),
            (
                format!(
                    "--B\r\nContent-Type: a/b\r\nCONTENT-DISPOSITION : form-data;name=\"model\"\r\n\r\nm\r\n{end}"
                ),
                Ok(Some("m")),
            ),
            (format!("--B\r\n\r\nno head\r\n{file}{end}"), Ok(None)),
            (format!("{file}{end}"), Ok(None)),
            (format!("--Bx\r\n{}{end}", part("name=\"a\"", "\r\n--Bx\r\nname=\"model\"")), Ok(None)),
            (format!("{}{end}", part("name=\"model\"", "m\r\n--Bx")), Ok(Some("m\r\n--Bx"))),
            (part("name=\"model\"", "m").replace("--B", "--B \t") + end, Ok(Some("m"))),
            (end.to_owned(), Ok(None)),
            (format!("{}{}{end}", part("name=\"model\"", "a"), part("name=\"model\"", "b")), Err("model")),
            (part("name=\"model\"", "a"), Err("body")),
            ("no form at all".to_owned(), Err("body")),
            (String::new(), Err("body")),
        ] {
            let found = field(form.as_bytes(), "B", "model");
            let shown = found.as_ref().map(|range| range.clone().map(|range| &form[range]));
            match (shown, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{form}"),
                (Err(failure), Err(param)) => assert_eq!(failure.param.as_deref(), Some(param), "{form}"),
                (found, expected) => panic!("{form}: {found:?} in place of {expected:?}"),
            }
        }
    }
}
