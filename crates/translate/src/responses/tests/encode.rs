use super::*;
use crate::ir::{Message, Part, Role};
use byok_types::Dialect;
use serde_json::json;

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

#[test]
fn t33_t37_t38_turns_become_items_in_the_order_that_vendors_take() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let written_call =
        |id: &str| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
    let output =
        |id: &str, text: &str| json!({"type": "function_call_output", "call_id": id, "output": text});
    let said = |text: &str| json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text, "annotations": []}]});
    for (name, messages, expected) in [
        (
            "no message before calls that come without text",
            json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [call("a")]}, {"role": "tool", "tool_call_id": "a", "content": "1"}]),
            json!([user("q"), written_call("a"), output("a", "1")]),
        ),
        (
            "text stays before its calls, results follow all of them",
            json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "x", "tool_calls": [call("a"), call("b")]}, {"role": "tool", "tool_call_id": "b", "content": "2"}, {"role": "tool", "tool_call_id": "a", "content": "1"}]),
            json!([
                user("q"),
                said("x"),
                written_call("a"),
                written_call("b"),
                output("a", "1"),
                output("b", "2")
            ]),
        ),
        (
            "T42: the last of two results",
            json!([{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call("a")]}, {"role": "tool", "tool_call_id": "a", "content": "1"}, {"role": "tool", "tool_call_id": "a", "content": "2"}]),
            json!([user("q"), written_call("a"), output("a", "2")]),
        ),
        (
            "T82: instructions in the middle keep their place and role",
            json!([{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "system", "content": "m"}, {"role": "developer", "content": "d"}]),
            json!([user("q"),
                {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "m"}]},
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "d"}]}]),
        ),
        ("T84: instructions alone", json!([{"role": "system", "content": "s"}]), json!([user(".")])),
    ] {
        let written = encode(&from_chat(&json!({"model": "m", "messages": messages})));
        assert_eq!(written["input"], expected, "{name}");
    }
}

#[test]
fn t62_results_without_calls_become_text_and_calls_without_results_are_answered() {
    let request = from_messages(&json!({"model": "m", "max_tokens": 100, "messages": [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "gone", "content": "x"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"k": 1}}]},
        {"role": "user", "content": "next"}
    ]}));
    let written = encode(&request);
    let kinds: Vec<_> =
        written["input"].as_array().unwrap().iter().map(|i| i["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "function_call", "function_call_output", "message"]);
    assert_eq!(written["input"][2]["output"], "Error: [no result was recorded]");
}

#[test]
fn t39_t88_results_with_pictures_are_lists_and_files_have_names() {
    let png = "iVBORw0KGgoAAAAA";
    let request = from_messages(&json!({"model": "m", "max_tokens": 100, "messages": [
        {"role": "user", "content": [
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
            {"type": "document", "title": "Notes", "source": {"type": "text", "media_type": "text/plain", "data": "n"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}}
        ]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": [
            {"type": "text", "text": "t"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}}
        ]}]}
    ]}));
    let written = encode(&request);
    let image = json!({"type": "input_image", "image_url": format!("data:image/png;base64,{png}")});
    assert_eq!(
        written["input"][0]["content"],
        json!([
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            {"type": "input_text", "text": "Notes\n\nn"},
            image
        ])
    );
    assert_eq!(
        written["input"][2]["output"],
        json!([{"type": "input_text", "text": "Error:"}, {"type": "input_text", "text": "t"}, image])
    );
}

#[test]
fn t56_long_call_ids_are_shortened_alike_for_call_and_result() {
    let id = "x".repeat(90);
    let request = from_chat(&json!({"model": "m", "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": id, "content": "1"}
    ]}));
    let written = encode(&request);
    let short = written["input"][1]["call_id"].as_str().unwrap();
    assert_eq!(short.len(), 64);
    assert!(short.starts_with(&format!("{}_", "x".repeat(39))) && short != &id[..64], "{short}");
    assert_eq!(written["input"][2]["call_id"], short);
    assert_eq!(encode(&request), written);
    for (length, kept) in [(64, true), (65, false)] {
        let id = "y".repeat(length);
        let call = json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
        let body = json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}]});
        assert_eq!(encode(&from_chat(&body))["input"][0]["call_id"] == *id, kept, "{length}");
    }
}

