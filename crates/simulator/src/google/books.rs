//! Codes and tokens of Google's login.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// Who a token is issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GoogleClient {
    /// Gemini CLI.
    Gemini,
    /// Antigravity.
    Antigravity,
    /// A service account.
    Vertex,
}

impl GoogleClient {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::Antigravity => "antigravity",
            Self::Vertex => "vertex",
        }
    }

    pub(super) fn of_id(id: &str) -> Option<Self> {
        match id {
            "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com" => Some(Self::Gemini),
            "1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com" => {
                Some(Self::Antigravity)
            }
            _ => None,
        }
    }

    /// Scopes that its service wants.
    pub(super) fn scopes(self) -> &'static [&'static str] {
        const ALL: &[&str] =
            &["cloud-platform", "userinfo.email", "userinfo.profile", "cclog", "experimentsandconfigs"];
        match self {
            Self::Antigravity => ALL,
            Self::Gemini | Self::Vertex => &ALL[..3],
        }
    }
}

/// What Google thinks of the accounts that ask for their project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GoogleAccounts {
    /// They have a plan, and a project unless they name one.
    #[default]
    Ready,
    /// They have to be set up first, which takes a moment.
    Fresh,
    /// Their client is not served any more.
    Unsupported,
    /// A person must verify them in a browser.
    Unverified,
}

/// A fresh login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleGrant {
    /// Access token (`ya29.…`).
    pub access_token: String,
    /// Refresh token (`1//…`).
    pub refresh_token: String,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoogleCounts {
    /// Codes exchanged.
    pub exchanges: u64,
    /// Refresh tokens exchanged.
    pub refreshes: u64,
    /// Signed statements exchanged.
    pub statements: u64,
    /// Token requests that were refused.
    pub refused: u64,
    /// Grants taken back.
    pub revocations: u64,
}

/// The key file of a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountKey {
    /// As JSON.
    pub json: String,
}

pub(super) struct Code {
    pub(super) client: GoogleClient,
    pub(super) challenge: String,
    pub(super) redirect: String,
}

struct Access {
    client: GoogleClient,
    ends: i64,
}

#[derive(Default)]
struct Pages {
    issued: u64,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    expired: HashSet<String>,
    refresh: HashMap<String, GoogleClient>,
    robots: HashMap<String, Vec<u8>>,
    accounts: GoogleAccounts,
    set_up: u32,
    counts: GoogleCounts,
}

/// State of the login.
pub(crate) struct Books {
    life: i64,
    pages: Mutex<Pages>,
}

impl Books {
    pub(crate) fn new(life: Duration) -> Self {
        // Google's tokens live for an hour at most.
        let life = life.as_secs().min(3599).try_into().unwrap_or(3599);
        Self { life, pages: Mutex::default() }
    }

    pub(crate) fn counts(&self) -> GoogleCounts {
        self.pages.lock().counts
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut GoogleCounts)) {
        change(&mut self.pages.lock().counts);
    }

    pub(crate) fn treat(&self, accounts: GoogleAccounts) {
        self.pages.lock().accounts = accounts;
    }

    pub(super) fn accounts(&self) -> GoogleAccounts {
        self.pages.lock().accounts
    }

    /// Whether an account is set up now; it takes two looks.
    pub(super) fn set_up(&self) -> bool {
        let mut pages = self.pages.lock();
        pages.set_up += 1;
        pages.set_up >= 2
    }

    pub(crate) fn expire(&self, token: &str) {
        self.pages.lock().expired.insert(token.to_owned());
    }

    pub(crate) fn grant(&self, client: GoogleClient, now: i64) -> GoogleGrant {
        let access_token = self.issue(client, now);
        let mut pages = self.pages.lock();
        pages.issued += 1;
        let refresh_token = format!("1//0sim-{}-{}", client.name(), pages.issued);
        pages.refresh.insert(refresh_token.clone(), client);
        GoogleGrant { access_token, refresh_token }
    }

    /// An access token.
    pub(super) fn issue(&self, client: GoogleClient, now: i64) -> String {
        let mut pages = self.pages.lock();
        pages.issued += 1;
        let token = format!("ya29.{}-{}", client.name(), pages.issued);
        pages.access.insert(token.clone(), Access { client, ends: now + self.life });
        token
    }

    pub(super) const fn life(&self) -> i64 {
        self.life
    }

    pub(super) fn client_of(&self, token: &str, now: i64) -> Option<GoogleClient> {
        let pages = self.pages.lock();
        let access = pages.access.get(token).filter(|access| access.ends > now)?;
        (!pages.expired.contains(token)).then_some(access.client)
    }

    pub(super) fn authorize(&self, code: Code) -> String {
        let mut pages = self.pages.lock();
        pages.issued += 1;
        let name = format!("4/0sim-{}", pages.issued);
        pages.codes.insert(name.clone(), code);
        name
    }

    pub(super) fn take_code(&self, name: &str) -> Option<Code> {
        self.pages.lock().codes.remove(name)
    }

    /// The client of a refresh token. It is not used up.
    pub(super) fn refreshable(&self, token: &str) -> Option<GoogleClient> {
        self.pages.lock().refresh.get(token).copied()
    }

    pub(super) fn revoke(&self, token: &str) -> bool {
        let mut pages = self.pages.lock();
        let known = pages.refresh.remove(token).is_some() || pages.access.remove(token).is_some();
        pages.counts.revocations += u64::from(known);
        known
    }

    /// Makes a service account with a new key.
    pub(crate) fn robot(&self, project: &str) -> Option<ServiceAccountKey> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        let email = format!("robot@{project}.iam.gserviceaccount.com");
        let text = STANDARD.encode(der.as_ref());
        let key: Value = json!({
            "type": "service_account", "project_id": project, "private_key_id": "sim-key",
            "private_key": format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
            "client_email": email, "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        });
        self.pages.lock().robots.insert(email, pair.public_key().as_ref().to_vec());
        Some(ServiceAccountKey { json: key.to_string() })
    }

    /// Whether an account has signed this; `None` if there is no such account.
    pub(super) fn has_signed(&self, email: &str, signed: &str, signature: &[u8]) -> Option<bool> {
        let pages = self.pages.lock();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pages.robots.get(email)?);
        Some(key.verify(signed.as_bytes(), signature).is_ok())
    }
}
