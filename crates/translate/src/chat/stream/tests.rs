use super::*;
use crate::ir::{
    CitationPlace, Delta, Fold, Part, PartHead, Response, Source, StopReason, Text, Thinking, ToolCall, Usage,
};

/// The events of a stream of these `data:` lines.
fn streamed(frames: &[&str]) -> Vec<Event> {
    let mut decoder = StreamDecoder::new();
    let mut out = Vec::new();
    for frame in frames {
        decoder.frame(sse::Frame { event: b"", data: frame.as_bytes() }, &mut out);
    }
    decoder.finish(&mut out);
    assert!(decoder.ended());
    assert_eq!(out.iter().filter(|event| matches!(event, Event::End)).count(), 1);
    assert_eq!(out.last(), Some(&Event::End));
    out
}

fn folded(events: Vec<Event>) -> Result<Response, Failure> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

/// A chunk with this delta.
fn delta(json: &str) -> String {
    format!(r#"{{"id":"c","model":"m","choices":[{{"index":0,"delta":{json}}}]}}"#)
}

fn finish(word: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{word}"}}]}}"#)
}

/// The answer to a stream of these deltas, ended by `stop`.
fn answer(deltas: &[&str]) -> Response {
    let mut frames: Vec<_> = deltas.iter().map(|json| delta(json)).collect();
    frames.push(finish("stop"));
    frames.push("[DONE]".to_owned());
    folded(streamed(&frames.iter().map(String::as_str).collect::<Vec<_>>())).unwrap()
}

/// The parts in short: `T` text, `R` reasoning, `C` call, `X` refusal, with their content.
fn short(response: &Response) -> Vec<String> {
    let parts = &response.choices[0].parts;
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => format!("T:{}", text.text),
            Part::Thinking(thinking) => format!("R:{}", thinking.text()),
            Part::ToolCall(call) => format!("C:{}:{}", call.name, call.arguments),
            Part::Refusal(refusal) => format!("X:{}", refusal.text),
            other => format!("{other:?}"),
        })
        .collect()
}

const USAGE: &str = r#"{"prompt_tokens":120,"completion_tokens":40,"total_tokens":160,"prompt_tokens_details":{"cached_tokens":100},"completion_tokens_details":{"reasoning_tokens":10}}"#;

/// One answer with reasoning, text and two calls, as a stream.
fn example_stream() -> Vec<String> {
    let chunk = |delta: &str, finish: &str| {
        format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null}}"#
        )
    };
    vec![
        chunk(r#"{"role":"assistant","content":""}"#, "null"),
        chunk(r#"{"reasoning_content":"Look it up."}"#, "null"),
        chunk(r#"{"content":"Checking."}"#, "null"),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"get_weather","arguments":""}}]}"#,
            "null",
        ),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"#, "null"),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}}]}"#, "null"),
        chunk(
            r#"{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"get_time","arguments":"{\"tz\":\"CET\"}"}}]}"#,
            "null",
        ),
        chunk("{}", r#""tool_calls""#),
        format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{USAGE}}}"#
        ),
        "[DONE]".to_owned(),
    ]
}

/// The same answer whole.
fn example_whole() -> String {
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"Checking.","reasoning_content":"Look it up.","tool_calls":[{{"id":"call_a","type":"function","function":{{"name":"get_weather","arguments":"{{\"city\":\"Oslo\"}}"}}}},{{"id":"call_b","type":"function","function":{{"name":"get_time","arguments":"{{\"tz\":\"CET\"}}"}}}}]}},"logprobs":null,"finish_reason":"tool_calls"}}],"usage":{USAGE}}}"#
    )
}

