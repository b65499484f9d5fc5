//! What the end-to-end tests share.

pub mod ask;
pub mod byok;
pub mod client;
pub mod dialect;
pub mod sse;
pub mod tools;
pub mod world;
