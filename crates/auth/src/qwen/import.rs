//! What Qwen Code has stored.

use super::RESOURCE_URL;
use crate::{Found, Import, ImportError, Kept, NewLogin};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde_json::Value;
use std::path::{Path, PathBuf};

const BY: &str = "Qwen Code";

/// The login of Qwen Code.
#[derive(Clone, Copy, Debug)]
pub(super) struct QwenCode;

impl Import for QwenCode {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let own = variable("QWEN_HOME").filter(|path| !path.trim().is_empty()).map(PathBuf::from);
        let folder = own.unwrap_or_else(|| home.join(".qwen"));
        vec![Kept { by: BY, file: folder.join("oauth_creds.json") }]
    }

    fn read(&self, _name: &str, content: &[u8], _now: i64) -> Result<Vec<Found>, ImportError> {
        let wrong = |why| ImportError::NotReadable { by: BY, why };
        if content.trim_ascii().is_empty() {
            return Err(wrong("it is empty"));
        }
        let file: Value = serde_json::from_slice(content).map_err(|_| wrong("it is not JSON"))?;
        let text = |name: &str| file[name].as_str().filter(|text| !text.trim().is_empty());
        // The official client takes no file in which one of these is missing.
        let access = text("access_token").ok_or_else(|| wrong("it has no `access_token`"))?;
        let refresh = text("refresh_token").ok_or_else(|| wrong("it has no `refresh_token`"))?;
        text("token_type").ok_or_else(|| wrong("it has no `token_type`"))?;
        let millis = file["expiry_date"].as_f64().filter(|millis| millis.is_finite());
        #[expect(clippy::cast_possible_truncation, reason = "a date that is too large becomes the largest")]
        let expires_at = millis.map(|millis| (millis / 1000.0) as i64);
        let expires_at = expires_at.ok_or_else(|| wrong("its `expiry_date` is not a number"))?;
        let mut facts = TokenFacts::new();
        if let Some(url) = text("resource_url") {
            facts.insert(RESOURCE_URL.to_owned(), Secret::new(url));
        }
        let tokens = OauthTokens {
            access: Secret::new(access),
            refresh: Some(Secret::new(refresh)),
            expires_at: Some(expires_at),
            refresh_expires_at: None,
            scopes: Vec::new(),
            facts,
        };
        let login = NewLogin { credential: Credential::Oauth(tokens), details: AccountDetails::default() };
        Ok(vec![Found { login, shared_rotation: true }])
    }
}
