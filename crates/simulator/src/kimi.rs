//! Kimi Code: the login below `/kimi/api/oauth`, the models below `/kimi/coding`. What the model says comes from the engine of
//! Messages; the rules about headers, models and thinking, and the words of refusals, are those of Kimi.

mod inference;
mod login;
mod refuse;

pub(crate) use login::Login;

use crate::{call::Call, server::Reply, world::World};
use byok_types::Dialect;
use http::Method;

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Device,
    Token,
    Me,
    Models,
    Usages,
    Messages,
    Count,
    Chat,
    /// A path below `/kimi` that is none.
    Nothing,
}

impl Endpoint {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path.strip_prefix("/kimi/")?;
        Some(match (path, method) {
            ("api/oauth/device_authorization", &Method::POST) => Self::Device,
            ("api/oauth/token", &Method::POST) => Self::Token,
            ("coding/v1/me", &Method::GET) => Self::Me,
            ("coding/v1/models", &Method::GET) => Self::Models,
            ("coding/v1/usages", &Method::GET) => Self::Usages,
            ("coding/v1/messages", &Method::POST) => Self::Messages,
            ("coding/v1/messages/count_tokens", &Method::POST) => Self::Count,
            ("coding/v1/chat/completions", &Method::POST) => Self::Chat,
            _ => Self::Nothing,
        })
    }

    pub(crate) const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Messages | Self::Count => Some(Dialect::Messages),
            Self::Chat => Some(Dialect::Chat),
            _ => None,
        }
    }
}

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::Device => login::device(world, call),
        Endpoint::Token => login::token(world, call),
        Endpoint::Me => inference::me(world, call),
        Endpoint::Models => inference::models(world, call),
        Endpoint::Usages => inference::usages(world, call),
        Endpoint::Messages => inference::messages(world, call, false),
        Endpoint::Count => inference::messages(world, call, true),
        Endpoint::Chat => inference::chat(world, call),
        Endpoint::Nothing => {
            refuse::said(404, "resource_not_found_error", "The requested resource was not found")
        }
    }
}
