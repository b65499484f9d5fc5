//! Login and logout.

use super::{CALLBACK_PATH, CLIENT_ID, Claude, REVOKE_TIMEOUT, SCOPES, read_answer};
use crate::{
    AuthorizationCode, BrowserLogin, Callback, Clock as _, LoginError, LoginFuture, NewLogin, PendingLogin,
    Redirect, Revoke, RevokeError, RevokeFuture, SystemClock, refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, OauthTokens};
use serde::Serialize;

#[derive(Serialize)]
struct Exchange<'a> {
    grant_type: &'static str,
    code: &'a str,
    redirect_uri: &'a str,
    client_id: &'static str,
    code_verifier: &'a str,
    /// Not in the standard; this server requires it.
    state: &'a str,
}

#[derive(Serialize)]
struct Revocation<'a> {
    token: &'a str,
    token_type_hint: &'static str,
    client_id: &'static str,
}

impl BrowserLogin for Claude {
    fn callback(&self) -> Callback {
        Callback { host: "localhost", ports: &[], path: CALLBACK_PATH }
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        let redirect_uri = match redirect {
            Redirect::Callback(url) => url.into(),
            Redirect::Pasted => self.urls.paste.to_string(),
        };
        PendingLogin::new(redirect_uri, |challenge, state, redirect_uri| {
            let mut url = self.urls.authorize.clone();
            // `code=true` asks the page to show the code for pasting as well. The order is that of the official client.
            url.query_pairs_mut()
                .append_pair("code", "true")
                .append_pair("client_id", CLIENT_ID)
                .append_pair("response_type", "code")
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("scope", SCOPES)
                .append_pair("code_challenge", challenge)
                .append_pair("code_challenge_method", "S256")
                .append_pair("state", state.expose());
            url
        })
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let body = Exchange {
                grant_type: "authorization_code",
                code: code.expose(),
                redirect_uri: &login.redirect_uri,
                client_id: CLIENT_ID,
                code_verifier: login.verifier.expose(),
                state: login.state.expose(),
            };
            let reply =
                self.endpoint(transport).post_json(&self.urls.token, &body, self.token_timeout()).await?;
            if !reply.status.is_success() {
                let sent = [body.code, body.code_verifier, body.state];
                return Err(Refusal::read(&reply, &sent).of_login());
            }
            let (answer, mut details) = read_answer(&reply.body).map_err(|_| LoginError::BadAnswer)?;
            let tokens = answer.into_tokens(None, SystemClock.now());
            if details.identity.is_none() || details.email.is_none() || details.plan.is_none() {
                let profile = self.profile(transport, &tokens.access).await.details;
                details = AccountDetails {
                    email: details.email.or(profile.email),
                    plan: details.plan.or(profile.plan),
                    identity: details.identity.or(profile.identity),
                };
            }
            Ok(NewLogin { credential: Credential::Oauth(tokens), details })
        })
    }
}

impl Revoke for Claude {
    fn revoke<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RevokeFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = &tokens.refresh else { return Ok(()) };
            let body = Revocation {
                token: refresh.expose(),
                token_type_hint: "refresh_token",
                client_id: CLIENT_ID,
            };
            let reply = self.endpoint(transport).post_json(&self.urls.revoke, &body, REVOKE_TIMEOUT).await?;
            if reply.status.is_success() {
                Ok(())
            } else {
                Err(RevokeError::Refused { why: Refusal::read(&reply, &[body.token]).to_string() })
            }
        })
    }
}
