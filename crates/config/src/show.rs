use crate::{Config, Origin, Origins, tree::path::KeyPath};
use serde::Serialize;
use serde_json::Value;

/// An effective setting as people may see it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The setting: `providers.claude.api_keys[0].key`.
    pub path: String,
    /// Its value; a secret is `(set, …1234)` or `(set)`.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// One row for each value; lists of plain values stay together.
pub(crate) fn rows(config: &Config, origins: &Origins) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Ok(value) = serde_json::to_value(config) {
        add(value, &KeyPath::default(), origins, &mut rows);
    }
    rows
}

fn add(value: Value, path: &KeyPath, origins: &Origins, rows: &mut Vec<Row>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                add(value, &path.key(&key), origins, rows);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, item) in items.into_iter().enumerate() {
                add(item, &path.item(at), origins, rows);
            }
        }
        // Not set, and nothing is done in its place.
        Value::Null => {}
        value => rows.push(Row { path: path.shown(), value, origin: origins.at(path) }),
    }
}
