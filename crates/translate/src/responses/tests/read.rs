//! Answers as upstreams send them.

use super::*;
use crate::{
    ir::{Delta, Part, Usage},
    sse,
};
use byok_types::FailureKind;
use serde_json::json;

/// Name, frames, expectation.
type Cases<T> = Vec<(&'static str, Vec<(&'static str, Value)>, T)>;

/// The events of a stream; each is its type and its further members.
fn read(frames: &[(&str, Value)]) -> Vec<Event> {
    let mut decoder = responses::StreamDecoder::new();
    let mut events = Vec::new();
    for (kind, members) in frames {
        let mut value = members.clone();
        value["type"] = (*kind).into();
        decoder.frame(sse::Frame { event: kind.as_bytes(), data: &bytes(&value) }, &mut events);
    }
    decoder.finish(&mut events);
    assert_eq!(events.iter().filter(|e| matches!(e, Event::End)).count(), 1, "{events:?}");
    assert!(matches!(events.last(), Some(Event::End)));
    events
}

fn read_fold(frames: &[(&str, Value)]) -> Response {
    fold(read(frames)).unwrap()
}

/// What an answer says, in one line.
fn line(response: &Response) -> String {
    let parts = response.choices[0].parts.iter().map(|part| match part {
        Part::Text(text) => format!("text {}", text.text),
        Part::Refusal(refusal) => format!("refusal {}", refusal.text),
        Part::Thinking(thinking) => {
            let seal = thinking.blob.as_ref().map_or("-", |blob| &blob.data);
            format!("thinking {}|{} {seal}", thinking.summary.join("/"), thinking.raw.join("/"))
        }
        Part::ToolCall(call) => {
            format!("{:?} {}={} {}", call.flavour, call.call_id, call.name, call.arguments)
        }
        Part::ServerCall(call) => format!("server {}", call.name),
        Part::ServerResult(result) => format!("result {} hits", result.hits.len()),
        Part::Image(_) => "image".to_owned(),
        Part::Opaque(_) => "opaque".to_owned(),
        Part::Compaction(_) => "compaction".to_owned(),
        other => format!("{other:?}"),
    });
    let stop = response.choices[0].stop.as_ref().map(|stop| format!("{:?}", stop.reason)).unwrap_or_default();
    parts.chain(std::iter::once(stop)).collect::<Vec<_>>().join("; ")
}

fn created() -> (&'static str, Value) {
    (
        "response.created",
        json!({"response": {"id": "resp_1", "model": "up", "created_at": 7, "status": "in_progress", "output": []}}),
    )
}

fn completed(output: &Value) -> (&'static str, Value) {
    ("response.completed", json!({"response": {"id": "resp_1", "status": "completed", "output": output}}))
}

fn call_item(arguments: &str) -> Value {
    json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": arguments})
}

