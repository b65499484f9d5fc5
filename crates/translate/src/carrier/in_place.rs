//! Carriers in a body that passes through: restored or taken out where they stand, every other byte left alone.

mod members;
mod unsealed;

use self::{
    members::{Members, string},
    unsealed::lacks_a_seal,
};
use super::{MARK, is_marked, is_marked_base64, unwrap, unwrap_base64, unwrap_summary};
use crate::{
    Ids, Maker, compact,
    ir::{Blob, BlobSlot, Family},
    scan::{Edit, Scan},
};
use byok_types::{Dialect, ModelFacts};
use serde_json::value::RawValue;
use std::{collections::HashSet, ops::Range};

/// The mark as base64 text begins.
const MARK_BASE64: &str = "Ynlvaz";
/// How Claude's seals begin: base64 of one layer, of two, and of an older form.
const CLAUDES: [char; 3] = ['E', 'R', 'C'];
/// Where byok shows reasoning to clients of Chat.
const TEXT: &str = "reasoning_content";
/// An empty seal in the results of a search, and in what cites them, as JSON is usually written.
const EMPTY_RESULTS: [&str; 4] = [
    r#""encrypted_content":"""#,
    r#""encrypted_content": """#,
    r#""encrypted_index":"""#,
    r#""encrypted_index": """#,
];

/// Which seals stay in a body: from carriers those of this family that `maker` may have made. What bears no mark of ours stays where its vendor may be this one.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// The family of the upstream.
    pub family: Family,
    /// The upstream.
    pub maker: Maker<'a>,
    /// Whether the upstream refuses a turn that comes back with its reasoning as text, as byok shows it to clients of Chat.
    pub no_text: bool,
    /// None at all stays: the upstream has refused a seal and does not say which.
    pub none: bool,
}

impl<'a> Keep<'a> {
    /// Those that the model of an upstream takes.
    pub fn of(facts: &ModelFacts, maker: impl Into<Maker<'a>>) -> Self {
        let no_text = facts.refuses_reasoning_content();
        Self { family: facts.family, maker: maker.into(), no_text, none: false }
    }
}

impl Keep<'_> {
    /// Whether there may be anything to do in a body.
    fn concerns(&self, dialect: Dialect, body: &[u8]) -> bool {
        let contains = |text: &str| memchr::memmem::find(body, text.as_bytes()).is_some();
        let unsealed = || match dialect {
            Dialect::Messages => {
                let results = || EMPTY_RESULTS.into_iter().any(contains);
                let lacks = |kind, seal| lacks_a_seal(body, kind, seal, &CLAUDES);
                self.refuses_empty(dialect)
                    && (results() || lacks("thinking", "signature") || lacks("redacted_thinking", "data"))
            }
            Dialect::Responses => {
                (self.family == Family::Openai || contains("\"rs_"))
                    && lacks_a_seal(body, "reasoning", "encrypted_content", &[])
            }
            Dialect::Chat => {
                self.no_text && contains(TEXT)
                    || self.family != Family::Gemini && contains("thought_signature")
            }
            Dialect::Gemini => false,
        };
        self.none || may_bear_carriers(dialect, body) || unsealed()
    }

    /// Claude refuses thinking with an empty seal or none, as a client keeps it from a model that seals nothing.
    fn refuses_empty(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Messages && (self.none || self.family == Family::Claude)
    }

    /// Whether a seal without our mark is not of the upstream. Claude takes no other: whoever keeps one in the conversation is
    /// refused from then on. Elsewhere nobody can say: a gateway of one's own may stand before any vendor.
    fn is_foreign(&self, sealed: &str) -> bool {
        is_marked(sealed) || self.family == Family::Claude && !sealed.starts_with(CLAUDES)
    }
}

/// Whether a body may bear carriers of byok's. A text that only speaks of them counts, too.
pub fn may_bear_carriers(dialect: Dialect, body: &[u8]) -> bool {
    let mark = if dialect == Dialect::Gemini { MARK_BASE64 } else { MARK };
    memchr::memmem::find(body, mark.as_bytes()).is_some()
}

