//! Streams of Chat Completions: whatever comes in, what comes out keeps to the grammar.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "grammar/chat.rs"]
mod grammar;

use byok_translate::{
    Exchange, Json,
    chat::{StreamDecoder, StreamEncoder},
    ir::{
        Blob, BlobSlot, Citation, CitationPlace, CustomTool, Delta, Event, Family, Flavour, Fold, Part,
        PartHead, PartId, Request, Response, Start, Stop, StopReason, Text, Tool, Usage,
    },
    sse,
};
use byok_types::{Blame, Dialect, Failure, FailureKind, ModelFacts};
use proptest::{collection::vec, prelude::*};

fn exchange(include_usage: bool) -> Exchange {
    let mut request = Request::new(Dialect::Chat, "m");
    request.tools = vec![Tool::Custom(CustomTool { name: "custom".into(), ..CustomTool::default() })];
    request.stream_options.include_usage = Some(include_usage);
    Exchange::new(&request, &ModelFacts::default(), Dialect::Chat, 1, "seed")
}

fn written(events: Vec<Event>, include_usage: bool) -> Vec<u8> {
    let mut encoder = StreamEncoder::new(&exchange(include_usage));
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    out
}

/// Frames with these `data:` lines.
fn framed(lines: &[impl AsRef<str>]) -> String {
    let mut body = String::new();
    for line in lines {
        body.push_str("data: ");
        body.push_str(line.as_ref());
        body.push_str("\n\n");
    }
    body
}

/// Decodes a stream that arrives in chunks of this size.
fn decoded(body: &[u8], size: usize) -> Vec<Event> {
    let mut frames = sse::Decoder::default();
    let mut decoder = StreamDecoder::new();
    let mut out = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        frames.push(chunk, |frame| decoder.frame(frame, &mut out)).unwrap();
    }
    frames.finish(|frame| decoder.frame(frame, &mut out)).unwrap();
    decoder.finish(&mut out);
    out
}

fn folded(events: &[Event]) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish()
}

/// What a decoder promises about its events.
fn kept(events: &[Event]) -> Result<(), String> {
    let (mut started, mut open, mut finished) = (false, Vec::new(), Vec::new());
    for (at, event) in events.iter().enumerate() {
        let fault = match event {
            Event::Start(_) => std::mem::replace(&mut started, true).then_some("two starts"),
            Event::PartStart { part, choice, head } => {
                open.push((*part, *choice));
                let empty = matches!(head, PartHead::ToolCall { call_id, name, .. } if call_id.is_empty() || name.is_empty());
                (!started || finished.contains(choice) || empty).then_some("a part out of place")
            }
            Event::Delta { part, .. } => {
                (!open.iter().any(|(name, _)| name == part)).then_some("a delta of no part")
            }
            Event::PartStop { part, .. } => {
                let before = open.len();
                open.retain(|(name, _)| name != part);
                (open.len() + 1 != before).then_some("an end of no part")
            }
            Event::Finish { choice, .. } => {
                let fault = finished.contains(choice) || open.iter().any(|(_, owner)| owner == choice);
                finished.push(*choice);
                fault.then_some("a finish out of place")
            }
            Event::End => (at + 1 != events.len()).then_some("something after the end"),
            _ => None,
        };
        if let Some(fault) = fault {
            return Err(format!("{fault} at {at}: {events:?}"));
        }
    }
    if events.last() == Some(&Event::End) { Ok(()) } else { Err("no end".to_owned()) }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z<>/\u{e4}\u{1F642}\u{2028}\"\\\\\n]{0,6}"]
}

