//! The providers with a login: the real binary logs in at the simulated vendor while it serves, then everything that a client
//! wants goes through that login.

mod claude;
mod codex;
mod copilot;
mod deepseek;
mod google;
mod iflow;
mod imports;
mod keys;
mod kimi;
mod kiro;
mod lists;
mod login;
mod plans;
mod qwen;
mod table;
mod xai;

use crate::support::{
    ask::{Ask, Piece, Said, Tool, Turn},
    byok::{Byok, PATIENCE, Setup},
    client::{Answer, Call},
    dialect,
};
use byok_simulator::{Seen, SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::{process::Stdio, time::Instant};
use tokio::io::AsyncWriteExt as _;

/// A simulated vendor, and a byok that has logged in there.
pub struct LoggedIn {
    pub simulator: Simulator,
    pub byok: Byok,
    /// What the login said.
    pub said: String,
}

impl LoggedIn {
    /// Starts a server that knows only this provider, and logs in beside it.
    pub async fn start(provider: &str, settings: impl FnOnce(&str) -> Value, arguments: &[&str]) -> Self {
        let simulator = Simulator::start(SimOptions::default()).await.unwrap();
        let settings = json!({"providers": {provider: settings(&simulator.base_url())}, "log": "debug"});
        let byok = Setup::new(settings.to_string()).start().await;
        let world = Self::logged_in(simulator, byok, provider, arguments, "").await;
        world.is_used().await;
        world
    }

    /// The same, before anybody has asked for the status and with it for the limits of the plan.
    pub async fn unasked(provider: &str, settings: impl FnOnce(&str) -> Value, arguments: &[&str]) -> Self {
        let simulator = Simulator::start(SimOptions::default()).await.unwrap();
        let settings = json!({"providers": {provider: settings(&simulator.base_url())}, "log": "debug"});
        let byok = Setup::new(settings.to_string()).start().await;
        let world = Self::logged_in(simulator, byok, provider, arguments, "").await;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let list = Call::get("/v1/models").send(world.byok.address()).await.json();
            if list["data"].as_array().is_some_and(|models| !models.is_empty()) {
                return world;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the login is not used: {}", world.said)
    }

    /// The same with a key or token that is pasted.
    pub async fn pasting(
        provider: &str,
        settings: impl FnOnce(&str) -> Value,
        arguments: &[&str],
        pasted: impl FnOnce(&Simulator) -> String,
    ) -> Self {
        let simulator = Simulator::start(SimOptions::default()).await.unwrap();
        let settings = json!({"providers": {provider: settings(&simulator.base_url())}, "log": "debug"});
        let byok = Setup::new(settings.to_string()).start().await;
        let pasted = pasted(&simulator);
        let world = Self::logged_in(simulator, byok, provider, arguments, &pasted).await;
        world.is_used().await;
        world
    }

    async fn logged_in(
        simulator: Simulator,
        byok: Byok,
        provider: &str,
        arguments: &[&str],
        pasted: &str,
    ) -> Self {
        let said = log_in(&byok, provider, arguments, pasted)
            .await
            .unwrap_or_else(|said| panic!("the login failed: {said}"));
        Self { simulator, byok, said }
    }

    /// A login is used without a restart; what it may not say it needs consent for.
    async fn is_used(&self) {
        let lacks = self.said.contains("byok does not send ");
        becomes(self, if lacks { "needs_consent" } else { "ready" }).await;
    }

    pub async fn send(&self, client: Dialect, ask: &Ask) -> Answer {
        dialect::call(client, ask).send(self.byok.address()).await
    }

    pub async fn say(&self, client: Dialect, ask: &Ask) -> Result<Said, String> {
        dialect::read(client, ask.stream, &self.send(client, ask).await)
    }

    /// The last request to this path.
    pub fn last(&self, path: &str) -> Option<Seen> {
        self.simulator.requests().into_iter().rev().find(|seen| seen.path == path)
    }

    /// How many requests went to this path.
    pub fn count(&self, path: &str) -> usize {
        self.simulator.requests().iter().filter(|seen| seen.path == path).count()
    }

    /// A chat, a tool round trip, as a stream and whole, in all four dialects.
    pub async fn serves(&self, models: &[&str]) {
        let mut failures = Vec::new();
        for model in models {
            for client in Dialect::ALL {
                for stream in [false, true] {
                    if let Err(error) = self.converse(client, model, stream).await {
                        failures.push(format!("{model} from {client}, stream {stream}: {error}"));
                    }
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    }

    async fn converse(&self, client: Dialect, model: &str, stream: bool) -> Result<(), String> {
        let words = format!("[{model} {client} {stream}] How are you?");
        let ask = Ask::new(&words).model(model).stream(stream);
        let said = self.say(client, &ask).await?;
        if !said.text.contains(&words) {
            return Err(format!("the question does not come back: {}", said.text));
        }
        let parameters =
            json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let mut ask = Ask::new("sim:tool get_weather {\"city\":\"Oslo\"}").model(model).stream(stream);
        ask.tools = vec![Tool { name: "get_weather", parameters }];
        let said = self.say(client, &ask).await.map_err(|error| format!("call: {error}"))?;
        if said.calls.len() != 1 || said.calls[0].arguments != json!({"city": "Oslo"}) {
            return Err(format!("the call is wrong: {:?}", said.calls));
        }
        let next = self.say(client, &ask.answered(&said, &["heavy rain"])).await;
        let next = next.map_err(|error| format!("result: {error}"))?;
        if next.text.contains("heavy rain") {
            Ok(())
        } else {
            Err(format!("the result is lost: {}", next.text))
        }
    }
}

/// Runs `byok login` against the settings and the database of a running server; `pasted` is its standard input. What it said,
/// as an error if it failed.
pub async fn log_in(byok: &Byok, provider: &str, arguments: &[&str], pasted: &str) -> Result<String, String> {
    match log_in_with(byok, provider, arguments, pasted).await {
        (Some(0), said) => Ok(said),
        (_, said) => Err(said),
    }
}

/// The same: how it ended, and what it said.
pub async fn log_in_with(
    byok: &Byok,
    provider: &str,
    arguments: &[&str],
    pasted: &str,
) -> (Option<i32>, String) {
    let ran = run(byok, &[&["login", provider], arguments].concat(), pasted).await;
    (ran.code, ran.err)
}

/// How a command ended, and what it said.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a command of byok with the settings and the database of a running server; `pasted` is its standard input.
pub async fn run(byok: &Byok, arguments: &[&str], pasted: &str) -> Ran {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_byok"))
        .args(arguments)
        .arg("--config")
        .arg(byok.config_file())
        .arg("--db")
        .arg(byok.state().join("tokens.db"))
        .env_clear()
        .env("HOME", byok.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // One that ends before it reads is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(pasted.as_bytes()).await;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.expect("the command ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A question with a picture of one point.
pub fn picture(model: &str) -> Ask {
    const POINT: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let mut ask = Ask::new("").model(model);
    ask.turns = vec![Turn::User(vec![
        Piece::Text("What is this?".to_owned()),
        Piece::Image("image/png", POINT.to_owned()),
    ])];
    ask
}

/// Waits until the state of the only account is this.
pub async fn becomes(world: &LoggedIn, state: &str) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if world.byok.status().await.to_string().contains(&format!("\"{state}\"")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the account does not become {state}: {}", world.byok.status().await);
}
