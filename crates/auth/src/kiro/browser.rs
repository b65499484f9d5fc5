//! Logins in the browser.

use super::{Kiro, SCOPES, device, device::of, errors, fact, link_redirect, not_usable, tokens_of};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, Callback, CallbackServer, LoginError, LoginFuture, NewLogin,
    PendingLogin, Redirect,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_transport::Transport;
use serde_json::json;
use std::sync::Arc;
use url::Url;

/// The ports of this machine that the portal sends a browser to.
const PORTAL_PORTS: [u16; 10] = [3128, 4649, 6588, 8008, 9091, 49_153, 50_153, 51_153, 52_153, 53_153];

/// Builder ID or Identity Center.
#[derive(Debug)]
pub(super) struct Sso(pub(super) device::Sso);

/// Google or GitHub, chosen at Kiro's portal.
#[derive(Debug)]
pub(super) struct Portal(pub(super) Arc<Kiro>);

/// Google or GitHub, whose answer goes to the address of Kiro's own program: the person pastes it.
#[derive(Debug)]
pub(super) struct Link(pub(super) Arc<Kiro>, pub(super) &'static str);

impl Kiro {
    /// Buys tokens with a code of a social login.
    async fn exchange(
        &self,
        transport: &Transport,
        login: &PendingLogin,
        code: &AuthorizationCode,
        redirect: &str,
    ) -> Result<NewLogin, LoginError> {
        let url = self.urls.of_social("oauth/token");
        let (code, verifier) = (code.expose(), login.verifier.expose());
        let body = json!({"code": code, "code_verifier": verifier, "redirect_uri": redirect});
        let reply = self.endpoint(transport).ask(Ask::post(&url, Body::Json(body), self.timeout())).await?;
        if !reply.status.is_success() {
            return Err(errors::of_login(&Refusal::read(&reply, &[code, verifier])));
        }
        let answer = tokens_of(&reply.body, None).ok_or(LoginError::BadAnswer)?;
        self.social_login(transport, answer).await
    }
}

/// The address that the browser comes back to; for a pasted answer one at which nobody listens.
fn redirect_of(redirect: Redirect, callback: Callback) -> Option<Url> {
    match redirect {
        Redirect::Callback(url) => Some(url),
        Redirect::Pasted => CallbackServer::unheard(callback),
    }
}

impl BrowserLogin for Sso {
    fn callback(&self) -> Callback {
        Callback { host: "127.0.0.1", ports: &[], path: "/oauth/callback" }
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        // Only `prepare` can register a client; a login without one is refused at its end.
        let redirect = redirect_of(redirect, self.callback()).map(String::from).unwrap_or_default();
        PendingLogin::new(redirect, |_, _, _| self.0.kiro.urls.portal.clone())
    }

    fn prepare<'a>(
        &'a self,
        transport: &'a Transport,
        answers: &'a Answers,
        redirect: Redirect,
    ) -> LoginFuture<'a, PendingLogin> {
        Box::pin(async move {
            let redirect = redirect_of(redirect, self.callback()).ok_or(LoginError::BadAnswer)?;
            let known = self.0.register(transport, answers, Some(redirect.as_str())).await?;
            let urls = &self.0.kiro.urls;
            let mut page = urls.oidc(urls.authorize.as_ref(), of(&known, fact::AUTH_REGION), "authorize")?;
            let mut login = PendingLogin::new(redirect.into(), |challenge, state, redirect| {
                page.query_pairs_mut()
                    .append_pair("response_type", "code")
                    .append_pair("client_id", of(&known, fact::CLIENT_ID))
                    .append_pair("redirect_uri", redirect)
                    // Plural, unlike anywhere else.
                    .append_pair("scopes", &SCOPES.join(" "))
                    .append_pair("state", state.expose())
                    .append_pair("code_challenge", challenge)
                    .append_pair("code_challenge_method", "S256");
                page
            });
            login.facts = known;
            Ok(login)
        })
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let (kiro, known) = (&self.0.kiro, &login.facts);
            if of(known, fact::CLIENT_ID).is_empty() {
                return Err(not_usable(
                    "no client was registered for it; start again with `byok login kiro`",
                ));
            }
            let url = kiro.urls.oidc(kiro.urls.token.as_ref(), of(known, fact::AUTH_REGION), "token")?;
            let (secret, verifier) = (of(known, fact::CLIENT_SECRET), login.verifier.expose());
            let body = json!({
                "clientId": of(known, fact::CLIENT_ID), "clientSecret": secret,
                "grantType": "authorization_code", "code": code.expose(),
                "redirectUri": login.redirect_uri, "codeVerifier": verifier,
            });
            let reply =
                kiro.endpoint(transport).ask(Ask::post(&url, Body::Json(body), kiro.timeout())).await?;
            if !reply.status.is_success() {
                let refusal = Refusal::read(&reply, &[secret, verifier, code.expose()]);
                return Err(errors::of_login(&refusal));
            }
            let answer = tokens_of(&reply.body, None).ok_or(LoginError::BadAnswer)?;
            self.0.finished(transport, answer, known).await
        })
    }
}

