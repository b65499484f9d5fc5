//! The Responses dialect from outside: streams of every cut, arbitrary events, and garbage.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod grammar {
    #[allow(unreachable_pub, missing_docs, reason = "shared by several test binaries")]
    pub mod responses;
}

use byok_translate::{
    Exchange, Ids, Incoming, Json,
    ir::{
        Blob, BlobSlot, Citation, CitationPlace, Delta, Event, Failure, Flavour, Fold, Opaque, Part,
        PartHead, PartId, Request, Response, ServerCall, ServerResult, ServerTool, Start, Stop, StopReason,
        Usage,
    },
    responses::{self, StreamDecoder, StreamEncoder},
    sse,
};
use byok_types::{Blame, Dialect, FailureKind, Family, ModelFacts};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::HashSet, fmt::Write};

fn exchange(upstream: Dialect) -> Exchange {
    let request = Request::new(Dialect::Responses, "m");
    Exchange::new(&request, &ModelFacts::default(), upstream, 1, "seed")
}

fn encode(events: &[Event], upstream: Dialect) -> Vec<u8> {
    let mut encoder = StreamEncoder::new(&exchange(upstream));
    let mut out = Vec::new();
    for event in events {
        encoder.push(event.clone(), &mut out);
    }
    out
}

fn decode(chunks: &[&[u8]]) -> Vec<Event> {
    let (mut frames, mut decoder, mut events) = (sse::Decoder::default(), StreamDecoder::new(), Vec::new());
    for chunk in chunks {
        frames.push(chunk, |frame| decoder.frame(frame, &mut events)).unwrap();
    }
    frames.finish(|frame| decoder.frame(frame, &mut events)).unwrap();
    decoder.finish(&mut events);
    events
}

fn fold(events: Vec<Event>) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

/// The example answer as the vendor streams it: a summary of the thinking, a text, two calls.
fn vendor_stream() -> String {
    let call = |index: u64, id: &str, call: &str, name: &str, pieces: &[&str]| {
        let item = |status: &str, arguments: &str| json!({"type": "function_call", "id": id, "call_id": call, "name": name, "arguments": arguments, "status": status});
        let mut frames =
            vec![("output_item.added", json!({"output_index": index, "item": item("in_progress", "")}))];
        frames.extend(pieces.iter().map(|piece| {
            ("function_call_arguments.delta", json!({"item_id": id, "output_index": index, "delta": piece}))
        }));
        let whole = pieces.concat();
        frames.push((
            "function_call_arguments.done",
            json!({"item_id": id, "output_index": index, "arguments": whole}),
        ));
        frames.push(("output_item.done", json!({"output_index": index, "item": item("completed", &whole)})));
        (frames, item("completed", &whole))
    };
    let response = |status: &str, output: Value, usage: Value| json!({"response": {"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "m", "output": output, "usage": usage}});
    let thought = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}], "encrypted_content": "ENC"});
    let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
    let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part("Checking.")]});
    let at = |mut value: Value, item: &str, index: u64, name: &str| {
        let object = value.as_object_mut().unwrap();
        object.insert("item_id".into(), item.into());
        object.insert("output_index".into(), index.into());
        object.insert(name.into(), 0.into());
        value
    };
    let summary = |value: Value| at(value, "rs_1", 0, "summary_index");
    let content = |value: Value| at(value, "msg_1", 1, "content_index");
    let mut frames = vec![
        ("created", response("in_progress", json!([]), Value::Null)),
        ("in_progress", response("in_progress", json!([]), Value::Null)),
        (
            "output_item.added",
            json!({"output_index": 0, "item": {"type": "reasoning", "id": "rs_1", "summary": [], "status": "in_progress"}}),
        ),
        ("reasoning_summary_part.added", summary(json!({"part": {"type": "summary_text", "text": ""}}))),
        ("reasoning_summary_text.delta", summary(json!({"delta": "Look it up."}))),
        ("reasoning_summary_text.done", summary(json!({"text": "Look it up."}))),
        (
            "reasoning_summary_part.done",
            summary(json!({"part": {"type": "summary_text", "text": "Look it up."}})),
        ),
        ("output_item.done", json!({"output_index": 0, "item": thought})),
        (
            "output_item.added",
            json!({"output_index": 1, "item": {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}}),
        ),
        ("content_part.added", content(json!({"part": part("")}))),
        ("output_text.delta", content(json!({"delta": "Checking.", "logprobs": []}))),
        ("output_text.done", content(json!({"text": "Checking.", "logprobs": []}))),
        ("content_part.done", content(json!({"part": part("Checking.")}))),
        ("output_item.done", json!({"output_index": 1, "item": message})),
    ];
    let (first, weather) = call(2, "fc_1", "call_a", "get_weather", &["{\"city\":", "\"Oslo\"}"]);
    let (second, time) = call(3, "fc_2", "call_b", "get_time", &["{\"tz\":\"CET\"}"]);
    frames.extend(first);
    frames.extend(second);
    let usage = json!({"input_tokens": 120, "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0}, "output_tokens": 40, "output_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 160});
    frames.push(("completed", response("completed", json!([thought, message, weather, time]), usage)));
    let mut text = String::new();
    for (sequence, (kind, mut value)) in frames.into_iter().enumerate() {
        let object = value.as_object_mut().unwrap();
        object.insert("type".into(), format!("response.{kind}").into());
        object.insert("sequence_number".into(), sequence.into());
        writeln!(text, "event: response.{kind}\ndata: {value}\n").unwrap();
    }
    text
}