#[test]
fn reasoning_under_an_id_of_byoks_is_sent_only_with_its_seal() {
    let made = Ids::new("x").next("rs_");
    let summary = json!([{"type": "summary_text", "text": "t"}]);
    for (seal, stays) in [(json!(null), false), (json!("gAAAA"), true)] {
        let input = json!([{"type": "reasoning", "id": made, "summary": summary, "encrypted_content": seal}, {"role": "user", "content": "q"}]);
        let written = encode(&decode(&json!({"model": "m", "input": input})));
        assert_eq!(written["input"].as_array().map(Vec::len), Some(1 + usize::from(stays)), "{written}");
    }
}

#[test]
fn t72_t73_ids_of_items_stay_only_where_the_vendor_keeps_the_items() {
    let input = json!([
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": null},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "message", "role": "assistant", "id": "msg_1", "content": [{"type": "output_text", "text": "x", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "1"}
    ]);
    let kept = encode(&decode(&json!({"model": "m", "input": input})));
    let ids: Vec<_> = kept["input"].as_array().unwrap().iter().map(|i| i["id"].clone()).collect();
    assert_eq!(ids, ["rs_1", "rs_2", "msg_1", "fc_1", "fco_1"]);
    let stateless = encode(&decode(&json!({"model": "m", "store": false, "input": input})));
    let items = stateless["input"].as_array().unwrap();
    assert_eq!(items.len(), 4, "reasoning without its seal is gone");
    assert!(items.iter().all(|item| item.get("id").is_none()), "{stateless}");
    assert_eq!(items[0]["encrypted_content"], "gAAAA");
}

#[test]
fn t66_t75_reasoning_goes_back_only_to_its_family_and_never_as_text() {
    let history = |signature: &str| {
        from_messages(&json!({"model": "m", "max_tokens": 100, "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "secret thought", "signature": signature}, {"type": "text", "text": "a"}]},
            {"role": "user", "content": "r"}
        ]}))
    };
    let own = crate::carrier::wrap(&crate::ir::Blob {
        family: Family::Openai,
        account: None,
        slot: crate::ir::BlobSlot::Thinking,
        data: "gAAAA".into(),
    });
    let written = encode(&history(&own));
    assert_eq!(
        written["input"][1],
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "secret thought"}], "encrypted_content": "gAAAA"})
    );
    let written = encode(&history("EqoBCkgIBxABGAIiQ"));
    assert!(!written.to_string().contains("secret"), "{written}");
    assert_eq!(written["input"].as_array().unwrap().len(), 3);
}

#[test]
fn t74_open_models_get_their_reasoning_back() {
    let request = from_chat(&json!({"model": "m", "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a", "reasoning_content": "because"},
        {"role": "user", "content": "r"}
    ]}));
    let wanting = ModelFacts {
        thinking: ThinkingFacts { replay_text: true, ..ThinkingFacts::default() },
        ..compatible()
    };
    let expected = json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "because"}]});
    assert_eq!(encode_for(&request, &wanting)["input"][1], expected);
    assert_eq!(encode_for(&request, &compatible())["input"].as_array().unwrap().len(), 3);
}

#[test]
fn reasoning_that_leads_to_nothing_is_left_out() {
    let mut request = Request::new(Dialect::Chat, "m");
    let blob = crate::ir::Blob {
        family: Family::Openai,
        account: None,
        slot: crate::ir::BlobSlot::Thinking,
        data: "g".into(),
    };
    let thinking = crate::ir::Thinking { blob: Some(blob), ..crate::ir::Thinking::default() };
    request.messages = vec![
        Message::new(Role::User, vec![Part::text("q")]),
        Message::new(Role::Assistant, vec![Part::text("a"), Part::Thinking(thinking)]),
        Message::new(Role::User, vec![Part::text("r")]),
    ];
    assert_eq!(encode(&request)["input"].as_array().unwrap().len(), 3);
}

