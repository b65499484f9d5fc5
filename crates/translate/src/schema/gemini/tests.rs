use super::*;
use proptest::prelude::*;
use serde_json::json;

fn clean(schema: &Value) -> Value {
    for_gemini(&Json::from_value(schema).unwrap()).to_tree()
}

/// Checks what becomes of the schema of one parameter.
fn check_parameter(name: &str, property: &Value, expected: &Value) {
    let schema = json!({"type": "object", "properties": {"p": property}});
    assert_eq!(clean(&schema)["properties"]["p"], *expected, "{name}");
}

#[test]
fn keywords_that_gemini_does_not_know_become_words() {
    for (name, property, expected) in [
        (
            "t96",
            json!({"$schema": "x", "type": "string", "format": "uri", "$comment": "y", "description": "An address."}),
            json!({"type": "string", "description": "An address. (format: uri)"}),
        ),
        ("t96 const", json!({"const": "a"}), json!({"type": "string", "enum": ["a"]})),
        ("t97", json!({"type": "string", "enum": [1, 2]}), json!({"type": "string", "enum": ["1", "2"]})),
        (
            "numeric enum",
            json!({"type": "integer", "enum": [1, 2]}),
            json!({"type": "integer", "description": "(one of: 1, 2)"}),
        ),
        (
            "untyped numeric enum",
            json!({"enum": [1, 2]}),
            json!({"type": "integer", "description": "(one of: 1, 2)"}),
        ),
        (
            "empty word",
            json!({"enum": ["", "a"]}),
            json!({"type": "string", "enum": ["a"], "description": "(may be empty)"}),
        ),
        ("t98", json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
        (
            "several types",
            json!({"type": ["string", "integer"]}),
            json!({"type": "string", "description": "(or integer)"}),
        ),
        (
            "null in enum",
            json!({"enum": ["a", null]}),
            json!({"nullable": true, "type": "string", "enum": ["a"]}),
        ),
        (
            "list without items",
            json!({"type": "array"}),
            json!({"type": "array", "items": {"type": "string"}}),
        ),
        ("nested empty object", json!({"type": "object", "properties": {}}), json!({"type": "object"})),
        ("no type", json!({"description": "x"}), json!({"type": "string", "description": "x"})),
        (
            "limits",
            json!({"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2}),
            json!({"type": "integer", "minimum": 1, "description": "(exclusiveMaximum: 9; multipleOf: 2)"}),
        ),
        (
            "tuple",
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}]}),
            json!({"type": "array", "items": {"type": "string"}, "description": "(2 items in a fixed order)"}),
        ),
        (
            "empty tuple",
            json!({"type": "array", "prefixItems": []}),
            json!({"type": "array", "items": {"type": "string"}, "description": "(0 items in a fixed order)"}),
        ),
        (
            "map",
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
            json!({"type": "object", "description": "(further keys of any name: number)"}),
        ),
    ] {
        check_parameter(name, &property, &expected);
    }
}

#[test]
fn schemas_that_are_combined_become_one() {
    for (name, property, expected) in [
        (
            "nullable union",
            json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            json!({"nullable": true, "type": "integer"}),
        ),
        (
            "literals",
            json!({"oneOf": [{"const": "a"}, {"const": "b"}]}),
            json!({"type": "string", "enum": ["a", "b"]}),
        ),
        (
            "richest branch",
            json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
            json!({"type": "array", "items": {"type": "string"}, "description": "(or string)"}),
        ),
        (
            "allOf",
            json!({"allOf": [
                {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"type": "object", "properties": {"b": {"type": "string"}}},
            ]}),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}),
        ),
        (
            "objects with a discriminator",
            json!({"oneOf": [
                {"type": "object", "properties": {"kind": {"const": "x"}, "x": {"type": "string"}}, "required": ["kind", "x"]},
                {"type": "object", "properties": {"kind": {"const": "y"}, "y": {"type": "string"}}, "required": ["kind", "y"]},
            ]}),
            json!({
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": ["x", "y"]},
                    "x": {"type": "string"},
                    "y": {"type": "string"},
                },
                "required": ["kind"],
            }),
        ),
        (
            "if then else",
            json!({
                "type": "object", "properties": {"a": {"type": "string"}},
                "if": {"properties": {"a": {"const": "x"}}},
                "then": {"properties": {"b": {"type": "string"}}, "required": ["b"]},
            }),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
        ),
        ("upper case", json!({"type": "STRING"}), json!({"type": "string"})),
    ] {
        check_parameter(name, &property, &expected);
    }
}

