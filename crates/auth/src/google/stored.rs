//! Files in which Google's programs keep a login.

use crate::{BadAnswer, Found, ImportError, NewLogin, TokenAnswer, endpoint::claims_of_token};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde_json::Value;

/// A login as one of the files has it.
pub(crate) struct Stored {
    pub(crate) access: Option<String>,
    pub(crate) refresh: String,
    pub(crate) scope: Option<String>,
    pub(crate) id_token: Option<String>,
}

/// Reads `{access_token, refresh_token, …}`, at the top or below `token`.
pub(crate) fn read(by: &'static str, content: &[u8]) -> Result<Stored, ImportError> {
    let wrong = |why| ImportError::NotReadable { by, why };
    let mut file: Value = serde_json::from_slice(content).map_err(|_| wrong("it is not whole JSON"))?;
    if !file.is_object() {
        return Err(wrong("it is no JSON object"));
    }
    let outer = file["id_token"].as_str().map(str::to_owned);
    if file["token"].is_object() {
        file = file["token"].take();
    }
    let text = |name: &str| file[name].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let refresh = text("refresh_token");
    if refresh.is_none() && text("access_token").is_none() {
        return Err(wrong("it contains no tokens"));
    }
    Ok(Stored {
        access: text("access_token"),
        refresh: refresh.ok_or_else(|| wrong("its login cannot be renewed: it has no refresh token"))?,
        scope: text("scope"),
        id_token: text("id_token").or(outer),
    })
}

/// Reads an answer of the token endpoint that a person has kept.
pub(crate) fn kept_answer(body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
    let beside: Value = serde_json::from_slice(body).unwrap_or_default();
    Ok(TokenAnswer::read(body)?.into_login(owner(beside["id_token"].as_str()), now))
}

/// The owner by the claims of an id token.
fn owner(id_token: Option<&str>) -> AccountDetails {
    let claims = id_token.and_then(claims_of_token).unwrap_or_default();
    let text = |name: &str| claims[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    AccountDetails { identity: text("sub"), email: text("email"), plan: None }
}

impl Stored {
    /// As a login of byok. It counts as ended, so that it is renewed, and its project found, before its first use.
    pub(crate) fn found(self, now: i64) -> Found {
        let details = owner(self.id_token.as_deref());
        let scopes = self.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let tokens = OauthTokens {
            // Never sent: the time below has passed.
            access: Secret::new(self.access.unwrap_or_else(|| "imported".to_owned())),
            refresh: Some(Secret::new(self.refresh)),
            expires_at: Some(now - 1),
            refresh_expires_at: None,
            scopes,
            facts: TokenFacts::new(),
        };
        // Google does not use refresh tokens up: both programs stay logged in.
        Found { login: NewLogin { credential: Credential::Oauth(tokens), details }, shared_rotation: false }
    }
}
