//! Lists in the words of JSON Schema 2020-12, which `OpenAI` and `Anthropic` hold schemas to: what stands at each place of a list
//! is `prefixItems` and no longer a list of `items` ("is not of type 'object', 'boolean'", "must match JSON Schema draft 2020-12").
//! `OpenAI` refuses a list besides that does not say what is in it ("array schema missing items"). Nobody takes `properties` that
//! are a list, as PHP writes a map without entries, nor `required` that is none.

use crate::{Json, json::Members, wire::Key};
use serde_json::value::RawValue;
use std::{borrow::Cow, ops::Range};

/// What a list says that takes anything.
const ANYTHING: &str = r#","items":{}"#;

/// How deep schemas are looked into.
const DEEPEST: usize = 128;

/// The schema with `items` in every list that has none, and `prefixItems` for lists of them, which means the same. All else keeps
/// its bytes.
pub(crate) fn with_items(schema: &Json) -> Cow<'_, Json> {
    rewritten(schema, Lists::Filled)
}

/// The schema with `prefixItems` for lists of `items`, which means the same. All else keeps its bytes.
pub(crate) fn with_prefix_items(schema: &Json) -> Cow<'_, Json> {
    rewritten(schema, Lists::Renamed)
}

/// The schema with its lists as they are: only what nobody takes is written otherwise.
pub(crate) fn mended(schema: &Json) -> Cow<'_, Json> {
    rewritten(schema, Lists::Kept)
}

/// What becomes of lists.
#[derive(Clone, Copy, PartialEq)]
enum Lists {
    Kept,
    /// Lists of `items` are `prefixItems`.
    Renamed,
    /// The same, and a list that does not say what is in it gets `items`.
    Filled,
}

fn rewritten(schema: &Json, lists: Lists) -> Cow<'_, Json> {
    let text = schema.get();
    let mut found = Found { lists, start: text.as_ptr().addr(), edits: Vec::new() };
    let has_lists = || text.contains(r#""array""#) || text.contains(r#""items""#);
    if lists != Lists::Kept && has_lists() || may_be_odd(text) {
        found.look(text, DEEPEST);
    }
    if found.edits.is_empty() {
        return Cow::Borrowed(schema);
    }
    found.edits.sort_unstable_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(text.len() + found.edits.len() * ANYTHING.len());
    let mut from = 0;
    for (place, new) in found.edits {
        // Of a name that stands twice, one may have gone with the other.
        if place.start < from {
            continue;
        }
        out.push_str(&text[from..place.start]);
        out.push_str(new);
        from = place.end;
    }
    out.push_str(&text[from..]);
    Json::parse(out).map_or(Cow::Borrowed(schema), Cow::Owned)
}

