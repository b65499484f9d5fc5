//! F: schemas and parameters.

use crate::support::*;
use byok_types::{
    Dialect::{self, Chat, Gemini, Messages, Responses},
    MaxTokensField,
};
use serde_json::{Value, json};

fn with_tool(schema: &Value) -> Value {
    let mut body = chat([user("x")]);
    body["tools"] =
        json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}]);
    body
}

/// The schema of a tool as a Gemini upstream gets it that does not read JSON Schema.
fn cleaned(properties: &Value) -> Value {
    let mut gemini = facts(Gemini);
    gemini.json_schema_tools = false;
    let schema = json!({"type": "object", "properties": properties});
    let sent = asked_of(Chat, Gemini, &gemini, &with_tool(&schema)).0;
    sent["tools"][0]["functionDeclarations"][0]["parameters"]["properties"].clone()
}

#[test]
fn t96_words_that_gemini_does_not_know_become_a_description() {
    let schema = json!({"p": {
        "$schema": "http://json-schema.org/draft-07/schema#", "$comment": "c", "type": "string", "format": "uri", "const": "v",
        "enumDescriptions": ["e"], "uniqueItems": true,
    }, "o": {"type": "object", "properties": {"q": {"type": "string"}}, "propertyNames": {"pattern": "^a"}, "additionalProperties": false}});
    let clean = cleaned(&schema);
    for key in ["$schema", "$comment", "const", "format", "enumDescriptions", "uniqueItems"] {
        assert!(clean["p"].get(key).is_none(), "{key} {clean}");
    }
    for key in ["propertyNames", "additionalProperties"] {
        assert!(clean["o"].get(key).is_none(), "{key} {clean}");
    }
    assert_eq!(clean["p"]["enum"], json!(["v"]));
    assert!(clean["p"]["description"].as_str().unwrap().contains("uri"), "{clean}");
}

#[test]
fn t97_an_enum_is_made_of_text() {
    assert_eq!(cleaned(&json!({"p": {"type": "string", "enum": [1, 2]}}))["p"]["enum"], json!(["1", "2"]));
}

#[test]
fn t98_a_type_that_may_be_null_is_nullable() {
    let clean = &cleaned(&json!({"p": {"type": ["string", "null"]}}))["p"];
    assert_eq!(clean, &json!({"type": "string", "nullable": true}));
}

#[test]
fn t99_a_parameter_may_have_the_name_of_a_keyword() {
    let inner = json!({"type": "string"});
    let names = ["title", "pattern", "format", "default", "const", "additionalProperties", "$ref"];
    let schema: Value = names
        .iter()
        .map(|name| ((*name).to_owned(), inner.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let clean = cleaned(&schema);
    for name in &names[..6] {
        assert_eq!(clean[name], inner, "{name}");
    }
    assert_eq!(clean.as_object().unwrap().len(), names.len(), "{clean}");
}

#[test]
fn t100_an_object_has_properties() {
    let body = with_tool(&json!({"type": "object"}));
    let expected = json!({"type": "object", "properties": {}});
    assert_eq!(asked(Chat, Responses, &body)["tools"][0]["parameters"], expected);
    let declared =
        json!({"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]});
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}], "tools": [declared]});
    assert_eq!(asked(Gemini, Chat, &gemini)["tools"][0]["function"]["parameters"], expected);
    assert_eq!(asked(Chat, Messages, &body)["tools"][0]["input_schema"], expected);
}

#[test]
fn t101_all_keys_for_gemini_are_in_camel_case() {
    let body = json!({
        "system_instruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "x"}, {"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]},
            {"role": "model", "parts": [{"function_call": {"name": "f", "args": {}}, "thought_signature": "U0lH"}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {}}}]},
        ],
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object", "properties": {}}}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        "generation_config": {"max_output_tokens": 9, "top_p": 0.5, "stop_sequences": ["s"], "response_mime_type": "text/plain",
            "thinking_config": {"thinking_budget": 1024, "include_thoughts": true}},
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    });
    let sent = asked(Gemini, Gemini, &body);
    let mut keys = Vec::new();
    collect(&sent, &mut keys);
    assert!(!keys.iter().any(|key| key.contains('_')), "{keys:?}");
    for key in [
        "systemInstruction",
        "inlineData",
        "functionCall",
        "functionResponse",
        "functionDeclarations",
        "maxOutputTokens",
        "thinkingBudget",
        "safetySettings",
    ] {
        assert!(keys.iter().any(|found| found == key), "{key} {sent}");
    }
}

fn collect(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                keys.push(key.clone());
                collect(value, keys);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}

/// Tuples of pydantic and zod, and lists of anything, say nothing under `items`; servers in the manner of `OpenAI` refuse them.
#[test]
fn lists_say_what_is_in_them() {
    let schema = json!({"type": "object", "properties": {
        "t": {"type": "array"},
        "u": {"type": ["array", "null"], "prefixItems": [{"type": "string"}]},
        "v": {"type": "object", "properties": {"w": {"type": "array"}}},
    }});
    let mut body = messages([user("x")]);
    body["tools"] = json!([{"name": "f", "input_schema": schema}]);
    body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    for (upstream, tool, format) in [
        (Chat, "/tools/0/function/parameters", "/response_format/json_schema/schema"),
        (Responses, "/tools/0/parameters", "/text/format/schema"),
    ] {
        let sent = asked(Messages, upstream, &body);
        for place in [tool, format] {
            let lists = sent.pointer(place).map(|schema| &schema["properties"]).unwrap();
            for list in [&lists["t"], &lists["u"], &lists["v"]["properties"]["w"]] {
                assert_eq!(list["items"], json!({}), "{upstream:?} {place} {list}");
            }
        }
    }
}

