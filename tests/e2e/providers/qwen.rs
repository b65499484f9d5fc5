//! Qwen: the login that has ended, and keys of the platform.

use super::{LoggedIn, becomes, picture, table::Does};
use crate::support::{
    ask::{Ask, Choice, Think, Tool},
    byok::Setup,
    client::Call,
    dialect,
};
use byok_simulator::{SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};

const TOKEN: &str = "/qwen/api/v1/oauth2/token";
/// Where the answer of the token endpoint says that tokens are good; the settings name another path of this host.
const PORTAL: &str = "/qwen/portal/v1/chat/completions";
const PLATFORM: &str = "/qwen/compatible-mode/v1/chat/completions";

fn settings(simulator: &str) -> Value {
    json!({"urls": {
        "device": format!("{simulator}/qwen/api/v1/oauth2/device/code"),
        "token": format!("{simulator}{TOKEN}"),
        "inference": format!("{simulator}/qwen/elsewhere/v1"),
    }})
}

#[tokio::test]
async fn a_login_serves_everything() {
    let world = LoggedIn::start("qwen", settings, &[]).await;
    for part in ["2026-04-15", "providers.qwen.api_key", "QWEN-", "logged in to qwen"] {
        assert!(world.said.contains(part), "{part}: {}", world.said);
    }
    world.serves(&["qwen/coder-model", "coder-model", "qwen/vision-model", "qwen/qwen3-coder-plus"]).await;
    let does = Does {
        provider: "qwen",
        make: byok_auth::qwen::vendor,
        model: "qwen/coder-model",
        thinks: "qwen/coder-model",
        sees: "qwen/vision-model",
    };
    does.what_the_readme_says(&world.byok).await;
    let seen = world.last(PORTAL).unwrap();
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert!(header("authorization").unwrap().starts_with("Bearer qwen-access-"));
    assert!(header("user-agent").unwrap().starts_with("byok/"));
    assert_eq!(header("x-dashscope-cachecontrol").as_deref(), Some("enable"));
    assert_eq!(header("x-dashscope-authtype").as_deref(), Some("qwen-oauth"));
    assert_eq!(seen.json()["model"], "coder-model");
}

