//! The clients that people use, as they are: what each sends, what it trips over, on every upstream dialect.
//!
//! A client is a builder of bodies of its own shape around the conversation that all of them have: eight tools or more, three
//! rounds of calls with their results, and the thinking of earlier turns in the form in which the client keeps it.

mod chat;
pub mod claude_code;
mod codex;
mod cursor;
mod gemini;
mod gemini_cli;
mod keep_alive;
mod messages;
mod responses;
mod trips;

use crate::support::{
    ask::{Ask, Called, Piece, Said, Think, Turn},
    client::{Answer, Call},
    dialect,
    tools::rich,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::fmt;

/// Rounds of tools.
const ROUNDS: usize = 3;
/// Clients that stream only, and those that do either.
const STREAM: &[bool] = &[true];
const BOTH: &[bool] = &[false, true];

/// A client.
struct Client {
    name: &'static str,
    dialect: Dialect,
    /// Its path, where it is not the usual one of the dialect.
    path: Option<&'static str>,
    headers: &'static [(&'static str, &'static str)],
    ways: &'static [bool],
    /// Its tools. The first two are called.
    tools: &'static [&'static str],
    think: Option<Think>,
    /// Its body.
    body: fn(&Ask) -> Value,
}

/// A client on an upstream.
#[derive(Clone, Copy)]
struct Case {
    client: &'static Client,
    upstream: Dialect,
    stream: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.client.name, self.pair())
    }
}

impl Case {
    /// Every client of a list on every upstream, in every way.
    fn all(clients: &'static [Client]) -> Vec<Self> {
        let mut all = Vec::new();
        for client in clients {
            for upstream in Dialect::ALL {
                all.extend(client.ways.iter().map(|&stream| Self { client, upstream, stream }));
            }
        }
        all
    }

    fn pair(self) -> Pair {
        Pair { client: self.client.dialect, upstream: self.upstream, stream: self.stream }
    }

    /// The conversation at its start, with this wish to the simulator.
    fn ask(self, wish: &str) -> Ask {
        Ask::new("").model(&self.pair().model()).stream(self.stream).with(|ask| {
            ask.system = vec!["You help with code. ".repeat(60)];
            ask.tools = self.client.tools.iter().map(|name| rich(name)).collect();
            ask.think = self.client.think.clone();
            ask.turns =
                vec![Turn::User(vec![Piece::Text(wish.to_owned()), Piece::Text(format!("<{self}>"))])];
        })
    }

    async fn send(self, world: &World, ask: &Ask) -> Answer {
        self.post(world, ask, (self.client.body)(ask)).await
    }

    /// Sends a body with the headers of the client.
    async fn post(self, world: &World, ask: &Ask, body: Value) -> Answer {
        let call = match self.client.path {
            None if self.client.dialect == Dialect::Gemini => {
                Call::post(dialect::gemini::target(ask), body.to_string())
            }
            None => dialect_call(self.client.dialect, body),
            Some(path) => Call::post(path, body.to_string()),
        };
        call.headers(self.client.headers).send(world.byok.address()).await
    }

    /// Sends and reads, strictly and with the eyes of the client.
    async fn say(self, world: &World, ask: &Ask) -> Result<Said, String> {
        let answer = self.send(world, ask).await;
        self.read(&answer)
    }

    fn read(self, answer: &Answer) -> Result<Said, String> {
        let said = dialect::read(self.client.dialect, self.stream, answer)?;
        trips::check(self.client.dialect, self.stream, &answer.body)
            .map_err(|error| format!("{error}\n{}", answer.text()))?;
        equal("an error", &said.error.is_some(), &false)?;
        Ok(said)
    }

    /// What the upstream got at last.
    fn upstream_body(self, world: &World) -> Result<Value, String> {
        let seen = world.seen(&format!("<{self}>")).ok_or("the simulator has not seen the request")?;
        equal("upstream", &seen.dialect, &Some(self.upstream))?;
        Ok(seen.json())
    }
}

fn dialect_call(dialect: Dialect, body: Value) -> Call {
    match dialect {
        Dialect::Chat => Call::post("/v1/chat/completions", body.to_string()),
        Dialect::Responses => Call::post("/v1/responses", body.to_string()),
        Dialect::Messages | Dialect::Gemini => {
            Call::post("/v1/messages", body.to_string()).header("anthropic-version", "2023-06-01")
        }
    }
}

/// Three rounds of two calls, thinking before each, and an answer that has seen the results.
async fn converse(world: &World, case: Case) -> Result<(), String> {
    let wanted = [
        (case.client.tools[0], json!({"path": "/src/ä \"b\".rs", "limit": 200})),
        (case.client.tools[1], json!({"path": "/", "edits": [{"old": "\\n", "new": "☂"}]})),
    ];
    let calls = wanted.iter().map(|(name, arguments)| format!("sim:tool {name} {arguments}"));
    let thinking = if case.client.think.is_some() { "sim:thinking Where is it? " } else { "" };
    let wish =
        format!("{thinking}sim:loop {ROUNDS} sim:text Looking. {}", calls.collect::<Vec<_>>().join(" "));
    let mut ask = case.ask(&wish);
    let mut sent = Vec::new();
    for round in 1..=ROUNDS {
        let in_round = |error: String| format!("round {round}: {error}");
        let said = case.say(world, &ask).await.map_err(in_round)?;
        let found: Vec<(&str, Value)> = said
            .calls
            .iter()
            .map(|Called { name, arguments, .. }| (name.as_str(), arguments.clone()))
            .collect();
        equal("calls", &found.as_slice(), &wanted.as_slice()).map_err(in_round)?;
        let text = if round == 1 { "Looking." } else { "" };
        equal("text", &said.text.as_str(), &text).map_err(in_round)?;
        let results = [format!("first of round {round};"), format!("second of round {round};")];
        ask = ask.answered(&said, &results.each_ref().map(String::as_str));
        sent.extend(results);
    }
    let said = case.say(world, &ask).await.map_err(|error| format!("at the end: {error}"))?;
    equal("calls at the end", &said.calls.len(), &0)?;
    let body = case.upstream_body(world)?.to_string();
    for result in &sent {
        equal(result, &body.matches(result.as_str()).count(), &1)
            .map_err(|error| format!("{error}: {body}"))?;
    }
    Ok(())
}

/// Runs the conversation of every client of a list.
async fn converse_all(clients: &'static [Client]) {
    for client in clients {
        assert!(client.tools.len() >= 8, "{} has too few tools", client.name);
    }
    let world = World::start().await;
    each(Case::all(clients), |case| converse(&world, case)).await;
}

/// Puts a member into a JSON object.
fn set(body: &mut Value, name: &str, value: Value) {
    body[name] = value;
}

/// Members of a list of objects that have this value under a name.
fn members<'v>(
    list: &'v mut Value,
    name: &'static str,
    value: &'static str,
) -> impl Iterator<Item = &'v mut Value> {
    list.as_array_mut().into_iter().flatten().filter(move |member| member[name] == value)
}
