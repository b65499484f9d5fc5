//! `POST /v1/responses/compact` for models whose provider has no such endpoint: an ordinary request with the same wish, which
//! is translated like any other.

use super::{Inbound, Raw, Target, peek::Peek};
use crate::{state::State, upstream::Endpoint};
use byok_translate::scan::{Scan, splice};
use byok_types::Dialect;
use bytes::Bytes;

/// The item by which an ordinary request asks for a compaction.
const TRIGGER: &str = r#"{"type":"compaction_trigger"}"#;

/// Makes an ordinary request of a call of the endpoint, unless the provider of its model speaks Responses and can answer for
/// itself. What is wrong with the call is found out by those who serve it.
pub(super) fn ask_in_other_words(state: &State, inbound: &mut Inbound) {
    let Some(Raw { target: Target::Endpoint(Endpoint::Compact), .. }) = &inbound.raw else { return };
    let Ok(peek) = Peek::of(inbound, &state.config.limits) else { return };
    let Ok(candidates) = state.registry.resolve(&peek.model) else { return };
    let Some(first) =
        candidates.first().filter(|first| first.dialect(Dialect::Responses) != Dialect::Responses)
    else {
        return;
    };
    if let Some(body) = with_trigger(&inbound.body, &peek.scan) {
        tracing::debug!(
            provider = first.provider.id.as_str(),
            "a compaction is made by a summary of the model"
        );
        inbound.body = body;
        inbound.raw = None;
        inbound.stream = Some(false);
    }
}

/// The body with the wish at the end of its input. `None` where there is no input to put it behind.
fn with_trigger(body: &Bytes, scan: &Scan) -> Option<Bytes> {
    let text = scan.text(body, "input")?;
    let list = if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let comma = if inner.trim().is_empty() { "" } else { "," };
        format!("[{inner}{comma}{TRIGGER}]")
    } else if text.starts_with('"') {
        format!(r#"[{{"type":"message","role":"user","content":{text}}},{TRIGGER}]"#)
    } else {
        return None;
    };
    Some(splice(body, vec![scan.set("input", &list)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_stands_at_the_end() {
        for (input, expected) in [
            ("[]", Some("[{\"type\":\"compaction_trigger\"}]")),
            ("[ {\"a\":1e2} ]", Some("[ {\"a\":1e2} ,{\"type\":\"compaction_trigger\"}]")),
            (
                "\"x\\n\"",
                Some(
                    "[{\"type\":\"message\",\"role\":\"user\",\"content\":\"x\\n\"},{\"type\":\"compaction_trigger\"}]",
                ),
            ),
            ("7", None),
            ("null", None),
        ] {
            let body = Bytes::from(format!("{{\"model\": \"m\",\"input\": {input}, \"x\":1.0}}"));
            let with = with_trigger(&body, &Scan::of(&body).unwrap());
            let expected = expected.map(|list| format!("{{\"model\": \"m\",\"input\": {list}, \"x\":1.0}}"));
            assert_eq!(with.map(|body| String::from_utf8(body.to_vec()).unwrap()), expected, "{input}");
        }
        let body = Bytes::from_static(b"{}");
        assert!(with_trigger(&body, &Scan::of(&body).unwrap()).is_none());
    }
}
