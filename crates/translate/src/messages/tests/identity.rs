//! Decode and encode in this dialect change nothing that matters.

use super::*;
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, json};

fn object(pairs: Vec<(&str, Value)>) -> Value {
    Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>())
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z\u{e4}\u{1F642}\u{2028}\"\\\\ ]{0,5}[a-z]"
}

/// Unknown members and cache markers, on any object.
fn decorated(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (inner, option::weighted(0.2, word())).prop_map(|(mut value, unknown)| {
        if let (Some(unknown), Some(map)) = (unknown, value.as_object_mut()) {
            map.insert("x_unknown".into(), json!({"n": 12_345_678_901_234_567_890_u64, "s": unknown}));
        }
        value
    })
}

fn text_block() -> impl Strategy<Value = Value> {
    decorated(word().prop_map(|text| json!({"type": "text", "text": text})))
}

fn user_block() -> impl Strategy<Value = Value> {
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}});
    let document = json!({"type": "document", "title": "t", "context": "c", "citations": {"enabled": true},
        "source": {"type": "content", "content": [{"type": "text", "text": "d"}]}});
    let search = json!({"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "r"}]});
    prop_oneof![
        6 => text_block(),
        1 => decorated(Just(image)),
        1 => decorated(Just(json!({"type": "image", "source": {"type": "url", "url": "https://e.org/a"}}))),
        1 => decorated(Just(json!({"type": "document", "source": {"type": "file", "file_id": "f"}}))),
        1 => decorated(Just(document)),
        1 => decorated(Just(search)),
        1 => decorated(Just(json!({"type": "container_upload", "file_id": "f"}))),
        1 => Just(json!({"type": "tool_removal", "tool": {"type": "tool_reference", "name": "f"}})),
        1 => word().prop_map(|w| json!({"kind": w, "type": "block_of_tomorrow", "text": {"deep": [1, 2.5e3]}})),
    ]
}

fn assistant_block() -> impl Strategy<Value = Value> {
    let cited = json!({"type": "text", "text": "t", "citations": [{"type": "char_location", "cited_text": "c",
        "document_index": 0, "document_title": null, "start_char_index": 0, "end_char_index": 1}]});
    prop_oneof![
        4 => text_block(),
        1 => word().prop_map(|w| json!({"type": "thinking", "thinking": w, "signature": "EqQB"})),
        1 => Just(json!({"type": "redacted_thinking", "data": "EqQC"})),
        1 => Just(cited),
        1 => Just(json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}})),
        1 => Just(json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
            {"type": "web_search_result", "url": "u", "title": "t", "encrypted_content": "e", "page_age": null}]})),
        1 => Just(json!({"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}})),
        1 => Just(json!({"type": "compaction", "content": "summary"})),
    ]
}

/// An assistant turn with calls and the user turn that answers them.
fn calls() -> impl Strategy<Value = Vec<Value>> {
    let content = prop_oneof![
        word().prop_map(Value::from),
        vec(user_block(), 1..3).prop_map(|blocks| blocks
            .into_iter()
            .filter(|b| matches!(b["type"].as_str(), Some("text" | "image" | "search_result")))
            // A single text is written as a string, which means the same.
            .chain([json!({"type": "text", "text": "end"}), json!({"type": "text", "text": "of it"})])
            .collect()),
    ];
    (vec(content, 1..3), vec(assistant_block(), 0..2), any::<bool>()).prop_map(
        |(contents, mut blocks, failed)| {
            let mut results = Vec::new();
            for (index, content) in contents.into_iter().enumerate() {
                let id = format!("toolu_{index}");
                blocks.push(json!({"type": "tool_use", "id": id, "name": "f", "input": {"a": 1e5},
                "caller": {"type": "direct"}}));
                let content = if failed { Value::from("failed") } else { content };
                results.push(
                    json!({"type": "tool_result", "tool_use_id": id, "content": content, "is_error": failed}),
                );
            }
            vec![json!({"role": "assistant", "content": blocks}), json!({"role": "user", "content": results})]
        },
    )
}

fn messages() -> impl Strategy<Value = Value> {
    let plain = (vec(assistant_block(), 1..4), vec(user_block(), 1..4)).prop_map(|(assistant, user)| {
        vec![json!({"role": "assistant", "content": assistant}), json!({"role": "user", "content": user})]
    });
    let system = (word(), vec(assistant_block(), 1..2), vec(user_block(), 1..2)).prop_map(|(w, a, u)| {
        vec![
            json!({"role": "system", "content": [{"type": "text", "text": w}]}),
            json!({"role": "assistant", "content": a}),
            json!({"role": "user", "content": u}),
        ]
    });
    let rounds = vec(prop_oneof![2 => plain, 2 => calls(), 1 => system], 0..4);
    (
        decorated(vec(user_block(), 1..4).prop_map(|content| json!({"role": "user", "content": content}))),
        rounds,
    )
        .prop_map(|(first, rounds)| std::iter::once(first).chain(rounds.into_iter().flatten()).collect())
}

fn tool() -> impl Strategy<Value = Value> {
    prop_oneof![
        decorated(Just(json!({"name": "f", "description": "d", "strict": true,
            "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}))),
        decorated(Just(json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 3}))),
        decorated(Just(json!({"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}))),
    ]
}

fn request() -> impl Strategy<Value = Value> {
    let thinking = prop_oneof![
        Just(json!({"type": "adaptive", "display": "summarized"})),
        Just(json!({"type": "disabled"})),
        Just(json!({"type": "between_tools"})),
        Just(json!({"type": "mode_of_tomorrow", "level": 3})),
    ];
    let output = prop_oneof![
        Just(json!({"effort": "high"})),
        Just(json!({"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "max"})),
        Just(json!({"task_budget": {"type": "tokens", "total": 5}})),
    ];
    let choice = prop_oneof![
        Just(json!({"type": "auto", "disable_parallel_tool_use": true})),
        Just(json!({"type": "any"})),
        Just(json!({"type": "none"})),
    ];
    (
        messages(),
        option::of(vec(text_block(), 1..3)),
        option::of((vec(tool(), 1..2), option::of(choice))),
        option::of(thinking),
        option::of(output),
        option::of(prop_oneof![Just(("temperature", json!(0.5))), Just(("top_k", json!(5)))]),
        any::<[bool; 8]>(),
    )
        .prop_map(|(messages, system, tools, thinking, output, sampling, flags)| {
            let mut pairs =
                vec![("model", json!("claude-test")), ("max_tokens", json!(99)), ("messages", messages)];
            pairs.extend(system.map(|s| ("system", Value::from(s))));
            if let Some((tools, choice)) = tools {
                pairs.push(("tools", tools.into()));
                pairs.extend(choice.map(|choice| ("tool_choice", choice)));
            }
            let is_on = thinking
                .as_ref()
                .is_some_and(|t| matches!(t["type"].as_str(), Some("adaptive" | "between_tools")));
            pairs.extend(thinking.map(|t| ("thinking", t)));
            pairs.extend(output.map(|o| ("output_config", o)));
            pairs.extend(sampling.filter(|_| !is_on));
            let further = [
                ("stream", json!(true)),
                ("stop_sequences", json!(["a", "b"])),
                ("metadata", json!({"user_id": "u", "trace": 1})),
                ("cache_control", json!({"type": "ephemeral", "ttl": "1h"})),
                ("service_tier", json!("auto")),
                ("speed", json!("fast")),
                ("container", json!({"id": "c"})),
                ("context_management", json!({"edits": []})),
            ];
            pairs.extend(further.into_iter().zip(flags).filter(|(_, on)| *on).map(|(pair, _)| pair));
            pairs.push(("mcp_servers", json!([{"name": "s"}])));
            object(pairs)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_comes_back_as_it_was(sent in request()) {
        let request = decoded(&sent.to_string());
        let (body, losses) = encoded(&request, &claude());
        prop_assert_eq!(&body, &sent);
        prop_assert_eq!(losses, vec![]);
    }

    #[test]
    fn any_json_is_read_or_refused_by_name(noise in "\\PC{0,20}", sent in request(), at in 0..400usize) {
        let mut text = sent.to_string();
        let at = (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.insert_str(at, &noise);
        if let Err(failure) = decode_request(&Incoming::body(text.as_bytes())) {
            prop_assert!(failure.param.is_some() && failure.status == 400);
        }
    }
}

#[test]
fn faults_are_named_in_the_callers_words() {
    let base = r#""model":"m","max_tokens":9"#;
    let cases = [
        (r#"{"messages":[]}"#.to_owned(), "model"),
        (format!("{{{base}}}"), "messages"),
        (format!(r#"{{{base},"messages":[{{"role":"tool","content":"x"}}]}}"#), "messages[0].role"),
        (format!(r#"{{{base},"messages":[{{"role":"user"}}]}}"#), "messages[0].content"),
        (format!(r#"{{{base},"messages":[{{"role":"user","content":5}}]}}"#), "messages[0].content"),
        (
            format!(r#"{{{base},"messages":[{{"role":"user","content":[{{"type":"text","text":5}}]}}]}}"#),
            "messages[0].content[0].text",
        ),
        (
            format!(r#"{{{base},"messages":[{{"role":"user","content":[{{"text":5,"type":"text"}}]}}]}}"#),
            "messages[0].content[0].text",
        ),
        (
            format!(r#"{{{base},"messages":[{{"role":"user","content":[{{"type":"image"}}]}}]}}"#),
            "messages[0].content[0].source",
        ),
        (
            format!(
                r#"{{{base},"messages":[{{"role":"user","content":[{{"type":"tool_result","content":"x"}}]}}]}}"#
            ),
            "messages[0].content[0].tool_use_id",
        ),
        (format!(r#"{{{base},"messages":[],"tools":[{{"description":"d"}}]}}"#), "tools[0].name"),
        (format!(r#"{{{base},"messages":[],"tool_choice":{{"type":"tool"}}}}"#), "tool_choice.name"),
        (
            format!(r#"{{{base},"messages":[],"thinking":{{"type":"enabled","budget_tokens":"x"}}}}"#),
            "thinking.budget_tokens",
        ),
        ("{".to_owned(), "body"),
    ];
    for (body, field) in cases {
        let failure = decode_request(&Incoming::body(body.as_bytes())).unwrap_err();
        assert_eq!(
            (failure.status, failure.param.as_deref()),
            (400, Some(field)),
            "{body}: {}",
            failure.message
        );
    }
}

#[test]
fn carriers_are_told_from_signatures() {
    let body = |signature: &str| {
        format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"assistant","content":[
            {{"type":"thinking","thinking":"t","signature":"{signature}"}}]}}]}}"#
        )
    };
    let family = |signature: &str| match &decoded(&body(signature)).messages[0].parts[0] {
        Part::Thinking(thinking) => thinking.blob.as_ref().map(|blob| blob.family),
        other => panic!("{other:?}"),
    };
    assert_eq!(family("EqQB"), Some(Family::Claude));
    assert_eq!(family("byok1:openai::QUJD"), Some(Family::Openai));
    assert_eq!(family(""), None);
}
