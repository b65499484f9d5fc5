//! The real binary, as a person or a script uses it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

mod accounts;
mod answers;
mod at_once;
mod config;
mod consent;
mod demo;
mod follow;
mod help;
mod imports;
mod keys;
mod login;
mod offline;
mod owners;
mod renewals;
mod serve;
mod support;
mod watch;
mod web;
