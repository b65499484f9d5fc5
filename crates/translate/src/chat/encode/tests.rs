use super::*;
use crate::{
    Json,
    ir::{
        Blob, BlobSlot, CacheHint, CustomTool, Document, Flavour, FunctionTool, HostedTool, Image, MaxTokens,
        MaxTokensSpelling, Message, NamedTool, Opaque, ServerTool, Source, Text, Thinking, ThinkingSwitch,
        Tool, ToolCall, ToolChoice, ToolResult, TypedTool,
    },
};
use byok_types::{Effort, Family, InputKinds, ThinkingFacts, ThinkingForm};
use serde_json::{Value, json};

fn facts() -> ModelFacts {
    ModelFacts { id: "up".to_owned(), ..ModelFacts::default() }
}

fn openai() -> ModelFacts {
    ModelFacts {
        first_party: true,
        developer_role: true,
        family: Family::Openai,
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        ..facts()
    }
}

fn encoded(request: &Request, facts: &ModelFacts) -> (Value, Vec<crate::Loss>) {
    let written = encode_request(request, facts, &mut Ids::new("t")).unwrap();
    (serde_json::from_slice(&written.value).unwrap(), written.losses)
}

fn refused(request: &Request, facts: &ModelFacts) -> Failure {
    encode_request(request, facts, &mut Ids::new("t")).unwrap_err()
}

/// A request of a Messages client.
fn asked(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::new(Dialect::Messages, "client-name") }
}

fn user(parts: Vec<Part>) -> Message {
    Message::new(Role::User, parts)
}

fn assistant(parts: Vec<Part>) -> Message {
    Message::new(Role::Assistant, parts)
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        call_id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        ..ToolCall::default()
    })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { call_id: id.into(), parts, ..ToolResult::default() })
}

fn png() -> Part {
    Part::Image(Image {
        source: Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() },
        detail: None,
        cache: Some(CacheHint::default()),
        extra: crate::ir::Extra::default(),
    })
}

fn function(name: &str) -> Tool {
    Tool::Function(FunctionTool { name: name.into(), ..FunctionTool::default() })
}

fn messages_of(messages: Vec<Message>, facts: &ModelFacts) -> Value {
    encoded(&asked(messages), facts).0["messages"].clone()
}

