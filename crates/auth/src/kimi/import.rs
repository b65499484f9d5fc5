//! The files of the vendor's two programs. Both rotate: whoever refreshes first logs the other out.

use super::{DEVICE, REGION, region::Region};
use crate::{Found, Import, ImportError, Kept, NewLogin, endpoint::claims_of_token};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, SecretHash, TokenFacts};
use serde::Deserialize;
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

const CODE: &str = "Kimi Code";
const CLI: &str = "kimi-cli";
/// The id of an installation, above the directory of its logins.
const INSTALLATION: &str = "../device_id";
/// What the name of the file of another region is made from.
const GLOBAL: &str = r#"{"oauthHost":"https://auth.kimi.ai","baseUrl":"https://api.kimi.ai/coding/v1"}"#;

/// `credentials/kimi-code.json` of either program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files;

#[derive(Deserialize)]
struct Stored {
    access_token: Secret,
    refresh_token: Secret,
    #[serde(default)]
    expires_at: Option<f64>,
    #[serde(default)]
    scope: Option<String>,
}

impl Import for Files {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let directory = |name: &str, usual: &str| {
            let own = variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
            own.unwrap_or_else(|| home.join(usual)).join("credentials")
        };
        let code = directory("KIMI_CODE_HOME", ".kimi-code");
        vec![
            Kept { by: CODE, file: code.join("kimi-code.json") },
            Kept { by: CODE, file: code.join(global_name()) },
            Kept { by: CLI, file: directory("KIMI_SHARE_DIR", ".kimi").join("kimi-code.json") },
        ]
    }

    fn read(&self, name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
        self.read_beside(name, content, &|_| None, now)
    }

    fn read_beside(
        &self,
        name: &str,
        content: &[u8],
        beside: &dyn Fn(&str) -> Option<Vec<u8>>,
        _now: i64,
    ) -> Result<Vec<Found>, ImportError> {
        let bad = |why| ImportError::NotReadable { by: CODE, why };
        let stored: Stored = serde_json::from_slice(content)
            .map_err(|_| bad("it is no complete JSON with an access and a refresh token"))?;
        if stored.access_token.is_blank() || stored.refresh_token.is_blank() {
            return Err(ImportError::Nothing {
                why: "the vendor refused its last refresh, and nobody has logged in since; use `byok login kimi`",
            });
        }
        let claims = claims_of_token(stored.access_token.expose()).unwrap_or_default();
        let global =
            name == global_name() || claims["iss"].as_str().is_some_and(|iss| iss.contains("kimi.ai"));
        let region = if global { Region::Global } else { Region::MainlandCn };
        let identity = ["user_id", "sub"].into_iter().find_map(|name| claims[name].as_str());
        let scopes = stored.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let mut facts = TokenFacts::from([(REGION.to_owned(), Secret::new(region.name()))]);
        // The vendor binds the tokens to the id that they were made with.
        let device = beside(INSTALLATION).and_then(|id| String::from_utf8(id).ok());
        let device = device.as_deref().map(str::trim).filter(|id| is_id(id));
        facts.extend(device.map(|id| (DEVICE.to_owned(), Secret::new(id))));
        let tokens = OauthTokens {
            access: stored.access_token,
            refresh: Some(stored.refresh_token),
            // One without an end is renewed before it is used.
            expires_at: Some(stored.expires_at.map_or(0, whole)),
            refresh_expires_at: None,
            scopes,
            facts,
        };
        let details = AccountDetails { identity: identity.map(str::to_owned), ..AccountDetails::default() };
        let login = NewLogin { credential: Credential::Oauth(tokens), details };
        Ok(vec![Found { login, shared_rotation: true }])
    }
}

/// Whether it can stand in a header, and is no other kind of file.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium; anything else is limited")]
fn whole(seconds: f64) -> i64 {
    seconds as i64
}

/// The name of the file for the global region.
fn global_name() -> String {
    let SecretHash(hash) = SecretHash::of(GLOBAL);
    let mut hex = String::new();
    for byte in &hash[..8] {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    format!("kimi-code-env-{hex}.json")
}
