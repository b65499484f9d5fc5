//! The logins of the Kiro IDE and of kiro-cli on this machine.

use super::{
    BUILDER_ID, BUILDER_ID_START, HOME_REGION, IDC, SOCIAL, checked_region, fact, is_profile, key::whole,
};
use crate::{
    Found, Import, ImportError, Kept, NewLogin,
    sqlite::{self, Damaged},
};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde::{Deserialize, de::DeserializeOwned};
use std::path::Path;

const IDE: &str = "the Kiro IDE";
const CLI: &str = "kiro-cli";
const IDE_FILE: &str = "kiro-auth-token.json";
const CLI_FILE: &str = "data.sqlite3";
/// Some versions of the IDE wrote a refresh token that is shorter than this, and useless.
const SHORTEST: usize = 100;
/// Where kiro-cli and its predecessor keep tokens, and the registration beside them.
const TOKENS: [(&str, &[&str]); 4] = [
    ("kirocli:social:token", &[]),
    ("kirocli:odic:token", &REGISTRATIONS),
    ("kirocli:oidc:token", &REGISTRATIONS),
    ("codewhisperer:odic:token", &REGISTRATIONS),
];
const REGISTRATIONS: [&str; 3] = [
    "kirocli:odic:device-registration",
    "kirocli:oidc:device-registration",
    "codewhisperer:odic:device-registration",
];
const PROFILE_KEY: &str = "api.codewhisperer.profile";

/// Both programs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files;

/// What either program writes of a token, in camelCase or `snake_case`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the service")]
struct Token {
    #[serde(alias = "access_token")]
    access_token: Secret,
    #[serde(alias = "refresh_token", default)]
    refresh_token: Option<Secret>,
    #[serde(alias = "expires_at", default)]
    expires_at: Option<String>,
    #[serde(default)]
    auth_method: Option<String>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(alias = "profile_arn", default)]
    profile_arn: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(alias = "start_url", default)]
    start_url: Option<String>,
    #[serde(default)]
    client_id_hash: Option<String>,
    #[serde(default)]
    client_id: Option<Secret>,
    #[serde(default)]
    client_secret: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    #[serde(alias = "client_id")]
    client_id: Secret,
    #[serde(alias = "client_secret")]
    client_secret: Secret,
    #[serde(alias = "client_secret_expires_at", alias = "clientSecretExpiresAt", default)]
    expires_at: serde_json::Value,
    #[serde(default)]
    region: Option<String>,
}

#[derive(Deserialize)]
struct Active {
    arn: String,
}

impl Import for Files {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let data = match variable("XDG_DATA_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => dir.into(),
            None => home.join(".local/share"),
        };
        let mut roots = vec![data, home.join("Library/Application Support")];
        roots.extend(variable("APPDATA").map(Into::into));
        let mut places = vec![Kept { by: IDE, file: home.join(".aws/sso/cache").join(IDE_FILE) }];
        for program in ["kiro-cli", "amazon-q"] {
            places.extend(roots.iter().map(|root| Kept { by: CLI, file: root.join(program).join(CLI_FILE) }));
        }
        places
    }

    /// Conversations lie in the database, too.
    fn largest(&self) -> u64 {
        64 << 20
    }

    fn read(&self, name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
        self.read_beside(name, content, &|_| None, now)
    }

    fn read_beside(
        &self,
        name: &str,
        content: &[u8],
        beside: &dyn Fn(&str) -> Option<Vec<u8>>,
        _: i64,
    ) -> Result<Vec<Found>, ImportError> {
        if content.starts_with(sqlite::MAGIC) {
            let wal = beside(&format!("{name}-wal"));
            return cli(content, wal.as_deref()).map(|found| vec![found]);
        }
        ide(content, beside).map(|found| vec![found])
    }
}

