//! Refresh: new tokens, and the API key that goes with them.

use super::{
    API_KEY, CLIENT_ID, CLIENT_SECRET, Iflow, KEY_NAME, basic, browser::tokens_of, cookie::is_cookie,
};
use crate::{
    LoginError, Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher, TokenAnswer,
    endpoint::{Ask, Body},
    refresh::is_live,
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport};
use byok_types::{AccountState, OauthTokens, Secret};

/// What the vendor says of a dead grant.
const DEAD: [&str; 3] = ["invalid_grant", "access_denied", "invalid_token"];
/// How soon a login that cannot be refreshed is looked at again.
const LOOK_AGAIN: i64 = 24 * 3600;

impl Refresher for Iflow {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let refresh =
                tokens.refresh.as_ref().ok_or_else(|| needs_login("the token cannot be renewed"))?;
            if is_cookie(refresh.expose()) {
                let answer = self.refreshed_by_cookie(transport, refresh, tokens.fact(KEY_NAME)).await?;
                return Ok((answer, AccountDetails::default()));
            }
            // A login of another program has none.
            let of_settings = self.client_secret.as_ref().map(Secret::expose);
            match tokens.fact(CLIENT_SECRET).or(of_settings) {
                Some(secret) => self.renewed_tokens(transport, refresh, secret).await,
                None => self.another_key(transport, tokens).await,
            }
        })
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move {
            // What a cookie stands for has no name.
            if !is_live(tokens) || tokens.refresh.as_ref().is_some_and(|refresh| is_cookie(refresh.expose()))
            {
                return Owner::default();
            }
            self.standing(transport, &tokens.access).await
        }))
    }
}

impl Iflow {
    async fn renewed_tokens(
        &self,
        transport: &Transport,
        refresh: &Secret,
        secret: &str,
    ) -> Result<(TokenAnswer, AccountDetails), RefreshError> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("client_id", CLIENT_ID),
            (CLIENT_SECRET, secret),
        ];
        let authorization = basic(secret);
        let ask = Ask {
            authorization: Some(&authorization),
            ..Ask::post(&self.urls.token, Body::Form(&fields), self.timeout())
        };
        let reply = self.endpoint(transport).ask(ask).await?;
        let Some(mut answer) = tokens_of(&reply) else {
            return Err(failed(&reply, &[refresh.expose(), secret]));
        };
        // The new tokens must not be lost for the sake of the key: the old one stays where none is told.
        match self.owner(transport, &answer.access).await {
            Ok(owner) => {
                answer.facts.insert(API_KEY.to_owned(), owner.key);
                Ok((answer, owner.details))
            }
            Err(error) => {
                tracing::warn!(%error, "iflow did not name the API key after a refresh; the last one stays");
                Ok((answer, AccountDetails::default()))
            }
        }
    }

    /// A login of another program, without the secret of its client: its access token still names the key of today.
    async fn another_key(
        &self,
        transport: &Transport,
        tokens: &OauthTokens,
    ) -> Result<(TokenAnswer, AccountDetails), RefreshError> {
        match self.owner(transport, &tokens.access).await {
            Ok(owner) => {
                let answer = TokenAnswer {
                    access: tokens.access.clone(),
                    refresh: None,
                    expires_in: Some(LOOK_AGAIN),
                    refresh_expires_in: None,
                    scope: None,
                    facts: [(API_KEY.to_owned(), owner.key)].into(),
                };
                Ok((answer, owner.details))
            }
            Err(LoginError::Transport(error)) => Err(error.into()),
            Err(LoginError::BadAnswer) => Err(RefreshError::busy("an answer that is none", None)),
            Err(LoginError::Busy { why }) => Err(RefreshError::busy(why, None)),
            Err(error) => {
                Err(needs_login(&format!("{error}; byok has no client secret to refresh this login with")))
            }
        }
    }
}

/// What an answer without tokens means. With status 200 it says `{"success":false,"code":"500"}` when it is busy, and nothing
/// has been used up.
fn failed(reply: &BufferedReply, sent: &[&str]) -> RefreshError {
    let refusal = Refusal::read(reply, sent);
    if !refusal.status.is_success() {
        return refusal.of_refresh("iFlow", "iflow", &DEAD);
    }
    if DEAD.contains(&refusal.code.as_str()) {
        return needs_login(&format!("iFlow says `{}`", refusal.words()));
    }
    if refusal.code.is_empty() && refusal.description.is_empty() {
        return RefreshError::unreadable("an answer without tokens");
    }
    RefreshError::busy(refusal.to_string(), refusal.retry_after)
}

fn needs_login(why: &str) -> RefreshError {
    let reason = format!(
        "{why}; iFlow ended on 2026-04-17, so use another provider, or log in again with `byok login iflow`"
    );
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}
