//! Schemas of functions and of structured output.

use super::words::{bad, name};
use crate::refusal::Refusal;
use serde_json::{Map, Value};

/// Keywords that strict schemas do not take.
const NOT_STRICT: [&str; 7] =
    ["allOf", "oneOf", "not", "if", "dependentRequired", "patternProperties", "unevaluatedProperties"];

/// What a schema belongs to, as refusals name it.
struct Owner<'a> {
    /// `function 'f'`.
    label: String,
    param: &'a str,
    code: &'static str,
}

impl Owner<'_> {
    fn bad(&self, context: &[String], what: &str) -> Refusal {
        let context = match context {
            [] => "()".to_owned(),
            [one] => format!("('{one}',)"),
            many => format!("('{}')", many.join("', '")),
        };
        bad(self.param, self.code, format!("Invalid schema for {}: In context={context}, {what}", self.label))
    }
}

/// The parameters of a function.
pub(crate) fn function(schema: &Value, function: &str, param: &str) -> Result<(), Refusal> {
    let owner = Owner { label: format!("function '{function}'"), param, code: "invalid_function_parameters" };
    root_is_object(schema, &owner)?;
    complete(schema, &owner, &mut Vec::new())
}

/// The parameters of a strict function.
pub(crate) fn strict(schema: &Value, function: &str, param: &str) -> Result<(), Refusal> {
    let owner = Owner { label: format!("function '{function}'"), param, code: "invalid_function_parameters" };
    root_is_object(schema, &owner)?;
    closed(schema, &owner, &mut Vec::new())
}

/// A format `{name, schema, strict}` of structured output.
pub(crate) fn structured(format: &Value, param: &str) -> Result<(), Refusal> {
    let title = format["name"].as_str().unwrap_or_default();
    name(title, &format!("{param}.name"))?;
    let owner = Owner { label: format!("response_format '{title}'"), param, code: "invalid_json_schema" };
    let Some(schema) = format.get("schema").filter(|schema| !schema.is_null()) else { return Ok(()) };
    if format["strict"] != true {
        return Ok(());
    }
    root_is_object(schema, &owner)?;
    closed(schema, &owner, &mut Vec::new())
}

fn root_is_object(schema: &Value, owner: &Owner<'_>) -> Result<(), Refusal> {
    match schema["type"].as_str() {
        Some("object") => Ok(()),
        found => {
            let found = found.map_or("None".to_owned(), |kind| format!("\"{kind}\""));
            Err(bad(
                owner.param,
                owner.code,
                format!(
                    "Invalid schema for {}: schema must be a JSON Schema of 'type: \"object\"', got 'type: {found}'.",
                    owner.label
                ),
            ))
        }
    }
}

/// Inner schemas with their place.
fn inner(object: &Map<String, Value>) -> Vec<(Vec<String>, &Value)> {
    let mut found = Vec::new();
    for (keyword, value) in object {
        match (keyword.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                found.extend(
                    members.iter().map(|(name, schema)| (vec![keyword.clone(), name.clone()], schema)),
                );
            }
            ("items", Value::Object(_)) => found.push((vec![keyword.clone()], value)),
            ("anyOf", Value::Array(branches)) => {
                found.extend(
                    branches
                        .iter()
                        .enumerate()
                        .map(|(at, schema)| (vec![keyword.clone(), at.to_string()], schema)),
                );
            }
            _ => {}
        }
    }
    found
}

fn is_kind(object: &Map<String, Value>, kind: &str) -> bool {
    match object.get("type") {
        Some(Value::String(stated)) => stated == kind,
        Some(Value::Array(stated)) => stated.iter().any(|stated| stated == kind),
        _ => false,
    }
}

/// Objects name their properties, arrays their items.
fn complete(schema: &Value, owner: &Owner<'_>, context: &mut Vec<String>) -> Result<(), Refusal> {
    let Some(object) = schema.as_object() else { return Ok(()) };
    if context.is_empty() && is_kind(object, "object") && !object.contains_key("properties") {
        return Err(owner.bad(context, "object schema missing properties."));
    }
    if is_kind(object, "array") && !object.contains_key("items") {
        return Err(owner.bad(context, "array schema missing items."));
    }
    within(object, context, |schema, context| complete(schema, owner, context))
}

/// Objects are closed and require all their properties.
fn closed(schema: &Value, owner: &Owner<'_>, context: &mut Vec<String>) -> Result<(), Refusal> {
    let Some(object) = schema.as_object() else { return Ok(()) };
    if let Some(keyword) = NOT_STRICT.iter().find(|keyword| object.contains_key(**keyword)) {
        return Err(owner.bad(context, &format!("'{keyword}' is not permitted.")));
    }
    if is_kind(object, "object") {
        if object.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(
                owner.bad(context, "'additionalProperties' is required to be supplied and to be false.")
            );
        }
        let required: Vec<&str> = object
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let names = object.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        if let Some(missing) = names.into_iter().find(|name| !required.contains(&name.as_str())) {
            return Err(owner.bad(
                context,
                &format!(
                    "'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'."
                ),
            ));
        }
    }
    if is_kind(object, "array") && !object.contains_key("items") {
        return Err(owner.bad(context, "array schema missing items."));
    }
    within(object, context, |schema, context| closed(schema, owner, context))
}

fn within(
    object: &Map<String, Value>,
    context: &mut Vec<String>,
    check: impl Fn(&Value, &mut Vec<String>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for (place, schema) in inner(object) {
        let length = context.len();
        context.extend(place);
        check(schema, context)?;
        context.truncate(length);
    }
    Ok(())
}