/// The edits after which `body`, a request of `dialect`, carries only the seals that are kept, unwrapped; the others go with
/// the reasoning that they seal. A body without seals gets no edits, however much it speaks of them.
pub fn seal_edits(dialect: Dialect, body: &[u8], keep: Keep<'_>) -> Vec<Edit> {
    if !keep.concerns(dialect, body) {
        return Vec::new();
    }
    let list = match dialect {
        Dialect::Chat | Dialect::Messages => "messages",
        Dialect::Responses => "input",
        Dialect::Gemini => "contents",
    };
    let Ok(scan) = Scan::of_keys(body, &[list, "store"]) else { return Vec::new() };
    let Some(text) = scan.text(body, list) else { return Vec::new() };
    let refuses_empty = keep.refuses_empty(dialect);
    let unsealed = if refuses_empty { unsealed_searches(text) } else { HashSet::new() };
    let stored = scan.text(body, "store") != Some("false");
    let place = Place { body, keep, refuses_empty, stored, unsealed };
    let mut edits = Vec::new();
    place.list(text, &mut edits, |item, edits| match dialect {
        Dialect::Messages => place.within(item, "content", edits, |block, edits| place.block(block, edits)),
        Dialect::Gemini => place.within(item, "parts", edits, |part, edits| place.part(part, edits)),
        Dialect::Chat => {
            place.said(item, edits);
            place.within(item, "tool_calls", edits, |call, edits| place.call(call, edits))
        }
        Dialect::Responses => place.block(item, edits),
    });
    edits
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
    /// The upstream looks items up by their ids.
    stored: bool,
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
            let missed = members.get(seal).is_none_or(|text| text == "null");
            return if missed && self.refuses_unsealed(seal, &members) { Fate::Goes } else { Fate::Stays };
        };
        if sealed.is_empty() && self.refuses_unsealed(seal, &members) {
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
        let blob = match unwrap(&sealed) {
            _ if self.keep.none => return if sealed.is_empty() { Fate::Stays } else { Fate::Goes },
            None if self.keep.is_foreign(&sealed) => return Fate::Goes,
            None => return Fate::Stays,
            Some(blob) => blob,
        };
        let redacted = seal == "data";
        if !self.is_mine(&blob) || redacted != (blob.slot == BlobSlot::Redacted) {
            return Fate::Goes;
        }
        self.restore(text, blob, edits);
        Fate::Stays
    }

    /// Whether the upstream refuses reasoning for having no seal. It is looked up by its id: in vain where byok made the id up,
    /// whoever looks, and at `OpenAI` where nothing is stored. A server that seals nothing keeps what it has named itself.
    fn refuses_unsealed(&self, seal: &str, members: &Members<'_>) -> bool {
        match seal {
            "signature" => self.refuses_empty,
            "encrypted_content" => {
                let unstored = self.keep.family == Family::Openai && !self.stored;
                members.string("type").as_deref() == Some("reasoning")
                    && (unstored || members.string("id").is_some_and(|id| Ids::made(&id, "rs_")))
            }
            _ => false,
        }
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
        let is_call = || members.get("functionCall").or(members.get("function_call")).is_some();
        let Some((name, text, sealed)) = found else {
            // A call of an older model, which the newest refuse.
            if self.keep.none && is_call() {
                edits.extend(self.stand_in(part));
            }
            return Fate::Stays;
        };
        match unwrap_base64(&sealed) {
            None if !self.keep.none && !is_marked_base64(&sealed) => return Fate::Stays,
            Some(blob) if self.is_mine(&blob) => {
                self.restore(text, blob, edits);
                return Fate::Stays;
            }
            _ => {}
        }
        let empty = members.string("text").is_some_and(|text| text.is_empty());
        if members.get("thought") == Some("true") || empty {
            return Fate::Goes;
        }
        if is_call() {
            // Calls of the newest models are refused without one; this is the vendor's own word for "none".
            let text = format!("\"{}\"", crate::gemini::NO_SIGNATURE);
            edits.push(Edit { range: self.range(members.get(name).unwrap_or_default()), text });
        } else if let Some(edit) = self.without(part, &members, name) {
            edits.push(edit);
        }
        Fate::Stays
    }

    /// The vendor's own word for "none" on a call that has no signature.
    fn stand_in(&self, part: &str) -> Option<Edit> {
        let edit = Scan::of_keys(part.as_bytes(), &["thoughtSignature"])
            .ok()?
            .set("thoughtSignature", &format!("\"{}\"", crate::gemini::NO_SIGNATURE));
        let start = self.range(part).start;
        Some(Edit { range: start + edit.range.start..start + edit.range.end, ..edit })
    }

    /// A call in the history of Chat.
    fn call(&self, call: &str, edits: &mut Vec<Edit>) -> Fate {
        let members = Members::of(call);
        let Some(extra) = members.get("extra_content") else { return Fate::Stays };
        let google = Members::of(extra).get("google").map(Members::of).unwrap_or_default();
        let found = google.get("thought_signature").and_then(|text| Some((text, string(text)?)));
        let Some((text, sealed)) = found else { return Fate::Stays };
        match unwrap(&sealed) {
            // Without a mark it is Gemini's own word for it.
            None if self.keep.family == Family::Gemini && !self.keep.none && !is_marked(&sealed) => {}
            Some(blob) if self.is_mine(&blob) => self.restore(text, blob, edits),
            _ => edits.extend(self.without(call, &members, "extra_content")),
        }
        Fate::Stays
    }

    /// A turn of Chat: what byok has put into it for the client goes where it is not understood.
    fn said(&self, message: &str, edits: &mut Vec<Edit>) {
        if self.keep.no_text {
            edits.extend(self.without(message, &Members::of(message), TEXT));
        }
    }

    fn is_mine(&self, blob: &Blob) -> bool {
        let Keep { family, maker, none, .. } = self.keep;
        !none && blob.family == family && maker.may_have_made(blob)
    }

    fn restore(&self, text: &str, blob: Blob, edits: &mut Vec<Edit>) {
        edits.push(Edit { range: self.range(text), text: serde_json::Value::from(blob.data).to_string() });
    }

    /// The edit that takes a member out of an object.
    fn without(&self, object: &str, members: &Members<'_>, name: &str) -> Option<Edit> {
        let at = members.iter().position(|(key, _)| key == name)?;
        let value = |at: usize| members.iter().nth(at).map(|(_, value)| self.range(value));
        let this = value(at)?;
        let whole = self.range(object);
        let range = match (at.checked_sub(1).and_then(value), value(at + 1)) {
            (Some(before), _) => before.end..this.end,
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

#[cfg(test)]
mod tests;
