//! What the Chat endpoint refuses, and in which words.

use crate::{
    client::{OPENAI, post, simulator},
    refusals::{Changes, changed, message, unknown_fields_are_refused},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

const PATH: &str = "/v1/chat/completions";

fn plain() -> Value {
    json!({
        "model": "gpt-4.1", "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    })
}

fn reasoning() -> Value {
    changed(&plain(), &[("/model", Some(json!("gpt-5.1")))])
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "done"})
}

fn calls(calls: Value) -> Value {
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}

fn messages(more: Value) -> (&'static str, Option<Value>) {
    let mut messages = vec![json!({"role": "user", "content": "hello"})];
    messages.extend(more.as_array().unwrap().clone());
    ("/messages", Some(json!(messages)))
}

async fn refused(simulator: &Simulator, good: &Value, cases: &[(Changes<'_>, &str, &str)]) {
    for (changes, code, words) in cases {
        let answer = post(simulator, PATH, &OPENAI, &changed(good, changes)).await;
        assert_eq!(answer.status, 400, "{words}: {}", answer.text());
        let error = answer.json()["error"].clone();
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("invalid_request_error"), &json!(code)),
            "{words}"
        );
        assert!(error["param"].is_string(), "{words}");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

async fn accepted(simulator: &Simulator, good: &Value, cases: &[Changes<'_>]) {
    for changes in cases {
        let answer = post(simulator, PATH, &OPENAI, &changed(good, changes)).await;
        assert_eq!(answer.status, 200, "{changes:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn fields_and_types() {
    let simulator = simulator().await;
    refused(
        &simulator,
        &plain(),
        &[
            (&[("/model", None)], "missing_required_parameter", "Missing required parameter: 'model'."),
            (&[("/messages", None)], "missing_required_parameter", "Missing required parameter: 'messages'."),
            (&[("/top_k", Some(json!(5)))], "unknown_parameter", "Unknown parameter: 'top_k'."),
            (&[("/thinking", Some(json!({})))], "unknown_parameter", "Unknown parameter: 'thinking'."),
            (&[("/input", Some(json!("x")))], "unknown_parameter", "Unknown parameter: 'input'."),
            (&[("/temperature", Some(json!("hot")))], "invalid_type", "Invalid type for 'temperature': expected a decimal, but got a string instead."),
            (&[("/max_tokens", Some(json!(1.5)))], "invalid_type", "Invalid type for 'max_tokens': expected an integer, but got a decimal instead."),
            (&[("/messages/0/content", Some(json!(7)))], "invalid_type", "expected one of a string or an array, but got an integer instead."),
            (&[("/messages/0/role", Some(json!("model")))], "invalid_value", "Invalid value: 'model'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', and 'function'."),
            (&[("/messages/0/content/0/type", Some(json!("input_text")))], "invalid_value", "Invalid value: 'input_text'"),
            (&[("/messages/0/content/0/cache_control", Some(json!({})))], "unknown_parameter", "Unknown parameter: 'messages[0].content[0].cache_control'."),
            (&[("/tools/0/name", Some(json!("f")))], "unknown_parameter", "Unknown parameter: 'tools[0].name'."),
            (&[("/reasoning_effort", Some(json!("huge")))], "invalid_value", "Invalid value: 'huge'"),
            (&[("/stream_options", Some(json!({"include_usage": true})))], "invalid_value", "only allowed when 'stream' is enabled"),
            (&[("/tools/0/type", Some(json!("web_search")))], "invalid_value", "Invalid value: 'web_search'"),
        ],
    )
    .await;
}

#[tokio::test]
async fn unknown_fields_are_refused_everywhere() {
    let good = json!({
        "model": "gpt-4.1", "stream": true, "stream_options": {"include_usage": true}, "metadata": {"a": "b"},
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "hello"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
            ]},
            {"role": "assistant", "content": [{"type": "text", "text": "x"}], "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "x"},
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "x"}]},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "strict": true, "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "grammar", "grammar": {"definition": "x", "syntax": "lark"}}}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "Oslo"}}},
    });
    unknown_fields_are_refused(
        &simulator().await,
        PATH,
        &OPENAI,
        &good,
        &["/metadata", "/parameters", "/schema"],
    )
    .await;
}

#[tokio::test]
async fn the_order_of_messages() {
    let simulator = simulator().await;
    let not_answered = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'";
    refused(
        &simulator,
        &plain(),
        &[
            (&[("/messages", Some(json!([])))], "empty_array", "Invalid 'messages': empty array"),
            (&[messages(json!([result("a")]))], "invalid_value", "messages with role 'tool' must be a response to a preceeding message"),
            (&[messages(json!([calls(json!([call("a")]))]))], "invalid_value", not_answered),
            (&[messages(json!([calls(json!([call("a"), call("b")])), result("a")]))], "invalid_value", "did not have response messages: b"),
            (
                &[messages(json!([calls(json!([call("a")])), {"role": "user", "content": "x"}, result("a")]))],
                "invalid_value",
                not_answered,
            ),
            (&[messages(json!([calls(json!([call("a")])), result("x")]))], "invalid_value", "'tool_call_id' of 'x' not found"),
            (&[messages(json!([calls(json!([call("a")])), result("a"), result("a")]))], "invalid_value", "'tool_call_id' of 'a' not found"),
            (&[messages(json!([{"role": "assistant", "content": null}]))], "invalid_value", "Invalid value for 'content': expected a string, got null."),
            (&[messages(json!([calls(json!([]))]))], "empty_array", "Invalid 'messages[1].tool_calls': empty array"),
            (&[messages(json!([{"role": "user", "content": "x", "name": "a b"}]))], "invalid_value", "Invalid 'messages[1].name': string does not match pattern"),
            (
                &[messages(json!([calls(json!([{"id": "a", "type": "function", "function": {"name": "a.b", "arguments": "{}"}}])), result("a")]))],
                "invalid_value",
                "Invalid 'messages[1].tool_calls[0].function.name': string does not match pattern",
            ),
            (
                &[messages(json!([calls(json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": {}}}])), result("a")]))],
                "invalid_type",
                "expected a string, but got an object instead",
            ),
            (
                &[messages(json!([calls(json!([call("a")])), {"role": "tool", "tool_call_id": "a", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]))],
                "invalid_value",
                "Invalid value: 'image_url'. Supported values are: 'text'.",
            ),
        ],
    )
    .await;
    accepted(
        &simulator,
        &plain(),
        &[&[messages(json!([calls(json!([call("a"), call("b")])), result("b"), result("a"), {"role": "user", "content": "go on"}]))]],
    )
    .await;
}

#[tokio::test]
async fn pictures_and_files() {
    let simulator = simulator().await;
    let part = |part: Value| messages(json!([{"role": "user", "content": [part]}]));
    let file = |file: Value| part(json!({"type": "file", "file": file}));
    refused(
        &simulator,
        &plain(),
        &[
            (
                &[part(json!({"type": "image_url", "image_url": {"url": "cat.png"}}))],
                "invalid_image_url",
                "Expected a valid URL",
            ),
            (
                &[part(json!({"type": "image_url", "image_url": "https://x"}))],
                "invalid_type",
                "expected an object, but got a string instead",
            ),
            (
                &[part(json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "ogg"}}))],
                "invalid_value",
                "Invalid value: 'ogg'",
            ),
            (&[file(json!({}))], "missing_required_parameter", "file.file_id"),
            (
                &[file(json!({"file_data": "AAAA", "filename": "a.pdf"}))],
                "invalid_value",
                "Expected a base64-encoded data URL",
            ),
            (
                &[file(json!({"file_data": "data:application/pdf;base64,AAAA"}))],
                "missing_required_parameter",
                "file.filename",
            ),
        ],
    )
    .await;
}

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
