//! Kiro: every way to log in, then answers in all dialects, a refresh, and accounts that are refused.

use crate::support::{
    ask::{Ask, Piece, Said, Think, Tool, Turn},
    byok::{Byok, Setup},
    client::{Answer, Call},
    dialect,
    tools::schema,
};
use byok_simulator::{Seen, SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};
use tokio::sync::mpsc::unbounded_channel;

const MODEL: &str = "kiro/claude-sonnet-4-5";

struct World {
    simulator: Simulator,
    byok: Byok,
}

fn config(simulator: &Simulator) -> String {
    let at = |path: &str| format!("{}/kiro/{path}", simulator.base_url());
    json!({
        "log": "debug",
        "providers": {"kiro": {"urls": {
            "register": at("oidc/client/register"), "device": at("oidc/device_authorization"), "token": at("oidc/token"),
            "authorize": at("oidc/authorize"), "social": at("social"), "portal": at("signin"),
            "profile": at("management/"), "usage": at("management/getUsageLimits"), "models": at("management/"),
            "inference": at("runtime"),
        }}},
    })
    .to_string()
}

impl World {
    async fn start() -> Self {
        let simulator = Simulator::start(SimOptions::default()).await.unwrap();
        let byok = Setup::new(config(&simulator)).start().await;
        Self { simulator, byok }
    }

    async fn logged_in() -> Self {
        let world = Self::start().await;
        world.log_in("builder-id", &[], "").await.unwrap();
        world
    }

    /// Logs in with the real command while the server runs; a browser does what a person would do.
    async fn log_in(&self, method: &str, more: &[&str], stdin: &str) -> Result<String, String> {
        self.log_in_by(&[&["--method", method], more].concat(), stdin).await
    }

