//! Requests of Chat clients: read and written again they mean the same, with everything that byok does not know.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use byok_translate::{
    Ids, Incoming, chat,
    ir::{MaxTokensSpelling, Part, Request, Tool},
};
use byok_types::{Family, MaxTokensField, ModelFacts};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

fn decoded(body: &[u8]) -> Request {
    chat::decode_request(&Incoming::body(body)).unwrap().value
}

/// Facts of an upstream that takes what this client says: then writing changes nothing.
fn facts(request: &Request, first_party: bool) -> ModelFacts {
    let new = request.max_tokens.is_some_and(|cap| cap.spelling == MaxTokensSpelling::MaxCompletionTokens);
    ModelFacts {
        id: request.model.clone(),
        first_party,
        developer_role: true,
        family: Family::Gemini,
        max_tokens_field: if new { MaxTokensField::MaxCompletionTokens } else { MaxTokensField::MaxTokens },
        ..ModelFacts::default()
    }
}

/// What writing changes on purpose: usage is asked for, and a call stands alone without an empty text beside it.
fn as_written(mut request: Request) -> Request {
    if request.stream {
        request.stream_options.include_usage = Some(true);
    } else {
        request.stream_options = byok_translate::ir::StreamOptions::default();
    }
    request.sampling.stop.retain(|stop| !stop.is_empty());
    for message in &mut request.messages {
        let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        message.parts.retain(|part| !matches!(part, Part::Text(text) if calls && text.text.is_empty()));
        for part in &mut message.parts {
            if let Part::ToolCall(call) = part
                && call.arguments.is_empty()
            {
                "{}".clone_into(&mut call.arguments);
            }
        }
    }
    // `web_search_options` is a field of its own, not an entry of `tools`.
    if request
        .tools
        .iter()
        .all(|tool| matches!(tool, Tool::Hosted(tool) if tool.type_name == "web_search_options"))
    {
        request.tool_choice = None;
        request.parallel_tool_calls = None;
    }
    request
}

fn object(members: Vec<(&str, Option<Value>)>) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn text() -> impl Strategy<Value = String> {
    "[a-z\u{e4}\u{1F642}\"\\\\\n ]{0,8}"
}

fn extra() -> impl Strategy<Value = Option<Value>> {
    option::of(prop_oneof![
        Just(json!({"deep": [1, null, 1e5]})),
        Just(json!("x")),
        Just(json!(12_345_678_901_234_567_890_u64))
    ])
}

fn cache() -> impl Strategy<Value = Option<Value>> {
    option::of(prop_oneof![
        Just(json!({"type": "ephemeral"})),
        Just(json!({"type": "ephemeral", "ttl": "1h", "scope": "x"}))
    ])
}

fn text_part() -> impl Strategy<Value = Value> {
    (text(), cache(), extra()).prop_map(|(text, cache, extra)| {
        object(vec![
            ("type", Some(json!("text"))),
            ("text", Some(json!(text))),
            ("cache_control", cache),
            ("x_unknown", extra),
        ])
    })
}

