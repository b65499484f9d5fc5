//! The simulator over real sockets.
#![allow(clippy::pedantic, unreachable_pub, reason = "a test binary: its helpers are no API")]

mod client;
mod plain;
