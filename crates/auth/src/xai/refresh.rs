//! Refresh.

use super::{
    CLIENT_ID, PRINCIPAL, PRINCIPAL_TYPE, Xai,
    identity::{owner, read},
};
use crate::{
    BadAnswer, NewLogin, Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher, Standing,
    endpoint::{Ask, Body, claims_of_token},
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{AccountState, OauthTokens};
use http::StatusCode;
use serde_json::Value;
use std::time::Duration;

/// How long to wait when the vendor does not know the client, which happens and passes.
const UNKNOWN_CLIENT: Duration = Duration::from_mins(5);

impl Refresher for Xai {
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        read(body).map(|(answer, details)| answer.into_login(details, now))
    }

    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = tokens.refresh.as_ref().filter(|token| !token.is_blank()) else {
                return Err(dead("its token cannot be renewed"));
            };
            let mut form = vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.expose()),
                ("client_id", CLIENT_ID),
            ];
            for name in [PRINCIPAL_TYPE, PRINCIPAL] {
                form.extend(tokens.fact(name).map(|value| (name, value)));
            }
            let ask = Ask::post(&self.urls.token, Body::Form(&form), self.token_timeout());
            let reply = self.endpoint(transport).ask(ask).await?;
            if reply.status.is_success() {
                return read(&reply.body).map_err(|error| RefreshError::unreadable(error.to_string()));
            }
            let refusal = Refusal::read(&reply, &[refresh.expose()]);
            Err(match refusal.code.as_str() {
                "invalid_grant" => dead(&format!("xAI says `{}`", refusal.words())),
                "invalid_client" => RefreshError::busy(refusal.to_string(), Some(UNKNOWN_CLIENT)),
                _ if reply.status == StatusCode::NOT_FOUND || reply.status.is_redirection() => {
                    RefreshError::Config { why: refusal.to_string() }
                }
                // Nothing else says anything about the credential.
                _ => RefreshError::busy(refusal.to_string(), refusal.retry_after),
            })
        })
    }

    fn owner<'a>(&'a self, _: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move {
            let claims = claims_of_token(tokens.access.expose()).unwrap_or_default();
            let (details, facts) = owner(&Value::Null, &claims);
            // The host of the plans answers nobody without a claim.
            Owner { details, facts, standing: Standing::Unknown }
        }))
    }

    /// It rotates with detection of reuse.
    fn ends_copies(&self) -> bool {
        true
    }
}

fn dead(why: &str) -> RefreshError {
    let reason = format!("{why}; log in again with `byok login xai`");
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}
