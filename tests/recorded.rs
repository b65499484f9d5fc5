//! Real exchanges with vendors, replayed.
//!
//! The recordings are in the folder that `BYOK_RECORDED` names (default: `../shared/recorded` beside the checkout), outside
//! the project. Without the folder the test says that it is skipped; with `BYOK_REQUIRE_RECORDED=1` that is a failure.
//! `cargo test --test recorded -- cc-` runs the recordings whose id contains the word.
#![allow(
    clippy::pedantic,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test binary: its helpers are no API, and it speaks on the terminal"
)]

#[cfg(unix)]
#[path = "recorded/parts.rs"]
mod recorded;
#[cfg(unix)]
#[allow(dead_code, reason = "the other test binary uses the rest")]
#[path = "support/support.rs"]
mod support;

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    recorded::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    println!("the recordings are skipped: the test is written for Unix");
    ExitCode::SUCCESS
}
