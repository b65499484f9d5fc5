//! Qwen below `/qwen`: the login of chat.qwen.ai, its portal, and the platform that takes keys. What the model says comes from
//! the engine of Chat; the rules about headers and bodies, and the words of refusals, are those of the vendor.

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
    /// The portal that came with the tokens (`resource_url`).
    Portal,
    /// The platform for keys.
    Platform,
    Models,
    /// A path below `/qwen` that is none.
    Nothing,
}

impl Endpoint {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path.strip_prefix("/qwen/")?;
        Some(match (path, method) {
            ("api/v1/oauth2/device/code", &Method::POST) => Self::Device,
            ("api/v1/oauth2/token", &Method::POST) => Self::Token,
            ("portal/v1/chat/completions", &Method::POST) => Self::Portal,
            ("compatible-mode/v1/chat/completions", &Method::POST) => Self::Platform,
            ("compatible-mode/v1/models", &Method::GET) => Self::Models,
            _ => Self::Nothing,
        })
    }

    pub(crate) const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Portal | Self::Platform => Some(Dialect::Chat),
            Self::Device | Self::Token | Self::Models | Self::Nothing => None,
        }
    }
}

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::Device => login::device(world, call),
        Endpoint::Token => login::token(world, call),
        Endpoint::Portal => inference::portal(world, call),
        Endpoint::Platform => inference::platform(world, call),
        Endpoint::Models => inference::models(call),
        Endpoint::Nothing => refuse::said(404, "not_found", "The requested resource does not exist"),
    }
}
