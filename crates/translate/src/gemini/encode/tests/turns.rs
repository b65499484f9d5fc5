//! The conversation: order, calls, results, signatures, media.

use super::*;

const CHAT: Dialect = Dialect::Chat;
const CLAUDE: Dialect = Dialect::Messages;

fn anthropic(messages: &Value) -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": messages})
}

fn contents(dialect: Dialect, body: &Value, facts: &ModelFacts) -> Value {
    sent(dialect, body, facts)["contents"].clone()
}

#[test]
fn t82_t84_t85_turns_in_the_order_that_gemini_wants() {
    let user = |text: &str| json!({"role": "user", "parts": [{"text": text}]});
    let model = |text: &str| json!({"role": "model", "parts": [{"text": text}]});
    for (name, messages, expected) in [
        ("system only", json!([{"role": "system", "content": "s"}]), json!([user(".")])),
        (
            "the model speaks first",
            json!([{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]),
            json!([user("."), model("a"), user("b")]),
        ),
        (
            "same roles are one content",
            json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]),
            json!([{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}, model("c")]),
        ),
        (
            "instructions in the middle keep their place",
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "developer", "content": "c"}]),
            json!([user("a"), model("b"), user("<system-reminder>\nc\n</system-reminder>")]),
        ),
        (
            "empty texts are nothing",
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "b"}]),
            json!([{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]),
        ),
    ] {
        let out = contents(CHAT, &json!({"model": "m", "messages": messages}), &gemini3());
        assert_eq!(out, expected, "{name}");
    }
}

#[test]
fn t83_t95_leading_instructions_are_the_system_instruction() {
    let body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc=1"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
    ]});
    assert_eq!(sent(CLAUDE, &body, &gemini3())["systemInstruction"], json!({"parts": [{"text": "a\n\nb"}]}));
    assert!(sent(CHAT, &chat_with(&json!({})), &gemini3()).get("systemInstruction").is_none());
}

#[test]
fn t58_t59_results_are_objects_under_the_name_of_their_call() {
    let result = |text: &str, failed: bool| {
        let body = anthropic(&json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "grep", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": text, "is_error": failed}]},
        ]));
        contents(CLAUDE, &body, &gemini3())[2]["parts"][0]["functionResponse"].clone()
    };
    for (text, failed, response) in [
        ("plain", false, json!({"output": "plain"})),
        ("{not json", false, json!({"output": "{not json"})),
        (r#"{"a": 1}"#, false, json!({"a": 1})),
        (r#"{"output": "x"}"#, false, json!({"output": "x"})),
        (r#"{"error": {"code": 1}}"#, false, json!({"error": {"code": 1}})),
        // Beside one of Google's own keys the rest would be lost.
        (r#"{"output": "x", "exit": 1}"#, false, json!({"output": {"output": "x", "exit": 1}})),
        (r#"{"exit": 0, "error": null}"#, false, json!({"output": {"exit": 0, "error": null}})),
        (r#"{"output": "x", "exit": 1}"#, true, json!({"error": r#"{"output": "x", "exit": 1}"#})),
        ("[1, 2]", false, json!({"output": [1, 2]})),
        ("12", false, json!({"output": "12"})),
        ("boom", true, json!({"error": "boom"})),
        (r#"{"a": 1}"#, true, json!({"error": r#"{"a": 1}"#})),
    ] {
        let expected = json!({"id": "toolu_1", "name": "grep", "response": response});
        assert_eq!(result(text, failed), expected, "{text}");
    }
}

#[test]
fn t33_t35_t65_all_results_of_a_turn_stand_in_one_content() {
    let body = anthropic(&json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [
            {"type": "text", "text": "go"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"n": 1}},
            {"type": "tool_use", "id": "b", "name": "g", "input": {}},
        ]},
        {"role": "user", "content": [{"type": "text", "text": "by the way"}, {"type": "tool_result", "tool_use_id": "b", "content": "B"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "A"}]},
    ]));
    let out = contents(CLAUDE, &body, &gemini2());
    assert_eq!(
        out,
        json!([
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [
                {"text": "go"},
                {"functionCall": {"id": "a", "name": "f", "args": {"n": 1}}},
                {"functionCall": {"id": "b", "name": "g", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "a", "name": "f", "response": {"output": "A"}}},
                {"functionResponse": {"id": "b", "name": "g", "response": {"output": "B"}}},
                {"text": "by the way"},
            ]},
        ])
    );
}

#[test]
fn t64_the_first_call_of_each_step_is_signed() {
    let carrier = crate::carrier::wrap(&Blob {
        family: Family::Gemini,
        account: None,
        slot: BlobSlot::Call,
        data: "SIG".into(),
    });
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "r"});
    let body = anthropic(&json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": carrier}, call("a"), call("b")]},
        {"role": "user", "content": [result("a"), result("b")]},
        {"role": "assistant", "content": [call("c"), call("d")]},
        {"role": "user", "content": [result("c"), result("d")]},
    ]));
    let signatures = |facts: &ModelFacts| {
        let out = contents(CLAUDE, &body, facts);
        let parts = |at: usize| out[at]["parts"].as_array().unwrap().clone();
        let all: Vec<_> = parts(1).into_iter().chain(parts(3)).collect();
        all.iter()
            .map(|p| p["thoughtSignature"].as_str().unwrap_or("-").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(signatures(&gemini3()), "SIG - skip_thought_signature_validator -");
    assert_eq!(signatures(&gemini2()), "SIG - - -");
}

#[test]
fn t66_t75_thoughts_of_others_are_not_replayed() {
    let sealed =
        |family, slot| crate::carrier::wrap(&Blob { family, account: None, slot, data: "SIG".into() });
    let turn = |signature: &str| {
        let body = anthropic(&json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": [{"type": "text", "text": "b"}, {"type": "thinking", "thinking": "t", "signature": signature}]},
            {"role": "user", "content": "y"},
        ]));
        contents(CLAUDE, &body, &gemini3())[1]["parts"].clone()
    };
    for (signature, expected) in [
        ("EqQBClaude".to_owned(), json!([{"text": "b"}])),
        (sealed(Family::Openai, BlobSlot::Thinking), json!([{"text": "b"}])),
        (
            sealed(Family::Gemini, BlobSlot::Thinking),
            json!([{"text": "b"}, {"text": "t", "thought": true, "thoughtSignature": "SIG"}]),
        ),
        (
            sealed(Family::Gemini, BlobSlot::Text),
            json!([{"text": "b"}, {"text": "", "thoughtSignature": "SIG"}]),
        ),
    ] {
        assert_eq!(turn(&signature), expected, "{signature}");
    }
}

