//! `POST /v1/responses/compact` for models whose provider has no such endpoint: an ordinary request with the same wish, which
//! is translated like any other.

use super::{Inbound, Raw, Target, peek::Peek};
use crate::{state::State, upstream::Endpoint};
use byok_translate::scan::{Scan, splice};
use byok_types::{Dialect, Failure};
use bytes::Bytes;

/// The item by which an ordinary request asks for a compaction.
const TRIGGER: &str = r#"{"type":"compaction_trigger"}"#;

/// Makes an ordinary request of a call of the endpoint, unless the provider of its model speaks Responses and can answer for
/// itself; whether it did. What else is wrong with the call is found out by those who serve it.
///
/// # Errors
/// A 400 where there is nothing to make a summary of.
pub(super) fn ask_in_other_words(state: &State, inbound: &mut Inbound) -> Result<bool, Failure> {
    let Some(Raw { target: Target::Endpoint(Endpoint::Compact), .. }) = &inbound.raw else {
        return Ok(false);
    };
    let Ok(peek) = Peek::of(inbound, &state.config.limits) else { return Ok(false) };
    let Ok(candidates) = state.registry.resolve(&peek.model) else { return Ok(false) };
    let Some(first) =
        candidates.first().filter(|first| first.dialect(Dialect::Responses) != Dialect::Responses)
    else {
        return Ok(false);
    };
    inbound.body = with_trigger(&inbound.body, &peek.scan)?;
    inbound.raw = None;
    inbound.stream = Some(false);
    tracing::debug!(provider = first.provider.id.as_str(), "a compaction is made by a summary of the model");
    Ok(true)
}

/// The answer to such a request as the endpoint calls it.
pub(super) fn as_the_endpoint_says(answer: Bytes) -> Bytes {
    let renamed = Scan::of_keys(&answer, &["object"])
        .map(|scan| splice(&answer, vec![scan.set("object", "\"response.compaction\"")]));
    renamed.unwrap_or(answer)
}

/// The body with the wish at the end of its input.
fn with_trigger(body: &Bytes, scan: &Scan) -> Result<Bytes, Failure> {
    let text = scan.text(body, "input").filter(|text| *text != "null").unwrap_or("[]");
    let items = if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        inner.trim_end().to_owned()
    } else if text == "\"\"" {
        String::new()
    } else if text.starts_with('"') {
        format!(r#"{{"type":"message","role":"user","content":{text}}}"#)
    } else {
        return Err(Failure::bad_request("input", "`input` must be a string or a list of items."));
    };
    // A conversation that goes on from a response which nobody here knows is refused for that.
    let goes_on = scan.text(body, "previous_response_id").is_some_and(|id| id != "null");
    let comma = match (items.trim().is_empty(), goes_on) {
        (true, false) => {
            let text = "`input` is empty: there is nothing to compact. Send the conversation in it.";
            return Err(Failure::bad_request("input", text));
        }
        (true, true) => "",
        (false, _) => ",",
    };
    Ok(splice(body, vec![scan.set("input", &format!("[{items}{comma}{TRIGGER}]"))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(input: &str) -> Result<String, Failure> {
        let body = Bytes::from(format!("{{\"model\": \"m\",{input} \"x\":1.0}}"));
        let with = with_trigger(&body, &Scan::of(&body).unwrap())?;
        Ok(String::from_utf8(with.to_vec()).unwrap())
    }

    #[test]
    fn the_wish_stands_at_the_end() {
        for (input, expected) in [
            (r#""input": [ {"a":1e2} ],"#, r#""input": [ {"a":1e2},{"type":"compaction_trigger"}],"#),
            (
                r#""input": "x\n","#,
                r#""input": [{"type":"message","role":"user","content":"x\n"},{"type":"compaction_trigger"}],"#,
            ),
            (
                r#""input": [], "previous_response_id": "r","#,
                r#""input": [{"type":"compaction_trigger"}], "previous_response_id": "r","#,
            ),
        ] {
            assert_eq!(asked(input).unwrap(), format!("{{\"model\": \"m\",{expected} \"x\":1.0}}"));
        }
    }

    #[test]
    fn of_nothing_there_is_no_summary() {
        for input in [
            r#""input": [],"#,
            r#""input": [ ],"#,
            r#""input": "","#,
            r#""input": null,"#,
            r#""input": 7,"#,
            r#""input": [], "previous_response_id": null,"#,
            "",
        ] {
            let failure = asked(input).unwrap_err();
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some("input")), "{input}");
        }
    }
}
