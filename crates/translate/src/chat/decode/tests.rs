use super::*;
use crate::ir::{Flavour, Part, Role, Source, Tool};
use byok_types::Effort;

/// A question about what was read.
type Check<T> = fn(&T) -> bool;

fn decoded(body: &str) -> Request {
    decode_request(&Incoming::body(body.as_bytes())).unwrap().value
}

fn message(json: &str) -> Vec<Part> {
    let body = format!(r#"{{"model":"m","messages":[{json}]}}"#);
    decoded(&body).messages.remove(0).parts
}

fn user(content: &str) -> Vec<Part> {
    message(&format!(r#"{{"role":"user","content":{content}}}"#))
}

#[test]
fn the_simplest_request() {
    let request = decoded(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
    let mut expected = Request::new(Dialect::Chat, "m");
    expected.messages.push(crate::ir::Message::new(Role::User, vec![Part::text("hi")]));
    assert_eq!(request, expected);
}

#[test]
fn errors_name_the_field_and_what_to_do() {
    for (body, param, says) in [
        ("{", "body", "not valid JSON"),
        ("[]", "body", "has the wrong form"),
        (r#"{"messages":[{"role":"user","content":"x"}]}"#, "model", "name the model"),
        (r#"{"model":"m"}"#, "messages", "at least one message"),
        (r#"{"model":"m","messages":[]}"#, "messages", "at least one message"),
        (r#"{"model":"m","messages":[{"role":"robot","content":"x"}]}"#, "messages[0].role", "use `system`"),
        (r#"{"model":"m","messages":[{"content":"x"}]}"#, "messages[0].role", "is missing"),
        (
            r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
            "messages[0].content",
            "a string or a list",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[7]}]}"#,
            "messages[0].content[0]",
            "must be an object",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            "messages[0].content[0]",
            "send an address",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":5}]}]}"#,
            "messages[0].content[0].text",
            "has the wrong form",
        ),
        (
            r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].tool_call_id",
            "repeat the `id`",
        ),
        (
            r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{}}]}]}"#,
            "messages[0].tool_calls[0].function.name",
            "name the tool",
        ),
        (
            r#"{"model":"m","temperature":"hot","messages":[{"role":"user"}]}"#,
            "temperature",
            "has the wrong form",
        ),
        (
            r#"{"model":"m","tools":[{"type":"function","function":{}}],"messages":[{"role":"user"}]}"#,
            "tools[0].function.name",
            "a name",
        ),
        (r#"{"model":"m","tool_choice":"maybe","messages":[{"role":"user"}]}"#, "tool_choice", "use `auto`"),
    ] {
        let failure = decode_request(&Incoming::body(body.as_bytes())).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some(param), "{body}");
        assert!(failure.message.contains(says), "{body}: {}", failure.message);
        assert_eq!(failure.status, 400, "{body}");
    }
}

