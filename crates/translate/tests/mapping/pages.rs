//! Pages that a vendor read for an answer.

use crate::{
    support::{CHAT, GEMINI, MESSAGES, RESPONSES},
    talk::{Talk, message},
};
use serde_json::{Value, json};

/// An answer of Gemini with this beside its text.
fn answer(beside: &Value) -> Value {
    let mut answer = json!({"responseId": "r", "modelVersion": "up", "usageMetadata": {"promptTokenCount": 1}, "candidates": [
        {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [{"text": "t"}]}}]});
    for (member, value) in beside.as_object().unwrap() {
        answer["candidates"][0][member] = value.clone();
    }
    answer
}

/// Two pages, of which one could not be read; the grounding names the other as a source, without a search.
fn pages() -> Value {
    answer(&json!({
        "urlContextMetadata": {"urlMetadata": [
            {"retrievedUrl": "https://a.example/p", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"},
            {"retrievedUrl": "https://b.example/", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_PAYWALL"}]},
        "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://a.example/p", "title": "A"}}],
            "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 1, "text": "t"}, "groundingChunkIndices": [0]}]},
    }))
}

#[test]
fn of_gemini_to_messages() {
    let stream = format!("data: {}\n\n", pages());
    let got = Talk::new(GEMINI, MESSAGES).whole(&pages());
    let blocks = got["content"].as_array().unwrap();
    let kinds: Vec<_> = blocks.iter().map(|block| block["type"].as_str().unwrap()).collect();
    let pair = ["server_tool_use", "web_fetch_tool_result"];
    assert_eq!(kinds, [&["text"], &pair[..], &pair[..]].concat(), "{got}");
    assert_eq!(blocks[0]["citations"][0]["url"], "https://a.example/p", "{got}");
    assert_eq!(blocks[1]["name"], "web_fetch");
    assert_eq!(blocks[1]["input"], json!({"url": "https://a.example/p"}));
    assert_eq!(blocks[1]["id"], blocks[2]["tool_use_id"]);
    assert_ne!(blocks[1]["id"], blocks[3]["id"]);
    assert_eq!(blocks[2]["content"]["type"], "web_fetch_result");
    assert_eq!(blocks[2]["content"]["url"], "https://a.example/p");
    assert_eq!(blocks[4]["content"]["type"], "web_fetch_tool_result_error");
    let counts = json!({"web_search_requests": 0, "web_fetch_requests": 2});
    assert_eq!(got["usage"]["server_tool_use"], counts, "{got}");
    let talk = Talk::new(GEMINI, MESSAGES);
    let told = talk.told(&stream);
    let begun: Vec<_> = told.iter().filter(|line| line.contains("server_tool_use")).collect();
    assert_eq!(begun, ["1 server_tool_use web_fetch", "3 server_tool_use web_fetch"], "{told:?}");
    let frames = talk.frames(&stream);
    let end = frames.iter().find(|frame| frame["type"] == "message_delta").unwrap();
    assert_eq!(end["usage"]["server_tool_use"], counts, "{end}");
}

#[test]
fn of_gemini_to_responses() {
    let expected = json!([
        {"type": "web_search_call", "status": "completed", "action": {"type": "open_page", "url": "https://a.example/p"}},
        {"type": "web_search_call", "status": "failed", "action": {"type": "open_page", "url": "https://b.example/"}},
    ]);
    let talk = Talk::new(GEMINI, RESPONSES);
    let frames = talk.frames(&format!("data: {}\n\n", pages()));
    let completed = frames.last().unwrap()["response"].clone();
    for got in [talk.whole(&pages()), completed] {
        let mut items = got["output"].as_array().unwrap()[1..].to_vec();
        for item in &mut items {
            item.as_object_mut().unwrap().remove("id");
        }
        assert_eq!(Value::Array(items), expected, "{got}");
    }
}

/// Sources without a query are no search: they are cited, and that is all.
#[test]
fn nothing_was_searched_for() {
    let grounding = json!({"groundingMetadata": {"groundingChunks": [{"retrievedContext": {"uri": "https://s.example", "title": "S"}}],
        "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 1, "text": "t"}, "groundingChunkIndices": [0]}]}});
    for client in [MESSAGES, RESPONSES] {
        let got = Talk::new(GEMINI, client).whole(&answer(&grounding)).to_string();
        assert!(got.contains("https://s.example"), "{got}");
        assert!(!got.contains("\"web_search\"") && !got.contains("web_search_call"), "{got}");
    }
    let searched = json!({"groundingMetadata": {"webSearchQueries": ["q"],
        "groundingChunks": [{"web": {"uri": "https://s.example"}}]}});
    let got = Talk::new(GEMINI, MESSAGES).whole(&answer(&searched));
    assert_eq!(got["usage"]["server_tool_use"]["web_search_requests"], 1, "{got}");
}

/// A page that a part of the answer tells of is not told again for what stands beside it.
#[test]
fn a_page_is_told_once() {
    let mut said = pages();
    said["candidates"][0]["content"]["parts"] = json!([
        {"toolCall": {"id": "u1", "toolType": "URL_CONTEXT", "args": {"urls": ["https://a.example/p"]}}},
        {"toolResponse": {"id": "u1", "toolType": "URL_CONTEXT", "response": {}}},
        {"text": "t"}]);
    let got = Talk::new(GEMINI, MESSAGES).whole(&said);
    assert_eq!(got["usage"]["server_tool_use"]["web_fetch_requests"], 1, "{got}");
}

#[test]
fn of_messages_to_gemini() {
    let call = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_fetch", "input": {"url": "https://a.example"}});
    let result = json!({"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_1", "content": {"type": "web_fetch_result",
        "url": "https://a.example", "retrieved_at": "2026", "content": {"type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "d"}}}});
    let said = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "up",
        "content": [call, result, {"type": "text", "text": "t"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let wanted = json!({"urlMetadata": [
        {"retrievedUrl": "https://a.example", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}]});
    let got = Talk::new(MESSAGES, GEMINI).whole(&said);
    assert_eq!(got["candidates"][0]["urlContextMetadata"], wanted, "{got}");
    assert!(got["candidates"][0].get("groundingMetadata").is_none(), "{got}");
    let block = |at: u8, block: &Value| {
        [
            json!({"type": "content_block_start", "index": at, "content_block": block}),
            json!({"type": "content_block_stop", "index": at}),
        ]
    };
    let stream = message(&[block(0, &call), block(1, &result)].concat(), "end_turn");
    let frames = Talk::new(MESSAGES, GEMINI).frames(&stream);
    assert_eq!(frames.last().unwrap()["candidates"][0]["urlContextMetadata"], wanted);
    // What Gemini itself said is said once, as it was.
    let got = Talk::new(GEMINI, GEMINI).whole(&pages());
    assert_eq!(got["candidates"][0]["urlContextMetadata"], pages()["candidates"][0]["urlContextMetadata"]);
    let got = Talk::new(GEMINI, CHAT).whole(&pages());
    assert_eq!(got["choices"][0]["message"]["content"], "t");
}
