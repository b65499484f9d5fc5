//! Fields, messages, pictures.

use super::*;
use crate::{client::*, refusals::*};

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
