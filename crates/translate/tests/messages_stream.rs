//! Streams of Anthropic Messages: whatever events come, what is written is a stream that the vendor's SDKs can read.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "grammar/messages.rs"]
mod grammar;

use byok_translate::{
    Exchange, Json,
    ir::{
        Audio, Blob, BlobSlot, Citation, CitationPlace, Delta, Event, Family, Flavour, Opaque, Part,
        PartHead, PartId, Request, SearchHit, ServerCall, ServerResult, ServerTool, Start, Stop, StopReason,
        Text, Usage,
    },
    messages::{StreamDecoder, StreamEncoder},
    sse,
};
use byok_types::{Blame, Dialect, Failure, FailureKind, ModelFacts};
use proptest::{collection::vec, prelude::*};

fn exchange(upstream: Dialect, family: Family) -> Exchange {
    let request = Request::new(Dialect::Messages, "m");
    let facts = ModelFacts { family, ..ModelFacts::default() };
    Exchange::new(&request, &facts, upstream, 1, "seed")
}

fn written(events: Vec<Event>, exchange: &Exchange) -> Vec<u8> {
    let mut encoder = StreamEncoder::new(exchange);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    out
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z\u{e4}\u{1F642}\u{2028}\"\\\\\n]{0,6}"]
}

fn blob() -> impl Strategy<Value = Blob> {
    (prop_oneof![Just(Family::Claude), Just(Family::Gemini), Just(Family::Openai)], "[A-Za-z]{1,8}")
        .prop_map(|(family, data)| Blob { family, account: None, slot: BlobSlot::Thinking, data })
}

