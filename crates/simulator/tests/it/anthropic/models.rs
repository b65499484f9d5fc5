//! Tools, thinking, sampling and searches, by model.

use super::*;
use crate::{client::*, refusals::*};

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
            (
                &[broken(json!({"type": "array", "minItems": 2, "items": {"type": "string"}}))],
                "output_config.format.schema: For 'array' type, property 'minItems' is not supported",
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
