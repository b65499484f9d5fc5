//! xAI by the login of a plan, and by API key.

use super::{LoggedIn, picture, table::Does};
use crate::support::{
    ask::{Ask, Think},
    byok::PATIENCE,
    client::Call,
    world::World,
};
use byok_simulator::Plan;
use byok_types::Dialect;
use serde_json::{Value, json};

const RESPONSES: &str = "/xai-plan/v1/responses";
const TOKEN: &str = "/xai-auth/oauth2/token";
const CONSENT: &[&str] = &["--accept-claim", "grok-cli-version"];

pub(super) fn settings(simulator: &str) -> Value {
    json!({"urls": {
        "authorize": format!("{simulator}/xai-auth/oauth2/authorize"),
        "device": format!("{simulator}/xai-auth/oauth2/device/code"),
        "token": format!("{simulator}{TOKEN}"),
        "inference": format!("{simulator}/xai-plan/v1"),
    }})
}

async fn start() -> LoggedIn {
    LoggedIn::start("xai", settings, CONSENT).await
}

#[tokio::test]
async fn a_plan_serves_everything() {
    let world = start().await;
    let rule = world.said.find("xAI offers the login of a Grok plan").expect("the rule is told");
    assert!(rule < world.said.find("enter the code").unwrap(), "before the login: {}", world.said);
    assert!(world.said.contains("logged in to xai as ada@example.org"), "{}", world.said);
    world.serves(&["xai/grok-4.6", "grok-4.5", "grok-build-0.1"]).await;
    let does = Does {
        provider: "xai",
        make: byok_auth::xai::vendor,
        model: "xai/grok-4.6",
        thinks: "xai/grok-4.6",
        sees: "xai/grok-4.6",
    };
    does.what_the_readme_says(&world.byok).await;
    let seen = world.last(RESPONSES).unwrap();
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap());
    assert!(header("authorization").unwrap().starts_with("Bearer eyJ"));
    assert!(header("user-agent").unwrap().starts_with("byok/"));
    assert_eq!(header("x-xai-token-auth"), Some("xai-grok-cli"));
    assert_eq!(header("x-grok-client-version"), Some("1.0.6"));
    assert_eq!(header("x-grok-client-identifier"), Some("byok"));
    let body = seen.json();
    assert_eq!((&body["stream"], &body["store"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn without_consent_only_callers_that_bring_the_version_are_served() {
    let world = LoggedIn::start("xai", settings, &[]).await;
    assert!(world.said.contains("byok does not send it"), "{}", world.said);
    let answer = world.send(Dialect::Chat, &Ask::new("Hello.").model("xai/grok-4.6")).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer.text().contains("claim_not_accepted") || answer.text().contains("api_key"),
        "{}",
        answer.text()
    );
    assert_eq!(world.count(RESPONSES), 0, "nothing was sent");
    let body = json!({"model": "grok-4.6", "stream": true, "input": "Hello."}).to_string();
    let call = Call::post("/v1/responses", body).header("x-grok-client-version", "1.2.3");
    let answer = call.send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.last(RESPONSES).unwrap().headers["x-grok-client-version"], "1.2.3");
}

#[tokio::test]
async fn bodies_are_fitted_in_all_dialects() {
    let world = start().await;
    for client in Dialect::ALL {
        let ask = Ask::new("Hello.").model("xai/grok-4.6").with(|ask| {
            ask.system = vec!["Be kind.".to_owned()];
            ask.stops = vec!["never".to_owned()];
            ask.think = Some(Think::Effort("low"));
        });
        if client != Dialect::Responses {
            world.say(client, &ask).await.unwrap_or_else(|error| panic!("{client}: {error}"));
            assert_eq!(world.last(RESPONSES).unwrap().json()["reasoning"]["effort"], "low", "{client}");
        }
        let plain =
            Ask::new("Hello.").model("grok-build-0.1").with(|ask| ask.think = Some(Think::Effort("low")));
        world.say(client, &plain).await.unwrap_or_else(|error| panic!("{client}: {error}"));
        assert!(world.last(RESPONSES).unwrap().json()["reasoning"].is_null(), "it has no levels: {client}");
        world.say(client, &picture("xai/grok-4.6")).await.unwrap_or_else(|error| panic!("{client}: {error}"));
    }
    // Tools that only OpenAI has become functions, and their calls come back as what the client knows.
    let body = json!({
        "model": "grok-4.6", "stream": false, "store": false, "tool_choice": "auto",
        "input": [{"role": "user", "content": "sim:tool exec {\"input\":\"ls\"}"}],
        "tools": [{"type": "custom", "name": "exec", "description": "Runs."}, {"type": "tool_search", "execution": "client"}],
    });
    let call = Call::post("/v1/responses", body.to_string());
    let answer = call.send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("\"custom_tool_call\""), "{}", answer.text());
    assert_eq!(world.last(RESPONSES).unwrap().json()["tools"][0]["type"], "function");
    // Also in a history that no longer declares them.
    let body = json!({
        "model": "grok-4.6", "stream": false, "store": false, "tools": [{"type": "tool_search", "execution": "client"}],
        "input": [{"role": "user", "content": "Hello."},
            {"type": "local_shell_call", "call_id": "c1", "status": "completed",
                "action": {"type": "exec", "command": ["ls"], "env": {}}},
            {"type": "local_shell_call_output", "call_id": "c1", "output": "a.rs"},
            {"role": "user", "content": "sim:tool tool_search {\"query\":\"x\"}"}],
    });
    let answer = Call::post("/v1/responses", body.to_string()).send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("\"tool_search_call\""), "{}", answer.text());
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let world = start().await;
    world.simulator.expire_plan(Plan::Xai);
    let ask = Ask::new("Hello.").model("xai/grok-4.6").stream(true);
    world.say(Dialect::Messages, &ask).await.unwrap();
    let counts = world.simulator.plan_counts(Plan::Xai);
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    let body = String::from_utf8_lossy(&world.last(TOKEN).unwrap().body).into_owned();
    for part in ["grant_type=refresh_token", "principal_type=User", "principal_id=user-ada"] {
        assert!(body.contains(part), "{part}: {body}");
    }
}

