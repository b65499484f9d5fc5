//! The login that Claude Code keeps.
//!
//! Source: the official client, version 2.1.328.

use super::Claude;
use crate::{Found, Import, ImportError, Kept, NewLogin};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const BY: &str = "Claude Code";

#[derive(Deserialize)]
struct File {
    #[serde(rename = "claudeAiOauth")]
    login: Option<Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    /// Milliseconds.
    expires_at: Option<i64>,
    /// Milliseconds.
    refresh_token_expires_at: Option<i64>,
    /// Null where nobody has asked for any.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    subscription_type: Option<String>,
    account_uuid: Option<String>,
    organization_uuid: Option<String>,
}

impl Import for Claude {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let own = ["CLAUDE_SECURESTORAGE_CONFIG_DIR", "CLAUDE_CONFIG_DIR"].into_iter().filter_map(variable);
        let directories = own.map(PathBuf::from).chain([home.join(".claude")]);
        directories.map(|directory| Kept { by: BY, file: directory.join(".credentials.json") }).collect()
    }

    fn read(&self, _name: &str, content: &[u8], _now: i64) -> Result<Vec<Found>, ImportError> {
        let file: File = serde_json::from_slice(content)
            .map_err(|_| ImportError::NotReadable { by: BY, why: "it is no such JSON" })?;
        let login = file.login.ok_or(ImportError::Nothing {
            why: "Claude Code keeps its login elsewhere, on macOS in the keychain; use `byok login claude`",
        })?;
        let given = |secret: Option<Secret>| secret.filter(|secret| !secret.is_blank());
        let access = given(login.access_token).ok_or(ImportError::Nothing {
            why: "Claude Code is logged out; log in there, or with `byok login claude`",
        })?;
        let identity = match (login.account_uuid, login.organization_uuid) {
            (Some(person), Some(organization)) => Some(format!("{person}/{organization}")),
            _ => None,
        };
        let tokens = OauthTokens {
            access,
            refresh: given(login.refresh_token),
            expires_at: login.expires_at.map(|millis| millis / 1000).filter(|at| *at > 0),
            refresh_expires_at: login.refresh_token_expires_at.map(|millis| millis / 1000),
            scopes: login.scopes.unwrap_or_default(),
            facts: TokenFacts::new(),
        };
        let details = AccountDetails { email: None, plan: login.subscription_type, identity };
        let login = NewLogin { credential: Credential::Oauth(tokens), details };
        Ok(vec![Found { login, shared_rotation: true }])
    }
}
