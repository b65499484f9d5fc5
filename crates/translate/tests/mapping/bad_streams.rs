//! Streams that are not in order, and streams that are very long. Every stream that is written here is held against the
//! grammar of its dialect.

use crate::{
    stream::stream,
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{DONE, Talk, call, deltas, finish, message, parts, response},
};
use byok_translate::{StreamReader, codec, ir::Event};
use byok_types::Dialect;
use serde_json::{Value, json};

fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    let all = Dialect::ALL;
    all.into_iter().flat_map(move |from| all.into_iter().map(move |to| (from, to)))
}

/// The frames of a stream, each with its blank line.
fn frames(stream: &str) -> Vec<String> {
    stream.split_inclusive("\n\n").map(str::to_owned).collect()
}

/// Each frame in turn is missing, comes twice, changes places with the next, or is the last one that comes. Whatever the
/// client is told is grammatical (`Talk::bytes` looks), has one end, and has no text that was not said.
#[test]
fn frames_that_repeat_change_places_or_are_missing() {
    for (upstream, client) in pairs() {
        let whole = frames(&stream(upstream));
        for at in 0..whole.len() {
            let mut lost = whole.clone();
            lost.remove(at);
            let mut doubled = whole.clone();
            doubled.insert(at, whole[at].clone());
            let mut swapped = whole.clone();
            swapped.swap(at, (at + 1) % whole.len());
            let cut = whole[..at].to_vec();
            for frames in [lost, doubled, swapped, cut] {
                let told = Talk::new(upstream, client).bytes(&frames.concat());
                assert!(!told.is_empty(), "{upstream:?} to {client:?} at {at}");
            }
        }
    }
}

/// Input of a call that never began or that is over is a broken stream: a call with half of its input is another call. Pieces of
/// a block that came whole, and empty pieces, mean nothing.
#[test]
fn input_of_no_call_ends_a_messages_stream() {
    let begin = |block: Value| json!({"type": "content_block_start", "index": 0, "content_block": block});
    let call = || begin(json!({"type": "tool_use", "id": "a", "name": "f", "input": {}}));
    let input = |index: u8, text: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": text}});
    let stop = || json!({"type": "content_block_stop", "index": 0});
    let unplaced =
        json!({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{}"}});
    let opaque = || begin(json!({"type": "tomorrow_use", "id": "x"}));
    for (what, inner, broken) in [
        ("the start is missing", vec![input(0, "{\"a\":1}"), stop()], true),
        ("another index", vec![call(), input(1, "{\"a\":1}"), stop()], true),
        ("behind the end", vec![call(), input(0, "{"), stop(), input(0, "}")], true),
        ("without an index", vec![call(), stop(), unplaced], true),
        ("a start that says nothing", vec![begin(json!(7)), input(0, "{}"), stop()], true),
        ("empty", vec![call(), stop(), input(0, ""), input(5, "")], false),
        ("a block of tomorrow", vec![opaque(), input(0, "{\"a\":1}"), stop()], false),
        ("a call behind it", vec![opaque(), stop(), call(), input(0, "{}"), stop()], false),
    ] {
        let stream = message(&inner, "tool_use");
        for client in Dialect::ALL {
            let told = Talk::new(MESSAGES, client).bytes(&stream);
            let failed = match client {
                RESPONSES => told.contains("event: response.failed") || told.contains("event: error"),
                _ => told.contains("\"error\":"),
            };
            assert_eq!(failed, broken, "{what} to {client:?}: {told}");
        }
    }
}

/// Half a pair that is never completed, and a pair that is cut in two by the pieces.
#[test]
fn surrogates_in_pieces() {
    let texts = |upstream: Dialect, pieces: [&str; 2]| {
        let stream = match upstream {
            CHAT => deltas(&[json!({"content": "@1"}), json!({"content": "@2"})]) + &finish("stop") + DONE,
            RESPONSES => {
                let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []});
                let delta = |text: &str| json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "msg_1", "content_index": 0, "delta": text});
                response(
                    &[
                        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
                        delta("@1"),
                        delta("@2"),
                    ],
                    &json!([]),
                )
            }
            MESSAGES => {
                let delta = |text: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
                let start = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
                message(
                    &[start, delta("@1"), delta("@2"), json!({"type": "content_block_stop", "index": 0})],
                    "end_turn",
                )
            }
            GEMINI => parts(&[json!([{"text": "@1"}]), json!([{"text": "@2"}])]),
        };
        stream.replace("@1", pieces[0]).replace("@2", pieces[1])
    };
    for (upstream, client) in pairs() {
        let told = Talk::new(upstream, client).bytes(&texts(upstream, [r"a\ud83d", r"\ude00b"]));
        assert!(told.contains('😀') || told.contains("a😀"), "{upstream:?} to {client:?}: {told}");
        let told = Talk::new(upstream, client).bytes(&texts(upstream, [r"a\ud83d", "b"]));
        assert!(told.contains('\u{FFFD}') && told.contains('b'), "{upstream:?} to {client:?}: {told}");
    }
}

