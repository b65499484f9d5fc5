//! Tools, options, keys and models.

use super::*;
use crate::{client::*, refusals::*};

#[tokio::test]
async fn tools_and_schemas() {
    let simulator = simulator().await;
    let tool = |name: &str, parameters: Value, strict: bool| {
        (
            "/tools",
            Some(
                json!([{"type": "function", "function": {"name": name, "parameters": parameters, "strict": strict}}]),
            ),
        )
    };
    let object = || json!({"type": "object", "properties": {}});
    let closed = |more: Value| {
        let mut schema =
            json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    let format = |schema: Value| {
        (
            "/response_format",
            Some(
                json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}}),
            ),
        )
    };
    refused(
        &simulator,
        &plain(),
        &[
            (&[("/tools", Some(json!([])))], "empty_array", "Invalid 'tools': empty array"),
            (
                &[tool("a.b", object(), false)],
                "invalid_value",
                "does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            ),
            (
                &[tool(&"x".repeat(65), object(), false)],
                "string_above_max_length",
                "maximum length 64, but got a string with length 65",
            ),
            (
                &[tool("f", json!({"type": "object"}), false)],
                "invalid_function_parameters",
                "Invalid schema for function 'f': In context=(), object schema missing properties.",
            ),
            (
                &[tool("f", json!({"type": "string"}), false)],
                "invalid_function_parameters",
                "got 'type: \"string\"'.",
            ),
            (&[tool("f", json!({}), false)], "invalid_function_parameters", "got 'type: None'."),
            (
                &[tool("f", json!({"type": "object", "properties": {"a": {"type": "array"}}}), false)],
                "invalid_function_parameters",
                "In context=('properties', 'a'), array schema missing items.",
            ),
            (
                &[tool("f", object(), true)],
                "invalid_function_parameters",
                "'additionalProperties' is required to be supplied and to be false.",
            ),
            (
                &[tool("f", closed(json!({"properties": {"a": {"type": "string"}}})), true)],
                "invalid_function_parameters",
                "an array including every key in properties. Missing 'a'.",
            ),
            (
                &[tool("f", closed(json!({"allOf": []})), true)],
                "invalid_function_parameters",
                "'allOf' is not permitted.",
            ),
            (&[format(object())], "invalid_json_schema", "Invalid schema for response_format 'n'"),
            (
                &[("/response_format", Some(json!({"type": "json_schema", "json_schema": {"name": "a b"}})))],
                "invalid_value",
                "response_format.json_schema.name",
            ),
            (
                &[("/response_format", Some(json!({"type": "json_object"})))],
                "invalid_value",
                "must contain the word 'json' in some form",
            ),
            (
                &[("/tools", None), ("/tool_choice", Some(json!("auto")))],
                "invalid_value",
                "'tool_choice' is only allowed when 'tools' are specified",
            ),
            (
                &[("/tools", None), ("/parallel_tool_calls", Some(json!(true)))],
                "invalid_value",
                "'parallel_tool_calls' is only allowed when 'tools' are specified",
            ),
            (
                &[("/tool_choice", Some(json!({"type": "function", "function": {"name": "g"}})))],
                "invalid_value",
                "Tool choice 'function' not found in 'tools' parameter.",
            ),
            (&[("/tool_choice", Some(json!("any")))], "invalid_value", "Invalid value: 'any'"),
        ],
    )
    .await;
    accepted(
        &simulator,
        &plain(),
        &[
            &[tool("f", closed(json!({})), true)],
            &[
                ("/messages/0/content/0/text", Some(json!("as JSON"))),
                ("/response_format", Some(json!({"type": "json_object"}))),
            ],
        ],
    )
    .await;
}

