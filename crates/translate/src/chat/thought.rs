//! Reasoning and its signatures, as far as Chat has members for them.
//!
//! There is no official one. Servers show reasoning as `reasoning_content`, `reasoning` or `reasoning_details`; Copilot has
//! `reasoning_text` with a seal in `reasoning_opaque`, which Gemini wants back there; Gemini's own Chat surface puts the signature of a call into `extra_content.google.thought_signature`.

use super::{
    loose::{Raw, filled, read},
    object::{Object, object},
};
use crate::{
    Json, carrier,
    ir::{Blob, BlobSlot, Family},
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use std::borrow::Cow;

#[derive(Deserialize)]
struct ExtraContent<'a> {
    #[serde(borrow, default)]
    google: Option<Google<'a>>,
}

#[derive(Deserialize)]
struct Google<'a> {
    #[serde(borrow, default)]
    thought_signature: Raw<'a>,
}

/// The signature in the `extra_content` of a call, if it has one.
pub(super) fn signature(extra_content: &RawValue) -> Option<Blob> {
    let content: ExtraContent<'_> = read(Some(extra_content))?;
    let data = filled(content.google?.thought_signature)?;
    Some(carrier::unwrap(&data).unwrap_or_else(|| Blob {
        family: Family::Gemini,
        account: None,
        slot: BlobSlot::Call,
        data: data.into_owned(),
    }))
}

/// Divides the `extra_content` of a call in the history into the signature and what else is in it.
pub(super) fn take_signature(json: Json) -> (Option<Blob>, Option<Json>) {
    let raw: Option<&RawValue> = json.read().ok();
    let Some(blob) = raw.and_then(signature) else { return (None, Some(json)) };
    let Ok(mut rest) = json.read::<Map<String, Value>>() else { return (Some(blob), None) };
    if let Some(Value::Object(google)) = rest.get_mut("google") {
        google.shift_remove("thought_signature");
        if google.is_empty() {
            rest.shift_remove("google");
        }
    }
    let rest = (!rest.is_empty()).then(|| Json::from_value(&rest).ok()).flatten();
    (Some(blob), rest)
}

/// Writes `{"google":{"thought_signature":…}}`. A blob of another family travels in a carrier.
pub(super) fn write_signature(out: &mut Vec<u8>, blob: &Blob) {
    let text = signature_text(blob);
    object(out, |content| content.object("google", |google| google.text("thought_signature", &text)));
}

/// The `extra_content` of a call in the history, put together again: what [`take_signature`] has divided.
pub(super) fn with_signature(rest: &Json, blob: &Blob) -> Json {
    let mut content: Map<String, Value> = rest.read().unwrap_or_default();
    let google = content.entry("google").or_insert_with(|| Map::new().into());
    if let Value::Object(google) = google {
        google.insert("thought_signature".to_owned(), signature_text(blob).into());
    }
    Json::from_value(&content).unwrap_or_else(|_| rest.clone())
}

fn signature_text(blob: &Blob) -> Cow<'_, str> {
    if blob.family == Family::Gemini {
        Cow::Borrowed(blob.data.as_str())
    } else {
        Cow::Owned(carrier::wrap(blob))
    }
}

/// The type of the entry among the details as which `reasoning_opaque` is kept.
const OPAQUE: &str = "reasoning.opaque";

/// One entry of `reasoning_details`.
#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Raw<'a>,
    #[serde(borrow, default)]
    text: Raw<'a>,
    #[serde(borrow, default)]
    summary: Raw<'a>,
    #[serde(borrow, default)]
    signature: Raw<'a>,
    #[serde(borrow, default)]
    data: Raw<'a>,
}

/// The readable text of a `reasoning_details` list.
pub(super) fn text_of_details(list: &Json) -> String {
    let raw: Option<&RawValue> = list.read().ok();
    details_text(raw)
}

/// The readable text of a `reasoning_details` list.
pub(super) fn details_text(list: Raw<'_>) -> String {
    let list: Vec<Detail<'_>> = read(list).unwrap_or_default();
    list.iter().filter_map(|detail| filled(detail.text).or_else(|| filled(detail.summary))).collect()
}

/// Collects the `reasoning_details` of an answer. They must go back to their server unchanged, in the same order and
/// number, so the pieces of one entry are joined and the list becomes one blob.
#[derive(Debug, Default)]
pub(super) struct Details {
    entries: Vec<Map<String, Value>>,
    sealed: bool,
}

