//! What the Responses endpoint refuses, and in which words.

use crate::{
    client::{OPENAI, post, simulator},
    refusals::{Changes, changed, message, unknown_fields_are_refused},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

const PATH: &str = "/v1/responses";

fn plain() -> Value {
    json!({
        "model": "gpt-5.1", "store": false,
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "hello"}]}],
        "tools": [{"type": "function", "name": "f", "strict": false, "parameters": {"type": "object", "properties": {}}}],
    })
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"})
}

fn output(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": "done"})
}

fn input(more: Value) -> (&'static str, Option<Value>) {
    let mut input = vec![json!({"role": "user", "content": "hello"})];
    input.extend(more.as_array().unwrap().clone());
    ("/input", Some(json!(input)))
}

async fn refused(simulator: &Simulator, good: &Value, cases: &[(Changes<'_>, u16, &str)]) {
    for (changes, status, words) in cases {
        let answer = post(simulator, PATH, &OPENAI, &changed(good, changes)).await;
        assert_eq!(answer.status, *status, "{words}: {}", answer.text());
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
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
            (&[("/model", None)], 400, "Missing required parameter: 'model'."),
            (&[("/input", None)], 400, "One of \"input\" or \"previous_response_id\""),
            (&[("/messages", Some(json!([])))], 400, "Unknown parameter: 'messages'."),
            (&[("/max_tokens", Some(json!(100)))], 400, "Unknown parameter: 'max_tokens'."),
            (&[("/stop", Some(json!(["a"])))], 400, "Unknown parameter: 'stop'."),
            (&[("/seed", Some(json!(1)))], 400, "Unknown parameter: 'seed'."),
            (&[("/response_format", Some(json!({})))], 400, "Unknown parameter: 'response_format'."),
            (&[("/reasoning_effort", Some(json!("low")))], 400, "Unknown parameter: 'reasoning_effort'."),
            (
                &[("/stream", Some(json!(true))), ("/stream_options", Some(json!({"include_usage": true})))],
                400,
                "Unknown parameter: 'stream_options.include_usage'.",
            ),
            (&[("/stream_options", Some(json!({})))], 400, "only allowed when 'stream' is enabled"),
            (
                &[("/input", Some(json!(7)))],
                400,
                "expected one of a string or an array, but got an integer instead",
            ),
            (&[("/input/0/content/0/type", Some(json!("text")))], 400, "Invalid value: 'text'."),
            (
                &[("/input/0/content/0/cache_control", Some(json!({})))],
                400,
                "Unknown parameter: 'input[0].content[0].cache_control'.",
            ),
            (&[("/input/0/role", Some(json!("tool")))], 400, "Invalid value: 'tool'."),
            (&[("/tools/0/function", Some(json!({})))], 400, "Unknown parameter: 'tools[0].function'."),
            (&[("/include", Some(json!(["thoughts"])))], 400, "Invalid value: 'thoughts'."),
            (
                &[("/text", Some(json!({"format": {"type": "json_schema", "json_schema": {}}})))],
                400,
                "Missing required parameter: 'text.format.name'.",
            ),
            (
                &[("/previous_response_id", Some(json!("resp_x"))), ("/conversation", Some(json!("conv_x")))],
                400,
                "Mutually exclusive parameters",
            ),
        ],
    )
    .await;
    accepted(
        &simulator,
        &plain(),
        &[&[("/input", Some(json!("hello")))], &[("/include", Some(Value::Null))]],
    )
    .await;
}

#[tokio::test]
async fn unknown_fields_are_refused_everywhere() {
    let good = json!({
        "model": "gpt-5.1", "stream": true, "stream_options": {"include_obfuscation": false}, "metadata": {"a": "b"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": false}},
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false},
            {"type": "custom", "name": "g", "format": {"type": "grammar", "definition": "x", "syntax": "lark"}},
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "h", "strict": false, "parameters": {"type": "object", "properties": {}}}]},
            {"type": "web_search", "user_location": {"type": "approximate", "city": "Oslo"}},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "input": [
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "hello"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
            ]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "x", "annotations": []}, {"type": "refusal", "refusal": "x"}]},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "x"}]},
            {"type": "custom_tool_call", "call_id": "b", "name": "g", "input": "x"},
            {"type": "custom_tool_call_output", "call_id": "b", "output": "x"},
        ],
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
async fn items_and_what_belongs_together() {
    let simulator = simulator().await;
    let long = "x".repeat(65);
    let image =
        |url: Value| input(json!([{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]));
    let file = |file: Value| {
        let mut part = json!({"type": "input_file"});
        part.as_object_mut().unwrap().extend(file.as_object().unwrap().clone());
        input(json!([{"role": "user", "content": [part]}]))
    };
    refused(
        &simulator,
        &plain(),
        &[
            (&[input(json!([call("a")]))], 400, "No tool output found for function call a."),
            (&[input(json!([output("a")]))], 400, "No tool call found for function call output with call_id a."),
            (&[input(json!([output("a"), call("a")]))], 400, "No tool call found for function call output with call_id a."),
            (&[input(json!([call("a"), output("a"), output("a")]))], 400, "No tool call found"),
            (
                &[input(json!([{"type": "custom_tool_call", "call_id": "a", "name": "f", "input": "x"}, output("a")]))],
                400,
                "No tool call found for function call output",
            ),
            (&[input(json!([call(&long), output(&long)]))], 400, "Invalid 'input[1].call_id': string too long. Expected a string with maximum length 64, but got a string with length 65 instead."),
            (&[input(json!([{"type": "function_call", "id": "call_1", "call_id": "a", "name": "f", "arguments": "{}"}, output("a")]))], 400, "Expected an ID that begins with 'fc'."),
            (&[input(json!([{"type": "message", "id": "x_1", "role": "assistant", "content": "x"}]))], 400, "Expected an ID that begins with 'msg'."),
            (
                &[input(json!([{"id": "msg_1", "role": "assistant", "content": "x"}, {"id": "msg_1", "role": "assistant", "content": "y"}]))],
                400,
                "Duplicate item found with id msg_1.",
            ),
            (&[input(json!([{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]))], 400, "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'."),
            (&[input(json!([{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]))], 400, "Invalid value: 'output_text'. Supported values are: 'input_text', 'input_image', and 'input_file'."),
            (&[input(json!([{"type": "function_call", "call_id": "a", "name": "a.b", "arguments": "{}"}, output("a")]))], 400, "Invalid 'input[1].name': string does not match pattern"),
            (&[input(json!([{"type": "function_call", "call_id": "a", "name": "f", "arguments": {}}, output("a")]))], 400, "expected a string, but got an object instead"),
            (&[image(json!("cat.png"))], 400, "Expected a valid URL"),
            (&[image(json!({"url": "https://x"}))], 400, "expected a string, but got an object instead"),
            (&[image(Value::Null)], 400, "Missing required parameter: 'input[1].content[0].image_url'."),
            (&[file(json!({}))], 400, "Missing required parameter: 'input[1].content[0].file_data'."),
            (&[file(json!({"file_data": "data:application/pdf;base64,AAAA"}))], 400, "Missing required parameter: 'input[1].content[0].filename'."),
            (&[file(json!({"file_data": "AAAA", "filename": "a.pdf"}))], 400, "Expected a base64-encoded data URL"),
            (&[input(json!([{"type": "item_reference", "id": "msg_none"}]))], 404, "Item with id 'msg_none' not found."),
            (&[("/previous_response_id", Some(json!("resp_none")))], 400, "Previous response with id 'resp_none' not found."),
        ],
    )
    .await;
    accepted(&simulator, &plain(), &[&[input(json!([call("a"), call("b"), output("b"), output("a")]))]])
        .await;
}

#[tokio::test]
async fn tools_and_schemas() {
    let simulator = simulator().await;
    let tool = |tool: Value| {
        let mut whole =
            json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}});
        whole.as_object_mut().unwrap().extend(tool.as_object().unwrap().clone());
        ("/tools", Some(json!([whole])))
    };
    refused(
        &simulator,
        &plain(),
        &[
            (&[tool(json!({}))], 400, "'additionalProperties' is required to be supplied and to be false."),
            (&[tool(json!({"strict": null}))], 400, "'additionalProperties' is required to be supplied and to be false."),
            (&[tool(json!({"strict": false, "parameters": {"type": "object"}}))], 400, "object schema missing properties."),
            (&[tool(json!({"strict": false, "name": "a b"}))], 400, "Invalid 'tools[0].name': string does not match pattern"),
            (&[tool(json!({"strict": false, "name": "x".repeat(65)}))], 400, "maximum length 64"),
            (&[("/tool_choice", Some(json!({"type": "function", "name": "g"})))], 400, "Tool choice 'function' not found in 'tools' parameter."),
            (&[("/tool_choice", Some(json!({"type": "tool", "name": "f"})))], 400, "Invalid value: 'tool'."),
            (&[("/tools", Some(json!([]))), ("/tool_choice", Some(json!("required")))], 400, "'tool_choice' is only allowed when 'tools' are specified"),
            (
                &[("/text", Some(json!({"format": {"type": "json_schema", "name": "n", "strict": true, "schema": {"type": "object", "properties": {}}}})))],
                400,
                "Invalid schema for response_format 'n'",
            ),
            (&[("/text", Some(json!({"format": {"type": "json_object"}})))], 400, "must contain the word 'json'"),
        ],
    )
    .await;
    accepted(&simulator, &plain(), &[&[tool(json!({"strict": true, "parameters": null}))]]).await;
}

