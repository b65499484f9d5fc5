//! Streams of the twelve pairs: one answer that thinks, speaks and calls twice, and what is special to a pair.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{DONE, Talk, call, chunk, deltas, finish, message, parts, response},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// An answer that thinks "why", says "Hi" and calls `f` and `g`, as a stream of each dialect.
pub(crate) fn stream(upstream: Dialect) -> String {
    match upstream {
        CHAT => {
            let said = deltas(&[
                json!({"role": "assistant", "content": ""}),
                json!({"reasoning_content": "why"}),
                json!({"content": "Hi"}),
                call(
                    &json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"a\""}}),
                ),
                call(&json!({"index": 0, "function": {"arguments": ":1}"}})),
                call(
                    &json!({"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}),
                ),
            ]);
            said + &finish("tool_calls") + &chunk(&json!([])) + DONE
        }
        RESPONSES => {
            let item =
                |kind: &str, at: u8, item: &Value| json!({"type": kind, "output_index": at, "item": item});
            let f = json!({"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "arguments": "{\"a\":1}"});
            let g = json!({"type": "function_call", "id": "fc_2", "call_id": "b", "name": "g", "arguments": "{}"});
            let empty = |call: &Value| {
                let mut call = call.clone();
                call["arguments"] = "".into();
                call
            };
            let reasoning = |sealed: bool| {
                json!({"type": "reasoning", "id": "rs_1", "encrypted_content": if sealed { json!("gAAAAx") } else { json!(null) },
                    "summary": if sealed { json!([{"type": "summary_text", "text": "why"}]) } else { json!([]) }})
            };
            let words =
                |text: Value| json!({"type": "message", "id": "msg_1", "role": "assistant", "content": text});
            response(
                &[
                    item("response.output_item.added", 0, &reasoning(false)),
                    json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1", "summary_index": 0, "delta": "why"}),
                    item("response.output_item.done", 0, &reasoning(true)),
                    item("response.output_item.added", 1, &words(json!([]))),
                    json!({"type": "response.output_text.delta", "output_index": 1, "item_id": "msg_1", "content_index": 0, "delta": "Hi"}),
                    item(
                        "response.output_item.done",
                        1,
                        &words(json!([{"type": "output_text", "text": "Hi", "annotations": []}])),
                    ),
                    item("response.output_item.added", 2, &empty(&f)),
                    json!({"type": "response.function_call_arguments.delta", "output_index": 2, "item_id": "fc_1", "delta": "{\"a\":1}"}),
                    json!({"type": "response.function_call_arguments.done", "output_index": 2, "item_id": "fc_1", "arguments": "{\"a\":1}"}),
                    item("response.output_item.done", 2, &f),
                    item("response.output_item.added", 3, &empty(&g)),
                    item("response.output_item.done", 3, &g),
                ],
                &json!([]),
            )
        }
        MESSAGES => {
            let start = |at: u8, block: &Value| json!({"type": "content_block_start", "index": at, "content_block": block});
            let delta =
                |at: u8, delta: &Value| json!({"type": "content_block_delta", "index": at, "delta": delta});
            let stop = |at: u8| json!({"type": "content_block_stop", "index": at});
            message(
                &[
                    start(0, &json!({"type": "thinking", "thinking": "", "signature": ""})),
                    delta(0, &json!({"type": "thinking_delta", "thinking": "why"})),
                    delta(0, &json!({"type": "signature_delta", "signature": "EqQB"})),
                    stop(0),
                    start(1, &json!({"type": "text", "text": ""})),
                    json!({"type": "ping"}),
                    delta(1, &json!({"type": "text_delta", "text": "Hi"})),
                    stop(1),
                    start(2, &json!({"type": "tool_use", "id": "a", "name": "f", "input": {}})),
                    delta(2, &json!({"type": "input_json_delta", "partial_json": ""})),
                    delta(2, &json!({"type": "input_json_delta", "partial_json": "{\"a\":1}"})),
                    stop(2),
                    start(3, &json!({"type": "tool_use", "id": "b", "name": "g", "input": {}})),
                    stop(3),
                ],
                "tool_use",
            )
        }
        GEMINI => parts(&[
            json!([{"text": "why", "thought": true}]),
            json!([{"text": "Hi"}]),
            json!([{"functionCall": {"id": "a", "name": "f", "args": {"a": 1}}, "thoughtSignature": "CiQBAAAA"}]),
            json!([{"functionCall": {"id": "b", "name": "g", "args": {}}}]),
        ]),
    }
}

