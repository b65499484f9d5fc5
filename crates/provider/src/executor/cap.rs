//! The cap of an answer in a Chat body that passes through, under the name that its vendor knows.

use crate::registry::Candidate;
use byok_translate::scan::{Scan, splice};
use byok_types::{Dialect, MaxTokensField};
use bytes::Bytes;

/// As clients of `OpenAI` write it.
const NEW: &str = "max_completion_tokens";
/// As everybody understands it but `OpenAI`'s newest models.
const OLD: &str = "max_tokens";

/// The body as a candidate takes it. Of a server of one's own nobody knows which names it takes: there the client decides.
pub(super) fn as_known(body: Bytes, dialect: Dialect, candidate: &Candidate) -> Bytes {
    let provider = &candidate.provider;
    let old = dialect == Dialect::Chat
        && provider.dialect.is_none()
        && candidate.facts.max_tokens_field == MaxTokensField::MaxTokens
        && provider.upstream.knows_only_old_cap();
    if old { under_old_name(body) } else { body }
}

fn under_old_name(body: Bytes) -> Bytes {
    if memchr::memmem::find(&body, NEW.as_bytes()).is_none() {
        return body;
    }
    let scan = |body: &Bytes| Scan::of_keys(body, &[NEW, OLD]).ok();
    // The new name wins where a client sends both, as it does at vendors that take both.
    let named = scan(&body).and_then(|scan| {
        let cap = scan.text(&body, NEW)?;
        let edit = (cap != "null").then(|| scan.set(OLD, cap));
        Some(splice(&body, edit.into_iter().collect()))
    });
    let Some(named) = named else { return body };
    let gone = scan(&named).and_then(|scan| scan.remove(&named, NEW));
    splice(&named, gone.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_gets_the_old_name() {
        for (body, expected) in [
            (r#"{"model":"m","max_completion_tokens":5}"#, r#"{"max_tokens":5,"model":"m"}"#),
            (
                r#"{"max_completion_tokens": 5, "x": "max_completion_tokens"}"#,
                r#"{"max_tokens":5, "x": "max_completion_tokens"}"#,
            ),
            (r#"{"max_tokens":9,"max_completion_tokens":5}"#, r#"{"max_tokens":5}"#),
            (r#"{"max_tokens":9,"max_completion_tokens":null}"#, r#"{"max_tokens":9}"#),
            (r#"{"max_tokens":9}"#, r#"{"max_tokens":9}"#),
            (r#"{"x":"max_completion_tokens"}"#, r#"{"x":"max_completion_tokens"}"#),
            (r#"{"x":{"max_completion_tokens":1}}"#, r#"{"x":{"max_completion_tokens":1}}"#),
        ] {
            let named = under_old_name(Bytes::from_static(body.as_bytes()));
            assert_eq!(named, expected, "{body}");
        }
    }
}
