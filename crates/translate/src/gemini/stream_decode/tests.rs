use super::*;
use crate::{
    gemini::{decode_answer, is_made_up},
    ir::{
        Blob, BlobSlot, Citation, CitationPlace, Delta, Family, Fold, Part, PartHead, Response, ServerTool,
        Source, Stop, StopReason,
    },
};
use serde_json::{Value, json};

/// The events of a stream of these chunks.
fn events(chunks: &[Value]) -> Vec<Event> {
    let mut decoder = StreamDecoder::new();
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.data(chunk.to_string().as_bytes(), &mut out);
    }
    decoder.finish(&mut out);
    assert!(decoder.ended());
    check(&out);
    out
}

fn fold(events: Vec<Event>) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

fn answer(chunks: &[Value]) -> Response {
    fold(events(chunks)).unwrap()
}

/// What every consumer of events relies on.
fn check(events: &[Event]) {
    let mut open = Vec::new();
    let mut finished = Vec::new();
    assert_eq!(events.iter().filter(|e| matches!(e, Event::End)).count(), 1);
    assert!(matches!(events.last(), Some(Event::End)));
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Start(_) => assert_eq!(at, 0),
            Event::PartStart { part, choice, .. } => {
                assert!(!finished.contains(choice));
                open.push(*part);
            }
            Event::Delta { part, .. } => assert!(open.contains(part)),
            Event::PartStop { part, .. } => open.retain(|p| p != part),
            Event::Finish { choice, .. } => {
                assert!(open.is_empty() && !finished.contains(choice));
                finished.push(*choice);
            }
            Event::Failure(_) => assert!(open.is_empty() && finished.is_empty()),
            _ => {}
        }
    }
}

fn chunk(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}]})
}

fn last(parts: &Value, reason: &str) -> Value {
    let mut last = chunk(parts);
    last["candidates"][0]["finishReason"] = reason.into();
    last
}

/// The parts of the answer in short.
fn said(response: &Response) -> Vec<String> {
    let parts = &response.choices[0].parts;
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => format!("text {}{}", text.text, seal(text.blob.as_ref())),
            Part::Thinking(thinking) => {
                format!("thought {}{}", thinking.text(), seal(thinking.blob.as_ref()))
            }
            Part::ToolCall(call) => {
                format!("call {} {}{}", call.name, call.arguments, seal(call.blob.as_ref()))
            }
            Part::ServerCall(call) => format!("server {:?} {}", call.tool, call.input.get()),
            Part::ServerResult(result) => format!("result {:?} {}", result.tool, result.hits.len()),
            Part::Image(_) => "image".to_owned(),
            Part::Audio(_) => "audio".to_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}

fn seal(blob: Option<&Blob>) -> String {
    blob.map(|b| format!(" [{} {:?} {}]", b.family.name(), b.slot, b.data)).unwrap_or_default()
}

#[test]
fn the_answer_of_the_format_sheet() {
    let usage = |visible: Option<u64>, total: u64| {
        let mut usage = json!({"promptTokenCount": 120, "cachedContentTokenCount": 100, "thoughtsTokenCount": 10, "totalTokenCount": total});
        if let Some(visible) = visible {
            usage["candidatesTokenCount"] = visible.into();
        }
        usage
    };
    let mut first = chunk(&json!([{"text": "Look it up.", "thought": true}]));
    first["responseId"] = "r1".into();
    first["modelVersion"] = "m".into();
    first["createTime"] = "2026-03-05T22:50:32.281553Z".into();
    first["usageMetadata"] = usage(None, 130);
    let mut end = last(&json!([{"text": ""}]), "STOP");
    end["usageMetadata"] = usage(Some(30), 160);
    let response = answer(&[
        first,
        chunk(&json!([{"text": "Checking."}])),
        chunk(&json!([
            {"functionCall": {"name": "get_weather", "args": {"city": "Oslo"}}, "thoughtSignature": "SIGB64"},
            {"functionCall": {"name": "get_time", "args": {"tz": "CET"}}},
        ])),
        end,
    ]);
    assert_eq!(
        (response.id.as_deref(), response.model.as_deref(), response.created),
        (Some("r1"), Some("m"), Some(1_772_751_032))
    );
    assert_eq!(
        said(&response),
        [
            "thought Look it up.",
            "text Checking.",
            r#"call get_weather {"city":"Oslo"} [gemini Call SIGB64]"#,
            r#"call get_time {"tz":"CET"}"#,
        ]
    );
    assert_eq!(
        response.choices[0].stop,
        Some(Stop { word: Some("STOP".into()), ..Stop::new(StopReason::ToolCall) })
    );
    let usage = response.usage.unwrap();
    assert_eq!(
        (usage.input, usage.cache_read, usage.output, usage.reasoning),
        (Some(120), Some(100), Some(40), Some(10))
    );
}