impl Details {
    pub(super) fn push(&mut self, list: Raw<'_>) {
        self.sealed |= read::<Vec<Detail<'_>>>(list).is_some_and(|list| {
            list.iter().any(|d| filled(d.signature).is_some() || filled(d.data).is_some())
        });
        for entry in read::<Vec<Map<String, Value>>>(list).unwrap_or_default() {
            match self.entries.last_mut() {
                Some(open) if continues(open, &entry) => join(open, entry),
                _ => self.entries.push(entry),
            }
        }
    }

    /// Takes `reasoning_opaque`, which comes whole; the last one counts.
    pub(super) fn push_opaque(&mut self, opaque: Raw<'_>) {
        let Some(data) = filled(opaque) else { return };
        let entry = [("type", OPAQUE), ("data", &*data)];
        self.entries.retain(|entry| entry.get("type").is_none_or(|kind| kind != OPAQUE));
        self.entries.push(entry.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect());
        self.sealed = true;
    }

    /// The list as a blob, if something in it is sealed: plain text travels as reasoning anyway. Given once.
    pub(super) fn take(&mut self) -> Option<Blob> {
        let entries = std::mem::take(&mut self.entries);
        let sealed = std::mem::take(&mut self.sealed);
        let data = serde_json::to_string(&entries).ok().filter(|_| sealed)?;
        Some(Blob { family: Family::Other, account: None, slot: BlobSlot::Thinking, data })
    }
}

/// Whether `next` is a further piece of the entry `last`.
fn continues(last: &Map<String, Value>, next: &Map<String, Value>) -> bool {
    let same = |name: &str| last.get(name) == next.get(name);
    let new_id = next.get("id").is_some_and(|id| !id.is_null()) && !same("id");
    same("type") && same("index") && next.contains_key("index") && !new_id
}

fn join(last: &mut Map<String, Value>, next: Map<String, Value>) {
    for (name, value) in next {
        match (name.as_str(), last.get_mut(&name), value) {
            ("text" | "summary" | "data", Some(Value::String(old)), Value::String(new)) => old.push_str(&new),
            (_, _, Value::Null) => {}
            (_, _, value) => drop(last.insert(name, value)),
        }
    }
}

/// The list in blobs of [`Details::take`], which are the pieces of one list.
pub(super) fn details_in<'b>(blobs: impl Iterator<Item = &'b Blob>) -> Option<Json> {
    let lists: Vec<&str> = blobs
        .filter(|blob| blob.family == Family::Other)
        .filter_map(|blob| blob.data.strip_prefix('[')?.strip_suffix(']'))
        .collect();
    (!lists.is_empty()).then(|| Json::parse(format!("[{}]", lists.join(","))).ok()).flatten()
}

/// Writes what is sealed under the name by which it came, with the text that it belongs to where that goes along.
pub(super) fn write_sealed(details: &Json, text: &str, message: &mut Object<'_>) {
    let raw: Option<&RawValue> = details.read().ok();
    let list: Vec<Detail<'_>> = read(raw).unwrap_or_default();
    let is_opaque = |detail: &&Detail<'_>| filled(detail.kind).as_deref() == Some(OPAQUE);
    let Some(opaque) = list.iter().rev().find(is_opaque).and_then(|detail| filled(detail.data)) else {
        message.json("reasoning_details", details);
        return;
    };
    if !text.is_empty() {
        message.text("reasoning_text", text);
    }
    message.text("reasoning_opaque", &opaque);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn signatures_are_taken_out_of_extra_content() {
        for (json, blob, rest) in [
            (r#"{"google":{"thought_signature":"S"}}"#, Some("S"), None),
            (
                r#"{"google":{"thought_signature":"S","a":1},"b":2}"#,
                Some("S"),
                Some(r#"{"google":{"a":1},"b":2}"#),
            ),
            (r#"{"google":{"thought_signature":""}}"#, None, Some(r#"{"google":{"thought_signature":""}}"#)),
            (r#"{"google":5}"#, None, Some(r#"{"google":5}"#)),
            ("7", None, Some("7")),
        ] {
            let (found, left) = take_signature(Json::parse(json).unwrap());
            assert_eq!(found.map(|b| b.data).as_deref(), blob, "{json}");
            assert_eq!(left.as_ref().map(Json::get), rest, "{json}");
        }
    }

    #[test]
    fn a_foreign_blob_travels_in_a_carrier() {
        for family in [Family::Gemini, Family::Claude] {
            let blob = Blob { family, account: None, slot: BlobSlot::Call, data: "x".into() };
            let mut out = Vec::new();
            write_signature(&mut out, &blob);
            let json = raw(std::str::from_utf8(&out).unwrap());
            assert_eq!(signature(&json), Some(blob));
        }
    }

    #[test]
    fn pieces_of_details_become_the_list_that_a_whole_answer_has() {
        let mut details = Details::default();
        for piece in [
            r#"[{"type":"reasoning.text","text":"a","format":"f","index":0}]"#,
            r#"[{"type":"reasoning.text","text":"b","format":"f","index":0}]"#,
            r#"[{"type":"reasoning.text","signature":"S","format":"f","index":0}]"#,
            r#"[{"type":"reasoning.encrypted","data":"D","id":"x","index":1}]"#,
        ] {
            details.push(Some(&raw(piece)));
        }
        assert_eq!(
            details.take().unwrap().data,
            r#"[{"type":"reasoning.text","text":"ab","format":"f","index":0,"signature":"S"},{"type":"reasoning.encrypted","data":"D","id":"x","index":1}]"#
        );
        assert!(details.take().is_none());
        details.push(Some(&raw(r#"[{"type":"reasoning.text","text":"a"}]"#)));
        assert!(details.take().is_none(), "nothing sealed");
    }
}