/// The same answer as another vendor's decoder says it.
fn foreign_events() -> Vec<Event> {
    let part = PartId;
    let call = |id: &str, name: &str| PartHead::ToolCall {
        call_id: id.into(),
        item_id: None,
        name: name.into(),
        namespace: None,
        flavour: Flavour::Function,
        caller: None,
    };
    let start = |name, head| Event::PartStart { part: part(name), choice: 0, head };
    let delta = |name, delta| Event::Delta { part: part(name), delta };
    let stop = |name| Event::PartStop { part: part(name), complete: true, whole: None };
    let blob = Blob { family: Family::Openai, account: None, slot: BlobSlot::Thinking, data: "ENC".into() };
    vec![
        Event::Start(Start::default()),
        start(0, PartHead::Thinking { id: None, redacted: false }),
        delta(0, Delta::Thinking { text: "Look it up.".into(), paragraph: 0, raw: false }),
        delta(0, Delta::Signature(blob)),
        stop(0),
        start(1, PartHead::Text),
        delta(1, Delta::Text("Checking.".into())),
        stop(1),
        start(2, call("call_a", "get_weather")),
        delta(2, Delta::Arguments("{\"city\":".into())),
        delta(2, Delta::Arguments("\"Oslo\"}".into())),
        stop(2),
        start(3, call("call_b", "get_time")),
        delta(3, Delta::Arguments("{\"tz\":\"CET\"}".into())),
        stop(3),
        Event::Finish { choice: 0, stop: Stop::new(StopReason::ToolCall) },
        Event::Usage(Usage {
            input: Some(120),
            cache_read: Some(100),
            output: Some(40),
            reasoning: Some(10),
            ..Usage::default()
        }),
        Event::End,
    ]
}

#[test]
fn the_vendors_stream_is_grammatical() {
    grammar::responses::check(vendor_stream().replace("\"model\":\"m\"", "\"model\":\"m\",\"tools\":[],\"incomplete_details\":null,\"instructions\":null,\"metadata\":{},\"parallel_tool_calls\":true,\"temperature\":null,\"tool_choice\":\"auto\",\"top_p\":null,\"error\":null").as_bytes()).unwrap();
}

