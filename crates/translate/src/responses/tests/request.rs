use super::*;
use crate::ir::{
    BlobSlot, CustomFormat, Flavour, OutputFormat, Part, Role, ServerTool, Source, Tool, ToolChoice,
    Visibility,
};
use byok_types::Dialect;
use serde_json::json;

/// A request of the size and kind that agents send, with everything that decoders type and some that they do not.
pub(super) fn agent_request() -> Value {
    serde_json::from_str(include_str!("agent_request.json")).unwrap()
}

#[test]
fn a_request_survives_its_own_dialect() {
    let wire = agent_request();
    let request = decode(&wire);
    let written = encode(&request);
    let mut expected = wire;
    expected["model"] = "gpt-up".into();
    assert_eq!(written, expected);
    let mut again = decode(&written);
    again.model.clone_from(&request.model);
    assert_eq!(again, request);
}

#[test]
fn order_of_members_does_not_matter() {
    // `type` last, as programs write it that sort their keys.
    let sorted = json!({"input": [
        {"call_id": "c", "name": "f", "arguments": "{}", "type": "function_call"},
        {"content": [{"text": "hi", "type": "input_text"}, {"detail": "low", "image_url": "https://a.org/i", "type": "input_image"}], "role": "user", "type": "message"},
        {"call_id": "c", "output": "x", "type": "function_call_output"},
        {"content": "easy", "role": "assistant"}
    ], "model": "m"});
    let usual = json!({"model": "m", "input": [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "https://a.org/i", "detail": "low"}]},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "easy"}]}
    ]});
    assert_eq!(decode(&sorted), decode(&usual));
}

#[test]
fn careless_spellings_are_understood() {
    let request = decode(&json!({"model": "m", "instructions": null, "tools": null, "input": [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_image", "image_url": {"url": "https://a.org", "detail": "low"}}], "id": null},
        {"role": "user", "content": {"type": "input_text", "text": "one"}},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": {"n": 12_345_678_901_234_567_890_u64}},
        {"type": "function_call_output", "call_id": "c", "output": {"ok": true}},
        {"role": "user", "content": [{"type": "input_file", "file_data": "JVBERi0x", "filename": "x"}]}
    ]}));
    let parts: Vec<_> = request.messages.iter().flat_map(|m| &m.parts).collect();
    assert!(matches!(parts[1], Part::Image(image) if image.detail.as_deref() == Some("low")));
    assert!(matches!(parts[2], Part::Text(text) if text.text == "one"));
    assert!(matches!(parts[3], Part::ToolCall(call) if call.arguments == r#"{"n":12345678901234567890}"#));
    assert!(matches!(parts[4], Part::ToolResult(result) if result.parts == [Part::text(r#"{"ok":true}"#)]));
    let pdf = Source::Base64 { media_type: "application/pdf".into(), data: "JVBERi0x".into() };
    assert!(matches!(parts[5], Part::Document(document) if document.source == pdf));
}

#[test]
fn wrong_requests_name_the_field() {
    for (body, field) in [
        (json!({"input": "x"}), "model"),
        (json!({"model": "m"}), "input"),
        (json!({"model": "m", "input": 5}), "input"),
        (json!({"model": "m", "input": [{"role": "robot", "content": "x"}]}), "input[0].role"),
        (json!({"model": "m", "input": [{"type": "message", "content": "x"}]}), "input[0].role"),
        (
            json!({"model": "m", "input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}),
            "input[0].name",
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call_output", "output": "x"}]}),
            "input[0].call_id",
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0]",
        ),
        (
            json!({"model": "m", "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": 5}]}]}),
            "input[0].content[0].text",
        ),
        (json!({"model": "m", "input": "x", "tools": [{"type": "function"}]}), "tools[0].name"),
        (json!({"model": "m", "input": "x", "tool_choice": "sometimes"}), "tool_choice"),
        (json!({"model": "m", "input": "x", "temperature": "hot"}), "temperature"),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "json_schema", "name": "n"}}}),
            "text.format.schema",
        ),
    ] {
        let failure = try_decode(&body).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some(field), "{body}: {}", failure.message);
        assert_eq!(failure.status, 400);
    }
}

#[test]
fn state_alone_is_a_request() {
    for body in [
        json!({"model": "m", "previous_response_id": "resp_1"}),
        json!({"model": "m", "prompt": {"id": "p"}}),
        json!({"model": "m", "conversation": "conv_1"}),
    ] {
        assert!(decode(&body).messages.is_empty());
    }
}

