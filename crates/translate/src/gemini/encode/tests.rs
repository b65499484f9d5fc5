mod settings;
mod turns;

use crate::{Ids, Incoming, Loss, LossAction, chat, gemini, ir::*, messages, responses};
use byok_types::{Dialect, ModelFacts, ThinkingFacts, ThinkingForm};
use serde_json::{Value, json};

/// A model of the third generation.
fn gemini3() -> ModelFacts {
    ModelFacts {
        id: "gemini-3".into(),
        family: Family::Gemini,
        call_signatures: true,
        result_media: true,
        max_output_tokens: Some(65_536),
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Level],
            levels: vec![Effort::Low, Effort::Medium, Effort::High],
            ..ThinkingFacts::default()
        },
        ..ModelFacts::default()
    }
}

/// A model of the second generation.
fn gemini2() -> ModelFacts {
    ModelFacts {
        id: "gemini-2.5".into(),
        call_signatures: false,
        result_media: false,
        thinking: ThinkingFacts {
            forms: vec![ThinkingForm::Budget],
            budget: Some((0, 24_576)),
            can_disable: true,
            dynamic: true,
            ..ThinkingFacts::default()
        },
        ..gemini3()
    }
}

/// A request that a client of `dialect` sent.
fn request(dialect: Dialect, body: &Value) -> Request {
    let bytes = serde_json::to_vec(body).unwrap();
    let incoming = Incoming { body: &bytes, model: Some("m"), stream: Some(false) };
    let decoded = match dialect {
        Dialect::Chat => chat::decode_request(&incoming),
        Dialect::Responses => responses::decode_request(&incoming),
        Dialect::Messages => messages::decode_request(&incoming),
        Dialect::Gemini => gemini::decode_request(&incoming),
    };
    decoded.unwrap().value
}

fn encode(request: &Request, facts: &ModelFacts) -> Result<(Value, Vec<Loss>), Failure> {
    let encoded = gemini::encode_request(request, facts, &mut Ids::new("t"))?;
    Ok((serde_json::from_slice(&encoded.value).unwrap(), encoded.losses))
}

/// What a Gemini upstream is sent.
fn sent(dialect: Dialect, body: &Value, facts: &ModelFacts) -> Value {
    encode(&request(dialect, body), facts).unwrap().0
}

fn dropped(losses: &[Loss]) -> Vec<&str> {
    losses.iter().filter(|l| l.action == LossAction::Dropped).map(|l| l.field.as_str()).collect()
}

