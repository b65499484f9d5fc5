//! Properties of the Gemini codec: streams of any events are grammatical, any cut of the bytes reads the same, and a
//! request that is read and written again says the same.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "grammar/gemini.rs"]
mod grammar;

use byok_translate::{
    Exchange, Ids, Incoming, Json, codec, gemini,
    ir::{
        Blob, BlobSlot, Citation, CitationPlace, Delta, Event, Extra, Failure, Family, Flavour, Fold, Image,
        Part, PartHead, PartId, Request, SearchHit, ServerCall, ServerResult, ServerTool, Source, Start,
        Stop, StopReason, ToolCall, ToolResult, Usage, unfold,
    },
    sse,
};
use byok_types::{Blame, Dialect, FailureKind, ModelFacts};
use proptest::prelude::*;
use serde_json::{Value, json};

fn exchange(upstream: Dialect, json_array: bool) -> Exchange {
    let request = Request::new(Dialect::Gemini, "models/m");
    Exchange { json_array, ..Exchange::new(&request, &ModelFacts::default(), upstream, 1, "seed") }
}

fn encoded(events: Vec<Event>, exchange: &Exchange) -> Vec<u8> {
    let mut encoder = gemini::StreamEncoder::new(exchange);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    out
}

/// The events of a stream that comes in pieces of these sizes.
fn decoded(bytes: &[u8], sizes: &[usize]) -> Vec<Event> {
    let mut frames = sse::Decoder::default();
    let mut decoder = gemini::StreamDecoder::new();
    let mut events = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().copied().chain(std::iter::once(usize::MAX)) {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        frames.push(piece, |frame| decoder.frame(frame, &mut events)).unwrap();
        rest = after;
    }
    frames.finish(|frame| decoder.frame(frame, &mut events)).unwrap();
    decoder.finish(&mut events);
    events
}

fn fold(events: Vec<Event>) -> Result<byok_translate::ir::Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,6}",
        Just("\u{2028}\n\r\"\\ä€🙂".to_owned()),
        Just(String::new()),
        Just("data: x\n\n".to_owned()),
    ]
}

fn blob() -> impl Strategy<Value = Blob> {
    let family = prop::sample::select(vec![Family::Gemini, Family::Claude, Family::Openai]);
    let slot = prop::sample::select(vec![BlobSlot::Thinking, BlobSlot::Call, BlobSlot::Text]);
    (family, slot).prop_map(|(family, slot)| Blob { family, account: None, slot, data: "QUJD".into() })
}

fn citation() -> impl Strategy<Value = Citation> {
    (any::<bool>(), prop::option::of(0..9_u64), prop::option::of(0..9_u64)).prop_map(|(web, start, end)| {
        let place = CitationPlace::Web { url: "https://x.org".into(), encrypted_index: None };
        let place = if web { place } else { CitationPlace::Other };
        Citation { place, start, end, ..Citation::default() }
    })
}

