//! Schemas that hold together or instead of each other, as one.

use serde_json::{Map, Value};
use std::collections::HashSet;

/// Adds what `other` says to `schema`. Where both speak, properties are united and the first word stands.
pub(super) fn merge(schema: &mut Map<String, Value>, other: Map<String, Value>) {
    for (key, value) in other {
        match (schema.get_mut(&key), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) if key == "properties" => {
                for (name, property) in theirs {
                    match (mine.get_mut(&name), property) {
                        (Some(Value::Object(old)), Value::Object(new)) => unite_values(old, &new),
                        (Some(_), _) => {}
                        (None, property) => drop(mine.insert(name, property)),
                    }
                }
            }
            (Some(_), _) => {}
            (None, value) => drop(schema.insert(key, value)),
        }
    }
    if schema.contains_key("properties") {
        schema.insert("type".to_owned(), "object".into());
    }
}

/// Takes out what lists of allowed values hold twice after they were united: in a schema and in its properties.
pub(super) fn distinct(schema: &mut Map<String, Value>) {
    keep_first(schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().filter_map(Value::as_object_mut).for_each(keep_first);
    }
}

fn keep_first(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        let mut seen = HashSet::new();
        words.retain(|word| seen.insert(word.clone()));
    }
}

/// Two lists of allowed values of the same property become one list; a list beside none is no list. What both have stands in
/// it twice until [`distinct`] is called.
fn unite_values(old: &mut Map<String, Value>, new: &Map<String, Value>) {
    match (old.get_mut("enum"), new.get("enum")) {
        (Some(Value::Array(mine)), Some(Value::Array(theirs))) => {
            mine.extend(theirs.iter().cloned());
        }
        (Some(_), None) => drop(old.shift_remove("enum")),
        _ => {}
    }
}

/// One schema for alternatives. Lists of words are joined, objects are united (required is what all of them require), and
/// of different kinds the richest is taken and the others are named in `hints`.
pub(super) fn flatten(branches: Vec<Map<String, Value>>, hints: &mut Vec<String>) -> Map<String, Value> {
    let kind = |branch: &Map<String, Value>| {
        branch.get("type").and_then(Value::as_str).unwrap_or("string").to_owned()
    };
    let rank = |branch: &Map<String, Value>| match kind(branch).as_str() {
        "object" => 2,
        "array" => 1,
        _ => 0,
    };
    let best = branches.iter().map(rank).max().unwrap_or(0);
    let (same, others): (Vec<_>, Vec<_>) = branches.into_iter().partition(|branch| rank(branch) == best);
    let mut same = same.into_iter();
    let Some(mut out) = same.next() else { return super::typed("string") };
    for branch in same {
        if best == 0 && kind(&branch) != kind(&out) {
            hints.push(format!("or {}", kind(&branch)));
            continue;
        }
        alternative(&mut out, branch, hints);
    }
    for other in others {
        hints.push(format!("or {}", kind(&other)));
    }
    out
}

fn alternative(out: &mut Map<String, Value>, mut branch: Map<String, Value>, hints: &mut Vec<String>) {
    if let Some(Value::String(text)) = branch.get("description")
        && out.get("description").is_some_and(|old| old != text)
    {
        hints.push(format!("or {text}"));
    }
    unite_values(out, &branch);
    let theirs: HashSet<_> = required(&branch).iter().collect();
    let required: Vec<_> = required(out).iter().filter(|name| theirs.contains(name)).cloned().collect();
    // A limit that only one of them has is none.
    out.retain(|key, value| {
        matches!(key.as_str(), "type" | "properties" | "items" | "enum" | "description" | "nullable")
            || branch.get(key) == Some(value)
    });
    branch.retain(|key, _| matches!(key.as_str(), "properties" | "items" | "nullable"));
    merge(out, branch);
    if !required.is_empty() {
        out.insert("required".to_owned(), Value::Array(required));
    }
}

fn required(schema: &Map<String, Value>) -> &[Value] {
    schema.get("required").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