#[test]
fn t52_t53_t54_tools_have_the_names_that_the_upstream_takes() {
    let tools = json!([
        {"type": "function", "name": "a.b", "parameters": {}},
        {"type": "function", "name": "a_b", "parameters": {}},
        {"type": "function", "name": "a_b", "parameters": {}},
        {"type": "namespace", "name": "x", "description": "", "tools": [{"type": "function", "name": "get", "parameters": {}}]},
        {"type": "namespace", "name": "y", "description": "", "tools": [{"type": "function", "name": "get", "parameters": {}}]},
        {"type": "custom", "name": "patch"}
    ]);
    let request = decode(&json!({"model": "m", "tools": tools, "input": [
        {"type": "function_call", "call_id": "1", "name": "get", "namespace": "y", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "2", "name": "patch", "input": "raw \"text\""},
        {"type": "custom_tool_call_output", "call_id": "2", "output": "ok"}
    ], "tool_choice": {"type": "custom", "name": "patch"}}));
    let written = encode_for(&request, &compatible());
    let names: Vec<_> =
        written["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names[0].starts_with("a_b_") && names[1] == "a_b", "{names:?}");
    assert_eq!(names[2..], ["x__get", "y__get", "patch"]);
    assert!(written["tools"].as_array().unwrap().iter().all(|t| t["type"] == "function"));
    // Silence would mean that the schema is enforced.
    assert_eq!(written["tools"][4]["strict"], false);
    assert_eq!(written["input"][0]["name"], "y__get");
    assert_eq!(written["input"][0].get("namespace"), None);
    assert_eq!(written["input"][1]["arguments"], r#"{"input":"raw \"text\""}"#);
    assert_eq!(written["input"][2]["type"], "function_call_output");
    assert_eq!(written["tool_choice"], json!({"type": "function", "name": "patch"}));
    // The vendor itself knows namespaces and free text.
    let written = encode(&request);
    assert_eq!(written["tools"][2]["type"], "namespace");
    assert_eq!(written["input"][0]["namespace"], "y");
    assert_eq!(written["input"][2]["type"], "custom_tool_call_output");
}

#[test]
fn t100_functions_are_flat_with_parameters_and_an_explicit_strict() {
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    for (tool, strict, parameters) in [
        (json!({"name": "f"}), false, json!({"type": "object", "properties": {}})),
        (
            json!({"name": "f", "parameters": {"type": "object"}}),
            false,
            json!({"type": "object", "properties": {}}),
        ),
        (json!({"name": "f", "parameters": closed}), false, closed.clone()),
        (json!({"name": "f", "parameters": closed, "strict": true}), true, closed.clone()),
        (json!({"name": "f", "parameters": loose, "strict": true}), true, loose.clone()),
    ] {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}], "tools": [{"type": "function", "function": tool}]});
        let written = encode(&from_chat(&body));
        assert_eq!(
            written["tools"],
            json!([{"type": "function", "name": "f", "parameters": parameters, "strict": strict}]),
            "{tool}"
        );
    }
}

#[test]
fn t60_t61_choices_and_the_parallel_flag_need_tools() {
    let tool = json!({"name": "f", "input_schema": {"type": "object", "properties": {}}});
    let body = |tools: Value, choice: Value| {
        from_messages(
            &json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "q"}], "tools": tools, "tool_choice": choice}),
        )
    };
    let written = encode(&body(json!([]), json!({"type": "any", "disable_parallel_tool_use": true})));
    assert_eq!((written.get("tool_choice"), written.get("parallel_tool_calls")), (None, None));
    for (choice, expected) in [
        (json!({"type": "any"}), json!("required")),
        (json!({"type": "none"}), json!("none")),
        (json!({"type": "tool", "name": "f"}), json!({"type": "function", "name": "f"})),
        (json!({"type": "auto", "disable_parallel_tool_use": true}), json!("auto")),
    ] {
        let written = encode(&body(json!([tool]), choice.clone()));
        assert_eq!(written["tool_choice"], expected, "{choice}");
    }
    let written = encode(&body(json!([tool]), json!({"type": "auto", "disable_parallel_tool_use": true})));
    assert_eq!(written["parallel_tool_calls"], false);
}