#[test]
fn t35_t36_results_stand_directly_behind_their_calls() {
    let messages = messages_of(
        vec![
            user(vec![Part::text("q")]),
            assistant(vec![Part::text("a"), call("A", "f", "{}")]),
            assistant(vec![call("B", "g", "")]),
            user(vec![result("A", vec![Part::text("1")]), Part::text("more")]),
            user(vec![result("B", vec![Part::text("2")])]),
        ],
        &facts(),
    );
    assert_eq!(
        messages,
        json!([
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "a", "tool_calls": [
                {"id": "A", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "B", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "A", "content": "1"},
            {"role": "tool", "tool_call_id": "B", "content": "2"},
            {"role": "user", "content": "more"},
        ])
    );
}

#[test]
fn t39_images_of_results_follow_in_a_user_message() {
    let results = user(vec![
        result("A", vec![Part::text("text"), png()]),
        result("B", vec![png()]),
        Part::text("look"),
    ]);
    let calls = assistant(vec![call("A", "f", "{}"), call("B", "f", "{}")]);
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let messages = messages_of(vec![user(vec![Part::text("q")]), calls, results], &facts());
    assert_eq!(messages[2], json!({"role": "tool", "tool_call_id": "A", "content": "text"}));
    assert_eq!(messages[3]["content"], "[see the next user message]");
    assert_eq!(
        messages[4],
        json!({"role": "user", "content": [
            {"type": "text", "text": "[result of the call A]"}, image,
            {"type": "text", "text": "[result of the call B]"}, image,
            {"type": "text", "text": "look"},
        ]})
    );
    assert_eq!(messages.as_array().unwrap().len(), 5);
}

#[test]
fn arguments_are_always_json() {
    for (arguments, expected) in [
        ("", "{}"),
        ("null", "{}"),
        (r#"{"a":1e5}"#, r#"{"a":1e5}"#),
        (r#""x""#, r#""x""#),
        (r#"{"a":"#, r#"{"_raw":"{\"a\":"}"#),
    ] {
        let turns = vec![
            user(vec![Part::text("q")]),
            assistant(vec![call("A", "f", arguments)]),
            user(vec![result("A", vec![])]),
        ];
        let messages = messages_of(turns, &facts());
        assert_eq!(messages[1]["tool_calls"][0]["function"]["arguments"], expected, "{arguments}");
        assert_eq!(messages[1]["content"], Value::Null);
    }
}

#[test]
fn errors_and_missing_and_orphan_results() {
    let failed = Part::ToolResult(ToolResult {
        call_id: "A".into(),
        parts: vec![Part::text("boom")],
        is_error: Some(true),
        ..ToolResult::default()
    });
    let messages = messages_of(
        vec![
            user(vec![result("Z", vec![Part::text("old")])]),
            assistant(vec![call("A", "f", "{}"), call("B", "f", "{}")]),
            user(vec![failed]),
        ],
        &facts(),
    );
    assert_eq!(messages[0]["role"], "user");
    assert_eq!(messages[2]["content"], "Error: boom");
    assert_eq!(messages[3]["tool_call_id"], "B");
    assert_eq!(messages[3]["role"], "tool");
}

#[test]
fn instructions_lead_in_one_message_and_t95_the_billing_block_stays_behind() {
    let mut request = asked(vec![
        user(vec![Part::text("q")]),
        Message::new(Role::System, vec![Part::text("mid")]),
        user(vec![Part::text("r")]),
    ]);
    request.system = vec![
        Part::text("x-anthropic-billing-header: cc_version=1;"),
        Part::Text(Text { cache: Some(CacheHint::default()), ..Text::new("one") }),
        Part::text("two"),
    ];
    let (body, _) = encoded(&request, &facts());
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "one\n\ntwo"},
            {"role": "user", "content": "q"},
            {"role": "system", "content": "mid"},
            {"role": "user", "content": "r"},
        ])
    );
}

