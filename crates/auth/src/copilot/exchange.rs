//! The exchange of the GitHub token for one of Copilot, and what its refusals mean.

use super::{
    BASE, CALL_TIMEOUT, Copilot, DIRECT, EXCHANGE, EXCHANGE_VERSION, HOST, MODE, Places, host::GitHub,
};
use crate::{
    BadAnswer, LoginError, OwnerFuture, RefreshError, RefreshFuture, Refresher, TokenAnswer, endpoint::Ask,
    login::plain, refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport, TransportError};
use byok_types::{AccountState, OauthTokens, Secret};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The token manager renews this long before the end it was told; the vendor wants one minute before `refresh_in`.
const LATER_THAN_REFRESH_IN: i64 = 300 - 60;
/// How long to wait where GitHub names no time.
const UNSTATED_WAIT: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
struct Answer {
    token: Secret,
    #[serde(default)]
    refresh_in: Option<i64>,
    #[serde(default)]
    endpoints: Value,
}

/// Why there is no token of Copilot.
pub(super) enum Refused {
    /// GitHub said no.
    Said(Box<BufferedReply>),
    /// The answer has no token.
    Unreadable,
    /// Nothing came.
    Lost(TransportError),
}

impl Refresher for Copilot {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let github = tokens.fact(HOST).and_then(GitHub::named).unwrap_or_else(GitHub::public);
            let places =
                self.places(&github).map_err(|error| RefreshError::Config { why: error.to_string() })?;
            let Some(token) = &tokens.refresh else {
                let reason = "its token cannot be renewed; log in again with `byok login copilot`".to_owned();
                return Err(RefreshError::Permanent { state: AccountState::NeedsLogin { reason } });
            };
            let direct = match tokens.fact(MODE) {
                Some(mode) => mode != EXCHANGE,
                None => self.is_accepted(transport, &places, token).await.ok_or_else(|| {
                    RefreshError::busy("Copilot does not say now how it takes the token of GitHub", None)
                })?,
            };
            if direct {
                let (mut answer, details) = self.still_lives(transport, &places, token).await?;
                answer.facts.insert(MODE.to_owned(), Secret::new(DIRECT));
                return Ok((answer, details));
            }
            let answer = self.exchange(transport, &places, token).await.map_err(Refused::of_refresh)?;
            Ok((answer, AccountDetails::default()))
        })
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move { self.owner_of(transport, tokens).await }))
    }

    fn rotates(&self) -> bool {
        false
    }
}

impl Copilot {
    /// Asks GitHub whether a token that is used as it is lives. Whether Copilot serves it is another matter.
    async fn still_lives(
        &self,
        transport: &Transport,
        places: &Places,
        token: &Secret,
    ) -> Result<(TokenAnswer, AccountDetails), RefreshError> {
        let reply = self.about(transport, &places.profile, token).await?;
        let status = reply.status;
        if status == StatusCode::UNAUTHORIZED
            || status == StatusCode::TOO_MANY_REQUESTS
            || status.is_server_error()
        {
            return Err(meaning(&reply));
        }
        let answer = TokenAnswer {
            access: token.clone(),
            refresh: None,
            // It ends only when it is revoked.
            expires_in: None,
            refresh_expires_in: None,
            scope: None,
            facts: byok_types::TokenFacts::new(),
        };
        Ok((answer, AccountDetails::default()))
    }

    /// Buys a token of Copilot.
    pub(super) async fn exchange(
        &self,
        transport: &Transport,
        places: &Places,
        token: &Secret,
    ) -> Result<TokenAnswer, Refused> {
        let authorization = format!("token {}", token.expose());
        let ask = Ask {
            headers: &[("x-github-api-version", EXCHANGE_VERSION)],
            authorization: Some(&authorization),
            ..Ask::get(&places.exchange, self.network.token_timeout.unwrap_or(CALL_TIMEOUT))
        };
        let reply = self.endpoint(transport).ask(ask).await.map_err(Refused::Lost)?;
        if !reply.status.is_success() {
            return Err(Refused::Said(Box::new(reply)));
        }
        read(&reply.body, places).map_err(|BadAnswer| Refused::Unreadable)
    }
}

