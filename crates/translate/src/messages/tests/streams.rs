//! Streams in both directions.

use super::{blocks::frames, *};
use crate::{
    Exchange,
    ir::{Delta, Event, Fold, PartHead, PartId, Response, Start, Stop, StopReason, Usage},
    sse,
};
use byok_types::{Failure, FailureKind};
use serde_json::json;

/// One answer with reasoning, text and two calls, as the vendor streams it.
pub(super) const STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"cache_read_input_tokens":100,"cache_creation_input_tokens":0,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Look it up."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Checking."}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_a","name":"get_weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Oslo\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_b","name":"get_time","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"tz\":\"CET\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":40,"output_tokens_details":{"thinking_tokens":10}}}

event: message_stop
data: {"type":"message_stop"}

"#;

pub(super) fn decoded_at(stream: &str, cut: usize) -> Vec<Event> {
    let mut events = Vec::new();
    let mut decoder = StreamDecoder::new();
    let mut lines = sse::Decoder::default();
    let (head, tail) = stream.as_bytes().split_at(cut.min(stream.len()));
    for bytes in [head, tail] {
        lines.push(bytes, |frame| decoder.frame(frame, &mut events)).unwrap();
    }
    lines.finish(|frame| decoder.frame(frame, &mut events)).unwrap();
    decoder.finish(&mut events);
    assert!(decoder.ended());
    events
}

pub(super) fn folded(events: Vec<Event>) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

pub(super) fn exchange(upstream: Dialect, family: Family) -> Exchange {
    let request = Request::new(Dialect::Messages, "alias");
    Exchange::new(&request, &ModelFacts { family, ..ModelFacts::default() }, upstream, 1, "seed")
}

#[test]
fn t130_a_stream_is_read_the_same_at_every_split() {
    let whole = decoded_at(STREAM, 0);
    for cut in 1..STREAM.len() {
        assert_eq!(decoded_at(STREAM, cut), whole, "cut at {cut}");
    }
    assert_eq!(decoded_at(&STREAM.replace('\n', "\r\n"), 0), whole);
    let response = folded(whole).unwrap();
    let usage = response.usage.unwrap();
    assert_eq!(
        (usage.input, usage.cache_read, usage.output, usage.reasoning),
        (Some(120), Some(100), Some(40), Some(10))
    );
    assert_eq!(response.choices[0].parts.len(), 4);
    assert_eq!(response.choices[0].stop.as_ref().unwrap().reason, StopReason::ToolCall);
}

#[test]
fn a_stream_is_written_as_the_vendor_writes_it() {
    let events = decoded_at(STREAM, 0);
    assert_eq!(
        frames(events, &exchange(Dialect::Messages, Family::Claude)),
        "start 0+thinking 0:Look it up. 0:SIG 0- 1+text 1:Checking. 1- \
         2+tool_use 2:{\"city\": 2:\"Oslo\"} 2- 3+tool_use 3:{\"tz\":\"CET\"} 3- tool_use stop"
    );
}

