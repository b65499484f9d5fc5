//! Qwen: the login at chat.qwen.ai, and API keys of Alibaba's platform.
//!
//! Device code with PKCE, everything form-encoded. The service behind the login ended on 2026-04-15; the login is kept because
//! it may still go through, tokens may be there, and the service may be opened again. Refresh tokens rotate; what they cannot be
//! used without is the address that came with them (`resource_url`). Nothing tells whose a login is.
//!
//! What byok does differently from the official client: it names itself.

mod device;
mod import;
mod refresh;

use crate::{
    Answers, BadAnswer, How, KeyLogin, LoginError, LoginFuture, Method, Network, NewLogin, TokenAnswer, Urls,
    Vendor, endpoint::Endpoint,
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, Secret};
use import::QwenCode;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Name of the fact beside the tokens that says where they are good for.
pub const RESOURCE_URL: &str = "resource_url";

/// The public client of Qwen Code; it has no secret.
const CLIENT_ID: &str = "f0304373b74a44d2b584a3fb70ca9e56";
const SCOPES: &str = "openid profile email model.completion";
const TIMEOUT: Duration = Duration::from_secs(30);

/// What happened to the service.
const ENDED: &str = "Alibaba ended the free Qwen service behind this login on 2026-04-15: a login may still succeed, but its \
                     requests are refused; what works today is an API key of Alibaba Cloud Model Studio or of its Coding \
                     Plan, as `providers.qwen.api_key` in the settings.";

/// Where the login lives.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// Where a code is asked for.
    pub(crate) device: Url,
    /// Where it is exchanged, and where tokens are refreshed.
    pub(crate) token: Url,
}

impl Addresses {
    pub(crate) fn of(urls: &Urls<'_>) -> Self {
        Self {
            device: urls.get(UrlName::Device, "https://chat.qwen.ai/api/v1/oauth2/device/code"),
            token: urls.get(UrlName::Token, "https://chat.qwen.ai/api/v1/oauth2/token"),
        }
    }
}

/// Login and refresh.
#[derive(Clone, Debug)]
pub(crate) struct Qwen {
    urls: Addresses,
    network: Network,
}

/// All that byok can do about its logins.
pub fn vendor(urls: &Urls<'_>, network: Network) -> Vendor {
    let qwen = Arc::new(Qwen::new(Addresses::of(urls), network));
    Vendor {
        methods: vec![
            Method {
                name: "device",
                what: "log in at chat.qwen.ai with a code; ended on 2026-04-15",
                questions: &[],
                how: How::Device(qwen.clone()),
            },
            Method {
                name: "key",
                what: "an API key of Model Studio or of the Coding Plan",
                questions: &[],
                how: How::Key(qwen.clone()),
            },
        ],
        refresher: qwen,
        // The vendor has no endpoint for it that is known.
        revoke: None,
        check_token,
        import: Some(Arc::new(QwenCode)),
        ended: Some(ENDED),
    }
}

/// Whether a pasted token can be one of a login.
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.starts_with("sk-") {
        return Err("it is an API key; use `byok login qwen --method key`");
    }
    Ok(())
}

impl Qwen {
    pub(crate) fn new(urls: Addresses, network: Network) -> Self {
        Self { urls, network }
    }

    fn timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TIMEOUT)
    }

    fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }
}

impl KeyLogin for Qwen {
    /// The vendor has a host for each region and product and says nothing about a key, so that only its form is looked at.
    fn finish<'a>(
        &'a self,
        _transport: &'a Transport,
        key: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move { key_login(key, "an API key of Model Studio begins with `sk-`") })
    }
}

/// A key as an account. The same key a second time is the same account.
pub(crate) fn key_login(key: Secret, form: &str) -> Result<NewLogin, LoginError> {
    let text = key.expose();
    if !text.starts_with("sk-") || text.len() < 8 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(LoginError::NotUsable { why: format!("{form} and is longer, without white space") });
    }
    let identity = Some(format!("key-{}", key.hash().short()));
    Ok(NewLogin {
        credential: Credential::ApiKey(key),
        details: AccountDetails { identity, ..AccountDetails::default() },
    })
}

/// Reads a successful answer of the token endpoint.
fn read_answer(body: &[u8]) -> Result<TokenAnswer, BadAnswer> {
    #[derive(Default, Deserialize)]
    struct Rest {
        #[serde(default)]
        resource_url: serde_json::Value,
    }
    let mut answer = TokenAnswer::read(body)?;
    let rest: Rest = serde_json::from_slice(body).unwrap_or_default();
    if let Some(url) = rest.resource_url.as_str().map(str::trim).filter(|url| !url.is_empty()) {
        answer.facts.insert(RESOURCE_URL.to_owned(), Secret::new(url));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