impl BrowserLogin for Portal {
    fn callback(&self) -> Callback {
        Callback { host: "localhost", ports: &PORTAL_PORTS, path: "/oauth/callback" }
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        let redirect = redirect_of(redirect, self.callback()).map(String::from).unwrap_or_default();
        PendingLogin::new(redirect, |challenge, state, redirect| {
            // The portal wants the address without its path, and puts the path there itself.
            let bare = redirect.strip_suffix("/oauth/callback").unwrap_or(redirect);
            let mut url = self.0.urls.portal.clone();
            url.query_pairs_mut()
                .append_pair("state", state.expose())
                .append_pair("code_challenge", challenge)
                .append_pair("code_challenge_method", "S256")
                .append_pair("redirect_uri", bare)
                .append_pair("redirect_from", "kirocli");
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
            let option = code.parameter("login_option").unwrap_or_default();
            match option {
                "awsidc" | "external_idp" => return Err(LoginError::NoAccess { why: elsewhere(&code) }),
                _ if code.expose().is_empty() => {
                    return Err(LoginError::NotACode { why: "the address carries no code" });
                }
                _ => {}
            }
            let mut redirect = Url::parse(&login.redirect_uri).map_err(|_| LoginError::BadAnswer)?;
            if !option.is_empty() {
                redirect.query_pairs_mut().append_pair("login_option", option);
            }
            self.0.exchange(transport, login, &code, redirect.as_str()).await
        })
    }
}

/// Where an organisation's person goes on.
fn elsewhere(code: &AuthorizationCode) -> String {
    let own = |name| code.parameter(name).map(crate::login::plain).unwrap_or_default();
    if code.parameter("login_option") == Some("awsidc") {
        let (start, region) = (own("issuer_url"), own("idc_region"));
        return format!(
            "it belongs to an organisation; go on with `byok login kiro --method idc --with start_url={start} --with region={region}`"
        );
    }
    "your organisation logs in at an identity provider of its own, which byok does not know yet; use an API key with `byok login kiro --method key`".to_owned()
}

impl BrowserLogin for Link {
    fn callback(&self) -> Callback {
        Callback { host: "localhost", ports: &[], path: "/oauth/callback" }
    }

    fn begin(&self, _: Redirect) -> PendingLogin {
        PendingLogin::new(link_redirect().into(), |challenge, state, redirect| {
            let mut url = self.0.urls.of_social("login");
            url.query_pairs_mut()
                .append_pair("idp", self.1)
                .append_pair("redirect_uri", redirect)
                .append_pair("code_challenge", challenge)
                .append_pair("code_challenge_method", "S256")
                .append_pair("state", state.expose())
                .append_pair("prompt", "select_account");
            url
        })
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move { self.0.exchange(transport, login, &code, &login.redirect_uri).await })
    }
}
