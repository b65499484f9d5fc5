use super::*;
use byok_types::ModelFacts;
use std::{collections::BTreeSet, path::PathBuf};

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// With `BYOK_WRITE_DOCS=1` the file is written instead of compared.
#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let file = docs("config.schema.json");
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("BYOK_WRITE_DOCS").is_some() {
        std::fs::write(&file, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        committed == schema,
        "run the tests of byok-config with BYOK_WRITE_DOCS=1 and commit docs/config.schema.json"
    );
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_schema_knows_every_fact_of_a_model() {
    let mut facts = serde_json::to_value(ModelFacts::default()).unwrap();
    facts.as_object_mut().unwrap().remove("id");
    let described = facts_properties();
    assert_eq!(keys(&described), keys(&facts));
    for inner in ["thinking", "input"] {
        assert_eq!(keys(&described[inner]["properties"]), keys(&facts[inner]), "{inner}");
    }
}

/// Follows `$ref` and `anyOf` down to the tables of a schema and collects the keys of all of them.
fn all_keys(root: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            found.extend(properties.keys().cloned());
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|value| walk(value, found)),
            Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(root, &mut found);
    found
}

#[test]
fn the_reference_names_every_key_and_variable() {
    let text = std::fs::read_to_string(docs("config.md")).unwrap();
    for key in all_keys(&schema()) {
        assert!(text.contains(&format!("`{key}`")), "docs/config.md does not name `{key}`");
    }
    for variable in crate::ENVIRONMENT {
        let row = format!("| `{}` |", variable.name);
        assert!(text.contains(&row), "docs/config.md has no row for {}", variable.name);
    }
    for provider in crate::BUILT_IN {
        assert!(text.contains(&format!("`{provider}`")), "docs/config.md does not name {provider}");
    }
}

#[test]
fn the_reference_states_the_defaults() {
    let text = std::fs::read_to_string(docs("config.md")).unwrap();
    let config = serde_json::to_value(Config::default()).unwrap();
    for section in ["timeouts", "limits"] {
        for (key, value) in config[section].as_object().unwrap() {
            let value = value.to_string().replace('"', "");
            assert!(text.contains(&format!("| `{key}` | `{value}` |")), "{section}.{key} is {value}");
        }
    }
    for (key, value) in
        [("port", "8018"), ("host", "127.0.0.1"), ("database", "~/.byok/tokens.db"), ("log", "info")]
    {
        assert!(text.contains(&format!("| `{key}` | `{value}` |")), "{key}");
    }
}

#[test]
fn the_schema_has_the_short_forms() {
    let schema = schema();
    assert!(schema["$defs"]["Provider"]["properties"]["api_key"].is_object());
    assert_eq!(schema["properties"]["log"]["anyOf"][0]["type"], "string");
    assert_eq!(
        schema["properties"]["aliases"]["additionalProperties"]["anyOf"][0]["anyOf"][0]["type"],
        "string"
    );
    assert!(schema["$defs"]["Model"]["properties"]["context_tokens"].is_object());
    assert_eq!(schema["properties"]["port"]["default"], 8018);
    assert_eq!(schema["additionalProperties"], false);
}
