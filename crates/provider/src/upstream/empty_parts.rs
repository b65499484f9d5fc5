//! Parts without anything in them, which Google refuses (`gemini.md`, 3: "required oneof field 'data'"). Its own SDKs make them:
//! they keep the empty text with which a stream ends, and send it back with the next turn.

use byok_translate::scan::{Edit, Scan, splice};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<&'a RawValue>>,
}

/// The body without empty parts and without contents that have no other. A body without such parts keeps its bytes, and so does
/// one that cannot be read, which the vendor says better.
pub(super) fn left_out(body: Bytes) -> Bytes {
    // Nearly no body has an empty text, and it costs little to see that.
    if [&b"\"\""[..], b"{}"].iter().all(|mark| memchr::memmem::find(&body, mark).is_none()) {
        return body;
    }
    let edit = Scan::of_keys(&body, &["contents"]).ok().and_then(|scan| {
        let text = full(scan.text(&body, "contents")?)?;
        Some(Edit { range: scan.value("contents")?, text })
    });
    match edit {
        Some(edit) => splice(&body, vec![edit]),
        None => body,
    }
}

/// The contents without what is empty; `None` if nothing is, or everything.
fn full(contents: &str) -> Option<String> {
    let contents: Vec<&RawValue> = serde_json::from_str(contents).ok()?;
    let mut kept = Vec::with_capacity(contents.len());
    let mut changed = false;
    for (index, content) in contents.into_iter().enumerate() {
        let read: Content<'_> = serde_json::from_str(content.get()).ok()?;
        let parts = read.parts.unwrap_or_default();
        let said: Vec<&str> = parts.iter().map(|part| part.get()).filter(|part| !is_empty(part)).collect();
        // A conversation may begin with nothing: what is to be done stands in the system instruction then.
        if said.len() == parts.len() || index == 0 && said.is_empty() {
            kept.push(content.get().to_owned());
            continue;
        }
        changed = true;
        if said.is_empty() {
            continue;
        }
        let bytes = Bytes::copy_from_slice(content.get().as_bytes());
        let edit = Scan::of_keys(&bytes, &["parts"]).ok()?.set("parts", &format!("[{}]", said.join(",")));
        kept.push(String::from_utf8(splice(&bytes, vec![edit]).to_vec()).ok()?);
    }
    (changed && !kept.is_empty()).then(|| format!("[{}]", kept.join(",")))
}

/// Longest part that can be empty, line breaks of a careful writer included: nothing else is read.
const LONGEST: usize = 200;

/// Whether a part says nothing: no data, and no signature that has to come back.
fn is_empty(part: &str) -> bool {
    if part.len() > LONGEST {
        return false;
    }
    let Ok(members) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(part) else {
        return false;
    };
    members.iter().all(|(name, value)| match name.as_str() {
        "text" => value == "",
        "thought" => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_left_out_and_all_else_keeps_its_bytes() {
        for (body, expected) in [
            (
                r#"{"x":"", "contents":[ {"role":"user","parts":[{"text":"hi"}, {"text":""}]},{ "parts":[{"text" : "b"}],"role":"model" }]}"#,
                r#"{"x":"", "contents":[{"role":"user","parts":[{"text":"hi"}]},{ "parts":[{"text" : "b"}],"role":"model" }]}"#,
            ),
            (
                r#"{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"","thought":true},{}]},{"parts":[{"text":"b"}]}]}"#,
                r#"{"contents":[{"parts":[{"text":"a"}]},{"parts":[{"text":"b"}]}]}"#,
            ),
            // A signature has to come back, whatever it is on.
            (
                r#"{"contents":[{"parts":[{"text":"","thoughtSignature":"S"}]}]}"#,
                r#"{"contents":[{"parts":[{"text":"","thoughtSignature":"S"}]}]}"#,
            ),
            (
                r#"{"contents":[{"parts":[{"functionCall":{"name":"f","args":{}}},{"text":""}]}]}"#,
                r#"{"contents":[{"parts":[{"functionCall":{"name":"f","args":{}}}]}]}"#,
            ),
            // An opening may be empty (recorded traffic has it), and the tools of its instruction follow.
            (
                r#"{"contents":[{"parts":[{"text":""}],"role":"user"},{"parts":[{"functionCall":{"args":{}, "name":"f"}}]}]}"#,
                r#"{"contents":[{"parts":[{"text":""}],"role":"user"},{"parts":[{"functionCall":{"args":{}, "name":"f"}}]}]}"#,
            ),
            // The vendor says what is wrong with these.
            (r#"{"contents":[{"parts":[{"text":""}]}]}"#, r#"{"contents":[{"parts":[{"text":""}]}]}"#),
            (r#"{"contents":""}"#, r#"{"contents":""}"#),
            (r#"{"contents":[{"parts":""}]}"#, r#"{"contents":[{"parts":""}]}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(left_out(Bytes::from_static(body.as_bytes())), expected, "{body}");
        }
    }
}