#[tokio::test]
async fn options_by_model() {
    let simulator = simulator().await;
    refused(
        &simulator,
        &plain(),
        &[
            (
                &[("/temperature", Some(json!(0.2)))],
                400,
                "'temperature' does not support 0.2 with this model",
            ),
            (&[("/top_logprobs", Some(json!(2)))], 400, "'top_logprobs' is not supported with this model"),
            (
                &[("/reasoning", Some(json!({"effort": "xhigh"})))],
                400,
                "'reasoning.effort' does not support 'xhigh'",
            ),
            (&[("/max_output_tokens", Some(json!(8)))], 400, "Expected a value >= 16, but got 8 instead."),
            (
                &[("/model", Some(json!("gpt-4.1"))), ("/reasoning", Some(json!({"effort": "low"})))],
                400,
                "'reasoning.effort' is not supported with this model",
            ),
            (
                &[("/model", Some(json!("gpt-4.1"))), ("/reasoning", Some(json!({"summary": "auto"})))],
                400,
                "'reasoning.summary' is not supported with this model",
            ),
            (&[("/model", Some(json!("gpt-none")))], 404, "The model `gpt-none` does not exist"),
        ],
    )
    .await;
}

#[tokio::test]
async fn reasoning_comes_back_with_its_blob() {
    let simulator = simulator().await;
    let ask = changed(
        &plain(),
        &[
            ("/input/0/content/0/text", Some(json!("sim:thinking Look it up. sim:tool f {}"))),
            ("/include", Some(json!(["reasoning.encrypted_content"]))),
        ],
    );
    let answer = post(&simulator, PATH, &OPENAI, &ask).await.json();
    let (thought, call) = (answer["output"][0].clone(), answer["output"][1].clone());
    assert_eq!(thought["summary"][0]["text"], "Look it up.");
    let done = output(call["call_id"].as_str().unwrap());
    let with = |pointer: &str, value: Option<Value>| {
        input(json!([changed(&thought, &[(pointer, value)]), call, done]))
    };
    accepted(&simulator, &plain(), &[&[input(json!([thought, call, done]))], &[with("/id", None)]]).await;
    refused(
        &simulator,
        &plain(),
        &[
            (
                &[with("/encrypted_content", Some(json!("gAAAAforeign")))],
                400,
                "could not be verified. Reason: Encrypted content could not be decrypted",
            ),
            (&[with("/id", Some(json!("rs_other")))], 400, "item_id did not match the target item id"),
            (
                &[with("/encrypted_content", None)],
                404,
                "Items are not persisted when `store` is set to false",
            ),
            (
                &[input(json!([thought]))],
                400,
                "of type 'reasoning' was provided without its required following item.",
            ),
        ],
    )
    .await;
    let other = [("authorization", "Bearer sk-other")];
    let answer =
        post(&simulator, PATH, &other, &changed(&plain(), &[input(json!([thought, call, done]))])).await;
    assert_eq!(answer.json()["error"]["code"], "invalid_encrypted_content", "another account");
}