#[test]
fn parts_grow_until_another_kind_comes() {
    for (name, chunks, expected) in [
        (
            "text",
            vec![chunk(&json!([{"text": "a"}])), last(&json!([{"text": "b"}]), "STOP")],
            vec!["text ab"],
        ),
        (
            "thought, text, thought",
            vec![last(
                &json!([{"text": "a", "thought": true}, {"text": "b"}, {"text": "c", "thought": true}]),
                "STOP",
            )],
            vec!["thought a", "text b", "thought c"],
        ),
        (
            "a signature behind the text",
            vec![
                chunk(&json!([{"text": "a"}])),
                last(&json!([{"text": "", "thoughtSignature": "S"}]), "STOP"),
            ],
            vec!["text a [gemini Text S]"],
        ),
        (
            "no words are added to a signed text",
            vec![last(&json!([{"text": "a", "thoughtSignature": "S"}, {"text": "b"}]), "STOP")],
            vec!["text a [gemini Text S]", "text b"],
        ),
        (
            "a signature alone",
            vec![last(&json!([{"text": "t", "thought": true}, {"thoughtSignature": "S"}]), "STOP")],
            vec!["thought t", "text  [gemini Text S]"],
        ),
        (
            "snake case",
            vec![last(&json!([{"function_call": {"name": "f"}, "thought_signature": "S"}]), "STOP")],
            vec!["call f {} [gemini Call S]"],
        ),
        (
            "media",
            vec![last(
                &json!([
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": true},
                    {"inline_data": {"mime_type": "audio/L16", "data": "AAAA"}},
                ]),
                "STOP",
            )],
            vec!["image", "audio"],
        ),
        ("empty parts", vec![last(&json!([{}, {"text": ""}, {"text": "a"}]), "STOP")], vec!["text a"]),
    ] {
        assert_eq!(said(&answer(&chunks)), expected, "{name}");
    }
}

#[test]
fn t5_t9_every_call_is_a_call_of_its_own() {
    let response = answer(&[
        chunk(&json!([{"functionCall": {"name": "f", "args": {"command": "ls"}}}])),
        chunk(&json!([{"functionCall": {"name": "f", "args": {"command": "ls"}}}])),
        last(&json!([{"functionCall": {"id": "given", "name": "g", "args": null}}]), "STOP"),
    ]);
    let ids: Vec<_> = response.choices[0]
        .parts
        .iter()
        .map(|part| if let Part::ToolCall(call) = part { call.call_id.clone() } else { panic!() })
        .collect();
    assert!(is_made_up(&ids[0]) && is_made_up(&ids[1]) && ids[0] != ids[1]);
    assert_eq!(ids[2], "given");
    assert_eq!(said(&response)[2], "call g {}");
}