fn whole() -> impl Strategy<Value = Part> {
    let image = Image {
        source: Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() },
        detail: None,
        cache: None,
        extra: Extra::default(),
    };
    let call = |tool, input: &str| ServerCall {
        id: "s".into(),
        tool,
        name: "n".into(),
        input: Json::parse(input).unwrap(),
        status: None,
        verbatim: None,
    };
    let result = |tool| ServerResult {
        call_id: "s".into(),
        tool,
        hits: vec![SearchHit { url: "https://h.org".into(), ..SearchHit::default() }],
        output: Some("out".into()),
        error_code: None,
        verbatim: None,
    };
    prop::sample::select(vec![
        Part::Image(image),
        Part::ServerCall(call(ServerTool::WebSearch, r#"{"query":"q"}"#)),
        Part::ServerCall(call(ServerTool::CodeExecution, r#"{"code":"1"}"#)),
        Part::ServerCall(call(ServerTool::Mcp, "[]")),
        Part::ServerResult(result(ServerTool::WebSearch)),
        Part::ServerResult(result(ServerTool::CodeExecution)),
        Part::text("whole"),
    ])
}

fn head() -> impl Strategy<Value = PartHead> {
    let flavour = prop::sample::select(vec![Flavour::Function, Flavour::Custom]);
    let call = flavour.prop_map(|flavour| PartHead::ToolCall {
        call_id: "call_1".into(),
        item_id: None,
        name: "f".into(),
        namespace: None,
        flavour,
        caller: None,
    });
    prop_oneof![
        Just(PartHead::Text),
        Just(PartHead::Refusal),
        Just(PartHead::Thinking { id: None, redacted: false }),
        call,
        whole().prop_map(|part| PartHead::Whole(Box::new(part))),
    ]
}

fn delta() -> impl Strategy<Value = Delta> {
    prop_oneof![
        text().prop_map(Delta::Text),
        text().prop_map(Delta::Refusal),
        (text(), 0..3_u32).prop_map(|(text, paragraph)| Delta::Thinking { text, paragraph, raw: false }),
        blob().prop_map(Delta::Signature),
        prop::sample::select(vec!["{\"a\":", "1}", "{}", "null", "[1]", "x\n"])
            .prop_map(|piece| Delta::Arguments(piece.to_owned())),
        citation().prop_map(|citation| Delta::Citation(Box::new(citation))),
        Just(Delta::Logprobs(Json::parse(r#"[{"token":"a","logprob":-1}]"#).unwrap())),
    ]
}

fn stop() -> impl Strategy<Value = Stop> {
    let reasons = vec![
        StopReason::End,
        StopReason::ToolCall,
        StopReason::Length,
        StopReason::ContentFilter,
        StopReason::Refusal,
        StopReason::Pause,
        StopReason::MalformedCall,
        StopReason::Other,
    ];
    let word = prop::option::of(prop::sample::select(vec!["STOP", "SAFETY", "CONTINUATION", "whatever"]));
    (prop::sample::select(reasons), word)
        .prop_map(|(reason, word)| Stop { word: word.map(str::to_owned), ..Stop::new(reason) })
}

/// Any event, in any state of the stream.
fn event() -> impl Strategy<Value = Event> {
    let part = || (0..6_u32).prop_map(PartId);
    let usage = (0..1000_u64, 0..1000_u64, 0..1000_u64).prop_map(|(input, output, reasoning)| Usage {
        input: Some(input),
        output: Some(output.max(reasoning)),
        reasoning: Some(reasoning),
        ..Usage::default()
    });
    prop_oneof![
        6 => (part(), 0..3_u32, head()).prop_map(|(part, choice, head)| Event::PartStart { part, choice, head }),
        12 => (part(), delta()).prop_map(|(part, delta)| Event::Delta { part, delta }),
        5 => (part(), any::<bool>()).prop_map(|(part, complete)| Event::PartStop { part, complete, whole: None }),
        1 => usage.prop_map(Event::Usage),
        1 => (0..3_u32, stop()).prop_map(|(choice, stop)| Event::Finish { choice, stop }),
        1 => Just(Event::Ping),
        1 => Just(Event::Start(Start::default())),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    let kinds = vec![FailureKind::RateLimit, FailureKind::UpstreamTruncated, FailureKind::ContextTooLong];
    (prop::sample::select(kinds), text()).prop_map(|(kind, text)| Failure::new(kind, Blame::Upstream, text))
}

#[test]
fn an_error_between_the_events_is_seen() {
    let bytes = b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]}}]}\r\n\r\n\
        {\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"overloaded\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n";
    for size in [1, 7, 1000] {
        let failure = fold(decoded(bytes, &vec![size; bytes.len() / size])).unwrap_err();
        assert_eq!((failure.kind, failure.status), (FailureKind::Overloaded, 503));
    }
}

#[test]
fn an_upstream_that_streams_an_array_is_read() {
    let bytes = br#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}
,
{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}]"#;
    let response = fold(decoded(bytes, &[3, 50])).unwrap();
    assert_eq!(response.choices[0].parts, [Part::text("ab")]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_make_a_grammatical_stream(
        events in prop::collection::vec(event(), 0..40),
        failure in prop::option::of(failure()),
        array in any::<bool>(),
        same in any::<bool>(),
    ) {
        let mut events = events;
        events.extend(failure.map(Event::Failure));
        events.push(Event::End);
        let upstream = if same { Dialect::Gemini } else { Dialect::Messages };
        let bytes = encoded(events, &exchange(upstream, array));
        prop_assert_eq!(grammar::check(&bytes), Ok(()), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn whole_answers_are_grammatical_and_say_what_the_stream_says(events in prop::collection::vec(event(), 0..30)) {
        let exchange = exchange(Dialect::Gemini, false);
        let response = fold(events).unwrap();
        let whole = gemini::encode_answer(&response, &exchange).value;
        prop_assert_eq!(grammar::check_answer(&whole), Ok(()), "{}", String::from_utf8_lossy(&whole));
        let streamed = encoded(unfold(&response), &exchange);
        prop_assert_eq!(grammar::check(&streamed), Ok(()));
        let of_whole = gemini::decode_answer(&whole).and_then(fold);
        let of_stream = fold(decoded(&streamed, &[]));
        match (of_whole, of_stream) {
            (Ok(whole), Ok(stream)) => prop_assert_eq!(whole, stream),
            (whole, stream) => prop_assert_eq!(whole.err().map(|f| f.kind), stream.err().map(|f| f.kind)),
        }
    }

    #[test]
    fn any_cut_reads_the_same(
        events in prop::collection::vec(event(), 0..20),
        array in any::<bool>(),
        sizes in prop::collection::vec(0..40_usize, 0..60),
    ) {
        let mut events = events;
        events.push(Event::End);
        let bytes = encoded(events, &exchange(Dialect::Gemini, array));
        prop_assert_eq!(decoded(&bytes, &sizes), decoded(&bytes, &[]));
    }

    #[test]
    fn garbage_ends_in_one_end(
        pieces in prop::collection::vec(prop_oneof![
            any::<String>(),
            Just("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]}}]}\n\n".to_owned()),
            Just("data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n".to_owned()),
            Just("data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"willContinue\":true}}]}}]}\n\n".to_owned()),
            Just("data: [{\"error\":{}}]\n\n".to_owned()),
            Just("data: {\"response\":{\"response\":{}}}\n\n".to_owned()),
        ], 0..12),
    ) {
        let events = decoded(pieces.concat().as_bytes(), &[]);
        prop_assert_eq!(events.iter().filter(|e| matches!(e, Event::End)).count(), 1);
        prop_assert!(matches!(events.last(), Some(Event::End)));
        let _ = gemini::decode_answer(pieces.concat().as_bytes());
        let _ = gemini::decode_failure(500, pieces.concat().as_bytes());
    }

    #[test]
    fn a_request_read_and_written_says_the_same(body in request()) {
        let facts = ModelFacts { id: "m".into(), family: Family::Gemini, ..ModelFacts::default() };
        let read = |bytes: &[u8]| {
            let incoming = Incoming { body: bytes, model: Some("m"), stream: Some(false) };
            gemini::decode_request(&incoming).unwrap().value
        };
        let mut first = read(body.to_string().as_bytes());
        // Several contents of one answer are one; the others only hold their places.
        first.messages.retain(|message| !message.parts.is_empty());
        let written = gemini::encode_request(&first, &facts, &mut Ids::new("x")).unwrap();
        prop_assert_eq!(renumbered(read(&written.value)), renumbered(first), "{}", String::from_utf8_lossy(&written.value));
        prop_assert!(written.losses.is_empty(), "{:?}", written.losses);
    }
}

/// With ids of calls in the order of their appearance: what stands before a call without an id decides about the one that it
/// gets, and pieces of one text become one part.
fn renumbered(mut request: Request) -> Request {
    let mut known = Vec::new();
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        let (Part::ToolCall(ToolCall { call_id, .. }) | Part::ToolResult(ToolResult { call_id, .. })) = part
        else {
            continue;
        };
        let at = known.iter().position(|id| id == call_id).unwrap_or(known.len());
        if at == known.len() {
            known.push(call_id.clone());
        }
        *call_id = at.to_string();
    }
    request
}

fn json_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"a_b": [1, 1e5, 12_345_678_901_234_567_u64], "$x": null})),
        text().prop_map(|text| json!({"output": text})),
    ]
}

