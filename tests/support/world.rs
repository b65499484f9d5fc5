//! byok with a simulator behind it.

use super::{
    ask::{Ask, Said},
    byok::{Byok, Setup},
    client::{Answer, Open},
    dialect,
};
use byok_simulator::{Seen, SimOptions, Simulator};
use byok_types::Dialect;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::fmt;

/// A simulator, and a byok that knows it under several names.
pub struct World {
    pub simulator: Simulator,
    pub byok: Byok,
}

impl World {
    /// With the usual providers.
    pub async fn start() -> Self {
        Self::with(json!({})).await
    }

    /// With the usual providers and these settings besides; `providers` are added one by one.
    pub async fn with(settings: Value) -> Self {
        Self::of(|_| settings, |setup| setup).await
    }

    /// With settings that need the address of the simulator, and a start of its own.
    pub async fn of(settings: impl FnOnce(&Simulator) -> Value, start: impl FnOnce(Setup) -> Setup) -> Self {
        let simulator = Simulator::start(SimOptions::default()).await.unwrap();
        let settings = settings(&simulator);
        let byok = start(Setup::new(config(&simulator, settings))).start().await;
        Self { simulator, byok }
    }

    /// The last request to the simulator whose body contains `mark`.
    pub fn seen(&self, mark: &str) -> Option<Seen> {
        let seen = self.simulator.requests().into_iter().rev();
        seen.into_iter().find(|seen| String::from_utf8_lossy(&seen.body).contains(mark))
    }
}

/// A configuration. YAML is a superset of JSON, so JSON is good enough for a test.
pub fn config(simulator: &Simulator, settings: Value) -> String {
    let mut all = json!({
        "providers": usual_providers(&simulator.base_url()),
        "log": "debug",
    });
    for (name, value) in settings.as_object().into_iter().flatten() {
        match value.as_object().filter(|_| name == "providers") {
            None => all[name] = value.clone(),
            Some(providers) => {
                for (name, value) in providers {
                    all["providers"][name] = value.clone();
                }
            }
        }
    }
    all.to_string()
}

/// The built-in providers and one of each kind.
fn usual_providers(simulator: &str) -> Value {
    let first_party = openai_itself();
    json!({
        "claude": {"api_key": "sk-ant-api03-e2e", "base_url": simulator},
        "codex": {"api_key": "sk-e2e", "base_url": format!("{simulator}/v1")},
        "gemini": {"api_key": "AIza-e2e", "base_url": simulator},
        "my-chat": {
            "kind": "openai", "api_key": "sk-chat", "base_url": format!("{simulator}/v1"), "models": [first_party],
        },
        "my-responses": {
            "kind": "responses", "api_key": "sk-responses", "base_url": format!("{simulator}/v1"),
            "models": [first_party],
        },
        "my-messages": {"kind": "anthropic", "api_key": "sk-ant-api03-mine", "base_url": simulator},
        "my-gemini": {"kind": "gemini", "api_key": "AIza-mine", "base_url": simulator},
    })
}

/// The model with the facts that hold at its own vendor: a provider of another name is no vendor by default.
fn openai_itself() -> Value {
    json!({
        "id": "gpt-5.1", "max_tokens_field": "max_completion_tokens", "developer_role": true, "family": "openai",
        "first_party": true,
    })
}

/// A provider of a kind for one case, with these keys.
pub fn provider(dialect: Dialect, simulator: &Simulator, keys: &[String]) -> Value {
    let base = simulator.base_url();
    let (kind, base) = match dialect {
        Dialect::Chat => ("openai", format!("{base}/v1")),
        Dialect::Responses => ("responses", format!("{base}/v1")),
        Dialect::Messages => ("anthropic", base),
        Dialect::Gemini => ("gemini", base),
    };
    let mut provider = json!({"kind": kind, "base_url": base, "api_keys": keys});
    if model(dialect) == "gpt-5.1" {
        provider["models"] = json!([openai_itself()]);
    }
    provider
}

