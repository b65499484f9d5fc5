use super::*;

#[test]
fn samples_fit_their_schemas() {
    let cases = [
        (json!({"type": "string"}), json!("some x")),
        (json!({"type": "STRING", "enum": ["b", "a"]}), json!("b")),
        (json!({"const": 7}), json!(7)),
        (json!({"type": ["null", "integer"], "minimum": 3}), json!(3)),
        (json!({"type": "number", "exclusiveMinimum": 2}), json!(3.0)),
        (json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2}), json!([true, true])),
        (json!({"type": "string", "minLength": 8, "maxLength": 8}), json!("some x..")),
        (
            json!({"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "string"}}, "required": ["b"]}),
            json!({"b": "some b"}),
        ),
        (json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}), json!({"a": "some a"})),
        (json!({"type": "object", "properties": {}}), json!({})),
        (json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]}), json!(true)),
        (json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}), json!(1)),
        (
            json!({"allOf": [
                {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]},
                {"type": "object", "properties": {"b": {"type": "boolean"}}, "required": ["b"]},
            ]}),
            json!({"a": true, "b": true}),
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(of(&schema, "x"), expected, "{schema}");
    }
}

#[test]
fn a_recursive_schema_ends() {
    let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
    assert!(of(&schema, "x").is_object());
}