#[test]
fn t112_t121_the_envelope_is_byoks_own() {
    let mut encoder = StreamEncoder::new(&exchange(Dialect::Chat, Family::Other));
    let mut out = Vec::new();
    let usage = Usage { input: Some(100), cache_read: Some(60), output: Some(7), ..Usage::default() };
    for event in [
        Event::Start(Start { id: Some("chatcmpl-1".into()), model: Some("upstream".into()), created: None }),
        Event::Usage(Usage::default()),
        Event::PartStart { part: PartId(0), choice: 0, head: PartHead::Text },
        Event::Delta { part: PartId(0), delta: Delta::Text("\u{2028}".into()) },
        Event::PartStop { part: PartId(0), complete: true, whole: None },
        Event::Finish { choice: 0, stop: Stop::new(StopReason::End) },
        Event::Usage(usage),
        // t114: counts of nothing but zeros are placeholders.
        Event::Usage(Usage { input: Some(0), output: Some(0), ..Usage::default() }),
        Event::End,
        Event::End,
    ] {
        encoder.push(event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("upstream") && !text.contains("chatcmpl") && text.contains("\\u2028"));
    assert_eq!(text.matches("event: message_stop\n").count(), 1);
    let delta = text.lines().find(|line| line.starts_with("data: {\"type\":\"message_delta\"")).unwrap();
    let delta: Value = serde_json::from_str(&delta[6..]).unwrap();
    assert_eq!(delta["usage"]["input_tokens"], 40);
    assert_eq!(delta["usage"]["cache_read_input_tokens"], 60);
    assert_eq!(delta["usage"]["server_tool_use"], json!({"web_search_requests": 0, "web_fetch_requests": 0}));
}

/// A stream of the given frames, between a start and an end.
fn stream(frames: &[&str]) -> String {
    let mut text = String::from("data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\n\n");
    for frame in frames {
        text.extend(["data: ", frame, "\n\n"]);
    }
    text
}

#[test]
fn odd_streams_are_read() {
    let stop = r#"{"type":"message_stop"}"#;
    let block = |index: u32, block: &str| {
        format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#)
    };
    let end = |index: u32| format!(r#"{{"type":"content_block_stop","index":{index}}}"#);
    let reason = |word: &str| {
        format!(
            r#"{{"type":"message_delta","delta":{{"stop_reason":"{word}"}},"usage":{{"output_tokens":3}}}}"#
        )
    };
    let read = |frames: &[&str]| folded(decoded_at(&stream(frames), 0)).unwrap().choices.remove(0);

    let call = block(0, r#"{"type":"tool_use","id":"a","name":"f","input":{"x":1}}"#);
    let choice = read(&[&call, &end(0), &reason("end_turn"), &reason("tool_use"), stop]);
    let Part::ToolCall(found) = &choice.parts[0] else { panic!() };
    assert_eq!((found.arguments.as_str(), choice.stop.unwrap().reason), (r#"{"x":1}"#, StopReason::ToolCall));

    // t45: nothing waits for a call that was not made; hosted calls are none of the client's.
    let hosted = block(0, r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#);
    let input = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"q\"}"}}"#;
    let choice = read(&[&hosted, input, &end(0), &reason("tool_use"), stop]);
    let Part::ServerCall(found) = &choice.parts[0] else { panic!() };
    assert_eq!(found.input, Json::parse(r#"{"query":"q"}"#).unwrap());
    assert!(found.verbatim.as_ref().unwrap().json.get().contains("\"q\""));
    assert_eq!(choice.stop.unwrap().reason, StopReason::End);

    // What was counted at the beginning is not nothing at the end.
    let counts = r#"{"type":"message_delta","delta":{},"usage":{"input_tokens":10,"cache_read_input_tokens":100,"output_tokens":1}}"#;
    let zeros = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":5}}"#;
    let text = block(0, r#"{"type":"text","text":"hi"}"#);
    let counted =
        folded(decoded_at(&stream(&[counts, &text, &end(0), zeros, stop]), 0)).unwrap().usage.unwrap();
    assert_eq!((counted.input, counted.cache_read, counted.output), (Some(110), Some(100), Some(5)));

    // Servers that imitate several dialects end in Chat's words.
    for (word, meant) in
        [("stop", StopReason::End), ("length", StopReason::Length), ("content_filter", StopReason::Refusal)]
    {
        let text = block(0, r#"{"type":"text","text":"hi"}"#);
        assert_eq!(read(&[&text, &end(0), &reason(word), stop]).stop.unwrap().reason, meant, "{word}");
    }

    // The end of an answer that never began is none.
    for frames in [vec![stop], vec![stop, r#"{"type":"message_start","message":{}}"#]] {
        let text = frames.iter().flat_map(|frame| ["data: ", frame, "\n\n"]).collect::<String>();
        assert_eq!(folded(decoded_at(&text, 0)).unwrap_err().kind, FailureKind::UpstreamTruncated, "{text}");
    }

    // A call without an id gets one, the same every time.
    let nameless = block(0, r#"{"type":"tool_use","name":"f"}"#);
    let id = || match &read(&[&nameless, &end(0), stop]).parts[0] {
        Part::ToolCall(call) => call.call_id.clone(),
        other => panic!("{other:?}"),
    };
    assert!(id().starts_with("toolu_") && id() == id());

    // A start that is sent twice is one call.
    let city = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":2}"}}"#;
    let begun = block(0, r#"{"type":"tool_use","id":"a","name":"f","input":{}}"#);
    let choice = read(&[&begun, &begun, city, &end(0), &reason("tool_use"), stop]);
    let [Part::ToolCall(found)] = choice.parts.as_slice() else { panic!("{choice:?}") };
    assert_eq!(found.arguments, r#"{"x":2}"#);

    // t43: a call that was cut off is not whole, even if its block was closed.
    let half = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\""}}"#;
    let choice = read(&[&call, half, &end(0), &reason("max_tokens"), stop]);
    let Part::ToolCall(found) = &choice.parts[0] else { panic!() };
    assert_eq!(found.status.as_deref(), Some("incomplete"));
    assert_eq!(choice.stop.unwrap().reason, StopReason::Length);

    // Blocks of tomorrow are kept; deltas without a start are taken where they are clear; other shapes are skipped.
    let news = block(0, r#"{"type":"hologram","rays":[1e5]}"#);
    let lost = r#"{"type":"content_block_delta","index":5,"delta":{"type":"text_delta","text":"x"}}"#;
    let choice = read(&[&news, &end(0), lost, "[DONE]", "null", r#"{"type":"news"}"#, stop]);
    assert!(matches!(&choice.parts[0], Part::Opaque(o) if o.json.get().contains("1e5")));
    assert_eq!(choice.parts[1], Part::text("x"));

    // t15: no end, no success.
    let cut = folded(decoded_at(&stream(&[lost, &reason("end_turn")]), 0)).unwrap_err();
    assert_eq!(cut.kind, FailureKind::UpstreamTruncated);
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let failed = folded(decoded_at(&stream(&[lost, error, stop]), 0)).unwrap_err();
    assert_eq!(
        (failed.kind, failed.status, failed.message.as_str()),
        (FailureKind::Overloaded, 503, "Overloaded")
    );
}

#[test]
fn characters_that_were_cut_in_half_are_joined() {
    let delta = |text: &str| {
        format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        )
    };
    let text = |pieces: &[&str]| {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| delta(piece))
            .chain([r#"{"type":"message_stop"}"#.to_owned()])
            .collect();
        let frames: Vec<_> = frames.iter().map(String::as_str).collect();
        match folded(decoded_at(&stream(&frames), 0)).unwrap().choices[0].parts.as_slice() {
            [Part::Text(text)] => text.text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(text(&["a\\ud83d", "\\ude42b"]), "a\u{1F642}b");
    assert_eq!(text(&["a\\ud83d", "b"]), "a\u{FFFD}b");
    assert_eq!(text(&["\\ude42", "\\ud83d"]), "\u{FFFD}\u{FFFD}");
    assert_eq!(text(&["a\\ud83d", "\\ud83d\\ude42b"]), "a\u{FFFD}\u{1F642}b");
}

#[test]
fn no_more_blocks_are_held_open_than_an_honest_answer_has() {
    let open = |index: usize| {
        format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"text","text":"x"}}}}"#
        )
    };
    for (count, ended) in [(255, 0), (256, 0), (257, 1), (300, 44)] {
        let mut decoder = StreamDecoder::new();
        let mut events = Vec::new();
        for index in 0..count {
            decoder.frame(sse::Frame { event: b"", data: open(index).as_bytes() }, &mut events);
        }
        let stops: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::PartStop { part, .. } => Some(part.0 as usize),
                _ => None,
            })
            .collect();
        assert_eq!(stops, (0..ended).collect::<Vec<_>>(), "the oldest give way");
    }
}