fn ide(content: &[u8], beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Found, ImportError> {
    let token: Token = parse(content)
        .ok_or(ImportError::NotReadable { by: IDE, why: "it is no JSON with an `accessToken`" })?;
    let refresh = token.refresh_token.as_ref().map(Secret::expose).unwrap_or_default();
    if !whole(refresh) || refresh.len() < SHORTEST {
        return Err(ImportError::NotReadable { by: IDE, why: "its refresh token is missing or cut off" });
    }
    let method = token.auth_method.as_deref().unwrap_or_default().to_ascii_lowercase();
    let has_client = token.client_id_hash.is_some() || token.client_id.is_some();
    if method == "social" || (method.is_empty() && !has_client) {
        return Ok(found(token, SOCIAL, None));
    }
    let own = match (&token.client_id, &token.client_secret) {
        (Some(id), Some(secret)) => Some(Registration {
            client_id: id.clone(),
            client_secret: secret.clone(),
            expires_at: serde_json::Value::Null,
            region: None,
        }),
        _ => None,
    };
    // The name becomes a part of a path, so it must be no more than a name.
    let named = token.client_id_hash.as_deref().filter(|hash| {
        !hash.is_empty()
            && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    let client = own.or_else(|| parse(&beside(&format!("{}.json", named?))?));
    let client = client.ok_or(ImportError::Nothing {
        why: "the registered client, a file of its own beside it (`clientIdHash`.json), is missing or not readable; log in with `byok login kiro`",
    })?;
    let personal = match (token.provider.as_deref(), token.start_url.as_deref()) {
        (Some("BuilderId"), _) | (_, Some(BUILDER_ID_START)) => true,
        (Some("Enterprise"), _) | (_, Some(_)) => false,
        _ => token.profile_arn.is_none(),
    };
    Ok(found(token, if personal { BUILDER_ID } else { IDC }, Some(client)))
}

fn cli(content: &[u8], wal: Option<&[u8]>) -> Result<Found, ImportError> {
    let rows =
        sqlite::Rows::read(content, wal).map_err(|Damaged(why)| ImportError::NotReadable { by: CLI, why })?;
    if rows.columns("auth_kv").is_ok_and(|columns| columns.is_empty()) {
        return Err(ImportError::NotReadable { by: CLI, why: "it has no table `auth_kv`" });
    }
    for (key, registrations) in TOKENS {
        let Some(text) = auth(&rows, key) else { continue };
        let Some(mut token) = parse::<Token>(text.as_bytes()) else {
            return Err(ImportError::NotReadable {
                by: CLI,
                why: "its token is not JSON with an `access_token`",
            });
        };
        if token.refresh_token.as_ref().is_none_or(|refresh| !whole(refresh.expose())) {
            return Err(ImportError::NotReadable { by: CLI, why: "its refresh token is missing or cut off" });
        }
        if token.profile_arn.is_none() {
            token.profile_arn =
                state(&rows, PROFILE_KEY).and_then(|text| parse::<Active>(text.as_bytes())).map(|it| it.arn);
        }
        if registrations.is_empty() {
            return Ok(found(token, SOCIAL, None));
        }
        let client = registrations.iter().find_map(|key| parse::<Registration>(auth(&rows, key)?.as_bytes()));
        let client = client.ok_or(ImportError::Nothing {
            why: "the registered client of the login is missing; log in with `byok login kiro`",
        })?;
        let personal = token.start_url.as_deref().is_none_or(|start| start == BUILDER_ID_START);
        return Ok(found(token, if personal { BUILDER_ID } else { IDC }, Some(client)));
    }
    Err(ImportError::Nothing {
        why: "nobody is logged in there; finish `kiro-cli login`, or log in with `byok login kiro`",
    })
}

/// A login as programs like byok keep it.
pub(crate) struct Foreign<'a> {
    pub(crate) access: &'a str,
    pub(crate) refresh: Option<&'a str>,
    pub(crate) end: Option<i64>,
    /// `social`, `builder-id`, `idc`, or whatever the program calls it.
    pub(crate) method: Option<&'a str>,
    /// Id and secret of the registered client, and when it ends.
    pub(crate) client: Option<(&'a str, &'a str, Option<i64>)>,
    /// The file of the registered client, where there is one.
    pub(crate) registration: Option<Vec<u8>>,
    /// Region of the sign-in.
    pub(crate) region: Option<&'a str>,
    pub(crate) start_url: Option<&'a str>,
    pub(crate) profile: Option<&'a str>,
}

impl Foreign<'_> {
    /// As a login of byok at `now`, and what is wrong with it although it can be used.
    pub(crate) fn found(self, now: i64) -> Result<(Found, Option<&'static str>), &'static str> {
        let method = self.method.unwrap_or_default().to_ascii_lowercase();
        // Such a program may have put the client of another account into a social login.
        let social = method == "social" || (method.is_empty() && self.client.is_none());
        let own = self.client.map(|(id, secret, end)| Registration {
            client_id: Secret::new(id),
            client_secret: Secret::new(secret),
            expires_at: end.into(),
            region: None,
        });
        let client = self.registration.as_deref().and_then(parse).or(own).filter(|_| !social);
        let ended = |client: &Registration| client.end().is_some_and(|end| end <= now);
        let broken = match &client {
            _ if self.refresh.is_none_or(|refresh| !whole(refresh)) => {
                Some("its refresh token is missing or cut off")
            }
            None if !social => Some("the client that was registered for it is missing"),
            Some(client) if ended(client) => Some("the registration of its client has ended"),
            _ => None,
        };
        if broken.is_some() && self.end.is_none_or(|end| end <= now) {
            return Err("it has ended and cannot be renewed; use `byok login kiro`");
        }
        let personal = self.start_url.map_or(method != "idc" || self.profile.is_none(), |start| {
            start.trim_end_matches('/') == BUILDER_ID_START
        });
        let kind = match (social, personal) {
            (true, _) => SOCIAL,
            (false, true) => BUILDER_ID,
            (false, false) => IDC,
        };
        let token = Token {
            access_token: Secret::new(self.access),
            refresh_token: self.refresh.filter(|_| broken.is_none()).map(Secret::new),
            expires_at: None,
            auth_method: None,
            provider: None,
            profile_arn: self.profile.map(str::to_owned),
            region: self.region.map(str::to_owned),
            start_url: self.start_url.map(str::to_owned),
            client_id_hash: None,
            client_id: None,
            client_secret: None,
        };
        let mut found = found(token, kind, client);
        if let Credential::Oauth(tokens) = &mut found.login.credential {
            tokens.expires_at = Some(self.end.unwrap_or(0));
        }
        found.shared_rotation = broken.is_none();
        Ok((found, broken))
    }
}

impl Registration {
    /// When it ends, in Unix seconds.
    fn end(&self) -> Option<i64> {
        self.expires_at.as_i64().or_else(|| self.expires_at.as_str().and_then(seconds))
    }
}

/// A value of the table of logins.
fn auth(rows: &sqlite::Rows, key: &str) -> Option<String> {
    rows.value("SELECT value FROM auth_kv WHERE key = ?1", key)
}

/// A value of the table of settings.
fn state(rows: &sqlite::Rows, key: &str) -> Option<String> {
    rows.value("SELECT CAST(value AS TEXT) FROM state WHERE key = ?1", key)
}

fn found(token: Token, kind: &str, client: Option<Registration>) -> Found {
    let mut known = TokenFacts::new();
    let mut put = |name: &str, value: Secret| {
        known.insert(name.to_owned(), value);
    };
    put(fact::KIND, Secret::new(kind));
    let region = client.as_ref().and_then(|client| client.region.clone()).or(token.region);
    let region = region.filter(|region| checked_region(region).is_ok());
    put(fact::AUTH_REGION, Secret::new(region.unwrap_or_else(|| HOME_REGION.to_owned())));
    if kind != SOCIAL {
        put(fact::START_URL, Secret::new(token.start_url.unwrap_or_else(|| BUILDER_ID_START.to_owned())));
    }
    if let Some(client) = client {
        let end = client.end();
        put(fact::CLIENT_ID, client.client_id);
        put(fact::CLIENT_SECRET, client.client_secret);
        if let Some(end) = end {
            put(fact::CLIENT_EXPIRES_AT, Secret::new(end.to_string()));
        }
    }
    // That of Builder ID is everybody's and is put in when a request is made.
    if let Some(profile) = token.profile_arn.filter(|arn| kind != BUILDER_ID && is_profile(arn)) {
        put(fact::PROFILE, Secret::new(profile));
    }
    let tokens = OauthTokens {
        access: token.access_token,
        refresh: token.refresh_token,
        // Without a date it is renewed before its first use.
        expires_at: Some(token.expires_at.as_deref().and_then(seconds).unwrap_or(0)),
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts: known,
    };
    // The profile is that of a whole organisation: who it is only the vendor says.
    let details = AccountDetails::default();
    Found { login: NewLogin { credential: Credential::Oauth(tokens), details }, shared_rotation: true }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_slice(text).ok()
}

fn seconds(date: &str) -> Option<i64> {
    date.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests;
