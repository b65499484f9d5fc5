//! Refresh.

use super::{CLIENT_ID, Claude, SCOPES, errors, read_answer};
use crate::{
    BadAnswer, NewLogin, Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher, TokenAnswer,
    refresh::is_live, refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{AccountState, OauthTokens, Secret};
use serde::Serialize;

#[derive(Serialize)]
struct Request<'a> {
    grant_type: &'static str,
    refresh_token: &'a str,
    client_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl Refresher for Claude {
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        read_answer(body).map(|(answer, details)| answer.into_login(details, now))
    }

    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = &tokens.refresh else {
                let reason = "the token cannot be renewed; log in again with `byok login claude`".to_owned();
                return Err(RefreshError::Permanent { state: AccountState::NeedsLogin { reason } });
            };
            let granted = tokens.scopes.join(" ");
            let scope = if granted.is_empty() { SCOPES } else { &granted };
            match self.ask(transport, refresh, Some(scope)).await? {
                Ok(new) => Ok(new),
                // Without a scope the vendor decides by the grant alone.
                Err(refusal) if errors::is_about_scope(&refusal) => {
                    self.ask(transport, refresh, None).await?.map_err(|refusal| errors::of_refresh(&refusal))
                }
                Err(refusal) => Err(errors::of_refresh(&refusal)),
            }
        })
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move {
            if !is_live(tokens) {
                return Owner::default();
            }
            self.profile(transport, &tokens.access).await
        }))
    }
}

impl Claude {
    async fn ask(
        &self,
        transport: &Transport,
        refresh: &Secret,
        scope: Option<&str>,
    ) -> Result<Result<(TokenAnswer, AccountDetails), Refusal>, RefreshError> {
        let body = Request {
            grant_type: "refresh_token",
            refresh_token: refresh.expose(),
            client_id: CLIENT_ID,
            scope,
        };
        let reply = self.endpoint(transport).post_json(&self.urls.token, &body, self.token_timeout()).await?;
        if reply.status.is_success() {
            read_answer(&reply.body).map(Ok).map_err(|error| RefreshError::unreadable(error.to_string()))
        } else {
            Ok(Err(Refusal::read(&reply, &[refresh.expose()])))
        }
    }
}
