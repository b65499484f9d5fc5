//! What the logins at Google have in common: Gemini's Code Assist and Antigravity are two clients of one login server.
//!
//! Authorization code with PKCE; forms at the token endpoint; refresh tokens are not used up. Both clients are installed
//! applications with a published secret, which Google's server wants to see. byok brings no secret: it comes from the
//! settings (`client_secret`).

pub(crate) mod code_assist;
mod keys;
pub(crate) mod stored;

pub(crate) use keys::{GeminiKey, key_identity, list_of_models};

use crate::{
    AuthorizationCode, Callback, Clock as _, LoginError, Network, Owner, PendingLogin, Redirect,
    RefreshError, RevokeError, Standing, SystemClock, TokenAnswer, Urls,
    endpoint::{Ask, Body, Endpoint, claims_of_token, fixed},
    refresh::is_live,
    refusal::Refusal,
};
use byok_config::UrlName;
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport};
use byok_types::{AccountState, OauthTokens, Secret};
use serde_json::Value;
use std::time::Duration;
use url::Url;

const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const PROFILE_TIMEOUT: Duration = Duration::from_secs(10);
const REVOKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Errors that Google's own libraries try again, whatever their status.
const PASSING: [&str; 3] = ["internal_failure", "server_error", "temporarily_unavailable"];

/// One client of Google's login server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) provider: &'static str,
    pub(crate) id: &'static str,
    pub(crate) scopes: &'static str,
    /// The page that shows a code to paste.
    pub(crate) paste: Url,
    pub(crate) callback: Callback,
    /// Where the vendor has published the secret.
    pub(crate) published: &'static str,
    pub(crate) authorize: Url,
    pub(crate) token: Url,
    pub(crate) profile: Url,
    /// No document names an address for it, so only the settings can.
    pub(crate) revoke: Option<Url>,
    pub(crate) network: Network,
}

/// What one client differs in.
pub(crate) struct Words {
    pub(crate) provider: &'static str,
    pub(crate) id: &'static str,
    pub(crate) scopes: &'static str,
    pub(crate) paste: &'static str,
    pub(crate) callback: Callback,
    pub(crate) published: &'static str,
    pub(crate) profile: &'static str,
}

impl Client {
    pub(crate) fn new(words: &Words, urls: &Urls<'_>, network: Network) -> Self {
        let Words { provider, id, scopes, paste, callback, published, profile } = *words;
        Self {
            provider,
            id,
            scopes,
            paste: fixed(paste),
            callback,
            published,
            authorize: urls.get(UrlName::Authorize, "https://accounts.google.com/o/oauth2/v2/auth"),
            token: urls.get(UrlName::Token, "https://oauth2.googleapis.com/token"),
            profile: urls.get(UrlName::Profile, profile),
            revoke: urls.own(UrlName::Revoke),
            network,
        }
    }

    pub(crate) fn endpoint<'a>(&'a self, transport: &'a Transport) -> Endpoint<'a> {
        Endpoint { transport, network: &self.network }
    }

    fn secret(&self) -> Result<&Secret, String> {
        self.network.client_secret.as_ref().ok_or_else(|| {
            format!(
                "Google's server wants the secret of its own application, which byok does not bring along; it is published in \
                 {}: set it as `providers.{}.client_secret`",
                self.published, self.provider
            )
        })
    }

    /// Whether all is there that the login needs, so that nobody logs in for nothing.
    pub(crate) fn ready(&self) -> Result<(), LoginError> {
        self.secret().map(|_| ()).map_err(|why| LoginError::NotReady { why })
    }

    pub(crate) fn begin(&self, redirect: Redirect) -> PendingLogin {
        // Its page shows a code without a state.
        let shows_code_alone = redirect == Redirect::Pasted;
        let redirect_uri = match redirect {
            Redirect::Callback(url) => url.into(),
            Redirect::Pasted => self.paste.to_string(),
        };
        let pending = PendingLogin::new(redirect_uri, |challenge, state, redirect_uri| {
            let mut url = self.authorize.clone();
            // Without `prompt=consent` a second login brings no refresh token.
            url.query_pairs_mut()
                .append_pair("client_id", self.id)
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("response_type", "code")
                .append_pair("scope", self.scopes)
                .append_pair("access_type", "offline")
                .append_pair("prompt", "consent")
                .append_pair("state", state.expose())
                .append_pair("code_challenge", challenge)
                .append_pair("code_challenge_method", "S256");
            url
        });
        PendingLogin { shows_code_alone, ..pending }
    }

