//! Upstreams, the account pool, the model registry and the executor that drives a call.
//!
//! Owns: which provider and which account serve a request, how a call is made and repeated, what a refusal means, and what
//! the client gets. Must not know: routes, sockets of clients, SQL, the wire format of a dialect.
#![forbid(unsafe_code)]

pub mod budget;
pub mod catalog;
pub mod executor;
pub mod inquiry;
pub mod knowledge;
pub mod ledger;
pub mod pool;
pub mod registry;
pub mod replay;
pub mod state;
pub mod tokens;
pub mod upstream;
