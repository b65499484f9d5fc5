//! Kiro's wire: a conversation in AWS's shape, and its binary event stream.
//!
//! Nobody speaks it but Kiro, so it is no dialect. A request is made from one in the Messages dialect ([`conversation`]), and
//! the stream is turned into one of that dialect (`Envelope::Kiro`). There is no system role, no sampling, no choice of tools
//! and no stop reason on this wire; history has strict rules, which `history` keeps.

mod calls;
mod failure;
mod history;
mod request;
mod stream;
mod tools;

pub use failure::{code, failure};
pub use request::{Conversation, conversation};
pub(crate) use stream::Events;

#[cfg(test)]
mod tests;
