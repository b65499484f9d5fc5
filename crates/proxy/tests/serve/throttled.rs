//! A vendor that tells of a limit inside of an answer, as its text.

use super::{always, start_providers};
use serde_json::{Value, json};

/// The providers of a server that gives every request the same answer.
async fn server(kind: &'static str, body: String) -> String {
    let base = always(200, kind, body).await;
    format!("  qwen: {{ api_key: sk-0123456789, base_url: '{base}/v1' }}\n")
}

fn chunk(content: &str, finish: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": {"content": content}, "finish_reason": finish});
    format!("data: {}\n\n", json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
}

fn asked(stream: bool) -> String {
    json!({"model": "qwen3.6-plus", "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_told_as_text_is_an_error() {
    const CHAT: &str = "/v1/chat/completions";
    let limit = json!({"error": {"message": "Requests throttling triggered: TPM"}}).to_string();
    // In the middle, in words and in JSON: what came before stays, and one error ends the stream.
    for (told, words) in
        [("throttled by TPM", "throttled by TPM"), (&limit, "Requests throttling triggered: TPM")]
    {
        let body = chunk("abc", None) + &chunk(told, Some("error_finish")) + "data: [DONE]\n\n";
        let running = start_providers(&server("text/event-stream", body).await, "").await;
        let text = running.post(CHAT, asked(true)).send().await.unwrap().text().await.unwrap();
        let data: Vec<Value> =
            text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
        let [said, failed] = &data[..] else { panic!("{text}") };
        assert_eq!(said["choices"][0]["delta"]["content"], "abc", "{text}");
        assert_eq!(failed["error"]["message"], words, "{text}");
        assert!(!text.contains("error_finish\"}]"), "{text}");
        assert_eq!(running.record(1).await.error.as_deref(), Some("RateLimit"), "{text}");
    }
    // Before anything else, or in a whole answer: the status that a limit has, with the vendor's words.
    let first = chunk(&limit, Some("error_finish")) + "data: [DONE]\n\n";
    let message = json!({"role": "assistant", "content": limit});
    let whole =
        json!({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "error_finish"}]});
    for (kind, body, stream) in
        [("text/event-stream", first, true), ("application/json", whole.to_string(), false)]
    {
        let running = start_providers(&server(kind, body).await, "").await;
        let answer = running.post(CHAT, asked(stream)).send().await.unwrap();
        let (status, answer) = super::read(answer).await;
        assert_eq!(status, 429, "{answer}");
        let said = answer["error"]["message"].as_str().unwrap();
        assert!(said.starts_with("Requests throttling triggered: TPM"), "{said}");
    }
}
