//! Lists that say what is in them. `OpenAI` refuses a schema with one that does not ("array schema missing items").

use crate::{Json, json::Members};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a list says that takes anything.
const ANYTHING: &str = r#","items":{}"#;

/// How deep schemas are looked into.
const DEEPEST: usize = 128;

/// The schema with `items` in every list that has none, which means the same. All else keeps its bytes.
pub(crate) fn with_items(schema: &Json) -> Cow<'_, Json> {
    let text = schema.get();
    let mut ends = Vec::new();
    if text.contains(r#""array""#) {
        lacking(text, DEEPEST, &mut |object: &str| {
            ends.push(object.as_ptr().addr() - text.as_ptr().addr() + object.len() - 1);
        });
    }
    if ends.is_empty() {
        return Cow::Borrowed(schema);
    }
    ends.sort_unstable();
    let mut out = String::with_capacity(text.len() + ends.len() * ANYTHING.len());
    let mut from = 0;
    for end in ends {
        out.push_str(&text[from..end]);
        out.push_str(ANYTHING);
        from = end;
    }
    out.push_str(&text[from..]);
    Json::parse(out).map_or(Cow::Borrowed(schema), Cow::Owned)
}

/// Gives every schema within `text`, itself one, that is a list and does not say of what.
fn lacking(text: &str, depth: usize, found: &mut impl FnMut(&str)) {
    let text = text.trim();
    let Some(depth) = depth.checked_sub(1).filter(|_| text.starts_with('{')) else { return };
    let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(text) else { return };
    let has_items = members.iter().any(|(key, _)| key.as_str() == "items");
    if !has_items && members.iter().any(|(key, value)| key.as_str() == "type" && names_list(value)) {
        found(text);
    }
    for (key, value) in &members {
        match key.as_str() {
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                let map = serde_json::from_str::<Members<'_>>(value.get()).unwrap_or_default();
                for (_, schema) in &map.0 {
                    lacking(schema.get(), depth, found);
                }
            }
            "anyOf" | "oneOf" | "allOf" | "prefixItems" | "items" if value.get().starts_with('[') => {
                let list = serde_json::from_str::<Vec<&RawValue>>(value.get()).unwrap_or_default();
                for schema in list {
                    lacking(schema.get(), depth, found);
                }
            }
            "items"
            | "additionalProperties"
            | "additionalItems"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains" => {
                lacking(value.get(), depth, found);
            }
            _ => {}
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
}
