//! The memory of running translations.

use super::{request, start};

#[tokio::test]
async fn without_room_new_translations_wait_and_what_passes_does_not() {
    let running = start("limits: { translation_memory: 1MiB }").await;
    running.app.rebuild().await;
    let mut share = running.budget.share();
    share.hold(2 << 20);
    for stream in [false, true] {
        let (path, body) = request("messages", "gpt-4o", stream, "Hi.");
        let answer = running.post(&path, body).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "1"));
        assert!(answer.text().await.unwrap().contains("translation_memory"));
        let (path, body) = request("messages", "claude-sonnet-5", stream, "Hi.");
        assert_eq!(running.post(&path, body).send().await.unwrap().status(), 200, "what passes through");
    }
    drop(share);
    let (path, body) = request("messages", "gpt-4o", false, "Hi.");
    assert_eq!(running.post(&path, body).send().await.unwrap().status(), 200);
}