fn user_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(|text| json!({"text": text})),
        Just(
            json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "mediaResolution": {"level": "L"}})
        ),
        Just(json!({"inline_data": {"mime_type": "application/pdf", "data": "_-8=", "display_name": "d"}})),
        Just(
            json!({"fileData": {"fileUri": "https://x.org/v", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}})
        ),
        Just(json!({"futureData": {"x_y": 1}, "partMetadata": {"k": 1}})),
        (json_value(), any::<bool>()).prop_map(|(response, id)| {
            let mut result = json!({"name": "f", "response": response, "scheduling": "SILENT"});
            if id {
                result["id"] = "c1".into();
            }
            json!({"functionResponse": result})
        }),
    ]
}

fn model_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        (text(), any::<bool>()).prop_map(|(text, thought)| {
            if thought { json!({"text": format!("t{text}"), "thought": true}) } else { json!({"text": text}) }
        }),
        (json_value(), any::<bool>(), any::<bool>()).prop_map(|(args, id, signed)| {
            let mut part = json!({"functionCall": {"name": "f", "args": args}});
            if id {
                part["functionCall"]["id"] = "c1".into();
            }
            if signed {
                part["thoughtSignature"] = "QUJD".into();
            }
            part
        }),
        Just(json!({"executableCode": {"language": "PYTHON", "code": "1"}})),
        Just(json!({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}})),
        Just(
            json!({"toolCall": {"id": "t", "toolType": "URL_CONTEXT", "args": {"a_b": 1}}, "thoughtSignature": "QUJD"})
        ),
        Just(json!({"text": "", "thoughtSignature": "QUJD"})),
    ]
}