#[test]
fn t94_hosted_tools_of_others_become_the_vendors_own_or_are_missed() {
    let body = |tool: Value| {
        from_messages(
            &json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "q"}], "tools": [tool]}),
        )
    };
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.org"], "user_location": {"type": "approximate", "city": "Oslo"}});
    let written = encode(&body(search.clone()));
    assert_eq!(
        written["tools"],
        json!([{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}, "user_location": {"type": "approximate", "city": "Oslo"}}])
    );
    assert!(written["include"].as_array().unwrap().contains(&json!("web_search_call.action.sources")));
    assert_eq!(losses(&body(search), &compatible())[0], ("tools[0]".into(), LossAction::Dropped));
    let written = encode(&body(json!({"type": "code_execution_20250825", "name": "code_execution"})));
    assert_eq!(written["tools"], json!([{"type": "code_interpreter", "container": {"type": "auto"}}]));
    let written = encode(&body(json!({"type": "bash_20250124", "name": "bash"})));
    assert_eq!(
        (&written["tools"][0]["type"], &written["tools"][0]["name"]),
        (&json!("function"), &json!("bash"))
    );
    let unknown = body(json!({"type": "advisor_20260101", "name": "advisor"}));
    assert_eq!(losses(&unknown, &facts())[0].1, LossAction::Dropped);
}

/// The vendor knows the choice by the older name of the tool, which is not the one that the tool is declared with.
#[test]
fn a_search_that_is_forced_is_chosen_in_the_vendors_words() {
    let search = json!({"type": "web_search_20250305", "name": "web_search"});
    let fetch = json!({"type": "web_fetch_20250910", "name": "web_fetch"});
    let function = json!({"name": "f", "input_schema": {"type": "object", "properties": {}}});
    for (tools, expected) in [
        (json!([search]), json!("required")),
        (json!([search, fetch]), json!("required")),
        (json!([search, function]), json!({"type": "web_search_preview"})),
    ] {
        let body = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "q"}], "tools": tools,
            "tool_choice": {"type": "tool", "name": "web_search"}});
        assert_eq!(encode(&from_messages(&body))["tool_choice"], expected, "{tools}");
        assert_eq!(encode_for(&from_messages(&body), &compatible()).get("tool_choice"), None, "{tools}");
        // Others that search, such as xAI, know the tool by one name only.
        let searching = ModelFacts { web_search: true, ..compatible() };
        let chosen = encode_for(&from_messages(&body), &searching)["tool_choice"].clone();
        let expected = if expected == "required" { expected } else { json!({"type": "web_search"}) };
        assert_eq!(chosen, expected, "{tools}");
    }
}

#[test]
fn the_cap_is_within_what_the_model_can_put_out() {
    let small = ModelFacts { max_output_tokens: Some(16_384), ..facts() };
    for (asked, written, lost) in [(32_000, 16_384, true), (16_384, 16_384, false), (100, 100, false)] {
        let body = json!({"model": "m", "max_tokens": asked, "messages": [{"role": "user", "content": "q"}]});
        let request = from_messages(&body);
        assert_eq!(encode_for(&request, &small)["max_output_tokens"], written);
        let told = losses(&request, &small).contains(&("max_tokens".into(), LossAction::DroppedSilently));
        assert_eq!(told, lost, "{asked}");
    }
    // A client of this dialect is told by the vendor.
    let own = decode(&json!({"model": "m", "input": "x", "max_output_tokens": 32_000}));
    assert_eq!(encode_for(&own, &small)["max_output_tokens"], 32_000);
}

