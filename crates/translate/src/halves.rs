//! Halves of characters in a body: a character beyond the basic plane is two escapes in JSON, and one of them alone is none.

use std::borrow::Cow;

/// A body in which every lone half of a character is replaced by U+FFFD; the body itself if there is none. Programs that
/// cut their output between two halves send such bodies, and parsers of JSON refuse them.
pub(crate) fn repaired(body: &[u8]) -> Cow<'_, [u8]> {
    let may_have = memchr::memmem::find(body, b"\\ud").or_else(|| memchr::memmem::find(body, b"\\uD"));
    if may_have.is_none() {
        return Cow::Borrowed(body);
    }
    let mut out = Cow::Borrowed(body);
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\\', body.get(from..).unwrap_or_default()).map(|i| i + from) {
        let high = matches!(unit(body, at), Some(0xD800..=0xDBFF));
        let low = |at| matches!(unit(body, at), Some(0xDC00..=0xDFFF));
        if high && low(at + 6) {
            from = at + 12;
        } else if high || low(at) {
            if let Some(escape) = out.to_mut().get_mut(at + 2..at + 6) {
                escape.copy_from_slice(b"fffd");
            }
            from = at + 6;
        } else {
            from = at + 2;
        }
    }
    out
}

/// The UTF-16 unit in a `\uXXXX` escape that begins at `at`.
pub(crate) fn unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ids, Incoming, LossAction, codec, ir::Part};
    use byok_types::{Dialect, ModelFacts};

    #[test]
    fn lone_halves_are_replaced() {
        for (text, expected) in [
            (r"plain", None),
            (r"\ud83d\ude00", None),
            (r"\uD83D\uDE00 \n \u00e4", None),
            (r"\\ud83d", None),
            (r"a \ud83d b", Some(r"a \ufffd b")),
            (r"\uDBFFx", Some(r"\ufffdx")),
            (r"\ude00", Some(r"\ufffd")),
            (r"\ud83d\ud83d\ude00", Some(r"\ufffd\ud83d\ude00")),
            (r"\ud83d\n\udfff", Some(r"\ufffd\n\ufffd")),
            (r"\\\ud800", Some(r"\\\ufffd")),
            (r"\ud8", None),
            (r"\ud83d\u", Some(r"\ufffd\u")),
            (r"\ue000 \ud7ff", None),
        ] {
            let repaired = repaired(text.as_bytes());
            assert_eq!(repaired, expected.unwrap_or(text).as_bytes(), "{text}");
            assert_eq!(matches!(repaired, Cow::Owned(_)), expected.is_some(), "{text}");
        }
    }

    #[test]
    fn a_client_that_cuts_characters_is_answered_and_told() {
        let cut = r#""a \ud83d b""#;
        for (dialect, body, field) in [
            (
                Dialect::Chat,
                format!(r#"{{"model":"m","messages":[{{"role":"user","content":{cut}}}]}}"#),
                "messages",
            ),
            (Dialect::Responses, format!(r#"{{"model":"m","input":{cut}}}"#), "input"),
            (
                Dialect::Messages,
                format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":{cut}}}]}}"#),
                "messages",
            ),
            (
                Dialect::Gemini,
                format!(r#"{{"model":"m","contents":[{{"parts":[{{"text":{cut}}}]}}]}}"#),
                "contents",
            ),
        ] {
            let incoming = Incoming { body: body.as_bytes(), model: None, stream: None };
            let read = codec::decode_request(dialect, &incoming).unwrap();
            assert_eq!(read.value.messages[0].parts, [Part::text("a \u{FFFD} b")]);
            let told: Vec<_> = read.losses.iter().map(|loss| (loss.field.as_str(), loss.action)).collect();
            assert_eq!(told, [(field, LossAction::Dropped)], "{dialect:?}");
        }
    }

    /// Within a string, as Chat has arguments, an escape is text. As an object it becomes one.
    #[test]
    fn halves_in_arguments_are_replaced_where_they_are_written_as_an_object() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"s\":\"\\ud800\"}"}}]},{"role":"tool","tool_call_id":"a","content":"y"}]}"#;
        let incoming = Incoming { body: body.as_bytes(), model: None, stream: None };
        let read = codec::decode_request(Dialect::Chat, &incoming).unwrap();
        assert!(read.losses.is_empty());
        for (upstream, arguments) in
            [(Dialect::Messages, r#""input":{"s":"\ufffd"}"#), (Dialect::Gemini, r#""args":{"s":"\ufffd"}"#)]
        {
            let facts = ModelFacts::default();
            let written = codec::encode_request(upstream, &read.value, &facts, &mut Ids::new("t")).unwrap();
            let text = String::from_utf8(written.value).unwrap();
            assert!(text.contains(arguments), "{text}");
            assert!(written.losses.iter().any(|loss| loss.field == "messages"), "{:?}", written.losses);
        }
    }
}
