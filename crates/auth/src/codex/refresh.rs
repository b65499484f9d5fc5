//! Refresh.

use super::{
    ACCOUNT, CHECK_TIMEOUT, CLIENT_ID, Codex,
    identity::{end_of, owner, read},
};
use crate::{
    BadAnswer, Clock as _, NewLogin, Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher, Standing,
    SystemClock,
    endpoint::{Ask, Body},
    refresh::is_live,
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use http::StatusCode;
use serde_json::{Value, json};

/// Codes of a dead grant.
const DEAD: [&str; 4] =
    ["refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated", "invalid_grant"];

impl Refresher for Codex {
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        let (answer, details) = read(body, None, now)?;
        // The answer may be old: how long its token lives counts from when it was issued.
        let end = end_of(&answer.access);
        let mut login = answer.into_login(details, now);
        if let Credential::Oauth(tokens) = &mut login.credential {
            tokens.expires_at = end.or(tokens.expires_at);
        }
        Ok(login)
    }

    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = tokens.refresh.as_ref().filter(|token| !token.is_blank()) else {
                return Err(dead("its token cannot be renewed"));
            };
            let body = json!({
                "client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": refresh.expose(),
            });
            let ask = Ask::post(&self.urls.token, Body::Json(body), self.token_timeout());
            let reply = self.endpoint(transport).ask(ask).await?;
            if reply.status.is_success() {
                return read(&reply.body, Some(tokens), SystemClock.now())
                    .map_err(|error| RefreshError::unreadable(error.to_string()));
            }
            let refusal = Refusal::read(&reply, &[refresh.expose()]);
            if let Some(code) = code_of(&reply).filter(|_| reply.status.is_client_error()) {
                return Err(dead(&format!("OpenAI says `{code}`")));
            }
            if reply.status == StatusCode::UNAUTHORIZED {
                return Err(dead(&format!("OpenAI says `{}`", refusal.words())));
            }
            Err(refusal.of_refresh("OpenAI", "codex", &[]))
        })
    }

    /// The token says it itself; whether it is good, only the vendor can say.
    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move {
            let mut owner = owner(None, &tokens.access);
            if is_live(tokens) {
                owner.standing = self.standing(transport, &tokens.access, owner.facts.get(ACCOUNT)).await;
            }
            owner
        }))
    }
}

impl Codex {
    /// Whether the vendor takes an access token.
    async fn standing(&self, transport: &Transport, token: &Secret, account: Option<&Secret>) -> Standing {
        let bearer = format!("Bearer {}", token.expose());
        let headers: Vec<_> = account.map(|id| ("chatgpt-account-id", id.expose())).into_iter().collect();
        let ask = Ask {
            headers: &headers,
            authorization: Some(&bearer),
            ..Ask::get(&self.urls.usage, CHECK_TIMEOUT)
        };
        let reply = self.endpoint(transport).ask(ask).await;
        Owner::told(reply, token, |_| AccountDetails::default()).standing
    }
}

/// The code of a dead grant in an answer. It stands at `error.code`, in `error` as a text, or in `code`.
fn code_of(reply: &BufferedReply) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let said = [&body["error"]["code"], &body["error"], &body["code"]];
    DEAD.into_iter().find(|code| said.iter().any(|said| said.as_str() == Some(code)))
}

fn dead(why: &str) -> RefreshError {
    let reason = format!("{why}; log in again with `byok login codex`");
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}
