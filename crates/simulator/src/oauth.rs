//! The login of Claude subscriptions: authorize page, token endpoint with rotation, revocation, profile and usage.

mod account;
mod answer;
mod tokens;

pub(crate) use answer::{Endpoint, answer};
pub use tokens::{Grant, OauthCounts, TokenTrouble};
pub(crate) use tokens::{Oauth, TokenState, challenge_of};