#[test]
fn the_example_streamed_and_whole_is_the_same_answer() {
    let stream = example_stream();
    let streamed = folded(streamed(&stream.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
    let whole = folded(decode_answer(example_whole().as_bytes()).unwrap()).unwrap();
    assert_eq!(streamed, whole);
    assert_eq!((whole.id.as_deref(), whole.created), (Some("chatcmpl-1"), Some(1)));
    let call = |id: &str, name: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            call_id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            ..ToolCall::default()
        })
    };
    let expected = [
        Part::Thinking(Thinking { summary: vec!["Look it up.".into()], ..Thinking::default() }),
        Part::Text(Text::new("Checking.")),
        call("call_a", "get_weather", r#"{"city":"Oslo"}"#),
        call("call_b", "get_time", r#"{"tz":"CET"}"#),
    ];
    assert_eq!(whole.choices[0].parts, expected);
    assert_eq!(whole.choices[0].stop.as_ref().unwrap().reason, StopReason::ToolCall);
    let usage = Usage {
        input: Some(120),
        cache_read: Some(100),
        output: Some(40),
        reasoning: Some(10),
        ..Usage::default()
    };
    assert_eq!(whole.usage, Some(usage));
}

#[test]
fn the_example_is_told_in_order_and_arguments_are_not_held_back() {
    let stream = example_stream();
    let events = streamed(&stream.iter().map(String::as_str).collect::<Vec<_>>());
    let told: Vec<String> = events
        .iter()
        .map(|event| match event {
            Event::Start(_) => "start".to_owned(),
            Event::PartStart { part, head, .. } => {
                let kind = match head {
                    PartHead::Thinking { .. } => "thinking",
                    PartHead::Text => "text",
                    PartHead::ToolCall { call_id, .. } => call_id,
                    _ => "other",
                };
                format!("+{} {kind}", part.0)
            }
            Event::Delta { part, delta: Delta::Arguments(text) } => format!(".{} {text}", part.0),
            Event::Delta { part, .. } => format!(".{}", part.0),
            Event::PartStop { part, complete, .. } => format!("-{} {complete}", part.0),
            Event::Usage(_) => "usage".to_owned(),
            Event::Finish { choice, .. } => format!("finish {choice}"),
            Event::End => "end".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    let expected = [
        "start",
        "+0 thinking",
        ".0",
        "-0 true",
        "+1 text",
        ".1",
        "-1 true",
        "+2 call_a",
        r#".2 {"city":"#,
        r#".2 "Oslo"}"#,
        "-2 true",
        "+3 call_b",
        r#".3 {"tz":"CET"}"#,
        "usage",
        "-3 true",
        "finish 0",
        "end",
    ];
    assert_eq!(told, expected);
}

#[test]
fn parts_follow_each_other_as_they_were_sent() {
    let tool = |at: u32, id: &str| {
        format!(
            r#"{{"tool_calls":[{{"index":{at},"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}]}}"#
        )
    };
    let (first, second) = (tool(0, "a"), tool(1, "b"));
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("T77", &[r#"{"reasoning":"r"}"#, r#"{"content":"t"}"#], &["R:r", "T:t"]),
        ("both names say the same", &[r#"{"reasoning":"r","reasoning_content":"r"}"#], &["R:r"]),
        ("an empty one is not the one", &[r#"{"reasoning_content":"","reasoning":"r"}"#], &["R:r"]),
        (
            "details",
            &[
                r#"{"reasoning_details":[{"type":"reasoning.text","text":"r"},{"type":"reasoning.summary","summary":"s"}]}"#,
            ],
            &["R:rs"],
        ),
        (
            "text beside details",
            &[r#"{"reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"r"}]}"#],
            &["R:r"],
        ),
        (
            "T12: stray reasoning does not break the text",
            &[r#"{"reasoning":"r"}"#, r#"{"content":"a"}"#, r#"{"reasoning":"s"}"#, r#"{"content":"b"}"#],
            &["R:r", "T:ab"],
        ),
        (
            "stray reasoning before a call is kept",
            &[r#"{"content":"a"}"#, r#"{"reasoning":"s"}"#, &first],
            &["T:a", "R:s", "C:f:{}"],
        ),
        ("T3: text between calls", &[&first, r#"{"content":"\n"}"#, &second], &["C:f:{}", "T:\n", "C:f:{}"]),
        ("tags", &[r#"{"content":"<thi"}"#, r#"{"content":"nk>r</think>\n\nt"}"#], &["R:r", "T:t"]),
        (
            "tags are not looked for beside reasoning",
            &[r#"{"reasoning":"r"}"#, r#"{"content":"<think>t"}"#],
            &["R:r", "T:<think>t"],
        ),
        ("a tag that was begun", &[r#"{"content":"<thi"}"#], &["T:<thi"]),
        (
            "Mistral's list",
            &[
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]}]}"#,
                r#"{"content":[{"type":"text","text":"t"}]}"#,
            ],
            &["R:r", "T:t"],
        ),
        ("refusal", &[r#"{"refusal":"no"}"#, r#"{"refusal":"pe"}"#], &["X:nope"]),
        ("a character in two halves", &[r#"{"content":"\ud83d"}"#, r#"{"content":"\ude42"}"#], &["T:🙂"]),
        ("half a character at the end", &[r#"{"content":"a\ud83d"}"#], &["T:a\u{FFFD}"]),
        (
            "half a character at the end of reasoning, and of the answer",
            &[r#"{"reasoning":"r\ud83d"}"#],
            &["R:r\u{FFFD}"],
        ),
        (
            "halves at the ends of reasoning, text and arguments",
            &[
                r#"{"reasoning":"r\ud83d"}"#,
                r#"{"content":"t\ud83d"}"#,
                r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\"\ud83d"}}]}"#,
            ],
            &["R:r\u{FFFD}", "T:t\u{FFFD}", "C:f:{\"x\":\"\u{FFFD}"],
        ),
        ("T7: no element without a call", &[r#"{"tool_calls":[]}"#, r#"{"tool_calls":null}"#], &[]),
        (
            "T47: no arguments at all",
            &[r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#],
            &["C:f:{}"],
        ),
        (
            "P1: arguments before the name",
            &[
                r#"{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"a\""}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"name":"f"}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#,
            ],
            &[r#"C:f:{"a":1}"#],
        ),
        (
            "legacy",
            &[
                r#"{"function_call":{"name":"f","arguments":"{\"a\""}}"#,
                r#"{"function_call":{"arguments":":1}"}}"#,
            ],
            &[r#"C:f:{"a":1}"#],
        ),
        ("a whole message in a stream", &[], &[]),
        (
            "members of odd types",
            &[r#"{"content":5,"reasoning":{},"tool_calls":{},"refusal":[]}"#, r#"{"content":"t"}"#],
            &["T:t"],
        ),
    ];
    for (what, deltas, expected) in cases {
        assert_eq!(short(&answer(deltas)), *expected, "{what}");
    }
}

#[test]
fn t10_t57_a_missing_id_follows_from_the_answer() {
    let id = |answer_id: &str, name: &str| {
        let frame = format!(
            r#"{{"id":"{answer_id}","choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":{{"name":"{name}","arguments":"{{}}"}}}}]}},"finish_reason":"stop"}}]}}"#
        );
        let response = folded(streamed(&[&frame])).unwrap();
        let Some(Part::ToolCall(call)) = response.choices[0].parts.first() else { panic!() };
        call.call_id.clone()
    };
    assert!(id("c", "f").starts_with("call_"));
    assert_eq!(id("c", "f"), id("c", "f"));
    assert_ne!(id("c", "f"), id("d", "f"));
}

#[test]
fn t13_t15_t18_ends_of_all_kinds() {
    let text = delta(r#"{"content":"a"}"#);
    let stop = finish("stop");
    let cut = delta(r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"a\":"}}]}"#);
    let length = finish("length");
    let named = delta(r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"#);
    let stray = r#"{"choices":[],"usage":null}"#;
    let error = |said: &str| {
        let said = serde_json::Value::from(said);
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":{said}}},"finish_reason":"error_finish"}}]}}"#
        )
    };
    let limited = r#"{"error":{"code":"limit","message":"Requests throttling triggered by TPM"}}"#;
    let cases: &[(&str, &[&str], Result<StopReason, FailureKind>)] = &[
        ("as it should be", &[&text, &stop, "[DONE]"], Ok(StopReason::End)),
        ("no [DONE]", &[&text, &stop], Ok(StopReason::End)),
        ("no finish", &[&text, "[DONE]"], Ok(StopReason::End)),
        ("neither", &[&text], Err(FailureKind::UpstreamTruncated)),
        ("nothing", &[], Err(FailureKind::UpstreamTruncated)),
        ("nothing but the end", &["[DONE]"], Err(FailureKind::UpstreamTruncated)),
        ("no choices", &[stray, "[DONE]"], Err(FailureKind::UpstreamTruncated)),
        ("more behind the end", &[&text, &stop, "[DONE]", "garbage", &text], Ok(StopReason::End)),
        ("T31: an empty answer", &[&stop, "[DONE]"], Ok(StopReason::End)),
        ("T43: a call that was cut", &[&cut, &length, "[DONE]"], Ok(StopReason::Length)),
        ("cut without saying so", &[&cut, "[DONE]"], Ok(StopReason::Length)),
        ("a call cut before its arguments", &[&named, &length], Ok(StopReason::Length)),
        ("T44", &[&named, &stop], Ok(StopReason::ToolCall)),
        ("T45", &[&finish("tool_calls")], Ok(StopReason::End)),
        ("a failing server", &[&text, &finish("error")], Err(FailureKind::Server)),
        ("throttled, in words", &[&text, &error("throttled by TPM")], Err(FailureKind::RateLimit)),
        ("throttled, in JSON", &[&error(limited)], Err(FailureKind::RateLimit)),
        ("something else, in words", &[&error("no idea")], Err(FailureKind::Server)),
        ("a busy server", &[&finish("insufficient_system_resource")], Err(FailureKind::Overloaded)),
        ("an error", &[&text, r#"{"error":{"message":"x","code":503}}"#], Err(FailureKind::Overloaded)),
        ("an error as text", &[r#"{"error":"x"}"#], Err(FailureKind::Server)),
        ("an empty error", &[r#"{"error":null,"choices":[]}"#, &stop], Ok(StopReason::End)),
        ("not JSON", &[&text, "upstream connect error"], Err(FailureKind::Server)),
        ("comments in data lines", &[": PROCESSING", "", &text, &stop], Ok(StopReason::End)),
        ("JSON of another shape", &[r#"{"choices":{}}"#, "[1]", &text, &stop], Ok(StopReason::End)),
    ];
    for (what, frames, expected) in cases {
        let found = folded(streamed(frames))
            .map(|response| response.choices[0].stop.as_ref().unwrap().reason)
            .map_err(|failure| failure.kind);
        assert_eq!(found, *expected, "{what}");
    }
}

#[test]
fn a_call_that_was_cut_is_not_complete() {
    let events = streamed(&[
        &delta(r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"a\":"}}]}"#),
        &finish("length"),
    ]);
    assert!(events.iter().any(|event| matches!(event, Event::PartStop { complete: false, .. })));
    let Some(Part::ToolCall(call)) = folded(events).unwrap().choices.remove(0).parts.pop() else { panic!() };
    assert_eq!((call.arguments.as_str(), call.status.as_deref()), (r#"{"a":"#, Some("incomplete")));
}

#[test]
fn t20_usage_is_found_wherever_it_stands() {
    let text = delta(r#"{"content":"a"}"#);
    let usage = r#"{"prompt_tokens":5,"completion_tokens":7}"#;
    let frames: &[&[&str]] = &[
        &[&format!(r#"{{"choices":[],"usage":{usage}}}"#)],
        &[&format!(r#"{{"usage":{usage}}}"#)],
        &[&format!(r#"{{"choices":[{{"index":0,"delta":{{}},"usage":{usage}}}]}}"#)],
        &[&format!(r#"{{"choices":[],"x_groq":{{"usage":{usage}}}}}"#)],
        &[
            r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#,
            &format!(r#"{{"choices":[],"usage":{usage}}}"#),
        ],
        &[
            &format!(r#"{{"choices":[],"usage":{usage}}}"#),
            r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"#,
        ],
    ];
    for after in frames {
        let mut all = vec![
            text.as_str(),
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
        ];
        all.extend(*after);
        all.push("[DONE]");
        let found = folded(streamed(&all)).unwrap().usage.unwrap();
        assert_eq!((found.input, found.output), (Some(5), Some(7)), "{after:?}");
    }
}

#[test]
fn several_choices_are_kept_apart() {
    let response = folded(streamed(&[
        r#"{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"content":"B"},"finish_reason":"length"}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":99999999999,"delta":{"content":"x"}}]}"#,
    ]))
    .unwrap();
    let told: Vec<_> = response
        .choices
        .iter()
        .map(|choice| (choice.parts.clone(), choice.stop.as_ref().unwrap().reason))
        .collect();
    assert_eq!(
        told,
        [(vec![Part::text("a")], StopReason::End), (vec![Part::text("bB")], StopReason::Length)]
    );
}

#[test]
fn citations_logprobs_images_and_sound() {
    let response = answer(&[
        r#"{"content":"a"}"#,
        r#"{"annotations":[{"type":"url_citation","url_citation":{"url":"https://x","title":"X","start_index":0,"end_index":1}},{"type":"file"}]}"#,
    ]);
    let Part::Text(text) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(text.citations.len(), 1);
    assert_eq!((text.citations[0].title.as_deref(), text.citations[0].end), (Some("X"), Some(1)));

    let response = folded(streamed(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"citations":["https://y"]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"citations":["https://y"]}"#,
    ]))
    .unwrap();
    let Part::Text(text) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(
        text.citations[0].place,
        CitationPlace::Web { url: "https://y".into(), encrypted_index: None }
    );

    let response = folded(streamed(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b"}]},"finish_reason":"stop"}]}"#,
    ]))
    .unwrap();
    let Part::Text(text) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(text.logprobs.as_ref().unwrap().get(), r#"[{"token":"a"},{"token":"b"}]"#);

    let response = answer(&[
        r#"{"content":"a","images":[{"type":"image_url","image_url":{"url":"data:image/gif;base64,AAAA"}}]}"#,
        r#"{"audio":{"id":"s","data":"UklGRg==","transcript":"h"}}"#,
        r#"{"audio":{"data":"AAAA","transcript":"i","expires_at":9}}"#,
    ]);
    let [Part::Text(_), Part::Image(image), Part::Audio(audio)] = response.choices[0].parts.as_slice() else {
        panic!("{response:?}")
    };
    assert_eq!(image.source, Source::Base64 { media_type: "image/gif".into(), data: "AAAA".into() });
    assert_eq!((audio.transcript.as_deref(), audio.expires_at), (Some("hi"), Some(9)));
    assert_eq!(
        audio.source,
        Some(Source::Base64 { media_type: "audio/wav".into(), data: "UklGRgAAAA==".into() })
    );
}

#[test]
fn sealed_details_travel_with_the_reasoning_or_behind_it() {
    let sealed = r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"D"}]}"#;
    for deltas in [
        &[r#"{"reasoning":"r"}"#, sealed, r#"{"content":"t"}"#][..],
        &[r#"{"reasoning":"r"}"#, r#"{"content":"t"}"#, sealed],
        &[sealed, r#"{"content":"t"}"#],
    ] {
        let response = answer(deltas);
        let blobs: Vec<_> = response.choices[0]
            .parts
            .iter()
            .filter_map(
                |part| if let Part::Thinking(thinking) = part { thinking.blob.as_ref() } else { None },
            )
            .collect();
        assert_eq!(blobs.len(), 1, "{deltas:?}");
        assert_eq!(blobs[0].data, r#"[{"type":"reasoning.encrypted","data":"D"}]"#);
    }
}

#[test]
fn the_seal_of_copilot_travels_with_its_reasoning() {
    for deltas in [
        &[r#"{"reasoning_text":"r"}"#, r#"{"reasoning_opaque":"D"}"#, r#"{"content":"t"}"#][..],
        &[
            r#"{"reasoning_text":"r","reasoning_opaque":"old"}"#,
            r#"{"reasoning_opaque":"D"}"#,
            r#"{"content":"t"}"#,
        ],
    ] {
        let response = answer(deltas);
        let Part::Thinking(thinking) = &response.choices[0].parts[0] else { panic!("{response:?}") };
        assert_eq!(thinking.text(), "r", "{deltas:?}");
        assert_eq!(thinking.blob.as_ref().unwrap().data, r#"[{"type":"reasoning.opaque","data":"D"}]"#);
    }
}

#[test]
fn a_thought_signature_is_told_before_the_arguments() {
    let response = answer(&[
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"SIG"}}}]}"#,
    ]);
    let Part::ToolCall(call) = &response.choices[0].parts[0] else { panic!() };
    assert_eq!(call.blob.as_ref().unwrap().data, "SIG");
}

#[test]
fn whole_answers_in_odd_shapes() {
    let cases = [
        (r#"  {"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#, Ok("T:a")),
        (
            r#"{"choices":[{"index":0,"message":{"content":null,"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]}"#,
            Ok("C:f:{}"),
        ),
        (r#"{"choices":[{"message":{"content":"<think>r</think>t"},"finish_reason":""}]}"#, Ok("R:r|T:t")),
        (r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#, Ok("T:a")),
        (r#"{"error":{"message":"no","type":"invalid_request_error"}}"#, Err(FailureKind::BadRequest)),
        (r#"{"error":{"message":"slow","code":429}}"#, Err(FailureKind::RateLimit)),
        (r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#, Err(FailureKind::Server)),
        (r#"{"code":"1302","message":"busy"}"#, Err(FailureKind::RateLimit)),
        (r#"{"detail":"x"}"#, Err(FailureKind::Server)),
        (r#"{"id":"x","choices":[]}"#, Err(FailureKind::Server)),
        ("{}", Err(FailureKind::Server)),
        ("<html>", Err(FailureKind::Server)),
        ("", Err(FailureKind::Server)),
    ];
    for (body, expected) in cases {
        let found = decode_answer(body.as_bytes()).map(|events| short(&folded(events).unwrap()).join("|"));
        let found = found.map_err(|failure| failure.kind);
        assert_eq!(found.as_deref().map_err(|kind| *kind), expected, "{body}");
    }
}

#[test]
fn choices_beyond_what_anybody_asks_for_are_not_kept() {
    let chunk = |index: u64| format!(r#"{{"choices":[{{"index":{index},"delta":{{"content":"x"}}}}]}}"#);
    let frames = [chunk(0), chunk(127), chunk(128), finish("stop"), "[DONE]".to_owned()];
    let events = streamed(&frames.iter().map(String::as_str).collect::<Vec<_>>());
    let begun = events.iter().filter(|event| matches!(event, Event::PartStart { .. })).count();
    assert_eq!(begun, 2);
}
