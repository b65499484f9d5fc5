//! Schemas for Anthropic's field for the answer, in which every object is closed.

use super::{children, has_kind, is_recursive};
use crate::Json;
use serde_json::{Map, Value};

/// Whether the schema can be said in that field: it does not lead back to itself, and closing its objects leaves them what
/// they are for. A map, an object of which no member is known, and parts that complete each other have nothing left, or
/// nothing that all of them allow.
pub(crate) fn can_be_closed(schema: &Json) -> bool {
    !is_recursive(schema) && closes(&schema.to_tree())
}

fn closes(schema: &Value) -> bool {
    // What holds for an object under a condition may ask for members that are known only there; and closed, what must not be is
    // something else.
    const CONDITIONAL: [&str; 6] = ["if", "then", "else", "not", "dependentSchemas", "dependentRequired"];
    let Value::Object(object) = schema else { return true };
    let own = has_kind(object, "object") || object.contains_key("properties");
    let alternatives = ["anyOf", "oneOf"].map(|key| branches(object, key).any(is_of_objects));
    let together = usize::from(own)
        + usize::from(object.contains_key("$ref"))
        + branches(object, "allOf").filter(|branch| is_of_objects(branch)).count()
        + alternatives.iter().filter(|any| **any).count();
    // Each of several parts, closed for itself, forbids the members of the others.
    together <= 1
        && !CONDITIONAL.iter().any(|key| object.contains_key(*key))
        && (!own || knows_its_members(object))
        && children(object).all(closes)
}

/// Whether an object that is closed can still be what its schema asks for.
fn knows_its_members(object: &Map<String, Value>) -> bool {
    let map = |key: &str| object.get(key).and_then(Value::as_object).filter(|map| !map.is_empty());
    let properties = map("properties");
    let required = object.get("required").and_then(Value::as_array).into_iter().flatten();
    let is_known = |name: &str| properties.is_some_and(|map| map.contains_key(name));
    let closed = object.get("additionalProperties") == Some(&Value::Bool(false));
    (properties.is_some() || closed)
        && map("additionalProperties").is_none()
        && map("patternProperties").is_none()
        && required.filter_map(Value::as_str).all(is_known)
}

/// Whether the arguments of a function can be described by the schema: it is one of objects and names something in them.
pub(crate) fn describes_arguments(schema: &Json) -> bool {
    let tree = schema.to_tree();
    let Value::Object(root) = &tree else { return false };
    if root.contains_key("type") && !has_kind(root, "object") {
        return false;
    }
    let members = ["properties", "additionalProperties", "patternProperties"];
    let filled = |key: &&str| root.get(*key).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    let all = |key: &&str| branches(root, key).count() > 0 && branches(root, key).all(is_of_objects);
    members.iter().any(filled) || root.contains_key("$ref") || ["allOf", "anyOf", "oneOf"].iter().any(all)
}

fn is_of_objects(schema: &Value) -> bool {
    let Value::Object(object) = schema else { return false };
    has_kind(object, "object")
        || object.contains_key("properties")
        || object.contains_key("$ref")
        || ["allOf", "anyOf", "oneOf"].iter().any(|key| branches(object, key).any(is_of_objects))
}

fn branches<'s>(object: &'s Map<String, Value>, key: &str) -> impl Iterator<Item = &'s Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The schema with its objects closed, and the constraints that the vendor refuses taken out and said in the description
/// instead.
pub(crate) fn close_objects(schema: &Json) -> Json {
    let mut tree = schema.to_tree();
    close(&mut tree);
    Json::from_value(&tree).unwrap_or_else(|_| schema.clone())
}

/// Constraints that Anthropic's structured output refuses.
const REFUSED: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

