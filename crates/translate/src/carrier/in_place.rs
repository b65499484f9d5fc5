//! Carriers in a body that passes through: restored or taken out where they stand, every other byte left alone.

use super::{MARK, unwrap, unwrap_base64, unwrap_summary};
use crate::{
    compact,
    ir::{Blob, BlobSlot, Family},
    scan::{Edit, Scan},
};
use byok_types::Dialect;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashSet, fmt, ops::Range};

/// The mark as base64 text begins.
const MARK_BASE64: &str = "Ynlvaz";
/// An empty seal as JSON is usually written.
const EMPTY: [&str; 2] = [r#""signature":"""#, r#""signature": """#];
/// The same in the results of a search, and in what cites them.
const EMPTY_RESULTS: [&str; 4] = [
    r#""encrypted_content":"""#,
    r#""encrypted_content": """#,
    r#""encrypted_index":"""#,
    r#""encrypted_index": """#,
];

/// Which seals stay in a body.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// What is no carrier of ours, and from carriers the seals of this family; for a family without a name only those that
    /// were made by `maker`. Reasoning with an empty seal or none, as a client keeps it from a model that seals nothing, does
    /// not stay for Claude, which refuses it.
    Of {
        /// The family of the upstream.
        family: Family,
        /// The upstream.
        maker: &'a str,
    },
    /// None at all: the upstream has refused a seal and does not say which.
    None,
}

impl Keep<'_> {
    /// Whether there may be anything to do in a body.
    fn concerns(&self, dialect: Dialect, body: &[u8]) -> bool {
        let contains = |text: &str| memchr::memmem::find(body, text.as_bytes()).is_some();
        match self {
            Self::None => true,
            Self::Of { .. } if dialect == Dialect::Gemini => contains(MARK_BASE64),
            Self::Of { .. } => {
                let unsealed = || EMPTY.into_iter().chain(EMPTY_RESULTS).any(contains) || lacks_seals(body);
                contains(MARK) || self.refuses_empty(dialect) && unsealed()
            }
        }
    }

    fn refuses_empty(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Messages && matches!(self, Self::None | Self::Of { family: Family::Claude, .. })
    }
}

/// The edits after which `body`, a request of `dialect`, carries only the seals that are kept, unwrapped; the others go with
/// the reasoning that they seal. With [`Keep::Of`] a body without carriers gets no edits, however much it speaks of them.
pub fn seal_edits(dialect: Dialect, body: &[u8], keep: Keep<'_>) -> Vec<Edit> {
    if !keep.concerns(dialect, body) {
        return Vec::new();
    }
    let Ok(scan) = Scan::of(body) else { return Vec::new() };
    let list = match dialect {
        Dialect::Chat | Dialect::Messages => "messages",
        Dialect::Responses => "input",
        Dialect::Gemini => "contents",
    };
    let Some(text) = scan.text(body, list) else { return Vec::new() };
    let refuses_empty = keep.refuses_empty(dialect);
    let unsealed = if refuses_empty { unsealed_searches(text) } else { HashSet::new() };
    let place = Place { body, keep, refuses_empty, unsealed };
    let mut edits = Vec::new();
    place.list(text, &mut edits, |item, edits| match dialect {
        Dialect::Messages => place.within(item, "content", edits, |block, edits| place.block(block, edits)),
        Dialect::Gemini => place.within(item, "parts", edits, |part, edits| place.part(part, edits)),
        Dialect::Chat => place.within(item, "tool_calls", edits, |call, edits| place.call(call, edits)),
        Dialect::Responses => place.block(item, edits),
    });
    edits
}

/// Whether a body of Messages has more thinking than seals, told by counting alone: most bodies have as many.
fn lacks_seals(body: &[u8]) -> bool {
    let count = |text: &str| memchr::memmem::find_iter(body, text.as_bytes()).count();
    let thoughts = count(r#""type":"thinking""#) + count(r#""type": "thinking""#);
    thoughts > 0 && thoughts > count(r#""signature":"#)
}

/// The ids of searches of another vendor: their results bear no seal, and Claude takes no others.
fn unsealed_searches(messages: &str) -> HashSet<String> {
    let elements = |text: &str| serde_json::from_str::<Vec<Box<RawValue>>>(text).unwrap_or_default();
    let mut found = HashSet::new();
    if !EMPTY_RESULTS.iter().any(|empty| messages.contains(empty)) {
        return found;
    }
    for message in elements(messages) {
        for block in elements(Members::of(message.get()).get("content").unwrap_or_default()) {
            let block = Members::of(block.get());
            let hits = elements(block.get("content").unwrap_or_default());
            let is_unsealed = |hit: &RawValue| {
                Members::of(hit.get()).string("encrypted_content").is_some_and(|seal| seal.is_empty())
            };
            if block.string("type").as_deref() == Some("web_search_tool_result")
                && hits.iter().any(|hit| is_unsealed(hit))
            {
                found.extend(block.string("tool_use_id"));
            }
        }
    }
    found
}

/// What becomes of an element of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
}

struct Place<'a> {
    body: &'a [u8],
    keep: Keep<'a>,
    /// Thinking without a seal goes.
    refuses_empty: bool,
    /// Searches that go with their results.
    unsealed: HashSet<String>,
}