#[test]
fn a_call_that_comes_twice_under_its_id_is_one_call() {
    let call = |id: &str, city: &str| {
        chunk(&json!([{"functionCall": {"id": id, "name": "f", "args": {"city": city}}}]))
    };
    let response = answer(&[
        call("1", "Oslo"),
        call("1", "Oslo"),
        call("1", "Rome"),
        call("2", "Oslo"),
        last(&json!([{"functionCall": {"id": "1", "name": "f", "args": {"city": "Oslo"}}}]), "STOP"),
    ]);
    assert_eq!(
        said(&response),
        [r#"call f {"city":"Oslo"}"#, r#"call f {"city":"Rome"}"#, r#"call f {"city":"Oslo"}"#]
    );
}

#[test]
fn arguments_in_pieces_are_put_together() {
    let piece = |path: &str, value: Value, more: bool| {
        let mut piece = json!({"jsonPath": path, "willContinue": more});
        piece.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        chunk(&json!([{"functionCall": {"partialArgs": [piece], "willContinue": true}}]))
    };
    let response = answer(&[
        chunk(&json!([{"functionCall": {"name": "write", "willContinue": true}, "thoughtSignature": "S"}])),
        piece("$.items[0].name", json!({"stringValue": "ap"}), true),
        piece("$.items[0].name", json!({"stringValue": "ple"}), false),
        piece("$.items[0].price", json!({"numberValue": 0.5}), false),
        piece("$.items[1].ok", json!({"boolValue": true}), false),
        chunk(&json!([{"functionCall": {}}])),
        chunk(&json!([{"functionCall": {"name": "next", "willContinue": true}}])),
        chunk(&json!([{"functionCall": {}}])),
        last(&json!([{"functionCall": {"name": "last"}}]), "STOP"),
    ]);
    assert_eq!(
        said(&response),
        [
            r#"call write {"items":[{"name":"apple","price":0.5},{"ok":true}]} [gemini Call S]"#,
            "call next {}",
            "call last {}",
        ]
    );
    // Cut off in the middle, the call is not complete.
    let events = events(&[
        chunk(&json!([{"functionCall": {"name": "write", "willContinue": true}}])),
        piece("$.a", json!({"stringValue": "x"}), true),
        last(&json!([]), "MAX_TOKENS"),
    ]);
    assert!(events.iter().any(|e| matches!(e, Event::PartStop { complete: false, .. })));
    assert_eq!(fold(events).unwrap().choices[0].stop.as_ref().unwrap().reason, StopReason::Length);
}

/// Whatever comes behind a call that was to go on, it is told as one that is cut off.
#[test]
fn t43_a_call_that_never_finished_is_not_complete() {
    let begun = json!([{"functionCall": {"name": "Bash", "id": "f1", "willContinue": true, "partialArgs": [
        {"jsonPath": "$.command", "stringValue": "rm -rf /", "willContinue": true}]}}]);
    for (what, next, word) in [
        ("a text", json!([{"text": "hi"}]), "STOP"),
        ("a call", json!([{"functionCall": {"name": "f", "id": "f2", "args": {}}}]), "STOP"),
        ("a search", json!([{"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}}]), "STOP"),
        ("the limit", json!([]), "MAX_TOKENS"),
    ] {
        let events = events(&[chunk(&begun), last(&next, word)]);
        let call = events.iter().find_map(|event| match event {
            Event::PartStart { part, head: PartHead::ToolCall { name, .. }, .. } if name == "Bash" => {
                Some(*part)
            }
            _ => None,
        });
        let told = events.iter().find_map(|event| match event {
            Event::Delta { part, delta: Delta::Arguments(text) } if Some(*part) == call => {
                Some(text.as_str())
            }
            _ => None,
        });
        let complete = events.iter().find_map(|event| match event {
            Event::PartStop { part, complete, .. } if Some(*part) == call => Some(*complete),
            _ => None,
        });
        assert_eq!((told, complete), (Some(r#"{"command":"rm -rf /"#), Some(false)), "{what}");
    }
}

#[test]
fn t44_finish_reasons() {
    let call = json!([{"functionCall": {"name": "f"}}]);
    let text = json!([{"text": "x"}]);
    for (parts, word, expected) in [
        (&text, "STOP", StopReason::End),
        (&call, "STOP", StopReason::ToolCall),
        (&call, "OTHER", StopReason::ToolCall),
        (&call, "UNEXPECTED_TOOL_CALL", StopReason::ToolCall),
        (&call, "MAX_TOKENS", StopReason::Length),
        (&text, "MAX_TOKENS", StopReason::Length),
        (&text, "SAFETY", StopReason::ContentFilter),
        (&text, "RECITATION", StopReason::ContentFilter),
        (&text, "PROHIBITED_CONTENT", StopReason::ContentFilter),
        (&text, "MALFORMED_FUNCTION_CALL", StopReason::MalformedCall),
        (&text, "CONTINUATION", StopReason::Pause),
        (&text, "SOMETHING_NEW", StopReason::Other),
    ] {
        let stop = answer(&[last(parts, word)]).choices.remove(0).stop.unwrap();
        assert_eq!((stop.reason, stop.word.as_deref()), (expected, Some(word)));
    }
}

#[test]
fn chunks_may_follow_the_finish_reason() {
    let response = answer(&[
        last(&json!([{"text": "a"}]), "STOP"),
        json!({"candidates": [{"content": {}, "finishReason": "FINISH_REASON_UNSPECIFIED"}]}),
        chunk(&json!([{"text": "b"}])),
        json!({"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 5}}),
    ]);
    assert_eq!(
        (said(&response), response.usage.and_then(|u| u.output)),
        (vec!["text ab".to_owned()], Some(2))
    );
}

#[test]
fn failures_take_the_place_of_the_finish() {
    let text = chunk(&json!([{"text": "x"}]));
    let error = json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}});
    for (name, chunks, kind, status) in [
        ("cut off", vec![text.clone()], FailureKind::UpstreamTruncated, 502),
        ("nothing at all", vec![], FailureKind::UpstreamTruncated, 502),
        ("an error", vec![text.clone(), error.clone(), text.clone()], FailureKind::Overloaded, 503),
        ("an error in a list", vec![json!([error])], FailureKind::Overloaded, 503),
        ("an error in the envelope", vec![json!({"response": error})], FailureKind::Overloaded, 503),
        ("not an answer", vec![text, json!("x")], FailureKind::Server, 502),
        (
            "no usable call",
            vec![last(&json!([{"text": "t", "thought": true}]), "MALFORMED_FUNCTION_CALL")],
            FailureKind::Server,
            502,
        ),
    ] {
        let failure = fold(events(&chunks)).unwrap_err();
        assert_eq!((failure.kind, failure.status), (kind, status), "{name}");
    }
}

#[test]
fn a_refused_prompt_is_an_answer() {
    let response = answer(&[
        json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}),
    ]);
    let stop = response.choices[0].stop.clone().unwrap();
    assert_eq!((stop.reason, stop.word.as_deref()), (StopReason::Refusal, Some("SAFETY")));
    assert!(response.extra.get(Dialect::Gemini, "promptFeedback").is_some());
}

#[test]
fn envelopes_and_lists_are_unwrapped() {
    let text = last(&json!([{"text": "x"}]), "STOP");
    let usage = json!({"promptTokenCount": 1, "candidatesTokenCount": 2});
    let wrapped = json!({"response": text, "traceId": "t", "usageMetadata": usage});
    for body in [text.clone(), json!([text]), wrapped, json!([{"response": text}])] {
        assert_eq!(said(&answer(&[body])), ["text x"]);
    }
    let counted =
        answer(&[json!({"response": last(&json!([{"text": "x"}]), "STOP"), "usageMetadata": usage})]);
    assert_eq!(counted.usage.and_then(|usage| usage.output), Some(2), "counts stand beside the answer");
    let mut decoder = StreamDecoder::new();
    let mut out = Vec::new();
    for data in ["", " ", "[DONE]"] {
        decoder.data(data.as_bytes(), &mut out);
    }
    assert_eq!(out, []);
}

#[test]
fn t114_usage_is_cumulative_and_placeholders_are_ignored() {
    let with = |usage: Value| json!({"candidates": [{"content": {"parts": [{"text": "x"}]}}], "usageMetadata": usage});
    let mut end = last(&json!([]), "STOP");
    end["usage_metadata"] = json!({
        "prompt_token_count": 5, "candidates_token_count": 7, "toolUsePromptTokenCount": 2, "serviceTier": "flex",
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}, {"modality": "AUDIO", "tokenCount": 1}],
    });
    let events = events(&[
        with(json!({"promptTokenCount": 0, "totalTokenCount": 0})),
        with(json!({"promptTokenCount": 5, "thoughtsTokenCount": 3})),
        with(json!({"promptTokenCount": 5, "thoughtsTokenCount": 3})),
        with(json!({"candidatesTokenCount": "4", "thoughtsTokenCount": 3})),
        end,
    ]);
    let usages: Vec<_> =
        events.iter().filter_map(|e| if let Event::Usage(u) = e { Some(u) } else { None }).collect();
    let outputs: Vec<_> = usages.iter().map(|u| (u.input, u.output)).collect();
    assert_eq!(outputs, [(Some(5), Some(3)), (Some(5), Some(7)), (Some(5), Some(10))]);
    let end = usages[2];
    assert_eq!(
        (end.tool_input, end.input_audio, end.service_tier.as_deref()),
        (Some(2), Some(1), Some("flex"))
    );
}

#[test]
fn several_candidates_are_told_apart() {
    let both = |a: &str, b: &str| {
        json!({"candidates": [
            {"index": 1, "content": {"parts": [{"text": b}]}, "finishReason": "STOP"},
            {"index": 0, "content": {"parts": [{"text": a}]}, "finishReason": "STOP"},
            {"index": 4_000_000_000_u32, "content": {"parts": [{"text": "absurd"}]}},
        ]})
    };
    let response = answer(&[both("a", "b"), both("c", "d")]);
    let texts: Vec<_> = response
        .choices
        .iter()
        .map(|choice| if let Part::Text(text) = &choice.parts[0] { text.text.clone() } else { panic!() })
        .collect();
    assert_eq!(texts, ["ac", "bd"]);
}

#[test]
fn answers_beyond_the_last_that_is_told_apart_are_left_out() {
    for (index, choices) in [(126, 127), (127, 128), (128, 0), (1_000_000, 0)] {
        let mut chunk = last(&json!([{"text": "x"}]), "STOP");
        chunk["candidates"][0]["index"] = index.into();
        let events = events(&[chunk]);
        let finishes = events.iter().filter(|event| matches!(event, Event::Finish { .. })).count();
        assert_eq!(finishes, choices, "{index}");
    }
}

#[test]
fn grounding_becomes_citations_in_characters_and_a_search() {
    let text = "Größe: 3 km. Ja.";
    let metadata = json!({
        "webSearchQueries": ["how big"],
        "groundingChunks": [{"web": {"uri": "https://a.org", "title": "A"}}, {"web": {"uri": "https://b.org"}}],
        "groundingSupports": [
            {"segment": {"endIndex": 14, "text": "Größe: 3 km."}, "groundingChunkIndices": [0, 1]},
            {"segment": {"startIndex": 99, "endIndex": 120, "text": "Ja."}, "groundingChunkIndices": [1, 9]},
            {"segment": {"startIndex": 1}, "groundingChunkIndices": [0]},
        ],
    });
    let web = |url: &str, title: Option<&str>, start, end| Citation {
        place: CitationPlace::Web { url: url.to_owned(), encrypted_index: None },
        title: title.map(str::to_owned),
        start: Some(start),
        end: Some(end),
        ..Citation::default()
    };
    let mut end = last(&json!([{"text": &text[9..]}]), "STOP");
    end["candidates"][0]["groundingMetadata"] = metadata.clone();
    let response = answer(&[chunk(&json!([{"text": &text[..9]}])), end]);
    let Part::Text(found) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(found.text, text);
    assert_eq!(
        found.citations,
        [
            web("https://a.org", Some("A"), 0, 12),
            web("https://b.org", None, 0, 12),
            web("https://b.org", None, 13, 16)
        ]
    );
    assert_eq!(said(&response)[1..], [r#"server WebSearch {"query":"how big"}"#, "result WebSearch 2"]);
    assert_eq!(
        response.extra.get(Dialect::Gemini, "candidates[0].groundingMetadata").unwrap().to_tree(),
        metadata
    );
    // In a whole answer places count from the part that they name.
    let mut whole = last(&json!([{"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}}, {"text": "x y"}]), "STOP");
    whole["candidates"][0]["groundingMetadata"] = json!({
        "groundingChunks": [{"web": {"uri": "https://a.org"}}],
        "groundingSupports": [{"segment": {"partIndex": 1, "startIndex": 2, "endIndex": 3}, "groundingChunkIndices": [0]}],
    });
    let response = fold(decode_answer(whole.to_string().as_bytes()).unwrap()).unwrap();
    let Part::Text(found) = &response.choices[0].parts[1] else { panic!() };
    assert_eq!(found.citations, [web("https://a.org", None, 2, 3)]);
    assert!(
        matches!(&response.choices[0].parts[0], Part::ServerCall(call) if call.tool == ServerTool::WebSearch)
    );
}

#[test]
fn t127_parameter_names_come_back() {
    let response =
        answer(&[last(&json!([{"functionCall": {"name": "f", "args": {"_byok24_filter": 1}}}]), "STOP")]);
    assert_eq!(said(&response), [r#"call f {"$filter":1}"#]);
}

#[test]
fn carriers_are_unwrapped() {
    let blob = Blob {
        family: Family::Claude,
        account: Some("a".into()),
        slot: BlobSlot::Thinking,
        data: "E".into(),
    };
    let signature = crate::carrier::wrap_base64(&blob);
    let response =
        answer(&[last(&json!([{"functionCall": {"name": "f"}, "thoughtSignature": signature}]), "STOP")]);
    let Part::ToolCall(call) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(call.blob.as_ref(), Some(&blob));
}

#[test]
fn a_whole_answer_folds_to_what_its_stream_folds_to() {
    let whole = json!({
        "candidates": [{"content": {"role": "model", "parts": [
            {"text": "t", "thought": true}, {"text": "abc"},
            {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "S"},
        ]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
        "modelVersion": "m", "responseId": "r",
    });
    let mut chunks: Vec<_> =
        [json!({"text": "t", "thought": true}), json!({"text": "a"}), json!({"text": "bc"})]
            .iter()
            .map(|part| chunk(&json!([part])))
            .collect();
    chunks[0]["responseId"] = "r".into();
    chunks[0]["modelVersion"] = "m".into();
    let mut end = last(&whole["candidates"][0]["content"]["parts"][2].clone().into_list(), "STOP");
    end["usageMetadata"] = whole["usageMetadata"].clone();
    chunks.push(end);
    let from_whole = fold(decode_answer(whole.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(answer(&chunks), from_whole);
}

trait IntoList {
    fn into_list(self) -> Value;
}

impl IntoList for Value {
    fn into_list(self) -> Value {
        Value::Array(vec![self])
    }
}

#[test]
fn whole_answers_need_no_finish_reason_but_an_answer() {
    let text = chunk(&json!([{"text": "x"}]));
    let response = fold(decode_answer(text.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(response.choices[0].stop, Some(Stop::new(StopReason::End)));
    let empty = br#"{"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}]}"#;
    let response = fold(decode_answer(empty).unwrap()).unwrap();
    assert_eq!(response.choices[0].stop.as_ref().map(|stop| stop.reason), Some(StopReason::End));
    for body in [
        "",
        "<html>",
        "[]",
        r#"{"error":{"code":429,"message":"slow down"}}"#,
        r#"{"usageMetadata":{"promptTokenCount":3}}"#,
        r#"{"candidates":[],"promptFeedback":{}}"#,
        r#"{"candidates":[{"content":{"role":"model"}}]}"#,
    ] {
        assert!(decode_answer(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn generated_media_keep_their_bytes() {
    let response = answer(&[last(
        &json!([{"inlineData": {"mimeType": "image/png", "data": "A_-A"}, "thoughtSignature": "S"}]),
        "STOP",
    )]);
    let Part::Image(image) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(image.source, Source::Base64 { media_type: "image/png".into(), data: "A/+A".into() });
    assert!(image.extra.get(Dialect::Gemini, "thoughtSignature").is_some());
}

#[test]
fn logprobs_are_the_list_that_the_others_share() {
    let mut end = last(&json!([{"text": "a"}]), "STOP");
    end["candidates"][0]["logprobsResult"] = json!({
        "chosenCandidates": [{"token": "a", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.5}, {"token": "b", "logProbability": -1}]}],
    });
    let events = events(&[end]);
    let list = events
        .iter()
        .find_map(|e| if let Event::Delta { delta: Delta::Logprobs(l), .. } = e { Some(l) } else { None });
    assert_eq!(
        list.unwrap().to_tree(),
        json!([{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [
            {"token": "a", "logprob": -0.5, "bytes": [97]}, {"token": "b", "logprob": -1.0, "bytes": [98]}]}])
    );
}

#[test]
fn times_are_unix_seconds() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2024-02-29T12:00:00.5Z", Some(1_709_208_000)),
        ("2026-03-05T22:50:32.281553Z", Some(1_772_751_032)),
        ("2026-03-05T22:50:32+01:00", None),
        ("yesterday", None),
        ("", None),
    ] {
        assert_eq!(unix_seconds(text), expected, "{text}");
    }
}

#[test]
fn times_are_read_as_google_writes_them() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-12-31T23:59:59.9Z", Some(364 * 86_400 + 86_399)),
        ("2000-02-29T12:00:00Z", Some(951_825_600)),
        ("2026-11-30T01:02:03Z", Some(1_796_000_523)),
        ("2026-13-30T01:02:03Z", None),
        ("2026-11-30T01:02:03+01:00", None),
        ("soon", None),
    ] {
        assert_eq!(unix_seconds(text), seconds, "{text}");
    }
}