#[test]
fn the_vendors_stream_is_read() {
    let response = fold(decode(&[vendor_stream().as_bytes()])).unwrap();
    let parts = &response.choices[0].parts;
    assert!(
        matches!(&parts[0], Part::Thinking(t) if t.summary == ["Look it up."] && t.blob.as_ref().is_some_and(|b| b.data == "ENC"))
    );
    assert!(matches!(&parts[1], Part::Text(t) if t.text == "Checking."));
    assert!(
        matches!(&parts[2], Part::ToolCall(c) if c.call_id == "call_a" && c.arguments == "{\"city\":\"Oslo\"}")
    );
    assert!(matches!(&parts[3], Part::ToolCall(c) if c.name == "get_time"));
    assert_eq!(response.choices[0].stop, Some(Stop::new(StopReason::ToolCall)));
    assert_eq!(
        response.usage.map(|u| (u.input, u.cache_read, u.output, u.reasoning)),
        Some((Some(120), Some(100), Some(40), Some(10)))
    );
}

#[test]
fn another_vendors_answer_is_written_in_the_same_events() {
    let written = encode(&foreign_events(), Dialect::Messages);
    grammar::responses::check(&written).unwrap();
    let kinds = |stream: &str| {
        let lines = stream.lines().filter_map(|line| line.strip_prefix("event: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(kinds(std::str::from_utf8(&written).unwrap()), kinds(&vendor_stream()));
    let (ours, theirs) =
        (fold(decode(&[&written])).unwrap(), fold(decode(&[vendor_stream().as_bytes()])).unwrap());
    assert_eq!(ours.usage, theirs.usage);
    assert_eq!(ours.choices[0].stop, theirs.choices[0].stop);
    assert_eq!(ours.choices[0].parts.len(), theirs.choices[0].parts.len());
}

#[test]
fn t130_every_cut_of_a_stream_says_the_same() {
    let stream = vendor_stream();
    let whole = decode(&[stream.as_bytes()]);
    for at in 0..stream.len() {
        let (a, b) = stream.as_bytes().split_at(at);
        assert_eq!(decode(&[a, b]), whole, "cut at {at}");
    }
    assert_eq!(decode(&stream.as_bytes().chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn a_stream_says_what_its_last_event_says() {
    let stream = vendor_stream();
    let last = stream.trim_end().rsplit_once("data: ").unwrap().1;
    let response = serde_json::from_str::<Value>(last).unwrap()["response"].clone();
    let whole = fold(responses::decode_answer(&serde_json::to_vec(&response).unwrap()).unwrap()).unwrap();
    assert_eq!(fold(decode(&[stream.as_bytes()])).unwrap(), whole);
}

/// What decoders promise about their events.
fn assert_promises(events: &[Event]) {
    let mut open = Vec::new();
    let (mut starts, mut finishes, mut failures, mut ends) = (0, 0, 0, 0);
    for event in events {
        assert_eq!(ends, 0, "something follows the end: {events:?}");
        match event {
            Event::Start(_) => starts += 1,
            Event::PartStart { part, head, .. } => {
                assert_eq!(starts, 1, "a part before the start");
                if let PartHead::ToolCall { call_id, name, .. } = head {
                    assert!(!call_id.is_empty() && !name.is_empty(), "{event:?}");
                }
                open.push(*part);
            }
            Event::Delta { part, .. } => assert!(open.contains(part), "{event:?} in {events:?}"),
            Event::PartStop { part, .. } => {
                assert!(open.contains(part), "{event:?}");
                open.retain(|name| name != part);
            }
            Event::Finish { .. } => {
                assert!(open.is_empty(), "parts are open at the finish");
                finishes += 1;
            }
            Event::Failure(_) => failures += 1,
            Event::End => ends += 1,
            Event::Usage(_) | Event::Envelope(_) | Event::Lost(_) | Event::Ping => {}
        }
    }
    assert_eq!((finishes + failures, ends), (1, 1), "{events:?}");
    assert!(starts <= 1);
}

#[test]
fn a_stream_with_one_frame_lost_doubled_or_cut_ends_once() {
    let stream = vendor_stream();
    let frames: Vec<_> = stream.split_inclusive("\n\n").collect();
    for at in 0..frames.len() {
        let mut lost = frames.clone();
        lost.remove(at);
        let mut doubled = frames.clone();
        doubled.insert(at, frames[at]);
        let mut cut = frames.clone();
        let half = &frames[at][..frames[at].len() / 2];
        let half = format!("{half}\n\n");
        cut[at] = &half;
        for (name, frames) in [("lost", lost), ("doubled", doubled), ("cut", cut)] {
            let events = decode(&[frames.concat().as_bytes()]);
            assert_promises(&events);
            let written = encode(&events, Dialect::Responses);
            grammar::responses::check(&written).unwrap_or_else(|e| panic!("{name} {at}: {e}"));
            // No text and no argument may appear twice, unless the piece itself came twice.
            let repeats = name == "doubled" && frames[at].contains(".delta");
            if let (Ok(response), false) = (fold(events), repeats) {
                let count = |wanted: &str| format!("{response:?}").matches(wanted).count();
                assert!(count("Checking.") <= 1 && count("Oslo") <= 1, "{name} {at}: {response:?}");
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zé🙂\"\\\\\n\u{2028}]{1,8}", Just("{}".to_owned())]
}

fn blob() -> impl Strategy<Value = Blob> {
    let family = prop_oneof![Just(Family::Openai), Just(Family::Claude), Just(Family::Gemini)];
    let slot = prop_oneof![Just(BlobSlot::Thinking), Just(BlobSlot::Call), Just(BlobSlot::Text)];
    (family, slot, "[A-Za-z0-9+/]{1,12}").prop_map(|(family, slot, data)| Blob {
        family,
        account: None,
        slot,
        data,
    })
}

fn head() -> impl Strategy<Value = PartHead> {
    let flavour = prop_oneof![Just(Flavour::Function), Just(Flavour::Custom)];
    let call = ("c[0-9]{1,3}", flavour).prop_map(|(call_id, flavour)| PartHead::ToolCall {
        call_id,
        item_id: None,
        name: "f".into(),
        namespace: None,
        flavour,
        caller: None,
    });
    let opaque = |json: &str| Opaque { dialect: Dialect::Responses, json: Json::parse(json).unwrap() };
    let server = ServerCall {
        id: "s1".into(),
        tool: ServerTool::WebSearch,
        name: "web_search".into(),
        input: Json::parse(r#"{"query":"q"}"#).unwrap(),
        status: None,
        verbatim: None,
    };
    let result = ServerResult {
        call_id: "s1".into(),
        tool: ServerTool::WebSearch,
        hits: Vec::new(),
        output: None,
        error_code: None,
        verbatim: None,
    };
    prop_oneof![
        3 => Just(PartHead::Text),
        1 => Just(PartHead::Refusal),
        2 => any::<bool>().prop_map(|redacted| PartHead::Thinking { id: None, redacted }),
        3 => call,
        1 => Just(PartHead::Whole(Box::new(Part::ServerCall(server)))),
        1 => Just(PartHead::Whole(Box::new(Part::ServerResult(result)))),
        1 => Just(PartHead::Whole(Box::new(Part::text("whole")))),
        1 => Just(PartHead::Whole(Box::new(Part::Opaque(opaque("{\"type\":\"hologram\",\n\"id\":\"h\"}"))))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let part = (0_u32..4).prop_map(PartId);
    let citation = (any::<bool>(), text()).prop_map(|(placed, url)| {
        Box::new(Citation {
            place: CitationPlace::Web { url, encrypted_index: None },
            start: placed.then_some(0),
            end: placed.then_some(1),
            ..Citation::default()
        })
    });
    let delta = prop_oneof![
        3 => text().prop_map(Delta::Text),
        1 => text().prop_map(Delta::Refusal),
        2 => (text(), 0_u32..3, any::<bool>()).prop_map(|(text, paragraph, raw)| Delta::Thinking { text, paragraph, raw }),
        1 => blob().prop_map(Delta::Signature),
        3 => text().prop_map(Delta::Arguments),
        1 => citation.prop_map(Delta::Citation),
        1 => Just(Delta::Logprobs(Json::parse(r#"[{"token":"a","logprob":0,"bytes":[97],"top_logprobs":[]}]"#).unwrap())),
    ];
    let reason = prop_oneof![
        Just(StopReason::End),
        Just(StopReason::ToolCall),
        Just(StopReason::Length),
        Just(StopReason::Refusal),
        Just(StopReason::ContentFilter),
        Just(StopReason::Cancelled),
        Just(StopReason::MalformedCall),
    ];
    prop_oneof![
        1 => Just(Event::Start(Start::default())),
        4 => (part.clone(), 0_u32..2, head()).prop_map(|(part, choice, head)| Event::PartStart { part, choice, head }),
        8 => (part.clone(), delta).prop_map(|(part, delta)| Event::Delta { part, delta }),
        4 => (part, any::<bool>()).prop_map(|(part, complete)| Event::PartStop { part, complete, whole: None }),
        1 => reason.prop_map(|reason| Event::Finish { choice: 0, stop: Stop::new(reason) }),
        1 => any::<u8>().prop_map(|n| Event::Usage(Usage { input: Some(n.into()), ..Usage::default() })),
        1 => Just(Event::Ping),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a decoder may say, and more, becomes a stream that clients can read.
    #[test]
    fn any_events_are_written_grammatically(
        events in prop::collection::vec(event(), 0..40),
        fails in any::<bool>(),
        upstream in prop_oneof![Just(Dialect::Chat), Just(Dialect::Responses), Just(Dialect::Messages), Just(Dialect::Gemini)],
    ) {
        let mut events = events;
        if fails {
            events.push(Event::Failure(Failure::new(FailureKind::Server, Blame::Upstream, "m")));
        }
        events.push(Event::End);
        let written = encode(&events, upstream);
        if let Err(problem) = grammar::responses::check(&written) {
            return Err(TestCaseError::fail(format!("{problem}\n{events:?}")));
        }
        let read = decode(&[&written]);
        assert_promises(&read);
        prop_assert_eq!(fold(read).is_err(), fails || written.windows(15).any(|w| w == b"response.failed"));
    }

    /// No bytes make the decoder panic or break its promises.
    #[test]
    fn garbage_is_survived(
        frames in prop::collection::vec(
            (0_usize..21, prop::collection::vec((0_usize..12, "[ -~]{0,6}"), 0..4), any::<bool>()),
            0..12,
        ),
    ) {
        let stream = vendor_stream();
        let known: Vec<_> = stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let (mut decoder, mut events) = (StreamDecoder::new(), Vec::new());
        for (at, edits, chop) in &frames {
            let mut data = known[*at % known.len()].as_bytes().to_vec();
            for (place, bytes) in edits {
                let at = data.len() * place / 12;
                data.splice(at..(at + bytes.len()).min(data.len()), bytes.bytes());
            }
            if *chop {
                data.truncate(data.len() / 2);
            }
            decoder.frame(sse::Frame { event: b"response.output_text.delta", data: &data }, &mut events);
        }
        decoder.finish(&mut events);
        assert_promises(&events);
    }

    /// A request that was read and written in its own dialect is the same request.
    #[test]
    fn requests_survive_their_own_dialect(items in prop::collection::vec(item(), 0..8), tools in prop::collection::vec(tool(), 0..4), store in any::<Option<bool>>()) {
        let facts = ModelFacts { id: "m".into(), family: Family::Openai, first_party: true, ..ModelFacts::default() };
        // Of two tools of one name the second is left out: the vendor refuses such a list.
        let mut names = HashSet::new();
        let tools: Vec<_> = tools.into_iter().filter(|tool| names.insert(tool["name"].to_string())).collect();
        let body = json!({"model": "m", "input": items, "tools": tools, "store": store, "future": {"x": [1, 2.5, null]}});
        let body = serde_json::to_vec(&body).unwrap();
        let first = responses::decode_request(&Incoming::body(&body)).unwrap().value;
        let written = responses::encode_request(&first, &facts, &mut Ids::new("x")).unwrap();
        let mut second = responses::decode_request(&Incoming::body(&written.value)).unwrap().value;
        let mut first = first;
        if store == Some(false) {
            // The vendor keeps nothing that an id could name.
            [&mut first, &mut second].into_iter().for_each(without_ids);
        }
        prop_assert_eq!(first, second);
    }
}

fn without_ids(request: &mut Request) {
    for message in &mut request.messages {
        message.id = None;
        for part in &mut message.parts {
            match part {
                Part::ToolCall(call) => call.item_id = None,
                Part::ToolResult(result) => result.item_id = None,
                Part::Thinking(thinking) => thinking.id = None,
                _ => {}
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    "[a-z]{1,6}"
}

fn piece() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(|text| json!({"type": "input_text", "text": text})),
        (text(), word()).prop_map(|(text, name)| json!({"text": text, "type": "input_text", name: [1]})),
        word().prop_map(|word| json!({"type": "input_image", "image_url": format!("https://a.org/{word}"), "detail": "low"})),
        Just(json!({"type": "input_file", "file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"})),
        word().prop_map(|word| json!({"type": "input_file", "file_id": word})),
        word().prop_map(|word| json!({"type": "input_hologram", "x": word})),
    ]
}

fn item() -> impl Strategy<Value = Value> {
    let role = prop_oneof![Just("user"), Just("system"), Just("developer")];
    let output =
        prop_oneof![text().prop_map(Value::from), prop::collection::vec(piece(), 1..3).prop_map(Value::from)];
    prop_oneof![
        (role.clone(), prop::collection::vec(piece(), 0..3)).prop_map(|(role, content)| json!({"role": role, "content": content})),
        (role, text()).prop_map(|(role, text)| json!({"type": "message", "role": role, "content": text})),
        (text(), word()).prop_map(|(text, id)| json!({"type": "message", "role": "assistant", "id": id, "phase": "commentary", "content": [{"type": "output_text", "text": text, "annotations": [{"type": "file_path", "file_id": "f", "index": 1}]}, {"type": "refusal", "refusal": "r"}]})),
        (word(), text(), any::<bool>()).prop_map(|(id, arguments, custom)| {
                        if custom {
                json!({"type": "custom_tool_call", "call_id": id, "name": "p", "input": arguments, "id": "ctc_1"})
            } else {
                json!({"arguments": arguments, "type": "function_call", "call_id": id, "name": "f", "namespace": "n"})
            }
        }),
        (word(), output).prop_map(|(id, output)| json!({"type": "function_call_output", "call_id": format!("{id}_"), "output": output})),
        (prop::collection::vec(text(), 0..3), word()).prop_map(|(summary, seal)| {
            let summary: Vec<_> = summary.into_iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
            json!({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": format!("gAAAA{seal}")})
        }),
        Just(json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}})),
        Just(json!({"type": "mcp_list_tools", "id": "m", "server_label": "s", "tools": []})),
        Just(json!({"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "c"}]})),
        word().prop_map(|word| json!({"type": format!("future_{word}"), "x": word})),
    ]
}

fn tool() -> impl Strategy<Value = Value> {
    prop_oneof![
        (word(), any::<Option<bool>>()).prop_map(|(name, strict)| json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {"b": {}, "a": {}}}, "strict": strict})),
        word().prop_map(|name| json!({"type": "custom", "name": format!("{name}1"), "format": {"type": "grammar", "syntax": "regex", "definition": "x"}})),
        word().prop_map(|name| json!({"type": "namespace", "name": name, "description": "d", "tools": [{"type": "function", "name": "f", "parameters": null, "strict": null}]})),
        Just(json!({"type": "file_search", "vector_store_ids": ["v"]})),
    ]
}