#[test]
fn whole_schemas() {
    for (name, schema, expected) in [
        ("nothing", json!({}), json!({"type": "string"})),
        ("root", json!({"type": "object"}), json!({"type": "object", "properties": {}})),
        (
            "t99 properties named like keywords",
            json!({"type": "object", "properties": {
                "title": {"type": "string"}, "pattern": {"type": "string"}, "properties": {"type": "string"},
                "default": {"type": "string"}, "$ref": {"type": "string"}, "const": {"type": "string"},
            }, "required": ["title"]}),
            json!({"type": "object", "properties": {
                "title": {"type": "string"}, "pattern": {"type": "string"}, "properties": {"type": "string"},
                "default": {"type": "string"}, "_byok24_ref": {"type": "string"}, "const": {"type": "string"},
            }, "required": ["title"]}),
        ),
        (
            "t127",
            json!({"type": "object", "properties": {"$filter": {"type": "string"}}, "required": ["$filter", "gone"]}),
            json!({"type": "object", "properties": {"_byok24_filter": {"type": "string"}}, "required": ["_byok24_filter"]}),
        ),
        (
            "references",
            json!({
                "type": "object", "properties": {"p": {"$ref": "#/$defs/Point", "description": "Where."}},
                "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "number"}}}},
            }),
            json!({"type": "object", "properties": {
                "p": {"type": "object", "properties": {"x": {"type": "number"}}, "description": "Where."},
            }}),
        ),
        (
            "a cycle",
            json!({
                "type": "object", "properties": {"n": {"$ref": "#/$defs/Node"}},
                "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
            }),
            json!({"type": "object", "properties": {
                "n": {"type": "object", "properties": {"next": {"type": "object", "description": "A `Node`."}}},
            }}),
        ),
        (
            "a bare map of properties",
            json!({"path": {"type": "string", "required": true}}),
            json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}),
        ),
    ] {
        assert_eq!(clean(&schema), expected, "{name}");
    }
}

#[test]
fn names_of_structured_output_stay() {
    let schema =
        Json::from_value(&json!({"type": "object", "properties": {"a-b": {"type": "string"}}})).unwrap();
    assert!(for_gemini_output(&schema).get().contains("a-b"));
    assert!(!for_gemini(&schema).get().contains("a-b"));
    assert!(parameters_fit(&schema));
    let long = json!({"type": "object", "properties": {"ä".repeat(30): {"type": "string"}}});
    assert!(!parameters_fit(&Json::from_value(&long).unwrap()));
}

#[test]
fn references_that_multiply_are_cut() {
    let mut defs = Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
        defs.insert(
            format!("l{level}"),
            json!({"type": "object", "properties": {"a": next.clone(), "b": next}}),
        );
    }
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/l0"}}, "$defs": defs});
    assert!(clean(&schema).to_string().len() < 4_000_000);
}

#[test]
fn both_spellings_of_a_keyword_are_read() {
    let schema =
        json!({"type": "array", "items": {"any_of": [{"type": "string", "max_length": 3}]}, "min_items": 1});
    let usual =
        json!({"type": "array", "items": {"anyOf": [{"type": "string", "maxLength": 3}]}, "minItems": 1});
    assert_eq!(clean(&schema), clean(&usual));
    assert_eq!(clean(&schema)["minItems"], 1);
}

