//! Turn order, content and fields of encoded requests.

use super::*;
use crate::ir::{
    Audio, Blob, BlobSlot, Document, Extra, Image, MaxTokens, MaxTokensSpelling, OutputFormat, Sampling,
    Source, Text, Thinking,
};
use byok_types::StructuredOutput;
use serde_json::json;

fn thinking(text: &str, family: Family) -> Part {
    let blob = Blob { family, account: None, slot: BlobSlot::Thinking, data: "SIG".into() };
    Part::Thinking(Thinking { summary: vec![text.into()], blob: Some(blob), ..Thinking::default() })
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn turns_are_brought_into_the_order_that_the_vendor_takes() {
    use Role::{Assistant, Developer, System, Tool, User};
    let message = |role, parts: &[Part]| Message::new(role, parts.to_vec());
    let text = |text: &str| Part::text(text);
    let no_result = "[no result was recorded]";
    let cases: Vec<(&str, Vec<Message>, String)> = vec![
        (
            "t33 results of one turn are in one turn",
            vec![
                says(User, "x"),
                message(Assistant, &[call("a"), call("b")]),
                message(Tool, &[result("a", "1")]),
                message(Tool, &[result("b", "2")]),
            ],
            "user(`x`) assistant(tool_use:a tool_use:b) user(tool_result:a=1 tool_result:b=2)".into(),
        ),
        (
            "t34 results come before text",
            vec![
                says(User, "x"),
                message(Assistant, &[call("a")]),
                message(User, &[text("and"), result("a", "1")]),
            ],
            "user(`x`) assistant(tool_use:a) user(tool_result:a=1 `and`)".into(),
        ),
        (
            "t38 text before calls stays",
            vec![says(User, "x"), says(Assistant, "look"), message(Assistant, &[call("a")])],
            format!("user(`x`) assistant(`look` tool_use:a) user(tool_result:a={no_result})"),
        ),
        (
            "text after calls is written before them",
            vec![says(User, "x"), message(Assistant, &[call("a"), text("look")])],
            format!("user(`x`) assistant(`look` tool_use:a) user(tool_result:a={no_result})"),
        ),
        (
            "t42 the last of two results counts",
            vec![
                says(User, "x"),
                message(Assistant, &[call("a")]),
                message(Tool, &[result("a", "1"), result("a", "2")]),
            ],
            "user(`x`) assistant(tool_use:a) user(tool_result:a=2)".into(),
        ),
        (
            "t55 ids in letters that the vendor takes",
            vec![
                says(User, "x"),
                message(Assistant, &[call("functions.f:0"), call("functions:f.0")]),
                message(Tool, &[result("functions.f:0", "1"), result("functions:f.0", "2")]),
            ],
            "user(`x`) assistant(tool_use:functions_f_0 tool_use:functions_f_0_2) \
             user(tool_result:functions_f_0=1 tool_result:functions_f_0_2=2)"
                .into(),
        ),
        (
            "t62 a result without its call becomes text",
            vec![message(Tool, &[result("gone", "1")])],
            "user(`[result of an earlier tool call]` `1`)".into(),
        ),
        (
            "t81 no empty text beside calls",
            vec![
                says(User, "x"),
                message(Assistant, &[text(""), call("a")]),
                message(Tool, &[result("a", "1")]),
            ],
            "user(`x`) assistant(tool_use:a) user(tool_result:a=1)".into(),
        ),
        ("t84 instructions alone", vec![says(System, "s")], "user(`.`)".into()),
        (
            "the user begins",
            vec![says(Assistant, "a"), says(User, "x")],
            "user(`.`) assistant(`a`) user(`x`)".into(),
        ),
        (
            "an empty user turn says something",
            vec![says(User, "x"), says(Assistant, "a"), says(User, " ")],
            "user(`x`) assistant(`a`) user(`.`)".into(),
        ),
        (
            "an empty assistant turn is left out",
            vec![says(User, "x"), says(Assistant, ""), says(User, "y")],
            "user(`x` `y`)".into(),
        ),
        (
            "t63 t66 reasoning of others is left out, Claude's own stays",
            vec![
                says(User, "x"),
                message(
                    Assistant,
                    &[thinking("o", Family::Openai), thinking("c", Family::Claude), text("a")],
                ),
                says(User, "y"),
            ],
            "user(`x`) assistant(thinking `a`) user(`y`)".into(),
        ),
        (
            "no turn ends in reasoning",
            vec![
                says(User, "x"),
                message(Assistant, &[thinking("c", Family::Claude)]),
                says(User, "y"),
                message(Assistant, &[text("a"), thinking("c", Family::Claude)]),
                says(User, "z"),
            ],
            "user(`x` `y`) assistant(`a`) user(`z`)".into(),
        ),
        (
            "t70 reasoning without a signature is left out",
            vec![
                says(User, "x"),
                message(
                    Assistant,
                    &[
                        Part::Thinking(Thinking { summary: vec!["t".into()], ..Thinking::default() }),
                        text("a"),
                    ],
                ),
                says(User, "y"),
            ],
            "user(`x`) assistant(`a`) user(`y`)".into(),
        ),
        (
            "a prefill is trimmed",
            vec![says(User, "x"), says(Assistant, "{ \n")],
            "user(`x`) assistant(`{`)".into(),
        ),
        (
            "instructions in the middle keep their place",
            vec![says(User, "x"), says(Developer, "d"), says(User, "y")],
            "user(`x`) system(`d`) user(`y`)".into(),
        ),
        (
            "instructions after an answer follow a user turn",
            vec![says(User, "x"), says(Assistant, "a"), says(System, "s")],
            "user(`x`) assistant(`a`) user(`.`) system(`s`)".into(),
        ),
    ];
    for (name, messages, expected) in cases {
        assert_eq!(outline(&encoded(&chat(messages), &claude()).0), expected, "{name}");
    }
}

#[test]
fn t82_a_model_without_system_turns_gets_reminders() {
    let request = chat(vec![
        says(Role::System, "first"),
        says(Role::User, "x"),
        says(Role::System, "later"),
        says(Role::User, "y"),
    ]);
    let (body, losses) = encoded(&request, &old_claude());
    assert_eq!(body["system"][0]["text"], "first");
    assert_eq!(outline(&body), "user(`x` `<system-reminder>\nlater\n</system-reminder>` `y`)");
    assert_eq!(losses[0].field, "messages[2].content[0]");
}

#[test]
fn t87_a_prefill_is_dropped_where_it_is_refused() {
    let request = chat(vec![says(Role::User, "x"), says(Role::Assistant, "{")]);
    let (body, losses) = encoded(&request, &ModelFacts { prefill: false, ..claude() });
    assert_eq!(outline(&body), "user(`x`)");
    assert_eq!(losses[0].field, "messages");
}

#[test]
fn t109_the_cap_is_the_models_own_if_none_was_named() {
    let limit = |facts: &ModelFacts, cap: Option<u64>| {
        let mut request = chat(vec![says(Role::User, "x")]);
        request.max_tokens =
            cap.map(|value| MaxTokens { value, spelling: MaxTokensSpelling::MaxCompletionTokens });
        encoded(&request, facts).0["max_tokens"].clone()
    };
    assert_eq!(limit(&claude(), None), 64_000);
    assert_eq!(limit(&claude(), Some(100)), 100);
    assert_eq!(limit(&claude(), Some(1_000_000)), 64_000);
    assert_eq!(limit(&ModelFacts { max_output_tokens: None, ..claude() }, None), 32_000);
}

#[test]
fn t105_sampling_is_cut_to_what_the_vendor_takes() {
    let sampling = |temperature, top_p, top_k, facts: &ModelFacts| {
        let mut request = chat(vec![says(Role::User, "x")]);
        request.sampling =
            Sampling { temperature, top_p, top_k, stop: vec!["a".into(), " ".into()], ..Sampling::default() };
        let (body, _) = encoded(&request, facts);
        assert_eq!(body["stop_sequences"], json!(["a"]));
        json!([body["temperature"], body["top_p"], body["top_k"]])
    };
    assert_eq!(sampling(Some(0.2), Some(0.9), None, &claude()), json!([0.2, null, null]));
    assert_eq!(sampling(None, Some(0.9), Some(40.0), &claude()), json!([null, 0.9, 40]));
    assert_eq!(sampling(Some(1.7), None, None, &claude()), json!([1.0, null, null]));
    let none = ModelFacts { temperature: false, top_p: false, top_k: false, ..claude() };
    assert_eq!(sampling(Some(0.2), Some(0.9), Some(3.0), &none), json!([null, null, null]));
}

#[test]
fn what_cannot_be_served_is_refused_by_its_name() {
    let user = |part: Part| chat(vec![says(Role::User, "x"), Message::new(Role::User, vec![part])]);
    let image = |source| Part::Image(Image { source, detail: None, cache: None, extra: Extra::default() });
    let url = || image(Source::Url { url: "https://e.org/a.png".into(), media_type: None });
    let bytes_only = || {
        let mut facts = claude();
        facts.input.url = false;
        facts
    };
    let bmp = image(Source::Base64 { media_type: "image/bmp".into(), data: "AAAA".into() });
    let with = |change: fn(&mut Request)| {
        let mut request = chat(vec![says(Role::User, "x")]);
        change(&mut request);
        request
    };
    let place = "messages[1].content[0]";
    let cases = [
        (with(|r| r.sampling.n = Some(2)), claude(), "n"),
        (with(|r| r.state.previous_response_id = Some("resp_1".into())), claude(), "previous_response_id"),
        (with(|r| r.state.background = Some(true)), claude(), "background"),
        (with(|r| r.cache.cached_content = Some("c".into())), claude(), "cachedContent"),
        (user(Part::Audio(Audio::default())), claude(), place),
        (user(image(Source::FileId("file_1".into()))), claude(), place),
        (user(bmp), claude(), place),
        (user(url()), bytes_only(), place),
    ];
    for (request, facts, field) in cases {
        let failure = encode_request(&request, &facts, &mut Ids::new("t")).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(field)), "{}", failure.message);
        assert!(failure.message.ends_with('.'), "{}", failure.message);
    }
    assert!(encode_request(&user(url()), &claude(), &mut Ids::new("t")).is_ok());
}

