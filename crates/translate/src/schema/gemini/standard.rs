use crate::Json;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The keywords of several words, in both spellings: Google's servers read either.
const SPELLINGS: [(&str, &str); 8] = [
    ("any_of", "anyOf"),
    ("max_items", "maxItems"),
    ("max_length", "maxLength"),
    ("max_properties", "maxProperties"),
    ("min_items", "minItems"),
    ("min_length", "minLength"),
    ("min_properties", "minProperties"),
    ("property_ordering", "propertyOrdering"),
];

/// A schema with its own keywords in the usual spelling. What stands within it is not looked at.
pub(super) fn in_camel_case(schema: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    let camel = |key: &str| SPELLINGS.iter().find(|(snake, _)| *snake == key).map(|(_, camel)| *camel);
    if !schema.keys().any(|key| camel(key).is_some()) {
        return Cow::Borrowed(schema);
    }
    let rename = |(key, value): (&String, &Value)| match camel(key) {
        Some(camel) if schema.contains_key(camel) => None,
        Some(camel) => Some((camel.to_owned(), value.clone())),
        None => Some((key.clone(), value.clone())),
    };
    Cow::Owned(schema.iter().filter_map(rename).collect())
}

/// JSON Schema that says what a schema of Gemini's kind says.
pub(crate) fn from_gemini(schema: &Json) -> Json {
    let mut tree = schema.to_tree();
    standard(&mut tree);
    Json::from_value(&tree).unwrap_or_else(|_| schema.clone())
}

fn standard(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    if let Cow::Owned(camel) = in_camel_case(schema) {
        *schema = camel;
    }
    schema.shift_remove("propertyOrdering");
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
            ("anyOf" | "prefixItems", Value::Array(list)) => list.iter_mut().for_each(standard),
            // Google's JSON writes 64-bit integers as strings.
            (key, value @ Value::String(_)) if key.starts_with("min") || key.starts_with("max") => {
                if let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok()) {
                    *value = number.into();
                }
            }
            _ => {}
        }
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
