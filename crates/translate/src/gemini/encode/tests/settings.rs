//! Everything beside the conversation.

use super::*;

fn config(dialect: Dialect, body: &Value, facts: &ModelFacts) -> Value {
    sent(dialect, body, facts)["generationConfig"].clone()
}

fn chat_config(fields: &Value, facts: &ModelFacts) -> Value {
    config(Dialect::Chat, &chat_with(fields), facts)
}

const FUNCTION: &str = r#"{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"$a":{"type":"string","format":"uri"}}}}}"#;

fn function() -> Value {
    serde_json::from_str(FUNCTION).unwrap()
}

#[test]
fn sampling_travels_under_geminis_names() {
    let out = chat_config(
        &json!({
            "temperature": 0.5, "top_p": 1, "frequency_penalty": 0.5, "presence_penalty": 1, "seed": 7, "n": 2,
            "max_completion_tokens": 100_000, "stop": ["a", "", "b"], "logprobs": true, "top_logprobs": 3,
        }),
        &gemini3(),
    );
    assert_eq!(
        out,
        json!({
            "temperature": 0.5, "topP": 1, "frequencyPenalty": 0.5, "presencePenalty": 1, "seed": 7, "candidateCount": 2,
            "maxOutputTokens": 65_536, "stopSequences": ["a", "b"], "responseLogprobs": true, "logprobs": 3,
        })
    );
}

#[test]
fn older_models_are_asked_in_words_for_json_beside_functions() {
    let mut fields = json!({"response_format": {"type": "json_object"}, "tools": [function()]});
    let (out, losses) = encode(&request(Dialect::Chat, &chat_with(&fields)), &gemini2()).unwrap();
    assert_eq!(out.get("generationConfig"), None);
    let hint = "Answer with one JSON object and nothing else: no other text, no code fence.";
    assert_eq!(out["systemInstruction"]["parts"][0]["text"], hint);
    let told: Vec<_> = losses.iter().map(|loss| (loss.field.as_str(), loss.action)).collect();
    assert_eq!(told, [("response_format", LossAction::Emulated)]);

    let form = json!({"responseMimeType": "application/json"});
    assert_eq!(chat_config(&fields, &gemini3()), form);
    let hinted = ModelFacts { structured_output: byok_types::StructuredOutput::Hint, ..gemini2() };
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}});
    fields["response_format"] = schema;
    assert_eq!(chat_config(&fields, &hinted), Value::Null);
    fields["tools"] = json!([]);
    assert_eq!(chat_config(&fields, &hinted), form);
}

#[test]
fn t79_t80_a_budget_or_a_level_and_never_both() {
    let both = ModelFacts {
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Level, ThinkingForm::Budget],
            ..gemini3().thinking
        },
        ..gemini3()
    };
    let effort = |effort: &str| json!({"reasoning_effort": effort});
    for (fields, facts, expected) in [
        (effort("high"), gemini2(), json!({"includeThoughts": true, "thinkingBudget": 24_576})),
        (effort("high"), gemini3(), json!({"includeThoughts": true, "thinkingLevel": "HIGH"})),
        (effort("high"), both, json!({"includeThoughts": true, "thinkingLevel": "HIGH"})),
        (effort("minimal"), gemini3(), json!({"includeThoughts": true, "thinkingLevel": "LOW"})),
        (effort("xhigh"), gemini3(), json!({"includeThoughts": true, "thinkingLevel": "HIGH"})),
        (effort("none"), gemini2(), json!({"thinkingBudget": 0})),
        (effort("none"), gemini3(), json!({"thinkingLevel": "LOW"})),
        (json!({}), gemini3(), Value::Null),
        (effort("high"), ModelFacts::default(), Value::Null),
    ] {
        assert_eq!(chat_config(&fields, &facts)["thinkingConfig"], expected, "{fields} {:?}", facts.thinking);
    }
    let claude = |thinking: Value| {
        let body = json!({"model": "m", "max_tokens": 9000, "thinking": thinking, "messages": [{"role": "user", "content": "x"}]});
        config(Dialect::Messages, &body, &gemini2())["thinkingConfig"].clone()
    };
    assert_eq!(
        claude(json!({"type": "enabled", "budget_tokens": 2000})),
        json!({"includeThoughts": true, "thinkingBudget": 2000})
    );
    assert_eq!(claude(json!({"type": "adaptive"})), json!({"includeThoughts": true, "thinkingBudget": -1}));
    assert_eq!(claude(json!({"type": "disabled"})), json!({"thinkingBudget": 0}));
    assert_eq!(
        claude(json!({"type": "enabled", "budget_tokens": 2000, "display": "omitted"})),
        json!({"thinkingBudget": 2000})
    );
}