#[test]
fn both_spellings_and_missing_members_are_taken() {
    let base = r#""model":"m","messages":[{"role":"user","content":"x"}]"#;
    let cases: &[(&str, Check<Request>)] = &[
        (r#""max_tokens":5"#, |r| r.max_tokens == max_tokens(None, Some(5))),
        (r#""max_completion_tokens":5,"max_tokens":7"#, |r| r.max_tokens == max_tokens(Some(5), Some(7))),
        (r#""stop":"a""#, |r| r.sampling.stop == ["a"]),
        (r#""stop":["a","b"]"#, |r| r.sampling.stop == ["a", "b"]),
        (r#""stop":null,"temperature":null,"tools":null"#, |r| {
            r.sampling.stop.is_empty() && r.tools.is_empty()
        }),
        (r#""reasoning_effort":"xhigh""#, |r| r.reasoning.effort == Some(Effort::Xhigh)),
        (r#""reasoning_effort":"ultra""#, |r| r.extra.get(Dialect::Chat, "reasoning_effort").is_some()),
        (r#""thinking":{"type":"enabled"}"#, |r| r.extra.get(Dialect::Chat, "thinking").is_some()),
        (r#""tool_choice":"any""#, |r| r.tool_choice == Some(ToolChoice::Required)),
        (r#""function_call":"none""#, |r| r.tool_choice == Some(ToolChoice::None)),
        (r#""modalities":["TEXT","audio"]"#, |r| r.modalities == ["text", "audio"]),
        (r#""response_format":{"type":"text"}"#, |r| r.output_format == OutputFormat::Text),
        (r#""response_format":{"type":"grammar","grammar":"x"}"#, |r| {
            matches!(r.output_format, OutputFormat::Opaque(_))
        }),
        (r#""metadata":{"b":"1","a":"2"}"#, |r| r.metadata.iter().map(|(k, _)| k.as_str()).eq(["b", "a"])),
        (r#""seed":9007199254740993"#, |r| r.sampling.seed == Some(9_007_199_254_740_993)),
    ];
    for (members, holds) in cases {
        let request = decoded(&format!("{{{base},{members}}}"));
        assert!(holds(&request), "{members}: {request:?}");
    }
}

#[test]
fn t50_tools_are_read_by_their_shape() {
    let names = |body: &str| -> Vec<(Flavour, String)> {
        let request = decoded(&format!(r#"{{"model":"m","messages":[{{"role":"user"}}],"tools":[{body}]}}"#));
        let read = |tool: &Tool| match tool {
            Tool::Function(tool) => Some((Flavour::Function, tool.name.clone())),
            Tool::Custom(tool) => Some((Flavour::Custom, tool.name.clone())),
            _ => None,
        };
        request.tools.iter().filter_map(read).collect()
    };
    for (body, flavour) in [
        (r#"{"type":"function","function":{"name":"f","parameters":{}}}"#, Flavour::Function),
        (r#"{"function":{"name":"f"}}"#, Flavour::Function),
        (r#"{"type":"function","name":"f","parameters":{},"strict":false}"#, Flavour::Function),
        (r#"{"name":"f","input_schema":{"type":"object"}}"#, Flavour::Function),
        (r#"{"type":"custom","name":"f"}"#, Flavour::Custom),
        (r#"{"type":"custom","custom":{"name":"f"}}"#, Flavour::Custom),
    ] {
        assert_eq!(names(body), [(flavour, "f".to_owned())], "{body}");
    }
    assert!(names(r#"{"type":"openrouter:web_search","parameters":{}}"#).is_empty());
}

#[test]
fn the_grammar_of_a_custom_tool_is_found_in_both_nestings() {
    for body in [
        r#"{"type":"custom","custom":{"name":"f","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"d"}}}}"#,
        r#"{"type":"custom","name":"f","format":{"type":"grammar","syntax":"lark","definition":"d"}}"#,
    ] {
        let request = decoded(&format!(r#"{{"model":"m","messages":[{{"role":"user"}}],"tools":[{body}]}}"#));
        let Tool::Custom(tool) = &request.tools[0] else { panic!("{body}") };
        let expected =
            crate::ir::CustomFormat::Grammar { syntax: "lark".to_owned(), definition: "d".to_owned() };
        assert_eq!(tool.format, expected, "{body}");
    }
}

#[test]
fn the_old_functions_are_tools_and_their_results_find_their_calls() {
    let request = decoded(
        r#"{"model":"m","functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"},"messages":[
            {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
            {"role":"function","name":"f","content":"r"}]}"#,
    );
    assert!(matches!(&request.tools[0], Tool::Function(tool) if tool.name == "f"));
    assert!(request.old_functions, "calls go back as they were then");
    let both = r#"{"model":"m","messages":[{"role":"user","content":"x"}],"functions":[{"name":"f"}],
        "tools":[{"type":"function","function":{"name":"g"}}]}"#;
    assert!(!decoded(both).old_functions, "who knows tools reads their calls");
    assert!(matches!(&request.tool_choice, Some(ToolChoice::Named(tool)) if tool.name == "f"));
    let Part::ToolCall(call) = &request.messages[0].parts[0] else { panic!() };
    let Part::ToolResult(result) = &request.messages[1].parts[0] else { panic!() };
    assert_eq!(call.call_id, result.call_id);
    assert!(call.call_id.starts_with("call_"));
}

#[test]
fn a_call_that_stands_in_the_content_too_is_one_call() {
    for (block, ids) in [
        (r#"{"type":"tool_use","id":"a","name":"f","input":{"x":1,"y":2}}"#, &["a"][..]),
        (r#"{"type":"tool_use","id":"b","name":"f","input":{"x":1,"y":2}}"#, &["b", "a"]),
        (r#"{"type":"tool_use","id":"a","name":"g","input":{"x":1,"y":2}}"#, &["a", "a"]),
        (r#"{"type":"tool_use","id":"a","name":"f","input":{"x":1}}"#, &["a", "a"]),
    ] {
        let request = decoded(&format!(
            r#"{{"model":"m","messages":[{{"role":"assistant","content":[{{"type":"text","text":"t"}},{block}],
                "tool_calls":[{{"id":"a","type":"function","function":{{"name":"f","arguments":"{{\"y\":2,\"x\":1}}"}}}}]}}]}}"#,
        ));
        let calls = request.messages[0].parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.call_id.as_str()),
            _ => None,
        });
        assert_eq!(calls.collect::<Vec<_>>(), ids, "{block}");
        assert_eq!(request.messages[0].parts[0], Part::text("t"));
    }
}

#[test]
fn results_without_an_id_answer_the_calls_in_order() {
    for (id, answered) in [("", ""), (r#""id":"","#, r#","tool_call_id":"""#)] {
        in_order(id, answered);
    }
}

fn in_order(id: &str, answered: &str) {
    let request = decoded(&format!(
        r#"{{"model":"m","messages":[
            {{"role":"assistant","tool_calls":[{{"id":"a","function":{{"name":"f","arguments":{{}}}}}},{{{id}"function":{{"name":"g","arguments":{{"x":1}}}}}}]}},
            {{"role":"tool","content":"1"}},{{"role":"tool","content":"2"{answered}}}]}}"#,
    ));
    let calls: Vec<_> = request.messages[0]
        .parts
        .iter()
        .filter_map(|part| if let Part::ToolCall(call) = part { Some(call) } else { None })
        .collect();
    assert_eq!((calls[0].arguments.as_str(), calls[1].arguments.as_str()), ("{}", r#"{"x":1}"#));
    for (at, call) in calls.iter().enumerate() {
        let Part::ToolResult(result) = &request.messages[at + 1].parts[0] else { panic!() };
        assert_eq!(result.call_id, call.call_id);
    }
}

#[test]
fn parts_of_every_kind_are_recognised() {
    let cases: &[(&str, Check<Part>)] = &[
        (r#""a""#, |p| *p == Part::text("a")),
        (r#"{"type":"text","text":"a","image_url":null}"#, |p| *p == Part::text("a")),
        (r#"{"text":"a"}"#, |p| *p == Part::text("a")),
        (r#"{"type":"input_text","text":"a"}"#, |p| *p == Part::text("a")),
        (
            r#"{"type":"image_url","image_url":"https://x/a.png"}"#,
            |p| matches!(p, Part::Image(i) if matches!(&i.source, Source::Url { url, .. } if url == "https://x/a.png")),
        ),
        (r#"{"type":"image_url","image_url":{"url":"data:image/gif;base64,AAAA","detail":"low"}}"#, |p| {
            matches!(p, Part::Image(i) if i.detail.as_deref() == Some("low")
                && i.source == Source::Base64 { media_type: "image/gif".into(), data: "AAAA".into() })
        }),
        (
            r#"{"type":"input_image","image_url":"https://x/a.png","detail":"high"}"#,
            |p| matches!(p, Part::Image(i) if i.detail.as_deref() == Some("high")),
        ),
        (
            r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}}"#,
            |p| matches!(p, Part::Audio(a) if a.source == Some(Source::Base64 { media_type: "audio/mpeg".into(), data: "AAAA".into() })),
        ),
        (r#"{"type":"video_url","video_url":{"url":"https://x/a.mp4"}}"#, |p| matches!(p, Part::Video(_))),
        (
            r#"{"type":"file","file":{"file_id":"f1"}}"#,
            |p| matches!(p, Part::Document(d) if d.source == Source::FileId("f1".into())),
        ),
        (
            r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}}"#,
            |p| matches!(p, Part::Document(d) if matches!(&d.source, Source::Base64 { media_type, .. } if media_type == "application/pdf")),
        ),
        (
            r#"{"type":"file","file":{"filename":"a.pdf","file_data":"AAAA"}}"#,
            |p| matches!(p, Part::Document(d) if matches!(&d.source, Source::Base64 { media_type, .. } if media_type == "application/pdf")),
        ),
        (
            r#"{"type":"document_url","document_url":"https://x/a.pdf"}"#,
            |p| matches!(p, Part::Document(d) if matches!(&d.source, Source::Url { .. })),
        ),
        (r#"{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"AAAA"}}"#, |p| {
            matches!(p, Part::Image(_))
        }),
        (
            r#"{"type":"something_new","x":[1]}"#,
            |p| matches!(p, Part::Opaque(o) if o.json.get() == r#"{"type":"something_new","x":[1]}"#),
        ),
    ];
    for (json, holds) in cases {
        let parts = user(&format!("[{json}]"));
        assert!(holds(&parts[0]), "{json}: {parts:?}");
    }
}

#[test]
fn cache_markers_of_both_kinds_and_of_whole_messages_are_kept() {
    for content in [
        r#"{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit","ttl":"1h"}}]}"#,
        r#"{"role":"user","content":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}"#,
    ] {
        let parts = message(content);
        let Part::Text(text) = &parts[0] else { panic!("{content}") };
        assert_eq!(text.cache.as_ref().and_then(|hint| hint.ttl.as_deref()), Some("1h"), "{content}");
    }
}

#[test]
fn reasoning_and_blocks_of_other_dialects_in_assistant_messages() {
    let parts = message(
        r#"{"role":"assistant","reasoning_content":"r","content":[{"type":"text","text":"t"},{"type":"tool_use","id":"c","name":"f","input":{"a":1}}]}"#,
    );
    let [Part::Thinking(thinking), Part::Text(text), Part::ToolCall(call)] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    assert_eq!((thinking.text().as_str(), text.text.as_str()), ("r", "t"));
    assert_eq!((call.call_id.as_str(), call.arguments.as_str()), ("c", r#"{"a":1}"#));

    for json in [
        r#"{"role":"assistant","reasoning":"r","content":"t"}"#,
        r#"{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"r"}],"content":"t"}"#,
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"t"}]}"#,
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":"r","signature":"s"},{"type":"text","text":"t"}]}"#,
    ] {
        let parts = message(json);
        assert!(matches!(&parts[0], Part::Thinking(thinking) if thinking.text() == "r"), "{json}: {parts:?}");
    }
}

#[test]
fn a_thought_signature_comes_back_with_its_call() {
    let parts = message(
        r#"{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"SIG"}}}]}"#,
    );
    let Part::ToolCall(call) = &parts[0] else { panic!() };
    let blob = call.blob.as_ref().unwrap();
    assert_eq!((blob.family, blob.data.as_str()), (byok_types::Family::Gemini, "SIG"));
}
