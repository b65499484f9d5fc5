//! What iFlow CLI has stored: settings, tokens, or a key alone.

use super::API_KEY;
use crate::{Found, Import, ImportError, Kept, NewLogin, qwen};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde_json::Value;
use std::path::Path;

const BY: &str = "iFlow CLI";
/// The files of its folder, the likeliest first.
const FILES: [&str; 3] = ["settings.json", "oauth_creds.json", "iflow_accounts.json"];

/// The logins of iFlow CLI.
#[derive(Clone, Copy, Debug)]
pub(super) struct IflowCli;

impl Import for IflowCli {
    fn places(&self, home: &Path, _variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        FILES.map(|name| Kept { by: BY, file: home.join(".iflow").join(name) }).to_vec()
    }

    fn read(&self, name: &str, content: &[u8], _now: i64) -> Result<Vec<Found>, ImportError> {
        let wrong = |why| ImportError::NotReadable { by: BY, why };
        if content.trim_ascii().is_empty() {
            return Err(wrong("it is empty"));
        }
        let file: Value = serde_json::from_slice(content).map_err(|_| wrong("it is not JSON"))?;
        if !file.is_object() {
            return Err(wrong("it is not an object"));
        }
        let text = |name: &str| file[name].as_str().filter(|text| !text.trim().is_empty());
        match name {
            // The settings may belong to any server that speaks like OpenAI.
            "settings.json" if text("selectedAuthType") == Some("openai-compatible") => {
                Err(ImportError::Nothing {
                    why: "its key is for another server; add that one as a provider of its own with a `kind`",
                })
            }
            "settings.json" => match text("apiKey") {
                Some(key) => by_key(key),
                None => Err(ImportError::Nothing {
                    why: "the settings hold no `apiKey`; the login lies beside them, in `oauth_creds.json`",
                }),
            },
            "iflow_accounts.json" => {
                by_key(text("iflowApiKey").ok_or_else(|| wrong("it has no `iflowApiKey`"))?)
            }
            _ => tokens(&file),
        }
    }
}

fn by_key(key: &str) -> Result<Vec<Found>, ImportError> {
    let login = qwen::key_login(Secret::new(key), "a key begins with `sk-`")
        .map_err(|_| ImportError::NotReadable { by: BY, why: "its key does not begin with `sk-`" })?;
    Ok(vec![Found { login, shared_rotation: false }])
}

fn tokens(file: &Value) -> Result<Vec<Found>, ImportError> {
    let wrong = |why| ImportError::NotReadable { by: BY, why };
    let text = |name: &str| file[name].as_str().filter(|text| !text.trim().is_empty());
    let access = text("access_token").ok_or_else(|| wrong("it has no `access_token`"))?;
    let key = text("apiKey").ok_or_else(|| wrong("it has no `apiKey`, without which nothing is served"))?;
    let millis = file["expiry_date"].as_f64().filter(|millis| millis.is_finite());
    #[expect(clippy::cast_possible_truncation, reason = "a date that is too large becomes the largest")]
    let expires_at = millis.map(|millis| (millis / 1000.0) as i64);
    let facts: TokenFacts = [(API_KEY.to_owned(), Secret::new(key))].into();
    let scopes = text("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let tokens = OauthTokens {
        access: Secret::new(access),
        refresh: text("refresh_token").map(Secret::new),
        expires_at: Some(expires_at.ok_or_else(|| wrong("its `expiry_date` is not a number"))?),
        refresh_expires_at: None,
        scopes,
        facts,
    };
    // Its `userId` is not what a login is known by, which the vendor says.
    let login = NewLogin { credential: Credential::Oauth(tokens), details: AccountDetails::default() };
    Ok(vec![Found { login, shared_rotation: true }])
}