#[test]
fn t102_structured_output() {
    let schema = json!({"type": "object", "properties": {"a": {"const": "x"}}});
    let json_schema =
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}});
    let old = ModelFacts { json_schema_tools: false, ..gemini3() };
    for (fields, facts, expected) in [
        (
            json!({"response_format": {"type": "json_object"}}),
            gemini3(),
            json!({"responseMimeType": "application/json"}),
        ),
        (
            json_schema.clone(),
            gemini3(),
            json!({"responseMimeType": "application/json", "responseJsonSchema": schema}),
        ),
        (
            json_schema.clone(),
            old,
            json!({"responseMimeType": "application/json", "responseSchema":
                {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}}}),
        ),
    ] {
        assert_eq!(chat_config(&fields, &facts), expected, "{fields}");
    }
    // The second generation takes no schema beside functions.
    let mut with_tools = chat_with(&json_schema);
    with_tools["tools"] = json!([function()]);
    let (out, losses) = encode(&request(Dialect::Chat, &with_tools), &gemini2()).unwrap();
    assert_eq!((out.get("generationConfig"), dropped(&losses)), (None, vec!["response_format"]));
    assert!(config(Dialect::Chat, &with_tools, &gemini3())["responseJsonSchema"].is_object());
    let forced = ModelFacts { structured_output: byok_types::StructuredOutput::ForcedTool, ..gemini3() };
    let out = sent(Dialect::Chat, &chat_with(&json_schema), &forced);
    assert_eq!(out["tools"][0]["functionDeclarations"][0]["name"], "json_response");
    assert_eq!(
        out["toolConfig"]["functionCallingConfig"],
        json!({"mode": "ANY", "allowedFunctionNames": ["json_response"]})
    );
}

#[test]
fn schemas_of_functions_by_what_the_backend_takes() {
    let declared = |facts: &ModelFacts| {
        let out = sent(Dialect::Chat, &chat_with(&json!({"tools": [function()]})), facts);
        out["tools"][0]["functionDeclarations"][0].clone()
    };
    let mut facts = gemini3();
    assert_eq!(declared(&facts)["parametersJsonSchema"], function()["function"]["parameters"]);
    facts.json_schema_tools = false;
    assert_eq!(
        declared(&facts),
        json!({"name": "f", "parameters": {"type": "object", "properties": {
            "_byok24_a": {"type": "string", "description": "(format: uri)"}}}})
    );
    // The history says the same names.
    let body = json!({"model": "m", "tools": [function()], "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"$a\":1}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]});
    let call = sent(Dialect::Chat, &body, &facts)["contents"][1]["parts"][0]["functionCall"].clone();
    assert_eq!(call["args"], json!({"_byok24_a": 1}));
}

#[test]
fn t53_t54_t60_tools_and_choices() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let named = json!({"type": "function", "function": {"name": "b c"}});
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [tool("a"), tool("b c")]}});
    let of = |choice: Value| {
        let body = chat_with(&json!({"tools": [tool("a"), tool("b c"), tool("a")], "tool_choice": choice}));
        sent(Dialect::Chat, &body, &gemini3())
    };
    let declared: Vec<_> = of(json!("auto"))["tools"][0]["functionDeclarations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((declared.len(), declared[0].as_str()), (2, "a"));
    let legal = declared[1].as_str();
    assert!(legal.starts_with("b_c_"));
    for (choice, expected) in [
        (json!("auto"), json!({"mode": "AUTO"})),
        (json!("none"), json!({"mode": "NONE"})),
        (json!("required"), json!({"mode": "ANY"})),
        (named, json!({"mode": "ANY", "allowedFunctionNames": [legal]})),
        (allowed, json!({"mode": "ANY", "allowedFunctionNames": ["a", legal]})),
    ] {
        assert_eq!(of(choice.clone())["toolConfig"]["functionCallingConfig"], expected, "{choice}");
    }
    let none = sent(Dialect::Chat, &chat_with(&json!({"tools": [], "tool_choice": "required"})), &gemini3());
    assert_eq!((none.get("tools"), none.get("toolConfig")), (None, None));
}

