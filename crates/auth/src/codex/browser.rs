//! The login in the browser, and logout.

use super::{CLIENT_ID, Codex, REVOKE_TIMEOUT, SCOPES, identity::read};
use crate::{
    AuthorizationCode, BrowserLogin, Callback, CallbackServer, Clock as _, LoginError, LoginFuture, NewLogin,
    PendingLogin, Redirect, Revoke, RevokeError, RevokeFuture, SystemClock,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{Credential, OauthTokens};
use serde_json::json;

/// The host is literally `localhost`, and no other ports are registered.
const CALLBACK: Callback = Callback { host: "localhost", ports: &[1455, 1457], path: "/auth/callback" };

impl BrowserLogin for Codex {
    fn callback(&self) -> Callback {
        CALLBACK
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        let redirect_uri = match redirect {
            Redirect::Callback(url) => Some(url),
            // No page of the vendor shows codes; the person pastes the address at which the browser ends.
            Redirect::Pasted => CallbackServer::unheard(CALLBACK),
        };
        let redirect_uri = redirect_uri.map(String::from).unwrap_or_default();
        PendingLogin::new(redirect_uri, |challenge, state, redirect_uri| {
            let mut url = self.urls.authorize.clone();
            url.query_pairs_mut()
                .append_pair("response_type", "code")
                .append_pair("client_id", CLIENT_ID)
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("scope", SCOPES)
                .append_pair("code_challenge", challenge)
                .append_pair("code_challenge_method", "S256")
                // Without the two the tokens do not say which workspace they are for.
                .append_pair("id_token_add_organizations", "true")
                .append_pair("codex_cli_simplified_flow", "true")
                .append_pair("state", state.expose())
                .append_pair("originator", "byok");
            url
        })
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        let (redirect, verifier) = (login.redirect_uri.as_str(), login.verifier.expose());
        Box::pin(async move { self.exchange(transport, code.expose(), redirect, verifier).await })
    }
}

impl Codex {
    /// Exchanges a code for tokens.
    pub(super) async fn exchange(
        &self,
        transport: &Transport,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<NewLogin, LoginError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("client_id", CLIENT_ID),
            ("code_verifier", verifier),
        ];
        let ask = Ask::post(&self.urls.token, Body::Form(&form), self.token_timeout());
        let reply = self.endpoint(transport).ask(ask).await?;
        if !reply.status.is_success() {
            return Err(Refusal::read(&reply, &[code, verifier]).of_login());
        }
        let now = SystemClock.now();
        let (answer, details) = read(&reply.body, None, now).map_err(|_| LoginError::BadAnswer)?;
        if !answer.facts.contains_key(super::ACCOUNT) {
            return Err(LoginError::NoAccess {
                why: "its tokens name no ChatGPT workspace; open chatgpt.com once with this account, or use an API key"
                    .to_owned(),
            });
        }
        let tokens = answer.into_tokens(None, now);
        Ok(NewLogin { credential: Credential::Oauth(tokens), details })
    }
}

impl Revoke for Codex {
    fn revoke<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RevokeFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = &tokens.refresh else { return Ok(()) };
            let body = json!({
                "token": refresh.expose(), "token_type_hint": "refresh_token", "client_id": CLIENT_ID,
            });
            let ask = Ask::post(&self.urls.revoke, Body::Json(body), REVOKE_TIMEOUT);
            let reply = self.endpoint(transport).ask(ask).await?;
            if reply.status.is_success() {
                Ok(())
            } else {
                Err(RevokeError::Refused { why: Refusal::read(&reply, &[refresh.expose()]).to_string() })
            }
        })
    }
}