#[test]
fn the_word_json_stands_at_the_beginning_of_the_input_and_stays_there() {
    let body = |messages: Value| {
        let body = json!({"model": "m", "response_format": {"type": "json_object"}, "messages": messages});
        encode(&from_chat(&body))
    };
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let hint = "Answer with one JSON object and nothing else: no other text, no code fence.";
    let system = said("system", "Reply in JSON.");
    let short = body(json!([system, said("user", "a")]));
    assert_eq!(
        (&short["instructions"], &short["input"][0]["role"]),
        (&json!("Reply in JSON."), &json!("system"))
    );
    let long = body(json!([system, said("user", "a"), said("assistant", "{}"), said("user", "more JSON")]));
    assert_eq!(long["input"].as_array().unwrap()[..2], short["input"].as_array().unwrap()[..]);
    let spoken = body(json!([said("user", "a as json")]));
    assert_eq!((spoken["input"].as_array().unwrap().len(), &spoken["instructions"]), (1, &Value::Null));
    let nothing = body(json!([system]));
    assert_eq!(nothing["input"][1], user("."));
    let request = from_chat(
        &json!({"model": "m", "response_format": {"type": "json_object"}, "messages": [said("user", "a")]}),
    );
    let once = body(json!([said("system", hint), said("user", "a")]));
    assert_eq!(
        (&once["input"], once.get("instructions")),
        (&body(json!([said("user", "a")]))["input"], None)
    );
    let newer = ModelFacts { developer_role: true, ..facts() };
    assert_eq!(encode_for(&request, &newer)["input"][0]["role"], "developer");
}

#[test]
fn models_without_sampling_are_not_asked_for_probabilities() {
    let request = from_chat(
        &json!({"model": "m", "messages": [{"role": "user", "content": "q"}], "logprobs": true, "top_logprobs": 3}),
    );
    let reasoning = ModelFacts { temperature: false, ..facts() };
    let written = encode_for(&request, &reasoning);
    assert_eq!(
        (written.get("top_logprobs"), &written["include"]),
        (None, &json!(["reasoning.encrypted_content"]))
    );
    assert!(losses(&request, &reasoning).contains(&("logprobs".into(), LossAction::Dropped)));
    assert_eq!(encode(&request)["top_logprobs"], 3);
}

#[test]
fn t95_accounting_of_another_client_stays_away() {
    let request = from_messages(
        &json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "q"}],
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
    );
    assert_eq!(encode(&request)["instructions"], "a\n\nb");
}

#[test]
fn t107_settings_that_responses_has_not_are_left_out_and_told() {
    use LossAction::{Dropped, DroppedSilently, Emulated};
    let request = from_chat(&json!({"model": "m", "messages": [{"role": "user", "content": "q"}],
        "stream": true, "stream_options": {"include_usage": true}, "n": 1, "stop": ["END"], "seed": 1, "logit_bias": {"1": 2},
        "frequency_penalty": 1, "presence_penalty": 1, "temperature": 0.1, "max_tokens": 5, "prediction": {"type": "content", "content": "x"},
        "user": "u", "metadata": {"a": "b"}, "verbosity": "low", "service_tier": "flex", "store": true}));
    let refusing = ModelFacts { temperature: false, ..facts() };
    let written = encode_for(&request, &refusing);
    for absent in [
        "stream_options",
        "n",
        "stop",
        "seed",
        "logit_bias",
        "frequency_penalty",
        "presence_penalty",
        "temperature",
        "prediction",
        "max_tokens",
    ] {
        assert_eq!(written.get(absent), None, "{absent}");
    }
    assert_eq!(
        (
            &written["max_output_tokens"],
            &written["store"],
            &written["user"],
            &written["text"],
            &written["service_tier"],
            &written["metadata"]
        ),
        (
            &json!(16),
            &json!(false),
            &json!("u"),
            &json!({"verbosity": "low"}),
            &json!("flex"),
            &json!({"a": "b"})
        )
    );
    let losses = losses(&request, &refusing);
    for (field, action) in [
        ("seed", Dropped),
        ("logit_bias", Dropped),
        ("prediction", Dropped),
        ("stop", Emulated),
        ("temperature", DroppedSilently),
        ("frequency_penalty", DroppedSilently),
    ] {
        assert!(losses.contains(&(field.to_owned(), action)), "{field}: {losses:?}");
    }
}

