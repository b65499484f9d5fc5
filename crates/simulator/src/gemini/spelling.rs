//! The vendor takes each of its fields in `snake_case` too; its own Python SDK sends both in one request.

use super::fields;
use crate::shape::Shape;
use serde_json::Value;

/// Writes the fields that the tables know in camelCase. What stands inside of arguments, results and standard schemas is the
/// caller's own and stays.
pub(crate) fn canonical(body: &mut Value) {
    let count = body.get("generateContentRequest").or_else(|| body.get("generate_content_request"));
    let shape = if count.is_some() { &fields::COUNT } else { &fields::GENERATE };
    respell(shape, body);
}

fn respell(shape: &Shape, value: &mut Value) {
    match (shape, value) {
        (Shape::Obj(known), Value::Object(object)) => {
            for (name, mut value) in std::mem::take(object) {
                let camel = camel(&name);
                let field = known.iter().find(|field| field.name == name || field.name == camel);
                if let Some(field) = field {
                    respell(&field.shape, &mut value);
                }
                object.insert(field.map_or(name, |field| field.name.to_owned()), value);
            }
        }
        (Shape::MapOf(member), Value::Object(object)) => {
            object.values_mut().for_each(|value| respell(member, value));
        }
        (Shape::List(item), Value::Array(list)) => list.iter_mut().for_each(|value| respell(item, value)),
        (Shape::Ref(shape) | Shape::Null(shape), value) => respell(shape, value),
        (Shape::Or(shapes), value) => shapes.iter().for_each(|shape| respell(shape, value)),
        _ => {}
    }
}

/// `mime_type` becomes `mimeType`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_fields_are_respelled_and_the_callers_own_are_not() {
        let mut body = json!({
            "contents": [{"role": "user", "parts": [
                {"inline_data": {"mime_type": "image/png", "data": "AA=="}, "thought_signature": "AA=="},
                {"functionCall": {"name": "f", "args": {"my_key": {"mime_type": 1}}}},
            ]}],
            "tools": [{"function_declarations": [{
                "name": "f",
                "parameters_json_schema": {"properties": {"any_of": {"any_of": []}}},
                "parameters": {"properties": {"a_b": {"any_of": [{"min_items": 1}]}}},
            }]}],
            "no_such_field": {"mime_type": 1},
        });
        canonical(&mut body);
        let wanted = json!({
            "contents": [{"role": "user", "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thoughtSignature": "AA=="},
                {"functionCall": {"name": "f", "args": {"my_key": {"mime_type": 1}}}},
            ]}],
            "tools": [{"functionDeclarations": [{
                "name": "f",
                "parametersJsonSchema": {"properties": {"any_of": {"any_of": []}}},
                "parameters": {"properties": {"a_b": {"anyOf": [{"minItems": 1}]}}},
            }]}],
            "no_such_field": {"mime_type": 1},
        });
        assert_eq!(body, wanted);
        let mut count = json!({"generate_content_request": {"system_instruction": {"parts": []}}});
        canonical(&mut count);
        assert_eq!(count, json!({"generateContentRequest": {"systemInstruction": {"parts": []}}}));
    }
}