/// A megabyte if `BYOK_LONG_STREAMS` is set (minutes in a debug build), else less: what grows with the length shows in both.
fn length() -> usize {
    if std::env::var_os("BYOK_LONG_STREAMS").is_some() { 1 << 20 } else { 1 << 15 }
}

/// The head of a stream with one call, the frame of one piece of its arguments, and the tail.
fn one_call(upstream: Dialect, piece: &str) -> [String; 3] {
    let whole = match upstream {
        CHAT => {
            let head = json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}});
            deltas(&[call(&head), call(&json!({"index": 0, "function": {"arguments": "@@"}}))])
                + &finish("tool_calls")
                + DONE
        }
        RESPONSES => {
            let item =
                json!({"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "arguments": ""});
            response(
                &[
                    json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
                    json!({"type": "response.function_call_arguments.delta", "output_index": 0, "item_id": "fc_1", "delta": "@@"}),
                ],
                &json!([]),
            )
        }
        _ => message(
            &[
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "@@"}}),
                json!({"type": "content_block_stop", "index": 0}),
            ],
            "tool_use",
        ),
    };
    let all = frames(&whole);
    let at = all.iter().position(|frame| frame.contains("@@")).unwrap();
    let piece = Value::from(piece).to_string();
    [all[..at].concat(), all[at].replace("\"@@\"", &piece), all[at + 1..].concat()]
}

/// Long arguments (a megabyte, see `length`), a byte in each piece: every piece is passed on when it comes, and the call ends whole.
#[test]
fn long_arguments_byte_by_byte() {
    for (upstream, client, told) in [
        (CHAT, MESSAGES, "\"partial_json\":\"x\""),
        (MESSAGES, RESPONSES, "\"delta\":\"x\""),
        (RESPONSES, CHAT, "\"arguments\":\"x\""),
    ] {
        let [head, begin, tail] = one_call(upstream, "{\"a\":\"");
        let [_, piece, _] = one_call(upstream, "x");
        let [_, end, _] = one_call(upstream, "\"}");
        let talk = Talk::new(upstream, client);
        let (mut reader, mut encoder) =
            (StreamReader::new(&talk.exchange, 64 << 20), codec::StreamEncoder::new(&talk.exchange));
        let (mut events, mut out, mut count) = (Vec::new(), Vec::new(), 0);
        let mut largest = 0;
        let mut push = |bytes: &str, pieces: usize| {
            reader.push(bytes.as_bytes(), &mut events);
            out.clear();
            events.drain(..).for_each(|event| encoder.push(event, &mut out));
            let written = std::str::from_utf8(&out).unwrap();
            let found = written.matches(told).count();
            assert_eq!(found, pieces, "{upstream:?} to {client:?}");
            count += found;
            if pieces > 0 {
                largest = largest.max(out.len());
            }
        };
        push(&(head + &begin), 0);
        // Many frames of the upstream in one read, as they come from a socket.
        let block = piece.repeat(1024);
        for _ in 0..length() / 1024 {
            push(&block, 1024);
        }
        push(&(end + &tail), 0);
        assert_eq!(count, length());
        assert!(largest < 1024 * 512, "{upstream:?} to {client:?}: {largest} bytes for 1024 pieces");
    }
}