#[test]
fn t102_json_with_and_without_a_schema() {
    let config = |format: Value| {
        let mut body = chat([user("x")]);
        body["response_format"] = format;
        asked(Chat, Gemini, &body)["generationConfig"].clone()
    };
    let schema = |config: &Value| config.get("responseSchema").or(config.get("responseJsonSchema")).cloned();
    let object = config(json!({"type": "json_object"}));
    assert_eq!((&object["responseMimeType"], schema(&object)), (&json!("application/json"), None));
    let wanted = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let typed = config(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": wanted}}));
    assert_eq!(typed["responseMimeType"], "application/json");
    assert_eq!(schema(&typed).unwrap()["properties"]["a"]["type"], "string");
}

#[test]
fn t103_the_cap_has_the_name_that_the_upstream_knows() {
    let mut openai = facts(Chat);
    for (field, key) in [
        (MaxTokensField::MaxCompletionTokens, Some("max_completion_tokens")),
        (MaxTokensField::MaxTokens, Some("max_tokens")),
        (MaxTokensField::Omit, None),
    ] {
        openai.max_tokens_field = field;
        let sent = asked_of(Messages, Chat, &openai, &messages([user("x")])).0;
        for name in ["max_completion_tokens", "max_tokens"] {
            assert_eq!(sent.get(name), (key == Some(name)).then_some(&json!(1000)), "{name} {sent}");
        }
    }
}

#[test]
fn t105_claude_gets_one_way_of_sampling_and_none_beside_thinking() {
    let mut body = chat([user("x")]);
    body["temperature"] = json!(0.2);
    body["top_p"] = json!(0.9);
    let sent = asked(Chat, Messages, &body);
    assert!(sent.get("temperature").is_none() || sent.get("top_p").is_none(), "{sent}");
    body["reasoning_effort"] = "high".into();
    let sent = asked(Chat, Messages, &body);
    assert_eq!(sent["thinking"]["type"], "enabled");
    assert!(sent.get("temperature").is_none() && sent.get("top_p").is_none(), "{sent}");
}

#[test]
fn t106_stop_is_a_list() {
    let mut body = messages([user("x")]);
    body["stop_sequences"] = json!(["a"]);
    assert_eq!(asked(Messages, Chat, &body)["stop"], json!(["a"]));
    let mut body = chat([user("x")]);
    body["stop"] = "a".into();
    assert_eq!(asked(Chat, Chat, &body)["stop"], json!(["a"]));
    assert_eq!(asked(Chat, Messages, &body)["stop_sequences"], json!(["a"]));
}

#[test]
fn t107_only_known_settings_are_sent() {
    let mut body = chat([user("x")]);
    for (key, value) in [
        ("stream", json!(true)),
        ("stream_options", json!({"include_usage": true})),
        ("n", json!(1)),
        ("logit_bias", json!({"1": 1})),
        ("seed", json!(1)),
        ("invented", json!(1)),
    ] {
        body[key] = value;
    }
    for upstream in [Responses, Messages, Gemini] {
        let sent = asked(Chat, upstream, &body);
        for key in ["stream_options", "n", "logit_bias", "seed", "invented"] {
            assert!(sent.get(key).is_none(), "{upstream:?} {key} {sent}");
        }
    }
}

#[test]
fn t109_the_cap_is_the_models_own_if_none_was_named() {
    assert_eq!(asked(Chat, Messages, &chat([user("x")]))["max_tokens"], 64_000);
}

#[test]
fn t110_a_budget_is_below_the_cap() {
    let mut body = messages([user("x")]);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 32_000});
    body["max_tokens"] = 8000.into();
    for limit in [64_000, 8000] {
        let mut claude = facts(Messages);
        claude.max_output_tokens = Some(limit);
        let sent = asked_of(Messages, Messages, &claude, &body).0;
        let budget = sent["thinking"]["budget_tokens"].as_u64().unwrap();
        assert!(budget < sent["max_tokens"].as_u64().unwrap(), "{sent}");
    }
}

#[test]
fn t127_names_of_parameters_become_legal_and_come_back() {
    let mut gemini = facts(Gemini);
    gemini.json_schema_tools = false;
    let schema = json!({"type": "object", "properties": {"$filter": {"type": "string"}, "a-b": {"type": "string"}}, "required": ["$filter"]});
    let body = with_tool(&schema);
    let sent = asked_of(Chat, Gemini, &gemini, &body).0;
    let parameters = &sent["tools"][0]["functionDeclarations"][0]["parameters"];
    let names: Vec<&String> = parameters["properties"].as_object().unwrap().keys().collect();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    assert!(names.iter().all(|name| name.chars().all(legal)), "{names:?}");
    assert_eq!(parameters["required"], json!([names[0]]));
    let stream = parts(&[json!([{"functionCall": {"name": "f", "args": {names[0]: 1}}}])]);
    let told = Talk::about(Gemini, Chat, &body).told(&stream);
    let said: String = told.iter().filter_map(|line| line.strip_prefix("call 0 ")).collect();
    assert_eq!(said, "f{\"$filter\":1}");
}

#[test]
fn t108_instructions_are_text_or_absent() {
    let body = json!({"model": "m", "input": "x", "instructions": null});
    for upstream in Dialect::ALL {
        let sent = asked(Responses, upstream, &body);
        assert!(sent.get("instructions").is_none_or(Value::is_string), "{sent}");
    }
}
