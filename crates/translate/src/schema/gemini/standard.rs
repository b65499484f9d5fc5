use crate::Json;
use serde_json::{Map, Value};

/// JSON Schema that says what a schema of Gemini's kind says.
pub(crate) fn from_gemini(schema: &Json) -> Json {
    let mut tree = schema.to_tree();
    standard(&mut tree);
    Json::from_value(&tree).unwrap_or_else(|_| schema.clone())
}

fn standard(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    schema.shift_remove("propertyOrdering");
    schema.shift_remove("property_ordering");
    if let Some(Value::String(name)) = schema.get_mut("type") {
        *name = name.to_ascii_lowercase();
    }
    if schema.get("type").is_some_and(|t| t == "type_unspecified") {
        schema.shift_remove("type");
    }
    let nullable = schema.shift_remove("nullable") == Some(Value::Bool(true));
    for (key, value) in schema.iter_mut() {
        match (key.as_str(), value) {
            ("properties", Value::Object(map)) => map.values_mut().for_each(standard),
            ("items", item) => standard(item),
            ("anyOf" | "any_of" | "prefixItems", Value::Array(list)) => list.iter_mut().for_each(standard),
            // Google's JSON writes 64-bit integers as strings.
            (key, value @ Value::String(_)) if key.starts_with("min") || key.starts_with("max") => {
                if let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok()) {
                    *value = number.into();
                }
            }
            _ => {}
        }
    }
    if let Some(branches) = schema.shift_remove("any_of") {
        schema.insert("anyOf".to_owned(), branches);
    }
    if nullable {
        allow_null(schema);
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(name @ Value::String(_)) = schema.get_mut("type") {
        let plain = name.take();
        *name = Value::Array(vec![plain, "null".into()]);
    } else if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.push(serde_json::json!({"type": "null"}));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}