/// Many calls in one answer (ten thousand with `BYOK_LONG_STREAMS`): each arrives once, under an id of its own.
#[test]
fn very_many_calls() {
    let calls = if std::env::var_os("BYOK_LONG_STREAMS").is_some() { 10_000 } else { 1_500 };
    let id = |at: usize| format!("call_{at:05}x");
    let stream = |upstream: Dialect| match upstream {
        CHAT => {
            let all: Vec<_> = (0..calls)
                .map(|at| call(&json!({"index": at, "id": id(at), "type": "function", "function": {"name": "f", "arguments": "{}"}})))
                .collect();
            deltas(&all) + &finish("tool_calls") + DONE
        }
        RESPONSES => {
            let all = (0..calls).flat_map(|at| {
                let item = json!({"type": "function_call", "id": format!("fc_{at}"), "call_id": id(at), "name": "f", "arguments": "{}"});
                ["added", "done"].map(|kind| json!({"type": format!("response.output_item.{kind}"), "output_index": at, "item": item}))
            });
            response(&all.collect::<Vec<_>>(), &json!([]))
        }
        MESSAGES => {
            let all = (0..calls).flat_map(|at| {
                let block = json!({"type": "tool_use", "id": id(at), "name": "f", "input": {}});
                [
                    json!({"type": "content_block_start", "index": at, "content_block": block}),
                    json!({"type": "content_block_stop", "index": at}),
                ]
            });
            message(&all.collect::<Vec<_>>(), "tool_use")
        }
        GEMINI => {
            let call = |at: usize| json!([{"functionCall": {"id": id(at), "name": "f", "args": {}}}]);
            parts(&(0..calls).map(call).collect::<Vec<_>>())
        }
    };
    for upstream in Dialect::ALL {
        let bytes = stream(upstream);
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let told = Talk::new(upstream, client).bytes(&bytes);
            let mark = match client {
                CHAT => "\"type\":\"function\"",
                RESPONSES => "response.output_item.added\n",
                MESSAGES => "\"type\":\"tool_use\"",
                GEMINI => "\"functionCall\"",
            };
            assert_eq!(told.matches(mark).count(), calls, "{upstream:?} to {client:?}");
            for at in [0, 1, calls / 2, calls - 1] {
                assert!(told.contains(&id(at)), "{upstream:?} to {client:?}: {at}");
            }
        }
    }
}

/// Calls that all begin before one of them ends: what a piece costs must not grow with the number of calls. Were it so, this
/// would take minutes.
#[test]
fn very_many_calls_at_once() {
    let calls = 10_000;
    let begin = (0..calls).map(|at| {
        call(&json!({"index": at, "id": format!("c{at}"), "type": "function", "function": {"name": "f", "arguments": "{\"a\":"}}))
    });
    let end = (0..calls).map(|at| call(&json!({"index": at, "function": {"arguments": format!("{at}}}")}})));
    let stream = deltas(&begin.chain(end).collect::<Vec<_>>()) + &finish("tool_calls") + DONE;
    let mut reader = StreamReader::new(&Talk::new(CHAT, GEMINI).exchange, 64 << 20);
    let mut events = Vec::new();
    reader.push(stream.as_bytes(), &mut events);
    reader.finish(&mut events);
    let ended = events.iter().filter(|event| matches!(event, Event::PartStop { complete: true, .. })).count();
    assert_eq!(ended, calls);
    for (client, mark) in [
        (CHAT, "\"type\":\"function\""),
        (RESPONSES, "response.output_item.added\n"),
        (GEMINI, "\"functionCall\""),
    ] {
        let (mut encoder, mut out) =
            (codec::StreamEncoder::new(&Talk::new(CHAT, client).exchange), Vec::new());
        for event in &events {
            encoder.push(event.clone(), &mut out);
        }
        assert_eq!(String::from_utf8(out).unwrap().matches(mark).count(), calls, "{client:?}");
    }
}

/// A server that never ends its list of calls is cut off, and the answer says so.
#[test]
#[ignore = "a minute in a debug build"]
fn more_calls_than_byok_holds() {
    let piece = |at: usize| {
        call(&json!({"index": at, "id": format!("c{at}"), "function": {"name": "f", "arguments": "{}"}}))
    };
    let all: Vec<_> = (0..16_500).map(piece).collect();
    let told = Talk::new(CHAT, RESPONSES).bytes(&(deltas(&all) + &finish("tool_calls") + DONE));
    assert!(told.contains("\"reason\":\"max_output_tokens\"") && told.contains("event: response.incomplete"));
}
