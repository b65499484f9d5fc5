//! The simulator over real sockets.
#![allow(clippy::pedantic, unreachable_pub, reason = "a test binary: its helpers are no API")]

mod anthropic;
mod chat;
mod client;
mod gemini;
mod plain;
mod refusals;
mod responses;
