//! xAI: the login of a Grok plan (`SuperGrok`, X Premium+), and keys of the platform.
//!
//! A device code (RFC 8628), or authorization code with PKCE on any port of this machine. Access tokens live for hours;
//! refresh tokens rotate, and showing an old one ends the whole family. Tokens of a team have no owner with a name, and their
//! refresh has to name the team. Sources: the vendor's own program (`grok-build` 1.0.6) and `CLIProxyAPI`, both of August 2026.
//!
//! What byok does differently from the vendor's program: it names itself, and asks only for the scopes it uses.

mod browser;
mod device;
mod identity;
mod import;
mod key;
mod refresh;

pub(crate) use identity::owner;

use crate::{
    How, Method, Network, Urls, Vendor,
    endpoint::{Endpoint, claims_of_token},
};
use byok_config::UrlName;
use byok_transport::Transport;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Fact: what kind of owner the tokens have, where they say it (`User`, `Team`).
pub const PRINCIPAL_TYPE: &str = "principal_type";
/// Fact: the owner of the tokens, where they say it.
pub const PRINCIPAL: &str = "principal_id";
/// Fact: the person, where there is one.
pub const USER: &str = "user_id";
/// The claim without which the host of the plans answers nobody.
pub const VERSION_CLAIM: &str = "grok-cli-version";

/// The public client of the vendor's program; it has no secret.
const CLIENT_ID: &str = "b1a00492-073a-47ea-816f-4c329264a828";
/// Identity, a refresh token, and inference.
const SCOPES: &str = "openid profile email offline_access grok-cli:access api:access";
const TOKEN_TIMEOUT: Duration = Duration::from_secs(15);
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the login lives.
#[derive(Clone, Debug)]
struct Addresses {
    authorize: Url,
    device: Url,
    token: Url,
    /// Where an API key is checked.
    profile: Url,
}

impl Addresses {
    fn of(urls: &Urls<'_>) -> Self {
        Self {
            // The vendor tells it in its discovery document, too; beside the other two it lies here.
            authorize: urls.get(UrlName::Authorize, "https://auth.x.ai/oauth2/authorize"),
            device: urls.get(UrlName::Device, "https://auth.x.ai/oauth2/device/code"),
            token: urls.get(UrlName::Token, "https://auth.x.ai/oauth2/token"),
            profile: urls.for_keys(
                UrlName::Profile,
                |base| format!("{base}/models"),
                "https://api.x.ai/v1/models",
            ),
        }
    }
}

/// Login and refresh of Grok plans.
#[derive(Clone, Debug)]
pub(crate) struct Xai {
    urls: Addresses,
    network: Network,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let xai = Arc::new(Xai { urls: Addresses::of(urls), network });
    let method = |name, what, how| Method { name, what, questions: &[], how };
    Vendor {
        methods: vec![
            method("device", "log in with a Grok plan and a code on any device", How::Device(xai.clone())),
            method("browser", "log in with a Grok plan in the browser", How::Browser(xai.clone())),
            method("key", "use an API key of the platform (xai-…)", How::Key(xai.clone())),
        ],
        refresher: xai,
        revoke: None,
        check_token,
        import: Some(Arc::new(import::Files)),
        ended: None,
    }
}

/// Whether a pasted token can be one of a plan.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("xai-") {
        return Err("it is an API key of the platform; use `byok login xai --method key`");
    }
    claims_of_token(token)
        .map(drop)
        .ok_or("an access token of a Grok plan is a JWT; copy it again, or use `byok login xai`")
}

impl Xai {
    fn token_timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TOKEN_TIMEOUT)
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }
}

#[cfg(test)]
mod tests;