#[tokio::test]
async fn refusals() {
    let world = start().await;
    for client in Dialect::ALL {
        let answer = world.send(client, &Ask::new("sim:400").model("xai/grok-4.6")).await;
        assert_eq!(answer.status, 400, "{client}: {}", answer.text());
    }
    // The model is not for this account; another one is.
    let answer = world.send(Dialect::Chat, &Ask::new("sim:403").model("xai/grok-4.5")).await;
    assert_ne!(answer.status, 200);
    assert_eq!(world.count(TOKEN), 2, "two questions for the code, and no refresh");
    world.say(Dialect::Chat, &Ask::new("Hello.").model("xai/grok-4.6")).await.unwrap();
    let answer = world.send(Dialect::Chat, &Ask::new("sim:quota").model("xai/grok-4.6")).await;
    assert!(answer.text().contains("included free usage"), "{}", answer.text());
    let calls = world.count(RESPONSES);
    let answer = world.send(Dialect::Chat, &Ask::new("Hello.").model("xai/grok-4.3")).await;
    assert_ne!(answer.status, 200);
    assert_eq!(world.count(RESPONSES), calls, "the whole account rests");
}

#[tokio::test]
async fn an_api_key_goes_to_the_platform() {
    let world = World::of(
        |simulator| {
            let base = format!("{}/xai-api/v1", simulator.base_url());
            json!({"providers": {"xai": {"api_key": "xai-e2e", "base_url": base}}})
        },
        |setup| setup,
    )
    .await;
    for client in Dialect::ALL {
        for stream in [false, true] {
            let ask = Ask::new("Hello there.").model("grok-4.6").stream(stream);
            let answer = crate::support::dialect::call(client, &ask).send(world.byok.address()).await;
            let said = crate::support::dialect::read(client, stream, &answer);
            assert!(said.unwrap_or_else(|error| panic!("{client}: {error}")).text.contains("Hello there."));
        }
    }
    let seen = world
        .simulator
        .requests()
        .into_iter()
        .rev()
        .find(|seen| seen.path == "/xai-api/v1/responses")
        .unwrap();
    assert!(
        !seen.headers.contains_key("x-grok-client-version") && !seen.headers.contains_key("x-xai-token-auth")
    );
}

#[tokio::test]
async fn limits_come_from_the_vendor() {
    let world = start().await;
    until_told(&world).await;
    assert_eq!(world.simulator.plan_counts(Plan::Xai).usages, 1, "asked once, however often somebody looks");
    let asked = world.last("/xai-plan/v1/billing").unwrap();
    assert_eq!(asked.headers["x-grok-client-version"], "1.0.6");
    // The name of the plan stands elsewhere.
    super::becomes(&world, "SuperGrok").await;
    assert_eq!(world.count("/xai-plan/v1/settings"), 1);
}

async fn until_told(world: &LoggedIn) {
    let begun = std::time::Instant::now();
    loop {
        let status = world.byok.status().await.to_string();
        if status.contains("\"week\"") && status.contains("0.25") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{status}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_charge_that_the_usage_shows_stops_the_account() {
    let world = LoggedIn::unasked("xai", settings, CONSENT).await;
    world.say(Dialect::Messages, &Ask::new("sim:overage").model("xai/grok-4.6")).await.unwrap();
    super::becomes(&world, "extra_usage").await;
    let calls = world.count(RESPONSES);
    let answer = world.send(Dialect::Chat, &Ask::new("Hello.").model("xai/grok-4.6")).await;
    assert!(answer.status != 200 && answer.text().contains("extra_usage"), "{}", answer.text());
    assert_eq!(world.count(RESPONSES), calls, "nothing more is asked of it");
}