fn read(body: &[u8], places: &Places) -> Result<TokenAnswer, BadAnswer> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| BadAnswer)?;
    if answer.token.is_blank() {
        return Err(BadAnswer);
    }
    let named = answer.endpoints["api"].as_str();
    let base = named.and_then(|named| places.trusted(named));
    if named.is_some() && base.is_none() {
        tracing::warn!("GitHub names an address for Copilot that is not GitHub's; the usual one is used");
    }
    let facts = [(MODE, EXCHANGE.to_owned()), (BASE, base.unwrap_or_else(|| places.base()))];
    Ok(TokenAnswer {
        access: answer.token,
        refresh: None,
        // From the moment of receipt: `expires_at` is by GitHub's clock, which may not be that of this machine.
        expires_in: Some(answer.refresh_in.unwrap_or(1500).saturating_add(LATER_THAN_REFRESH_IN)),
        refresh_expires_in: None,
        scope: None,
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect(),
    })
}

impl Refused {
    /// What it means for a refresh. Nothing is used up by it.
    pub(super) fn of_refresh(self) -> RefreshError {
        match self {
            Self::Said(reply) => meaning(&reply),
            Self::Unreadable => RefreshError::busy(BadAnswer.to_string(), None),
            Self::Lost(error) => error.into(),
        }
    }

    /// What it means for a login.
    pub(super) fn of_login(self) -> LoginError {
        match self {
            Self::Said(reply) => match meaning(&reply) {
                RefreshError::Permanent { state: AccountState::Blocked { reason } } => {
                    LoginError::NoAccess { why: reason }
                }
                _ => Refusal::read(&reply, &[]).of_login(),
            },
            Self::Unreadable => LoginError::BadAnswer,
            Self::Lost(error) => error.into(),
        }
    }
}

/// The details of a refusal: why an account has no Copilot.
#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    notification_id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    url: String,
}

fn meaning(reply: &BufferedReply) -> RefreshError {
    let refusal = Refusal::read(reply, &[]);
    let wait = || RefreshError::busy(refusal.to_string(), Some(refusal.retry_after.unwrap_or(UNSTATED_WAIT)));
    let blocked = |reason: String| RefreshError::Permanent { state: AccountState::Blocked { reason } };
    match reply.status {
        StatusCode::UNAUTHORIZED => {
            let reason = format!("GitHub says `{}`; log in again with `byok login copilot`", refusal.words());
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
        }
        // Of a person's hourly allowance, not of the account.
        StatusCode::FORBIDDEN if refusal.description.to_ascii_lowercase().contains("rate limit") => wait(),
        StatusCode::FORBIDDEN => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let details: Details = serde_json::from_value(body["error_details"].clone()).unwrap_or_default();
            if details.notification_id.starts_with("server_error") {
                wait()
            } else if !details.notification_id.is_empty() || !details.message.is_empty() {
                blocked(details.words())
            } else if refusal.description.is_empty() {
                RefreshError::busy(refusal.to_string(), refusal.retry_after)
            } else {
                blocked(format!("GitHub says `{}`; see https://github.com/settings/copilot", refusal.words()))
            }
        }
        StatusCode::NOT_FOUND => blocked(
            "GitHub knows no Copilot for this account, or not with this kind of token; see \
             https://github.com/settings/copilot, or log in again with `byok login copilot`"
                .to_owned(),
        ),
        StatusCode::TOO_MANY_REQUESTS => wait(),
        status if status.is_server_error() => RefreshError::busy(refusal.to_string(), refusal.retry_after),
        _ => RefreshError::Config { why: refusal.to_string() },
    }
}

impl Details {
    /// Title, message and page. Only pages of GitHub are shown to a person who is told to go there.
    fn words(&self) -> String {
        let page = Url::parse(&self.url).ok().filter(|url| {
            let host = url.host_str().unwrap_or_default();
            let github = host == "github.com" || host.ends_with(".github.com") || host.ends_with(".ghe.com");
            url.scheme() == "https" && github
        });
        let page = page.map_or_else(|| "https://github.com/settings/copilot".to_owned(), String::from);
        let said: Vec<_> = [&self.title, &self.message].into_iter().filter(|text| !text.is_empty()).collect();
        let said = if said.is_empty() { vec![&self.notification_id] } else { said };
        let said = said.into_iter().map(|text| plain(text)).collect::<Vec<_>>().join(": ");
        format!("GitHub says `{said}`; see {page}")
    }
}
