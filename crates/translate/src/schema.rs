//! JSON schemas of tools and outputs, as far as vendors differ in what they take.

mod closed;
pub(crate) mod gemini;
mod items;

use crate::Json;
use byok_types::Dialect;
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashSet};

pub(crate) use closed::{can_be_closed, close_objects, describes_arguments};
use items::with_prefix_items;
pub(crate) use items::{mended, with_items};

/// The schema of a tool's arguments as every vendor takes it: an object with `properties`, even if there are none.
pub(crate) fn object_schema(schema: Option<&Json>) -> Cow<'_, Json> {
    let empty = || {
        let empty = Json::parse(r#"{"type":"object","properties":{}}"#);
        Cow::Owned(empty.unwrap_or_else(|_| Json::null()))
    };
    let Some(schema) = schema.filter(|s| s.is_object()) else { return empty() };
    // Most schemas are right already; their text is kept as it is.
    let Ok(members) = schema.members() else { return empty() };
    let is = |name: &str, right: fn(&str) -> bool| {
        members.iter().any(|(key, value)| key.as_str() == name && right(value.get()))
    };
    let typed = is("type", |value| value == r#""object""#);
    if typed && is("properties", |value| value.starts_with('{')) {
        return Cow::Borrowed(schema);
    }
    let Ok(mut root) = schema.read::<Map<String, Value>>() else { return empty() };
    if !typed {
        root.shift_insert(0, "type".to_owned(), Value::from("object"));
    }
    if !root.get("properties").is_some_and(Value::is_object) {
        root.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    Json::from_value(&root).map_or_else(|_| empty(), Cow::Owned)
}

/// The schema with lists as JSON Schema 2020-12 describes them, which `Anthropic` holds the schemas of tools to.
pub(crate) fn in_words_of_2020(schema: Cow<'_, Json>) -> Cow<'_, Json> {
    match schema {
        Cow::Borrowed(schema) => with_prefix_items(schema),
        Cow::Owned(schema) => Cow::Owned(with_prefix_items(&schema).into_owned()),
    }
}

/// The schema of a tool's arguments as servers in the manner of `OpenAI` take it: lists say what is in them, too.
pub(crate) fn openai_arguments(schema: Option<&Json>) -> Cow<'_, Json> {
    match object_schema(schema) {
        Cow::Borrowed(schema) => with_items(schema),
        Cow::Owned(schema) => Cow::Owned(with_items(&schema).into_owned()),
    }
}

/// Whether a schema meets the subset that `OpenAI` enforces: every object lists all its properties as required and allows
/// no others, every list says what is in it, and some keywords do not occur. The whole is an object.
pub(crate) fn is_openai_strict(schema: &Json) -> bool {
    let tree = schema.to_tree();
    let is_root = |root: &Map<String, Value>| {
        root.get("type").is_some_and(|kind| kind == "object") && !root.contains_key("anyOf")
    };
    tree.as_object().is_some_and(is_root) && strict(&tree)
}

/// Whether `OpenAI` is asked to enforce the schema of a tool. Who speaks a dialect of `OpenAI` asks for what it means; others
/// enforce schemas that `OpenAI` would refuse. Where there is no schema, the one that is made up is not closed.
pub(crate) fn enforces(client: Dialect, strict: Option<bool>, schema: Option<&Json>) -> bool {
    let openai = matches!(client, Dialect::Chat | Dialect::Responses);
    let Some(schema) = schema.filter(|schema| schema.is_object()) else { return false };
    strict == Some(true) && (openai || is_openai_strict(schema))
}

/// Keywords that `OpenAI` does not enforce, and refuses where it is asked to.
const NOT_STRICT: [&str; 18] = [
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "minProperties",
    "maxProperties",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
];

fn strict(schema: &Value) -> bool {
    let Value::Object(object) = schema else { return false };
    if NOT_STRICT.iter().any(|keyword| object.contains_key(*keyword)) {
        return false;
    }
    // Every part says what it is.
    if !["type", "$ref", "anyOf"].iter().any(|keyword| object.contains_key(*keyword)) {
        return false;
    }
    if has_kind(object, "object") || object.contains_key("properties") {
        let Some(properties) = object.get("properties").and_then(Value::as_object) else { return false };
        let required: HashSet<_> = object
            .get("required")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let closed = object.get("additionalProperties") == Some(&Value::Bool(false));
        if !closed || !properties.keys().all(|key| required.contains(key.as_str())) {
            return false;
        }
    }
    let listed = !has_kind(object, "array") || object.get("items").is_some_and(Value::is_object);
    listed && children(object).all(strict)
}

/// Whether the kind is the one of a schema, or one of several.
fn has_kind(object: &Map<String, Value>, kind: &str) -> bool {
    match object.get("type") {
        Some(Value::String(stated)) => stated == kind,
        Some(Value::Array(stated)) => stated.iter().any(|stated| stated == kind),
        _ => false,
    }
}

/// Longest chain of references that is followed; what is longer counts as recursive.
const CHAIN: usize = 64;

/// Whether a schema leads back to itself by its references.
pub(crate) fn is_recursive(schema: &Json) -> bool {
    if !schema.get().contains("\"$ref\"") {
        return false;
    }
    let root = schema.to_tree();
    let mut walk = Walk { root: &root, open: vec!["#"], done: HashSet::new() };
    walk.leads_back(&root)
}

struct Walk<'s> {
    root: &'s Value,
    /// The references that led here.
    open: Vec<&'s str>,
    /// Those that lead nowhere back.
    done: HashSet<&'s str>,
}

impl<'s> Walk<'s> {
    fn leads_back(&mut self, schema: &'s Value) -> bool {
        match schema {
            Value::Array(list) => list.iter().any(|inner| self.leads_back(inner)),
            Value::Object(object) => {
                let target = object.get("$ref").and_then(Value::as_str);
                target.is_some_and(|target| self.follow(target))
                    || object.values().any(|v| self.leads_back(v))
            }
            _ => false,
        }
    }

    fn follow(&mut self, target: &'s str) -> bool {
        if self.open.contains(&target) || self.open.len() > CHAIN {
            return true;
        }
        let Some(schema) = target.strip_prefix('#').and_then(|place| self.root.pointer(place)) else {
            return false;
        };
        if !self.done.insert(target) {
            return false;
        }
        self.open.push(target);
        let back = self.leads_back(schema);
        self.open.pop();
        back
    }
}

/// The schemas directly inside a schema. A property that is named like a keyword is not one.
fn children(object: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    object.iter().flat_map(|(key, value)| -> Vec<&Value> {
        match (key.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(map)) => map.values().collect(),
            ("items", value @ Value::Object(_)) => vec![value],
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => list.iter().collect(),
            _ => Vec::new(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn t100_an_object_has_properties() {
        for (schema, expected) in [
            (None, r#"{"type":"object","properties":{}}"#),
            (Some("null"), r#"{"type":"object","properties":{}}"#),
            (Some(r#"{"type":"object"}"#), r#"{"type":"object","properties":{}}"#),
            (Some(r#"{"properties":{"a":{}}}"#), r#"{"type":"object","properties":{"a":{}}}"#),
            (
                Some(r#"{ "properties":{"a":{"type":"string"}}, "type":"object" }"#),
                r#"{ "properties":{"a":{"type":"string"}}, "type":"object" }"#,
            ),
        ] {
            assert_eq!(object_schema(schema.map(json).as_ref()).get(), expected);
        }
    }

    #[test]
    fn the_strict_subset_is_recognised() {
        let of_a = |a: &str| {
            format!(
                r#"{{"type":"object","properties":{{"a":{a}}},"required":["a"],"additionalProperties":false}}"#
            )
        };
        for (schema, is) in [
            (
                r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#,
                true,
            ),
            (r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#, false),
            (r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#, false),
            (
                r#"{"type":"object","properties":{"a":{"type":"object","properties":{}}},"required":["a"],"additionalProperties":false}"#,
                false,
            ),
            (r#"{"allOf":[]}"#, false),
            (r#"{"type":"array","items":{"type":"string"}}"#, false),
            (r#"{"type":"string","enum":["a"]}"#, false),
            (&of_a(r#"{"type":["string","null"]}"#), true),
            (&of_a(r#"{"type":"array","items":{"type":"string"}}"#), true),
            (&of_a(r##"{"anyOf":[{"type":"string"},{"$ref":"#"}]}"##), true),
            (&of_a(r#"{"type":"array"}"#), false),
            (&of_a(r#"{"oneOf":[{"type":"string"}]}"#), false),
            (&of_a(r#"{"type":"string","not":{"type":"string","const":"x"}}"#), false),
            (&of_a(r#"{"type":["object","null"]}"#), false),
            (&of_a(r#"{"anyOf":[{"type":["object","null"],"properties":{}}]}"#), false),
            (&of_a("{}"), false),
            (&of_a("true"), false),
            (r#"{"type":"object","properties":{},"additionalProperties":false,"anyOf":[]}"#, false),
        ] {
            assert_eq!(is_openai_strict(&json(schema)), is, "{schema}");
        }
    }

    #[test]
    fn schemas_that_lead_back_to_themselves_are_recognised() {
        let chain = |length: usize| {
            let links: Vec<_> = (0..length)
                .map(|at| format!(r##""{at}":{{"items":{{"$ref":"#/$defs/{}"}}}}"##, at + 1))
                .collect();
            format!(r##"{{"$ref":"#/$defs/0","$defs":{{{}}}}}"##, links.join(","))
        };
        for (schema, is) in [
            (r#"{"type":"object"}"#.to_owned(), false),
            (r##"{"properties":{"next":{"$ref":"#"}}}"##.to_owned(), true),
            (r##"{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/a"}}}}"##.to_owned(), true),
            (
                r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}}"##.to_owned(),
                true,
            ),
            (
                r##"{"properties":{"x":{"$ref":"#/$defs/a"},"y":{"$ref":"#/$defs/a"}},"$defs":{"a":{}}}"##
                    .to_owned(),
                false,
            ),
            (r#"{"properties":{"$ref":{"type":"string"}}}"#.to_owned(), false),
            (r##"{"$ref":"#/nowhere"}"##.to_owned(), false),
            (r#"{"$ref":"https://example.com/schema"}"#.to_owned(), false),
            (chain(9), false),
            (chain(5000), true),
        ] {
            let shown = schema.get(..90).unwrap_or(&schema);
            assert_eq!(is_recursive(&json(&schema)), is, "{shown}");
        }
    }
}
