//! Claude: the login of a plan (Pro, Max, Team, Enterprise).
//!
//! Authorization code with PKCE, then JSON at the token endpoint, where Anthropic leaves RFC 6749: the exchange carries
//! the `state` as well, and bodies are never form-encoded. Refresh tokens rotate; an access token lives for eight
//! hours. One e-mail address can have several organisations with quotas of their own, so an account is known by both
//! ids. Sources: the official client, versions 2.1.100 and 2.1.328, and what public proxies found to work.
//!
//! What byok does differently from the official client: it names itself, and asks only for the scopes it uses.

mod errors;
mod identity;
mod login;
mod refresh;

use crate::{Network, TokenAnswer, endpoint::Endpoint};
use byok_store::AccountDetails;
use byok_transport::Transport;
use std::time::Duration;
use url::Url;

/// Path of the loopback redirect URI. The vendor accepts every port of `localhost`.
pub const CALLBACK_PATH: &str = "/callback";

/// The public client of Claude Code; it has no secret.
const CLIENT_ID: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
/// Inference, and the profile that tells one account from another.
const SCOPES: &str = "user:profile user:inference";

const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const PROFILE_TIMEOUT: Duration = Duration::from_secs(10);
const REVOKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the login lives. Every address can be another one: for tests and for gateways.
///
/// Tokens are sent to these hosts and no other, so they must come from the person's own configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaudeUrls {
    /// The page to log in at.
    pub authorize: Url,
    /// Exchange and refresh.
    pub token: Url,
    /// Logout.
    pub revoke: Url,
    /// Who is logged in.
    pub profile: Url,
    /// The page that shows a code to paste, used as redirect URI.
    pub paste: Url,
}

impl Default for ClaudeUrls {
    fn default() -> Self {
        Self {
            authorize: fixed("https://claude.com/cai/oauth/authorize"),
            token: fixed("https://platform.claude.com/v1/oauth/token"),
            revoke: fixed("https://platform.claude.com/v1/oauth/token/revoke"),
            profile: fixed("https://api.anthropic.com/api/oauth/profile"),
            paste: fixed("https://platform.claude.com/oauth/code/callback"),
        }
    }
}

#[expect(clippy::expect_used, reason = "the texts are constants of this file and a test parses them")]
fn fixed(text: &'static str) -> Url {
    Url::parse(text).expect("a valid URL")
}

/// Login and refresh of Claude plans.
#[derive(Clone, Debug, Default)]
pub struct Claude {
    urls: ClaudeUrls,
    network: Network,
}

impl Claude {
    /// With the given addresses, reached the given way.
    pub fn new(urls: ClaudeUrls, network: Network) -> Self {
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
