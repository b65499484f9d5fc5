//! iFlow: login in the browser, by the cookie of its platform, or with an API key.
//!
//! The service ended on 2026-04-17; the provider is kept for whoever still has an account there. An authorization code buys
//! tokens, and with those the API key is asked for that inference wants: it is kept beside the tokens as the fact
//! [`API_KEY`]. Authorization code without PKCE, with the client's secret in the header and in the form; the secret is not
//! part of byok, so its person gives it. Keys live for seven days.
//!
//! What byok does differently from the official client: it names itself.

mod browser;
mod cookie;
mod identity;
mod import;
mod refresh;

use crate::{
    Answers, How, KeyLogin, LoginFuture, Method, Network, NewLogin, Question, Urls, Vendor,
    endpoint::Endpoint, qwen,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use byok_config::UrlName;
use byok_transport::Transport;
use byok_types::Secret;
use import::IflowCli;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Name of the fact beside the tokens that inference is authenticated with.
pub const API_KEY: &str = "api_key";
/// Name of the fact that a refresh needs: the secret of the client that logged in.
const CLIENT_SECRET: &str = "client_secret";
/// Name of the fact that a key is renewed by, where the login was a cookie.
const KEY_NAME: &str = "key_name";

const CLIENT_ID: &str = "10009311001";
const TIMEOUT: Duration = Duration::from_secs(30);

/// What happened to the service.
const ENDED: &str = "iFlow was shut down on 2026-04-17, and nobody knows of a key that its service still answers; its own \
                     successor is Qoder, and its open models are served by other providers, for example with an API key of \
                     the provider `qwen`.";

/// Where the login lives.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// The page to log in at.
    pub(crate) authorize: Url,
    /// Exchange and refresh.
    pub(crate) token: Url,
    /// Who is logged in, and the API key.
    pub(crate) profile: Url,
    /// Where the platform shows and renews its key.
    pub(crate) exchange: Url,
}

impl Addresses {
    pub(crate) fn of(urls: &Urls<'_>) -> Self {
        Self {
            authorize: urls.get(UrlName::Authorize, "https://iflow.cn/oauth"),
            token: urls.get(UrlName::Token, "https://iflow.cn/oauth/token"),
            profile: urls.get(UrlName::Profile, "https://iflow.cn/api/oauth/getUserInfo"),
            exchange: urls.get(UrlName::Exchange, "https://platform.iflow.cn/api/openapi/apikey"),
        }
    }
}

/// Logins and refresh.
#[derive(Clone, Debug)]
pub(crate) struct Iflow {
    urls: Addresses,
    network: Network,
    /// The secret of the client, as the settings or its person have given it.
    client_secret: Option<Secret>,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    const SECRET: &[Question] = &[Question {
        name: CLIENT_SECRET,
        prompt: "secret of the OAuth client of iFlow CLI (byok does not contain it)",
        default: "",
        secret: true,
        check: crate::login::any,
    }];
    let questions = if network.client_secret.is_some() { &[] } else { SECRET };
    let iflow = Arc::new(Iflow::new(Addresses::of(urls), network));
    Vendor {
        methods: vec![
            Method {
                name: "browser",
                what: "log in at iflow.cn; ended on 2026-04-17",
                questions,
                how: How::Browser(iflow.clone()),
            },
            Method {
                name: "cookie",
                what: "the cookie `BXAuth` of platform.iflow.cn, which renews its key",
                questions: &[],
                how: How::Key(Arc::new(cookie::ByCookie(Iflow::clone(&iflow)))),
            },
            Method {
                name: "key",
                what: "an API key of platform.iflow.cn",
                questions: &[],
                how: How::Key(iflow.clone()),
            },
        ],
        refresher: iflow,
        // The vendor has no endpoint for it that is known.
        revoke: None,
        check_token,
        import: Some(Arc::new(IflowCli)),
        ended: Some(ENDED),
    }
}

/// Whether a pasted token can be one of a login.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("sk-") {
        return Err("it is an API key; use `byok login iflow --method key`");
    }
    Ok(())
}

impl Iflow {
    pub(crate) fn new(urls: Addresses, network: Network) -> Self {
        let client_secret = network.client_secret.clone();
        Self { urls, network, client_secret }
    }

    fn timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TIMEOUT)
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }
}

impl KeyLogin for Iflow {
    fn finish<'a>(
        &'a self,
        _transport: &'a Transport,
        key: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move { qwen::key_login(key, "an API key of iFlow begins with `sk-`") })
    }
}

/// The value of `Authorization` by which the client proves itself.
fn basic(client_secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{client_secret}")))
}

#[cfg(test)]
mod tests;