#[test]
fn what_would_change_the_meaning_is_refused_in_the_words_of_the_client() {
    let chat = |extra: Value| {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        from_chat(&body)
    };
    let blind =
        ModelFacts { input: byok_types::InputKinds { image: false, ..Default::default() }, ..facts() };
    let image = json!({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://a.org"}}]}]});
    let audio = json!({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]}]});
    for (request, facts, field) in [
        (chat(json!({"n": 2})), facts(), "n"),
        (
            chat(json!({"modalities": ["text", "audio"], "audio": {"voice": "x", "format": "wav"}})),
            facts(),
            "modalities",
        ),
        (chat(image), blind, "messages[1].content[1]"),
        (chat(audio), facts(), "messages[0].content[0]"),
    ] {
        let failure = try_encode(&request, &facts).unwrap_err();
        assert_eq!((failure.param.as_deref(), failure.status), (Some(field), 400), "{}", failure.message);
    }
}

#[test]
fn t80_reasoning_is_asked_for_as_the_model_takes_it() {
    let ask = |thinking: Value| {
        from_messages(
            &json!({"model": "m", "max_tokens": 50000, "messages": [{"role": "user", "content": "q"}], "thinking": thinking}),
        )
    };
    let effort = |word: &str| {
        from_chat(
            &json!({"model": "m", "messages": [{"role": "user", "content": "q"}], "reasoning_effort": word}),
        )
    };
    for (request, expected) in [
        (
            ask(json!({"type": "enabled", "budget_tokens": 8000})),
            json!({"effort": "medium", "summary": "auto"}),
        ),
        (ask(json!({"type": "adaptive"})), json!({"summary": "auto"})),
        (ask(json!({"type": "adaptive", "display": "omitted"})), Value::Null),
        (ask(json!({"type": "disabled"})), json!({"effort": "none"})),
        (effort("max"), json!({"effort": "high", "summary": "auto"})),
        (effort("minimal"), json!({"effort": "low", "summary": "auto"})),
    ] {
        assert_eq!(encode(&request)["reasoning"], expected);
    }
    let plain = ModelFacts { thinking: ThinkingFacts::default(), ..facts() };
    let written = encode_for(&effort("high"), &plain);
    assert_eq!((written.get("reasoning"), written.get("include")), (None, None));
    assert_eq!(encode(&effort("high"))["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(encode(&effort("high"))["store"], false);
}

#[test]
fn t102_structured_output_keeps_its_form() {
    let strict = json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    let chat = |format: Value| {
        encode(&from_chat(
            &json!({"model": "m", "messages": [{"role": "user", "content": "q"}], "response_format": format}),
        ))
    };
    let written = chat(json!({"type": "json_schema", "json_schema": {"name": "bad name", "schema": strict}}));
    assert_eq!(
        written["text"]["format"],
        json!({"type": "json_schema", "name": "bad_name", "schema": strict})
    );
    let written = chat(json!({"type": "json_object"}));
    assert_eq!(written["text"]["format"], json!({"type": "json_object"}));
    let hint = "Answer with one JSON object and nothing else: no other text, no code fence.";
    assert_eq!(written["input"][0]["content"][0]["text"], hint, "the vendor wants the word in the input");
    assert_eq!(written["instructions"], Value::Null);
    let messages = |schema: &Value| {
        let body = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "q"}], "output_config": {"format": {"type": "json_schema", "schema": schema}}});
        encode(&from_messages(&body))["text"]["format"].clone()
    };
    assert_eq!(
        messages(&strict),
        json!({"type": "json_schema", "name": "response", "schema": strict, "strict": true})
    );
    assert_eq!(messages(&json!({"type": "object"}))["strict"], false);
}