#[test]
fn tools_and_choices_are_typed() {
    let request = decode(&agent_request());
    let kinds: Vec<_> = request
        .tools
        .iter()
        .map(|tool| match tool {
            Tool::Function(tool) => format!("function {}", tool.name),
            Tool::Custom(tool) => {
                format!("custom {} {}", tool.name, matches!(tool.format, CustomFormat::Grammar { .. }))
            }
            Tool::Namespace { name, tools, .. } => format!("namespace {name} {}", tools.len()),
            Tool::Hosted(tool) => format!("hosted {} {:?}", tool.type_name, tool.tool),
            Tool::Typed(tool) => format!("typed {}", tool.name),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "function get",
            "function bare",
            "custom apply_patch true",
            "namespace clock 1",
            // It is kept from the web.
            "hosted web_search Other",
            "typed tool_search"
        ]
    );
    let choice =
        |value: Value| decode(&json!({"model": "m", "input": "x", "tool_choice": value})).tool_choice;
    assert_eq!(choice(json!("required")), Some(ToolChoice::Required));
    assert!(
        matches!(choice(json!({"type": "function", "name": "f"})), Some(ToolChoice::Named(t)) if t.name == "f")
    );
    let nested = choice(json!({"type": "custom", "custom": {"name": "f"}}));
    assert!(matches!(nested, Some(ToolChoice::Named(t)) if t.flavour == Flavour::Custom));
    let hosted = choice(json!({"type": "file_search"}));
    assert!(matches!(hosted, Some(ToolChoice::Hosted { tool: ServerTool::FileSearch, .. })));
    assert!(matches!(choice(json!({"type": "mcp", "server_label": "s"})), Some(ToolChoice::Opaque(_))));
    let asked = json!({"model": "m", "input": "x", "tools": [{"type": "local_shell"}], "tool_choice": {"type": "local_shell"}});
    assert!(
        matches!(decode(&asked).tool_choice, Some(ToolChoice::Named(t)) if t.flavour == Flavour::LocalShell)
    );
}

#[test]
fn settings_are_typed() {
    let request = decode(&agent_request());
    assert_eq!(request.reasoning.effort, Some(Effort::High));
    assert_eq!(request.reasoning.visibility, Visibility::Detailed);
    assert_eq!(request.sampling.logprobs, Some(true));
    assert!(matches!(request.output_format, OutputFormat::JsonSchema { strict: Some(true), .. }));
    let unknown = decode(
        &json!({"model": "m", "input": "x", "reasoning": {"effort": "ultra", "generate_summary": "auto"}}),
    );
    assert_eq!((unknown.reasoning.effort, unknown.reasoning.visibility), (None, Visibility::Auto));
    assert_eq!(encode(&unknown)["reasoning"], json!({"effort": "ultra", "summary": "auto"}));
}

