//! Schemas, tools and options, by model.

use super::*;
use crate::client::*;

#[tokio::test]
async fn schemas_in_the_subset() {
    let simulator = simulator().await;
    let schema = |schema: Value| ("/tools/0/functionDeclarations/0/parameters", Some(schema));
    let property = |inner: Value| schema(json!({"type": "OBJECT", "properties": {"a": inner}}));
    for keyword in [
        "$schema",
        "$ref",
        "$defs",
        "const",
        "additionalProperties",
        "oneOf",
        "allOf",
        "not",
        "patternProperties",
        "exclusiveMinimum",
        "uniqueItems",
        "examples",
        "propertyNames",
    ] {
        let mut inner = json!({"type": "STRING"});
        inner[keyword] = json!({});
        refused(&simulator, OLD, &[(&[property(inner)], &format!("Unknown name \"{keyword}\""))]).await;
    }
    refused(
        &simulator,
        OLD,
        &[
            (&[schema(json!({"type": "STRING"}))], "parameters schema should be of type OBJECT"),
            (&[property(json!({"type": ["STRING", "NULL"]}))], "Proto field is not repeating, cannot start list."),
            (&[property(json!({"type": "INTEGER", "enum": [1, 2]}))], "(TYPE_STRING), 1"),
            (&[property(json!({"type": "INTEGER", "enum": ["1"]}))], "enum: only allowed for STRING type"),
            (&[property(json!({"type": "ARRAY"}))], "items: missing field."),
            (&[property(json!({"type": "OBJECT", "properties": {}}))], "properties: should be non-empty for OBJECT type"),
            (&[property(json!({"type": "STRING", "format": "uri"}))], "only 'enum' and 'date-time' are supported for STRING type"),
            (&[schema(json!({"type": "OBJECT", "properties": {}, "required": ["a"]}))], "required[0]: property is not defined"),
            (&[schema(json!({"type": "OBJECT", "properties": {"$filter": {"type": "STRING"}}}))], "Parameter names must start with a letter or an underscore"),
            (&[("/generationConfig", Some(json!({"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"}}))), ("/tools", None)], "generation_config.response_schema.items: missing field."),
        ],
    )
    .await;
    accepted(
        &simulator,
        OLD,
        &[
            &[property(json!({"type": "string", "enum": ["a"], "nullable": true, "maxLength": "5"}))],
            &[schema(json!({"type": "object", "properties": {"title": {"type": "string"}, "properties": {"type": "string"}}, "required": ["title"]}))],
            &[("/tools/0/functionDeclarations/0", Some(json!({"name": "f", "parametersJsonSchema": {"type": "object", "$defs": {}, "additionalProperties": false}})))],
        ],
    )
    .await;
}

#[tokio::test]
async fn tools_and_the_choice_among_them() {
    let simulator = simulator().await;
    let name = |name: &str| ("/tools/0/functionDeclarations/0/name", Some(json!(name)));
    let config = |config: Value| ("/toolConfig", Some(json!({"functionCallingConfig": config})));
    refused(
        &simulator,
        OLD,
        &[
            (&[name("1f")], "Invalid function name. Must start with a letter or an underscore."),
            (&[name("a b")], "Invalid function name"),
            (&[name(&"x".repeat(65))], "with a maximum length of 64"),
            (
                &[("/tools/0/functionDeclarations", Some(json!([{"name": "f"}, {"name": "f"}])))],
                "Duplicate function declaration found: f",
            ),
            (
                &[("/tools/0/functionDeclarations/0/parametersJsonSchema", Some(json!({"type": "object"})))],
                "only one of parameters and parameters_json_schema may be set",
            ),
            (&[("/tools/0/googleSearch", Some(json!({})))], "Tool use with function calling is unsupported"),
            (
                &[("/generationConfig", Some(json!({"responseMimeType": "application/json"})))],
                "Function calling with a response mime type: 'application/json' is unsupported",
            ),
            (
                &[("/tools", None), config(json!({"mode": "AUTO"}))],
                "Function calling config is set without function_declarations.",
            ),
            (
                &[config(json!({"mode": "AUTO", "allowedFunctionNames": ["f"]}))],
                "should be set only when function calling mode is ANY or VALIDATED",
            ),
            (&[config(json!({"mode": "ANY", "allowedFunctionNames": ["g"]}))], "`g`, which is not declared"),
        ],
    )
    .await;
    refused(
        &simulator,
        NEW,
        &[(
            &[("/tools/0/googleSearch", Some(json!({})))],
            "Please enable tool_config.include_server_side_tool_invocations",
        )],
    )
    .await;
    accepted(
        &simulator,
        NEW,
        &[&[
            ("/tools/0/googleSearch", Some(json!({}))),
            ("/toolConfig", Some(json!({"includeServerSideToolInvocations": true}))),
        ]],
    )
    .await;
}

#[tokio::test]
async fn options_by_model() {
    let simulator = simulator().await;
    let thinking = |config: Value| ("/generationConfig", Some(json!({"thinkingConfig": config})));
    let both = thinking(json!({"thinkingBudget": 1024, "thinkingLevel": "LOW"}));
    refused(
        &simulator,
        OLD,
        &[
            (&[both.clone()], "only set only one of thinking budget and thinking level"),
            (&[thinking(json!({"thinkingLevel": "LOW"}))], "Thinking level is not supported for this model."),
            (&[thinking(json!({"thinkingBudget": 0}))], "Budget 0 is invalid. This model only works in thinking mode."),
            (&[thinking(json!({"thinkingBudget": 99_999}))], "The thinking budget 99999 is invalid. Please choose a value between 128 and 32768."),
            (&[("/generationConfig", Some(json!({"temperature": 2.5})))], "temperature must be in the range [0.0, 2.0]"),
            (&[("/generationConfig", Some(json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})))], "The number of stop sequences must be at most 5"),
            (&[("/generationConfig", Some(json!({"candidateCount": 9})))], "candidateCount must be in the range [1, 8]"),
            (&[("/generationConfig", Some(json!({"maxOutputTokens": 70_000})))], "has a maxOutputTokens value of 70000 but the supported range is from 1 (inclusive) to 65537 (exclusive)"),
            (&[("/generationConfig", Some(json!({"responseSchema": {"type": "STRING"}})))], "only allowed when response_mime_type is application/json"),
            (
                &[("/generationConfig", Some(json!({"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}, "responseJsonSchema": {}}))), ("/tools", None)],
                "Only one of response_schema and response_json_schema",
            ),
        ],
    )
    .await;
    let pro = "/v1beta/models/gemini-3.1-pro-preview:generateContent";
    refused(&simulator, NEW, &[(&[both], "only set only one of thinking budget and thinking level")]).await;
    refused(
        &simulator,
        pro,
        &[(
            &[thinking(json!({"thinkingLevel": "MINIMAL"}))],
            "Thinking level MINIMAL is not supported for this model.",
        )],
    )
    .await;
    accepted(
        &simulator,
        NEW,
        &[&[thinking(json!({"thinkingLevel": "minimal"}))], &[thinking(json!({"thinkingBudget": 512}))]],
    )
    .await;
    accepted(
        &simulator,
        "/v1beta/models/gemini-2.5-flash:generateContent",
        &[&[thinking(json!({"thinkingBudget": 0}))]],
    )
    .await;
}