fn part() -> impl Strategy<Value = Value> {
    let url = prop_oneof![Just("https://x/a.png"), Just("data:image/png;base64,AAAA")];
    let detail = option::of(prop_oneof![Just("low"), Just("high")]);
    let image = (url, detail, extra()).prop_map(|(url, detail, extra)| {
        let target =
            object(vec![("url", Some(json!(url))), ("detail", detail.map(|d| json!(d))), ("y", extra)]);
        json!({"type": "image_url", "image_url": target})
    });
    prop_oneof![
        4 => text_part(),
        2 => image,
        1 => Just(json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})),
        1 => Just(json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}})),
        1 => Just(json!({"type": "file", "file": {"file_id": "f", "z": 1}})),
        1 => Just(json!({"type": "document_url", "document_url": "https://x/a.pdf", "document_name": "n"})),
        1 => Just(json!({"type": "video_url", "video_url": {"url": "https://x/a.mp4"}})),
        1 => Just(json!({"type": "text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}})),
        1 => extra().prop_map(|extra| json!({"type": "never_seen", "value": extra})),
    ]
}

fn content() -> impl Strategy<Value = Value> {
    prop_oneof![text().prop_map(Value::String), vec(part(), 1..4).prop_map(Value::Array)]
}

fn plain_message() -> impl Strategy<Value = Value> {
    let role = prop_oneof![Just("system"), Just("developer"), Just("user")];
    (role, content(), option::of("[a-z_]{1,5}"), extra()).prop_map(|(role, content, name, extra)| {
        object(vec![
            ("role", Some(json!(role))),
            ("content", Some(content)),
            ("name", name.map(Value::String)),
            ("x_unknown", extra),
        ])
    })
}

/// An assistant message, with the results of its calls behind it.
fn turn(first_party: bool) -> impl Strategy<Value = Vec<Value>> {
    let reasoning = prop_oneof![
        Just(vec![]),
        Just(vec![("reasoning_content", json!("r"))]),
        Just(vec![("reasoning", json!("r"))]),
        Just(vec![
            ("reasoning", json!("r")),
            ("reasoning_details", json!([{"type": "reasoning.text", "text": "r"}]))
        ]),
    ];
    let arguments =
        prop_oneof![Just("{}"), Just("{\"a\":1e5,\"b\":12345678901234567890}"), Just(""), Just("{\"cut\":")];
    let call = ("[a-z]{1,4}", "[a-z_]{1,6}", arguments, any::<bool>(), any::<bool>(), extra());
    let thinking = json!({"type": "thinking", "thinking": [{"type": "text", "text": "r"}]});
    let inside = if first_party {
        text_part().boxed()
    } else {
        prop_oneof![3 => text_part(), 1 => Just(thinking)].boxed()
    };
    let content = prop_oneof![text().prop_map(Value::String), vec(inside, 1..4).prop_map(Value::Array)];
    let content = option::of(content);
    let refusal = option::weighted(0.1, Just("no"));
    (reasoning, content, vec(call, 0..3), refusal, extra()).prop_map(
        move |(reasoning, content, calls, refusal, extra)| {
            let mut message = object(vec![
                ("role", Some(json!("assistant"))),
                ("content", content),
                ("refusal", refusal.map(|r| json!(r))),
                ("prefix", extra),
            ]);
            if !first_party {
                for (name, value) in reasoning {
                    message[name] = value;
                }
            }
            let mut messages = Vec::new();
            let mut list = Vec::new();
            for (at, (id, name, arguments, custom, signed, extra)) in calls.into_iter().enumerate() {
                let id = format!("{id}{at}");
                let mut call = if custom && first_party {
                    json!({"id": id, "type": "custom", "custom": {"name": name, "input": "raw \"text\""}})
                } else {
                    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
                };
                if signed {
                    call["extra_content"] = json!({"google": {"thought_signature": "SIG"}});
                }
                if let Some(extra) = extra {
                    call["x_unknown"] = extra;
                }
                list.push(call);
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": "result"}));
            }
            if !list.is_empty() {
                message["tool_calls"] = Value::Array(list);
            }
            messages.insert(0, message);
            messages
        },
    )
}

fn tool(first_party: bool) -> impl Strategy<Value = Value> {
    let schema = prop_oneof![
        Just(json!({"type": "object", "properties": {"b": {}, "a": {"const": 1e5}}})),
        Just(json!({"type": "object"}))
    ];
    let function =
        ("[a-z_]{1,8}", option::of(text()), option::of(schema), option::of(any::<bool>()), cache(), extra())
            .prop_map(|(name, description, schema, strict, cache, extra)| {
                let inner = object(vec![
                    ("name", Some(Value::String(name))),
                    ("description", description.map(Value::String)),
                    ("parameters", schema),
                    ("strict", strict.map(Value::Bool)),
                    ("x_inner", extra.clone()),
                ]);
                object(vec![
                    ("type", Some(json!("function"))),
                    ("function", Some(inner)),
                    ("cache_control", cache),
                    ("x_outer", extra),
                ])
            });
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}});
    let custom =
        json!({"type": "custom", "custom": {"name": "patch", "description": "d", "format": grammar}});
    let hosted = json!({"type": "vendor:web_search", "parameters": {"max_uses": 1}});
    prop_oneof![4 => function, 1 => Just(if first_party { custom } else { hosted.clone() }), 1 => Just(hosted)]
}

fn choice() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("auto")),
        Just(json!("none")),
        Just(json!("required")),
        Just(json!({"type": "function", "function": {"name": "f"}})),
        Just(
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}})
        ),
        Just(json!({"type": "never_seen", "x": 1})),
    ]
}