fn head() -> impl Strategy<Value = PartHead> {
    let flavour = prop_oneof![Just(Flavour::Function), Just(Flavour::Custom)];
    prop_oneof![
        Just(PartHead::Text),
        Just(PartHead::Refusal),
        Just(PartHead::Thinking { id: None, redacted: false }),
        ("[a-c]{1,3}", prop_oneof![Just("f"), Just("custom")], flavour).prop_map(
            |(call_id, name, flavour)| {
                PartHead::ToolCall {
                    call_id,
                    item_id: None,
                    name: name.into(),
                    namespace: None,
                    flavour,
                    caller: None,
                }
            }
        ),
        text().prop_map(|text| PartHead::Whole(Box::new(Part::Text(Text::new(text))))),
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
        text().prop_map(Delta::Arguments),
        Just(Delta::Signature(Blob {
            family: Family::Gemini,
            account: None,
            slot: BlobSlot::Call,
            data: "S".into()
        })),
        text().prop_map(|url| {
            let place = CitationPlace::Web { url, encrypted_index: None };
            Delta::Citation(Box::new(Citation { place, ..Citation::default() }))
        }),
        Just(Delta::Logprobs(Json::parse("[{\"token\":\n\"a\"}]").unwrap())),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let part = || (0..4u32).prop_map(PartId);
    let reason = prop_oneof![
        Just(StopReason::End),
        Just(StopReason::ToolCall),
        Just(StopReason::Length),
        Just(StopReason::Refusal),
        Just(StopReason::Other)
    ];
    prop_oneof![
        1 => Just(Event::Start(Start::default())),
        2 => (part(), 0..2u32, head()).prop_map(|(part, choice, head)| Event::PartStart { part, choice, head }),
        6 => (part(), delta()).prop_map(|(part, delta)| Event::Delta { part, delta }),
        2 => part().prop_map(|part| Event::PartStop { part, complete: true, whole: None }),
        1 => any::<[u32; 2]>().prop_map(|[i, o]| Event::Usage(Usage {
            input: Some(i.into()),
            output: Some(o.into()),
            ..Usage::default()
        })),
        1 => (0..2u32, reason).prop_map(|(choice, reason)| Event::Finish { choice, stop: Stop::new(reason) }),
        1 => Just(Event::Ping),
    ]
}

/// A `data:` line that a server might send: chunks of all kinds, and things that are none.
fn line() -> impl Strategy<Value = String> {
    let index = prop_oneof![Just("\"index\":0,"), Just("\"index\":1,"), Just("")];
    let id = prop_oneof![Just(""), Just("\"id\":\"a\","), Just("\"id\":\"b\","), Just("\"id\":\"\",")];
    let name = prop_oneof![Just("\"name\":\"f\","), Just(""), Just("\"name\":\"g\",")];
    let input = prop_oneof![
        Just(r#""{}""#),
        Just(r#""{\"a\":""#),
        Just(r#""1}""#),
        Just("{}"),
        Just("null"),
        Just("\"\"")
    ];
    let call = (index, id, name, input).prop_map(|(index, id, name, input)| {
        format!(r#"{{"tool_calls":[{{{index}{id}"function":{{{name}"arguments":{input}}}}}]}}"#)
    });
    let string = text().prop_map(|text| serde_json::to_string(&text).unwrap());
    let member = prop_oneof![Just("content"), Just("reasoning"), Just("reasoning_content"), Just("refusal")];
    let delta = prop_oneof![
        call,
        (member, string).prop_map(|(name, text)| format!("{{\"{name}\":{text}}}")),
        Just(r#"{"content":"\ud83d"}"#.to_owned()),
        Just(r#"{"reasoning_details":[{"type":"x","data":"D","index":0}]}"#.to_owned()),
        Just("{}".to_owned()),
    ];
    let finish = prop_oneof![4 => Just("null"), 1 => Just("\"stop\""), 1 => Just("\"length\""), 1 => Just("\"tool_calls\"")];
    prop_oneof![
        8 => (0..2u8, delta, finish).prop_map(|(index, delta, finish)| {
            format!(r#"{{"id":"x","choices":[{{"index":{index},"delta":{delta},"finish_reason":{finish}}}]}}"#)
        }),
        1 => Just(r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#.to_owned()),
        1 => Just(r#"{"unknown":[1,2]}"#.to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_events_come_the_stream_is_grammatical(
        events in vec(event(), 0..30),
        fails in any::<bool>(),
        include_usage in any::<bool>(),
    ) {
        let mut events = events;
        if fails {
            events.push(Event::Failure(Failure::new(FailureKind::Server, Blame::Upstream, "x")));
        }
        events.push(Event::End);
        let bytes = written(events, include_usage);
        prop_assert_eq!(grammar::check(&bytes), Ok(()), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn whatever_a_server_sends_the_events_keep_their_promises(lines in vec(line(), 0..12), done in any::<bool>()) {
        let mut body = framed(&lines);
        if done {
            body.push_str("data: [DONE]\n\n");
        }
        let events = decoded(body.as_bytes(), body.len());
        prop_assert_eq!(kept(&events), Ok(()));
        prop_assert_eq!(&decoded(body.as_bytes(), 1), &events);
        // What was decoded can be written, and what was written says the same.
        let bytes = written(events.clone(), true);
        prop_assert_eq!(grammar::check(&bytes), Ok(()), "{}", String::from_utf8_lossy(&bytes));
        if let Ok(answer) = folded(&events) {
            let back = folded(&decoded(&bytes, 5)).unwrap();
            prop_assert_eq!(said(&back), said(&answer));
        }
    }

    #[test]
    fn garbage_ends_in_an_end(body in vec(any::<u8>(), 0..200), size in 1..20usize) {
        let mut framed = b"data: ".to_vec();
        framed.extend_from_slice(&body);
        for bytes in [&body, &framed] {
            prop_assert_eq!(kept(&decoded(bytes, size)), Ok(()));
        }
    }

    #[test]
    fn a_recording_with_a_frame_lost_doubled_or_cut_ends_properly(at in 0..9usize, way in 0..3u8, cut in 1..60usize) {
        let mut frames: Vec<String> = EXAMPLE.iter().map(|json| format!("data: {json}\n\n")).collect();
        match way {
            0 => drop(frames.remove(at)),
            1 => frames.insert(at, frames[at].clone()),
            _ => {
                let end = cut.min(frames[at].len() - 1);
                frames[at].truncate(end);
            }
        }
        let events = decoded(frames.concat().as_bytes(), 16);
        prop_assert_eq!(kept(&events), Ok(()));
        prop_assert_eq!(grammar::check(&written(events, true)), Ok(()));
    }
}

/// Id, name and arguments of a call.
type Called = (String, String, String);

/// What an answer says, whatever its parts are cut into.
fn said(response: &Response) -> Vec<(String, Vec<Called>, StopReason)> {
    let choice = |choice: &byok_translate::ir::Choice| {
        let mut text = String::new();
        let mut calls = Vec::new();
        for part in &choice.parts {
            match part {
                Part::Text(part) => text.push_str(&part.text),
                Part::ToolCall(call) => {
                    calls.push((call.call_id.clone(), call.name.clone(), call.arguments.clone()));
                }
                _ => {}
            }
        }
        (text, calls, choice.stop.as_ref().map(|stop| stop.reason).unwrap_or_default())
    };
    response.choices.iter().map(choice).collect()
}

const EXAMPLE: [&str; 10] = [
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Look it up."},"finish_reason":null}],"usage":null}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Checking."},"finish_reason":null}],"usage":null}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}]}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]},"finish_reason":null}]}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":null}]}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":null}]}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}"#,
    r#"{"id":"c","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":120,"completion_tokens":40,"total_tokens":160}}"#,
    "[DONE]",
];

#[test]
fn the_checker_finds_what_is_wrong() {
    let good = written(decoded(framed(&EXAMPLE).as_bytes(), 64), true);
    let good = String::from_utf8(good).unwrap();
    assert_eq!(grammar::check(good.as_bytes()), Ok(()));
    for (from, to) in [
        ("\"role\":\"assistant\",", ""),
        ("\"role\":\"assistant\"", "\"role\":\"\""),
        ("\"tool_calls\":[{\"index\":1", "\"tool_calls\":[{\"index\":2"),
        ("\"index\":0,\"id\":\"a\",\"type\":\"function\"", "\"index\":0,\"id\":\"a\""),
        ("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"stop\""),
        ("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"\""),
        ("data: [DONE]\n\n", ""),
        ("data: [DONE]\n\n", "data: [DONE]"),
        ("data: [DONE]\n\n", "data: [DONE]\n\ndata: {}\n\n"),
        ("\"total_tokens\":160", "\"total_tokens\":161"),
        ("\"name\":\"f\",", ""),
        ("\"delta\":{\"content\":", "\"delta\":{\"strange\":"),
        ("data: ", "id: 1\ndata: "),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(grammar::check(bad.as_bytes()).is_err(), "{from} -> {to}");
    }
}