#[tokio::test]
async fn a_stored_response_is_gone_on_from() {
    let simulator = simulator().await;
    let stored = changed(
        &plain(),
        &[("/store", None), ("/input/0/content/0/text", Some(json!("sim:thinking sim:tool f {}")))],
    );
    let first = post(&simulator, PATH, &OPENAI, &stored).await.json();
    let call = first["output"][1]["call_id"].as_str().unwrap();
    let next = changed(
        &plain(),
        &[("/input", Some(json!([output(call)]))), ("/previous_response_id", Some(first["id"].clone()))],
    );
    let second = post(&simulator, PATH, &OPENAI, &next).await;
    assert_eq!(second.status, 200, "{}", second.text());
    assert!(second.text().contains("f: done"), "{}", second.text());
    // Reasoning without its blob is found by its id, because it was stored.
    let items =
        json!([{"role": "user", "content": "x"}, first["output"][0], first["output"][1], output(call)]);
    accepted(&simulator, &plain(), &[&[("/input", Some(items))]]).await;
    let unstored = post(&simulator, PATH, &OPENAI, &plain()).await.json();
    refused(
        &simulator,
        &plain(),
        &[(&[("/previous_response_id", Some(unstored["id"].clone()))], 400, "not found")],
    )
    .await;
}

#[tokio::test]
async fn counting_checks_the_same() {
    let simulator = simulator().await;
    let path = "/v1/responses/input_tokens";
    let answer =
        post(&simulator, path, &OPENAI, &json!({"model": "gpt-5.1", "input": "x", "stream": true})).await;
    assert_eq!(message(&answer), "Unknown parameter: 'stream'.");
    let orphan = json!({"model": "gpt-5.1", "input": [output("a")]});
    assert_eq!(post(&simulator, path, &OPENAI, &orphan).await.status, 400);
}
