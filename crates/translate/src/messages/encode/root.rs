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
    let whole = Value::Object(root.clone());
    let mut left = MOST_BRANCHES;
    flatten(&mut root, &whole, &mut left);
    let merged = Json::from_value(&root).ok();
    Cow::Owned(schema::object_schema(merged.as_ref()).into_owned())
}

/// Branches that are looked into; circles of references end with them.
const MOST_BRANCHES: usize = 64;

/// Brings references and branches of a schema into one object with properties. `whole` is what its references lead into,
/// `left` the number of branches that may still be looked into.
fn flatten(root: &mut Map<String, Value>, whole: &Value, left: &mut usize) {
    resolve(root, whole);
    for key in ["allOf", "anyOf", "oneOf"] {
        let Some(Value::Array(mut branches)) = root.shift_remove(key) else { continue };
        for branch in &mut branches {
            if let Value::Object(branch) = branch
                && *left > 0
            {
                *left -= 1;
                flatten(branch, whole, left);
            }
        }
        merge(root, branches, key == "allOf");
    }
}

/// Follows a reference to its definition in the same schema.
fn resolve(root: &mut Map<String, Value>, whole: &Value) {
    // A definition may be a reference itself; a circle ends here.
    for _ in 0..8 {
        let Some(Value::String(reference)) = root.get("$ref") else { return };
        let path = reference.trim_start_matches('#').to_owned();
        let target = whole.pointer(&path).and_then(Value::as_object).cloned();
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