#[test]
fn t39_t40_images_in_results_by_generation() {
    let body = anthropic(&json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [
            {"type": "text", "text": "look"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        ]}]},
    ]));
    let image = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    let response = json!({"output": "look"});
    assert_eq!(
        contents(CLAUDE, &body, &gemini3())[2]["parts"],
        json!([{"functionResponse": {"id": "a", "name": "f", "response": response, "parts": [image]}}])
    );
    assert_eq!(
        contents(CLAUDE, &body, &gemini2())[2]["parts"],
        json!([{"functionResponse": {"id": "a", "name": "f", "response": response}}, image])
    );
}

#[test]
fn arguments_are_objects_whatever_came() {
    let out = |call: &Value| {
        let body = json!({"model": "m", "messages": [
            {"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "r"},
        ]});
        contents(CHAT, &body, &gemini2())[1]["parts"][0]["functionCall"]["args"].clone()
    };
    for (arguments, expected) in [
        (r#"{"a":1}"#, json!({"a": 1})),
        ("", json!({})),
        ("null", json!({})),
        ("\"x\"", json!({"value": "x"})),
        ("{\"a\":", json!({"_raw": "{\"a\":"})),
    ] {
        let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}});
        assert_eq!(out(&call), expected, "{arguments}");
    }
    let custom = json!({"id": "c", "type": "custom", "custom": {"name": "f", "input": "free"}});
    assert_eq!(out(&custom), json!({"input": "free"}));
}

#[test]
fn t111_media_travel_as_bytes_or_addresses() {
    let body = |parts: Value| json!({"model": "m", "messages": [{"role": "user", "content": parts}]});
    let pdf = "data:application/pdf;base64,JVBE";
    for (part, expected) in [
        (
            json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
            json!({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}),
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}}),
            json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "https://x.org/a.png?s=1"}}),
            json!({"fileData": {"mimeType": "image/png", "fileUri": "https://x.org/a.png?s=1"}}),
        ),
        (
            json!({"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}}),
            json!({"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}}),
        ),
    ] {
        assert_eq!(contents(CHAT, &body(json!([part])), &gemini3())[0]["parts"], json!([expected]));
    }
}

#[test]
fn documents_and_search_results_are_text_under_their_title() {
    let body = anthropic(&json!([{"role": "user", "content": [
        {"type": "document", "title": "T", "context": "C", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "search_result", "title": "S", "source": "https://x.org", "content": [{"type": "text", "text": "found"}]},
    ]}]));
    assert_eq!(
        contents(CLAUDE, &body, &gemini3())[0]["parts"],
        json!([{"text": "T\nC\n\nwords"}, {"text": "S\nhttps://x.org\n\nfound"}])
    );
}

#[test]
fn made_up_ids_are_not_written_back() {
    let id = crate::content_id("call_", &["x"]);
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": id, "content": "r"},
    ]});
    assert!(!contents(CHAT, &body, &gemini3()).to_string().contains("\"id\""));
}

/// A document of parts is no media: its text is told in the answer of the function, its pictures are shown.
#[test]
fn a_document_of_parts_in_a_result_is_its_parts() {
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}});
    let document = json!({"type": "document", "title": "T", "source": {"type": "content", "content": [
        {"type": "text", "text": "CONTENT"}, image]}});
    let body = json!({"model": "m", "max_tokens": 100, "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [document]}]},
    ]});
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    for (facts, inside) in [(gemini3(), true), (gemini2(), false)] {
        let parts = sent(Dialect::Messages, &body, &facts)["contents"][2]["parts"].clone();
        let answer = &parts[0]["functionResponse"];
        assert_eq!(answer["response"], json!({"output": "T\n\nCONTENT"}), "{parts}");
        let shown = if inside { &answer["parts"][0] } else { &parts[1] };
        assert_eq!(*shown, picture, "{parts}");
        assert_eq!(answer.get("parts").is_some(), inside, "{parts}");
    }
}
