//! Prompt caches: what was sent once is sent again byte for byte, so that the vendor finds it.

use super::tools::tool;
use crate::support::{
    ask::{Ask, Piece, Said, Turn},
    dialect,
    world::{Pair, World, each, key, model},
};
use byok_types::Dialect;
use serde_json::{json, value::RawValue};
use std::collections::BTreeMap;

/// Turns of the agent.
const TURNS: usize = 50;

/// The members of a body as they were written.
type Members = BTreeMap<String, Box<RawValue>>;

/// The list of turns in a dialect, and what stands before it for a cache.
fn places(upstream: Dialect) -> (&'static str, &'static [&'static str]) {
    match upstream {
        Dialect::Chat => ("messages", &["tools", "prompt_cache_key"]),
        Dialect::Responses => ("input", &["tools", "instructions", "prompt_cache_key"]),
        Dialect::Messages => ("messages", &["tools", "system", "cache_control"]),
        Dialect::Gemini => ("contents", &["tools", "systemInstruction"]),
    }
}

fn agent(mark: &str, client: Dialect) -> Ask {
    let wish = format!("sim:loop {TURNS} sim:tool get_weather {{\"city\":\"Oslo\"}}");
    let mut ask = Ask::new("").stream(true);
    ask.turns = vec![Turn::User(vec![Piece::Text(wish), Piece::Text(mark.to_owned())])];
    ask.system = vec!["You are careful. ".repeat(200)];
    // The only dialect in which nothing is cached that is not marked.
    if client == Dialect::Messages {
        ask.extra.insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
    }
    ask.tools = (0..8).map(|n| tool(["a", "b", "c", "d", "e", "f", "g", "get_weather"][n], "city")).collect();
    ask
}

/// The share of the prompt that was read from the cache, over all turns.
#[derive(Default)]
struct Share {
    input: u64,
    cached: u64,
}

impl Share {
    fn add(&mut self, said: &Said) {
        self.input += said.usage.input;
        self.cached += said.usage.cached;
    }
}

/// The same agent at the vendor itself.
async fn direct(world: &World, upstream: Dialect, name: &str) -> Result<Share, String> {
    // Not the conversation of the agent that comes through byok, and nobody else's cache.
    let mut ask = agent(&format!("direct {name}"), upstream).model(model(upstream));
    let key = key(upstream, &format!("direct-{name}"));
    let mut share = Share::default();
    for _ in 0..TURNS {
        let call = match upstream {
            Dialect::Chat | Dialect::Responses => {
                dialect::call(upstream, &ask).header("authorization", &format!("Bearer {key}"))
            }
            Dialect::Messages => dialect::call(upstream, &ask).header("x-api-key", &key),
            Dialect::Gemini => dialect::call(upstream, &ask).header("x-goog-api-key", &key),
        };
        let said = dialect::read_stream(upstream, &call.send(world.simulator.address()).await.body)?;
        share.add(&said);
        ask = ask.answered(&said, &["rain"]);
    }
    Ok(share)
}

#[tokio::test]
async fn every_turn_extends_the_one_before_it() {
    let world = World::start().await;
    each(Pair::streams(), async |pair| {
        let (list, fixed) = places(pair.upstream);
        let mut ask = agent(&pair.mark(), pair.client).model(&pair.model());
        let mut last: Option<(Members, Vec<Box<RawValue>>)> = None;
        let mut share = Share::default();
        for turn in 1..=TURNS {
            let said = pair.say(&world, &ask).await.map_err(|error| format!("turn {turn}: {error}"))?;
            share.add(&said);
            ask = ask.answered(&said, &["rain"]);
            let seen = world.seen(&pair.mark()).ok_or("the simulator has not seen the request")?;
            let body: Members = serde_json::from_slice(&seen.body).map_err(|error| error.to_string())?;
            let turns: Vec<Box<RawValue>> =
                serde_json::from_str(body[list].get()).map_err(|error| error.to_string())?;
            if let Some((before, said_before)) = &last {
                for name in fixed {
                    let (old, new) = (before.get(*name).map(|v| v.get()), body.get(*name).map(|v| v.get()));
                    if old != new {
                        return Err(format!("turn {turn}: `{name}` was {old:?} and is {new:?}"));
                    }
                }
                for (at, old) in said_before.iter().enumerate() {
                    let new = turns.get(at).map(|turn| turn.get());
                    if new != Some(old.get()) {
                        return Err(format!("turn {turn}: {list}[{at}] was {old} and is {new:?}"));
                    }
                }
            }
            last = Some((body, turns));
        }
        let own = direct(&world, pair.upstream, &pair.to_string()).await?;
        // Compared as products: a share of nothing is not a number.
        let (ours, theirs) = (share.cached * own.input * 100, own.cached * share.input * 99);
        if own.cached == 0 || ours < theirs {
            let Share { input, cached } = share;
            return Err(format!("{cached} of {input} cached, and {} of {} directly", own.cached, own.input));
        }
        Ok(())
    })
    .await;
}
