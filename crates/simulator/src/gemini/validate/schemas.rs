//! Schemas in the `OpenAPI` subset. Their keywords are in the tables; here is what keywords say to each other.

use super::{Checked, words::bad};
use serde_json::Value;

/// Most characters in the name of a parameter.
const LONGEST: usize = 64;

/// `named`: properties are parameters of a function, whose names are restricted.
pub(super) fn check(schema: &Value, place: &str, named: bool) -> Checked {
    level(schema, place, named, true)
}

fn level(schema: &Value, place: &str, named: bool, root: bool) -> Checked {
    let kind = schema["type"].as_str().unwrap_or_default().to_ascii_uppercase();
    let wrong = |what: &str| Err(bad(format!("* GenerateContentRequest.{place}.{what}\n")));
    let properties = schema["properties"].as_object();
    if kind == "ARRAY" && schema.get("items").is_none() {
        return wrong("items: missing field.");
    }
    if kind == "OBJECT" && !root && properties.is_some_and(serde_json::Map::is_empty) {
        return wrong("properties: should be non-empty for OBJECT type");
    }
    if schema.get("enum").is_some() && kind != "STRING" && !kind.is_empty() {
        return wrong("enum: only allowed for STRING type");
    }
    if kind == "STRING"
        && schema["format"].as_str().is_some_and(|format| !["enum", "date-time"].contains(&format))
    {
        return wrong("format: only 'enum' and 'date-time' are supported for STRING type");
    }
    for (at, name) in schema["required"].as_array().into_iter().flatten().enumerate() {
        let name = name.as_str().unwrap_or_default();
        if properties.is_none_or(|known| !known.contains_key(name)) {
            return wrong(&format!("required[{at}]: property is not defined"));
        }
    }
    for (name, inner) in properties.into_iter().flatten() {
        if named && !is_parameter(name) {
            return wrong(&format!(
                "properties[{name}]: Parameter names must start with a letter or an underscore, and contain only letters, numbers and underscores, with a maximum length of {LONGEST}."
            ));
        }
        level(inner, &format!("{place}.properties[{name}]"), named, false)?;
    }
    if let Some(items) = schema.get("items") {
        level(items, &format!("{place}.items"), named, false)?;
    }
    for (at, branch) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
        level(branch, &format!("{place}.any_of[{at}]"), named, false)?;
    }
    Ok(())
}

fn is_parameter(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    begins && name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