#[test]
fn t40_t88_media_and_documents() {
    let document = |source| {
        Part::Document(Document {
            source,
            filename: Some("a.pdf".into()),
            title: None,
            context: None,
            citations: None,
            detail: None,
            cache: None,
            extra: Extra::default(),
        })
    };
    let base64 =
        |media_type: &str, data: &str| Source::Base64 { media_type: media_type.into(), data: data.into() };
    let image = Part::Image(Image {
        source: base64("image/png", "AAAA"),
        detail: Some("high".into()),
        cache: None,
        extra: Extra::default(),
    });
    let shown = ToolResult { call_id: "a".into(), parts: vec![image], ..ToolResult::default() };
    let request = chat(vec![
        Message::new(
            Role::User,
            vec![document(base64("application/pdf", "AAAA")), document(base64("text/plain", "aGk="))],
        ),
        Message::new(Role::Assistant, vec![call("a")]),
        Message::new(Role::Tool, vec![Part::ToolResult(shown)]),
    ]);
    let (body, _) = encoded(&request, &claude());
    let blocks = &body["messages"][0]["content"];
    assert_eq!(
        blocks[0]["source"],
        json!({"type": "base64", "media_type": "application/pdf", "data": "AAAA"})
    );
    assert_eq!(blocks[0]["title"], "a.pdf");
    assert_eq!(blocks[1]["source"], json!({"type": "text", "media_type": "text/plain", "data": "hi"}));
    let result = &body["messages"][2]["content"][0];
    assert_eq!(result["content"][0]["source"]["media_type"], "image/png");
}

