//! The smallest value that a JSON Schema accepts, as far as the simulator understands schemas.

use serde_json::{Map, Value, json};

/// Levels beyond which a recursive schema is cut off.
const DEEPEST: usize = 16;

/// A value for `schema`; texts are called `name`.
pub(crate) fn of(schema: &Value, name: &str) -> Value {
    sample(schema, schema, name, 0)
}

fn sample(schema: &Value, root: &Value, name: &str, depth: usize) -> Value {
    let Some(object) = schema.as_object() else { return json!({"answer": "from the simulator"}) };
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(target) = object.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or(Value::Null, |schema| sample(schema, root, name, depth + 1));
    }
    if let Some(value) = object.get("const") {
        return value.clone();
    }
    if let Some(value) = object.get("enum").and_then(|list| list.get(0)) {
        return value.clone();
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(first) = object.get(choice).and_then(|list| list.get(0)) {
            return sample(first, root, name, depth + 1);
        }
    }
    if let Some(all) = object.get("allOf").and_then(Value::as_array) {
        let mut merged = Map::new();
        for part in all {
            if let Value::Object(members) = sample(part, root, name, depth + 1) {
                merged.extend(members);
            }
        }
        return Value::Object(merged);
    }
    match kind(object).as_str() {
        "object" => members(object, root, depth),
        "array" => {
            let count = object.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 64);
            let item = object.get("items").map_or(Value::Null, |items| sample(items, root, name, depth + 1));
            Value::Array((0..count).map(|_| item.clone()).collect())
        }
        "integer" => json!(lowest_integer(object)),
        "number" => json!(lowest(object).unwrap_or(1.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => Value::String(text(object, name)),
    }
}

/// The type of a schema in lower case, guessed from its keywords if it is not stated.
fn kind(object: &Map<String, Value>) -> String {
    let stated = match object.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    };
    match stated {
        Some(kind) => kind.to_ascii_lowercase(),
        None if object.contains_key("properties") => "object".to_owned(),
        None if object.contains_key("items") => "array".to_owned(),
        None if object.is_empty() => "object".to_owned(),
        None => "string".to_owned(),
    }
}

/// The required members; the first of all if none is required.
fn members(object: &Map<String, Value>, root: &Value, depth: usize) -> Value {
    let Some(properties) = object.get("properties").and_then(Value::as_object) else { return json!({}) };
    let required: Vec<&str> = object
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let wanted = |(at, name): (usize, &String)| {
        if required.is_empty() { at == 0 } else { required.contains(&name.as_str()) }
    };
    let members = properties
        .iter()
        .enumerate()
        .filter(|(at, (name, _))| wanted((*at, name)))
        .map(|(_, (name, schema))| (name.clone(), sample(schema, root, name, depth + 1)));
    Value::Object(members.collect())
}

fn lowest(object: &Map<String, Value>) -> Option<f64> {
    let inclusive = object.get("minimum").and_then(Value::as_f64);
    let exclusive = object.get("exclusiveMinimum").and_then(Value::as_f64).map(|least| least + 1.0);
    let most = object.get("maximum").and_then(Value::as_f64).filter(|most| *most < 1.0);
    inclusive.or(exclusive).or(most)
}

/// The lowest integer; limits that are no integers of 64 bits are passed over.
fn lowest_integer(object: &Map<String, Value>) -> i64 {
    let of = |keyword: &str| object.get(keyword).and_then(Value::as_i64);
    of("minimum")
        .or_else(|| of("exclusiveMinimum").map(|least| least.saturating_add(1)))
        .or_else(|| of("maximum").filter(|most| *most < 1))
        .unwrap_or(1)
}

fn text(object: &Map<String, Value>, name: &str) -> String {
    let mut text = match object.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-11-20T12:00:00Z".to_owned(),
        Some("date") => "2026-11-20".to_owned(),
        Some("time") => "12:00:00Z".to_owned(),
        Some("email") => "simulator@example.com".to_owned(),
        Some("uri" | "url") => "https://example.com/".to_owned(),
        Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
        _ => format!("some {name}"),
    };
    let length =
        |keyword: &str| object.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    while length("minLength").is_some_and(|least| text.chars().count() < least.min(4096)) {
        text.push('.');
    }
    if let Some(most) = length("maxLength") {
        text = text.chars().take(most).collect();
    }
    text
}

#[cfg(test)]
mod tests;
