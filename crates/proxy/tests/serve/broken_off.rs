//! Answers that do not come to their end: what their records count.

use super::{request, start};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_is_estimated_where_nothing_was_stated() {
    let running = start("").await;
    let mut records = 0;
    for (client, model) in [("messages", "codex/gpt-4o"), ("gemini", "rs/gpt-5.1"), ("chat", "rs/gpt-5.1")] {
        let words = "one two three four five six seven eight";
        for (wish, error) in [("close_mid 3", true), ("stall_mid 3", false)] {
            let (path, body) = request(client, model, true, &format!("sim:{wish} sim:text {words}"));
            let mut answer = running.post(&path, body).send().await.unwrap();
            let what = format!("{client} {model} {wish}");
            assert_eq!(answer.status().as_u16(), 200, "{what}");
            if error {
                let told = answer.text().await.unwrap();
                assert!(told.contains("error"), "{what}: {told}");
            } else {
                // The client leaves after the first words.
                let mut told = String::new();
                while !told.contains("one") {
                    told += &String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap());
                }
                drop(answer);
            }
            records += 1;
            let record = running.record(records).await;
            assert_eq!(record.error.is_some(), error, "{what}: {record:?}");
            assert!(record.usage.estimated, "{what}: {record:?}");
            assert!(record.usage.output.is_some_and(|tokens| tokens > 0), "{what}: {record:?}");
        }
    }
}
