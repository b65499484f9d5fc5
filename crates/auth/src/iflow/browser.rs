//! Login in the browser.

use super::{API_KEY, CLIENT_ID, CLIENT_SECRET, Iflow, basic};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, Callback, CallbackServer, Clock as _, LoginError, LoginFuture,
    NewLogin, PendingLogin, Redirect, SystemClock, TokenAnswer,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_transport::{BufferedReply, Transport};
use byok_types::{Credential, Secret};
use std::sync::Arc;

/// The port that public proxies use, then any: the official client takes any.
const CALLBACK: Callback = Callback { host: "localhost", ports: &[11_451, 0], path: "/oauth2callback" };

impl BrowserLogin for Iflow {
    fn callback(&self) -> Callback {
        CALLBACK
    }

    fn with_answers(&self, answers: &Answers) -> Result<Option<Arc<dyn BrowserLogin>>, LoginError> {
        let given =
            answers.get(CLIENT_SECRET).map(|secret| secret.trim()).filter(|secret| !secret.is_empty());
        let Some(secret) = given else {
            return if self.client_secret.is_some() { Ok(None) } else { Err(no_secret()) };
        };
        Ok(Some(Arc::new(Self { client_secret: Some(Secret::new(secret)), ..self.clone() })))
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        let redirect_uri = match redirect {
            Redirect::Callback(url) => url.into(),
            Redirect::Pasted => CallbackServer::unheard(CALLBACK).map(String::from).unwrap_or_default(),
        };
        // No PKCE here; and the parameter is called `redirect`.
        PendingLogin::new(redirect_uri, |_, state, redirect_uri| {
            let mut url = self.urls.authorize.clone();
            url.query_pairs_mut()
                .append_pair("loginMethod", "phone")
                .append_pair("type", "phone")
                .append_pair("redirect", redirect_uri)
                .append_pair("state", state.expose())
                .append_pair("client_id", CLIENT_ID);
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
            let secret = self.client_secret.as_ref().map(Secret::expose);
            let secret = secret.ok_or_else(no_secret)?;
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", &*login.redirect_uri),
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
                // A refusal may come with status 200.
                let refusal = Refusal::read(&reply, &[code.expose(), secret]);
                if refusal.status.is_success() && refusal.code.is_empty() {
                    return Err(LoginError::BadAnswer);
                }
                return Err(refusal.of_login());
            };
            let owner = self.owner(transport, &answer.access).await?;
            answer.facts.insert(API_KEY.to_owned(), owner.key);
            answer.facts.insert(CLIENT_SECRET.to_owned(), Secret::new(secret));
            let tokens = answer.into_tokens(None, SystemClock.now());
            Ok(NewLogin { credential: Credential::Oauth(tokens), details: owner.details })
        })
    }
}

fn no_secret() -> LoginError {
    let why = "iFlow's server wants the secret of the OAuth client of iFlow CLI, which byok does not contain; set it as \
               `providers.iflow.client_secret`, or pass it on standard input";
    LoginError::NotReady { why: why.to_owned() }
}

/// The tokens of an answer; `None` if it has none, whatever its status says.
pub(super) fn tokens_of(reply: &BufferedReply) -> Option<TokenAnswer> {
    reply.status.is_success().then(|| TokenAnswer::read(&reply.body).ok()).flatten()
}
