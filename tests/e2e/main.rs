//! byok end to end: the real binary, real sockets, the simulator behind it.
#![allow(
    clippy::pedantic,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test binary: its helpers are no API, and a panic is how a test fails"
)]
#![cfg(unix)]

mod access;
mod agent;
mod amp;
mod brought;
mod clients;
mod faults;
mod pairs;
mod passthrough;
mod providers;
mod readme;
#[path = "../support/support.rs"]
mod support;
