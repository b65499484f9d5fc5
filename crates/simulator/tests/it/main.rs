//! The simulator over real sockets.
#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::cloned_ref_to_slice_refs,
    unreachable_pub,
    reason = "a test binary: its helpers are no API and may fail loudly"
)]

mod anthropic;
mod cancel;
mod chat;
mod client;
mod copilot;
mod gemini;
mod google;
mod grammar;
mod iflow;
mod kimi;
mod kiro;
mod neighbours;
mod oauth;
mod plain;
mod plans;
mod qwen;
mod refusals;
mod responses;
mod trouble;
mod wire;
mod words;