#[test]
fn the_developer_is_known_to_openai_only() {
    let mut request =
        asked(vec![Message::new(Role::Developer, vec![Part::text("d")]), user(vec![Part::text("q")])]);
    request.system = vec![Part::text("s")];
    let roles = |facts: &ModelFacts| -> Vec<String> {
        let body = encoded(&request, facts).0;
        let list = body["messages"].as_array().unwrap().clone();
        list.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(roles(&openai()), ["system", "developer", "user"]);
    assert_eq!(roles(&facts()), ["system", "user"]);
    assert_eq!(encoded(&request, &facts()).0["messages"][0]["content"], "s\n\nd");
}

#[test]
fn t74_t75_t78_reasoning_goes_back_only_where_it_is_wanted_and_never_as_text() {
    let thinking = |summary: &[&str]| {
        Part::Thinking(Thinking {
            summary: summary.iter().map(|&text| text.to_owned()).collect(),
            blob: Some(Blob {
                family: Family::Claude,
                account: None,
                slot: BlobSlot::Thinking,
                data: "S".into(),
            }),
            ..Thinking::default()
        })
    };
    let turns = |thoughts: Option<Part>| {
        let mut parts: Vec<_> = thoughts.into_iter().collect();
        parts.push(call("A", "f", "{}"));
        vec![user(vec![Part::text("q")]), assistant(parts), user(vec![result("A", vec![])])]
    };
    let insists =
        ModelFacts { thinking: ThinkingFacts { replay_text: true, ..ThinkingFacts::default() }, ..facts() };
    let said = |facts: &ModelFacts, thoughts: Option<Part>| {
        let message = messages_of(turns(thoughts), facts)[1].clone();
        assert_eq!(message["content"], Value::Null);
        message.get("reasoning_content").cloned()
    };
    assert_eq!(said(&insists, Some(thinking(&["t", "u"]))), Some(json!("t\n\nu")));
    assert_eq!(said(&insists, None), Some(json!("[no reasoning was recorded]")));
    assert_eq!(said(&insists, Some(thinking(&[]))), Some(json!("[no reasoning was recorded]")));
    assert_eq!(said(&facts(), Some(thinking(&["t"]))), None);
    assert_eq!(said(&openai(), Some(thinking(&["t"]))), None);
}

/// Copilot, Mistral and Cerebras refuse the name that byok gives it.
#[test]
fn reasoning_as_text_goes_back_only_where_it_is_taken() {
    let thinking = |replay_text| ThinkingFacts { replay_text, ..ThinkingFacts::default() };
    let thought = Part::Thinking(Thinking { summary: vec!["t".to_owned()], ..Thinking::default() });
    let turns = vec![user(vec![Part::text("q")]), assistant(vec![thought, Part::text("a")])];
    let request = Request { messages: turns, ..Request::new(Dialect::Chat, "client-name") };
    for (reasoning_content, replay_text, goes) in
        [(true, false, false), (false, false, true), (false, true, false)]
    {
        let facts = ModelFacts { reasoning_content, thinking: thinking(replay_text), ..facts() };
        let said = encoded(&request, &facts).0["messages"][1].get("reasoning_content").cloned();
        assert_eq!(said, (!goes).then(|| json!("t")), "{reasoning_content} {replay_text}");
    }
}

/// What was kept for a client that has no place for it goes to the vendor that sealed it, and in words to nobody else.
#[test]
fn reasoning_that_was_kept_goes_to_no_other_server() {
    let blob =
        Blob { family: Family::Claude, account: None, slot: BlobSlot::Thinking, data: "U0lH".to_owned() };
    let thought = Thinking { blob: Some(blob), summary: vec!["t".to_owned()], ..Thinking::default() };
    let turns = vec![user(vec![Part::text("q")]), assistant(vec![Part::Thinking(thought), Part::text("a")])];
    let request = Request { messages: turns, ..Request::new(Dialect::Chat, "client-name") };
    for (reasoning_content, replay_text) in [(true, false), (false, false), (true, true)] {
        let thinking = ThinkingFacts { replay_text, ..ThinkingFacts::default() };
        let facts = ModelFacts { reasoning_content, thinking, ..facts() };
        let said = encoded(&request, &facts).0["messages"][1].get("reasoning_content").cloned();
        assert_eq!(said, replay_text.then(|| json!("t")), "{reasoning_content} {replay_text}");
    }
}

#[test]
fn details_of_reasoning_go_back_to_the_server_that_made_them() {
    let list = r#"[{"type":"reasoning.encrypted","data":"D"}]"#;
    let blob = Blob { family: Family::Other, account: None, slot: BlobSlot::Thinking, data: list.to_owned() };
    let thinking = Part::Thinking(Thinking { blob: Some(blob), ..Thinking::default() });
    let turns = vec![user(vec![Part::text("q")]), assistant(vec![thinking, Part::text("a")])];
    let other = messages_of(turns.clone(), &facts());
    assert_eq!(other[1]["reasoning_details"], serde_json::from_str::<Value>(list).unwrap());
    assert_eq!(messages_of(turns, &openai())[1].get("reasoning_details"), None);
    // Copilot has other names for it.
    let list = r#"[{"type":"reasoning.opaque","data":"D"}]"#;
    let blob = Blob { family: Family::Other, account: None, slot: BlobSlot::Thinking, data: list.to_owned() };
    let thinking = Thinking { blob: Some(blob), summary: vec!["t".to_owned()], ..Thinking::default() };
    let turns = vec![user(vec![Part::text("q")]), assistant(vec![Part::Thinking(thinking), Part::text("a")])];
    assert_eq!(
        messages_of(turns, &facts())[1],
        json!({"role": "assistant", "content": "a", "reasoning_text": "t", "reasoning_opaque": "D"})
    );
}

#[test]
fn a_thought_signature_goes_back_to_gemini_only() {
    let signed = Part::ToolCall(ToolCall {
        call_id: "A".into(),
        name: "f".into(),
        blob: Some(Blob { family: Family::Gemini, account: None, slot: BlobSlot::Call, data: "SIG".into() }),
        ..ToolCall::default()
    });
    let turns = vec![user(vec![Part::text("q")]), assistant(vec![signed]), user(vec![result("A", vec![])])];
    let gemini = ModelFacts { family: Family::Gemini, ..facts() };
    let calls = |facts: &ModelFacts| messages_of(turns.clone(), facts)[1]["tool_calls"][0].clone();
    assert_eq!(calls(&gemini)["extra_content"]["google"]["thought_signature"], "SIG");
    assert_eq!(calls(&facts()).get("extra_content"), None);
}

#[test]
fn call_ids_that_are_too_long_are_shortened_alike_in_call_and_result() {
    let long = "x".repeat(90);
    let turns = vec![
        user(vec![Part::text("q")]),
        assistant(vec![call(&long, "f", "{}")]),
        user(vec![result(&long, vec![])]),
    ];
    let messages = messages_of(turns, &facts());
    let id = messages[1]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() <= 40);
    assert_eq!(messages[2]["tool_call_id"], id);
    for (length, kept) in [(40, true), (41, false)] {
        let id = "y".repeat(length);
        let turns = vec![user(vec![Part::text("q")]), assistant(vec![call(&id, "f", "{}")])];
        assert_eq!(messages_of(turns, &facts())[1]["tool_calls"][0]["id"] == *id, kept, "{length}");
    }
}