#[tokio::test]
async fn bodies_are_fitted() {
    let world = LoggedIn::start("qwen", settings, &[]).await;
    let cached = json!({"type": "text", "text": "", "cache_control": {"type": "ephemeral"}});
    for client in Dialect::ALL {
        for stream in [false, true] {
            let ask = Ask::new("Hello.").model("qwen/coder-model").stream(stream).with(|ask| {
                ask.system = vec!["Be kind.".to_owned()];
                ask.developer = Some("Be brief.".to_owned());
                ask.think = Some(Think::Effort("high"));
            });
            world.say(client, &ask).await.unwrap_or_else(|error| panic!("{client}: {error}"));
            let body = world.last(PORTAL).unwrap().json();
            let messages = body["messages"].as_array().unwrap();
            assert_eq!(messages.iter().filter(|message| message["role"] == "system").count(), 1, "{body}");
            assert_eq!(messages[0]["content"][0], cached, "{client}");
            let all = messages[0]["content"].to_string();
            assert!(all.contains("Be kind.") && all.contains("Be brief."), "{client}: {all}");
            if stream {
                assert_eq!(body["stream_options"]["include_usage"], true, "{client}");
            }
        }
        world
            .say(client, &picture("qwen/coder-model"))
            .await
            .unwrap_or_else(|error| panic!("{client}: {error}"));
    }
    // The portal gives one answer without probabilities, and knows the cap by its old name.
    let mut body = json!({"model": "qwen/coder-model", "n": 1, "logprobs": true, "top_logprobs": 2, "max_completion_tokens": 50,
        "messages": [{"role": "user", "content": "Hello."}]});
    let ask = async |body: &Value| {
        Call::post("/v1/chat/completions", body.to_string()).send(world.byok.address()).await
    };
    let answer = ask(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-byok-dropped"), "logprobs");
    let seen = world.last(PORTAL).unwrap().json();
    assert_eq!(seen["max_tokens"], 50, "{seen}");
    let before = world.count(PORTAL);
    body["n"] = json!(2);
    let answer = ask(&body).await;
    assert_eq!(
        (answer.status, answer.json()["error"]["param"].as_str()),
        (400, Some("n")),
        "{}",
        answer.text()
    );
    assert_eq!(world.count(PORTAL), before, "nothing is asked for");
    // What others say by a level is a switch here.
    for client in [Dialect::Responses, Dialect::Messages, Dialect::Gemini] {
        let think = if client == Dialect::Responses { Think::Effort("high") } else { Think::Budget(2048) };
        let ask = Ask::new("Hello.").model("qwen/coder-model").with(|ask| ask.think = Some(think));
        let said = world.say(client, &ask).await.unwrap_or_else(|error| panic!("{client}: {error}"));
        let body = world.last(PORTAL).unwrap().json();
        assert_eq!(body["enable_thinking"], true, "{client}: {body}");
        assert!(said.thinking.contains("I think about it."), "{client}: {said:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_rotates() {
    let world = LoggedIn::start("qwen", settings, &[]).await;
    let before = world.count(TOKEN);
    let ask = Ask::new("sim:401_once").model("qwen/coder-model").stream(true);
    world.say(Dialect::Messages, &ask).await.unwrap();
    assert_eq!(world.count(TOKEN), before + 1);
    let refresh = world.last(TOKEN).unwrap();
    let body = String::from_utf8_lossy(&refresh.body).into_owned();
    assert!(body.starts_with("grant_type=refresh_token&refresh_token=qwen-refresh-"), "{body}");
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("qwen/coder-model")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(world.count(TOKEN), before + 1, "a token of a moment ago is not renewed again");
    world.say(Dialect::Chat, &Ask::new("Hello.").model("qwen/coder-model")).await.unwrap();
}

#[tokio::test]
async fn what_is_used_up_says_that_the_service_has_ended() {
    for wish in ["sim:quota", "sim:extra_usage"] {
        let world = LoggedIn::start("qwen", settings, &[]).await;
        let before = world.count(TOKEN);
        for (wish, status) in [("sim:third_party", 400), ("sim:400", 400), (wish, 429), ("Hello.", 429)] {
            let answer = world.send(Dialect::Messages, &Ask::new(wish).model("qwen/coder-model")).await;
            assert_eq!(answer.status, status, "{wish}: {}", answer.text());
            if wish.starts_with("sim:") && status == 429 {
                assert!(answer.header("x-byok-hint").contains("2026-04-15"), "{:?}", answer.headers);
            }
        }
        assert_eq!(world.count(TOKEN), before, "no token is renewed for it");
    }
}

#[tokio::test]
async fn keys_serve_everything_without_a_login() {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let base = simulator.base_url();
    let provider = json!({"api_key": "sk-0123456789", "base_url": format!("{base}/qwen/compatible-mode/v1")});
    let settings = json!({"providers": {"qwen": provider}, "log": "debug"});
    let byok = Setup::new(settings.to_string()).start().await;
    let world = LoggedIn { simulator, byok, said: String::new() };
    world.serves(&["qwen3.6-plus", "qwen/qwen3-coder-plus", "qwen3.8-max", "qwen/glm-5"]).await;
    let seen = world.last(PLATFORM).unwrap();
    assert_eq!(seen.headers["authorization"], "Bearer sk-0123456789");
    assert!(!seen.headers.contains_key("x-dashscope-authtype"));

    // Thinking and a forced tool do not go together.
    let ask = Ask::new("Hello.").model("qwen3.6-plus").with(|ask| {
        ask.think = Some(Think::Budget(2048));
        ask.tools = vec![Tool { name: "look", parameters: json!({"type": "object", "properties": {}}) }];
        ask.choice = Choice::Any;
    });
    dialect::read(Dialect::Gemini, false, &world.send(Dialect::Gemini, &ask).await).unwrap();
    let body = world.last(PLATFORM).unwrap().json();
    assert!(body["enable_thinking"] == true && body.get("tool_choice").is_none(), "{body}");

    // Its list of models is asked for when somebody looks; models of others are asked for by the provider's name.
    let listed = async || Call::get("/v1/models").send(world.byok.address()).await.text();
    listed().await;
    crate::support::byok::until("the list to be asked for", || {
        world.count("/qwen/compatible-mode/v1/models") > 0
    })
    .await;
    let begun = std::time::Instant::now();
    while !listed().await.contains("\"qwen/glm-5\"") {
        assert!(begun.elapsed() < crate::support::byok::PATIENCE, "{}", listed().await);
    }
    // Nobody has logged in: the login's model is not offered.
    assert!(!listed().await.contains("coder-model"));
}

#[tokio::test]
async fn a_second_refusal_ends_the_login() {
    let world = LoggedIn::start("qwen", settings, &[]).await;
    let answer = world.send(Dialect::Chat, &Ask::new("sim:401").model("qwen/coder-model")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    becomes(&world, "needs_login").await;
    let status = world.byok.status().await.to_string();
    assert!(
        status.contains("refuses even the token that it has just issued; log in again with `byok login qwen"),
        "{status}"
    );
}