#[tokio::test]
async fn options_by_model() {
    let simulator = simulator().await;
    refused(
        &simulator,
        &reasoning(),
        &[
            (&[("/max_tokens", Some(json!(100)))], "unsupported_parameter", "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
            (&[("/temperature", Some(json!(0.2)))], "unsupported_value", "'temperature' does not support 0.2 with this model. Only the default (1) value is supported."),
            (&[("/top_p", Some(json!(0.2)))], "unsupported_value", "'top_p' does not support 0.2"),
            (&[("/presence_penalty", Some(json!(1)))], "unsupported_value", "'presence_penalty' does not support 1"),
            (&[("/logprobs", Some(json!(true)))], "unsupported_parameter", "'logprobs' is not supported with this model"),
            (&[("/logit_bias", Some(json!({"1": 1})))], "unsupported_parameter", "'logit_bias' is not supported with this model"),
            (&[("/reasoning_effort", Some(json!("xhigh")))], "unsupported_value", "Supported values are: 'none', 'low', 'medium', and 'high'."),
            (&[("/max_completion_tokens", Some(json!(128_001)))], "invalid_value", "This model supports at most 128000 completion tokens"),
        ],
    )
    .await;
    refused(
        &simulator,
        &plain(),
        &[
            (
                &[("/reasoning_effort", Some(json!("low")))],
                "unsupported_parameter",
                "'reasoning_effort' is not supported with this model",
            ),
            (
                &[("/temperature", Some(json!(2.5)))],
                "decimal_above_max_value",
                "Expected a value <= 2, but got 2.5 instead.",
            ),
            (
                &[("/max_tokens", Some(json!(5))), ("/max_completion_tokens", Some(json!(5)))],
                "invalid_parameter_combination",
                "at the same time is not supported",
            ),
            (
                &[("/max_tokens", Some(json!(0)))],
                "integer_below_min_value",
                "Expected a value >= 1, but got 0 instead.",
            ),
            (
                &[("/stop", Some(json!(["a", "b", "c", "d", "e"])))],
                "array_above_max_length",
                "maximum length 4, but got an array with length 5",
            ),
            (
                &[("/top_logprobs", Some(json!(2)))],
                "invalid_value",
                "only allowed when 'logprobs' is enabled",
            ),
            (
                &[("/top_logprobs", Some(json!(21))), ("/logprobs", Some(json!(true)))],
                "integer_above_max_value",
                "Expected a value <= 20",
            ),
            (&[("/n", Some(json!(0)))], "integer_below_min_value", "Invalid 'n'"),
            (
                &[(
                    "/metadata",
                    Some(
                        (0..17)
                            .map(|n| (n.to_string(), json!("x")))
                            .collect::<serde_json::Map<_, _>>()
                            .into(),
                    ),
                )],
                "object_above_max_properties",
                "at most 16 properties",
            ),
        ],
    )
    .await;
    accepted(
        &simulator,
        &reasoning(),
        &[
            &[("/max_completion_tokens", Some(json!(100))), ("/temperature", Some(json!(1)))],
            &[("/reasoning_effort", Some(json!("none"))), ("/temperature", Some(json!(0.2)))],
        ],
    )
    .await;
}

#[tokio::test]
async fn keys_and_models() {
    let simulator = simulator().await;
    let cases: [(&[(&str, &str)], Changes<'_>, u16, &str); 6] = [
        (&[], &[], 401, "You didn't provide an API key"),
        (&[("x-api-key", "sk-test")], &[], 401, "You didn't provide an API key"),
        (
            &[("authorization", "Bearer sk-ant-api03-other-vendor")],
            &[],
            401,
            "Incorrect API key provided: sk-a***ndor.",
        ),
        (&[("authorization", "Bearer AIza-other-vendor")], &[], 401, "Incorrect API key provided"),
        (&OPENAI, &[("/model", Some(json!("gpt-none")))], 404, "The model `gpt-none` does not exist"),
        (&OPENAI, &[("/model", Some(json!("gpt-sim-tomorrow")))], 200, ""),
    ];
    for (headers, changes, status, words) in cases {
        let answer = post(&simulator, PATH, headers, &changed(&plain(), changes)).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    }
}

#[tokio::test]
async fn several_choices_and_probabilities() {
    let simulator = simulator().await;
    let body = changed(
        &plain(),
        &[
            ("/n", Some(json!(2))),
            ("/logprobs", Some(json!(true))),
            ("/top_logprobs", Some(json!(1))),
            ("/messages/0/content/0/text", Some(json!("sim:text one two"))),
        ],
    );
    let answer = post(&simulator, PATH, &OPENAI, &body).await.json();
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!(choices.iter().map(|choice| &choice["index"]).collect::<Vec<_>>(), [0, 1]);
    let tokens: Vec<_> = choices[1]["logprobs"]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["token"].as_str().unwrap())
        .collect();
    assert_eq!(tokens, ["one ", "two"]);
    assert_eq!(choices[1]["logprobs"]["content"][0]["top_logprobs"][0]["token"], "one ");
}

#[tokio::test]
async fn a_lenient_key_takes_what_is_unknown() {
    let simulator = simulator().await;
    let body = changed(
        &plain(),
        &[
            ("/model", Some(json!("deepseek-chat"))),
            ("/thinking", Some(json!({"type": "enabled"}))),
            ("/messages/0/vendor", Some(json!(1))),
        ],
    );
    assert_eq!(post(&simulator, PATH, &[("authorization", "Bearer lenient")], &body).await.status, 200);
    assert_eq!(post(&simulator, PATH, &OPENAI, &body).await.status, 400);
}
