use crate::{
    Incoming, Translated,
    gemini::{decode_request, is_made_up},
    ir::*,
};
use byok_types::Dialect;
use serde_json::{Value, json};

fn decode(body: &Value) -> Request {
    try_decode(body).unwrap()
}

fn try_decode(body: &Value) -> Result<Request, Failure> {
    let body = serde_json::to_vec(body).unwrap();
    let incoming = Incoming { body: &body, model: Some("gemini-x"), stream: Some(true) };
    decode_request(&incoming).map(|Translated { value, .. }| value)
}

fn parts(parts: &Value) -> Vec<Part> {
    decode(&json!({"contents": [{"role": "model", "parts": parts}]})).messages.remove(0).parts
}

#[test]
fn both_spellings_of_every_key_mean_the_same() {
    let camel = json!({
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
            {"role": "model", "parts": [
                {"text": "hm", "thought": true, "thoughtSignature": "AAAA"},
                {"functionCall": {"id": "c1", "name": "f", "args": {"a_b": 1}}, "thoughtSignature": "BBBB"},
                {"executableCode": {"language": "PYTHON", "code": "1"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["q"]}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "x"}, "willContinue": false,
                    "parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/f", "displayName": "f.pdf"}}]}},
                {"fileData": {"fileUri": "gs://b/v", "mimeType": "video/mp4"}, "videoMetadata": {"startOffset": "1s"},
                 "mediaResolution": {"numTokens": 5}},
            ]},
        ],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"},
            "responseJsonSchema": {"type": "object"}}]}, {"googleSearch": {"timeRangeFilter": {"startTime": "t"}}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]},
            "includeServerSideToolInvocations": true},
        "safetySettings": [{"category": "c", "threshold": "t"}],
        "generationConfig": {
            "topP": 0.5, "topK": 4, "candidateCount": 2, "maxOutputTokens": 7, "stopSequences": ["x"],
            "presencePenalty": 1, "frequencyPenalty": 2, "responseLogprobs": true, "logprobs": 3,
            "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
            "responseModalities": ["TEXT"], "speechConfig": {"voiceConfig": {"voiceName": "v"}},
            "imageConfig": {"aspectRatio": "1:1"}, "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "thinkingConfig": {"includeThoughts": true, "thinkingBudget": 5},
        },
        "cachedContent": "cachedContents/x",
        "serviceTier": "flex",
    });
    assert_eq!(decode(&snake(&camel)), decode(&camel));
}

/// The body with the keys of Google's structures in snake case; what belongs to the client stays.
fn snake(value: &Value) -> Value {
    let name = |name: &str| {
        name.chars().fold(String::new(), |mut out, c| {
            if c.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
            out
        })
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                let own = ["args", "response", "parametersJsonSchema"].contains(&key.as_str());
                (name(key), if own { value.clone() } else { snake(value) })
            })
            .collect(),
        Value::Array(list) => list.iter().map(snake).collect(),
        other => other.clone(),
    }
}