    async fn log_in_by(&self, more: &[&str], stdin: &str) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_byok"));
        command.env_clear().env("HOME", self.byok.home());
        command
            .arg("--config")
            .arg(self.byok.config_file())
            .arg("--db")
            .arg(self.byok.state().join("tokens.db"));
        command.args(["login", "kiro"]).args(more);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take();
        if !stdin.is_empty() {
            writeln!(input.as_mut().unwrap(), "{stdin}").unwrap();
            input = None;
        }
        let stderr = child.stderr.take().unwrap();
        let (sender, mut lines) = unbounded_channel();
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let mut said = String::new();
        while let Some(line) = lines.recv().await {
            said.push_str(&line);
            said.push('\n');
            if let Some(path) = line.trim().strip_prefix(&self.simulator.base_url()) {
                let answer = Call::get(path).send(self.simulator.address()).await;
                match answer.header("location") {
                    "" => assert_eq!(answer.status, 200, "{}", answer.text()),
                    link if link.starts_with("kiro://") => {
                        writeln!(input.as_mut().unwrap(), "{link}").unwrap();
                        input = None;
                    }
                    back => {
                        let url: http::Uri = back.parse().unwrap();
                        let address = ([127, 0, 0, 1], url.port_u16().unwrap()).into();
                        let call = Call::get(url.path_and_query().unwrap().as_str());
                        let _ = call.header("host", url.authority().unwrap().as_str()).send(address).await;
                    }
                }
            }
        }
        if child.wait().unwrap().success() { Ok(said) } else { Err(said) }
    }

    async fn ask(&self, dialect: Dialect, ask: &Ask) -> Answer {
        dialect::call(dialect, ask).send(self.byok.address()).await
    }

    /// Asks until the login is seen, which takes a moment.
    async fn said(&self, dialect: Dialect, ask: &Ask) -> Said {
        for _ in 0..200 {
            let answer = self.ask(dialect, ask).await;
            if answer.status == 404 || answer.text().contains("no login") {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            }
            return dialect::read(dialect, ask.stream, &answer)
                .unwrap_or_else(|why| panic!("{dialect} {}: {why}", ask.stream));
        }
        panic!("the login was never seen");
    }

    /// Waits until the account is in a state: the server looks at its store about once a second.
    async fn becomes(&self, state: &str) {
        for _ in 0..1000 {
            if self.account().await["state"] == state {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the account never became {state}: {}", self.account().await);
    }

    fn runtime(&self) -> Vec<Seen> {
        let seen = self.simulator.requests().into_iter();
        seen.filter(|seen| seen.path.ends_with("/generateAssistantResponse")).collect()
    }

    async fn account(&self) -> Value {
        let status = self.byok.status().await;
        let provider = status["providers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|provider| provider["name"] == "kiro" || provider["id"] == "kiro");
        provider.and_then(|provider| provider["accounts"].get(0)).cloned().unwrap_or_default()
    }
}

fn ways() -> impl Iterator<Item = (Dialect, bool)> {
    Dialect::ALL.into_iter().flat_map(|dialect| [(dialect, false), (dialect, true)])
}

fn question(text: &str, stream: bool) -> Ask {
    Ask::new(text).model(MODEL).stream(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_log_in_leads_to_answers() {
    let organisation = ["--with", "start_url=https://d-1.awsapps.com/start", "--with", "region=eu-west-1"];
    let in_browser = [&organisation[..], &["--no-open"]].concat();
    let cases: [(&str, &[&str], &str, &str); 10] = [
        ("builder-id", &[], "", "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX"),
        ("idc", &organisation, "", "arn:aws:codewhisperer:eu-central-1:123456789012:profile/SIMULATED"),
        ("idc-browser", &in_browser, "", "arn:aws:codewhisperer:eu-central-1:123456789012:profile/SIMULATED"),
        ("google", &[], "", "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK"),
        ("github", &[], "", "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK"),
        (
            "builder-id-browser",
            &["--no-open"],
            "",
            "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX",
        ),
        ("portal", &["--no-open"], "", "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK"),
        ("link", &["--no-browser"], "", "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK"),
        (
            "link-github",
            &["--no-browser"],
            "",
            "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK",
        ),
        ("key", &[], "ksk_e2e", ""),
    ];
    for (method, more, stdin, profile) in cases {
        let world = World::start().await;
        let said = world.log_in(method, more, stdin).await.unwrap_or_else(|said| panic!("{method}: {said}"));
        assert!(
            said.contains("logged in to kiro as ") && said.contains("@example.org, plan KIRO PRO"),
            "{method}: {said}"
        );
        assert!(!said.contains("aoaSim") && !said.contains("aorSim") && !said.contains("ksk_"), "{said}");
        let answer = world.said(Dialect::Messages, &question("sim:text good morning", false)).await;
        assert_eq!(answer.text, "good morning", "{method}");
        let seen = world.runtime().pop().unwrap();
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["profileArn"].as_str().unwrap_or_default(), profile, "{method}");
        assert_eq!(seen.header("tokentype"), (method == "key").then_some("API_KEY"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_refuses() {
    let world = World::start().await;
    for (method, stdin, part) in [
        ("key", "sk-other", "begin with `ksk_`"),
        ("key", "ksk_bad", "refuses the key"),
        ("token", "aorNobody", "clientSecret"),
        ("idc", "", "start_url"),
    ] {
        let said = world.log_in(method, &[], stdin).await.unwrap_err();
        assert!(said.contains(part), "{method}: {said}");
    }
    assert_eq!(world.simulator.kiro_counts().logins, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_tools_and_streams_in_every_dialect() {
    let world = World::logged_in().await;
    for (dialect, stream) in ways() {
        let ask = question(&format!("sim:text hello from {dialect} {stream}"), stream)
            .with(|ask| ask.system = vec!["Be brief.".into()]);
        let said = world.said(dialect, &ask).await;
        assert_eq!(said.text, format!("hello from {dialect} {stream}"));
        assert!(said.usage.input > 0 && said.usage.output > 0, "{:?}", said.usage);

        let tool = Tool { name: "get_weather", parameters: schema() };
        let ask =
            question("sim:tool get_weather {\"city\":\"Oslo\"}", stream).with(|ask| ask.tools = vec![tool]);
        let called = world.said(dialect, &ask).await;
        assert_eq!(called.calls.len(), 1, "{dialect} {stream}");
        assert_eq!(
            (called.calls[0].name.as_str(), &called.calls[0].arguments),
            ("get_weather", &json!({"city": "Oslo"}))
        );
        let told = world.said(dialect, &ask.answered(&called, &["sunny and cold"])).await;
        assert!(told.text.contains("sunny and cold"), "{dialect} {stream}: {}", told.text);
        // Without tools in the last request those of the history are still declared.
        let mut bare = ask.answered(&called, &["sunny and cold"]);
        bare.tools.clear();
        if dialect != Dialect::Messages {
            world.said(dialect, &bare).await;
        }
    }
    let seen = world.runtime();
    for seen in &seen {
        assert_eq!(seen.header("content-type"), Some("application/json"));
        assert_eq!(seen.header("accept"), Some("application/vnd.amazon.eventstream"));
        assert_eq!(seen.header("x-amzn-kiro-agent-mode"), Some("vibe"));
        assert!(seen.header("user-agent").unwrap().starts_with("byok/"), "byok names itself");
        assert!(seen.header("tokentype").is_none());
    }
    let first: Value = serde_json::from_slice(&seen[0].body).unwrap();
    let message = &first["conversationState"]["currentMessage"]["userInputMessage"];
    assert_eq!(message["modelId"], "claude-sonnet-4.5");
    assert!(message["content"].as_str().unwrap().starts_with("Be brief.\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn thinking_pictures_and_stops() {
    let world = World::logged_in().await;
    for (dialect, stream) in ways() {
        let ask = question("sim:thinking hard sim:text done", stream)
            .model("kiro/claude-opus-4.8")
            .with(|ask| ask.think = Some(Think::Effort("high")));
        let said = world.said(dialect, &ask).await;
        assert_eq!(said.text, "done", "{dialect} {stream}");
        assert_eq!(
            said.thinking.is_empty(),
            dialect == Dialect::Chat && said.thinking.is_empty(),
            "{dialect} {stream}"
        );
        let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        let ask = question("what is this?", stream).with(|ask| {
            ask.turns = vec![Turn::User(vec![
                Piece::Text("what is this?".into()),
                Piece::Image("image/png", png.into()),
            ])]
        });
        assert!(world.said(dialect, &ask).await.text.contains("image/png"), "{dialect} {stream}");
        if dialect != Dialect::Responses {
            let ask =
                question("sim:text one two STOP three", stream).with(|ask| ask.stops = vec!["STOP".into()]);
            assert_eq!(
                world.said(dialect, &ask).await.text.trim_end(),
                "one two",
                "{dialect} {stream}: byok cuts"
            );
        }
    }
    let effort: Vec<_> = world
        .runtime()
        .iter()
        .map(|seen| {
            serde_json::from_slice::<Value>(&seen.body).unwrap()["additionalModelRequestFields"].clone()
        })
        .collect();
    assert!(effort.contains(&json!({"output_config": {"effort": "high"}})), "{effort:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_token_is_refreshed_once() {
    for (method, more) in [
        ("builder-id", vec![]),
        ("google", vec![]),
        ("idc", vec!["--with", "start_url=https://d-1.awsapps.com/start", "--with", "region=eu-west-1"]),
    ] {
        let world = World::start().await;
        world.log_in(method, &more, "").await.unwrap();
        world.said(Dialect::Chat, &question("sim:text a", false)).await;
        world.simulator.expire_kiro();
        assert_eq!(world.said(Dialect::Chat, &question("sim:text b", true)).await.text, "b", "{method}");
        let counts = world.simulator.kiro_counts();
        assert_eq!((counts.refreshes, counts.reuses), (1, 0), "{method}");
        // The next one goes with the new token, which names the same profile.
        world.said(Dialect::Chat, &question("sim:text c", false)).await;
        assert_eq!(world.simulator.kiro_counts().refreshes, 1, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_end() {
    let world = World::logged_in().await;
    world.said(Dialect::Chat, &question("sim:text a", false)).await;
    world.simulator.revoke_kiro();
    let refused = world.ask(Dialect::Chat, &question("hello", false)).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("byok login kiro"), "{}", refused.text());
    world.becomes("needs_login").await;

    let world = World::logged_in().await;
    world.said(Dialect::Chat, &question("sim:text a", false)).await;
    let refused = world.ask(Dialect::Messages, &question("sim:banned", false)).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("temporarily is suspended"), "{}", refused.text());
    world.becomes("blocked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_reach_the_client_in_its_dialect() {
    let world = World::logged_in().await;
    world.said(Dialect::Chat, &question("sim:text a", false)).await;
    for (wish, status, code) in
        [("sim:context", 400, "context_length_exceeded"), ("sim:400", 400, ""), ("sim:404", 400, "")]
    {
        let answer = world.ask(Dialect::Chat, &question(wish, false)).await;
        assert_eq!(answer.status, status, "{wish}: {}", answer.text());
        let error = &answer.json()["error"];
        if !code.is_empty() {
            assert_eq!(error["code"], code, "{wish}: {error}");
        }
    }
    let answer = world.ask(Dialect::Messages, &question("sim:context", true)).await;
    assert!(
        answer.json()["error"]["message"].as_str().unwrap().starts_with("prompt is too long"),
        "{}",
        answer.text()
    );
    // Refused in the first event of a good stream: as if by status.
    let answer = world.ask(Dialect::Chat, &question("sim:error_first", true)).await;
    assert!(answer.status >= 400, "{}", answer.text());
    // Cut in the middle: one error, no end.
    for wish in ["sim:no_end", "sim:error_mid 2", "sim:reset_mid 2"] {
        let world = World::logged_in().await;
        world.said(Dialect::Messages, &question("sim:text a", false)).await;
        let answer = world.ask(Dialect::Messages, &question(wish, true)).await;
        let text = answer.text();
        assert_eq!(
            (text.matches("event: error").count(), text.contains("message_stop")),
            (1, false),
            "{wish}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_and_what_is_left() {
    let world = World::logged_in().await;
    world.said(Dialect::Chat, &question("sim:text a", false)).await;
    let mut listed = String::new();
    for _ in 0..200 {
        listed = Call::get("/v1/models").send(world.byok.address()).await.text();
        if listed.contains("kiro/qwen3-coder-next") && !listed.contains("kiro/glm-5") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(
        listed.contains("kiro/qwen3-coder-next") && !listed.contains("kiro/glm-5"),
        "the vendor's own list: {listed}"
    );
    let account = world.account().await;
    let text = account.to_string();
    assert!(text.contains("credits") && text.contains("0.25"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_used_up_the_credits_rests_until_they_come_back() {
    let world = World::logged_in().await;
    world.said(Dialect::Chat, &question("sim:text a", false)).await;
    let refused = world.ask(Dialect::Chat, &question("sim:quota", false)).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    let account = world.account().await;
    let rest = &account["resting"][0];
    let days = rest["seconds"].as_u64().unwrap_or_default() / 86_400;
    assert!((1..=31).contains(&days), "not an hour: {account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_the_ide_is_followed_or_taken_over() {
    for take_over in [false, true] {
        let world = World::start().await;
        let file = world.byok.home().join("kiro-auth-token.json");
        let write = |(access, refresh): (String, String)| {
            let token = json!({"accessToken": access, "refreshToken": refresh, "expiresAt": "2999-01-01T00:00:00Z",
                               "authMethod": "social", "provider": "Google", "region": "us-east-1"});
            std::fs::write(&file, token.to_string()).unwrap();
        };
        write(world.simulator.kiro_grant());
        let mut more = vec!["--import", file.to_str().unwrap()];
        more.extend(take_over.then_some("--take-over"));
        world.log_in_by(&more, "").await.unwrap_or_else(|said| panic!("{said}"));
        assert_eq!(world.said(Dialect::Chat, &question("sim:text a", false)).await.text, "a");
        world.simulator.expire_kiro();
        if !take_over {
            // The other program renews its login; byok only reads.
            write(world.simulator.kiro_grant());
        }
        assert_eq!(world.said(Dialect::Chat, &question("sim:text b", false)).await.text, "b", "{take_over}");
        assert_eq!(world.simulator.kiro_counts().refreshes, u64::from(take_over));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_refresh_token() {
    let world = World::start().await;
    let (_, refresh) = world.simulator.kiro_grant();
    world.log_in("token", &[], &refresh).await.unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(world.said(Dialect::Gemini, &question("sim:text a", true)).await.text, "a");
    assert_eq!(world.simulator.kiro_counts().refreshes, 1);
}

#[tokio::test]
async fn a_login_does_what_the_readme_says() {
    let world = World::logged_in().await;
    world.said(Dialect::Messages, &question("Hello.", false)).await;
    let model = "kiro/claude-sonnet-4.6";
    let does = super::table::Does {
        provider: "kiro",
        make: byok_auth::kiro::vendor,
        model,
        thinks: model,
        sees: model,
    };
    does.what_the_readme_says(&world.byok).await;
}

#[tokio::test]
async fn a_charge_that_the_usage_shows_stops_the_account() {
    let world = World::logged_in().await;
    world.said(Dialect::Messages, &Ask::new("sim:overage").model(MODEL)).await;
    world.becomes("extra_usage").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kiro_cannot_be_told_is_named() {
    let world = World::logged_in().await;
    for (client, cap) in [
        (Dialect::Chat, "max_tokens"),
        (Dialect::Responses, "max_output_tokens"),
        // It has to write one.
        (Dialect::Messages, ""),
        (Dialect::Gemini, "generationConfig.maxOutputTokens"),
    ] {
        let ask = question("Hello.", false).with(|ask| ask.max_tokens = Some(500));
        let answer = dialect::call(client, &ask).send(world.byok.address()).await;
        assert_eq!(answer.status, 200, "{client}: {}", answer.text());
        assert_eq!(answer.header("x-byok-dropped"), cap, "{client}");
    }
}
