//! GitHub Copilot, by a GitHub token as it is and by an exchanged one.

use super::{LoggedIn, becomes, log_in, picture, table::Does};
use crate::support::{ask::Ask, byok::PATIENCE};
use byok_types::Dialect;
use serde_json::{Value, json};

const EXCHANGE: &str = "/github/copilot_internal/v2/token";
const CLAIMS: [&str; 6] = [
    "--method",
    "exchange",
    "--accept-claim",
    "copilot-integration-id",
    "--accept-claim",
    "copilot-editor-version",
];

pub(super) fn settings(simulator: &str) -> Value {
    json!({"urls": {
        "device": format!("{simulator}/github/login/device/code"),
        "token": format!("{simulator}/github/login/oauth/access_token"),
        "exchange": format!("{simulator}{EXCHANGE}"),
        "profile": format!("{simulator}/github/user"),
        "usage": format!("{simulator}/github/copilot_internal/user"),
        "inference": format!("{simulator}/copilot"),
    }})
}

/// One model of each endpoint, and Claude and Gemini at Chat.
const MODELS: [&str; 5] = [
    "copilot/claude-sonnet-4.6",
    "copilot/gpt-5.5",
    "copilot/gpt-5-mini",
    "copilot/claude-haiku-4.5",
    "copilot/gemini-3.8-flash",
];

#[tokio::test]
async fn a_github_token_as_it_is() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    for part in [
        "GitHub offers Copilot for its own editors",
        "WXYZ-",
        "logged in to copilot as octocat@example.org, plan individual",
    ] {
        assert!(world.said.contains(part), "{part}: {}", world.said);
    }
    assert!(!world.said.contains("vscode-chat"), "nothing is claimed, so nothing is asked: {}", world.said);
    assert!(!world.said.contains("ghu_"), "{}", world.said);
    world.serves(&MODELS).await;
    assert_eq!(world.count(EXCHANGE), 0);
    let does = Does {
        provider: "copilot",
        make: byok_auth::copilot::vendor,
        model: "copilot/claude-sonnet-4.6",
        thinks: "copilot/claude-sonnet-4.6",
        sees: "copilot/claude-sonnet-4.6",
    };
    does.what_the_readme_says(&world.byok).await;
    let seen = world.last("/copilot/v1/messages").unwrap();
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert!(header("authorization").unwrap().starts_with("Bearer ghu_"));
    assert!(header("user-agent").unwrap().starts_with("byok/"));
    assert_eq!((header("copilot-integration-id"), header("editor-version")), (None, None));
    assert_eq!(header("x-github-api-version").as_deref(), Some("2026-06-01"));
    assert!(
        world.byok.status().await.to_string().contains("premium requests"),
        "the plan is told by the headers"
    );
}

#[tokio::test]
async fn an_exchanged_token_and_what_is_said_with_it() {
    let world = LoggedIn::start("copilot", settings, &CLAIMS).await;
    assert!(world.said.contains("byok sends the claim `copilot-integration-id`"), "{}", world.said);
    world.serves(&MODELS).await;
    assert_eq!(world.count(EXCHANGE), 1, "one token for all of them");
    let seen = world.last("/copilot/individual/v1/messages").expect("the address that the exchange named");
    assert!(seen.headers["authorization"].to_str().unwrap().starts_with("Bearer tid="));
    assert_eq!(seen.headers["copilot-integration-id"], "vscode-chat");
    assert_eq!(seen.headers["editor-version"], "vscode/1.110.0");
    assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    let exchange = world.last(EXCHANGE).unwrap();
    assert!(exchange.headers["authorization"].to_str().unwrap().starts_with("token ghu_"));
    assert!(!exchange.headers.contains_key("editor-version"));

    // A refused token is exchanged anew, once, and the client sees nothing of it.
    let ask = Ask::new("sim:401_once").model("copilot/claude-sonnet-4.6").stream(true);
    world.say(Dialect::Responses, &ask).await.unwrap();
    assert_eq!(world.count(EXCHANGE), 2);
    let ask = Ask::new("sim:401").model("copilot/gpt-5-mini");
    let answer = world.send(Dialect::Chat, &ask).await;
    assert_eq!(answer.status, 503, "byok's own credential is not the client's: {}", answer.text());
    assert_eq!(world.count(EXCHANGE), 2, "what was exchanged a moment ago is not exchanged again");
}