/// `text` as the only message of a Chat request with these further fields.
fn chat_with(fields: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn t101_keys_are_written_in_camel_case() {
    let body = json!({
        "contents": [{"role": "user", "parts": [
            {"text": "x"}, {"inline_data": {"mime_type": "image/png", "data": "AAAA"}},
            {"file_data": {"file_uri": "gs://x", "mime_type": "video/mp4"}, "video_metadata": {"start_offset": "1s"}},
        ]}],
        "system_instruction": {"parts": [{"text": "s"}]},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]},
            {"google_search": {"time_range_filter": {"start_time": "x"}}}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]},
            "include_server_side_tool_invocations": true},
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_level": "LOW"},
            "speech_config": {"voice_config": {}}, "media_resolution": "LOW", "audio_timestamp": true},
        "cached_content": "c", "service_tier": "flex",
    });
    let text = sent(Dialect::Gemini, &body, &gemini3()).to_string();
    assert!(!text.contains('_'), "{text}");
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let body = chat_with(
        &json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}),
    );
    let bytes = || {
        gemini::encode_request(&request(Dialect::Chat, &body), &gemini3(), &mut Ids::new("t")).unwrap().value
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_request_of_a_gemini_client_stays_what_it_is() {
    let body = json!({
        "contents": [
            {"role": "user", "parts": [{"text": "a"}], "futureField": 1},
            {"role": "user", "parts": [{"text": "b", "partMetadata": {"x": 1}}]},
            {"role": "model", "parts": [
                {"text": "t", "thought": true},
                {"functionCall": {"id": "1", "name": "f", "args": {"x": 1}}, "thoughtSignature": "S"},
                {"functionCall": {"name": "f", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "1", "name": "f", "response": {"any": 1}, "scheduling": "SILENT",
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
                {"functionResponse": {"name": "f", "response": {"output": "x"}}},
            ]},
            {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"futurePart": {"a": 1}}]},
            {"role": "user", "parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.org/a", "displayName": "d"}},
                {"inlineData": {"mimeType": "image/png", "displayName": "e", "data": "AAAA"}}]},
        ],
        "systemInstruction": {"parts": [{"text": "s"}, {"text": "t"}]},
        "tools": [{"functionDeclarations": [
            {"name": "f", "description": "", "parameters": {"type": "OBJECT"}, "behavior": "BLOCKING"},
            {"name": "g", "parametersJsonSchema": {"type": "object"}, "responseJsonSchema": {"type": "string"}},
        ]}, {"googleSearch": {}}, {"futureTool": {"a_b": 1}}],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]},
            "retrievalConfig": {"languageCode": "de"}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "generationConfig": {
            "temperature": 0, "topK": 40, "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"},
            "imageConfig": {"imageSize": "1K"}, "thinkingConfig": {"includeThoughts": false, "thinkingLevel": "LOW"},
            "mediaResolution": "MEDIA_RESOLUTION_LOW", "responseModalities": ["TEXT"],
        },
        "labels": {"Team": "A"}, "store": true, "serviceTier": "flex", "cachedContent": "c", "futureField": {"a": [1]},
    });
    let (mut out, losses) = encode(&request(Dialect::Gemini, &body), &gemini3()).unwrap();
    // The future tool is a structure of the vendor: its keys are in camel case now.
    assert_eq!(out["tools"][2]["futureTool"].take(), json!({"aB": 1}));
    let mut expected = body.clone();
    expected["tools"][2]["futureTool"] = Value::Null;
    assert_eq!(out, expected);
    assert_eq!(losses, []);
}

#[test]
fn t86_contents_without_parts_are_left_out() {
    let body = json!({"contents": [
        {"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": []}, {"role": "user", "parts": [{}]},
    ]});
    assert_eq!(sent(Dialect::Gemini, &body, &gemini3())["contents"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_served_is_refused_by_its_field() {
    let image = json!({"type": "image_url", "image_url": {"url": "https://x.org/a.png"}});
    let chat = |part: &Value| json!({"model": "m", "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "x"}, part]}]});
    let without = |change: fn(&mut ModelFacts)| {
        let mut facts = gemini3();
        change(&mut facts);
        facts
    };
    let blind = without(|f| f.input.image = false);
    let offline = without(|f| f.input.url = false);
    let data = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let audio = json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}});
    for (dialect, body, facts, field) in [
        (Dialect::Chat, chat(&data), blind, "messages[1].content[1]"),
        (Dialect::Chat, chat(&image), offline.clone(), "messages[1].content[1]"),
        (Dialect::Chat, chat(&audio), without(|f| f.input.audio = false), "messages[1].content[1]"),
        (
            Dialect::Gemini,
            json!({"contents": [{"parts": [{"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}]}]}),
            without(|f| f.input.video = false),
            "contents[0].parts[0]",
        ),
        (
            Dialect::Messages,
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}]}]}),
            without(|f| f.input.pdf = false),
            "messages[0].content[0]",
        ),
        (
            Dialect::Messages,
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [
                {"type": "image", "source": {"type": "file", "file_id": "file_1"}}]}]}),
            gemini3(),
            "messages[0].content[0]",
        ),
        (
            Dialect::Responses,
            json!({"model": "m", "input": "x", "previous_response_id": "resp_1"}),
            gemini3(),
            "previous_response_id",
        ),
    ] {
        let failure = encode(&request(dialect, &body), &facts).unwrap_err();
        assert_eq!((failure.param.as_deref(), failure.status), (Some(field), 400), "{body}");
    }
    // Google's own addresses can always be read by Google.
    for url in
        ["gs://b/a.png", "https://generativelanguage.googleapis.com/v1beta/files/x", "https://youtu.be/x"]
    {
        let part = json!({"type": "image_url", "image_url": {"url": url}});
        let out = sent(Dialect::Chat, &chat(&part), &offline);
        assert_eq!(out["contents"][0]["parts"][2]["fileData"]["fileUri"], url);
    }
}
