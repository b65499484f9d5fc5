//! Claude: the login of a plan (Pro, Max, Team, Enterprise), and keys of the platform.
//!
//! Authorization code with PKCE, then JSON at the token endpoint, where Anthropic leaves RFC 6749: the exchange carries
//! the `state` as well, and bodies are never form-encoded. Refresh tokens rotate; an access token lives for eight
//! hours. One e-mail address can have several organisations with quotas of their own, so an account is known by both
//! ids. Sources: the official client, versions 2.1.100 and 2.1.328, and what public proxies found to work.
//!
//! What byok does differently from the official client: it names itself, and asks only for the scopes it uses.

mod errors;
mod identity;
mod import;
mod key;
mod login;
mod refresh;

use crate::{
    How, Method, Network, TokenAnswer, Urls, Vendor,
    endpoint::{Endpoint, fixed},
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::Transport;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Path of the loopback redirect URI. The vendor accepts every port of `localhost`.
const CALLBACK_PATH: &str = "/callback";

/// The public client of Claude Code; it has no secret.
const CLIENT_ID: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
/// Inference, and the profile that tells one account from another.
const SCOPES: &str = "user:profile user:inference";

const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const PROFILE_TIMEOUT: Duration = Duration::from_secs(10);
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
const REVOKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the login lives.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// The page to log in at.
    pub(crate) authorize: Url,
    /// Exchange and refresh.
    pub(crate) token: Url,
    /// Logout.
    pub(crate) revoke: Url,
    /// Who is logged in.
    pub(crate) profile: Url,
    /// Where an API key is checked.
    pub(crate) models: Url,
    /// The page that shows a code to paste, used as redirect URI.
    pub(crate) paste: Url,
}

impl Addresses {
    pub(crate) fn of(urls: &Urls<'_>) -> Self {
        Self {
            authorize: urls.get(UrlName::Authorize, "https://claude.com/cai/oauth/authorize"),
            token: urls.get(UrlName::Token, "https://platform.claude.com/v1/oauth/token"),
            revoke: urls.get(UrlName::Revoke, "https://platform.claude.com/v1/oauth/token/revoke"),
            profile: urls.get(UrlName::Profile, "https://api.anthropic.com/api/oauth/profile"),
            models: models_of(urls),
            paste: fixed("https://platform.claude.com/oauth/code/callback"),
        }
    }
}

/// Where an API key is tried.
fn models_of(urls: &Urls<'_>) -> Url {
    // Addresses are written with `/v1` and without.
    let list =
        |base: &str| format!("{}/v1/models", base.trim_end_matches("/v1/messages").trim_end_matches("/v1"));
    let mut url = urls.for_keys(UrlName::Models, list, "https://api.anthropic.com/v1/models");
    url.set_query(Some("limit=1"));
    url
}

/// Login and refresh of Claude plans.
#[derive(Clone, Debug)]
pub(crate) struct Claude {
    urls: Addresses,
    network: Network,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let claude = Arc::new(Claude::new(Addresses::of(urls), network));
    Vendor {
        methods: vec![
            Method {
                name: "browser",
                what: "log in with a plan in the browser",
                questions: &[],
                how: How::Browser(claude.clone()),
            },
            Method {
                name: "key",
                what: "use an API key of the platform (sk-ant-…)",
                questions: &[],
                how: How::Key(claude.clone()),
            },
        ],
        refresher: claude.clone(),
        revoke: Some(claude.clone()),
        check_token,
        import: Some(claude),
        ended: None,
    }
}

/// Whether a pasted token can be one of a plan.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("sk-ant-oat") {
        return Ok(());
    }
    Err(if token.starts_with("sk-ant-") {
        "it is no access token of a plan, which begins with `sk-ant-oat`; for an API key use `byok login claude --method key`"
    } else {
        "an access token of a Claude plan begins with `sk-ant-oat`; copy it again, or use `byok login claude`"
    })
}

impl Claude {
    pub(crate) fn new(urls: Addresses, network: Network) -> Self {
        Self { urls, network }
    }

    fn token_timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TOKEN_TIMEOUT)
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }
}

/// Reads a successful answer of the token endpoint: the tokens and whose they are.
fn read_answer(body: &[u8]) -> Result<(TokenAnswer, AccountDetails), crate::BadAnswer> {
    Ok((TokenAnswer::read(body)?, identity::of_token_answer(body)))
}

#[cfg(test)]
mod tests;