#[test]
fn a_conversation_of_claude_code_has_one_cache_key() {
    let body = |user: Value, last: &str| {
        json!({"model": "m", "max_tokens": 100, "system": "s", "metadata": {"user_id": user},
            "messages": [{"role": "user", "content": "first"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": last}]})
    };
    let key = |user: Value, last: &str| encode(&from_messages(&body(user, last)))["prompt_cache_key"].clone();
    let session = "0c9e1f7a-1111-2222-3333-444455556666";
    assert_eq!(key(json!(format!("user_{}_account__session_{session}", "a".repeat(64))), "x"), session);
    assert_eq!(key(json!(format!(r#"{{"device_id":"d","session_id":"{session}"}}"#)), "x"), session);
    assert_eq!(key(json!("someone"), "x"), key(json!("someone"), "y"), "the same conversation");
    let billed = |count: u32| {
        let mut body = body(json!("someone"), "x");
        let block = format!("x-anthropic-billing-header: cc_version=2; cch={count};");
        body["system"] = json!([{"type": "text", "text": block}, {"type": "text", "text": "s"}]);
        encode(&from_messages(&body))["prompt_cache_key"].clone()
    };
    assert_eq!(billed(1), billed(2), "the block for billing is no part of the conversation");
    assert_eq!(billed(1), key(json!("someone"), "x"));
    let long = encode(&from_messages(&body(json!("u".repeat(100)), "x")));
    assert!(long["safety_identifier"].as_str().unwrap().len() <= 64);
    let elsewhere = encode_for(&from_messages(&body(json!("u"), "x")), &compatible());
    assert_eq!((elsewhere.get("prompt_cache_key"), elsewhere.get("safety_identifier")), (None, None));
}

#[test]
fn tools_of_an_item_are_declared_to_servers_that_do_not_know_it() {
    let request = decode(&json!({"model": "m", "input": [
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "namespace", "name": "functions", "description": "", "tools": [{"type": "custom", "name": "exec"}]}]},
        {"role": "user", "content": "q"}
    ]}));
    let written = encode_for(&request, &compatible());
    assert_eq!(written["tools"][0]["name"], "functions__exec");
    assert_eq!(written["input"].as_array().unwrap().len(), 1);
    assert_eq!(encode(&request)["input"][0]["type"], "additional_tools");
}

#[test]
fn the_text_of_a_longer_conversation_begins_with_that_of_the_shorter() {
    let body = |count: usize| {
        let messages: Vec<_> = (0..count).map(|i| json!({"role": if i % 2 == 0 { "user" } else { "assistant" }, "content": format!("m{i}")})).collect();
        from_chat(&json!({"model": "m", "messages": messages, "temperature": 0.3, "user": "u"}))
    };
    let short = try_encode(&body(3), &facts()).unwrap().value;
    let long = try_encode(&body(5), &facts()).unwrap().value;
    assert_eq!(long[..short.len() - 2], short[..short.len() - 2]);
}

#[test]
fn a_count_asks_for_the_prompt_alone() {
    let request = decode(
        &json!({"model": "m", "stream": true, "store": true, "instructions": "i", "max_output_tokens": 5, "temperature": 1.0,
        "metadata": {"a": "b"}, "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": false}], "input": "x"}),
    );
    let body = responses::encode_count_request(&request, &facts(), &mut Ids::new("x")).unwrap().value;
    let written: Value = serde_json::from_slice(&body).unwrap();
    let names: Vec<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["model", "instructions", "tools", "input"]);
    assert_eq!(responses::decode_count(br#"{"object":"response.input_tokens","input_tokens":18}"#), Some(18));
    assert_eq!(responses::decode_count(&responses::encode_count(7)), Some(7));
    assert_eq!(responses::decode_count(b"{}"), None);
}

#[test]
fn lists_of_models_are_written() {
    let model = crate::ModelEntry { id: "gpt-b".into(), ..crate::ModelEntry::default() };
    let written: Value = serde_json::from_slice(&responses::encode_models(&[model])).unwrap();
    assert_eq!(
        written,
        json!({"object": "list", "data": [{"id": "gpt-b", "object": "model", "created": 0, "owned_by": "byok"}]})
    );
}