fn close(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    let mut hints = Vec::new();
    for name in REFUSED {
        if let Some(value) = object.shift_remove(name) {
            hints.push(format!("{name}: {value}"));
        }
    }
    if !hints.is_empty() {
        let old = object.get("description").and_then(Value::as_str).unwrap_or_default();
        let gap = if old.is_empty() { "" } else { " " };
        let text = format!("{old}{gap}({})", hints.join(", "));
        object.insert("description".to_owned(), Value::from(text));
    }
    if has_kind(object, "object") || object.contains_key("properties") {
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for (key, value) in object.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(map)) => map.values_mut().for_each(close),
            ("items", value @ Value::Object(_)) => close(value),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
                list.iter_mut().for_each(close);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn what_closing_would_empty_is_not_closed() {
        for (schema, can) in [
            (r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#, true),
            (r#"{"type":["object","null"],"properties":{"a":{}},"additionalProperties":true}"#, true),
            (r#"{"type":"object","additionalProperties":false}"#, true),
            (r#"{"type":"array","items":{"type":"string"}}"#, true),
            (r#"{"properties":{"type":{"const":"object"},"if":{}}}"#, true),
            (r#"{"type":"object"}"#, false),
            (r#"{"type":["object","null"]}"#, false),
            (r#"{"type":"object","properties":{}}"#, false),
            (r#"{"type":"object","additionalProperties":{"type":"string"}}"#, false),
            (r#"{"properties":{"a":{}},"additionalProperties":{"type":"string"}}"#, false),
            (r#"{"properties":{"a":{}},"patternProperties":{"^x":{}}}"#, false),
            (r#"{"properties":{"a":{}},"required":["b"]}"#, false),
            (r#"{"properties":{"a":{"items":{"type":"object"}}}}"#, false),
            (r#"{"properties":{"a":{}},"if":{"required":["a"]},"then":{"properties":{"b":{}}}}"#, false),
            (r#"{"properties":{"a":{"not":{"properties":{"b":{}}}}}}"#, false),
            // One part alone forbids nobody's members, and neither do alternatives.
            (r##"{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"properties":{"x":{}}}}}"##, true),
            (r#"{"allOf":[{"type":"string"},{"minLength":1}]}"#, true),
            (r#"{"anyOf":[{"properties":{"x":{}}},{"properties":{"y":{}}}]}"#, true),
            (r#"{"properties":{"x":{}},"anyOf":[{"required":["x"]}]}"#, true),
            (r#"{"allOf":[{"properties":{"x":{}}},{"properties":{"y":{}}}]}"#, false),
            (r##"{"properties":{"x":{}},"allOf":[{"$ref":"#/$defs/a"}]}"##, false),
            (r#"{"properties":{"x":{}},"oneOf":[{"properties":{"y":{}}}]}"#, false),
            (r#"{"properties":{"l":{"items":{"allOf":[{"type":"object"}]}}}}"#, false),
        ] {
            assert_eq!(can_be_closed(&json(schema)), can, "{schema}");
        }
    }

    #[test]
    fn arguments_are_objects_of_which_something_is_known() {
        for (schema, is) in [
            (r#"{"type":"object","properties":{"a":{}}}"#, true),
            (r#"{"type":"object","additionalProperties":{"type":"string"}}"#, true),
            (r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object"}}}"##, true),
            (r#"{"allOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}"#, true),
            (r#"{"type":"object"}"#, false),
            (r#"{"type":"object","properties":{},"additionalProperties":true}"#, false),
            (r#"{"type":"array","items":{"type":"object"}}"#, false),
            (r#"{"anyOf":[{"type":"object"},{"type":"array"}]}"#, false),
            ("true", false),
        ] {
            assert_eq!(describes_arguments(&json(schema)), is, "{schema}");
        }
    }

    #[test]
    fn refused_constraints_become_words_and_properties_of_that_name_stay() {
        let closed = close_objects(&json(
            r#"{"type":"object","properties":{"minimum":{"type":"integer","minimum":1,"description":"x"},"l":{"type":"array","minItems":2,"items":{"type":["object","null"],"properties":{}}}}}"#,
        ));
        assert_eq!(
            closed.get(),
            r#"{"type":"object","properties":{"minimum":{"type":"integer","description":"x (minimum: 1)"},"l":{"type":"array","items":{"type":["object","null"],"properties":{},"additionalProperties":false},"description":"(minItems: 2)"}},"additionalProperties":false}"#
        );
    }
}