#[test]
fn failed_results_say_so_in_text() {
    let failed =
        |parts| ToolResult { call_id: "a".into(), parts, is_error: Some(true), ..ToolResult::default() };
    let request = chat(vec![
        says(Role::User, "x"),
        Message::new(Role::Assistant, vec![call("a")]),
        Message::new(Role::Tool, vec![Part::ToolResult(failed(Vec::new()))]),
    ]);
    let result = encoded(&request, &claude()).0["messages"][2]["content"][0].clone();
    assert_eq!(result["is_error"], true);
    assert_eq!(result["content"], "[the tool failed without a message]");
}

#[test]
fn arguments_are_objects() {
    for (arguments, expected) in [
        ("", json!({})),
        ("null", json!({})),
        (" {\"a\":1e5} ", json!({"a": 1e5})),
        ("[1]", json!({"value": [1]})),
        ("{\"a\":", json!({"_raw": "{\"a\":"})),
    ] {
        let call = ToolCall {
            call_id: "a".into(),
            name: "f".into(),
            arguments: arguments.into(),
            ..ToolCall::default()
        };
        let request =
            chat(vec![says(Role::User, "x"), Message::new(Role::Assistant, vec![Part::ToolCall(call)])]);
        assert_eq!(encoded(&request, &claude()).0["messages"][1]["content"][0]["input"], expected);
    }
}

