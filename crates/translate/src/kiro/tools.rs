//! Tools in Kiro's shape.

use serde_json::{Map, Value, json};

/// Longest description in bytes.
const DESCRIPTION: usize = 10_240;
/// Longest name in bytes.
const NAME: usize = 64;
/// What stands before a name that does not begin with a letter, which names have to.
const LETTER: &str = "byok-";

/// The name as Kiro takes it; `None` if there is none that can be turned back.
pub(super) fn name(name: &str) -> Option<String> {
    let good = |name: &str| name.len() <= NAME && name.starts_with(|first: char| first.is_ascii_alphabetic());
    if good(name) && !name.starts_with(LETTER) {
        return Some(name.to_owned());
    }
    Some(format!("{LETTER}{name}")).filter(|name| good(name))
}

/// The name as it was before [`name`].
pub(super) fn own_name(name: &str) -> &str {
    name.strip_prefix(LETTER).unwrap_or(name)
}

/// A tool. What is too long of its description comes back, for another place.
pub(super) fn tool(name: &str, description: &str, schema: &Value) -> (Value, Option<String>) {
    let (short, rest) = cut(description);
    // An empty description is refused; the name says at least something.
    let short = if short.trim().is_empty() { name } else { short };
    let tool = json!({"toolSpecification": {
        "name": name, "description": short, "inputSchema": {"json": root(schema)},
    }});
    (tool, rest.map(|rest| format!("Tool `{name}`, continued:\n{rest}")))
}

/// A tool that only the history mentions.
pub(super) fn stub(name: &str) -> Value {
    tool(name, name, &json!({})).0
}

fn cut(text: &str) -> (&str, Option<&str>) {
    if text.len() <= DESCRIPTION {
        return (text, None);
    }
    let at = (0..=DESCRIPTION).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (short, rest) = text.split_at(at);
    (short, Some(rest))
}

/// The schema of arguments: an object with `type`, `properties` and, where there are names, `required`.
fn root(schema: &Value) -> Value {
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    schema.remove("$schema");
    schema.insert("type".into(), "object".into());
    schema.entry("properties").or_insert_with(|| json!({}));
    let mut value = Value::Object(schema);
    clean(&mut value, 0);
    if !value["properties"].is_object() {
        value["properties"] = json!({});
    }
    value
}

/// Takes out `required` that is no list of names and `properties` that are no object, at every level.
fn clean(value: &mut Value, depth: usize) {
    match value {
        Value::Object(members) if depth < 128 => {
            let schema = members.contains_key("type") || members.contains_key("properties");
            if schema {
                clean_schema(members);
            }
            members.values_mut().for_each(|member| clean(member, depth + 1));
        }
        Value::Array(list) if depth < 128 => list.iter_mut().for_each(|member| clean(member, depth + 1)),
        _ => {}
    }
}

fn clean_schema(members: &mut Map<String, Value>) {
    // A property may be called `required`: then it is a schema, not a list.
    let names = |value: &Value| {
        value.as_array().is_some_and(|list| list.iter().all(Value::is_string) && !list.is_empty())
    };
    if members.get("required").is_some_and(|required| !names(required) && !required.is_object()) {
        members.remove("required");
    }
    if members.get("properties").is_some_and(Value::is_null) {
        members.remove("properties");
    }
}
