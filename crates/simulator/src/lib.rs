//! Simulated upstreams that speak the vendors' wire formats, strict and scripted.
//!
//! One [`Simulator`] serves Anthropic Messages, Claude OAuth, `OpenAI` Chat Completions and Responses, and Gemini on one
//! loopback port, over real sockets. It refuses what the vendors refuse, in their words, and plays the trouble that a
//! request asks for (`sim:NAME` in the last user message, or `-sim-NAME` in the key). The table of all scenarios is
//! [`SCENARIOS`], explained in the README of this crate.
//!
//! Owns: framing, event order, ids, usage, error bodies, token endpoints, request checks, scripted trouble.
//! Must not know: byok's translators. It shares no code with them, so that a bug there cannot cancel itself out here.
#![forbid(unsafe_code)]

mod answer;
mod anthropic;
mod asked;
mod bench;
mod body;
mod cache;
mod call;
mod codex;
mod compatible;
mod copilot;
mod engine;
mod gemini;
mod google;
mod ids;
mod iflow;
mod kimi;
mod kiro;
mod log;
mod models;
mod oauth;
mod openai;
mod openai_chat;
mod plan;
mod qwen;
mod refusal;
mod responses;
mod sample;
mod scenario;
mod seal;
mod server;
mod shape;
mod simulator;
mod socket;
mod sse;
mod trouble;
mod vendor;
mod watch;
mod world;
mod xai;

pub use copilot::copilot_models;
pub use google::{GoogleAccounts, GoogleClient, GoogleCounts, GoogleGrant, ServiceAccountKey};
pub use kiro::KiroCounts;
pub use log::{Seen, Via};
pub use models::{
    Abilities, AnthropicAbilities, GoogleAbilities, GoogleThinking, Maker, OpenaiAbilities, SimModel, models,
};
pub use oauth::{Grant, OauthCounts, TokenTrouble};
pub use plan::{Plan, PlanCounts, PlanGrant};
pub use scenario::{SCENARIOS, ScenarioDoc, ScenarioKind};
pub use simulator::{SimError, SimOptions, Simulator};
pub use watch::Cancelled;
