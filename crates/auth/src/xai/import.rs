//! `auth.json` of the vendor's program: a map from what a login is for to the login. Its refresh token is used up by whoever
//! refreshes first.

use super::{PRINCIPAL, PRINCIPAL_TYPE, USER, identity::owner};
use crate::{Found, Import, ImportError, Kept, NewLogin, endpoint::claims_of_token};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const CLI: &str = "Grok CLI";
/// What the vendor's program assumes where no end is written down.
const ASSUMED_LIFE: i64 = 30 * 86_400;

/// The file of the vendor's program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files;

#[derive(Deserialize)]
struct Stored {
    /// The access token, or the API key.
    key: Secret,
    #[serde(default)]
    auth_mode: Option<String>,
    #[serde(default)]
    create_time: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    oidc_client_id: Option<String>,
    #[serde(default)]
    principal_type: Option<String>,
    #[serde(default)]
    principal_id: Option<String>,
}

impl Import for Files {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let own = variable("GROK_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        let directory = own.unwrap_or_else(|| home.join(".grok"));
        vec![Kept { by: CLI, file: directory.join("auth.json") }]
    }

    fn read(&self, _name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
        let bad = |why| ImportError::NotReadable { by: CLI, why };
        let all: Map<String, Value> =
            serde_json::from_slice(content).map_err(|_| bad("it is no complete JSON object"))?;
        let mut found = Vec::new();
        for (name, value) in all {
            let stored: Stored =
                serde_json::from_value(value).map_err(|_| bad("an entry of it is no login"))?;
            if stored.key.is_blank() {
                continue;
            }
            if name == "xai::api_key" || stored.auth_mode.as_deref() == Some("api_key") {
                let login = NewLogin {
                    credential: Credential::ApiKey(stored.key),
                    details: AccountDetails::default(),
                };
                found.push(Found { login, shared_rotation: false });
            } else if stored.is_ours(&name) {
                found.push(stored.login(now));
            }
        }
        if found.is_empty() {
            return Err(ImportError::Nothing {
                why: "nobody is logged in there in a way that can be renewed; use `byok login xai`",
            });
        }
        Ok(found)
    }
}

impl Stored {
    /// Whether it was made for the client that byok renews tokens with. Logins of the old page and of other programs have no
    /// refresh token, or one of another client.
    fn is_ours(&self, name: &str) -> bool {
        let client = self.oidc_client_id.as_deref().or_else(|| name.rsplit_once("::").map(|(_, id)| id));
        client == Some(super::CLIENT_ID) && self.refresh_token.as_ref().is_some_and(|token| !token.is_blank())
    }

    fn login(self, now: i64) -> Found {
        let claims = claims_of_token(self.key.expose()).unwrap_or_default();
        let (mut details, mut facts) = owner(&Value::Null, &claims);
        for (name, value) in
            [(PRINCIPAL_TYPE, self.principal_type), (PRINCIPAL, self.principal_id), (USER, self.user_id)]
        {
            facts.extend(value.filter(|v| !v.is_empty()).map(|value| (name.to_owned(), Secret::new(value))));
        }
        // What the file says and the token does not.
        let fact = |name: &str| facts.get(name).map(|value: &Secret| value.expose().to_owned());
        let is_team = fact(PRINCIPAL_TYPE).is_some_and(|kind| kind.eq_ignore_ascii_case("team"));
        details.email = details.email.or(self.email.filter(|email| !email.is_empty()));
        if details.identity.is_none() {
            details.identity = if is_team { fact(PRINCIPAL) } else { fact(USER) }.or_else(|| fact(PRINCIPAL));
        }
        let time = |text: Option<String>| {
            text.and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_second)
        };
        let end = time(self.expires_at)
            .unwrap_or_else(|| time(self.create_time).unwrap_or(now).saturating_add(ASSUMED_LIFE));
        let tokens = OauthTokens {
            access: self.key,
            refresh: self.refresh_token,
            expires_at: Some(end),
            refresh_expires_at: None,
            scopes: Vec::new(),
            facts,
        };
        Found { login: NewLogin { credential: Credential::Oauth(tokens), details }, shared_rotation: true }
    }
}
