//! Refresh.

use super::{IDC, Kiro, SOCIAL, errors, fact, tokens_of};
use crate::{
    LoginError, Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher,
    endpoint::{Ask, Body},
    refresh::is_live,
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{AccountState, OauthTokens, Secret};
use serde_json::{Value, json};
use url::Url;

impl Refresher for Kiro {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = tokens.refresh.as_ref().filter(|refresh| !refresh.is_blank()) else {
                return Err(needs_login("the login has no refresh token"));
            };
            let social = tokens.fact(fact::KIND).is_none_or(|kind| kind == SOCIAL);
            let (url, body) =
                if social { self.social(refresh.expose()) } else { self.aws(tokens, refresh.expose())? };
            let reply =
                self.endpoint(transport).ask(Ask::post(&url, Body::Json(body), self.timeout())).await?;
            if !reply.status.is_success() {
                let sent = [refresh.expose(), tokens.fact(fact::CLIENT_SECRET).unwrap_or_default()];
                return Err(errors::of_refresh(&Refusal::read(&reply, &sent), social));
            }
            let mut answer = tokens_of(&reply.body, None)
                .ok_or_else(|| RefreshError::unreadable(crate::BadAnswer.to_string()))?;
            // An organisation's profile is not part of the answer. Where the login does not know it, it is asked for; what
            // stands in the way is told by the first request that needs it.
            let nameless = tokens.fact(fact::KIND) == Some(IDC) && tokens.fact(fact::PROFILE).is_none();
            if nameless && let Ok(profile) = self.profile(transport, &answer.access, None).await {
                answer.facts.insert(fact::PROFILE.to_owned(), Secret::new(profile));
            }
            // Who it is was found out at the login; the answer says nothing of it.
            Ok((answer, AccountDetails::default()))
        })
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move {
            if !is_live(tokens) {
                return Owner::default();
            }
            self.owner_of(transport, tokens).await
        }))
    }
}

impl Kiro {
    pub(super) fn social(&self, refresh: &str) -> (Url, Value) {
        (self.urls.of_social("refreshToken"), json!({"refreshToken": refresh}))
    }

    /// At the region of the sign-in, which need not be that of the API.
    pub(super) fn aws(&self, tokens: &OauthTokens, refresh: &str) -> Result<(Url, Value), RefreshError> {
        let (Some(id), Some(secret), Some(region)) =
            (tokens.fact(fact::CLIENT_ID), tokens.fact(fact::CLIENT_SECRET), tokens.fact(fact::AUTH_REGION))
        else {
            return Err(needs_login("the registered client of the login is missing"));
        };
        let url = self.urls.oidc(self.urls.token.as_ref(), region, "token");
        let url = url.map_err(|error: LoginError| RefreshError::Config { why: error.to_string() })?;
        let body = json!({"clientId": id, "clientSecret": secret, "grantType": "refresh_token", "refreshToken": refresh});
        Ok((url, body))
    }
}

fn needs_login(what: &str) -> RefreshError {
    let reason = format!("{what}; log in again with `byok login kiro`");
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}
