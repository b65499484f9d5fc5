//! The traps of the field: bugs that other proxies shipped. One test a trap, by its number, from the bytes of one
//! dialect to the bytes of another through the public API. Every stream that is written here is also held against the
//! grammar of its dialect. `TRAPS.md` beside this crate says how each test was seen to fail, and where the traps are that need a
//! server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "traps/calls.rs"]
mod calls;
#[path = "traps/endings.rs"]
mod endings;
#[path = "traps/history.rs"]
mod history;
#[path = "traps/schema.rs"]
mod schema;
#[path = "traps/shape.rs"]
mod shape;
#[path = "traps/streams.rs"]
mod streams;
#[path = "traps/support.rs"]
mod support;
#[path = "traps/thinking.rs"]
mod thinking;
#[path = "traps/usage.rs"]
mod usage;

#[path = "grammar/chat.rs"]
mod chat_grammar;
#[path = "grammar/gemini.rs"]
mod gemini_grammar;
#[path = "grammar/messages.rs"]
mod messages_grammar;
#[path = "grammar/responses.rs"]
mod responses_grammar;