#[test]
fn t60_t61_choices_go_with_tools_only() {
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    request.tool_choice = Some(ToolChoice::Required);
    request.parallel_tool_calls = Some(false);
    let (body, _) = encoded(&request, &facts());
    assert_eq!((body.get("tool_choice"), body.get("parallel_tool_calls")), (None, None));
    request.tools = vec![function("f"), function("f")];
    let (body, _) = encoded(&request, &facts());
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1, "T53: one tool of a name");
    assert_eq!(
        body["tools"][0],
        json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}})
    );
}

#[test]
fn choices_of_all_kinds() {
    let tool = |name: &str| NamedTool { name: name.into(), ..NamedTool::default() };
    let allowed = |required| ToolChoice::Allowed { required, tools: vec![tool("g")] };
    let function_g = json!({"type": "function", "function": {"name": "g"}});
    let cases = [
        (ToolChoice::Auto, json!("auto"), json!("auto")),
        (ToolChoice::Validated, json!("auto"), json!("auto")),
        (ToolChoice::None, json!("none"), json!("none")),
        (ToolChoice::Named(tool("g")), function_g.clone(), function_g.clone()),
        (
            allowed(false),
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [function_g]}}),
            json!("auto"),
        ),
        (
            allowed(true),
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function_g]}}),
            json!("required"),
        ),
    ];
    for (choice, first_party, compatible) in cases {
        let mut request = asked(vec![user(vec![Part::text("q")])]);
        request.tools = vec![function("f"), function("g")];
        request.tool_choice = Some(choice.clone());
        assert_eq!(encoded(&request, &openai()).0["tool_choice"], first_party, "{choice:?}");
        let (body, _) = encoded(&request, &facts());
        assert_eq!(body["tool_choice"], compatible, "{choice:?}");
        let narrowed = matches!(choice, ToolChoice::Allowed { .. });
        assert_eq!(body["tools"].as_array().unwrap().len(), if narrowed { 1 } else { 2 }, "{choice:?}");
    }
}

