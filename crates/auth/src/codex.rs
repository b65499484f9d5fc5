//! Codex: the login of a `ChatGPT` plan, and keys of the platform.
//!
//! In the browser it is authorization code with PKCE; only two ports of this machine are registered for its answer. The
//! login by code is the vendor's own: three steps, and the server, not the program, makes the verifier. Access tokens are
//! JWTs that say themselves when they end and which workspace they are for; one person can have several workspaces under
//! one e-mail address. Refresh tokens rotate, and using one twice ends the login. Sources: the official client (December
//! 2025 to October 2026, and version 0.169.0), and what public proxies found to work.
//!
//! What byok does differently from the official client: it names itself, and asks only for the scopes it uses.

mod browser;
mod device;
mod identity;
mod import;
mod key;
mod refresh;

pub(crate) use identity::{end_of, owner};

use crate::{
    How, Method, Network, Urls, Vendor,
    endpoint::{Endpoint, fixed},
};
use byok_config::UrlName;
use byok_transport::Transport;
use byok_types::Secret;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Fact: the workspace that the tokens are for; every request names it.
pub const ACCOUNT: &str = "account_id";
/// Fact: `true` for a workspace of the government cloud, whose requests say so.
pub const FEDRAMP: &str = "fedramp";

/// The public client of Codex CLI; it has no secret.
const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// Identity, and a refresh token. The scopes of connectors are not asked for.
const SCOPES: &str = "openid profile email offline_access";
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
const REVOKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the login lives.
#[derive(Clone, Debug)]
struct Addresses {
    authorize: Url,
    token: Url,
    revoke: Url,
    /// Where a device code is asked for; beside it, at `token`, it is asked whether it was entered.
    device: Url,
    /// Where a person enters a device code.
    verify: Url,
    /// Where an API key is checked.
    profile: Url,
    /// Where it is asked what is left of a plan, which only a good token is told.
    usage: Url,
}

impl Addresses {
    fn of(urls: &Urls<'_>) -> Self {
        Self {
            authorize: urls.get(UrlName::Authorize, "https://auth.openai.com/oauth/authorize"),
            token: urls.get(UrlName::Token, "https://auth.openai.com/oauth/token"),
            revoke: urls.get(UrlName::Revoke, "https://auth.openai.com/oauth/revoke"),
            device: urls.get(UrlName::Device, "https://auth.openai.com/api/accounts/deviceauth/usercode"),
            verify: urls.get(UrlName::Verify, "https://auth.openai.com/codex/device"),
            profile: urls.for_keys(
                UrlName::Profile,
                |base| format!("{base}/models"),
                "https://api.openai.com/v1/models",
            ),
            usage: urls
                .own(UrlName::Usage)
                .or_else(|| usage_at(urls.own(UrlName::Inference)?.as_str()))
                .unwrap_or_else(|| fixed("https://chatgpt.com/backend-api/wham/usage")),
        }
    }
}

/// Where it is asked what is left of a plan whose models answer at `base`.
fn usage_at(base: &str) -> Option<Url> {
    let base = base.trim_end_matches('/');
    // The backend of the plan lies beside that of Codex.
    let url = match base.strip_suffix("/codex") {
        Some(backend) => format!("{backend}/wham/usage"),
        None => format!("{base}/api/codex/usage"),
    };
    Url::parse(&url).ok()
}

/// Login and refresh of `ChatGPT` plans.
#[derive(Clone, Debug)]
pub(crate) struct Codex {
    urls: Addresses,
    network: Network,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let codex = Arc::new(Codex { urls: Addresses::of(urls), network });
    let method = |name, what, how| Method { name, what, questions: &[], how };
    Vendor {
        methods: vec![
            method("browser", "log in with a ChatGPT plan in the browser", How::Browser(codex.clone())),
            method(
                "device",
                "log in with a ChatGPT plan and a code on any device",
                How::Device(codex.clone()),
            ),
            method("key", "use an API key of the platform (sk-…)", How::Key(codex.clone())),
        ],
        refresher: codex.clone(),
        revoke: Some(codex),
        check_token,
        import: Some(Arc::new(import::Files)),
        ended: None,
    }
}

/// Whether a pasted token can be one of a plan: it says itself which workspace it is for.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("sk-") {
        return Err("it is an API key of the platform; use `byok login codex --method key`");
    }
    if owner(None, &Secret::new(token)).facts.contains_key(ACCOUNT) {
        return Ok(());
    }
    Err(
        "an access token of a ChatGPT plan is a JWT that names a workspace; copy it again, or use `byok login codex`",
    )
}

impl Codex {
    fn token_timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TOKEN_TIMEOUT)
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }
}

#[cfg(test)]
mod tests;
