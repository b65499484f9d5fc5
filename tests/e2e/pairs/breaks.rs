//! Answers that end otherwise: an error in the middle, an upstream that hangs up, a client that goes away.

use crate::support::{
    client::bounded,
    dialect,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_stream_that_breaks_ends_in_one_error_of_the_clients_dialect() {
    let world = World::start().await;
    for wish in ["error_mid 3", "error_bare 3", "reset_mid 3", "close_mid 3", "half_mid 3", "no_end"] {
        each(Pair::streams(), async |pair| {
            let wrong = |error: String| format!("{wish}: {error}");
            let answer = pair.send(&world, &pair.ask(&format!("sim:{wish} sim:long 20"))).await;
            equal("status", &answer.status, &200).map_err(|e| wrong(format!("{e}: {}", answer.text())))?;
            // What the vendor itself says in a dialect passes through as it is, a bare error too.
            if pair.passes() && wish == "error_bare 3" {
                return equal("passed", &answer.text().contains("word 3"), &true);
            }
            let said = dialect::read(pair.client, true, &answer).map_err(wrong)?;
            let fault = said.error.ok_or_else(|| wrong(format!("no error: {}", answer.text())))?;
            equal("a sentence", &(fault.message.len() > 8), &true).map_err(wrong)?;
            equal("what came before", &said.text.contains("word 3"), &true).map_err(wrong)?;
            equal("no stop", &said.stop.as_str(), &"").map_err(wrong)
        })
        .await;
    }
}

#[tokio::test]
async fn a_broken_response_fails_under_the_id_that_it_began_with() {
    let world = World::start().await;
    let pairs = || Pair::streams().into_iter().filter(|pair| pair.client == Dialect::Responses);
    for wish in ["reset_mid 3", "close_mid 3", "no_end"] {
        each(pairs(), async |pair| {
            let answer = pair.send(&world, &pair.ask(&format!("sim:{wish} sim:long 20"))).await;
            let text = answer.text();
            let events: Vec<Value> = text
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .filter_map(|data| serde_json::from_str(data).ok())
                .collect();
            let (first, last) = (events.first().ok_or("no event")?, events.last().ok_or("no event")?);
            equal("last", &last["type"], &json!("response.failed"))?;
            equal("id", &last["response"]["id"], &first["response"]["id"])?;
            let numbers: Vec<_> =
                events.iter().filter_map(|event| event["sequence_number"].as_u64()).collect();
            equal("numbers", &numbers, &(0..events.len() as u64).collect())
        })
        .await;
    }
}

#[tokio::test]
async fn the_vendors_words_survive_in_the_middle_of_a_stream() {
    let world = World::start().await;
    each(Pair::streams(), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:error_mid 2 sim:long 20")).await;
        let said = dialect::read(pair.client, true, &answer)?;
        let fault = said.error.ok_or("no error")?;
        let words = ["overloaded", "Overloaded", "high demand", "server had an error", "try again"];
        equal("words", &words.iter().any(|word| fault.message.contains(word)), &true)
            .map_err(|error| format!("{error}: {fault:?}"))
    })
    .await;
}

#[tokio::test]
async fn an_upstream_that_does_not_stream_is_told_as_a_stream() {
    let world = World::start().await;
    each(Pair::streams(), async |pair| {
        let said = pair.say(&world, &pair.ask("sim:unstreamed sim:thinking Hm. sim:text Whole.")).await?;
        equal("text", &said.text.as_str(), &"Whole.")?;
        equal("complete", &(said.error.is_none() && !said.stop.is_empty()), &true)
    })
    .await;
}

#[tokio::test]
async fn a_chat_stream_without_done_is_complete() {
    let world = World::start().await;
    let pairs = Pair::streams().into_iter().filter(|pair| pair.upstream == Dialect::Chat && !pair.passes());
    each(pairs, async |pair| {
        let said = pair.say(&world, &pair.ask("sim:no_done sim:text Whole.")).await?;
        equal("text", &said.text.as_str(), &"Whole.")
    })
    .await;
}

/// Time in which the upstream call must end when its client is gone.
const AT_ONCE: Duration = Duration::from_millis(100);
/// The machine may be busy with other tests: the best of so many measurements counts.
const MEASUREMENTS: usize = 4;

#[tokio::test]
async fn a_client_that_goes_away_ends_the_upstream_call() {
    let world = World::start().await;
    for pair in Pair::streams() {
        let mut best = Duration::MAX;
        for _ in 0..MEASUREMENTS {
            let mut open = pair.open(&world, &pair.ask("sim:slow 500 20")).await;
            open.until("word").await;
            let left = Instant::now();
            drop(open);
            let notice = bounded("the end of the upstream call", world.simulator.cancelled()).await;
            best = best.min(notice.at.saturating_duration_since(left));
            if best < AT_ONCE {
                break;
            }
        }
        assert!(best < AT_ONCE, "{pair}: the upstream call went on for {best:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_answer_ends_the_call_too() {
    let world = World::start().await;
    for pair in Pair::all() {
        let mut best = Duration::MAX;
        for _ in 0..MEASUREMENTS {
            let seen = world.simulator.request_count();
            let call = dialect::call(pair.client, &pair.ask("sim:silent"));
            let address = world.byok.address();
            let waiting = tokio::spawn(async move { call.try_open(address).await.map(drop) });
            bounded("the upstream call", world.simulator.requests_reached(seen + 1)).await;
            let left = Instant::now();
            waiting.abort();
            let notice = bounded("the end of the call", world.simulator.cancelled()).await;
            best = best.min(notice.at.saturating_duration_since(left));
            if best < AT_ONCE {
                break;
            }
        }
        assert!(best < AT_ONCE, "{pair}: the upstream call went on for {best:?}");
    }
}

#[tokio::test]
async fn t30_a_client_that_leaves_is_no_fault_of_the_account() {
    let world = World::start().await;
    let mut left = 0;
    for pair in Pair::streams() {
        let mut open = pair.open(&world, &pair.ask("sim:slow 500 20")).await;
        open.until("word").await;
        drop(open);
        bounded("the end of the upstream call", world.simulator.cancelled()).await;
        left += 1;
    }
    // The same keys serve the next question at once.
    each(Pair::streams(), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:text Still here.")).await;
        equal("status", &answer.status, &200)?;
        equal("attempts", &answer.header("x-byok-attempts"), &"1")
    })
    .await;
    let status = world.byok.status().await.to_string();
    assert!(!status.contains("\"resting\":[{") && !status.contains("needs_login"), "{status}");
    let told = |outcome: &str| {
        world.byok.log().matches(&format!("outcome={outcome}")).count()
            + world.byok.log().matches(&format!("outcome=\"{outcome}\"")).count()
    };
    assert_eq!((told("cancelled"), told("failed")), (left, 0), "{}", world.byok.log());
}