/// The stream in short, without the text of signatures and the frames of no account.
fn told(upstream: Dialect, client: Dialect, bytes: &str) -> Vec<String> {
    let told = Talk::new(upstream, client).told(bytes);
    let short = |line: String| match line.split_once("signature_delta") {
        Some((index, _)) => format!("{index}signature"),
        None => line,
    };
    told.into_iter().map(short).collect()
}

/// P1 to P12: every pair tells the same.
#[test]
fn pairs() {
    // Claude's own thinking ends with its signature; a call of Gemini has one, which comes ahead of it.
    let in_messages = |signed: bool, before_call: bool| {
        let mut lines = vec!["0 thinking ", "0 thinking_delta: why"];
        lines.extend(signed.then_some("0 signature"));
        lines.extend(["0 stop", "1 text ", "1 text_delta: Hi", "1 stop"]);
        if before_call {
            lines.extend(["2 thinking ", "2 signature", "2 stop"]);
            lines.extend(["3 tool_use f", "3 input_json_delta: {\"a\":1}", "3 stop"]);
            lines.extend(["4 tool_use g", "4 input_json_delta: {}", "4 stop"]);
        } else {
            lines.extend(["2 tool_use f", "2 input_json_delta: {\"a\":1}", "2 stop"]);
            lines.extend(["3 tool_use g", "3 input_json_delta: {}", "3 stop"]);
        }
        lines.extend(["tool_use", "message_stop"]);
        lines
    };
    let in_chat = [
        "reasoning_content: why",
        "content: Hi",
        "call 0 f",
        "call 0 {\"a\":1}",
        "call 1 g",
        "call 1 {}",
        "finish tool_calls",
        "[DONE]",
    ];
    let mut faults = Vec::new();
    for upstream in Dialect::ALL {
        for client in Dialect::ALL.into_iter().filter(|client| *client != upstream) {
            let got = told(upstream, client, &stream(upstream));
            let is_well = match client {
                MESSAGES => joined(&got) == joined(&in_messages(upstream == RESPONSES, upstream == GEMINI)),
                CHAT => joined(&got) == joined(&in_chat),
                RESPONSES => {
                    let kinds: Vec<_> = got
                        .iter()
                        .filter(|line| {
                            line.ends_with(" added") || line.contains(".delta: ") || *line == "completed"
                        })
                        .map(String::as_str)
                        .collect();
                    let calls = if upstream == GEMINI { 3 } else { 2 };
                    kinds.contains(&"0 reasoning added")
                        && kinds.contains(&"0 reasoning_summary_text.delta: why")
                        && kinds.contains(&"1 message added")
                        && kinds.contains(&"1 output_text.delta: Hi")
                        && kinds.contains(&&*format!("{calls} function_call added"))
                        && kinds.contains(&&*format!("{} function_call added", calls + 1))
                        && got.iter().any(|line| line.contains("function_call_arguments.done: {\"a\":1}"))
                        && kinds.last() == Some(&"completed")
                }
                GEMINI => {
                    let all = got.join("\n");
                    all.contains(r#"{"text":"why","thought":true}"#)
                        && all.contains(r#""text":"Hi""#)
                        && all.contains(r#""name":"f","args":{"a":1}"#)
                        && all.contains(r#""name":"g","args":{}"#)
                        && got.last().is_some_and(|last| last.contains(r#""finishReason":"STOP""#))
                        // A vendor's seal travels on the first call, or Gemini's word for none.
                        && all.matches("thoughtSignature").count() == 1
                }
            };
            if !is_well {
                faults.push(format!("{upstream:?} to {client:?}\n  {}", got.join("\n  ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Pieces of one thing count as one; which upstream cuts where is not the matter here.
fn joined(lines: &[impl AsRef<str>]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in lines.iter().map(AsRef::as_ref) {
        let rest = |head: &str| line.strip_prefix(head).filter(|rest| !rest.is_empty());
        let tail = ["0 ", "1 ", "2 "].iter().find_map(|index| {
            let head = format!("call {index}");
            rest(&head).filter(|rest| rest.starts_with(['{', ':', '"', '}'])).map(|rest| (head.clone(), rest))
        });
        match (tail, out.last_mut()) {
            (Some((head, rest)), Some(last)) if last.starts_with(&head) => last.push_str(rest),
            _ => out.push(line.to_owned()),
        }
    }
    let merge = |lines: Vec<String>| {
        let mut out: Vec<String> = Vec::new();
        for line in lines {
            let piece = line.split_once("input_json_delta: ");
            match (piece, out.last_mut()) {
                (Some((index, rest)), Some(last))
                    if last.starts_with(&format!("{index}input_json_delta: ")) =>
                {
                    last.push_str(rest);
                }
                _ => out.push(line),
            }
        }
        out
    };
    merge(out)
}

/// What is special to a pair: the upstream's stream, and lines that the client is told (or, behind `!`, is not told).
#[test]
fn special_rows() {
    let event = |kind: &str, at: u8, more: &Value| {
        let mut event = json!({"type": format!("response.{kind}"), "output_index": at, "item_id": "i"});
        more.as_object().unwrap().iter().for_each(|(key, value)| event[key] = value.clone());
        event
    };
    let item =
        |kind: &str, at: u8, item: &Value| event(&format!("output_item.{kind}"), at, &json!({"item": item}));
    let start =
        |at: u8, block: &Value| json!({"type": "content_block_start", "index": at, "content_block": block});
    let delta = |at: u8, delta: &Value| json!({"type": "content_block_delta", "index": at, "delta": delta});
    let stop = |at: u8| json!({"type": "content_block_stop", "index": at});
    let summary = |index: u8, text: &str| {
        event("reasoning_summary_text.delta", 0, &json!({"summary_index": index, "delta": text}))
    };
    let two = json!({"type": "reasoning", "id": "i", "encrypted_content": "gAAAAx",
        "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]});
    let open = json!({"type": "reasoning", "id": "i", "summary": []});
    let two_paragraphs = response(
        &[item("added", 0, &open), summary(0, "a"), summary(1, "b"), item("done", 0, &two)],
        &json!([]),
    );
    let sealed = json!({"type": "reasoning", "id": "i", "summary": [], "encrypted_content": "gAAAAx"});
    let only_seal = response(&[item("added", 0, &open), item("done", 0, &sealed)], &json!([]));
    let refusing = json!({"type": "message", "id": "i", "role": "assistant", "content": []});
    let refusal = response(
        &[
            item("added", 0, &refusing),
            event("refusal.delta", 0, &json!({"content_index": 0, "delta": "no"})),
            item("done", 0, &refusing),
        ],
        &json!([]),
    );
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://e.org"}]}});
    let searched = response(&[item("added", 0, &search), item("done", 0, &search)], &json!([]));
    let picture = json!({"type": "image_generation_call", "id": "i", "status": "completed", "result": "iVBORw0KGgoAAAAA"});
    let drawn = response(&[item("added", 0, &picture), item("done", 0, &picture)], &json!([]));
    let redacted =
        message(&[start(0, &json!({"type": "redacted_thinking", "data": "EqQB"})), stop(0)], "end_turn");
    let server = message(
        &[
            start(
                0,
                &json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}),
            ),
            delta(0, &json!({"type": "input_json_delta", "partial_json": "{\"query\":\"q\"}"})),
            stop(0),
            start(
                1,
                &json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
                {"type": "web_search_result", "url": "https://e.org", "title": "T", "encrypted_content": "e", "page_age": null}]}),
            ),
            stop(1),
            start(2, &json!({"type": "text", "text": ""})),
            delta(2, &json!({"type": "text_delta", "text": "Hi"})),
            stop(2),
        ],
        "end_turn",
    );
    let code = parts(&[
        json!([{"executableCode": {"language": "PYTHON", "code": "1+1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}]),
    ]);
    let inline = parts(&[json!([{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAAAA"}}])]);
    let signed = parts(&[json!([{"text": "Hi"}]), json!([{"text": "", "thoughtSignature": "CiQBAAAA"}])]);
    let failed = deltas(&[json!({"content": "Hi"})])
        + "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"code\":503}}\n\n";
    let declined = deltas(&[json!({"refusal": "no"})]) + &finish("stop") + DONE;
    let rows: &[(&str, Dialect, Dialect, &str, &[&str])] = &[
        ("P1 a failure", CHAT, MESSAGES, &failed, &["1 stop!", "0 stop", "error overloaded_error"]),
        (
            "P2 two paragraphs are one block",
            RESPONSES,
            MESSAGES,
            &two_paragraphs,
            &["0 thinking ", "0 signature", "1 thinking !"],
        ),
        ("P2 a seal alone", RESPONSES, MESSAGES, &only_seal, &["0 thinking ", "0 signature", "0 stop"]),
        ("P2 a refusal", RESPONSES, MESSAGES, &refusal, &["0 text_delta: no", "refusal"]),
        (
            "P2 a search",
            RESPONSES,
            MESSAGES,
            &searched,
            &["0 server_tool_use web_search", "1 web_search_tool_result "],
        ),
        ("P2 a picture", RESPONSES, MESSAGES, &drawn, &["0 text "]),
        ("P3 code", GEMINI, MESSAGES, &code, &["end_turn", "message_stop"]),
        ("P3 a picture", GEMINI, MESSAGES, &inline, &["0 text ", "end_turn"]),
        ("P4 hidden thinking", MESSAGES, CHAT, &redacted, &["finish stop", "[DONE]"]),
        ("P4 a search", MESSAGES, CHAT, &server, &["content: Hi", "finish stop"]),
        ("P5 hidden thinking", MESSAGES, RESPONSES, &redacted, &["0 reasoning added", "0 reasoning done"]),
        (
            "P5 a search",
            MESSAGES,
            RESPONSES,
            &server,
            &[
                "0 web_search_call added",
                "0 web_search_call.in_progress: ",
                "0 web_search_call.completed: ",
                "0 web_search_call done",
                "1 message added",
            ],
        ),
        ("P7 a refusal", CHAT, RESPONSES, &declined, &["0 refusal.delta: no", "completed"]),
        ("P8 two paragraphs", RESPONSES, CHAT, &two_paragraphs, &["reasoning_content: a", "finish stop"]),
        ("P8 a refusal", RESPONSES, CHAT, &refusal, &["refusal: no", "finish stop"]),
        ("P8 a failure", CHAT, RESPONSES, &failed, &["failed"]),
        (
            "P12 a seal on the text",
            GEMINI,
            RESPONSES,
            &signed,
            &["0 message done", "1 reasoning added", "1 reasoning done", "completed"],
        ),
    ];
    let mut faults = Vec::new();
    for (name, upstream, client, bytes, wants) in rows {
        let got = told(*upstream, *client, bytes);
        for want in *wants {
            let is_well = match want.strip_suffix('!') {
                Some(never) => !got.iter().any(|line| line == never),
                None => got.iter().any(|line| line == want),
            };
            if !is_well {
                faults.push(format!("{name}: {want}\n  {}", got.join("\n  ")));
            }
        }
    }
    for (client, place) in [(CHAT, "images"), (GEMINI, "inlineData")] {
        let told = Talk::new(RESPONSES, client).bytes(&drawn);
        if !told.contains(place) || !told.contains("iVBORw0KGgoAAAAA") {
            faults.push(format!("P8, P11 a picture: {told}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A message that begins before a call stands before it, also where its first word comes behind the beginning of the call;
/// and a message that never says a word holds no call back.
#[test]
fn the_order_of_items_is_kept_where_they_overlap() {
    let added =
        |at: u8, item: Value| json!({"type": "response.output_item.added", "output_index": at, "item": item});
    let done =
        |at: u8, item: &Value| json!({"type": "response.output_item.done", "output_index": at, "item": item});
    let call = |at: u8, arguments: &str| {
        json!({"type": "function_call", "id": format!("fc_{at}"), "call_id": format!("c{at}"), "name": "f",
            "arguments": arguments, "status": "completed"})
    };
    let message =
        |content: Value| json!({"type": "message", "id": "msg_1", "role": "assistant", "content": content});
    let arguments = |at: u8| json!({"type": "response.function_call_arguments.delta", "output_index": at, "item_id": format!("fc_{at}"), "delta": "{}"});
    let text = json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "hello"});
    let said = message(json!([{"type": "output_text", "text": "hello", "annotations": []}]));
    let begin = || vec![added(0, message(json!([]))), added(1, call(1, "")), added(2, call(2, ""))];
    let both = [done(1, &call(1, "{}")), done(2, &call(2, "{}"))];
    let output = json!([said, call(1, "{}"), call(2, "{}")]);
    let spoken = &["text", "tool_use", "tool_use"][..];
    for (what, behind, expected) in [
        ("words first", [vec![text.clone(), arguments(1), done(0, &said)], both.to_vec()].concat(), spoken),
        ("words that come whole", [vec![done(0, &said)], both.to_vec()].concat(), spoken),
        ("words at the end", vec![], spoken),
        (
            "arguments first",
            [vec![arguments(2), text, arguments(1)], both.to_vec()].concat(),
            &["tool_use", "tool_use", "text"],
        ),
        ("no words", [vec![done(0, &message(json!([])))], both.to_vec()].concat(), &["tool_use", "tool_use"]),
    ] {
        let is_silent = what == "no words";
        let output = if is_silent {
            json!([message(json!([])), call(1, "{}"), call(2, "{}")])
        } else {
            output.clone()
        };
        let talk = Talk::new(RESPONSES, MESSAGES);
        let frames = talk.frames(&response(&[begin(), behind].concat(), &output));
        let blocks: Vec<_> =
            frames.iter().filter_map(|frame| frame.pointer("/content_block/type")?.as_str()).collect();
        assert_eq!(blocks, expected, "{what}");
        let calls: Vec<_> =
            frames.iter().filter_map(|frame| frame.pointer("/content_block/id")?.as_str()).collect();
        assert_eq!(calls, ["c1", "c2"], "{what}");
    }
}
