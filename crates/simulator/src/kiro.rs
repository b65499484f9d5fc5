//! Kiro: the logins of AWS and of Kiro itself, the runtime with its binary stream, models, profiles and usage.
//!
//! Everything lives below `/kiro/`, because the vendor has hosts of its own for each part.

mod account;
mod check;
mod login;
mod render;
mod runtime;
mod tokens;

pub(crate) use tokens::Kiro;
pub use tokens::KiroCounts;

use crate::{call::Call, server::Reply, world::World};
use http::Method;
use serde_json::{Value, json};

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Register,
    Device,
    Token,
    Authorize,
    SocialDevice,
    SocialPoll,
    SocialToken,
    SocialRefresh,
    SocialLogin,
    Portal,
    Approve,
    Control,
    Usage,
    Generate,
}

impl Endpoint {
    /// The endpoint at a path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (wanted, endpoint) = match path.strip_prefix("/kiro/")?.trim_end_matches('/') {
            "oidc/client/register" => (Method::POST, Self::Register),
            "oidc/device_authorization" => (Method::POST, Self::Device),
            "oidc/token" => (Method::POST, Self::Token),
            "oidc/authorize" => (Method::GET, Self::Authorize),
            "social/oauth/device/authorization" => (Method::POST, Self::SocialDevice),
            "social/oauth/device/poll" => (Method::POST, Self::SocialPoll),
            "social/oauth/token" => (Method::POST, Self::SocialToken),
            "social/refreshToken" => (Method::POST, Self::SocialRefresh),
            "social/login" => (Method::GET, Self::SocialLogin),
            "signin" => (Method::GET, Self::Portal),
            "device" => (Method::GET, Self::Approve),
            "management" => (Method::POST, Self::Control),
            "management/getUsageLimits" => (Method::GET, Self::Usage),
            "runtime/generateAssistantResponse" => (Method::POST, Self::Generate),
            _ => return None,
        };
        (*method == wanted).then_some(endpoint)
    }
}

/// Answers a request to an endpoint.
pub(crate) fn answer(world: &World, call: &Call, endpoint: Endpoint) -> Reply {
    let answered = match endpoint {
        Endpoint::Control => account::control(world, call),
        Endpoint::Usage => account::usage(world, call),
        Endpoint::Generate => runtime::generate(world, call),
        login => return login::answer(world, call, login),
    };
    answered.unwrap_or_else(Denied::reply)
}

/// A refusal in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    status: u16,
    /// Name of the exception, without its ending.
    name: &'static str,
    message: String,
    reason: Option<&'static str>,
    wait: Option<u64>,
}

impl Denied {
    fn new(
        status: u16,
        name: &'static str,
        message: impl Into<String>,
        reason: Option<&'static str>,
    ) -> Self {
        Self { status, name, message: message.into(), reason, wait: None }
    }

    /// The answer to whatever breaks a rule that has no name.
    fn malformed() -> Self {
        Self::new(400, "Validation", "Improperly formed request.", None)
    }

    fn bearer() -> Self {
        Self::new(403, "AccessDenied", "The bearer token included in the request is invalid.", None)
    }

    fn body(&self) -> Value {
        json!({"message": self.message, "reason": self.reason})
    }

    fn reply(self) -> Reply {
        let mut headers = vec![("x-amzn-errortype".to_owned(), format!("{}Exception", self.name))];
        headers.extend(self.wait.map(|wait| ("retry-after".to_owned(), wait.to_string())));
        Reply::json(self.status, headers, &self.body())
    }
}
