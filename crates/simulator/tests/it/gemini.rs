//! What the Gemini endpoint refuses, and in which words.

use crate::{
    client::{GEMINI, get, post, simulator},
    refusals::{Changes, changed, message, unknown_fields_are_refused},
};
use byok_simulator::Simulator;
use serde_json::{Value, json};

const OLD: &str = "/v1beta/models/gemini-2.5-pro:generateContent";
const NEW: &str = "/v1beta/models/gemini-3-flash-preview:generateContent";

fn plain() -> Value {
    json!({
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}]}],
    })
}

fn user(parts: Value) -> Value {
    json!({"role": "user", "parts": parts})
}

fn model(parts: Value) -> Value {
    json!({"role": "model", "parts": parts})
}

fn call(name: &str) -> Value {
    json!({"functionCall": {"name": name, "args": {}}})
}

fn response(name: &str) -> Value {
    json!({"functionResponse": {"name": name, "response": {"output": "done"}}})
}

fn contents(more: Value) -> (&'static str, Option<Value>) {
    let mut contents = vec![user(json!([{"text": "hello"}]))];
    contents.extend(more.as_array().unwrap().clone());
    ("/contents", Some(json!(contents)))
}

async fn refused(simulator: &Simulator, target: &str, cases: &[(Changes<'_>, &str)]) {
    for (changes, words) in cases {
        let answer = post(simulator, target, &GEMINI, &changed(&plain(), changes)).await;
        assert_eq!(answer.status, 400, "{words}: {}", answer.text());
        let error = answer.json()["error"].clone();
        assert_eq!((&error["code"], &error["status"]), (&json!(400), &json!("INVALID_ARGUMENT")));
        assert!(message(&answer).contains(words), "wanted `{words}`, got `{}`", message(&answer));
    }
}

async fn accepted(simulator: &Simulator, target: &str, cases: &[Changes<'_>]) {
    for changes in cases {
        let answer = post(simulator, target, &GEMINI, &changed(&plain(), changes)).await;
        assert_eq!(answer.status, 200, "{changes:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn fields_and_types() {
    let simulator = simulator().await;
    refused(
        &simulator,
        OLD,
        &[
            (&[("/contents", None)], "contents is not specified"),
            (&[("/contents", Some(json!([])))], "contents is not specified"),
            (
                &[("/messages", Some(json!([])))],
                "Invalid JSON payload received. Unknown name \"messages\": Cannot find field.",
            ),
            (
                &[("/system_instruction", Some(json!({})))],
                "Unknown name \"system_instruction\": Cannot find field.",
            ),
            (&[("/systemInstruction", Some(json!("Be brief.")))], "Invalid value at 'system_instruction'"),
            (&[("/generation_config", Some(json!({})))], "Unknown name \"generation_config\""),
            (&[("/session_id", Some(json!("x")))], "Unknown name \"session_id\""),
            (
                &[("/generationConfig", Some(json!({"max_output_tokens": 5})))],
                "Unknown name \"max_output_tokens\" at 'generation_config': Cannot find field.",
            ),
            (
                &[("/contents/0/parts/0", Some(json!({"inline_data": {}})))],
                "Unknown name \"inline_data\" at 'contents[0].parts[0]'",
            ),
            (
                &[("/contents/0/parts/0/text", Some(json!(7)))],
                "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 7",
            ),
            (
                &[("/generationConfig", Some(json!({"temperature": "hot"})))],
                "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\"",
            ),
            (
                &[("/toolConfig", Some(json!({"functionCallingConfig": {"mode": "auto"}})))],
                "Invalid value at 'tool_config.function_calling_config.mode' (TYPE_ENUM), \"auto\"",
            ),
            (
                &[("/safetySettings", Some(json!([{"category": "X", "threshold": "OFF"}])))],
                "Invalid value at 'safety_settings[0].category'",
            ),
            (&[("/model", Some(json!("models/gemini-2.5-flash")))], "must match"),
        ],
    )
    .await;
    accepted(
        &simulator,
        OLD,
        &[&[("/model", Some(json!("models/gemini-2.5-pro")))], &[("/contents/0/role", None)]],
    )
    .await;
}

#[tokio::test]
async fn unknown_fields_are_refused_everywhere() {
    let good = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [
                {"text": "hello"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x"}, "videoMetadata": {"fps": 1}},
            ]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}}]},
            {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "x"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK"}}]},
            {"role": "user", "parts": [{"text": "go on"}]},
        ],
        "tools": [{"functionDeclarations": [
            {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {"type": "STRING"}}, "b": {"anyOf": [{"type": "STRING"}]}}}},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": true}},
    });
    let free = ["/functionCall/args", "/functionResponse/response", "/labels", "/parameters/properties"];
    let simulator = simulator().await;
    unknown_fields_are_refused(&simulator, OLD, &GEMINI, &good, &free).await;
    for place in [
        "/tools/0/functionDeclarations/0/parameters/properties/a/items",
        "/tools/0/functionDeclarations/0/parameters/properties/b/anyOf/0",
    ] {
        let mut body = good.clone();
        body.pointer_mut(place).unwrap()["additionalProperties"] = json!(false);
        let answer = post(&simulator, OLD, &GEMINI, &body).await;
        assert!(message(&answer).contains("Unknown name \"additionalProperties\""), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_order_of_contents() {
    let simulator = simulator().await;
    let count = "number of function response parts is equal to the number of function call parts";
    let comes = "function response turn comes immediately after a function call turn";
    refused(
        &simulator,
        OLD,
        &[
            (
                &[("/contents", Some(json!([model(json!([{"text": "hi"}])), user(json!([{"text": "x"}]))])))],
                "begin with a user turn",
            ),
            (
                &[("/contents", Some(json!([model(json!([call("f")])), user(json!([response("f")]))])))],
                "function call turn comes immediately after a user turn",
            ),
            (
                &[contents(json!([{"role": "assistant", "parts": [{"text": "x"}]}]))],
                "Please use a valid role: user, model.",
            ),
            (
                &[contents(json!([{"role": "tool", "parts": [response("f")]}]))],
                "Please use a valid role: user, model.",
            ),
            (&[contents(json!([model(json!([]))]))], "contents.parts must not be empty"),
            (
                &[contents(json!([model(json!([{}]))]))],
                "required oneof field 'data' must have one initialized field",
            ),
            (
                &[contents(json!([model(json!([{"text": ""}]))]))],
                "required oneof field 'data' must have one initialized field",
            ),
            (
                &[contents(json!([model(json!([{"text": "x", "functionCall": {"name": "f"}}]))]))],
                "oneof field 'data' is already set. Cannot set 'functionCall'",
            ),
            (&[contents(json!([model(json!([call("f")]))]))], count),
            (&[contents(json!([model(json!([call("f")])), user(json!([{"text": "x"}]))]))], count),
            (&[contents(json!([model(json!([call("f"), call("f")])), user(json!([response("f")]))]))], count),
            (
                &[contents(json!([
                    model(json!([call("f"), call("f")])),
                    user(json!([response("f")])),
                    user(json!([response("f")]))
                ]))],
                count,
            ),
            (
                &[contents(json!([model(json!([call("f")])), user(json!([response("g")]))]))],
                "match the function call parts",
            ),
            (&[contents(json!([user(json!([response("f")]))]))], comes),
            (&[contents(json!([model(json!([response("f")]))]))], comes),
            (
                &[contents(json!([user(json!([call("f")]))]))],
                "function call turn comes immediately after a user turn",
            ),
            (
                &[contents(json!([
                    model(json!([call("f")])),
                    user(json!([{"functionResponse": {"name": "", "response": {}}}]))
                ]))],
                "function_response.name: Name cannot be empty",
            ),
            (
                &[contents(json!([
                    model(json!([call("f")])),
                    user(json!([{"functionResponse": {"name": "f", "response": "done"}}]))
                ]))],
                "Invalid value at 'contents[2].parts[0].function_response.response'",
            ),
            (
                &[contents(json!([user(json!([{"inlineData": {"mimeType": "image/png", "data": "%%"}}]))]))],
                "Base64 decoding failed",
            ),
            (
                &[(
                    "/systemInstruction",
                    Some(json!({"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]})),
                )],
                "only text is supported",
            ),
        ],
    )
    .await;
    accepted(
        &simulator,
        OLD,
        &[
            &[(
                "/contents",
                Some(json!([
                    user(json!([{"text": ""}])),
                    model(json!([{"text": "hi"}])),
                    user(json!([{"text": "x"}]))
                ])),
            )],
            &[contents(json!([
                model(json!([call("f"), call("f")])),
                user(json!([response("f"), response("f")]))
            ]))],
            &[contents(json!([
                model(json!([{"text": "x"}])),
                model(json!([call("f")])),
                user(json!([response("f"), {"text": "go on"}]))
            ]))],
        ],
    )
    .await;
}

#[tokio::test]
async fn signatures_stand_on_the_first_call() {
    let simulator = simulator().await;
    let ask = changed(&plain(), &[("/contents/0/parts/0/text", Some(json!("sim:tool f {} sim:tool f {}")))]);
    let answer = post(&simulator, NEW, &GEMINI, &ask).await.json();
    let parts = answer["candidates"][0]["content"]["parts"].clone();
    let signature = parts[0]["thoughtSignature"].clone();
    assert!(signature.is_string() && parts[1].get("thoughtSignature").is_none(), "{parts}");
    let responses = |parts: &Value| -> Value {
        parts.as_array().unwrap().iter().map(|part| json!({"functionResponse": {"name": "f", "id": part["functionCall"]["id"], "response": {}}})).collect()
    };
    let back = |parts: Value| {
        let responses = responses(&parts);
        contents(json!([model(parts), user(responses)]))
    };
    let signed = |value: Option<Value>| back(changed(&parts, &[("/0/thoughtSignature", value)]));
    let split =
        contents(json!([model(json!([parts[0]])), model(json!([parts[1]])), user(responses(&parts))]));
    accepted(
        &simulator,
        NEW,
        &[&[back(parts.clone())], &[signed(Some(json!("skip_thought_signature_validator")))]],
    )
    .await;
    let missing = "Function call is missing a thought_signature in functionCall parts.";
    refused(
        &simulator,
        NEW,
        &[
            (&[signed(None)], missing),
            (&[signed(None)], "function call `default_api:f`, position 2."),
            (&[split], missing),
            (&[signed(Some(json!("RXNpZ25hdHVyZQ==")))], "Corrupted thought signature."),
            (&[signed(Some(json!("not base64 %")))], "Base64 decoding failed"),
        ],
    )
    .await;
    // Earlier turns are not looked at, older models not at all.
    let earlier = contents(json!([
        model(json!([call("f")])),
        user(json!([response("f")])),
        user(json!([{"text": "and now?"}]))
    ]));
    accepted(&simulator, NEW, &[&[earlier]]).await;
    accepted(
        &simulator,
        OLD,
        &[&[contents(json!([model(json!([call("f")])), user(json!([response("f")]))]))]],
    )
    .await;
}

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

#[tokio::test]
async fn keys_models_and_the_two_forms_of_a_stream() {
    let simulator = simulator().await;
    let cases: [(&str, &[(&str, &str)], u16, &str); 7] = [
        (OLD, &[], 403, "Method doesn't allow unregistered callers"),
        (OLD, &[("x-goog-api-key", "")], 403, "unregistered callers"),
        (OLD, &[("x-goog-api-key", "sk-ant-api03-x")], 400, "API key not valid"),
        (
            OLD,
            &[("x-goog-api-key", "AIza"), ("authorization", "Bearer x")],
            401,
            "invalid authentication credentials",
        ),
        ("/v1beta/models/gemini-2.5-pro:generateContent?key=AIza", &[], 200, ""),
        (
            "/v1beta/models/gemini-none:generateContent",
            &GEMINI,
            404,
            "models/gemini-none is not found for API version v1beta",
        ),
        ("/v1beta/models/gemini-2.5-pro:embedContent", &GEMINI, 404, ""),
    ];
    for (target, headers, status, words) in cases {
        let answer = post(&simulator, target, headers, &plain()).await;
        assert_eq!(answer.status, status, "{target} {headers:?}: {}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    let array =
        post(&simulator, "/v1beta/models/gemini-2.5-pro:streamGenerateContent", &GEMINI, &plain()).await;
    assert!(array.chunks.len() > 3 && array.header("content-type").starts_with("application/json"));
    let last = array.json().as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    let refused =
        post(&simulator, "/v1beta/models/gemini-none:streamGenerateContent", &GEMINI, &plain()).await;
    assert!(refused.json()[0]["error"]["code"] == 404, "a refused array is an array");
    assert_eq!(get(&simulator, "/v1beta/interactions", &GEMINI).await.status, 404);
}

#[tokio::test]
async fn counting_takes_contents_or_a_whole_request() {
    let simulator = simulator().await;
    let path = "/v1beta/models/gemini-2.5-pro:countTokens";
    let contents = json!([{"parts": [{"text": "hello"}]}]);
    let whole = json!({"model": "models/gemini-2.5-pro", "contents": contents, "systemInstruction": {"parts": [{"text": "x"}]}});
    let cases = [
        (json!({"contents": contents}), 200),
        (json!({"generateContentRequest": whole}), 200),
        (json!({"contents": contents, "generateContentRequest": whole}), 400),
        (json!({"contents": contents, "systemInstruction": {"parts": [{"text": "x"}]}}), 400),
        (json!({"generateContentRequest": {"contents": contents}}), 400),
        (json!({}), 400),
    ];
    for (body, status) in cases {
        let answer = post(&simulator, path, &GEMINI, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}