    /// Turns a code into tokens. Whose they are is asked separately.
    pub(crate) async fn exchange(
        &self,
        transport: &Transport,
        login: &PendingLogin,
        code: &AuthorizationCode,
    ) -> Result<OauthTokens, LoginError> {
        self.ready()?;
        let secret = self.network.client_secret.as_ref().map_or("", Secret::expose);
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("client_id", self.id),
            ("client_secret", secret),
            ("redirect_uri", &login.redirect_uri),
            ("code_verifier", login.verifier.expose()),
        ];
        let ask = Ask::post(&self.token, Body::Form(&fields), self.token_timeout());
        let reply = self.endpoint(transport).ask(ask).await?;
        if !reply.status.is_success() {
            let sent = [code.expose(), secret, login.verifier.expose()];
            return Err(Refusal::read(&reply, &sent).of_login());
        }
        let answer = TokenAnswer::read(&reply.body).map_err(|_| LoginError::BadAnswer)?;
        if answer.refresh.as_ref().is_none_or(Secret::is_blank) {
            return Err(LoginError::NoAccess {
                why: "Google gave no token that can be renewed; take byok's access back at \
                      https://myaccount.google.com/connections and log in again"
                    .to_owned(),
            });
        }
        Ok(answer.into_tokens(None, SystemClock.now()))
    }

    /// Whose token it is.
    pub(crate) async fn owner(&self, transport: &Transport, token: &Secret) -> Owner {
        let reply = self.endpoint(transport).get_with_bearer(&self.profile, token, PROFILE_TIMEOUT).await;
        Owner::told(reply, token, |body| {
            let owner: Value = serde_json::from_slice(body).unwrap_or_default();
            let text = |name: &str| owner[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
            AccountDetails {
                identity: text("id").or_else(|| text("email")),
                email: text("email"),
                plan: None,
            }
        })
    }

    /// Whose login it is, of one that was imported or pasted. Its tokens may have ended; Google does not use refresh tokens up.
    pub(crate) async fn owner_of(&self, transport: &Transport, tokens: &OauthTokens) -> Owner {
        if is_live(tokens) {
            let owner = self.owner(transport, &tokens.access).await;
            if tokens.refresh.is_none() || !matches!(owner.standing, Standing::Refused(_)) {
                return owner;
            }
        }
        match self.refresh(transport, tokens).await {
            Ok(answer) => self.owner(transport, &answer.access).await,
            Err(error) => {
                tracing::debug!(%error, "the owner of a Google login is not known");
                let standing = match error {
                    RefreshError::Permanent { .. } => Standing::Refused(error.to_string()),
                    _ => Standing::Unknown,
                };
                Owner { standing, ..Owner::default() }
            }
        }
    }

    pub(crate) async fn refresh(
        &self,
        transport: &Transport,
        tokens: &OauthTokens,
    ) -> Result<TokenAnswer, RefreshError> {
        let Some(refresh) = &tokens.refresh else {
            let reason =
                format!("the token cannot be renewed; log in again with `byok login {}`", self.provider);
            return Err(RefreshError::Permanent { state: AccountState::NeedsLogin { reason } });
        };
        let secret = self.secret().map_err(|why| RefreshError::Config { why })?;
        let fields = [
            ("client_id", self.id),
            ("client_secret", secret.expose()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
        ];
        let ask = Ask::post(&self.token, Body::Form(&fields), self.token_timeout());
        let reply = self.endpoint(transport).ask(ask).await?;
        if reply.status.is_success() {
            return TokenAnswer::read(&reply.body)
                .map_err(|error| RefreshError::unreadable(error.to_string()));
        }
        Err(self.refused(&reply, &[refresh.expose(), secret.expose()]))
    }

    fn refused(&self, reply: &BufferedReply, sent: &[&str]) -> RefreshError {
        let refusal = Refusal::read(reply, sent);
        let needs_login = |reason| RefreshError::Permanent { state: AccountState::NeedsLogin { reason } };
        if PASSING.contains(&refusal.code.as_str()) {
            return RefreshError::busy(refusal.to_string(), refusal.retry_after);
        }
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let policy = matches!(body["error_subtype"].as_str(), Some("invalid_rapt" | "rapt_required"));
        if refusal.is_refusal() && policy {
            return needs_login(format!(
                "the rules of its Google Workspace or Cloud organisation ask for a new login from time to time; log in again \
                 with `byok login {}`",
                self.provider
            ));
        }
        if refusal.is_refusal() && refusal.code == "unauthorized_client" {
            return needs_login(format!(
                "Google says that the token belongs to another application; log in again with `byok login {}`",
                self.provider
            ));
        }
        if refusal.code == "invalid_client" {
            return RefreshError::Config {
                why: format!(
                    "{refusal}; `providers.{}.client_secret` is not the secret of its application",
                    self.provider
                ),
            };
        }
        refusal.of_refresh("Google", self.provider, &["invalid_grant"])
    }

    /// Takes the grant back, where the settings say where.
    pub(crate) async fn revoke(
        &self,
        transport: &Transport,
        tokens: &OauthTokens,
    ) -> Result<(), RevokeError> {
        let Some(url) = &self.revoke else { return Ok(()) };
        let token = tokens.refresh.as_ref().unwrap_or(&tokens.access).expose();
        let fields = [("token", token)];
        let reply = self.endpoint(transport).ask(Ask::post(url, Body::Form(&fields), REVOKE_TIMEOUT)).await?;
        // `invalid_token`: it is gone already.
        let refusal = Refusal::read(&reply, &[token]);
        if reply.status.is_success() || refusal.code == "invalid_token" {
            return Ok(());
        }
        Err(RevokeError::Refused { why: refusal.to_string() })
    }

    fn token_timeout(&self) -> Duration {
        self.network.token_timeout.unwrap_or(TOKEN_TIMEOUT)
    }
}

/// The application that an identity token was issued to.
pub(crate) fn issued_to(id_token: &str) -> Option<String> {
    let claims = claims_of_token(id_token)?;
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    text("azp").or_else(|| text("aud"))
}

/// `reason` of Google's error details, and the whole error.
pub(crate) fn error_of(body: &[u8]) -> (Option<String>, Value) {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    // Streaming methods wrap an error in an array.
    if let Some(first) = value.as_array_mut().and_then(|all| (!all.is_empty()).then(|| all.remove(0))) {
        value = first;
    }
    let error = value.get_mut("error").map(Value::take).unwrap_or_default();
    let reason =
        error["details"].as_array().into_iter().flatten().find_map(|detail| detail["reason"].as_str());
    (reason.map(str::to_owned), error)
}

#[cfg(test)]
mod tests;
