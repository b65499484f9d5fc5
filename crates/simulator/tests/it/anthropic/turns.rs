//! Fields, turns, results, breakpoints, pictures.

use super::*;
use crate::{client::*, refusals::*};

#[tokio::test]
async fn fields_and_types() {
    let simulator = simulator().await;
    refused(
        &simulator,
        &old(),
        &[
            (&[("/model", None)], "model: Field required"),
            (&[("/max_tokens", None)], "max_tokens: Field required"),
            (&[("/messages", None)], "messages: Field required"),
            (&[("/max_tokens", Some(json!("4000")))], "max_tokens: Input should be a valid integer"),
            (&[("/stream", Some(json!("yes")))], "stream: Input should be a valid boolean"),
            (&[("/stop_sequences", Some(json!("a")))], "stop_sequences: Input should be a valid list"),
            (
                &[("/messages/0/content", Some(json!({})))],
                "messages.0.content: Input should be a valid string",
            ),
            (
                &[("/messages/0/role", Some(json!("tool")))],
                "messages.0.role: Input should be 'user', 'assistant'",
            ),
            (
                &[("/messages/0/content/0/type", Some(json!("input_text")))],
                "messages.0.content.0.type: Input should be",
            ),
            (&[("/messages/0/content/0/text", None)], "messages.0.content.0.text.text: Field required"),
            (
                &[("/max_completion_tokens", Some(json!(1)))],
                "max_completion_tokens: Extra inputs are not permitted",
            ),
            (&[("/betas", Some(json!([])))], "betas: Extra inputs are not permitted"),
            (&[("/stream_options", Some(json!({})))], "stream_options: Extra inputs are not permitted"),
            (
                &[("/parallel_tool_calls", Some(json!(true)))],
                "parallel_tool_calls: Extra inputs are not permitted",
            ),
            (
                &[("/service_tier", Some(json!("flex")))],
                "service_tier: Input should be 'auto' or 'standard_only'",
            ),
            (
                &[("/tools/0/function", Some(json!({})))],
                "tools.0.custom.function: Extra inputs are not permitted",
            ),
            (&[("/tools/0/type", Some(json!("function")))], "tools.0.type: Input should be 'custom'"),
            (&[("/tool_choice", Some(json!("auto")))], "tool_choice: Input should be a valid dictionary"),
            (
                &[("/tool_choice", Some(json!({"type": "required"})))],
                "tool_choice.type: Input should be 'auto'",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn unknown_fields_are_refused_everywhere() {
    let good = json!({
        "model": "claude-sonnet-4-6", "max_tokens": 8000, "stream": false, "system": [
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "metadata": {"user_id": "u"}, "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": false}}},
        "tools": [
            {"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search", "user_location": {"type": "approximate", "city": "Oslo"}},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}, "citations": {"enabled": true}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
                {"type": "text", "text": "hello"},
            ]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "is_error": false, "content": [{"type": "text", "text": "x"}]},
            ]},
        ],
    });
    // Markers with an hour come before those with five minutes.
    let good = changed(&good, &[("/tools/0/cache_control", Some(json!({"type": "ephemeral", "ttl": "1h"})))]);
    unknown_fields_are_refused(
        &simulator().await,
        PATH,
        &ANTHROPIC,
        &good,
        &["/input_schema", "/input", "/schema"],
    )
    .await;
}

#[tokio::test]
async fn the_order_of_turns() {
    let simulator = simulator().await;
    let missing = "`tool_use` ids were found without `tool_result` blocks immediately after";
    let hello = || user(json!("hello"));
    refused(
        &simulator,
        &old(),
        &[
            (&[turns(json!([]))], "at least one message is required"),
            (&[turns(json!([assistant(json!("hi")), hello()]))], "first message must use the \"user\" role"),
            (&[turns(json!([user(json!(""))]))], "all messages must have non-empty content"),
            (&[turns(json!([user(json!([]))]))], "all messages must have non-empty content"),
            (&[turns(json!([user(json!([text("")]))]))], "text content blocks must be non-empty"),
            (&[turns(json!([user(json!([text(" \n")]))]))], "must contain non-whitespace text"),
            (
                &[("/system", Some(json!([{"type": "text", "text": ""}])))],
                "text content blocks must be non-empty",
            ),
            (&[turns(json!([hello(), assistant(json!([call("a")]))]))], missing),
            (&[turns(json!([hello(), assistant(json!([call("a")])), user(json!("go on"))]))], missing),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("a"), call("b")])),
                    user(json!([result("a")]))
                ]))],
                "after: b.",
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("a")])),
                    user(json!([text("first"), result("a")]))
                ]))],
                missing,
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("a"), call("b")])),
                    user(json!([result("a")])),
                    user(json!([result("b")]))
                ]))],
                missing,
            ),
            (
                &[turns(json!([user(json!([result("x")]))]))],
                "unexpected `tool_use_id` found in `tool_result` blocks: x",
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("a")])),
                    user(json!([result("a"), result("x")]))
                ]))],
                "unexpected `tool_use_id` found in `tool_result` blocks: x",
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("a")])),
                    user(json!([result("a"), result("a")]))
                ]))],
                "each tool_use must have a single result",
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("a"), call("a")])),
                    user(json!([result("a")]))
                ]))],
                "`tool_use` ids must be unique",
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([call("fs.read:0")])),
                    user(json!([result("fs.read:0")]))
                ]))],
                "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
            ),
            (
                &[turns(json!([user(json!([call("a")]))]))],
                "`tool_use` blocks can only be in `assistant` messages",
            ),
            (
                &[turns(json!([
                    hello(),
                    assistant(json!([{"type": "image", "source": {"type": "url", "url": "https://x"}}])),
                    hello()
                ]))],
                "`image` blocks can only be in `user` messages",
            ),
            (
                &[turns(json!([hello(), {"role": "system", "content": "x"}]))],
                "role 'system' is not supported on this model",
            ),
            (&[turns(json!([hello(), assistant(json!("so "))]))], "cannot end with trailing whitespace"),
        ],
    )
    .await;
    refused(
        &simulator,
        &new(),
        &[(&[turns(json!([hello(), assistant(json!("so"))]))], "does not support assistant message prefill")],
    )
    .await;
    accepted(
        &simulator,
        &old(),
        &[
            &[turns(json!([hello(), hello()]))],
            &[turns(json!([hello(), assistant(json!("so"))]))],
            &[turns(json!([
                hello(),
                assistant(json!([call("a")])),
                assistant(json!([call("b")])),
                user(json!([result("b"), result("a"), text("go on")]))
            ]))],
            &[turns(json!([
                hello(),
                assistant(json!([call("a")])),
                user(json!([result("a")])),
                assistant(json!([call("a")])),
                user(json!([result("a")]))
            ]))],
        ],
    )
    .await;
    accepted(&simulator, &new(), &[&[turns(json!([hello(), {"role": "system", "content": "x"}]))]]).await;
}