impl Place<'_> {
    /// Where a piece of the body stands in it.
    fn range(&self, piece: &str) -> Range<usize> {
        let start = piece.as_ptr().addr().saturating_sub(self.body.as_ptr().addr());
        start..start + piece.len()
    }

    /// Visits the elements of a list; takes out those that go. Whether all of them go is the answer.
    fn list(
        &self,
        text: &str,
        edits: &mut Vec<Edit>,
        mut visit: impl FnMut(&str, &mut Vec<Edit>) -> Fate,
    ) -> bool {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else { return false };
        let fates: Vec<_> = items
            .iter()
            .map(|item| {
                let before = edits.len();
                let fate = visit(item.get(), edits);
                if fate == Fate::Goes {
                    // What goes as a whole needs no edits inside.
                    edits.truncate(before);
                }
                fate
            })
            .collect();
        let spans: Vec<_> = items.iter().map(|item| self.range(item.get())).collect();
        let mut at = 0;
        while at < items.len() {
            let run = fates[at..].iter().take_while(|fate| **fate == Fate::Goes).count();
            if run == 0 {
                at += 1;
                continue;
            }
            let end = at + run;
            let range = match (spans.get(end), at.checked_sub(1)) {
                (Some(next), _) => spans[at].start..next.start,
                (None, Some(last)) => spans[last].end..spans[end - 1].end,
                (None, None) => spans[at].start..spans[end - 1].end,
            };
            edits.push(Edit { range, text: String::new() });
            at = end;
        }
        !items.is_empty() && fates.iter().all(|fate| *fate == Fate::Goes)
    }

    /// Visits the list that `item` has under `key`. A turn of which nothing is left goes, too.
    fn within(
        &self,
        item: &str,
        key: &str,
        edits: &mut Vec<Edit>,
        visit: impl FnMut(&str, &mut Vec<Edit>) -> Fate,
    ) -> Fate {
        let inner = Members::of(item).get(key);
        match inner.filter(|text| text.starts_with('[')) {
            Some(text) if self.list(text, edits, visit) => Fate::Goes,
            _ => Fate::Stays,
        }
    }

    /// A content block of Messages, or an item of Responses: sealed reasoning in a member of its own.
    fn block(&self, item: &str, edits: &mut Vec<Edit>) -> Fate {
        let members = Members::of(item);
        let seal = match members.string("type").as_deref() {
            Some("thinking") => "signature",
            Some("redacted_thinking") => "data",
            Some("reasoning" | "compaction" | "compaction_summary" | "context_compaction") => {
                "encrypted_content"
            }
            Some("server_tool_use") => return self.search(members.string("id")),
            Some("web_search_tool_result") => return self.search(members.string("tool_use_id")),
            Some("text") if self.refuses_empty => {
                if cites_unsealed(&members) {
                    edits.extend(self.without(item, &members, "citations"));
                }
                return Fate::Stays;
            }
            _ => return Fate::Stays,
        };
        let Some((text, sealed)) = members.get(seal).and_then(|text| Some((text, string(text)?))) else {
            let missed = seal == "signature" && members.get(seal).is_none_or(|text| text == "null");
            return if missed && self.refuses_empty { Fate::Goes } else { Fate::Stays };
        };
        if sealed.is_empty() && seal == "signature" && self.refuses_empty {
            return Fate::Goes;
        }
        if let Some(summary) = unwrap_summary(&sealed) {
            // No seal of anybody: whoever comes next is told in words.
            let told = serde_json::json!({
                "type": "message", "role": "user",
                "content": [{"type": "input_text", "text": compact::told(&summary)}],
            });
            edits.push(Edit { range: self.range(item), text: told.to_string() });
            return Fate::Stays;
        }
        let blob = match (self.keep, unwrap(&sealed)) {
            (Keep::None, _) if sealed.is_empty() => return Fate::Stays,
            (Keep::None, _) => return Fate::Goes,
            (Keep::Of { .. }, None) => return Fate::Stays,
            (Keep::Of { .. }, Some(blob)) => blob,
        };
        let redacted = seal == "data";
        if !self.is_mine(&blob) || redacted != (blob.slot == BlobSlot::Redacted) {
            return Fate::Goes;
        }
        self.restore(text, blob, edits);
        Fate::Stays
    }

    fn search(&self, id: Option<String>) -> Fate {
        if id.is_some_and(|id| self.unsealed.contains(&id)) { Fate::Goes } else { Fate::Stays }
    }

    /// A part of Gemini.
    fn part(&self, part: &str, edits: &mut Vec<Edit>) -> Fate {
        let members = Members::of(part);
        let found = ["thoughtSignature", "thought_signature"].into_iter().find_map(|name| {
            let text = members.get(name)?;
            Some((name, text, string(text)?))
        });
        let Some((name, text, sealed)) = found else { return Fate::Stays };
        match (self.keep, unwrap_base64(&sealed)) {
            (Keep::Of { .. }, None) => return Fate::Stays,
            (Keep::Of { .. }, Some(blob)) if self.is_mine(&blob) => {
                self.restore(text, blob, edits);
                return Fate::Stays;
            }
            _ => {}
        }
        let empty = members.string("text").is_some_and(|text| text.is_empty());
        if members.get("thought") == Some("true") || empty {
            return Fate::Goes;
        }
        if members.get("functionCall").or(members.get("function_call")).is_some() {
            // Calls of the newest models are refused without one; this is the vendor's own word for "none".
            let text = format!("\"{}\"", crate::gemini::NO_SIGNATURE);
            edits.push(Edit { range: self.range(members.get(name).unwrap_or_default()), text });
        } else if let Some(edit) = self.without(part, &members, name) {
            edits.push(edit);
        }
        Fate::Stays
    }

    /// A call in the history of Chat.
    fn call(&self, call: &str, edits: &mut Vec<Edit>) -> Fate {
        let members = Members::of(call);
        let Some(extra) = members.get("extra_content") else { return Fate::Stays };
        let google = Members::of(extra).get("google").map(Members::of).unwrap_or_default();
        let found = google.get("thought_signature").and_then(|text| Some((text, string(text)?)));
        let Some((text, sealed)) = found else { return Fate::Stays };
        match (self.keep, unwrap(&sealed)) {
            (Keep::Of { .. }, None) => {}
            (Keep::Of { .. }, Some(blob)) if self.is_mine(&blob) => self.restore(text, blob, edits),
            _ => edits.extend(self.without(call, &members, "extra_content")),
        }
        Fate::Stays
    }

    fn is_mine(&self, blob: &Blob) -> bool {
        let Keep::Of { family, maker } = self.keep else { return false };
        blob.family == family && (family != Family::Other || blob.account.as_deref() == Some(maker))
    }

    fn restore(&self, text: &str, blob: Blob, edits: &mut Vec<Edit>) {
        edits.push(Edit { range: self.range(text), text: serde_json::Value::from(blob.data).to_string() });
    }

    /// The edit that takes a member out of an object.
    fn without(&self, object: &str, members: &Members<'_>, name: &str) -> Option<Edit> {
        let at = members.0.iter().position(|(key, _)| key == name)?;
        let this = self.range(members.0[at].1);
        let whole = self.range(object);
        let range = match (at.checked_sub(1), members.0.get(at + 1)) {
            (Some(before), _) => self.range(members.0[before].1).end..this.end,
            (None, Some(_)) => {
                let rest = self.body.get(this.end..whole.end)?;
                whole.start + 1..this.end + memchr::memchr(b',', rest)? + 1
            }
            (None, None) => whole.start + 1..this.end,
        };
        Some(Edit { range, text: String::new() })
    }
}

/// Whether a text cites the results of such a search.
fn cites_unsealed(text: &Members<'_>) -> bool {
    let citations: Vec<&RawValue> =
        text.get("citations").and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    citations.iter().any(|citation| {
        Members::of(citation.get()).string("encrypted_index").is_some_and(|seal| seal.is_empty())
    })
}

fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// The members of an object, in their order.
#[derive(Default)]
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    /// Those of the object `text`; none if it is something else.
    fn of(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    fn string(&self, name: &str) -> Option<String> {
        string(self.get(name)?)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    members.push((key, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

/// A name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