fn request() -> impl Strategy<Value = Value> {
    let content = prop_oneof![
        prop::collection::vec(user_part(), 1..4)
            .prop_map(|parts| json!({"role": "user", "parts": parts, "x": 1})),
        prop::collection::vec(model_part(), 1..4).prop_map(|parts| json!({"role": "model", "parts": parts})),
    ];
    let config = prop::collection::vec(
        prop::sample::select(vec![
            ("temperature", json!(0.25)),
            ("topK", json!(40)),
            ("max_output_tokens", json!(99)),
            ("stopSequences", json!(["a"])),
            ("seed", json!(-5)),
            ("responseMimeType", json!("application/json")),
            ("responseSchema", json!({"type": "OBJECT"})),
            ("thinkingConfig", json!({"includeThoughts": true, "thinkingBudget": -1})),
            ("speechConfig", json!({"languageCode": "de"})),
            ("futureSetting", json!({"x_y": 1})),
        ]),
        0..6,
    );
    let tools = prop::sample::select(vec![
        json!([]),
        json!([{"googleSearch": {}}]),
        json!([{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}, "behavior": "B"},
            {"name": "g.h", "parameters": {"type": "OBJECT", "nullable": true}}]}, {"mcpServers": [{"x_y": 1}]}]),
    ]);
    (prop::collection::vec(content, 0..5), config, tools).prop_map(|(contents, config, tools)| {
        let mut all = vec![json!({"role": "user", "parts": [{"text": "first"}]})];
        all.extend(contents);
        let config: serde_json::Map<_, _> = config.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        json!({"contents": all, "generationConfig": config, "tools": tools, "labels": {"A b": "c"}, "future": [1e5]})
    })
}

/// What Claude sealed comes back to the thoughts that it sealed, in their order.
#[test]
fn seals_of_several_thoughts_come_back_to_their_own() {
    let thinking =
        |n: u8| json!({"type": "thinking", "thinking": format!("t{n}"), "signature": format!("EqSIG{n}")});
    let (text, hidden) =
        (json!({"type": "text", "text": "hi"}), json!({"type": "redacted_thinking", "data": "EmHIDDEN"}));
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
    for said in [
        vec![thinking(1), text.clone(), thinking(2), call.clone()],
        vec![thinking(1), thinking(2), text.clone(), call.clone()],
        vec![hidden.clone(), text.clone(), call.clone()],
        vec![thinking(1), hidden.clone(), text.clone(), call.clone()],
        vec![thinking(1), call.clone()],
    ] {
        let answer = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": said, "stop_reason": "tool_use",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        });
        let facts = ModelFacts { family: Family::Claude, ..ModelFacts::default() };
        let asked = Request::new(Dialect::Gemini, "models/m");
        let exchange = Exchange::new(&asked, &facts, Dialect::Messages, 1, "seed");
        let events = codec::decode_answer(Dialect::Messages, answer.to_string().as_bytes()).unwrap();
        let told = codec::encode_answer(&fold(events).unwrap(), &exchange).value;
        let told: Value = serde_json::from_slice(&told).unwrap();
        let result = json!({"functionResponse": {"id": "toolu_1", "name": "f", "response": {"output": "x"}}});
        let history = json!({
            "contents": [
                {"role": "user", "parts": [{"text": "q"}]}, told["candidates"][0]["content"],
                {"role": "user", "parts": [result]},
            ],
            "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}]}],
            "generationConfig": {"thinkingConfig": {"thinkingBudget": 2000}},
        });
        let body = history.to_string();
        let incoming = Incoming { model: Some("m"), ..Incoming::body(body.as_bytes()) };
        let request = codec::decode_request(Dialect::Gemini, &incoming).unwrap().value;
        let sent = codec::encode_request(Dialect::Messages, &request, &facts, &mut Ids::new("seed")).unwrap();
        let sent: Value = serde_json::from_slice(&sent.value).unwrap();
        assert_eq!(sent["messages"][1]["content"], json!(said), "{told}");
    }
}