#[tokio::test]
async fn results_of_tools() {
    let simulator = simulator().await;
    let with = |result: Value| {
        turns(json!([user(json!("hello")), assistant(json!([call("a")])), user(json!([result]))]))
    };
    let base = |more: Value| {
        let mut result = json!({"type": "tool_result", "tool_use_id": "a"});
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        result
    };
    refused(
        &simulator,
        &old(),
        &[
            (&[with(base(json!({"is_error": true})))], "content cannot be empty if `is_error` is true"),
            (
                &[with(base(json!({"is_error": true, "content": [{"type": "image", "source": {"type": "url", "url": "https://x"}}]})))],
                "all content must be type \"text\" if `is_error` is true",
            ),
            (&[with(base(json!({"content": [text("")]})))], "text content blocks must be non-empty"),
            (&[with(base(json!({"content": {"a": 1}})))], "tool_result.content: Input should be a valid string"),
            (&[with(base(json!({"output": "x"})))], "output: Extra inputs are not permitted"),
        ],
    )
    .await;
    accepted(&simulator, &old(), &[&[with(base(json!({})))], &[with(base(json!({"content": ""})))]]).await;
}

#[tokio::test]
async fn cache_breakpoints() {
    let simulator = simulator().await;
    let marked = |ttl: Option<&str>| match ttl {
        Some(ttl) => json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": ttl}}),
        None => json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}),
    };
    let five: Vec<Value> = (0..5).map(|_| marked(None)).collect();
    refused(
        &simulator,
        &old(),
        &[
            (&[turns(json!([user(json!(five))]))], "A maximum of 4 blocks with cache_control may be provided. Found 5."),
            (&[turns(json!([user(json!([marked(Some("5m")), marked(Some("1h"))]))]))], "must not come after a ttl='5m'"),
            (&[turns(json!([user(json!([{"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}]))]))], "cache_control cannot be set for empty text blocks"),
            (&[turns(json!([user(json!([marked(Some("30m"))]))]))], "ttl: Input should be '5m' or '1h'"),
            (
                &[turns(json!([user(json!([{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "scope": "global"}}]))]))],
                "cache_control.ephemeral.scope: Extra inputs are not permitted",
            ),
        ],
    )
    .await;
    accepted(&simulator, &old(), &[&[turns(json!([user(json!([marked(Some("1h")), marked(None)]))]))]]).await;
}

#[tokio::test]
async fn pictures_and_documents() {
    let simulator = simulator().await;
    let image = |media_type: &str, data: &str| {
        turns(json!([user(
            json!([{"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}])
        )]))
    };
    let document = |source: Value| turns(json!([user(json!([{"type": "document", "source": source}]))]));
    refused(
        &simulator,
        &old(),
        &[
            (
                &[image("image/jpeg", PNG)],
                "specified using the image/jpeg media type, but the image appears to be a image/png image",
            ),
            (&[image("image/png", "%%%")], "not valid base64"),
            (&[image("image/png", "aGVsbG8=")], "Could not process image"),
            (&[image("image/tiff", PNG)], "media_type: Input should be 'image/jpeg'"),
            (
                &[document(json!({"type": "base64", "media_type": "application/pdf", "data": "aGVsbG8="}))],
                "The PDF specified was not valid",
            ),
            (
                &[document(json!({"type": "url", "url": "file:///etc/passwd"}))],
                "Only HTTPS URLs are supported",
            ),
        ],
    )
    .await;
    let answer = post(&simulator, PATH, &ANTHROPIC, &changed(&old(), &[image("image/png", PNG)])).await;
    assert!(answer.text().contains("I see image/png of 70 bytes"), "{}", answer.text());
}
