//! `auth.json` of Codex CLI. Its refresh token is used up by whoever refreshes first.

use super::identity::{end_or_guess, owner};
use crate::{Found, Import, ImportError, Kept, NewLogin, Owner};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret};
use jiff::Timestamp;
use serde::Deserialize;
use std::path::{Path, PathBuf};

const CLI: &str = "Codex CLI";

/// The file of the vendor's program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files;

#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    auth_mode: Option<String>,
    #[serde(rename = "OPENAI_API_KEY", default)]
    key: Option<Secret>,
    #[serde(default)]
    tokens: Option<Tokens>,
    #[serde(default)]
    last_refresh: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    id_token: Option<Secret>,
    access_token: Secret,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    account_id: Option<String>,
}

impl Import for Files {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let own = variable("CODEX_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        let directory = own.unwrap_or_else(|| home.join(".codex"));
        vec![Kept { by: CLI, file: directory.join("auth.json") }]
    }

    fn read(&self, _name: &str, content: &[u8], _now: i64) -> Result<Vec<Found>, ImportError> {
        const NOTHING: ImportError = ImportError::Nothing {
            why: "nobody is logged in there, or Codex CLI keeps the login in the keyring of the system; use `byok login codex`",
        };
        let bad = |why| ImportError::NotReadable { by: CLI, why };
        let stored: Stored =
            serde_json::from_slice(content).map_err(|_| bad("it is no complete JSON of its form"))?;
        let key = stored.key.filter(|key| !key.is_blank());
        let by_key = match stored.auth_mode.as_deref() {
            None => key.is_some(),
            Some("apikey") => true,
            Some("chatgpt" | "chatgptAuthTokens") => false,
            Some(_) => {
                return Err(ImportError::Nothing {
                    why: "the way in which Codex CLI is logged in is of no use elsewhere; use `byok login codex`",
                });
            }
        };
        if by_key {
            let credential = Credential::ApiKey(key.ok_or(NOTHING)?);
            let login = NewLogin { credential, details: AccountDetails::default() };
            return Ok(vec![Found { login, shared_rotation: false }]);
        }
        let tokens = stored.tokens.filter(|tokens| !tokens.access_token.is_blank()).ok_or(NOTHING)?;
        let Owner { mut details, mut facts, .. } = owner(tokens.id_token.as_ref(), &tokens.access_token);
        if let Some(account) = tokens.account_id.filter(|id| !id.trim().is_empty()) {
            details.identity.get_or_insert_with(|| account.clone());
            facts.entry(super::ACCOUNT.to_owned()).or_insert_with(|| Secret::new(account));
        }
        if !facts.contains_key(super::ACCOUNT) {
            return Err(bad("its tokens name no ChatGPT workspace"));
        }
        let last = stored.last_refresh.and_then(|text| text.parse::<Timestamp>().ok());
        let refresh = tokens.refresh_token.filter(|token| !token.is_blank());
        let shared_rotation = refresh.is_some();
        let tokens = OauthTokens {
            expires_at: Some(end_or_guess(&tokens.access_token, last.map(Timestamp::as_second))),
            access: tokens.access_token,
            refresh,
            refresh_expires_at: None,
            scopes: Vec::new(),
            facts,
        };
        let login = NewLogin { credential: Credential::Oauth(tokens), details };
        Ok(vec![Found { login, shared_rotation }])
    }
}
