//! Schemas whose root this vendor does not take: it wants an object, without `anyOf`, `oneOf` or `allOf` at the top.

use crate::{Json, schema};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashSet};

/// The schema of a function's arguments with an object at its root.
pub(super) fn object(schema: Option<&Json>) -> Cow<'_, Json> {
    let special = |key: &str| matches!(key, "$ref" | "anyOf" | "oneOf" | "allOf");
    let plain = match schema.map(Json::members) {
        Some(Ok(members)) => !members.iter().any(|(key, _)| special(key.as_str())),
        _ => true,
    };
    let read = || schema.and_then(|schema| schema.read::<Map<String, Value>>().ok());
    let Some(mut root) = (!plain).then(read).flatten() else { return schema::object_schema(schema) };
    resolve(&mut root);
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = root.shift_remove(key) {
            merge(&mut root, branches, key == "allOf");
        }
    }
    let merged = Json::from_value(&root).ok();
    Cow::Owned(schema::object_schema(merged.as_ref()).into_owned())
}

/// Follows a reference at the root to its definition in the same schema.
fn resolve(root: &mut Map<String, Value>) {
    // A definition may be a reference itself; a circle ends here.
    for _ in 0..8 {
        let Some(Value::String(reference)) = root.get("$ref") else { return };
        let path = reference.trim_start_matches('#').to_owned();
        let target = Value::Object(root.clone()).pointer(&path).and_then(Value::as_object).cloned();
        root.shift_remove("$ref");
        for (key, value) in target.unwrap_or_default() {
            root.entry(key).or_insert(value);
        }
    }
    root.shift_remove("$ref");
}

/// Brings the properties of all branches together. What every branch of a choice requires stays required; of `allOf`
/// everything does.
fn merge(root: &mut Map<String, Value>, branches: Vec<Value>, all: bool) {
    let mut required: Option<Vec<Value>> = None;
    for branch in branches {
        let Value::Object(mut branch) = branch else { continue };
        if let Some(Value::Object(properties)) = branch.remove("properties") {
            let own = root.entry("properties").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(own) = own {
                for (key, value) in properties {
                    own.entry(key).or_insert(value);
                }
            }
        }
        let names = match branch.remove("required") {
            Some(Value::Array(names)) => names,
            _ => Vec::new(),
        };
        required = Some(match required {
            None => names,
            Some(mut old) if all => {
                old.extend(names);
                old
            }
            Some(old) => {
                let names: HashSet<_> = names.into_iter().collect();
                old.into_iter().filter(|name| names.contains(name)).collect()
            }
        });
    }
    let mut names = match root.shift_remove("required") {
        Some(Value::Array(names)) => names,
        _ => Vec::new(),
    };
    let mut known: HashSet<_> = names.iter().cloned().collect();
    names.extend(required.unwrap_or_default().into_iter().filter(|name| known.insert(name.clone())));
    if !names.is_empty() {
        root.insert("required".to_owned(), Value::Array(names));
    }
}