fn message_item(id: &str, text: &str) -> Value {
    json!({"type": "message", "id": id, "role": "assistant", "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn streams_of_all_kinds_of_servers_say_what_they_mean() {
    let added = |index: u64, item: Value| {
        ("response.output_item.added", json!({"output_index": index, "item": item}))
    };
    let done =
        |index: u64, item: Value| ("response.output_item.done", json!({"output_index": index, "item": item}));
    let text = |id: &str, index: u64, delta: &str| {
        (
            "response.output_text.delta",
            json!({"item_id": id, "output_index": index, "content_index": 0, "delta": delta}),
        )
    };
    let arguments = |id: &str, delta: &str| {
        ("response.function_call_arguments.delta", json!({"item_id": id, "delta": delta}))
    };
    let cases: Cases<&str> = vec![
        ("T31: nothing at all", vec![created(), completed(&json!([]))], "End"),
        (
            "T11: the last event repeats what was streamed",
            vec![
                created(),
                added(0, call_item("")),
                arguments("fc_1", "{\"q\":"),
                arguments("fc_1", "1}"),
                done(0, call_item("{\"q\":1}")),
                completed(&json!([call_item("{\"q\":1}")])),
            ],
            "Function call_1=f {\"q\":1}; ToolCall",
        ),
        (
            "only the items at their end",
            vec![
                created(),
                done(0, message_item("msg_1", "hi")),
                done(1, call_item("{}")),
                completed(&json!([])),
            ],
            "text hi; Function call_1=f {}; ToolCall",
        ),
        (
            "only the last event",
            vec![created(), completed(&json!([message_item("msg_1", "hi"), call_item("{}")]))],
            "text hi; Function call_1=f {}; ToolCall",
        ),
        (
            "ids that differ in every event",
            vec![
                created(),
                added(0, message_item("a1", "")),
                text("a2", 0, "hi"),
                done(0, message_item("a3", "hi")),
                added(
                    1,
                    json!({"type": "function_call", "id": "b1", "call_id": "call_1", "name": "f", "arguments": ""}),
                ),
                (
                    "response.function_call_arguments.delta",
                    json!({"item_id": "b2", "output_index": 1, "delta": "{}"}),
                ),
                done(
                    1,
                    json!({"type": "function_call", "id": "b3", "call_id": "call_1", "name": "f", "arguments": "{}"}),
                ),
                completed(
                    &json!([message_item("a4", "hi"), {"type": "function_call", "id": "b4", "call_id": "call_1", "name": "f", "arguments": "{}"}]),
                ),
            ],
            "text hi; Function call_1=f {}; ToolCall",
        ),
        (
            "T1: one place for a call, reasoning and text",
            vec![
                created(),
                added(0, call_item("")),
                (
                    "response.function_call_arguments.done",
                    json!({"item_id": "fc_1", "output_index": 0, "arguments": "{}"}),
                ),
                (
                    "response.reasoning_summary_text.delta",
                    json!({"item_id": "rs_1", "output_index": 0, "summary_index": 0, "delta": "r"}),
                ),
                text("msg_1", 0, "hi"),
                completed(&json!([])),
            ],
            "Function call_1=f {}; thinking r| -; text hi; ToolCall",
        ),
        (
            "T6: arguments ahead of their call",
            vec![
                created(),
                arguments("fc_1", "{}"),
                added(0, call_item("")),
                done(0, call_item("{}")),
                completed(&json!([])),
            ],
            "Function call_1=f {}; ToolCall",
        ),
        (
            "T8: the name comes at the end",
            vec![
                created(),
                added(
                    0,
                    json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "arguments": ""}),
                ),
                arguments("fc_1", "{}"),
                done(0, call_item("{}")),
                completed(&json!([])),
            ],
            "Function call_1=f {}; ToolCall",
        ),
        (
            "T10: a call without an id gets one",
            vec![
                created(),
                added(0, json!({"type": "function_call", "id": "fc_9", "name": "f", "arguments": ""})),
                arguments("fc_9", "{}"),
                completed(&json!([])),
            ],
            "Function fc_9=f {}; ToolCall",
        ),
        (
            "T46: arguments as an object",
            vec![
                created(),
                done(
                    0,
                    json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": {"a": 1}}),
                ),
                completed(&json!([])),
            ],
            "Function call_1=f {\"a\":1}; ToolCall",
        ),
        (
            "arguments in the first event only",
            vec![created(), added(0, call_item("{\"a\":1}")), done(0, call_item("")), completed(&json!([]))],
            "Function call_1=f {\"a\":1}; ToolCall",
        ),
        (
            "a custom tool",
            vec![
                created(),
                added(
                    0,
                    json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "apply_patch", "input": ""}),
                ),
                (
                    "response.custom_tool_call_input.delta",
                    json!({"item_id": "ctc_1", "output_index": 0, "delta": "*** Begin\n"}),
                ),
                (
                    "response.custom_tool_call_input.done",
                    json!({"item_id": "ctc_1", "output_index": 0, "input": "*** Begin\n"}),
                ),
                done(
                    0,
                    json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "apply_patch", "input": "*** Begin\n"}),
                ),
                completed(&json!([])),
            ],
            "Custom c=apply_patch *** Begin\n; ToolCall",
        ),
        (
            "T67 T68: one thought with three paragraphs and the seal of the last event",
            vec![
                created(),
                added(
                    0,
                    json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "early"}),
                ),
                (
                    "response.reasoning_summary_text.delta",
                    json!({"item_id": "rs_1", "summary_index": 0, "delta": "a"}),
                ),
                (
                    "response.reasoning_summary_text.delta",
                    json!({"item_id": "rs_1", "summary_index": 1, "delta": "b"}),
                ),
                (
                    "response.reasoning_summary_text.done",
                    json!({"item_id": "rs_1", "summary_index": 1, "text": "b"}),
                ),
                (
                    "response.reasoning_summary_text.done",
                    json!({"item_id": "rs_1", "summary_index": 2, "text": "c"}),
                ),
                done(
                    0,
                    json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}, {"type": "summary_text", "text": "c"}], "encrypted_content": "final"}),
                ),
                completed(&json!([])),
            ],
            "thinking a/b/c| final; End",
        ),
        (
            "open reasoning",
            vec![
                created(),
                (
                    "response.content_part.added",
                    json!({"item_id": "rs_1", "content_index": 0, "part": {"type": "reasoning_text", "text": ""}}),
                ),
                (
                    "response.reasoning_text.delta",
                    json!({"item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "r"}),
                ),
                (
                    "response.content_part.done",
                    json!({"item_id": "rs_1", "output_index": 0, "content_index": 0, "part": {"type": "reasoning_text", "text": "r"}}),
                ),
                done(1, message_item("msg_1", "hi")),
                completed(&json!([])),
            ],
            "thinking |r -; text hi; End",
        ),
        (
            "a refusal",
            vec![
                created(),
                (
                    "response.refusal.delta",
                    json!({"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "no"}),
                ),
                (
                    "response.refusal.done",
                    json!({"item_id": "msg_1", "output_index": 0, "content_index": 0, "refusal": "no"}),
                ),
                completed(&json!([])),
            ],
            "refusal no; Refusal",
        ),
        (
            "hosted tools, pictures and what nobody knows",
            vec![
                created(),
                ("response.web_search_call.searching", json!({"item_id": "ws_1", "output_index": 0})),
                done(
                    0,
                    json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a.org"}]}}),
                ),
                done(
                    1,
                    json!({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw0KGgoAAAAA"}),
                ),
                done(2, json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "g"})),
                done(3, json!({"type": "hologram"})),
                ("response.hologram.delta", json!({"delta": {"x": 1}})),
                ("codex.rate_limits", json!({"plan_type": "plus"})),
                completed(&json!([])),
            ],
            "server web_search_call; result 1 hits; image; compaction; opaque; End",
        ),
        (
            "T28 T43: a call that was cut off",
            vec![
                created(),
                added(0, call_item("")),
                arguments("fc_1", "{\"a\":"),
                (
                    "response.incomplete",
                    json!({"response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []}}),
                ),
            ],
            "Function call_1=f {\"a\":; Length",
        ),
        (
            "filtered",
            vec![
                created(),
                text("m", 0, "x"),
                (
                    "response.incomplete",
                    json!({"response": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}}),
                ),
            ],
            "text x; ContentFilter",
        ),
        (
            "over a socket",
            vec![
                created(),
                text("m", 0, "x"),
                ("response.done", json!({"response": {"status": "completed"}})),
            ],
            "text x; End",
        ),
        (
            "T18: what follows the end does not count",
            vec![created(), completed(&json!([])), text("m", 0, "late")],
            "End",
        ),
        (
            "several parts in one message",
            vec![
                created(),
                ("response.output_text.delta", json!({"item_id": "m", "content_index": 0, "delta": "a"})),
                ("response.output_text.delta", json!({"item_id": "m", "content_index": 1, "delta": "b"})),
                ("response.output_text.done", json!({"item_id": "m", "content_index": 1, "text": "b"})),
                completed(&json!([])),
            ],
            "text a; text b; End",
        ),
    ];
    for (name, frames, expected) in cases {
        assert_eq!(line(&read_fold(&frames)), expected, "{name}");
    }
}

/// Some servers leave out deltas: what the end of a part has beyond them is said then, streamed and whole.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn p8_the_end_of_a_part_says_what_the_deltas_left_out() {
    let open_message =
        || ("response.output_item.added", json!({"output_index": 0, "item": message_item("m", "")}));
    let open_call = || ("response.output_item.added", json!({"output_index": 0, "item": call_item("")}));
    let open_thoughts = || {
        (
            "response.output_item.added",
            json!({"output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": []}}),
        )
    };
    let text = |delta: &str| {
        ("response.output_text.delta", json!({"item_id": "m", "output_index": 0, "delta": delta}))
    };
    let arguments =
        |delta: &str| ("response.function_call_arguments.delta", json!({"item_id": "fc_1", "delta": delta}));
    let thought = |delta: &str| {
        (
            "response.reasoning_summary_text.delta",
            json!({"item_id": "rs", "summary_index": 1, "delta": delta}),
        )
    };
    let done = |item: Value| ("response.output_item.done", json!({"output_index": 0, "item": item}));
    let thoughts = |summary: Value| json!({"type": "reasoning", "id": "rs", "summary": summary});
    let whole_call = r#"Function call_1=f {"x":1}; ToolCall"#;
    let cases: Cases<&str> = vec![
        (
            "text, by the end of the text",
            vec![
                open_message(),
                text("h"),
                text("é"),
                ("response.output_text.done", json!({"item_id": "m", "output_index": 0, "text": "héllo"})),
                done(message_item("m", "héllo")),
                completed(&json!([message_item("m", "héllo")])),
            ],
            "text héllo; End",
        ),
        (
            "text, by the end of the part",
            vec![
                open_message(),
                text("he"),
                (
                    "response.content_part.done",
                    json!({"item_id": "m", "output_index": 0, "part": {"type": "output_text", "text": "hello"}}),
                ),
                completed(&json!([])),
            ],
            "text hello; End",
        ),
        (
            "text, by the end of the item",
            vec![open_message(), text("he"), done(message_item("m", "hello")), completed(&json!([]))],
            "text hello; End",
        ),
        (
            "text, by the end of the answer",
            vec![open_message(), text("he"), completed(&json!([message_item("m", "hello")]))],
            "text hello; End",
        ),
        (
            "a text that begins otherwise",
            vec![open_message(), text("xx"), done(message_item("m", "hello")), completed(&json!([]))],
            "text xx; End",
        ),
        (
            "a text that ends inside a character",
            vec![
                open_message(),
                text("h"),
                text("e"),
                done(message_item("m", "h€llo")),
                completed(&json!([])),
            ],
            "text he; End",
        ),
        (
            "a refusal",
            vec![
                open_message(),
                ("response.refusal.delta", json!({"item_id": "m", "output_index": 0, "delta": "n"})),
                ("response.refusal.done", json!({"item_id": "m", "output_index": 0, "refusal": "no"})),
                completed(&json!([])),
            ],
            "refusal no; Refusal",
        ),
        (
            "arguments, by their end",
            vec![
                open_call(),
                arguments("{\"x\""),
                (
                    "response.function_call_arguments.done",
                    json!({"item_id": "fc_1", "arguments": "{\"x\":1}"}),
                ),
                done(call_item("{\"x\":1}")),
                completed(&json!([call_item("{\"x\":1}")])),
            ],
            whole_call,
        ),
        (
            "arguments, by the end of the item",
            vec![open_call(), arguments("{\"x\""), done(call_item("{\"x\":1}")), completed(&json!([]))],
            whole_call,
        ),
        (
            "arguments, by the end of the answer",
            vec![open_call(), arguments("{\"x\""), completed(&json!([call_item("{\"x\":1}")]))],
            whole_call,
        ),
        (
            "arguments without their beginning",
            vec![open_call(), arguments(":1}"), done(call_item("{\"x\":1}")), completed(&json!([]))],
            whole_call,
        ),
        (
            "arguments without their beginning, by their end",
            vec![
                open_call(),
                arguments(":1"),
                arguments("}"),
                (
                    "response.function_call_arguments.done",
                    json!({"item_id": "fc_1", "arguments": "{\"x\":1}"}),
                ),
                completed(&json!([])),
            ],
            whole_call,
        ),
        (
            "arguments that are no object",
            vec![open_call(), arguments("[1"), arguments("]"), completed(&json!([]))],
            "Function call_1=f [1]; ToolCall",
        ),
        (
            "arguments behind a space",
            vec![
                open_call(),
                arguments(" "),
                arguments("{\"x\""),
                done(call_item(" {\"x\":1}")),
                completed(&json!([])),
            ],
            "Function call_1=f  {\"x\":1}; ToolCall",
        ),
        (
            "free text",
            vec![
                (
                    "response.output_item.added",
                    json!({"output_index": 0, "item": {"type": "custom_tool_call", "id": "ctc_1", "call_id": "k", "name": "p", "input": ""}}),
                ),
                ("response.custom_tool_call_input.delta", json!({"item_id": "ctc_1", "delta": "ra"})),
                ("response.custom_tool_call_input.done", json!({"item_id": "ctc_1", "input": "raw"})),
                completed(&json!([])),
            ],
            "Custom k=p raw; ToolCall",
        ),
        (
            "reasoning, by the end of the paragraph",
            vec![
                open_thoughts(),
                thought("a"),
                (
                    "response.reasoning_summary_text.done",
                    json!({"item_id": "rs", "summary_index": 1, "text": "abc"}),
                ),
                completed(&json!([])),
            ],
            "thinking abc| -; End",
        ),
        (
            "reasoning, by the end of the item",
            vec![
                open_thoughts(),
                thought("a"),
                done(thoughts(json!([{"type": "summary_text", "text": "abc"}]))),
                completed(&json!([])),
            ],
            "thinking abc| -; End",
        ),
    ];
    for (name, frames, expected) in cases {
        let events = read(&frames);
        let pieces: String = events
            .iter()
            .filter_map(|event| match event {
                Event::Delta {
                    delta:
                        Delta::Text(text)
                        | Delta::Refusal(text)
                        | Delta::Arguments(text)
                        | Delta::Thinking { text, .. },
                    ..
                } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert!(expected.contains(&pieces), "{name}: the pieces were {pieces:?}");
        assert_eq!(line(&fold(events).unwrap()), expected, "{name}");
    }
}

/// A piece in the middle was lost: what came stays as it is, is not said again, and the log hears of it.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_whole_that_contradicts_what_was_streamed_is_a_loss() {
    let message = |text: &str| json!({"output_index": 3, "item": message_item("m", text)});
    let call = |arguments: &str| json!({"output_index": 3, "item": call_item(arguments)});
    let thoughts = |texts: &[&str]| {
        let summary: Vec<_> =
            texts.iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
        json!({"output_index": 3, "item": {"type": "reasoning", "id": "rs", "summary": summary}})
    };
    let text = |delta: &str| ("response.output_text.delta", json!({"item_id": "m", "delta": delta}));
    let arguments = |delta: &str| {
        (
            "response.function_call_arguments.delta",
            json!({"item_id": "fc_1", "output_index": 3, "delta": delta}),
        )
    };
    let thought = |delta: &str| {
        (
            "response.reasoning_summary_text.delta",
            json!({"item_id": "rs", "summary_index": 0, "delta": delta}),
        )
    };
    let (added, done) = ("response.output_item.added", "response.output_item.done");
    let part_done = |index: u64, text: &str| {
        let part = json!({"type": "output_text", "text": text});
        ("response.content_part.done", json!({"item_id": "m", "content_index": index, "part": part}))
    };
    let second = || ("response.output_text.delta", json!({"item_id": "m", "content_index": 1, "delta": "2"}));
    let cases: Cases<(&str, bool)> = vec![
        (
            "a text",
            vec![
                (added, message("")),
                text("he"),
                text("o"),
                ("response.output_text.done", json!({"item_id": "m", "text": "hello"})),
                part_done(0, "hello"),
                (done, message("hello")),
                completed(&json!([message_item("m", "hello")])),
            ],
            ("text heo; End", true),
        ),
        (
            "a text that goes on where it should not",
            vec![(added, message("")), text("hello"), (done, message("he")), completed(&json!([]))],
            ("text hello; End", true),
        ),
        (
            "a text that is whole",
            vec![(added, message("")), text("he"), (done, message("he")), completed(&json!([]))],
            ("text he; End", false),
        ),
        (
            "a whole that says nothing",
            vec![(added, message("")), text("he"), part_done(0, ""), completed(&json!([]))],
            ("text he; End", false),
        ),
        (
            "a part that has ended",
            vec![(added, message("")), text("1"), second(), part_done(0, "1a"), completed(&json!([]))],
            ("text 1; text 2; End", true),
        ),
        (
            "a part that has ended as it should",
            vec![
                (added, message("")),
                text("1"),
                second(),
                part_done(0, "1"),
                part_done(1, "2"),
                completed(&json!([])),
            ],
            ("text 1; text 2; End", false),
        ),
        (
            "arguments that come empty with their end",
            vec![(added, call("")), arguments("{\"x\":1}"), (done, call("{}")), completed(&json!([]))],
            (r#"Function call_1=f {"x":1}; ToolCall"#, true),
        ),
        (
            "arguments that are cut with their end",
            vec![(added, call("")), arguments("{\"x\":1}"), (done, call("{\"y")), completed(&json!([]))],
            (r#"Function call_1=f {"x":1}; ToolCall"#, true),
        ),
        (
            "arguments in another spelling",
            vec![
                (added, call("")),
                arguments("{\"x\": 1}"),
                (done, call("{\"x\":1}")),
                completed(&json!([])),
            ],
            (r#"Function call_1=f {"x": 1}; ToolCall"#, false),
        ),
        (
            "a summary",
            vec![(added, thoughts(&[])), thought("a"), (done, thoughts(&["ba"])), completed(&json!([]))],
            ("thinking a| -; End", true),
        ),
        (
            "a paragraph that was lost",
            vec![(added, thoughts(&[])), thought("a"), (done, thoughts(&["ab", "c"])), completed(&json!([]))],
            ("thinking ab/c| -; End", false),
        ),
    ];
    for (name, frames, (expected, lost)) in cases {
        let events = read(&frames);
        let losses: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Lost(loss) => Some((loss.field.as_str(), loss.action)),
                _ => None,
            })
            .collect();
        assert_eq!(!losses.is_empty(), lost, "{name}: {losses:?}");
        let is_empty = |event: &Event| match event {
            Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. }
            | Event::Delta { delta: Delta::Thinking { text, .. }, .. } => text.is_empty(),
            _ => false,
        };
        assert!(!events.iter().any(is_empty), "{name}: {events:?}");
        assert!(losses.iter().all(|loss| *loss == ("output[3]", LossAction::Dropped)), "{name}: {losses:?}");
        assert_eq!(line(&fold(events).unwrap()), expected, "{name}");
    }
}

/// A call with a piece missing is another call, and nobody may run it.
#[test]
fn a_call_that_lost_a_piece_ends_as_a_failure() {
    let (added, done) = ("response.output_item.added", "response.output_item.done");
    let item = |custom: bool, arguments: &str| {
        let mut item = call_item(arguments);
        if custom {
            item["type"] = "custom_tool_call".into();
            item["input"] = item["arguments"].take();
        }
        json!({"output_index": 3, "item": item})
    };
    let delta = |custom: bool, delta: &str| {
        let kind = if custom {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        (kind, json!({"item_id": "fc_1", "output_index": 3, "delta": delta}))
    };
    let end = |arguments: &str| {
        ("response.function_call_arguments.done", json!({"item_id": "fc_1", "arguments": arguments}))
    };
    let last = || completed(&json!([]));
    let whole = r#"{"path":"/tmp/old/x"}"#;
    let cases: Cases<()> = vec![
        (
            "it can be run",
            vec![
                (added, item(false, "")),
                delta(false, r#"{"path":"/tmp/"#),
                delta(false, r#"/x"}"#),
                end(whole),
                (done, item(false, whole)),
                last(),
            ],
            (),
        ),
        (
            "only the end of the arguments says so",
            vec![
                (added, item(false, "")),
                delta(false, r#"{"n":13}"#),
                end(r#"{"n":123}"#),
                (done, item(false, "")),
                last(),
            ],
            (),
        ),
        (
            "only the end of the item says so",
            vec![
                (added, item(false, "")),
                delta(false, r#"{"n":13}"#),
                (done, item(false, r#"{"n":123}"#)),
                last(),
            ],
            (),
        ),
        (
            "only the last event says so",
            vec![
                (added, item(false, "")),
                delta(false, r#"{"n":13}"#),
                completed(&json!([call_item(r#"{"n":123}"#)])),
            ],
            (),
        ),
        (
            "it cannot be read",
            vec![
                (added, item(false, "")),
                delta(false, "{\"x\""),
                delta(false, "}"),
                end("{\"x\":1}"),
                last(),
            ],
            (),
        ),
        (
            "free text",
            vec![
                (added, item(true, "")),
                delta(true, "rm /tmp/"),
                delta(true, "/x"),
                (done, item(true, "rm /tmp/old/x")),
                last(),
            ],
            (),
        ),
    ];
    for (name, frames, ()) in cases {
        let events = read(&frames);
        let told = events.iter().any(|event| matches!(event, Event::PartStop { complete: true, .. }));
        assert!(!told, "{name}: no client is told that the call is complete: {events:?}");
        let failure = fold(events).unwrap_err();
        assert_eq!((failure.status, failure.blame), (502, byok_types::Blame::Upstream), "{name}");
    }
}

#[test]
fn t43_a_call_that_was_cut_off_is_marked() {
    let response = read_fold(&[
        created(),
        ("response.output_item.added", json!({"output_index": 0, "item": call_item("")})),
        ("response.function_call_arguments.delta", json!({"item_id": "fc_1", "delta": "{"})),
        (
            "response.incomplete",
            json!({"response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}),
        ),
    ]);
    assert!(
        matches!(&response.choices[0].parts[0], Part::ToolCall(call) if call.status.as_deref() == Some("incomplete"))
    );
}

#[test]
fn what_no_client_could_read_is_left_out() {
    let item = || json!({"output_index": 0, "item": call_item("{}")});
    let piece = || json!({"item_id": call_item("")["id"], "output_index": 0, "delta": "{}"});
    let twice = vec![
        created(),
        ("response.function_call_arguments.delta", piece()),
        ("response.output_item.done", item()),
        ("response.output_item.added", item()),
        completed(&json!([])),
    ];
    assert_eq!(read_fold(&twice).choices[0].parts.len(), 1, "a call that is announced behind its end");
    let untyped = json!({"output_index": 0, "item": {"id": "x", "summary": [{"text": {"no": "text"}}]}});
    let answer = read_fold(&[created(), ("response.output_item.done", untyped), completed(&json!([]))]);
    assert!(answer.choices.iter().all(|choice| choice.parts.is_empty()), "{answer:?}");
    let whole = json!({"output_index": 0, "item": {"id": "m", "type": "message", "role": "assistant", "content": [
        {"type": "output_text", "text": "hi", "annotations": [[], 1, {"type": "url_citation", "url": "u"}]}]}});
    let spoken = [
        (
            "response.output_text.delta",
            json!({"item_id": "m", "output_index": 0, "content_index": 0, "delta": "hi"}),
        ),
        (
            "response.output_text.annotation.added",
            json!({"item_id": "m", "output_index": 0, "content_index": 0, "annotation": []}),
        ),
    ];
    for frames in [vec![], spoken.to_vec()] {
        let begun = std::iter::once(created()).chain(frames);
        let frames: Vec<_> =
            begun.chain([("response.output_item.done", whole.clone()), completed(&json!([]))]).collect();
        let Part::Text(text) = &read_fold(&frames).choices[0].parts[0] else { panic!("no text") };
        assert_eq!(text.citations.len(), 1, "{text:?}");
    }
}

#[test]
fn t15_t16_endings_that_are_failures() {
    let failed = |error: Value| {
        ("response.failed", json!({"response": {"id": "r", "status": "failed", "error": error}}))
    };
    let cases: Cases<FailureKind> = vec![
        ("T15: the stream just ends", vec![created()], FailureKind::UpstreamTruncated),
        ("nothing came", vec![], FailureKind::UpstreamTruncated),
        (
            "T124",
            vec![created(), failed(json!({"code": "context_length_exceeded", "message": "m"}))],
            FailureKind::ContextTooLong,
        ),
        (
            "failed",
            vec![created(), failed(json!({"code": "rate_limit_exceeded", "message": "try again in 2s"}))],
            FailureKind::RateLimit,
        ),
        ("failed without a word", vec![created(), failed(Value::Null)], FailureKind::Server),
        (
            "a bare error",
            vec![
                created(),
                (
                    "error",
                    json!({"code": "server_error", "message": "m", "param": null, "sequence_number": 3}),
                ),
            ],
            FailureKind::Server,
        ),
        (
            "an error within",
            vec![(
                "error",
                json!({"status": 429, "error": {"type": "usage_limit_reached", "message": "m", "resets_in_seconds": 5}}),
            )],
            FailureKind::QuotaWindow,
        ),
        (
            "completed but failed",
            vec![
                created(),
                (
                    "response.completed",
                    json!({"response": {"status": "failed", "error": {"code": "server_error", "message": "m"}}}),
                ),
            ],
            FailureKind::Server,
        ),
    ];
    for (name, frames, kind) in cases {
        assert_eq!(fold(read(&frames)).unwrap_err().kind, kind, "{name}");
    }
    let mut decoder = responses::StreamDecoder::new();
    let mut events = Vec::new();
    decoder
        .frame(sse::Frame { event: b"", data: br#"{"error":{"message":"boom","code":503}}"# }, &mut events);
    assert!(decoder.ended());
    assert_eq!(fold(events).unwrap_err().kind, FailureKind::Overloaded);
}

#[test]
fn t14_t22_markers_of_others_do_no_harm() {
    let mut decoder = responses::StreamDecoder::new();
    let mut events = Vec::new();
    for data in [&br#"{"type":"keepalive","sequence_number":1}"#[..], b"[DONE]", b"[1]", b"{}"] {
        decoder.frame(sse::Frame { event: b"", data }, &mut events);
    }
    assert_eq!(events, [Event::Ping]);
    assert_eq!(responses::decode_answer(b"{}").unwrap_err().status, 502, "no answer at all");
    let done = br#"{"response":{"status":"completed","output":[]}}"#;
    decoder.frame(sse::Frame { event: b"response.completed", data: done }, &mut events);
    assert!(decoder.ended(), "the event line names the type where the data does not");
    decoder.frame(sse::Frame { event: b"", data: b"[DONE]" }, &mut events);
    decoder.finish(&mut events);
    assert!(fold(events).is_ok());
}

#[test]
fn an_event_that_is_sent_twice_in_a_row_counts_once() {
    let said = |numbers: &[u32]| {
        let mut decoder = responses::StreamDecoder::new();
        let mut events = Vec::new();
        for number in numbers {
            let data = format!(
                r#"{{"type":"response.output_text.delta","item_id":"m","delta":"x","sequence_number":{number}}}"#
            );
            decoder.frame(sse::Frame { event: b"", data: data.as_bytes() }, &mut events);
        }
        events.iter().filter(|event| matches!(event, Event::Delta { delta: Delta::Text(_), .. })).count()
    };
    assert_eq!(said(&[1, 2, 2, 3]), 3);
    assert_eq!(said(&[0, 0, 0]), 3, "a server that does not count");
}

#[test]
fn halves_of_a_character_are_joined_across_deltas() {
    let mut decoder = responses::StreamDecoder::new();
    let mut events = Vec::new();
    for delta in [r"a\ud83d", r"\ude42b", r"\ud83dx"] {
        let data = format!(r#"{{"type":"response.output_text.delta","item_id":"m","delta":"{delta}"}}"#);
        decoder.frame(sse::Frame { event: b"", data: data.as_bytes() }, &mut events);
    }
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            Event::Delta { delta: Delta::Text(text), .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(text, "a🙂b\u{fffd}x");
}

#[test]
fn half_a_character_does_not_lose_an_item() {
    let body = br#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a\ud83d"}]}]}"#;
    assert_eq!(line(&fold(responses::decode_answer(body).unwrap()).unwrap()), "text a\u{fffd}; End");
}

#[test]
fn t114_counts_are_read_and_placeholders_are_not() {
    let usage = |usage: Value| {
        let body = bytes(
            &json!({"id": "r", "status": "completed", "output": [], "usage": usage, "service_tier": "flex"}),
        );
        fold(responses::decode_answer(&body).unwrap()).unwrap().usage
    };
    let all = usage(
        json!({"input_tokens": 120, "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 5}, "output_tokens": 40, "output_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 160}),
    );
    let expected = Usage {
        input: Some(120),
        cache_read: Some(100),
        cache_write: Some(5),
        output: Some(40),
        reasoning: Some(10),
        service_tier: Some("flex".into()),
        ..Usage::default()
    };
    assert_eq!(all, Some(expected));
    assert_eq!(usage(json!({"input_tokens": 0, "output_tokens": 0, "total_tokens": 0})), None);
    assert_eq!(usage(Value::Null), None);
    assert_eq!(usage(json!({"input_tokens": 3, "output_tokens": 1})).and_then(|u| u.reasoning), None);
}

#[test]
fn whole_answers_fail_where_they_are_errors() {
    for (body, kind) in [
        (
            r#"{"error":{"message":"m","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            FailureKind::ContextTooLong,
        ),
        (
            r#"{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"output":[]}"#,
            FailureKind::Server,
        ),
        ("<html>", FailureKind::Server),
        ("[]", FailureKind::Server),
    ] {
        assert_eq!(responses::decode_answer(body.as_bytes()).unwrap_err().kind, kind, "{body}");
    }
}