#[tokio::test]
async fn without_consent_only_callers_that_say_it_themselves_are_served() {
    let world = LoggedIn::start("copilot", settings, &["--method", "exchange"]).await;
    assert!(world.said.contains("byok does not send them"), "{}", world.said);
    let ask = Ask::new("Hello.").model("copilot/gpt-5-mini");
    let answer = world.send(Dialect::Chat, &ask).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    // One command for all that is missing; an id tells nobody anything.
    let command = "byok accounts claims copilot --accept copilot-integration-id,copilot-editor-version";
    for part in ["claim_not_accepted", "the login of `copilot` serves only callers", command] {
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
    assert_eq!(world.count("/copilot/individual/chat/completions"), 0, "nothing was sent");
    let status = world.byok.status().await;
    let account = &status["providers"][0]["accounts"][0];
    assert_eq!(account["state"], "needs_consent", "{status}");
    let named = "`byok accounts claims copilot --account octocat@example.org --accept copilot-integration-id,copilot-editor-version`";
    assert!(account["reason"].as_str().unwrap().contains(named), "{status}");
    assert!(world.said.contains(&format!("byok does not send them; {named} changes that")), "{}", world.said);
    let call = crate::support::dialect::call(Dialect::Chat, &ask)
        .header("copilot-integration-id", "vscode-chat")
        .header("editor-version", "vscode/1.111.0");
    let answer = call.send(world.byok.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn who_began_a_turn_and_pictures_are_told() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    for client in Dialect::ALL {
        for (model, path) in [
            ("copilot/claude-sonnet-4.6", "/copilot/v1/messages"),
            ("copilot/gpt-5.5", "/copilot/responses"),
            ("copilot/gpt-5-mini", "/copilot/chat/completions"),
        ] {
            let asked = Ask::new("sim:tools").model(model).with(|ask| {
                let parameters = json!({"type": "object", "properties": {}});
                ask.tools = vec![crate::support::ask::Tool { name: "get_time", parameters }];
            });
            let initiator = || world.last(path).unwrap().headers["x-initiator"].to_str().unwrap().to_owned();
            let said = world.say(client, &asked).await.unwrap();
            assert_eq!(initiator(), "user", "{client} {model}");
            let answered = asked.answered(&said, &["noon"]);
            let said = world.say(client, &answered).await.unwrap();
            assert_eq!(initiator(), "agent", "{client} {model}");
            world.say(client, &answered.followed(&said, "And now?")).await.unwrap();
            assert_eq!(initiator(), "user", "a question behind many turns is a person's: {client} {model}");

            world
                .say(client, &picture(model))
                .await
                .unwrap_or_else(|error| panic!("{client} {model}: {error}"));
            assert_eq!(
                world.last(path).unwrap().headers["copilot-vision-request"],
                "true",
                "{client} {model}"
            );
        }
    }
}

#[tokio::test]
async fn refusals_reach_the_client_in_its_dialect() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    let cases = [
        ("sim:400", 400, "The scenario refuses"),
        ("sim:context", 400, "exceeds the limit"),
        ("sim:413", 413, "failed to parse request"),
        ("sim:third_party", 466, "client not supported"),
    ];
    for client in Dialect::ALL {
        for (wish, status, words) in cases {
            let answer = world.send(client, &Ask::new(wish).model("copilot/claude-sonnet-4.6")).await;
            assert_eq!(answer.status, status, "{client} {wish}: {}", answer.text());
            assert!(answer.text().contains(words), "{client} {wish}: {}", answer.text());
            crate::support::dialect::fault(client, &answer.body).unwrap();
        }
    }
    // Used-up premium requests rest what is charged as such, and not what is included in the plan.
    let answer = world.send(Dialect::Chat, &Ask::new("sim:quota").model("copilot/gpt-5.5")).await;
    assert!(answer.text().contains("premium request allowance"), "{}", answer.text());
    let answer = world.send(Dialect::Chat, &Ask::new("Hello.").model("copilot/gpt-5-mini")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let calls = world.count("/copilot/responses") + world.count("/copilot/v1/messages");
    for model in ["copilot/gpt-5.5", "copilot/claude-sonnet-4.6"] {
        let answer = world.send(Dialect::Chat, &Ask::new("Hello.").model(model)).await;
        assert_ne!(answer.status, 200, "{model} rests until the plan begins anew");
    }
    let after = world.count("/copilot/responses") + world.count("/copilot/v1/messages");
    assert_eq!(after, calls, "nobody is asked while it rests");
    // Abuse ends it.
    let answer = world.send(Dialect::Chat, &Ask::new("sim:banned").model("copilot/gpt-5-mini")).await;
    assert_ne!(answer.status, 200);
    becomes(&world, "blocked").await;
}

#[tokio::test]
async fn an_answer_beyond_the_plan_stops_the_account() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    let answer = world.send(Dialect::Chat, &Ask::new("sim:overage").model("copilot/gpt-5-mini")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("x-byok-hint").contains("beyond the plan"), "{:?}", answer.headers);
    becomes(&world, "extra_usage").await;
}

#[tokio::test]
async fn models_are_those_that_the_account_has() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    let begun = std::time::Instant::now();
    loop {
        let list = crate::support::client::Call::get("/v1/models").send(world.byok.address()).await.json();
        let ids: Vec<_> =
            list["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
        let wanted = [
            "gpt-5.5",
            "gpt-5.4",
            "gpt-5-mini",
            "gpt-4.1",
            "claude-sonnet-4.6",
            "claude-haiku-4.5",
            "gemini-3.8-flash",
        ];
        if ids == wanted.map(|id| format!("copilot/{id}")) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{ids:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_item_has_one_id() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    let ask = Ask::new("sim:text One two three").model("copilot/gpt-5.5").stream(true);
    let answer = world.send(Dialect::Responses, &ask).await;
    let text = answer.text();
    let mut ids = std::collections::BTreeMap::<u64, std::collections::BTreeSet<String>>::new();
    let mut told = 0;
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: Value = serde_json::from_str(data).unwrap();
        let id = event["item_id"].as_str().or(event["item"]["id"].as_str());
        if let Some((id, place)) = id.zip(event["output_index"].as_u64()) {
            ids.entry(place).or_default().insert(id.to_owned());
            told += 1;
        }
        for (place, item) in (0..).zip(event["response"]["output"].as_array().into_iter().flatten()) {
            ids.entry(place).or_default().insert(item["id"].as_str().unwrap().to_owned());
        }
    }
    assert!(told > 4, "{text}");
    assert!(ids.values().all(|ids| ids.len() == 1), "GitHub gives each event another: {ids:?}");
}

#[tokio::test]
async fn a_model_that_is_served_elsewhere_is_asked_there() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    // No list names it; byok asks at Chat first, once.
    world.serves(&["copilot/gpt-7-hidden"]).await;
    assert_eq!(world.count("/copilot/chat/completions"), 1);
    assert!(world.count("/copilot/responses") > 4);
}

#[tokio::test]
async fn what_codex_cli_sends_is_said_in_functions() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    let tools = json!([
        {"type": "namespace", "name": "functions", "description": "", "tools": [
            {"type": "custom", "name": "exec", "description": "Runs."},
            {"type": "function", "name": "wait", "parameters": {"type": "object", "properties": {}}, "strict": false},
        ]},
        {"type": "web_search", "external_web_access": false},
    ]);
    let mut body = json!({
        "model": "copilot/gpt-5.5", "stream": false, "store": false, "tool_choice": "auto", "parallel_tool_calls": false,
        "input": [
            {"type": "additional_tools", "id": "at_0199", "role": "developer", "tools": tools},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Base."}]},
            {"type": "message", "role": "user",
                "content": [{"type": "input_text", "text": "sim:tool functions__exec {\"input\":\"ls -l\"}"}]},
        ],
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "0199a213", "client_metadata": {"a": "b"},
        "service_tier": "priority",
    });
    let answer = post(&world, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = world.last("/copilot/responses").unwrap().json();
    let kinds: Vec<_> = sent["tools"].as_array().unwrap().iter().map(|tool| &tool["type"]).collect();
    assert_eq!(kinds, ["function", "function"], "{sent}");
    let output = answer.json()["output"].as_array().unwrap().clone();
    let call =
        output.iter().find(|item| item["type"] == "custom_tool_call").unwrap_or_else(|| panic!("{output:?}"));
    assert_eq!((&call["name"], &call["input"]), (&json!("exec"), &json!("ls -l")), "{call}");
    // The conversation goes on with the client's own items.
    let result =
        json!({"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "heavy rain"});
    body["input"].as_array_mut().unwrap().extend([call.clone(), result]);
    let answer = post(&world, &body).await;
    assert!(answer.text().contains("heavy rain"), "{}", answer.text());
}

/// At Chat Claude knows one word for thinking, and wants back what it has thought before a call.
#[tokio::test]
async fn claude_thinks_at_chat_within_a_budget() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    for client in Dialect::ALL {
        let ask = Ask::new("sim:tools").model("copilot/claude-haiku-4.5").with(|ask| {
            let parameters = json!({"type": "object", "properties": {}});
            ask.tools = vec![crate::support::ask::Tool { name: "get_time", parameters }];
            ask.think = Some(crate::support::ask::Think::Effort("high"));
            ask.max_tokens = Some(8000);
        });
        let said = world.say(client, &ask).await.unwrap();
        let sent = || world.last("/copilot/chat/completions").unwrap().json();
        // The most that the model puts out is 16000; a part of it is left for the answer.
        let budget = |sent: &Value| (sent["thinking_budget"].as_u64(), sent["max_tokens"].as_u64());
        assert_eq!(budget(&sent()), (Some(12_800), Some(16_000)), "{client}: {}", sent());
        let answer = world.send(client, &ask.answered(&said, &["noon"])).await;
        assert_eq!(
            (answer.status, answer.header("x-byok-attempts")),
            (200, "1"),
            "{client}: {}",
            answer.text()
        );
        let sent = sent();
        let seal =
            sent["messages"].as_array().unwrap().iter().find_map(|said| said["reasoning_opaque"].as_str());
        assert_eq!((budget(&sent).0, seal), (Some(12_800), Some("sim-opaque")), "{client}: {sent}");
    }
}

/// A conversation comes over from another model: what that one sealed, or ran by itself, is not here.
#[tokio::test]
async fn a_conversation_comes_over_from_another_model() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    for client in Dialect::ALL {
        let asked = Ask::new("sim:tools").model("copilot/gpt-5-mini").with(|ask| {
            let parameters = json!({"type": "object", "properties": {}});
            ask.tools = vec![crate::support::ask::Tool { name: "get_time", parameters }];
        });
        let said = world.say(client, &asked).await.unwrap();
        let mut ask = asked.answered(&said, &["noon"]).model("copilot/gemini-3.8-flash");
        let answer = world.send(client, &ask).await;
        assert_eq!(
            (answer.status, answer.header("x-byok-attempts")),
            (200, "2"),
            "{client}: {}",
            answer.text()
        );
        let sent = world.last("/copilot/chat/completions").unwrap().json();
        let told = sent["messages"].as_array().unwrap().last().unwrap().clone();
        assert!(
            told["role"] == "user" && told["content"].as_str().unwrap().ends_with("noon"),
            "{client}: {sent}"
        );
        // Its own calls stay calls.
        ask = asked.clone().model("copilot/gemini-3.8-flash");
        let said = world.say(client, &ask).await.unwrap();
        let answer = world.send(client, &ask.answered(&said, &["noon"])).await;
        assert_eq!(
            (answer.status, answer.header("x-byok-attempts")),
            (200, "1"),
            "{client}: {}",
            answer.text()
        );
    }
    let body = json!({"model": "copilot/gpt-5.5", "input": [
        {"role": "user", "content": "Look it up."},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Found."}]},
        {"role": "user", "content": "Go on."}]});
    let answer = post(&world, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn post(world: &LoggedIn, body: &Value) -> crate::support::client::Answer {
    let call = crate::support::client::Call::post("/v1/responses", body.to_string());
    call.header("content-type", "application/json").send(world.byok.address()).await
}

#[tokio::test]
async fn a_token_that_is_pasted() {
    let token = |simulator: &byok_simulator::Simulator| format!("{}\n", simulator.github_grant());
    let world = LoggedIn::pasting("copilot", settings, &["--method", "token"], token).await;
    assert!(world.said.contains("logged in to copilot as octocat@example.org"), "{}", world.said);
    assert!(!world.said.contains("ghu_"), "{}", world.said);
    world.serves(&["copilot/claude-sonnet-4.6", "copilot/gpt-5-mini"]).await;
    assert_eq!(world.count("/github/login/device/code"), 0, "no code was asked for");
    for (pasted, words) in [
        ("ghp_classic", "takes no classic token"),
        ("sk-other", "begins with `gho_`"),
        ("gho_unknown", "GitHub does not accept this token"),
        ("", "standard input"),
    ] {
        let said = log_in(&world.byok, "copilot", &["--method", "token"], pasted).await.unwrap_err();
        assert!(said.contains(words), "{pasted}: {said}");
    }
    // A token of a company is not taken to another host than the one that was named.
    let asked = world.simulator.request_count();
    let elsewhere = ["--method", "token", "--with", "host=acme.example.com"];
    let said = log_in(&world.byok, "copilot", &elsewhere, "gho_company").await.unwrap_err();
    assert!(said.contains("neither github.com nor a host such as acme.ghe.com"), "{said}");
    assert_eq!(world.simulator.request_count(), asked);
}

#[tokio::test]
async fn a_login_at_the_host_of_a_company() {
    let arguments = ["--method", "enterprise", "--with", "host=acme.ghe.com"];
    let world = LoggedIn::start("copilot", settings, &arguments).await;
    assert!(world.said.contains("logged in to copilot as octocat@example.org"), "{}", world.said);
    world.serves(&["copilot/claude-sonnet-4.6", "copilot/gpt-5.5"]).await;
    // A host that is none of GitHub's sees no token.
    let asked = world.simulator.request_count();
    for host in ["acme.example.com", "a.b.ghe.com", "ghe.com"] {
        let with = format!("host={host}");
        let said = log_in(&world.byok, "copilot", &["--method", "enterprise", "--with", &with], "").await;
        let said = said.unwrap_err();
        assert!(said.contains("neither github.com nor a host such as acme.ghe.com"), "{host}: {said}");
    }
    assert_eq!(world.simulator.request_count(), asked);
}

/// Who began a turn is the client's to say. Where the vendor disagrees, its words are the client's, and the account is none the
/// worse for it.
#[tokio::test]
async fn a_false_word_about_who_began_a_turn_is_the_clients_fault() {
    let world = LoggedIn::start("copilot", settings, &[]).await;
    for (client, path) in
        [(Dialect::Chat, "/copilot/chat/completions"), (Dialect::Messages, "/copilot/chat/completions")]
    {
        let ask = Ask::new("Hello.").model("copilot/gpt-5-mini");
        let before = world.count(path);
        let call = crate::support::dialect::call(client, &ask).header("x-initiator", "agent");
        let answer = call.send(world.byok.address()).await;
        assert_eq!(answer.status, 400, "{client}: {}", answer.text());
        assert!(answer.text().contains("invalid initiator"), "{client}: {}", answer.text());
        assert_eq!(world.count(path), before + 1, "{client}: nothing is tried again");
        let status = world.byok.status().await;
        let account = &status["providers"][0]["accounts"][0];
        assert_eq!((&account["state"], &account["resting"]), (&json!("ready"), &json!([])), "{account}");
        world.say(client, &ask).await.unwrap();
    }
}
