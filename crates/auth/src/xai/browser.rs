//! The login in the browser.

use super::{CLIENT_ID, SCOPES, Xai, identity::login};
use crate::{
    AuthorizationCode, BrowserLogin, Callback, CallbackServer, Clock as _, LoginError, LoginFuture, NewLogin,
    PendingLogin, Redirect, SystemClock,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_transport::Transport;

const CALLBACK: Callback = Callback { host: "127.0.0.1", ports: &[], path: "/callback" };

impl BrowserLogin for Xai {
    fn callback(&self) -> Callback {
        CALLBACK
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        let redirect_uri = match redirect {
            Redirect::Callback(url) => Some(url),
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
                .append_pair("state", state.expose())
                // It would come back in the id token, of which byok takes only names.
                .append_pair("nonce", &uuid::Uuid::new_v4().to_string());
            url
        })
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        pending: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let form = [
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", pending.redirect_uri.as_str()),
                ("client_id", CLIENT_ID),
                ("code_verifier", pending.verifier.expose()),
            ];
            let ask = Ask::post(&self.urls.token, Body::Form(&form), self.token_timeout());
            let reply = self.endpoint(transport).ask(ask).await?;
            if !reply.status.is_success() {
                let sent = [code.expose(), pending.verifier.expose()];
                return Err(Refusal::read(&reply, &sent).of_login());
            }
            login(&reply.body, SystemClock.now()).map_err(|_| LoginError::BadAnswer)
        })
    }
}
