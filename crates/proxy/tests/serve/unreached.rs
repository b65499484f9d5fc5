//! A server that cannot be reached.

use super::{request, start_providers};

#[tokio::test]
async fn a_server_that_cannot_be_reached_lets_others_serve_first() {
    // Nobody listens on port 9 of this machine.
    let running = start_providers(
        "  dead: { kind: anthropic, api_key: sk-ant-api03-0123456789, base_url: 'http://127.0.0.1:9', models: [claude-sonnet-5] }\n",
        "aliases: { best: [dead/claude-sonnet-5, claude/claude-sonnet-5] }\n",
    )
    .await;
    let ask = async |model: &str| {
        let (path, body) = request("messages", model, false, "Hi.");
        let answer = running.post(&path, body).send().await.unwrap();
        let attempts = answer.headers()["x-byok-attempts"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), attempts)
    };
    // Three tries to reach it, then the next one.
    assert_eq!(ask("best").await, (200, "4".to_owned()));
    assert_eq!(ask("best").await, (200, "1".to_owned()));
    // Where no other can serve it is asked all the same.
    assert_eq!(ask("dead/claude-sonnet-5").await, (502, "3".to_owned()));
}
