//! The intermediate representation and the four dialects. Pure: bytes in, bytes out.
//!
//! Owns: what the dialects can say (`ir`), how each of them is read and written (`chat`, `responses`, `messages`,
//! `gemini`), and how a body is edited without being re-written (`scan`). Must not know: HTTP, accounts, the network, time
//! or chance. Everything that depends on time or chance (ids, creation time) is a parameter.
#![forbid(unsafe_code)]

pub mod chat;
pub mod codec;
pub mod gemini;
pub mod ir;
pub mod kiro;
pub mod messages;
pub mod responses;
pub mod scan;
pub mod sse;

mod addresses;
mod call_ids;
mod carrier;
mod choice;
mod compact;
mod custom;
mod effort;
mod emulate;
mod envelope;
mod error_words;
mod estimate;
mod exchange;
mod halves;
mod ids;
mod incoming;
mod json;
mod json_hint;
mod keep_alive;
mod lenient;
mod loss;
mod media;
mod models;
mod names;
mod open_calls;
mod open_parts;
mod reader;
mod relay;
mod restore;
mod schema;
mod script;
mod seals;
mod shown_reasoning;
mod size;
mod tier;
mod turns;
mod typed;
mod unfinished;
mod unknown;
mod usage_scan;
mod wire;
mod wish;

pub use addresses::{Address, addresses};
pub use carrier::{Keep, may_bear_carriers, seal_edits};
pub use envelope::{Envelope, Opener, PLACEHOLDER};
pub use estimate::{estimate_tokens, tokens_by_length};
pub use exchange::Exchange;
pub use ids::{Ids, content_id};
pub use incoming::Incoming;
pub use json::Json;
pub use keep_alive::{KEEP_ALIVE, Sign};
pub use loss::{Loss, LossAction, Losses, Translated};
pub use models::{Discovered, ModelEntry};
pub use names::{NameRules, Names};
pub use reader::{Progress, StreamReader, looks_like_events, looks_like_html, read_answer};
pub use relay::Relay;
pub use schema::gemini::schema_for_gemini;
pub use seals::{Maker, account_at, budget_edits, continues_answer, drop_seals, keep_seals_of};
pub use usage_scan::UsageScanner;
pub use wish::thinking_edits;