#[test]
fn hosted_items_are_calls_and_results_and_others_are_kept() {
    let request = decode(&agent_request());
    let part = |tag: &str| {
        let is = |json: &crate::Json| json.to_tree()["type"] == tag;
        request.messages.iter().flat_map(|m| &m.parts).find(|part| match part {
            Part::ServerCall(call) => call.verbatim.as_ref().is_some_and(|v| is(&v.json)),
            Part::ServerResult(result) => result.verbatim.as_ref().is_some_and(|v| is(&v.json)),
            Part::Opaque(block) => is(&block.json),
            Part::Compaction(compaction) => is(&compaction.verbatim.json),
            Part::ConfigChange(change) => change.own(Dialect::Responses).is_some_and(|own| is(&own.json)),
            _ => false,
        })
    };
    assert!(
        matches!(part("web_search_call"), Some(Part::ServerCall(c)) if c.input.get() == r#"{"query":"q"}"#)
    );
    assert!(
        matches!(part("local_shell_call"), Some(Part::ServerCall(c)) if c.tool == ServerTool::CodeExecution)
    );
    assert!(matches!(part("local_shell_call_output"), Some(Part::ServerResult(_))));
    assert!(
        matches!(part("compaction"), Some(Part::Compaction(c)) if c.blob.as_ref().is_some_and(|b| b.data == "gBBBB"))
    );
    assert!(
        matches!(part("configuration_update"), Some(Part::ConfigChange(c)) if c.effort == Some(Effort::Low))
    );
    assert!(matches!(part("additional_tools"), Some(Part::ConfigChange(c)) if c.tools_added.len() == 1));
    assert!(matches!(part("hologram"), Some(Part::Opaque(_))));
    assert!(matches!(part("item_reference"), Some(Part::Opaque(_))));
    let hits = request.messages.iter().flat_map(|m| &m.parts).find_map(|part| match part {
        Part::ServerResult(result) if result.call_id == "ws_1" => Some(result.hits.len()),
        _ => None,
    });
    assert_eq!(hits, Some(1));
}

#[test]
fn t64_a_signature_returns_to_the_call_or_text_that_it_was_on() {
    let carrier = |slot| {
        let blob = crate::ir::Blob { family: Family::Gemini, account: None, slot, data: "c2ln".into() };
        crate::carrier::wrap(&blob)
    };
    let request = decode(&json!({"model": "m", "input": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "t"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": carrier(BlobSlot::Text)},
        {"type": "reasoning", "summary": [], "encrypted_content": carrier(BlobSlot::Call)},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"}
    ]}));
    assert_eq!(request.messages.len(), 3);
    let signed: Vec<_> = request
        .messages
        .iter()
        .flat_map(|m| &m.parts)
        .map(|part| match part {
            Part::Text(text) => text.blob.is_some(),
            Part::ToolCall(call) => call.blob.is_some(),
            _ => false,
        })
        .collect();
    assert_eq!(signed, [true, true, false]);
    // Behind a call there is no text to sign: it stays where it is, and goes back to Gemini on a text without words.
    let request = decode(&json!({"model": "m", "input": [
        {"type": "message", "role": "user", "content": "x"},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "summary": [], "encrypted_content": carrier(BlobSlot::Text)},
        {"type": "function_call_output", "call_id": "a", "output": "y"}
    ]}));
    let facts = ModelFacts { family: Family::Gemini, ..ModelFacts::default() };
    let written =
        crate::codec::encode_request(Dialect::Gemini, &request, &facts, &mut Ids::new("s")).unwrap();
    let sent: Value = serde_json::from_slice(&written.value).unwrap();
    assert_eq!(sent["contents"][1]["parts"][1], json!({"text": "", "thoughtSignature": "c2ln"}));
}

/// A call in an item of its own is signed as that of a function is.
#[test]
fn t64_a_search_of_the_client_has_its_signature_at_gemini() {
    let blob =
        crate::ir::Blob { family: Family::Gemini, account: None, slot: BlobSlot::Call, data: "c2ln".into() };
    let request =
        decode(&json!({"model": "m", "tools": [{"type": "tool_search", "execution": "client"}], "input": [
            {"type": "message", "role": "user", "content": "x"},
            {"type": "reasoning", "summary": [], "encrypted_content": crate::carrier::wrap(&blob)},
            {"type": "tool_search_call", "call_id": "a", "execution": "client", "arguments": {"query": "gh"}},
            {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
            {"type": "tool_search_output", "call_id": "a", "execution": "client", "tools": []},
            {"type": "function_call_output", "call_id": "b", "output": "y"}
        ]}));
    let facts = ModelFacts { family: Family::Gemini, call_signatures: true, ..ModelFacts::default() };
    let written =
        crate::codec::encode_request(Dialect::Gemini, &request, &facts, &mut Ids::new("s")).unwrap();
    let body: Value = serde_json::from_slice(&written.value).unwrap();
    let parts = body["contents"][1]["parts"].as_array().unwrap();
    let signed: Vec<_> =
        parts.iter().map(|part| (&part["functionCall"]["name"], &part["thoughtSignature"])).collect();
    assert_eq!(signed, [(&json!("tool_search"), &json!("c2ln")), (&json!("f"), &Value::Null)], "{body}");
}

#[test]
fn t40_a_picture_in_an_output_is_a_picture() {
    let request = decode(&json!({"model": "m", "input": [
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "data:image/jpeg;base64,iVBORw0KGgoAAAAA"}]}
    ]}));
    let Part::ToolResult(result) = &request.messages[0].parts[0] else { panic!() };
    assert_eq!(request.messages[0].role, Role::Tool);
    // The label was wrong and is corrected.
    assert!(
        matches!(&result.parts[0], Part::Image(image) if matches!(&image.source, Source::Base64 { media_type, .. } if media_type == "image/png"))
    );
}

#[test]
fn the_body_says_whether_to_stream() {
    let request = decode(&json!({"model": "m", "input": "x", "stream": true}));
    assert!(request.stream);
    assert_eq!(request.dialect, Dialect::Responses);
}
