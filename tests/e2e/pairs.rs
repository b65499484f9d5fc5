//! All 16 pairs of client and upstream dialect, streaming and not.

mod answers;
mod breaks;
mod cache;
mod reasoning;
pub mod requests;
mod tools;

use crate::support::{
    ask::Said,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;

/// How a dialect says why an answer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    End,
    Length,
    Tools,
    /// Refused or filtered.
    Filter,
}

/// The word of a client dialect for a stop.
fn stop(client: Dialect, stop: Stop) -> &'static str {
    match (client, stop) {
        (Dialect::Chat, Stop::End) => "stop",
        (Dialect::Chat, Stop::Length) => "length",
        (Dialect::Chat, Stop::Tools) => "tool_calls",
        (Dialect::Chat | Dialect::Responses, Stop::Filter) => "content_filter",
        (Dialect::Responses, Stop::End | Stop::Tools) => "completed",
        (Dialect::Responses, Stop::Length) => "max_output_tokens",
        (Dialect::Messages, Stop::End) => "end_turn",
        (Dialect::Messages, Stop::Length) => "max_tokens",
        (Dialect::Messages, Stop::Tools) => "tool_use",
        (Dialect::Messages, Stop::Filter) => "refusal",
        (Dialect::Gemini, Stop::End | Stop::Tools) => "STOP",
        (Dialect::Gemini, Stop::Length) => "MAX_TOKENS",
        (Dialect::Gemini, Stop::Filter) => "SAFETY",
    }
}

/// Checks why an answer stopped.
fn stopped(pair: Pair, said: &Said, wanted: Stop) -> Result<(), String> {
    equal("stop", &said.stop.as_str(), &stop(pair.client, wanted))
}

/// Runs a check for all 32 cases.
async fn all(check: impl AsyncFn(&World, Pair) -> Result<(), String>) {
    let world = World::start().await;
    each(Pair::all(), |pair| check(&world, pair)).await;
}