#[test]
fn t95_attribution_text_goes_to_claude_only() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"system":[
        {"type":"text","text":"x-anthropic-billing-header: cc_version=1; cch=00000;"},{"type":"text","text":"s"}]}"#;
    let request = decoded(body);
    assert!(is_billing_block(&request.system[0]) && !is_billing_block(&request.system[1]));
    assert_eq!(encoded(&request, &claude()).0["system"].as_array().unwrap().len(), 2);
    let kimi = ModelFacts { family: Family::Other, first_party: false, ..claude() };
    let (body, losses) = encoded(&request, &kimi);
    assert_eq!(body["system"], json!([{"type": "text", "text": "s"}]));
    assert_eq!(losses[0].field, "system[0]");
}

#[test]
fn structured_output_takes_the_form_of_the_model() {
    let schema =
        Json::parse(r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1}}}"#).unwrap();
    let request = |format: OutputFormat, tools: Vec<Tool>| {
        let mut request = chat(vec![says(Role::User, "x")]);
        request.output_format = format;
        request.tools = tools;
        request
    };
    let by_schema = || OutputFormat::JsonSchema {
        name: Some("n".into()),
        description: None,
        schema: schema.clone(),
        strict: Some(true),
        extra: Extra::default(),
    };
    let facts = |structured_output| ModelFacts { structured_output, ..claude() };
    let (native, _) = encoded(&request(by_schema(), vec![]), &facts(StructuredOutput::Native));
    let format = &native["output_config"]["format"];
    assert_eq!(
        (&format["type"], &format["schema"]["additionalProperties"]),
        (&json!("json_schema"), &json!(false))
    );
    assert_eq!(format["schema"]["properties"]["a"]["minimum"], Value::Null);

    let (forced, losses) = encoded(&request(by_schema(), vec![]), &facts(StructuredOutput::ForcedTool));
    assert_eq!(forced["tools"][0]["name"], FORCED_TOOL);
    assert_eq!(forced["tool_choice"], json!({"type": "tool", "name": FORCED_TOOL}));
    assert_eq!(forced["output_config"], Value::Null);
    assert_eq!(losses[0].field, "response_format");
    let (beside, _) =
        encoded(&request(by_schema(), vec![function("f")]), &facts(StructuredOutput::ForcedTool));
    assert_eq!(beside["tool_choice"], json!({"type": "any"}));

    let (hint, _) = encoded(&request(by_schema(), vec![]), &facts(StructuredOutput::Hint));
    assert!(hint["system"][0]["text"].as_str().unwrap().contains("\"minimum\":1"));
    let (object, _) = encoded(&request(OutputFormat::JsonObject, vec![]), &claude());
    assert!(object["system"][0]["text"].as_str().unwrap().contains("JSON object"));
}

#[test]
fn fields_without_a_counterpart_are_reported() {
    let mut request = chat(vec![says(Role::User, "x")]);
    request.sampling = Sampling { seed: Some(1), presence_penalty: Some(0.1), ..Sampling::default() };
    request.end_user.user = Some("u".into());
    request.extra.push(Dialect::Chat, "reasoning_format", Json::string("raw"));
    request.service_tier = Some("default".into());
    let (body, losses) = encoded(&request, &claude());
    let fields: Vec<_> = losses.iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(fields, ["seed", "presence_penalty", "reasoning_format"]);
    assert_eq!(body["metadata"], json!({"user_id": "u"}));
    assert_eq!(body["service_tier"], "standard_only");
}

#[test]
fn the_same_prefix_is_written_with_the_same_bytes() {
    let mut messages = vec![says(Role::User, "x"), Message::new(Role::Assistant, vec![call("a.b")])];
    messages.push(Message::new(Role::Tool, vec![result("a.b", "1")]));
    let kimi = ModelFacts { family: Family::Other, ..claude() };
    let bytes = |messages: &[Message]| {
        encode_request(&chat(messages.to_vec()), &kimi, &mut Ids::new("t")).unwrap().value
    };
    let short = bytes(&messages);
    messages.push(says(Role::Assistant, "done"));
    messages.push(Message::new(Role::User, vec![Part::Text(Text::new("more"))]));
    let long = bytes(&messages);
    let end = short.len() - "]}".len();
    assert_eq!(short[..end], long[..end]);
}
