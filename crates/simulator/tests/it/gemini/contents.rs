//! Fields, contents, signatures.

use super::*;
use crate::{client::*, refusals::*};

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
            (&[("/systemInstruction", Some(json!("Be brief.")))], "Invalid value at 'system_instruction'"),
            (&[("/session_id", Some(json!("x")))], "Unknown name \"session_id\""),
            (
                &[("/generation_config", Some(json!({"max_tokens": 5})))],
                "Unknown name \"max_tokens\" at 'generation_config': Cannot find field.",
            ),
            (
                &[("/contents/0/parts/0", Some(json!({"image_url": {}})))],
                "Unknown name \"image_url\" at 'contents[0].parts[0]'",
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
