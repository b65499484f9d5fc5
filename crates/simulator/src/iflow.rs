//! iFlow below `/iflow`: the login, the platform's key, and the signed API. What the model says comes from the engine of Chat;
//! the rules about headers and bodies, and the words of refusals, are those of the vendor.

mod inference;
mod login;
mod refuse;
mod sign;

pub(crate) use login::Login;

use crate::{call::Call, server::Reply, world::World};
use byok_types::Dialect;
use http::Method;

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Token,
    UserInfo,
    ShowKey,
    RenewKey,
    Chat,
    Models,
    /// A path below `/iflow` that is none.
    Nothing,
}

impl Endpoint {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path.strip_prefix("/iflow/")?;
        Some(match (path, method) {
            ("oauth", &Method::GET) => Self::Authorize,
            ("oauth/token", &Method::POST) => Self::Token,
            ("api/oauth/getUserInfo", &Method::GET) => Self::UserInfo,
            ("api/openapi/apikey", &Method::GET) => Self::ShowKey,
            ("api/openapi/apikey", &Method::POST) => Self::RenewKey,
            ("v1/chat/completions", &Method::POST) => Self::Chat,
            ("v1/models", &Method::GET) => Self::Models,
            _ => Self::Nothing,
        })
    }

    pub(crate) const fn dialect(self) -> Option<Dialect> {
        if matches!(self, Self::Chat) { Some(Dialect::Chat) } else { None }
    }
}

/// Answers a request.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::Authorize => login::authorize(world, call),
        Endpoint::Token => login::token(world, call),
        Endpoint::UserInfo => login::user_info(world, call),
        Endpoint::ShowKey => login::platform(world, call, false),
        Endpoint::RenewKey => login::platform(world, call, true),
        Endpoint::Chat => inference::chat(world, call),
        Endpoint::Models => inference::models(world, call),
        Endpoint::Nothing => refuse::said(404, "404", "not found"),
    }
}