/// A key that the simulator takes for a dialect; `wish` is a scenario (`-sim-429`) or any name.
pub fn key(dialect: Dialect, wish: &str) -> String {
    match dialect {
        Dialect::Chat | Dialect::Responses => format!("sk-e2e{wish}"),
        Dialect::Messages => format!("sk-ant-api03-e2e{wish}"),
        Dialect::Gemini => format!("AIza-e2e{wish}"),
    }
}

/// A model that the simulator has for a dialect.
pub const fn model(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses => "gpt-5.1",
        Dialect::Messages => "claude-sonnet-4-6",
        Dialect::Gemini => "gemini-3.5-flash",
    }
}

/// A client dialect and an upstream dialect, streaming or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub client: Dialect,
    pub upstream: Dialect,
    pub stream: bool,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.stream { "stream" } else { "whole" };
        write!(f, "{}-to-{}-{way}", self.client, self.upstream)
    }
}

impl Pair {
    /// All 32.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for client in Dialect::ALL {
            for upstream in Dialect::ALL {
                all.extend([false, true].map(|stream| Self { client, upstream, stream }));
            }
        }
        all
    }

    pub fn streams() -> Vec<Self> {
        Self::all().into_iter().filter(|pair| pair.stream).collect()
    }

    /// Whether byok passes the bytes on.
    pub fn passes(self) -> bool {
        self.client == self.upstream
    }

    /// The name under which a client asks for the upstream.
    pub fn model(self) -> String {
        let provider = match self.upstream {
            Dialect::Chat => "my-chat",
            Dialect::Responses => "my-responses",
            Dialect::Messages => "claude",
            Dialect::Gemini => "gemini",
        };
        format!("{provider}/{}", model(self.upstream))
    }

    /// A question that carries the name of the pair, so that it is found again in the simulator's log.
    pub fn ask(self, text: &str) -> Ask {
        let ask = if text.starts_with("sim:") {
            Ask::new(text).with(|ask| {
                ask.turns = vec![super::ask::Turn::User(vec![
                    super::ask::Piece::Text(text.to_owned()),
                    super::ask::Piece::Text(self.mark()),
                ])]
            })
        } else {
            Ask::new(format!("{text} {}", self.mark()))
        };
        ask.model(&self.model()).stream(self.stream)
    }

    /// The text that marks its requests.
    pub fn mark(self) -> String {
        format!("[{self}]")
    }

    pub async fn open(self, world: &World, ask: &Ask) -> Open {
        dialect::call(self.client, ask).open(world.byok.address()).await
    }

    pub async fn send(self, world: &World, ask: &Ask) -> Answer {
        dialect::call(self.client, ask).send(world.byok.address()).await
    }

    /// Sends a question and reads a good answer.
    pub async fn say(self, world: &World, ask: &Ask) -> Result<Said, String> {
        dialect::read(self.client, self.stream, &self.send(world, ask).await)
    }

    /// What the upstream got of the question of this pair.
    pub fn upstream_body(self, world: &World) -> Result<Value, String> {
        let seen = world.seen(&self.mark()).ok_or("the simulator has not seen the request")?;
        if seen.dialect == Some(self.upstream) {
            Ok(seen.json())
        } else {
            Err(format!("it went to {}", seen.path))
        }
    }
}

/// Runs a check for many cases at the same time and fails with all that went wrong.
pub async fn each<C: fmt::Display + Copy, F: Future<Output = Result<(), String>>>(
    cases: impl IntoIterator<Item = C>,
    check: impl Fn(C) -> F,
) {
    let results = join_all(cases.into_iter().map(|case| {
        let run = check(case);
        async move { run.await.err().map(|error| format!("{case}: {error}")) }
    }));
    let failures: Vec<String> = results.await.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{} cases fail:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Fails a case unless both are equal.
pub fn equal<T: PartialEq + fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {found:?}, wanted {wanted:?}")) }
}
