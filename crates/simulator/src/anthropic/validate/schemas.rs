//! Schemas of tools and of structured output.

use super::{Checked, bad};
use serde_json::Value;

/// Keywords that strict schemas do not take.
const UNSUPPORTED: [&str; 11] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// The schema of a tool: an object, without alternatives at its top.
pub(super) fn tool(schema: &Value, path: &str) -> Checked {
    match schema.get("type") {
        None => return Err(bad(format!("{path}.type: Field required"))),
        Some(kind) if kind != "object" => {
            return Err(bad(format!("{path}.type: Input should be 'object'")));
        }
        Some(_) => {}
    }
    if ["oneOf", "allOf", "anyOf"].iter().any(|keyword| schema.get(*keyword).is_some()) {
        return Err(bad(format!(
            "{path}: input_schema does not support oneOf, allOf, or anyOf at the top level"
        )));
    }
    Ok(())
}

/// A schema that the answer is held to: closed objects, no limits on numbers and lengths.
pub(super) fn strict(schema: &Value, path: &str) -> Checked {
    let Some(object) = schema.as_object() else { return Ok(()) };
    if object.get("type").is_some_and(|kind| kind == "object")
        && object.get("additionalProperties") != Some(&Value::Bool(false))
    {
        return Err(bad(format!(
            "{path}: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )));
    }
    if let Some(keyword) = UNSUPPORTED.iter().find(|keyword| object.contains_key(**keyword)) {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or("any");
        return Err(bad(format!("{path}: For '{kind}' type, property '{keyword}' is not supported")));
    }
    for (name, inner) in object {
        match (name.as_str(), inner) {
            ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                for (member, schema) in members {
                    strict(schema, &format!("{path}.{name}.{member}"))?;
                }
            }
            ("items", inner) => strict(inner, &format!("{path}.items"))?,
            ("anyOf" | "allOf", Value::Array(branches)) => {
                for (at, branch) in branches.iter().enumerate() {
                    strict(branch, &format!("{path}.{name}.{at}"))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