#[test]
fn schemas_of_gemini_become_json_schema() {
    for (schema, expected) in [
        (
            r#"{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}},"propertyOrdering":["a"]}"#,
            json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}}),
        ),
        (
            r#"{"type":"ARRAY","items":{"type":"INTEGER"},"maxItems":"5"}"#,
            json!({"type": "array", "items": {"type": "integer"}, "maxItems": 5}),
        ),
        // Clients write every word either way.
        (
            r#"{"type":"OBJECT","min_properties":"1","max_properties":2,"property_ordering":["min_items"],
                "properties":{"min_items":{"type":"ARRAY","items":{"type":"STRING","min_length":"1","max_length":"9"},
                "min_items":1,"max_items":"5"}}}"#,
            json!({"type": "object", "minProperties": 1, "maxProperties": 2, "properties": {"min_items": {
                "type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 9}, "minItems": 1, "maxItems": 5}}}),
        ),
        (
            r#"{"any_of":[{"type":"STRING","minLength":2,"min_length":1}],"nullable":true}"#,
            json!({"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]}),
        ),
        (
            r#"{"type":"STRING","enum":["a"],"nullable":true}"#,
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (
            r#"{"anyOf":[{"type":"STRING"}],"nullable":true}"#,
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (
            r#"{"type":"OBJECT","properties":{"type":{"type":"STRING"},"nullable":{"type":"BOOLEAN"}}}"#,
            json!({"type": "object", "properties": {"type": {"type": "string"}, "nullable": {"type": "boolean"}}}),
        ),
    ] {
        assert_eq!(from_gemini(&Json::parse(schema).unwrap()).to_tree(), expected, "{schema}");
    }
}

/// JSON that looks like a schema often enough.
fn schema() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "string", "integer", "object", "array", "null", "any", "a", "", "#/x", "#",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "x",
        "description",
        "format",
        "prefixItems",
        "then",
        "minimum",
        "additionalProperties",
        "not",
        "nullable",
        "p-q",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

/// Checks a schema against what Google's reference lists.
fn check(schema: &Value) -> Result<(), String> {
    const KNOWN: [&str; 22] = [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "items",
        "properties",
        "required",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
        "pattern",
        "example",
        "default",
        "propertyOrdering",
        "minimum",
        "maximum",
        "anyOf",
    ];
    let object = schema.as_object().ok_or_else(|| format!("not an object: {schema}"))?;
    if let Some(key) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(format!("unknown name `{key}` in {schema}"));
    }
    if !object.get("type").is_some_and(Value::is_string) {
        return Err(format!("no type in {schema}"));
    }
    let words = object.get("enum").and_then(Value::as_array).into_iter().flatten();
    if words.into_iter().any(|word| word.as_str().is_none_or(str::is_empty)) {
        return Err(format!("bad enum in {schema}"));
    }
    if object["type"] == "array" {
        check(object.get("items").ok_or("no items")?)?;
    }
    let properties = object.get("properties").and_then(Value::as_object);
    for name in object.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !properties.is_some_and(|p| name.as_str().is_some_and(|name| p.contains_key(name))) {
            return Err(format!("required {name} is no property"));
        }
    }
    properties.into_iter().flatten().try_for_each(|(_, property)| check(property))
}

#[test]
fn references_do_not_multiply_what_they_lead_to() {
    let words: Vec<_> = (0..20_000).map(|n| format!("word {n}")).collect();
    let references: Map<_, _> = (0..5_000).map(|n| (format!("p{n}"), json!({"$ref": "#/$defs/d"}))).collect();
    let schema = json!({"type": "object", "properties": references, "$defs": {"d": {"enum": words}}});
    let clean = clean(&schema);
    assert_eq!(clean["properties"]["p2"]["enum"].as_array().map(Vec::len), Some(20_000));
    assert_eq!(clean["properties"]["p4999"], json!({"type": "object"}));
    assert!(clean.to_string().len() < 3 * MOST_COPIED);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_in_a_schema_that_gemini_takes_goes_out(schema in schema()) {
        let clean = clean(&schema);
        prop_assert_eq!(check(&clean), Ok(()));
    }

    #[test]
    fn any_schema_of_gemini_becomes_json(schema in schema()) {
        let text = Json::from_value(&schema).unwrap();
        prop_assert!(serde_json::from_str::<Value>(from_gemini(&text).get()).is_ok());
    }
}