#[test]
fn t49_custom_tools_are_functions_unless_the_upstream_knows_them() {
    let mut request = asked(vec![
        user(vec![Part::text("q")]),
        assistant(vec![Part::ToolCall(ToolCall {
            call_id: "A".into(),
            name: "patch".into(),
            flavour: Flavour::Custom,
            arguments: "*** \"x\"".into(),
            ..ToolCall::default()
        })]),
        user(vec![result("A", vec![])]),
    ]);
    request.tools = vec![Tool::Custom(CustomTool { name: "patch".into(), ..CustomTool::default() })];
    let (body, _) = encoded(&request, &openai());
    assert_eq!(body["tools"][0], json!({"type": "custom", "custom": {"name": "patch"}}));
    assert_eq!(
        body["messages"][1]["tool_calls"][0],
        json!({"id": "A", "type": "custom", "custom": {"name": "patch", "input": "*** \"x\""}})
    );
    let (body, losses) = encoded(&request, &facts());
    assert_eq!(body["tools"][0]["function"]["parameters"]["required"], json!(["input"]));
    assert_eq!(body["messages"][1]["tool_calls"][0]["function"]["arguments"], r#"{"input":"*** \"x\""}"#);
    assert!(losses.iter().any(|loss| loss.field == "tools[0]"));
}

#[test]
fn namespaces_are_flattened_typed_tools_become_functions_and_hosted_tools_are_dropped() {
    let verbatim = || Opaque { dialect: Dialect::Messages, json: Json::empty_object() };
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    request.tools = vec![
        Tool::Namespace {
            name: "a".into(),
            description: None,
            tools: vec![function("get")],
            extra: crate::ir::Extra::default(),
        },
        Tool::Typed(TypedTool {
            type_name: "bash_20250124".into(),
            name: "bash".into(),
            flavour: Flavour::Function,
            cache: None,
            verbatim: verbatim(),
        }),
        Tool::Hosted(HostedTool {
            tool: ServerTool::WebSearch,
            type_name: "web_search_20250305".into(),
            web_search: None,
            cache: None,
            verbatim: verbatim(),
        }),
    ];
    let (body, losses) = encoded(&request, &facts());
    let names: Vec<_> =
        body["tools"].as_array().unwrap().iter().map(|t| t["function"]["name"].clone()).collect();
    assert_eq!(names, ["a__get", "bash"]);
    assert_eq!(body["tools"][1]["function"]["parameters"]["properties"]["command"]["type"], "string");
    let dropped: Vec<_> = losses
        .iter()
        .filter(|loss| loss.action == crate::LossAction::Dropped)
        .map(|loss| loss.field.as_str())
        .collect();
    assert_eq!(dropped, ["tools[2]"]);
}

#[test]
fn t103_the_cap_has_the_name_that_the_upstream_knows() {
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    request.max_tokens = Some(MaxTokens { value: 9000, spelling: MaxTokensSpelling::MaxTokens });
    for (field, most, name) in [
        (MaxTokensField::MaxTokens, None, Some(("max_tokens", 9000))),
        (MaxTokensField::MaxTokens, Some(4096), Some(("max_tokens", 4096))),
        (MaxTokensField::MaxCompletionTokens, None, Some(("max_completion_tokens", 9000))),
        (MaxTokensField::Omit, None, None),
    ] {
        let facts = ModelFacts { max_tokens_field: field, max_output_tokens: most, ..facts() };
        let (body, _) = encoded(&request, &facts);
        let found = ["max_tokens", "max_completion_tokens"]
            .into_iter()
            .find_map(|name| body.get(name).map(|value| (name, value.as_u64().unwrap())));
        assert_eq!(found, name, "{field:?}");
    }
}

#[test]
fn reasoning_is_asked_for_in_the_form_that_the_model_takes() {
    let with = |forms: &[ThinkingForm], levels: &[Effort]| ModelFacts {
        thinking: ThinkingFacts {
            forms: forms.to_vec(),
            levels: levels.to_vec(),
            can_disable: true,
            ..ThinkingFacts::default()
        },
        ..facts()
    };
    let level = with(&[ThinkingForm::Level], &[Effort::Low, Effort::High]);
    let switch = with(&[ThinkingForm::Adaptive, ThinkingForm::Effort], &[]);
    let budget = with(&[ThinkingForm::Budget], &[]);
    let said = |switch, effort| (switch, effort);
    let cases = [
        (&facts(), said(ThinkingSwitch::Unset, Some(Effort::High)), json!({})),
        (&level, said(ThinkingSwitch::Unset, None), json!({})),
        (&level, said(ThinkingSwitch::Unset, Some(Effort::Max)), json!({"reasoning_effort": "high"})),
        (&level, said(ThinkingSwitch::Budget(1000), None), json!({"reasoning_effort": "low"})),
        (&level, said(ThinkingSwitch::Off, None), json!({"reasoning_effort": "none"})),
        (&switch, said(ThinkingSwitch::Off, None), json!({"thinking": {"type": "disabled"}})),
        (&switch, said(ThinkingSwitch::On, None), json!({"thinking": {"type": "enabled"}})),
        (
            &switch,
            said(ThinkingSwitch::Unset, Some(Effort::Low)),
            json!({"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        ),
        (&budget, said(ThinkingSwitch::Off, None), json!({"enable_thinking": false})),
        (
            &budget,
            said(ThinkingSwitch::Budget(5000), None),
            json!({"enable_thinking": true, "thinking_budget": 5000}),
        ),
    ];
    for (facts, (switch, effort), expected) in cases {
        let mut request = asked(vec![user(vec![Part::text("q")])]);
        request.reasoning.switch = switch;
        request.reasoning.effort = effort;
        let (mut body, _) = encoded(&request, facts);
        let body = body.as_object_mut().unwrap();
        body.retain(|name, _| {
            ["reasoning_effort", "thinking", "enable_thinking", "thinking_budget"].contains(&name.as_str())
        });
        assert_eq!(Value::Object(body.clone()), expected, "{switch:?} {effort:?}");
    }
}

#[test]
fn structured_output_in_all_its_forms() {
    let closed = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    let format = |schema: &str, name: Option<&str>| OutputFormat::JsonSchema {
        name: name.map(str::to_owned),
        description: None,
        schema: Json::parse(schema).unwrap(),
        strict: None,
        extra: crate::ir::Extra::default(),
    };
    request.output_format = format(closed, None);
    let (body, _) = encoded(&request, &facts());
    assert_eq!(body["response_format"]["json_schema"]["name"], "response");
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
    request.output_format = format(r#"{"type":"object"}"#, Some("my schema"));
    let (body, _) = encoded(&request, &facts());
    assert_eq!(body["response_format"]["json_schema"]["name"], "my_schema");
    assert_eq!(body["response_format"]["json_schema"]["strict"], false);

    let by = |way| ModelFacts { structured_output: way, ..facts() };
    let (body, _) = encoded(&request, &by(StructuredOutput::ForcedTool));
    assert_eq!(body.get("response_format"), None);
    assert_eq!(body["tool_choice"]["function"]["name"], "json_response");
    assert_eq!(body["tools"][0]["function"]["name"], "json_response");
    request.tools = vec![function("f")];
    let (body, _) = encoded(&request, &by(StructuredOutput::ForcedTool));
    assert_eq!(body["tool_choice"], "required");

    let (body, losses) = encoded(&request, &by(StructuredOutput::Hint));
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(body["messages"][0]["content"].as_str().unwrap().contains(r#"{"type":"object"}"#));
    assert!(!losses.is_empty());

    request.output_format = OutputFormat::JsonObject;
    let (body, _) = encoded(&request, &facts());
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("JSON"), "OpenAI wants the word");
}

#[test]
fn usage_is_always_asked_for_in_streams_and_never_otherwise() {
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    assert_eq!(encoded(&request, &facts()).0.get("stream_options"), None);
    request.stream = true;
    assert_eq!(encoded(&request, &facts()).0["stream_options"], json!({"include_usage": true}));
}

#[test]
fn t106_stop_is_a_list_without_empty_texts() {
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    request.sampling.stop = vec!["a".into(), String::new()];
    assert_eq!(encoded(&request, &facts()).0["stop"], json!(["a"]));
    request.sampling.stop = "abcdef".chars().map(String::from).collect();
    for facts in [openai(), facts()] {
        let (body, losses) = encoded(&request, &facts);
        assert_eq!(body["stop"].as_array().unwrap().len(), 4);
        assert_eq!((losses[0].field.as_str(), losses[0].action), ("stop", crate::LossAction::Emulated));
    }
    // Of several answers none can be ended alone.
    request.sampling.n = Some(2);
    let (body, losses) = encoded(&request, &facts());
    assert_eq!(body["stop"].as_array().unwrap().len(), 4);
    assert_eq!(losses[0].action, crate::LossAction::Dropped);
}

#[test]
fn strict_servers_get_nothing_that_only_openai_knows() {
    let mut request = asked(vec![user(vec![Part::text("q")])]);
    request.verbosity = Some("low".into());
    request.service_tier = Some("standard_only".into());
    request.store = Some(false);
    request.end_user.user = Some("u".into());
    request.sampling.top_k = Some(5.0);
    request.cache.key = Some("k".into());
    request.tools = vec![function("f")];
    request.parallel_tool_calls = Some(true);
    let (body, _) = encoded(&request, &facts());
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["model", "messages", "tools"]);
    let (body, _) = encoded(&request, &openai());
    assert_eq!(body["service_tier"], "default");
    assert_eq!(body["prompt_cache_key"], "k");
    assert_eq!(
        (&body["verbosity"], &body["safety_identifier"], &body["store"]),
        (&json!("low"), &json!("u"), &json!(false))
    );
    assert_eq!(body.get("top_k"), None);
}

#[test]
fn a_cache_key_follows_from_the_beginning_of_the_conversation() {
    let key = |texts: &[&str]| {
        let messages = texts.iter().map(|&text| user(vec![Part::text(text)])).collect();
        encoded(&asked(messages), &openai()).0["prompt_cache_key"].as_str().unwrap().to_owned()
    };
    assert_eq!(key(&["a"]), key(&["a", "b"]));
    assert_ne!(key(&["a"]), key(&["b"]));
}

#[test]
fn what_would_change_the_meaning_is_refused_by_name() {
    let q = || vec![user(vec![Part::text("q")])];
    let mut responses = Request { messages: q(), ..Request::new(Dialect::Responses, "m") };
    responses.state.previous_response_id = Some("resp_1".into());
    let failure = refused(&responses, &facts());
    assert_eq!(failure.param.as_deref(), Some("previous_response_id"));
    assert_eq!(failure.code.as_deref(), Some("previous_response_not_found"));

    let mut gemini = Request { messages: q(), ..Request::new(Dialect::Gemini, "m") };
    gemini.cache.cached_content = Some("c".into());
    assert_eq!(refused(&gemini, &facts()).param.as_deref(), Some("cachedContent"));

    let blind = ModelFacts {
        input: InputKinds { image: false, pdf: false, audio: false, video: false, url: false },
        ..facts()
    };
    let pdf = |source| {
        Part::Document(Document {
            source,
            filename: None,
            title: None,
            context: None,
            citations: None,
            detail: None,
            cache: None,
            extra: crate::ir::Extra::default(),
        })
    };
    let base64 = || Source::Base64 { media_type: "application/pdf".into(), data: "AAAA".into() };
    let at = |part: Part| asked(vec![user(vec![Part::text("q"), part])]);
    for (request, facts, path) in [
        (at(png()), &blind, "messages[0].content[1]"),
        (at(pdf(base64())), &blind, "messages[0].content[1]"),
        (at(pdf(Source::FileId("f".into()))), &openai(), "messages[0].content[1]"),
        (
            at(pdf(Source::Url { url: "https://x".into(), media_type: None })),
            &openai(),
            "messages[0].content[1]",
        ),
    ] {
        let failure = refused(&request, facts);
        assert_eq!((failure.param.as_deref(), failure.status), (Some(path), 400), "{}", failure.message);
    }
    assert!(encode_request(&at(pdf(base64())), &facts(), &mut Ids::new("t")).is_ok());
}

#[test]
fn documents_of_text_become_text_under_their_title() {
    let document = Part::Document(Document {
        source: Source::Text("body".into()),
        filename: None,
        title: Some("Title".into()),
        context: Some("context".into()),
        citations: Some(true),
        detail: None,
        cache: None,
        extra: crate::ir::Extra::default(),
    });
    let (body, losses) = encoded(&asked(vec![user(vec![document])]), &facts());
    assert_eq!(body["messages"][0]["content"], "Title\n\ncontext\n\nbody");
    assert_eq!(losses[0].action, crate::LossAction::Dropped);
}

#[test]
fn the_bytes_are_the_same_every_time_and_a_longer_conversation_begins_alike() {
    let mut messages = vec![user(vec![Part::text("q")]), assistant(vec![call("A", "f", "{}")])];
    messages.push(user(vec![result("A", vec![Part::text("r")])]));
    let short = encode_request(&asked(messages.clone()), &facts(), &mut Ids::new("a")).unwrap().value;
    let again = encode_request(&asked(messages.clone()), &facts(), &mut Ids::new("b")).unwrap().value;
    assert_eq!(short, again);
    messages.push(assistant(vec![Part::text("more")]));
    let long = encode_request(&asked(messages), &facts(), &mut Ids::new("a")).unwrap().value;
    let common = short.strip_suffix(b"]}").unwrap();
    assert!(long.starts_with(common));
}
