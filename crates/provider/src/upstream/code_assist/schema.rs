//! Schemas in the few words that Antigravity knows, of functions and of answers.

use byok_translate::{PLACEHOLDER, schema_for_gemini};
use serde_json::{Map, Value, json};

/// The schema of a function's arguments. What narrows a value is said in the description instead.
pub(super) fn of_arguments(schema: &Value) -> Value {
    let mut plain = plain(&schema_for_gemini(schema), false);
    // Arguments are an object, whatever else was said.
    plain["type"] = json!("object");
    plain
}

/// The schema of an answer: here lists of values are honoured, and so is that there are no further members.
pub(super) fn of_answer(schema: &Value) -> Value {
    let mut plain = plain(&schema_for_gemini(schema), true);
    close(&mut plain, schema);
    plain
}

/// Says again where there are no further members.
fn close(clean: &mut Value, original: &Value) {
    let Some(members) = clean.as_object_mut() else { return };
    if let Some(item) = members.get_mut("items") {
        close(item, &original["items"]);
    }
    for (name, property) in members.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
    {
        close(property, &original["properties"][name]);
    }
    if original["additionalProperties"] == false {
        members.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// `enums`: whether lists of values stay. Of yes and no there is none any more.
fn plain(schema: &Value, enums: bool) -> Value {
    let mut kept = Map::new();
    let mut said = Vec::new();
    for (name, value) in schema.as_object().into_iter().flatten() {
        match name.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties = properties.map(|(name, value)| (name.clone(), plain(value, enums)));
                kept.insert(name.clone(), Value::Object(properties.collect()));
            }
            "items" => drop(kept.insert(name.clone(), plain(value, enums))),
            "enum" if !enums => said.push(format!("one of {value}")),
            "enum" | "type" | "description" | "nullable" | "required" => {
                kept.insert(name.clone(), value.clone());
            }
            "title" | "propertyOrdering" | "example" => {}
            _ => said.push(format!("{name} {value}")),
        }
    }
    if !said.is_empty() {
        let before = kept.get("description").and_then(Value::as_str).map(|text| format!("{text} "));
        let text = format!("{}({})", before.unwrap_or_default(), said.join(", "));
        kept.insert("description".to_owned(), json!(text));
    }
    Value::Object(kept)
}

/// Claude's functions here need a property and a required one. What stands in is taken out of the answers again.
pub(super) fn fill(schema: &mut Value) {
    schema["type"] = json!("object");
    let has = schema["required"].as_array().is_some_and(|required| !required.is_empty());
    if has {
        return;
    }
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    schema["properties"][PLACEHOLDER] = json!({"type": "boolean", "description": "Always true."});
    schema["required"] = json!([PLACEHOLDER]);
}