#[test]
fn settings_of_every_kind_arrive() {
    let request = decode(&json!({
        "contents": {"parts": {"text": "hi"}},
        "generationConfig": {
            "temperature": 0.0, "topK": "40", "seed": 7, "maxOutputTokens": "9", "stopSequences": "x",
            "responseModalities": ["TEXT", "IMAGE"], "newThing": {"a": 1},
            "thinkingConfig": {"thinkingLevel": "low"},
        },
        "labels": {"b": "1", "a": "2"}, "store": false, "serviceTier": "priority", "futureField": [1],
        "toolConfig": {"retrievalConfig": {"languageCode": "de"}},
        "cachedContent": null,
    }));
    assert!(request.stream);
    assert_eq!(request.model, "gemini-x");
    assert_eq!(request.messages, [Message::new(Role::User, vec![Part::text("hi")])]);
    assert_eq!((request.sampling.temperature, request.sampling.top_k), (Some(0.0), Some(40.0)));
    assert_eq!((request.sampling.seed, request.sampling.stop.as_slice()), (Some(7), &["x".to_owned()][..]));
    assert_eq!(
        request.max_tokens,
        Some(MaxTokens { value: 9, spelling: MaxTokensSpelling::MaxOutputTokensCamel })
    );
    assert_eq!(request.modalities, ["text", "image"]);
    assert_eq!(request.reasoning.effort, Some(Effort::Low));
    assert_eq!(request.metadata.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!((request.store, request.service_tier.as_deref()), (Some(false), Some("priority")));
    let kept: Vec<_> = request.extra.of(Dialect::Gemini).iter().map(|(k, _)| k.as_str()).collect();
    assert_eq!(kept, ["toolConfig.retrievalConfig", "generationConfig.newThing", "futureField"]);
}

#[test]
fn thinking_is_what_the_client_said() {
    for (config, switch, effort, visibility) in [
        (json!({"thinkingBudget": 0}), ThinkingSwitch::Off, None, Visibility::Unset),
        (json!({"thinkingBudget": -1}), ThinkingSwitch::Dynamic, None, Visibility::Unset),
        (json!({"thinkingBudget": 100}), ThinkingSwitch::Budget(100), None, Visibility::Unset),
        (json!({"thinkingLevel": "HIGH"}), ThinkingSwitch::Unset, Some(Effort::High), Visibility::Unset),
        (
            json!({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}),
            ThinkingSwitch::Unset,
            None,
            Visibility::Unset,
        ),
        (json!({"includeThoughts": true}), ThinkingSwitch::Unset, None, Visibility::Auto),
        (json!({"include_thoughts": false}), ThinkingSwitch::Unset, None, Visibility::Hidden),
    ] {
        let body =
            json!({"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"thinkingConfig": config}});
        let reasoning = decode(&body).reasoning;
        assert_eq!(
            (reasoning.switch, reasoning.effort, reasoning.visibility),
            (switch, effort, visibility),
            "{config}"
        );
    }
}

#[test]
fn forms_of_output() {
    let schema = json!({"type": "object"});
    for (config, expected) in [
        (json!({}), "text"),
        (json!({"responseMimeType": "text/plain"}), "text"),
        (json!({"responseMimeType": "application/json"}), "json"),
        (json!({"responseMimeType": "application/json", "responseJsonSchema": schema}), "schema"),
        (json!({"responseMimeType": "application/json", "responseSchema": schema}), "schema"),
        (
            json!({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}}),
            "opaque",
        ),
    ] {
        let body = json!({"contents": [{"parts": [{"text": "x"}]}], "generationConfig": config});
        let found = match decode(&body).output_format {
            OutputFormat::Text => "text",
            OutputFormat::JsonObject => "json",
            OutputFormat::JsonSchema { .. } => "schema",
            OutputFormat::Opaque(_) => "opaque",
        };
        assert_eq!(found, expected, "{config}");
    }
}

#[test]
fn tool_choices() {
    let named = |name: &str| NamedTool { name: name.to_owned(), ..NamedTool::default() };
    for (calling, expected) in [
        (json!({}), None),
        (json!({"mode": "AUTO"}), Some(ToolChoice::Auto)),
        (json!({"mode": "none"}), Some(ToolChoice::None)),
        (json!({"mode": "ANY"}), Some(ToolChoice::Required)),
        (json!({"mode": "ANY", "allowedFunctionNames": ["f"]}), Some(ToolChoice::Named(named("f")))),
        (
            json!({"mode": "ANY", "allowed_function_names": ["f", "g"]}),
            Some(ToolChoice::Allowed { required: true, tools: vec![named("f"), named("g")] }),
        ),
        (json!({"mode": "VALIDATED"}), Some(ToolChoice::Validated)),
        (
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
            Some(ToolChoice::Allowed { required: false, tools: vec![named("f")] }),
        ),
    ] {
        let body = json!({"contents": [{"parts": [{"text": "x"}]}], "toolConfig": {"functionCallingConfig": calling}});
        assert_eq!(decode(&body).tool_choice, expected, "{calling}");
    }
}

#[test]
fn tools_are_functions_or_the_vendors_own() {
    let request = decode(&json!({
        "contents": [{"parts": [{"text": "x"}]}],
        "tools": [
            {"functionDeclarations": [
                {"name": "old", "description": "", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
                {"name": "new", "parameters_json_schema": {"type": "object"}, "behavior": "BLOCKING"},
                {"name": "bare"},
            ]},
            {"google_search": {"exclude_domains": ["x.org"]}},
            {"url_context": {}}, {"codeExecution": {}}, {"futureTool": {"a_b": 1}},
        ],
    }));
    let tools: Vec<_> = request
        .tools
        .iter()
        .map(|tool| match tool {
            Tool::Function(f) => (f.name.clone(), f.schema.as_ref().map(|s| s.get().to_owned())),
            Tool::Hosted(h) => (format!("{:?}", h.tool), Some(h.verbatim.json.get().to_owned())),
            other => panic!("{other:?}"),
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        tools,
        [
            ("old".to_owned(), some(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#)),
            ("new".to_owned(), some(r#"{"type":"object"}"#)),
            ("bare".to_owned(), None),
            ("WebSearch".to_owned(), some(r#"{"googleSearch":{"excludeDomains":["x.org"]}}"#)),
            ("WebFetch".to_owned(), some(r#"{"urlContext":{}}"#)),
            ("CodeExecution".to_owned(), some(r#"{"codeExecution":{}}"#)),
            ("Other".to_owned(), some(r#"{"futureTool":{"aB":1}}"#)),
        ]
    );
}

#[test]
fn media_become_the_part_that_they_are() {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAE=";
    for (part, expected) in [
        (json!({"inlineData": {"mimeType": "image/jpeg", "data": png}}), "image image/png"),
        (json!({"inlineData": {"mimeType": "audio/mpeg", "data": "AAAA"}}), "audio mp3"),
        (json!({"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}), "video"),
        (
            json!({"inlineData": {"mimeType": "application/pdf", "data": "_-AA", "displayName": "a.pdf"}}),
            "document a.pdf /+AA",
        ),
        (json!({"fileData": {"mimeType": "image/png", "fileUri": "gs://x"}}), "image gs://x"),
        (json!({"fileData": {"fileUri": "https://youtu.be/x"}}), "video"),
        (json!({"fileData": {"fileUri": "https://x.org/a"}}), "document - https://x.org/a"),
    ] {
        let found = match &parts(&json!([part]))[0] {
            Part::Image(Image { source: Source::Base64 { media_type, .. }, .. }) => {
                format!("image {media_type}")
            }
            Part::Image(Image { source: Source::Url { url, .. }, .. }) => format!("image {url}"),
            Part::Audio(audio) => format!("audio {}", audio.format.clone().unwrap()),
            Part::Video(_) => "video".to_owned(),
            Part::Document(Document { source: Source::Base64 { data, .. }, filename, .. }) => {
                format!("document {} {data}", filename.as_deref().unwrap_or("-"))
            }
            Part::Document(Document { source: Source::Url { url, .. }, .. }) => format!("document - {url}"),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{part}");
    }
}

#[test]
fn results_say_what_the_tool_said() {
    for (response, text, failed) in [
        (json!({"output": "x"}), "x", None),
        (json!({"result": "x"}), r#"{"result":"x"}"#, None),
        (json!({"result": {"x": 1}}), r#"{"result":{"x":1}}"#, None),
        (json!({"error": "no"}), "no", Some(true)),
        (json!({"output": {"a": 1}}), r#"{"a":1}"#, None),
        (json!({"output": "x", "exit": 1}), r#"{"output":"x","exit":1}"#, None),
        (json!({"files": [1]}), r#"{"files":[1]}"#, None),
        (json!("plain"), "plain", None),
        (Value::Null, "{}", None),
    ] {
        let body = json!({"contents": [
            {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "f"}}]},
            {"role": "function", "parts": [{"functionResponse": {"id": "1", "name": "f", "response": response}}]},
        ]});
        let request = decode(&body);
        let Part::ToolResult(result) = &request.messages[1].parts[0] else { panic!() };
        assert_eq!(
            (result.parts.as_slice(), result.is_error),
            (&[Part::text(text)][..], failed),
            "{response}"
        );
        assert_eq!(request.messages[1].role, Role::User);
    }
}

/// The ids of the calls and results in a conversation.
fn ids(contents: &Value) -> Vec<String> {
    let request = decode(&json!({"contents": contents}));
    let parts = request.messages.into_iter().flat_map(|m| m.parts);
    parts
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.call_id),
            Part::ToolResult(result) => Some(result.call_id),
            _ => None,
        })
        .collect()
}

#[test]
fn t57_calls_without_ids_get_the_same_ids_each_time_and_results_find_them() {
    let call = |name: &str, args: &Value| json!({"functionCall": {"name": name, "args": args}});
    let result = |name: &str| json!({"functionResponse": {"name": name, "response": {}}});
    let contents = json!([
        {"role": "user", "parts": [{"text": "x"}]},
        {"role": "model", "parts": [call("f", &json!({"a": 1, "b": 2})), call("f", &json!({})), call("g", &json!({}))]},
        {"role": "user", "parts": [result("g"), result("f"), result("f")]},
        {"role": "model", "parts": [call("f", &json!({"a": 1}))]},
        {"role": "user", "parts": [result("f")]},
    ]);
    let found = ids(&contents);
    assert_eq!(found, ids(&contents));
    assert!(found.iter().all(|id| is_made_up(id)), "{found:?}");
    let [f1, f2, g, to_g, to_f1, to_f2, f3, to_f3] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((to_g, to_f1, to_f2, to_f3), (g, f1, f2, f3));
    assert!(f1 != f2 && f2 != g && f1 != f3);
    // Another order of the same arguments is the same call.
    let mut reordered = contents.clone();
    reordered[1]["parts"][0]["functionCall"]["args"] = json!({"b": 2, "a": 1});
    assert_eq!(ids(&reordered), found);
}

#[test]
fn results_with_an_id_answer_the_call_that_lost_its_own() {
    let found = ids(&json!([
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}, {"functionCall": {"id": "b", "name": "f"}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "b", "name": "f"}}, {"functionResponse": {"id": "made-by-client", "name": "f"}},
            {"functionResponse": {"id": "orphan", "name": "z"}},
        ]},
    ]));
    assert_eq!((found[2].as_str(), &found[3], found[4].as_str()), ("b", &found[0], "orphan"));
}

fn carrier(family: Family) -> String {
    let blob = Blob { family, account: None, slot: BlobSlot::Thinking, data: "SIG".into() };
    crate::carrier::wrap_base64(&blob)
}

#[test]
fn signatures_stay_with_their_part() {
    let found = parts(&json!([
        {"text": "hm", "thought": true},
        {"text": "a", "thoughtSignature": "TTTT"},
        {"functionCall": {"name": "f"}, "thought_signature": "CCCC"},
        {"functionCall": {"name": "g"}, "thoughtSignature": "skip_thought_signature_validator"},
        {"text": "", "thoughtSignature": "EEEE"},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "IIII"},
    ]));
    let own =
        |slot, data: &str| Some(Blob { family: Family::Gemini, account: None, slot, data: data.to_owned() });
    let blobs: Vec<_> = found
        .iter()
        .map(|part| match part {
            Part::Thinking(thinking) => thinking.blob.clone(),
            Part::Text(text) => text.blob.clone(),
            Part::ToolCall(call) => call.blob.clone(),
            Part::Image(image) => {
                let kept =
                    image.extra.get(Dialect::Gemini, "thoughtSignature").and_then(crate::Json::as_string);
                own(BlobSlot::Thinking, &kept.unwrap())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        blobs,
        [
            None,
            own(BlobSlot::Text, "TTTT"),
            own(BlobSlot::Call, "CCCC"),
            None,
            own(BlobSlot::Text, "EEEE"),
            own(BlobSlot::Thinking, "IIII"),
        ]
    );
}

#[test]
fn sealed_reasoning_of_others_returns_to_its_thinking() {
    let claude = carrier(Family::Claude);
    let call = json!({"functionCall": {"name": "f"}, "thoughtSignature": claude});
    let sealed = json!({"text": "", "thoughtSignature": claude});
    for (name, list, expected) in [
        (
            "the thought came back",
            json!([{"text": "t", "thought": true}, {"text": "a"}, call]),
            "T(t)! text call",
        ),
        ("the client dropped the thought", json!([{"text": "a"}, call]), "T()! text call"),
        ("it stands on the last text", json!([{"text": "a"}, sealed]), "T()! text"),
        ("the second step has one of its own", json!([call, {"text": "b"}, sealed]), "T()! call T()! text"),
    ] {
        let found: Vec<_> = parts(&list)
            .iter()
            .map(|part| match part {
                Part::Thinking(t) => {
                    format!("T({}){}", t.text(), if t.blob.is_some() { "!" } else { "" })
                }
                Part::Text(text) if text.blob.is_none() => "text".to_owned(),
                Part::ToolCall(call) if call.blob.is_none() => "call".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{name}");
    }
}

#[test]
fn tools_of_the_vendor_are_understood_and_kept() {
    let found = parts(&json!([
        {"executableCode": {"language": "PYTHON", "code": "1+1"}, "thoughtSignature": "S"},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "no"}},
        {"tool_call": {"id": "t", "tool_type": "GOOGLE_SEARCH_WEB", "args": {"queries": ["a", "b"]}}},
        {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {"some_key": 1}}},
        {"futurePart": {"a": 1}, "thoughtSignature": "F"},
        {},
    ]));
    let [
        Part::ServerCall(code),
        Part::ServerResult(outcome),
        Part::ServerCall(search),
        Part::ServerResult(found),
        Part::Opaque(opaque),
    ] = found.as_slice()
    else {
        panic!("{found:#?}")
    };
    assert_eq!((code.tool, &outcome.call_id), (ServerTool::CodeExecution, &code.id));
    assert_eq!(
        (outcome.error_code.as_deref(), outcome.output.as_deref()),
        (Some("OUTCOME_FAILED"), Some("no"))
    );
    assert_eq!((search.tool, search.input.get()), (ServerTool::WebSearch, r#"{"query":"a; b"}"#));
    let verbatim = |opaque: &Option<Opaque>| opaque.as_ref().unwrap().json.get().to_owned();
    assert_eq!(
        verbatim(&code.verbatim),
        r#"{"executableCode":{"language":"PYTHON","code":"1+1"},"thoughtSignature":"S"}"#
    );
    assert_eq!(
        verbatim(&found.verbatim),
        r#"{"toolResponse":{"id":"t","toolType":"GOOGLE_SEARCH_WEB","response":{"some_key":1}}}"#
    );
    assert_eq!(opaque.json.get(), r#"{"futurePart":{"a":1},"thoughtSignature":"F"}"#);
}

#[test]
fn count_requests_may_hold_the_request_inside() {
    let inner = json!({"model": "models/y", "contents": [{"parts": [{"text": "x"}]}], "systemInstruction": {"parts": [{"text": "s"}]}});
    let request = decode(&json!({"generateContentRequest": inner}));
    assert_eq!((request.system.len(), request.messages.len()), (1, 1));
    let body = serde_json::to_vec(&json!({"generateContentRequest": inner})).unwrap();
    assert_eq!(decode_request(&Incoming::body(&body)).unwrap().value.model, "models/y");
}

#[test]
fn what_is_wrong_is_named() {
    let content = |part: Value| json!({"contents": [{"parts": [{"text": "x"}]}, {"parts": [part]}]});
    let with = |name: &str, value: Value| {
        let mut body = json!({"contents": [{"parts": [{"text": "x"}]}]});
        body[name] = value;
        body
    };
    for (body, field) in [
        (json!({}), "contents"),
        (json!({"contents": []}), "contents"),
        (json!({"contents": "hi"}), "contents"),
        (json!({"contents": [{"role": "assistant", "parts": []}]}), "contents[0].role"),
        (json!({"contents": [{"role": 5}]}), "contents[0].role"),
        (content(json!({"text": 5})), "contents[1].parts[0].text"),
        (content(json!({"functionCall": {"args": {}}})), "contents[1].parts[0].functionCall.name"),
        (content(json!({"inlineData": {"data": "AAAA"}})), "contents[1].parts[0].inlineData.mimeType"),
        (content(json!({"fileData": {}})), "contents[1].parts[0].fileData.fileUri"),
        (with("tools", json!([{"functionDeclarations": [{}]}])), "tools[0].functionDeclarations[0].name"),
        (
            with("toolConfig", json!({"functionCallingConfig": {"mode": "SOMETIMES"}})),
            "toolConfig.functionCallingConfig.mode",
        ),
        (with("generationConfig", json!({"temperature": "warm"})), "generationConfig.temperature"),
        (
            with("generationConfig", json!({"thinkingConfig": {"thinkingLevel": "LOTS"}})),
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        (
            with("generationConfig", json!({"thinkingConfig": {"thinkingBudget": -7}})),
            "generationConfig.thinkingConfig.thinkingBudget",
        ),
    ] {
        let failure = try_decode(&body).unwrap_err();
        assert_eq!((failure.param.as_deref(), failure.status), (Some(field), 400), "{body}");
    }
    let failure = decode_request(&Incoming::body(br#"{"contents":[{"parts":[{"text":"x"}]}]}"#)).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("model"));
    assert_eq!(decode_request(&Incoming::body(b"{")).unwrap_err().param.as_deref(), Some("body"));
}

/// Google's SDKs keep a streamed answer as one content for each piece and send it back so.
#[test]
fn an_answer_in_many_contents_is_one() {
    use crate::{Ids, carrier, codec};
    use byok_types::{Family, ModelFacts};
    let seal = Blob { family: Family::Claude, account: None, slot: BlobSlot::Thinking, data: "U0lH".into() };
    let pieces = [
        json!({"text": "Let me ", "thought": true}),
        json!({"text": "think.", "thought": true}),
        json!({"text": "def f():"}),
        json!({"text": "\n"}),
        json!({"text": "    return"}),
        json!({"text": " "}),
        json!({"text": "t"}),
        json!({"text": "est"}),
        json!({"text": "", "thoughtSignature": carrier::wrap_base64(&seal)}),
    ];
    let user = |text: &str| json!({"role": "user", "parts": [{"text": text}]});
    let model = |parts: &[Value]| json!({"role": "model", "parts": parts});
    let mut one_each = vec![user("hi")];
    one_each.extend(pieces.iter().map(|piece| model(std::slice::from_ref(piece))));
    one_each.push(user("go on"));
    let one = vec![user("hi"), model(&pieces), user("go on")];
    let expected = json!([
        {"type": "thinking", "thinking": "Let me think.", "signature": "U0lH"},
        {"type": "text", "text": "def f():\n    return test"},
    ]);
    for contents in [one_each, one] {
        let request = decode(&json!({"contents": contents}));
        assert_eq!(request.messages.len(), contents.len(), "places keep their numbers");
        let body = |dialect, facts: &ModelFacts| -> Value {
            let written = codec::encode_request(dialect, &request, facts, &mut Ids::new("s")).unwrap();
            serde_json::from_slice(&written.value).unwrap()
        };
        let claude = ModelFacts { family: Family::Claude, ..ModelFacts::default() };
        let mut answer = body(Dialect::Messages, &claude)["messages"][1]["content"].clone();
        if let Some(text) = answer[1].as_object_mut() {
            text.remove("cache_control");
        }
        assert_eq!(answer, expected);
        let said = body(Dialect::Chat, &ModelFacts::default());
        assert_eq!(said["messages"][1]["content"], "def f():\n    return test");
    }
}

#[test]
fn a_thought_in_pieces_is_one() {
    let said = |text: &str| json!({"role": "model", "parts": [{"text": text, "thought": true}]});
    let contents =
        json!([said("Let "), said("me t"), said("hink"), {"role": "model", "parts": [{"text": "a"}]}]);
    let parts = decode(&json!({"contents": contents})).messages.remove(0).parts;
    let [Part::Thinking(thought), Part::Text(_)] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(thought.summary, ["Let me think"]);
}

#[test]
fn sealed_pieces_of_an_answer_stay_apart() {
    let contents = json!([
        {"role": "model", "parts": [{"text": "a"}, {"text": "b", "thoughtSignature": "QUFB"}, {"text": "c"}, {"text": "d"}]},
    ]);
    let texts: Vec<_> = decode(&json!({"contents": contents})).messages.remove(0).parts;
    let texts: Vec<_> =
        texts.iter().map(|part| if let Part::Text(text) = part { text.text.as_str() } else { "" }).collect();
    assert_eq!(texts, ["a", "b", "cd"]);
    // What a person says in pieces is not one text.
    let user = decode(&json!({"contents": [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]}));
    assert_eq!(user.messages[0].parts.len(), 2);
}
