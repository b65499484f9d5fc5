//! GitHub Copilot: GitHub's device login and exchange below `/github`, the models below `/copilot` (GitHub tokens as they are)
//! and `/copilot/individual` (exchanged tokens). What the model says comes from the engines of the dialects; the rules about
//! headers and endpoints, and the words of refusals, are those of Copilot.

mod github;
mod inference;
mod models;
mod refuse;

pub(crate) use github::GitHub;
pub use models::copilot_models;

use crate::{call::Call, server::Reply, world::World};
use byok_types::Dialect;
use http::Method;

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Device,
    Token,
    Exchange,
    User,
    Usage,
    Models,
    Generate(Dialect),
    /// A path below `/copilot` that is none.
    Nothing,
}

impl Endpoint {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        if let Some(path) = path.strip_prefix("/copilot/") {
            let path = path.strip_prefix("individual/").unwrap_or(path);
            return Some(match (path, method) {
                ("models", &Method::GET) => Self::Models,
                ("chat/completions", &Method::POST) => Self::Generate(Dialect::Chat),
                ("responses", &Method::POST) => Self::Generate(Dialect::Responses),
                ("v1/messages", &Method::POST) => Self::Generate(Dialect::Messages),
                _ => Self::Nothing,
            });
        }
        let (wanted, endpoint) = match path.strip_prefix("/github/")? {
            "login/device/code" => (Method::POST, Self::Device),
            "login/oauth/access_token" => (Method::POST, Self::Token),
            "copilot_internal/v2/token" => (Method::GET, Self::Exchange),
            "copilot_internal/user" => (Method::GET, Self::Usage),
            "user" => (Method::GET, Self::User),
            _ => return None,
        };
        (*method == wanted).then_some(endpoint)
    }

    pub(crate) const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Generate(dialect) => Some(dialect),
            _ => None,
        }
    }
}

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::Device => github::device(world, call),
        Endpoint::Token => github::token(world, call),
        Endpoint::Exchange => github::exchange(world, call),
        Endpoint::User => github::user(world, call),
        Endpoint::Usage => github::usage(world, call),
        Endpoint::Models => inference::models(world, call),
        Endpoint::Generate(dialect) => inference::generate(world, call, dialect),
        Endpoint::Nothing => Reply::json(404, Vec::new(), &serde_json::json!({"message": "not found"})),
    }
}