/// A member of the body that stands for itself.
fn setting() -> impl Strategy<Value = (&'static str, Value)> {
    let all = vec![
        ("stream", json!(true)),
        ("stream_options", json!({"include_obfuscation": false, "x": 1})),
        ("temperature", json!(0.5)),
        ("top_p", json!(1)),
        ("top_k", json!(40)),
        ("frequency_penalty", json!(-0.5)),
        ("presence_penalty", json!(0.5)),
        ("seed", json!(-7)),
        ("logit_bias", json!({"50256": -100})),
        ("logprobs", json!(true)),
        ("top_logprobs", json!(5)),
        ("n", json!(2)),
        ("stop", json!("a")),
        ("stop", json!(["a", "b"])),
        ("max_tokens", json!(100)),
        ("max_completion_tokens", json!(100)),
        ("reasoning_effort", json!("high")),
        ("reasoning_effort", json!("ultra")),
        ("verbosity", json!("low")),
        ("modalities", json!(["text", "audio"])),
        ("audio", json!({"voice": "alloy", "format": "wav"})),
        ("prediction", json!({"type": "content", "content": "x"})),
        ("service_tier", json!("flex")),
        ("metadata", json!({"b": "1", "a": "2"})),
        ("user", json!("u")),
        ("safety_identifier", json!("s")),
        ("store", json!(true)),
        ("prompt_cache_key", json!("k")),
        ("prompt_cache_retention", json!("24h")),
        ("prompt_cache_options", json!({"mode": "explicit"})),
        ("moderation", json!({"model": "m"})),
        ("web_search_options", json!({"search_context_size": "low"})),
        ("parallel_tool_calls", json!(false)),
        ("response_format", json!({"type": "json_object"})),
        (
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"b": 1, "a": 2}, "strict": true, "x": 1}}),
        ),
        ("response_format", json!({"type": "grammar", "grammar": "g"})),
        ("thinking", json!({"type": "enabled"})),
        ("provider", json!({"order": ["a"]})),
        ("chat_template_kwargs", json!({"enable_thinking": true})),
    ];
    prop::sample::select(all)
}

fn body(first_party: bool) -> impl Strategy<Value = Value> {
    let messages = vec(prop_oneof![plain_message().prop_map(|m| vec![m]), turn(first_party)], 1..6);
    (messages, vec(tool(first_party), 0..4), option::of(choice()), vec(setting(), 0..8)).prop_map(
        |(messages, tools, choice, settings)| {
            let mut body = json!({"model": "m", "messages": messages.concat()});
            if !tools.is_empty() {
                body["tools"] = Value::Array(unique(tools));
            }
            if let Some(choice) = choice {
                body["tool_choice"] = choice;
            }
            for (name, value) in settings {
                body[name] = value;
            }
            body
        },
    )
}

/// Only the first tool of a name is sent.
fn unique(tools: Vec<Value>) -> Vec<Value> {
    let mut seen = std::collections::HashSet::new();
    let name = |tool: &Value| {
        let inner = tool.get("function").or(tool.get("custom"));
        inner.map(|inner| inner["name"].to_string())
    };
    tools.into_iter().filter(|tool| name(tool).is_none_or(|name| seen.insert(name))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn read_and_written_again_means_the_same(
        (first_party, body) in any::<bool>().prop_flat_map(|first_party| (Just(first_party), body(first_party))),
    ) {
        let request = decoded(&serde_json::to_vec(&body).unwrap());
        let written = chat::encode_request(&request, &facts(&request, first_party), &mut Ids::new("s")).unwrap();
        let again = decoded(&written.value);
        prop_assert_eq!(as_written(again), as_written(request), "{}", String::from_utf8_lossy(&written.value));
        prop_assert!(written.losses.is_empty(), "{:?}", written.losses);
    }

    #[test]
    fn no_body_makes_the_reader_panic(body in vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9]{0,80}") {
        let _ = chat::decode_request(&Incoming::body(&body));
        let _ = chat::decode_request(&Incoming::body(text.as_bytes()));
        let _ = chat::decode_answer(&body);
        let _ = chat::decode_failure(400, text.as_bytes());
        let _ = chat::decode_models(text.as_bytes());
    }
}
