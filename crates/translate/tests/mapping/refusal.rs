//! Why a vendor declined, in its own words: whole answers and streams of all clients.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{Talk, events},
};
use byok_types::Dialect;
use serde_json::{Value, json};

/// An answer of Claude that declines, whole and as a stream.
fn declined(said: Option<&str>) -> (Value, String) {
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let details = json!({"type": "refusal", "category": "cyber", "explanation": "because"});
    let content: Vec<_> = said.iter().map(|text| json!({"type": "text", "text": text})).collect();
    let mut answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up", "content": content,
        "stop_reason": "refusal", "stop_sequence": null, "stop_details": details, "usage": usage});
    let whole = answer.clone();
    answer["content"] = json!([]);
    answer["stop_reason"] = Value::Null;
    let mut stream = vec![json!({"type": "message_start", "message": answer})];
    if let Some(text) = said {
        stream.push(
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        );
        stream.push(
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        );
        stream.push(json!({"type": "content_block_stop", "index": 0}));
    }
    stream.push(json!({"type": "message_delta", "usage": usage,
        "delta": {"stop_reason": "refusal", "stop_sequence": null, "stop_details": details}}));
    stream.push(json!({"type": "message_stop"}));
    (whole, events(&stream))
}

/// An answer of Gemini that its vendor cut off.
fn filtered() -> Value {
    json!({"responseId": "r", "modelVersion": "up", "usageMetadata": {"promptTokenCount": 1}, "candidates": [
        {"index": 0, "finishReason": "SAFETY", "finishMessage": "because",
         "content": {"role": "model", "parts": [{"text": "part"}]}}]})
}

#[test]
fn explanations_in_whole_answers() {
    for said in [None, Some("part")] {
        let (whole, _) = declined(said);
        let got = Talk::new(MESSAGES, CHAT).whole(&whole);
        let choice = &got["choices"][0];
        assert_eq!(choice["message"]["refusal"], "because", "{got}");
        assert_eq!(choice["message"]["content"], json!(said), "{got}");
        assert_eq!(choice["finish_reason"], "content_filter", "{got}");
        let got = Talk::new(MESSAGES, GEMINI).whole(&whole);
        assert_eq!(got["candidates"][0]["finishMessage"], "because", "{got}");
        let got = Talk::new(MESSAGES, RESPONSES).whole(&whole).to_string();
        assert!(got.contains(r#""refusal":"because""#), "{got}");
    }
    let got = Talk::new(GEMINI, CHAT).whole(&filtered());
    assert_eq!(got["choices"][0]["message"]["refusal"], "because", "{got}");
    let got = Talk::new(GEMINI, MESSAGES).whole(&filtered());
    assert_eq!(got["stop_details"]["explanation"], "because", "{got}");
    // Within the dialect the vendor's member is said once.
    let got = Talk::new(GEMINI, GEMINI).whole(&filtered());
    assert_eq!(got["candidates"][0]["finishMessage"], "because", "{got}");
}

#[test]
fn explanations_in_streams() {
    for said in [None, Some("part")] {
        let (_, stream) = declined(said);
        let told = Talk::new(MESSAGES, CHAT).told(&stream);
        let text = said.map(|text| format!("content: {text}"));
        let end = ["refusal: because", "finish content_filter", "[DONE]"].map(str::to_owned);
        assert_eq!(told, text.into_iter().chain(end).collect::<Vec<_>>());
        let frames = Talk::new(MESSAGES, GEMINI).frames(&stream);
        let last = frames.last().unwrap();
        assert_eq!(last["candidates"][0]["finishMessage"], "because", "{last}");
    }
    let stream = format!("data: {}\n\n", filtered());
    for (client, wanted) in [
        (CHAT, r#""delta":{"refusal":"because"}"#),
        (MESSAGES, r#""explanation":"because""#),
        (GEMINI, r#""finishMessage":"because""#),
    ] {
        let got = Talk::new(GEMINI, client).bytes(&stream);
        assert_eq!(got.matches(wanted).count(), 1, "{client:?}: {got}");
    }
}

#[test]
fn explanations_of_blocked_prompts() {
    let feedback = json!({"blockReason": "SAFETY", "blockReasonMessage": "because"});
    let blocked = json!({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 1}});
    for (client, place) in [
        (CHAT, "/choices/0/message/refusal"),
        (MESSAGES, "/stop_details/explanation"),
        (RESPONSES, "/output/0/content/0/refusal"),
    ] {
        let got = Talk::new(GEMINI, client).whole(&blocked);
        assert_eq!(got.pointer(place), Some(&json!("because")), "{got}");
    }
}

/// Words before a refusal that nobody explains do not make a plain success of it.
#[test]
fn t123_refusals_without_an_explanation() {
    let details = json!({"type": "refusal", "category": "cyber", "explanation": "because"}).to_string();
    let (whole, stream) = declined(Some("part"));
    let whole: Value = serde_json::from_str(&whole.to_string().replace(&details, "null")).unwrap();
    let got = Talk::new(MESSAGES, RESPONSES).whole(&whole);
    let content = got["output"][0]["content"].as_array().unwrap();
    let kinds: Vec<_> = content.iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["output_text", "refusal"], "{got}");
    let told = Talk::new(MESSAGES, RESPONSES).told(&stream.replace(&details, "null"));
    let refusals: Vec<_> = told.iter().filter(|line| line.contains("refusal.delta")).collect();
    assert_eq!(refusals, ["0 refusal.delta: The model declined to answer."], "{told:?}");
}

/// A refusal in the model's own words is not explained a second time, and no other end is.
#[test]
fn nothing_is_explained_twice() {
    let usage = json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2});
    let refused = json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "up", "status": "completed",
        "usage": usage, "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed",
            "content": [{"type": "refusal", "refusal": "no"}]}]});
    let got = Talk::new(RESPONSES, CHAT).whole(&refused);
    assert_eq!(got["choices"][0]["message"]["refusal"], "no", "{got}");
    assert_eq!(got["choices"][0]["finish_reason"], "stop", "{got}");
    let mut done = filtered();
    done["candidates"][0]["finishReason"] = "STOP".into();
    for client in [CHAT, MESSAGES, RESPONSES] {
        let got = Talk::new(Dialect::Gemini, client).whole(&done).to_string();
        assert!(!got.contains("because"), "{client:?}: {got}");
    }
}
