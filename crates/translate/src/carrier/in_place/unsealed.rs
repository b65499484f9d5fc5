//! Whether a body may hold reasoning without a seal, told in one pass over its bytes: most bodies hold none, and need not be
//! read for it.

use memchr::{memchr2, memchr3, memmem};

/// Whether somewhere in the JSON text `body` an object whose type is `kind` has no text, or an empty one, as its member `seal`, or
/// one that begins with none of `begins`, where some are given. May be wrong in saying so, where the seal stands before the
/// type.
pub(super) fn lacks_a_seal(body: &[u8], kind: &str, seal: &str, begins: &[char]) -> bool {
    let word = format!("\"{kind}\"");
    memmem::find_iter(body, word.as_bytes()).any(|at| {
        let rest = body.get(at + word.len()..).unwrap_or_default();
        !is_key(rest) && !is_sealed(rest, seal.as_bytes(), begins)
    })
}

/// Whether the string before `rest` is the name of a member.
fn is_key(rest: &[u8]) -> bool {
    rest.trim_ascii_start().first() == Some(&b':')
}

/// Whether the object that goes on with `rest` has the member, and a text in it.
fn is_sealed(mut rest: &[u8], seal: &[u8], begins: &[char]) -> bool {
    let mut depth = 0_usize;
    while let Some(at) = memchr3(b'"', b'{', b'}', rest) {
        let byte = rest[at];
        rest = &rest[at + 1..];
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return false,
            b'}' => depth -= 1,
            _ => {
                let text = rest;
                let Some(after) = behind_string(rest) else { return false };
                rest = after;
                let name = &text[..text.len() - rest.len() - 1];
                if depth == 0 && name == seal && is_key(rest) {
                    let value = rest.trim_ascii_start()[1..].trim_ascii_start();
                    let first = value.strip_prefix(b"\"").and_then(|text| text.first()).copied();
                    return first.is_some_and(|first| {
                        first != b'"' && (begins.is_empty() || begins.contains(&char::from(first)))
                    });
                }
            }
        }
    }
    false
}

/// What follows a string whose inside begins here.
fn behind_string(mut inside: &[u8]) -> Option<&[u8]> {
    loop {
        let at = memchr2(b'"', b'\\', inside)?;
        if inside[at] == b'"' {
            return Some(&inside[at + 1..]);
        }
        inside = inside.get(at + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_its_seal_is_seen() {
        let call = r#"{"input":{"signature":"x"},"type":"tool_use"}"#;
        for (blocks, lacks) in [
            (r#"{"type":"thinking","thinking":"a \"}\\","signature":"s"}"#.to_owned(), false),
            (
                r#"{"type" : "thinking","cache_control":{"signature":"no"},"signature" : "s"}"#.to_owned(),
                false,
            ),
            (r#"{"type":"thinking","thinking":"t","signature":""}"#.to_owned(), true),
            (r#"{"type":"thinking","thinking":"t","signature":null}"#.to_owned(), true),
            // A seal of something else does not stand in for it.
            (format!(r#"{{"type":"thinking","thinking":"signature"}},{call}"#), true),
            (format!(r#"{{"type" : "thinking","thinking":"t"}},{call}"#), true),
            (call.to_owned(), false),
            (r#"{"type":"text","text":"\"thinking\""}"#.to_owned(), false),
        ] {
            let body =
                format!(r#"{{"thinking":{{"type":"enabled"}},"messages":[{{"content":[{blocks}]}}]}}"#);
            assert_eq!(lacks_a_seal(body.as_bytes(), "thinking", "signature", &[]), lacks, "{blocks}");
        }
        for (seal, lacks) in [("E", false), ("x", true), ("", true)] {
            let body = format!(r#"[{{"type":"thinking","signature":"{seal}"}}]"#);
            assert_eq!(lacks_a_seal(body.as_bytes(), "thinking", "signature", &['R', 'E']), lacks, "{seal}");
        }
        assert!(lacks_a_seal(br#"[{"type":"thinking","thinking":"cut"#, "thinking", "signature", &[]));
    }
}
