//! What the Messages endpoint refuses, and in which words.

use crate::{
    client::{ANTHROPIC, post, simulator},
    refusals::{Changes, changed, message, unknown_fields_are_refused},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

const PATH: &str = "/v1/messages";
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// An older model: budgets, sampling, prefill.
fn old() -> Value {
    json!({
        "model": "claude-sonnet-4-5-20250929", "max_tokens": 4000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
    })
}

/// A new model: adaptive only, no sampling, no prefill.
fn new() -> Value {
    changed(&old(), &[("/model", Some(json!("claude-opus-5-5")))])
}

fn turns(turns: Value) -> (&'static str, Option<Value>) {
    ("/messages", Some(turns))
}

fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn assistant(content: Value) -> Value {
    json!({"role": "assistant", "content": content})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "f", "input": {}})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "done"})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

async fn refused(simulator: &Simulator, good: &Value, cases: &[(Changes<'_>, &str)]) {
    for (changes, words) in cases {
        let answer = post(simulator, PATH, &ANTHROPIC, &changed(good, changes)).await;
        assert_eq!(answer.status, 400, "{words}: {}", answer.text());
        let body = answer.json();
        assert_eq!(
            (&body["type"], &body["error"]["type"]),
            (&json!("error"), &json!("invalid_request_error"))
        );
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
        assert!(!answer.header("request-id").is_empty());
    }
}

async fn accepted(simulator: &Simulator, good: &Value, cases: &[Changes<'_>]) {
    for changes in cases {
        let answer = post(simulator, PATH, &ANTHROPIC, &changed(good, changes)).await;
        assert_eq!(answer.status, 200, "{changes:?}: {}", answer.text());
    }
}

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
async fn tools_and_the_choice_among_them() {
    let simulator = simulator().await;
    let tool = |name: &str, schema: Value| ("/tools", Some(json!([{"name": name, "input_schema": schema}])));
    let object = || json!({"type": "object"});
    refused(
        &simulator,
        &old(),
        &[
            (&[tool("a.b", object())], "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
            (&[tool("", object())], "tools.0.custom.name: String should match pattern"),
            (&[tool(&"x".repeat(129), object())], "tools.0.custom.name: String should match pattern"),
            (&[tool("f", json!({}))], "tools.0.custom.input_schema.type: Field required"),
            (&[tool("f", json!({"type": "string"}))], "tools.0.custom.input_schema.type: Input should be 'object'"),
            (&[tool("f", json!({"type": "object", "anyOf": []}))], "does not support oneOf, allOf, or anyOf at the top level"),
            (
                &[("/tools", Some(json!([{"name": "f", "input_schema": object()}, {"name": "f", "input_schema": object()}])))],
                "Tool names must be unique",
            ),
            (
                &[("/tools/0/strict", Some(json!(true)))],
                "'additionalProperties' must be explicitly set to false",
            ),
            (&[("/tools/0", Some(json!({"type": "web_search_20250305", "name": "search"})))], "tools.0.web_search_20250305.name: Input should be 'web_search'"),
            (&[("/tools", Some(json!([]))), ("/tool_choice", Some(json!({"type": "auto"})))], "may only be specified while providing tools"),
            (&[("/tool_choice", Some(json!({"type": "tool", "name": "g"})))], "Tool 'g' not found in provided tools"),
            (
                &[("/tool_choice", Some(json!({"type": "any"}))), ("/thinking", Some(json!({"type": "enabled", "budget_tokens": 1024})))],
                "Thinking may not be enabled when tool_choice forces tool use",
            ),
        ],
    )
    .await;
    let broken = |schema: Value| {
        ("/output_config", Some(json!({"format": {"type": "json_schema", "schema": schema}})))
    };
    refused(
        &simulator,
        &new(),
        &[
            (&[broken(json!({"type": "object", "properties": {}}))], "output_config.format.schema: For 'object' type"),
            (
                &[broken(json!({"type": "object", "additionalProperties": false, "properties": {"n": {"type": "integer", "minimum": 1}}}))],
                "output_config.format.schema.properties.n: For 'integer' type, property 'minimum' is not supported",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn thinking_and_sampling_by_model() {
    let simulator = simulator().await;
    let enabled = |budget: i64| ("/thinking", Some(json!({"type": "enabled", "budget_tokens": budget})));
    refused(
        &simulator,
        &old(),
        &[
            (
                &[enabled(1000)],
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            ),
            (&[enabled(4000)], "`max_tokens` must be greater than `thinking.budget_tokens`"),
            (
                &[("/thinking", Some(json!({"type": "adaptive"})))],
                "adaptive thinking is not supported on this model",
            ),
            (
                &[enabled(1024), ("/temperature", Some(json!(0.5)))],
                "`temperature` may only be set to 1 when thinking is enabled",
            ),
            (&[enabled(1024), ("/top_p", Some(json!(0.5)))], "`top_p` must be greater than or equal to 0.95"),
            (&[enabled(1024), ("/top_k", Some(json!(5)))], "`top_k` must be unset when thinking is enabled"),
            (
                &[("/temperature", Some(json!(0.5))), ("/top_p", Some(json!(0.5)))],
                "`temperature` and `top_p` cannot both be specified",
            ),
            (&[("/temperature", Some(json!(1.5)))], "temperature: range: 0..1"),
            (&[("/output_config", Some(json!({"effort": "low"})))], "does not support the effort parameter"),
            (
                &[("/max_tokens", Some(json!(64_001)))],
                "max_tokens: 64001 > 64000, which is the maximum allowed",
            ),
            (&[("/max_tokens", Some(json!(0)))], "max_tokens: Input should be greater than or equal to 1"),
            (
                &[("/stop_sequences", Some(json!(["a", " "])))],
                "each stop sequence must contain non-whitespace",
            ),
            (&[("/metadata", Some(json!({"user_id": "x".repeat(257)})))], "at most 256 characters"),
        ],
    )
    .await;
    refused(
        &simulator,
        &new(),
        &[
            (&[enabled(1024)], "\"thinking.type.enabled\" is not supported for this model"),
            (
                &[("/thinking", Some(json!({"type": "disabled"})))],
                "\"thinking.type.disabled\" is not supported",
            ),
            (&[("/temperature", Some(json!(0.5)))], "`temperature` is deprecated for this model"),
            (&[("/top_p", Some(json!(0.5)))], "`top_p` is deprecated for this model"),
            (&[("/top_k", Some(json!(5)))], "`top_k` is deprecated for this model"),
            (
                &[("/output_config", Some(json!({"effort": "minimal"})))],
                "output_config.effort: Input should be",
            ),
        ],
    )
    .await;
    accepted(
        &simulator,
        &old(),
        &[
            &[enabled(1024), ("/temperature", Some(json!(1)))],
            &[("/temperature", Some(json!(0.2)))],
            &[("/thinking", Some(json!({"type": "disabled"})))],
        ],
    )
    .await;
    accepted(
        &simulator,
        &new(),
        &[&[
            ("/thinking", Some(json!({"type": "adaptive"}))),
            ("/output_config", Some(json!({"effort": "xhigh"}))),
        ]],
    )
    .await;
}

#[tokio::test]
async fn thinking_comes_back_unchanged() {
    let simulator = simulator().await;
    let thinking = ("/thinking", Some(json!({"type": "enabled", "budget_tokens": 1024})));
    let ask = changed(
        &old(),
        &[
            thinking.clone(),
            ("/messages/0/content/0/text", Some(json!("sim:thinking Look it up. sim:tool f {}"))),
        ],
    );
    let answer = post(&simulator, PATH, &ANTHROPIC, &ask).await.json();
    let (thought, call) = (answer["content"][0].clone(), answer["content"][1].clone());
    assert_eq!(
        (thought["thinking"].as_str(), call["type"].as_str()),
        (Some("Look it up."), Some("tool_use"))
    );
    let back = |blocks: Value| {
        turns(json!([
            user(json!("go")),
            assistant(blocks),
            user(json!([result(call["id"].as_str().unwrap())]))
        ]))
    };
    let with = |pointer: &str, value: Value| {
        let mut thought = thought.clone();
        thought[pointer] = value;
        back(json!([thought, call]))
    };
    accepted(
        &simulator,
        &old(),
        &[
            &[back(json!([thought, call])), thinking.clone()],
            &[with("thinking", json!("")), thinking.clone()],
        ],
    )
    .await;
    let redacted = |data: &str| back(json!([{"type": "redacted_thinking", "data": data}, call]));
    refused(
        &simulator,
        &old(),
        &[
            (
                &[with("signature", json!("skip_thought_signature_validator"))],
                "messages.1.content.0: Invalid `signature` in `thinking` block",
            ),
            (&[with("signature", json!(""))], "Invalid `signature` in `thinking` block"),
            (&[with("thinking", json!("Look it up, please."))], "cannot be modified"),
            (&[redacted("gAAAA")], "Invalid `data` in `redacted_thinking` block"),
            (
                &[back(json!([call])), thinking.clone()],
                "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
            ),
            (
                &[back(json!([{"type": "thinking", "thinking": "x"}, call]))],
                "thinking.signature: Field required",
            ),
        ],
    )
    .await;
    let hidden = changed(&ask, &[("/messages/0/content/0/text", Some(json!("sim:redacted sim:tool f {}")))]);
    let blocks = post(&simulator, PATH, &ANTHROPIC, &hidden).await.json()["content"].clone();
    assert_eq!(blocks[0]["type"], "redacted_thinking");
    let data = blocks[0]["data"].as_str().unwrap();
    accepted(&simulator, &old(), &[&[redacted(data), thinking]]).await;
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

#[tokio::test]
async fn searches_come_back_as_they_were_issued() {
    let simulator = simulator().await;
    let search = ("/tools", Some(json!([{"type": "web_search_20250305", "name": "web_search"}])));
    let ask =
        changed(&old(), &[search.clone(), ("/messages/0/content/0/text", Some(json!("sim:search Oslo")))]);
    let content = post(&simulator, PATH, &ANTHROPIC, &ask).await.json()["content"].clone();
    assert_eq!(content[0]["type"], "server_tool_use");
    assert_eq!(content[1]["type"], "web_search_tool_result");
    assert_eq!(content[2]["citations"][0]["type"], "web_search_result_location");
    let back =
        |content: &Value| turns(json!([user(json!("go")), assistant(content.clone()), user(json!("and?"))]));
    accepted(&simulator, &old(), &[&[search.clone(), back(&content)]]).await;
    let foreign = changed(&content, &[("/1/content/0/encrypted_content", Some(json!("")))]);
    let orphan = json!([content[1], content[2]]);
    let open = json!([content[0], content[2]]);
    refused(
        &simulator,
        &old(),
        &[
            (&[back(&foreign)], "Invalid `encrypted_content`"),
            (&[back(&orphan)], "unexpected `tool_use_id` found in `web_search_tool_result` blocks"),
            (&[back(&open)], "was found without a corresponding result block"),
        ],
    )
    .await;
}

#[tokio::test]
async fn credentials_versions_and_betas() {
    let simulator = simulator().await;
    let sentence = json!([{"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude."}, {"type": "text", "text": "Be brief."}]);
    let oauth = ("authorization", "Bearer sk-ant-oat01-sim-ada");
    let version = ("anthropic-version", "2023-06-01");
    let newer = ("anthropic-version", "2026-10-21");
    let key = ("x-api-key", "sk-ant-api03-x");
    let beta = ("anthropic-beta", "claude-code-20250219,oauth-2025-04-20");
    let haiku = ("/model", Some(json!("claude-haiku-4-5-20251001")));
    let heat = ("/temperature", Some(json!(1)));
    type Case<'a> = (&'a [(&'a str, &'a str)], Changes<'a>, u16, &'a str);
    let cases: [Case<'_>; 19] = [
        (&[key, version], &[], 200, ""),
        (&[("authorization", "Bearer sk-ant-api03-x"), newer], &[], 200, ""),
        (&[key, newer], &[heat.clone()], 400, "temperature: Extra inputs are not permitted"),
        (
            &[key, newer],
            &[turns(json!([user(json!([{"type": "text", "text": "x", "citations": []}]))]))],
            400,
            "citations: Extra inputs are not permitted",
        ),
        (&[version], &[], 401, "x-api-key header is required"),
        (&[("x-api-key", "sk-other"), version], &[], 401, "invalid x-api-key"),
        (&[("x-api-key", "sk-ant-oat01-sim-ada"), version], &[], 401, "invalid x-api-key"),
        (&[("authorization", "Bearer sk-other"), version], &[], 401, "Invalid bearer token"),
        (&[key, oauth, version, beta], &[], 401, "Only one of"),
        (&[key], &[], 400, "anthropic-version: header is required"),
        (&[key, ("anthropic-version", "2024-01-01")], &[], 400, "is not a valid version"),
        (
            &[key, version, ("anthropic-beta", "prompt-caching-2024-07-31")],
            &[],
            400,
            "Unexpected value(s) `prompt-caching-2024-07-31`",
        ),
        (
            &[oauth, version],
            &[("/system", Some(sentence.clone()))],
            401,
            "OAuth authentication is currently not supported",
        ),
        (&[oauth, version, beta], &[], 400, "only authorized for use with Claude Code"),
        (&[oauth, version, beta], &[("/system", Some(sentence.clone()))], 200, ""),
        (
            &[oauth, version, beta],
            &[(
                "/system",
                Some(json!("You are Claude Code, Anthropic's official CLI for Claude. Be brief.")),
            )],
            400,
            "only authorized",
        ),
        (&[oauth, version, beta], &[haiku], 200, ""),
        (
            &[("authorization", "Bearer sk-ant-oat01-unknown"), version, beta],
            &[],
            401,
            "Invalid bearer token",
        ),
        (&[key, version], &[("/model", Some(json!("claude-none")))], 404, "model: claude-none"),
    ];
    for (headers, changes, status, words) in cases {
        let answer = post(&simulator, PATH, headers, &changed(&old(), changes)).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(words), "{headers:?}: {}", answer.text());
    }
    let limits =
        post(&simulator, PATH, &[oauth, version, beta], &changed(&old(), &[("/system", Some(sentence))]))
            .await;
    assert_eq!(limits.header("anthropic-ratelimit-unified-status"), "allowed");
    let limits = post(&simulator, PATH, &[key, version], &old()).await;
    assert!(limits.header("anthropic-ratelimit-requests-reset").ends_with('Z'));
}

#[tokio::test]
async fn features_behind_betas() {
    let simulator = simulator().await;
    let edits = json!({"edits": [{"type": "clear_thinking_20251015"}]});
    let cases: [(&str, Changes<'_>, &str); 5] = [
        ("fast-mode-2026-02-01", &[("/speed", Some(json!("fast")))], "speed: Extra inputs are not permitted"),
        (
            "context-management-2025-06-27",
            &[("/context_management", Some(json!({"edits": []})))],
            "context_management: Extra inputs are not permitted",
        ),
        (
            "mcp-client-2025-11-20",
            &[("/mcp_servers", Some(json!([])))],
            "mcp_servers: Extra inputs are not permitted",
        ),
        (
            "task-budgets-2026-03-13",
            &[("/output_config", Some(json!({"task_budget": {"type": "tokens", "total": 1000}})))],
            "output_config.task_budget: Extra inputs are not permitted",
        ),
        (
            "mid-conversation-tool-changes-2026-07-01",
            &[turns(
                json!([user(json!([text("hi")])), {"role": "system", "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "tool_name": "f"}}]}]),
            )],
            "messages.1.content.0.type: Input should be",
        ),
    ];
    for (beta, changes, words) in cases {
        refused(&simulator, &new(), &[(changes, words)]).await;
        let headers = [ANTHROPIC[0], ANTHROPIC[1], ("anthropic-beta", beta)];
        let answer = post(&simulator, PATH, &headers, &changed(&new(), changes)).await;
        assert_eq!(answer.status, 200, "{beta}: {}", answer.text());
    }
    let headers = [ANTHROPIC[0], ANTHROPIC[1], ("anthropic-beta", "context-management-2025-06-27")];
    let answer =
        post(&simulator, PATH, &headers, &changed(&old(), &[("/context_management", Some(edits))])).await;
    assert!(message(&answer).contains("strategy requires `thinking`"), "{}", answer.text());
}

#[tokio::test]
async fn counting_takes_no_limit_and_checks_the_turns() {
    let simulator = simulator().await;
    let good = changed(&old(), &[("/max_tokens", None)]);
    let path = "/v1/messages/count_tokens?beta=true";
    assert_eq!(post(&simulator, path, &ANTHROPIC, &good).await.status, 200);
    let answer = post(&simulator, path, &ANTHROPIC, &old()).await;
    assert_eq!(message(&answer), "max_tokens: Extra inputs are not permitted");
    let answer =
        post(&simulator, path, &ANTHROPIC, &changed(&good, &[turns(json!([assistant(json!("x"))]))])).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn a_lenient_key_takes_what_is_unknown() {
    let simulator = simulator().await;
    let body = changed(&old(), &[("/vendor_field", Some(json!(1))), ("/model", Some(json!("glm-9")))]);
    for headers in [
        [("x-api-key", "any-lenient"), ANTHROPIC[1]],
        [("authorization", "Bearer any-lenient"), ANTHROPIC[1]],
    ] {
        assert_eq!(post(&simulator, PATH, &headers, &body).await.status, 200, "{headers:?}");
    }
    assert_eq!(post(&simulator, PATH, &ANTHROPIC, &body).await.status, 400);
}