/// Whether there may be `properties` or `required` of the wrong kind. Nearly no schema has any, and is not read for it.
fn may_be_odd(text: &str) -> bool {
    let begins = |key: &str, odd: fn(&str) -> bool| {
        memchr::memmem::find_iter(text.as_bytes(), key).any(|at| {
            let value = text[at + key.len()..].trim_start().strip_prefix(':');
            value.is_some_and(|value| odd(value.trim_start()))
        })
    };
    begins(r#""properties""#, |value| !value.starts_with('{'))
        || begins(r#""required""#, |value| !value.starts_with('['))
}

/// What is to be written otherwise.
struct Found {
    lists: Lists,
    /// Where the text begins in memory.
    start: usize,
    /// Places of the text, and what comes there.
    edits: Vec<(Range<usize>, &'static str)>,
}

impl Found {
    /// Where a piece of the text stands in it.
    fn place(&self, piece: &str) -> Range<usize> {
        let start = piece.as_ptr().addr() - self.start;
        start..start + piece.len()
    }

    /// Looks into a schema, which is a piece of the text.
    fn look(&mut self, text: &str, depth: usize) {
        let text = text.trim();
        let Some(depth) = depth.checked_sub(1).filter(|_| text.starts_with('{')) else { return };
        let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(text) else { return };
        if self.lists != Lists::Kept {
            self.lists(text, &members);
        }
        self.odd(&members);
        for (key, value) in &members {
            match key.as_str() {
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                    let map = serde_json::from_str::<Members<'_>>(value.get()).unwrap_or_default();
                    for (_, schema) in &map.0 {
                        self.look(schema.get(), depth);
                    }
                }
                "anyOf" | "oneOf" | "allOf" | "prefixItems" | "items" if value.get().starts_with('[') => {
                    let list = serde_json::from_str::<Vec<&RawValue>>(value.get()).unwrap_or_default();
                    for schema in list {
                        self.look(schema.get(), depth);
                    }
                }
                "items"
                | "additionalProperties"
                | "additionalItems"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains" => self.look(value.get(), depth),
                _ => {}
            }
        }
    }

    /// `properties` and `required` of the wrong kind.
    fn odd(&mut self, members: &[(Key<'_>, &RawValue)]) {
        for (at, (key, value)) in members.iter().enumerate() {
            match key.as_str() {
                "properties" if !value.get().starts_with('{') => {
                    self.edits.push((self.place(value.get()), "{}"));
                }
                "required" if !value.get().starts_with('[') => self.remove(members, at),
                _ => {}
            }
        }
    }

    /// Takes a member out, with the comma that goes with it.
    fn remove(&mut self, members: &[(Key<'_>, &RawValue)], at: usize) {
        let begin = |(key, _): &(Key<'_>, &RawValue)| Some(self.place(key.in_text()?).start - 1);
        let end = |(_, value): &(Key<'_>, &RawValue)| self.place(value.get()).end;
        let before = at.checked_sub(1).map(|before| &members[before]);
        let place = match (members.get(at + 1), before) {
            (Some(next), _) => begin(&members[at]).zip(begin(next)),
            (None, Some(before)) => Some((end(before), end(&members[at]))),
            (None, None) => begin(&members[at]).zip(Some(end(&members[at]))),
        };
        if let Some((from, to)) = place {
            self.edits.push((from..to, ""));
        }
    }

    /// What a schema says of the entries of a list.
    fn lists(&mut self, text: &str, members: &[(Key<'_>, &RawValue)]) {
        let member = |name: &str| members.iter().find(|(key, _)| key.as_str() == name);
        let end = self.place(text).end - 1;
        let items = member("items");
        let by_place = items.filter(|(_, value)| value.get().starts_with('['));
        // What some languages write for an object without members.
        if let Some((_, none)) = by_place.filter(|(_, value)| value.get()[1..].trim_start() == "]") {
            self.edits.push((self.place(none.get()), "{}"));
            return;
        }
        if let Some(old) = by_place.and_then(|(key, _)| key.in_text())
            && member("prefixItems").is_none()
        {
            self.edits.push((self.place(old), "prefixItems"));
            if let Some(rest) = member("additionalItems").and_then(|(key, _)| key.in_text()) {
                self.edits.push((self.place(rest), "items"));
                return;
            }
        } else if items.is_some() || !member("type").is_some_and(|(_, kind)| names_list(kind)) {
            return;
        }
        if self.lists == Lists::Filled {
            self.edits.push((end..end, ANYTHING));
        }
    }
}

/// Whether the kind is a list, or may be one.
fn names_list(kind: &RawValue) -> bool {
    let one_of = || serde_json::from_str::<Vec<Cow<'_, str>>>(kind.get()).unwrap_or_default();
    kind.get() == r#""array""# || one_of().iter().any(|kind| kind == "array")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_say_what_is_in_them_and_all_else_keeps_its_bytes() {
        for (schema, expected) in [
            (r#"{"type":"object"}"#, r#"{"type":"object"}"#),
            (r#"{"type":"array" }"#, r#"{"type":"array" ,"items":{}}"#),
            (r#"{"items":{ },"type":"array"}"#, r#"{"items":{ },"type":"array"}"#),
            (
                r#"{"properties":{"items":{"type":["array","null"]},"n":{"maximum":1e5}}, "type":"object"}"#,
                r#"{"properties":{"items":{"type":["array","null"],"items":{}},"n":{"maximum":1e5}}, "type":"object"}"#,
            ),
            (
                r#"{"anyOf":[{"type":"array","prefixItems":[{"type":"array"}]},true]}"#,
                r#"{"anyOf":[{"type":"array","prefixItems":[{"type":"array","items":{}}],"items":{}},true]}"#,
            ),
            (
                r#"{"$defs":{"a":{"type":"array","items":{"type":"array"}}},"additionalProperties":{"type":"array"}}"#,
                r#"{"$defs":{"a":{"type":"array","items":{"type":"array","items":{}}}},"additionalProperties":{"type":"array","items":{}}}"#,
            ),
            // What stands at each place, as it was written before 2020.
            (
                r#"{"type":"array", "items":[{"type":"string"},{"type":"array"}]}"#,
                r#"{"type":"array", "prefixItems":[{"type":"string"},{"type":"array","items":{}}],"items":{}}"#,
            ),
            (
                r#"{"additionalItems":false,"properties":{"p":{"items":[{}],"type":"array","additionalItems": {"type":"array"}}}}"#,
                r#"{"additionalItems":false,"properties":{"p":{"prefixItems":[{}],"type":"array","items": {"type":"array","items":{}}}}}"#,
            ),
            (
                r#"{"items":[{}],"prefixItems":[{}],"type":"array"}"#,
                r#"{"items":[{}],"prefixItems":[{}],"type":"array"}"#,
            ),
            (r#"{"type":"array","items":[ ]}"#, r#"{"type":"array","items":{}}"#),
            // Names that stand twice.
            (
                r#"{"properties":{"a":{"required":true,"required":true,"type":"string"}}}"#,
                r#"{"properties":{"a":{"type":"string"}}}"#,
            ),
            (
                r#"{"properties":{"a":{"type":"string","required":true,"required":true}}}"#,
                r#"{"properties":{"a":{"type":"string","required":true}}}"#,
            ),
            (
                r#"{"properties":{"a":{"required":true,"required":true}}}"#,
                r#"{"properties":{"a":{"required":true}}}"#,
            ),
            // What is not a schema is left alone.
            (
                r#"{"default":{"type":"array"},"enum":["array"]}"#,
                r#"{"default":{"type":"array"},"enum":["array"]}"#,
            ),
            (
                r#"{"properties":{"type":{"enum":["array"]}}}"#,
                r#"{"properties":{"type":{"enum":["array"]}}}"#,
            ),
        ] {
            assert_eq!(with_items(&Json::parse(schema).unwrap()).get(), expected);
        }
    }

    #[test]
    fn what_nobody_takes_is_left_out_at_every_depth() {
        for (schema, expected) in [
            (r#"{"type":"object", "properties":[]}"#, r#"{"type":"object", "properties":{}}"#),
            (r#"{"type":"object", "properties":null}"#, r#"{"type":"object", "properties":{}}"#),
            (r#"{"required": true}"#, r"{}"),
            (r#"{"required":"a" , "type":"object"}"#, r#"{"type":"object"}"#),
            (
                r#"{"properties":{"a":{"type":"string","required":true},"b":{"properties" : [] ,"required":null}},"required":["a"]}"#,
                r#"{"properties":{"a":{"type":"string"},"b":{"properties" : {}}},"required":["a"]}"#,
            ),
            // A list keeps its form; a property may have any name.
            (
                r#"{"properties":{"l":{"type":"array","required":false,"items":[{"required":1}]},"required":{"type":"boolean"},"properties":{}}}"#,
                r#"{"properties":{"l":{"type":"array","items":[{}]},"required":{"type":"boolean"},"properties":{}}}"#,
            ),
            (r#"{"default":{"required":true}}"#, r#"{"default":{"required":true}}"#),
        ] {
            assert_eq!(mended(&Json::parse(schema).unwrap()).get(), expected);
        }
        let both = Json::parse(r#"{"type":"array","required":true}"#).unwrap();
        assert_eq!(with_items(&both).get(), r#"{"type":"array","items":{}}"#);
        assert_eq!(with_prefix_items(&both).get(), r#"{"type":"array"}"#);
    }

    #[test]
    fn lists_that_say_nothing_stay_where_they_are_taken() {
        for (schema, expected) in [
            (r#"{"type":"array"}"#, r#"{"type":"array"}"#),
            (
                r#"{"type":"array","items":[{"type":"array"},{"items":[{}],"additionalItems":false}]}"#,
                r#"{"type":"array","prefixItems":[{"type":"array"},{"prefixItems":[{}],"items":false}]}"#,
            ),
        ] {
            assert_eq!(with_prefix_items(&Json::parse(schema).unwrap()).get(), expected);
        }
    }
}