#[test]
fn hosted_tools_have_counterparts_and_stand_alone() {
    let body = |tools: Value| json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "tools": tools});
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 3});
    let own = json!({"name": "f", "input_schema": {"type": "object"}});
    let bash = json!({"type": "bash_20250124", "name": "bash"});
    let of = |tools: Value| encode(&request(Dialect::Messages, &body(tools)), &gemini3()).unwrap();
    let (out, losses) = of(json!([search]));
    assert_eq!(
        (&out["tools"], dropped(&losses)),
        (&json!([{"googleSearch": {}}]), vec!["tools[0].max_uses"])
    );
    let (out, losses) = of(json!([search, own]));
    assert_eq!(out["tools"].as_array().unwrap().len(), 1);
    assert_eq!(out["tools"][0]["functionDeclarations"][0]["name"], "f");
    assert_eq!(dropped(&losses), ["tools[0]"]);
    let (out, _) = of(json!([bash]));
    assert!(
        out["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]["properties"]["command"]
            .is_object()
    );
}

#[test]
fn t49_t52_custom_tools_and_namespaces_are_functions() {
    let body = json!({"model": "m", "input": "x", "tools": [
        {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}},
        {"type": "namespace", "name": "ns", "description": "d", "tools": [{"type": "function", "name": "get", "parameters": null, "strict": null}]},
    ]});
    let out = sent(Dialect::Responses, &body, &gemini3());
    let functions = out["tools"][0]["functionDeclarations"].as_array().unwrap();
    assert_eq!((&functions[0]["name"], &functions[1]["name"]), (&json!("patch"), &json!("ns__get")));
    assert!(functions[0]["description"].as_str().unwrap().contains("start: X"));
    assert!(functions[1].get("parametersJsonSchema").is_none());
}

#[test]
fn tools_that_are_added_later_are_declared() {
    let added = json!({"type": "function", "name": "late", "parameters": {"type": "object"}});
    let body = json!({"model": "m", "input": [
        {"role": "user", "content": "x"}, {"type": "additional_tools", "role": "developer", "tools": [added]},
        {"role": "user", "content": "y"},
    ]});
    let (out, losses) = encode(&request(Dialect::Responses, &body), &gemini3()).unwrap();
    assert_eq!(out["tools"][0]["functionDeclarations"][0]["name"], "late");
    assert_eq!(dropped(&losses), Vec::<&str>::new());
}

#[test]
fn what_has_no_counterpart_is_noted() {
    let fields = json!({
        "logit_bias": {"1": 2}, "parallel_tool_calls": false, "verbosity": "low", "user": "u", "store": true,
        "metadata": {"team": "a-1", "Note": "Long Text"}, "service_tier": "flex", "prompt_cache_key": "k",
        "vendor_field": 1,
    });
    let (out, losses) = encode(&request(Dialect::Chat, &chat_with(&fields)), &gemini3()).unwrap();
    let told = [
        "metadata.Note",
        "service_tier",
        "logit_bias",
        "parallel_tool_calls",
        "user",
        "prompt_cache_key",
        "vendor_field",
    ];
    assert_eq!(dropped(&losses), told);
    assert_eq!(out["labels"], json!({"team": "a-1"}));
    let keys: Vec<_> = out.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["contents", "labels"]);
    let first = ModelFacts { first_party: true, ..gemini3() };
    assert_eq!(sent(Dialect::Chat, &chat_with(&fields), &first)["serviceTier"], "flex");
}

#[test]
fn counting_sends_the_whole_request_inside() {
    let body = chat_with(&json!({"max_tokens": 5, "temperature": 1, "tools": [function()]}));
    let encoded =
        gemini::encode_count_request(&request(Dialect::Chat, &body), &gemini3(), &mut Ids::new("t")).unwrap();
    let out: Value = serde_json::from_slice(&encoded.value).unwrap();
    let inner = out["generateContentRequest"].as_object().unwrap();
    assert_eq!(inner.keys().collect::<Vec<_>>(), ["model", "contents", "tools"]);
    assert_eq!(inner["model"], "models/gemini-3");
    for (answer, tokens) in [
        (r#"{"totalTokens":31,"cachedContentTokenCount":4}"#, Some(31)),
        (r#"{"response":{"total_tokens":7}}"#, Some(7)),
        (r"{}", None),
        ("x", None),
    ] {
        assert_eq!(gemini::decode_count(answer.as_bytes()), tokens);
    }
    assert_eq!(gemini::encode_count(12), br#"{"totalTokens":12}"#);
}