fn whole() -> impl Strategy<Value = Part> {
    let json = |text: &str| Json::parse(text).unwrap();
    prop_oneof![
        Just(Part::text("whole")),
        Just(Part::text("")),
        Just(Part::Audio(Audio::default())),
        Just(Part::ServerCall(ServerCall {
            id: "ws_1".into(),
            tool: ServerTool::WebSearch,
            name: "web_search".into(),
            input: json(r#"{"query":"x"}"#),
            status: None,
            verbatim: None,
        })),
        Just(Part::ServerResult(ServerResult {
            call_id: "ws_1".into(),
            tool: ServerTool::WebSearch,
            hits: vec![SearchHit { url: "https://e.org".into(), ..SearchHit::default() }],
            output: None,
            error_code: None,
            verbatim: None,
        })),
        Just(Part::Opaque(Opaque {
            dialect: Dialect::Messages,
            json: json("{\n \"type\": \"new_block\",\r\n \"x\": 1 }"),
        })),
        Just(Part::Opaque(Opaque { dialect: Dialect::Gemini, json: json("{}") })),
    ]
}

fn head() -> impl Strategy<Value = PartHead> {
    prop_oneof![
        Just(PartHead::Text),
        Just(PartHead::Refusal),
        any::<bool>().prop_map(|redacted| PartHead::Thinking { id: None, redacted }),
        any::<bool>().prop_map(|custom| PartHead::ToolCall {
            call_id: "call_1".into(),
            item_id: None,
            name: "f".into(),
            namespace: None,
            flavour: if custom { Flavour::Custom } else { Flavour::Function },
            caller: None,
        }),
        whole().prop_map(|part| PartHead::Whole(Box::new(part))),
    ]
}

fn delta() -> impl Strategy<Value = Delta> {
    prop_oneof![
        text().prop_map(Delta::Text),
        text().prop_map(Delta::Refusal),
        (text(), 0..3u32, any::<bool>()).prop_map(|(text, paragraph, raw)| Delta::Thinking {
            text,
            paragraph,
            raw
        }),
        blob().prop_map(Delta::Signature),
        text().prop_map(Delta::Arguments),
        text().prop_map(|url| Delta::Citation(Box::new(Citation {
            place: CitationPlace::Web { url, encrypted_index: None },
            ..Citation::default()
        }))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let part = || (0..4u32).prop_map(PartId);
    let reasons = prop_oneof![
        Just(StopReason::End),
        Just(StopReason::ToolCall),
        Just(StopReason::Length),
        Just(StopReason::MalformedCall),
        Just(StopReason::ContentFilter),
    ];
    prop_oneof![
        1 => Just(Event::Start(Start::default())),
        6 => (part(), 0..2u32, head())
            .prop_map(|(part, choice, head)| Event::PartStart { part, choice: choice / 2, head }),
        12 => (part(), delta()).prop_map(|(part, delta)| Event::Delta { part, delta }),
        5 => part().prop_map(|part| Event::PartStop { part, complete: true, whole: None }),
        1 => (0..50u64).prop_map(|n| Event::Usage(Usage {
            input: Some(n),
            cache_read: Some(n * 2),
            output: Some(n),
            ..Usage::default()
        })),
        1 => reasons.prop_map(|reason| Event::Finish { choice: 0, stop: Stop::new(reason) }),
        1 => Just(Event::Ping),
    ]
}

proptest! {
    // Failing cases are kept as tests with a name, not as seeds in a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_make_a_grammatical_stream(
        mut events in vec(event(), 0..40),
        fails in any::<bool>(),
        gemini in any::<bool>(),
    ) {
        if fails {
            let failure = Failure::new(FailureKind::Overloaded, Blame::Upstream, "busy");
            events.push(Event::Failure(failure));
        }
        events.push(Event::End);
        let exchange = if gemini {
            exchange(Dialect::Gemini, Family::Gemini)
        } else {
            exchange(Dialect::Chat, Family::Other)
        };
        let bytes = written(events, &exchange);
        if let Err(fault) = grammar::check(&bytes) {
            return Err(TestCaseError::fail(format!("{fault}\n{}", String::from_utf8_lossy(&bytes))));
        }
    }

    #[test]
    fn any_bytes_are_survived_and_end_once(bytes in vec(any::<u8>(), 0..200), cut in 0..200usize) {
        let frames = STREAM.replace("Checking.", &String::from_utf8_lossy(&bytes));
        let end = frames.len().min(cut * 20);
        let mut events = Vec::new();
        let mut decoder = StreamDecoder::new();
        let mut lines = sse::Decoder::default();
        lines.push(&frames.as_bytes()[..end], |frame| decoder.frame(frame, &mut events)).unwrap();
        lines.finish(|frame| decoder.frame(frame, &mut events)).unwrap();
        decoder.frame(sse::Frame { event: b"", data: &bytes }, &mut events);
        decoder.finish(&mut events);
        prop_assert_eq!(events.iter().filter(|e| matches!(e, Event::End)).count(), 1);
        prop_assert_eq!(events.last(), Some(&Event::End));
        in_order(&events).map_err(TestCaseError::fail)?;
    }
}

/// The promises that every decoder makes about its events.
fn in_order(events: &[Event]) -> Result<(), String> {
    let (mut open, mut started, mut finished) = (Vec::new(), false, false);
    for event in events {
        match event {
            Event::Start(_) if started => return Err("two starts".into()),
            Event::Start(_) => started = true,
            Event::Lost(_) | Event::Ping | Event::Failure(_) | Event::End => {}
            _ if !started => return Err(format!("{event:?} before the start")),
            Event::PartStart { part, .. } => open.push(*part),
            Event::Delta { part, .. } if !open.contains(part) => return Err("delta of no part".into()),
            Event::PartStop { part, .. } => {
                open.iter().position(|p| p == part).map(|at| open.remove(at)).ok_or("stop of no part")?;
            }
            Event::Finish { .. } if finished || !open.is_empty() => return Err("finish too early".into()),
            Event::Finish { .. } => finished = true,
            _ => {}
        }
    }
    Ok(())
}

const STREAM: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",",
    "\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,",
    "\"usage\":{\"input_tokens\":20,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
    "\"delta\":{\"type\":\"text_delta\",\"text\":\"Checking.\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",",
    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":40}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

#[test]
fn the_checker_finds_faults() {
    let good = written(
        vec![
            Event::PartStart { part: PartId(0), choice: 0, head: PartHead::Text },
            Event::Delta { part: PartId(0), delta: Delta::Text("x".into()) },
            Event::PartStop {
                part: PartId(0),
                complete: true,
                whole: Some(Box::new(Part::Text(Text::new("x")))),
            },
            Event::End,
        ],
        &exchange(Dialect::Chat, Family::Other),
    );
    grammar::check(&good).unwrap();
    let good = String::from_utf8(good).unwrap();
    for (from, to) in [
        ("event: message_stop", "event: message_end"),
        ("\"index\":0", "\"index\":1"),
        ("text_delta", "thinking_delta"),
        ("end_turn", "tool_use"),
        ("end_turn", "stop"),
        ("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n", ""),
        ("\"input_tokens\":0,", ""),
        ("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", ""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(grammar::check(bad.as_bytes()).is_err(), "{from} -> {to}");
    }
}
