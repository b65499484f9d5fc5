//! Several plans of one provider.

use super::run;
use crate::support::{
    ask::Ask,
    byok::{Byok, PATIENCE, Setup, until},
    client::Answer,
    dialect,
};
use byok_simulator::{Seen, SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::time::Instant;

/// A token of which the simulator says that its window is used up for so many seconds, and one that serves.
const USED_UP: &str = "sk-ant-oat01-sim-quota-1000";
const SERVES: &str = "sk-ant-oat01-sim-another";

/// Two plans of Claude in this order.
async fn two_plans(tokens: [(&str, &str); 2]) -> (Simulator, Byok) {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let base = simulator.base_url();
    let config = json!({"log": "debug", "providers": {"claude": {"base_url": base, "urls": {
        "token": format!("{base}/v1/oauth/token"), "profile": format!("{base}/nowhere"),
        "usage": format!("{base}/nowhere"),
    }}}});
    let byok = Setup::new(config.to_string()).start().await;
    for (name, token) in tokens {
        // Accounts serve in the order in which they were added, which is kept in whole seconds.
        let before = now();
        until("the next second", || now() > before).await;
        let add = ["accounts", "add", "claude", "--account", name, "--accept-claim", "claude-code-prompt"];
        let added = run(&byok, &add, token).await;
        assert_eq!(added.code, Some(0), "{}", added.err);
    }
    let begun = Instant::now();
    while byok.status().await["providers"][0]["accounts"].as_array().is_none_or(|all| all.len() < 2) {
        assert!(begun.elapsed() < PATIENCE, "{}", byok.status().await);
    }
    (simulator, byok)
}

async fn ask(byok: &Byok, client: Dialect, text: &str) -> Answer {
    let ask = Ask::new(text).model("claude/claude-sonnet-5");
    dialect::call(client, &ask).send(byok.address()).await
}

/// What `byok status --json` says of the accounts.
async fn accounts(byok: &Byok) -> Vec<Value> {
    let status = run(byok, &["status", "--json"], "").await;
    assert_eq!(status.code, Some(0), "{}", status.err);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    status["providers"][0]["accounts"].as_array().unwrap().clone()
}

/// Who was asked for an answer, in order.
fn asked(simulator: &Simulator) -> Vec<String> {
    let asks = simulator.requests().into_iter().filter(|seen: &Seen| seen.path == "/v1/messages");
    asks.map(|seen| seen.header("authorization").unwrap().trim_start_matches("Bearer ").to_owned()).collect()
}

#[tokio::test]
async fn where_a_window_is_used_up_the_next_plan_serves() {
    let (simulator, byok) = two_plans([("first", USED_UP), ("second", SERVES)]).await;
    let answer = ask(&byok, Dialect::Messages, "Hello.").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let by = (answer.header("x-byok-attempts"), answer.header("x-byok-account"));
    assert_eq!(by, ("2", "second"));
    assert_eq!(asked(&simulator), [USED_UP, SERVES]);

    // The first is left alone until its window opens again, whoever asks.
    for client in Dialect::ALL {
        let answer = ask(&byok, client, "Hello.").await;
        assert_eq!((answer.status, answer.header("x-byok-attempts")), (200, "1"), "{}", answer.text());
    }
    assert_eq!(asked(&simulator).iter().filter(|token| *token == USED_UP).count(), 1);

    let accounts = accounts(&byok).await;
    let [first, second] = &accounts[..] else { panic!("{accounts:?}") };
    assert_eq!((&first["label"], &second["label"]), (&json!("first"), &json!("second")));
    let rest = &first["resting"];
    assert_eq!((rest.as_array().unwrap().len(), &rest[0]["model"]), (1, &Value::Null), "{first}");
    let seconds = rest[0]["seconds"].as_u64().unwrap();
    assert!((900..=1010).contains(&seconds), "{first}");
    let window = &first["quota"]["windows"][0];
    assert_eq!((&window["name"], &window["used"]), (&json!("5 hours"), &json!(1.02)), "{first}");
    let left = window["resets_at"].as_i64().unwrap() - now();
    assert!((900..=1000).contains(&left), "{first}");
    assert_eq!((&second["state"], &second["resting"]), (&json!("ready"), &json!([])), "{second}");
}

/// The last refusal is the client's: the plan's own words, then byok's for as long as nobody can serve.
#[tokio::test]
async fn where_all_windows_are_used_up_the_client_is_told_the_plans_words_and_the_wait() {
    let (simulator, byok) = two_plans([("first", USED_UP), ("second", "sk-ant-oat01-sim-quota-500")]).await;
    let answer = ask(&byok, Dialect::Messages, "Hello.").await;
    assert_eq!((answer.status, answer.header("x-byok-attempts")), (429, "2"), "{}", answer.text());
    assert!(
        answer.text().contains("This request would exceed your account's rate limit."),
        "{}",
        answer.text()
    );
    let answer = ask(&byok, Dialect::Chat, "Hello.").await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((400..=500).contains(&wait), "{wait}: {}", answer.text());
    assert_eq!(asked(&simulator).len(), 2, "nobody is asked while both rest");
}

fn now() -> i64 {
    i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}
