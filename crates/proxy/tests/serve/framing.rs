//! An upstream that streams although it was asked for a whole answer.

use super::{always, read, request, start_providers};

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_not_count_is_estimated_for_every_client() {
    let frames = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"One two three.\"},\"finish_reason\":null}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
    );
    let base = always(200, "text/event-stream", frames).await;
    let provider =
        format!("  mine: {{ kind: openai, api_key: sk-0123456789, base_url: '{base}', models: [m] }}\n");
    let running = start_providers(&provider, "").await;
    for (client, counts) in [
        ("chat", ["/usage/prompt_tokens", "/usage/completion_tokens"]),
        ("responses", ["/usage/input_tokens", "/usage/output_tokens"]),
        ("messages", ["/usage/input_tokens", "/usage/output_tokens"]),
        ("gemini", ["/usageMetadata/promptTokenCount", "/usageMetadata/candidatesTokenCount"]),
    ] {
        let (path, asked) = request(client, "mine/m", false, "Count to three.");
        let answer = running.post(&path, asked).send().await.unwrap();
        assert_eq!(answer.headers()["x-byok-usage"], "estimated", "{client}");
        let (status, said) = read(answer).await;
        assert_eq!(status, 200, "{client}: {said}");
        assert!(said.to_string().contains("One two three."), "{client}: {said}");
        for count in counts {
            assert!(
                said.pointer(count).and_then(serde_json::Value::as_u64) > Some(0),
                "{client} {count}: {said}"
            );
        }
    }
}
