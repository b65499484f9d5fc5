//! Lists in the words of JSON Schema 2020-12, which `OpenAI` and `Anthropic` hold schemas to: what stands at each place of a list
//! is `prefixItems` and no longer a list of `items` ("is not of type 'object', 'boolean'", "must match JSON Schema draft 2020-12").
//! `OpenAI` refuses a list besides that does not say what is in it ("array schema missing items").

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
    rewritten(schema, true)
}

/// The schema with `prefixItems` for lists of `items`, which means the same. All else keeps its bytes.
pub(crate) fn with_prefix_items(schema: &Json) -> Cow<'_, Json> {
    rewritten(schema, false)
}

fn rewritten(schema: &Json, fill: bool) -> Cow<'_, Json> {
    let text = schema.get();
    let mut found = Found { fill, start: text.as_ptr().addr(), edits: Vec::new() };
    if text.contains(r#""array""#) || text.contains(r#""items""#) {
        found.look(text, DEEPEST);
    }
    if found.edits.is_empty() {
        return Cow::Borrowed(schema);
    }
    found.edits.sort_unstable_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(text.len() + found.edits.len() * ANYTHING.len());
    let mut from = 0;
    for (place, new) in found.edits {
        out.push_str(&text[from..place.start]);
        out.push_str(new);
        from = place.end;
    }
    out.push_str(&text[from..]);
    Json::parse(out).map_or(Cow::Borrowed(schema), Cow::Owned)
}

/// What is to be written otherwise.
struct Found {
    /// Whether a list that does not say what is in it gets `items`.
    fill: bool,
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
        self.lists(text, &members);
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

    /// What a schema says of the entries of a list.
    fn lists(&mut self, text: &str, members: &[(Key<'_>, &RawValue)]) {
        let member = |name: &str| members.iter().find(|(key, _)| key.as_str() == name);
        let end = self.place(text).end - 1;
        let items = member("items");
        let by_place = items.filter(|(_, value)| value.get().starts_with('['));
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
        if self.fill {
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
