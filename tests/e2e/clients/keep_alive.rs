//! Signs of life, in the form that the clients of each dialect stand.

use crate::support::{
    dialect,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use serde_json::json;

/// The frames of a stream as they came, comments among them.
fn frames(text: &str) -> Vec<&str> {
    text.split("\n\n").filter(|frame| !frame.is_empty()).collect()
}

#[tokio::test]
async fn a_sign_of_life_is_a_frame_of_its_own_that_no_client_reads() {
    let world = World::with(json!({"timeouts": {"keep_alive": "40ms", "hold": "60ms"}})).await;
    each(Pair::streams(), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:pace 150 200 sim:text One two three")).await;
        let said = dialect::read(pair.client, true, &answer)?;
        equal("text", &said.text.as_str(), &"One two three")?;
        let text = answer.text().replace("\r\n", "\n");
        let mut signs = 0;
        for frame in frames(&text) {
            if !frame.contains("\n:") && !frame.starts_with(':') {
                // What is data is never a sign of life.
                equal("data", &frame.contains("keep"), &false).map_err(|e| format!("{e}: {frame}"))?;
                continue;
            }
            // The comment stands alone: no id, no event, no data, which some clients choke on.
            equal("a frame of its own", &frame, &": keep-alive")?;
            signs += 1;
        }
        equal("signs", &(signs >= 2), &true).map_err(|error| format!("{error}: {text}"))?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_sign_of_life_never_cuts_a_frame() {
    let world = World::with(json!({"timeouts": {"keep_alive": "20ms", "hold": "30ms"}})).await;
    each(Pair::streams(), async |pair| {
        // Chunks of the upstream end inside of characters, and so of frames.
        let answer = pair.send(&world, &pair.ask("sim:split_utf8 sim:pace 120 sim:text ☂☂☂ ☂☂☂ ☂☂☂")).await;
        let said = dialect::read(pair.client, true, &answer)?;
        equal("text", &said.text.as_str(), &"☂☂☂ ☂☂☂ ☂☂☂")?;
        let text = answer.text();
        equal("signs", &text.contains(": keep-alive\n\n"), &true).map_err(|error| format!("{error}: {text}"))
    })
    .await;
}

#[tokio::test]
async fn a_whole_answer_begins_with_itself() {
    let world = World::with(json!({"timeouts": {"keep_alive": "20ms", "hold": "30ms"}})).await;
    each(Pair::all().into_iter().filter(|pair| !pair.stream), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:late 300 sim:text Here.")).await;
        equal("first byte", &answer.body.first(), &Some(&b'{'))
            .map_err(|e| format!("{e}: {}", answer.text()))?;
        dialect::read(pair.client, false, &answer).map(drop)
    })
    .await;
}

/// A sign that is more than a comment, where a client wants one.
#[tokio::test]
async fn a_sign_of_life_may_be_an_event() {
    let settings = json!({"timeouts": {"keep_alive": "40ms", "hold": "60ms"}, "chat_keep_alive": "chunk"});
    let world = World::with(settings).await;
    let translated = |pair: &Pair| pair.client == Dialect::Chat && pair.upstream != Dialect::Chat;
    each(Pair::streams().into_iter().filter(translated), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:pace 150 200 sim:text One two three")).await;
        let said = dialect::read(pair.client, true, &answer)?;
        equal("text", &said.text.as_str(), &"One two three")?;
        let text = answer.text();
        let empty = text.matches("\"delta\":{},\"finish_reason\":null").count();
        equal("empty chunks", &(empty >= 1), &true).map_err(|error| format!("{error}: {text}"))
    })
    .await;
}
