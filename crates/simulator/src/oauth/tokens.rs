//! Codes, tokens and what was counted about them.

use super::account::Account;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

/// Life of a refresh token: 30 days.
const REFRESH_LIFE: i64 = 2_592_000;
/// Scopes of a full login.
pub(super) const FULL_SCOPES: &str =
    "user:profile user:inference user:sessions:claude_code user:mcp_servers user:file_upload";

/// A fresh login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Access token (`sk-ant-oat01-…`).
    pub access_token: String,
    /// Refresh token (`sk-ant-ort01-…`); absent for a setup token.
    pub refresh_token: Option<String>,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Granted scopes, separated by spaces.
    pub scope: String,
}

/// What the OAuth endpoints have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OauthCounts {
    /// Pages of `authorize` that led to a code.
    pub authorizations: u64,
    /// Requests to the token endpoint, good or bad.
    pub token_posts: u64,
    /// Codes exchanged for tokens.
    pub exchanges: u64,
    /// Refresh tokens exchanged for new pairs.
    pub refreshes: u64,
    /// Refresh tokens that came a second time.
    pub reuses: u64,
    /// Token requests that were refused, reuses included.
    pub refused: u64,
    /// Tokens revoked.
    pub revocations: u64,
    /// Requests for the profile.
    pub profiles: u64,
    /// Requests for the usage.
    pub usages: u64,
}

/// What happens to a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTrouble {
    /// An error of this status; nothing is rotated.
    Status(u16),
    /// 429 with `retry-after` in seconds; nothing is rotated.
    RetryAfter(u64),
    /// The account is on hold.
    OnHold,
    /// The token is rotated and the answer is lost: the connection is reset.
    LoseAnswer,
    /// The token is rotated and the answer never comes.
    Hang,
    /// The answer takes so many milliseconds.
    Delay(u64),
}

/// Whether an access token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    Good,
    Expired,
    Unknown,
}

/// A code that waits for its exchange.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) challenge: String,
    pub(super) redirect: String,
    pub(super) state: String,
    pub(super) scope: String,
    pub(super) account: Account,
}

#[derive(Clone, Debug)]
struct Access {
    expires_at: i64,
    scope: String,
    account: Account,
}

#[derive(Clone, Debug)]
struct Refresh {
    spent: bool,
    scope: String,
    account: Account,
}

/// Why a refresh is refused.
pub(super) enum RefreshRefusal {
    Unknown,
    Reused,
    Scope,
}

#[derive(Default)]
struct Book {
    issued: u64,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    expired: HashSet<String>,
    refresh: HashMap<String, Refresh>,
    troubles: VecDeque<TokenTrouble>,
    counts: OauthCounts,
}

/// State of the OAuth endpoints.
pub(crate) struct Oauth {
    seed: u64,
    access_life: i64,
    book: Mutex<Book>,
}

impl Oauth {
    pub(crate) fn new(seed: u64, access_life: Duration) -> Self {
        let access_life = access_life.as_secs().try_into().unwrap_or(i64::MAX / 2);
        Self { seed, access_life, book: Mutex::default() }
    }

    pub(crate) fn counts(&self) -> OauthCounts {
        self.book.lock().counts
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut OauthCounts)) {
        change(&mut self.book.lock().counts);
    }

    pub(crate) fn plan(&self, trouble: TokenTrouble) {
        self.book.lock().troubles.push_back(trouble);
    }

    pub(super) fn next_trouble(&self) -> Option<TokenTrouble> {
        self.book.lock().troubles.pop_front()
    }

    /// Tokens for the account of this address, or a default one.
    pub(crate) fn grant(&self, email: &str, now: i64) -> Grant {
        let mut book = self.book.lock();
        self.issue(&mut book, now, FULL_SCOPES, &Account::of(email), None)
    }

    /// Lets an access token die.
    pub(crate) fn expire(&self, token: &str) {
        self.book.lock().expired.insert(token.to_owned());
    }

    /// Whether an access token is good. Tokens that begin `sk-ant-oat01-sim-` are good without having been issued.
    pub(crate) fn state(&self, token: &str, now: i64) -> TokenState {
        let book = self.book.lock();
        if book.expired.contains(token) {
            return TokenState::Expired;
        }
        match book.access.get(token) {
            Some(access) if access.expires_at <= now => TokenState::Expired,
            Some(_) => TokenState::Good,
            None if token.starts_with("sk-ant-oat01-sim-") || crate::vendor::lenient(token) => {
                TokenState::Good
            }
            None => TokenState::Unknown,
        }
    }

    /// The account and the scopes of a good access token.
    pub(super) fn owner(&self, token: &str, now: i64) -> Option<(Account, String)> {
        if self.state(token, now) != TokenState::Good {
            return None;
        }
        let book = self.book.lock();
        let known = book.access.get(token).map(|access| (access.account.clone(), access.scope.clone()));
        Some(known.unwrap_or_else(|| (Account::of(token), FULL_SCOPES.to_owned())))
    }

    /// A code for a person who has agreed.
    pub(super) fn authorize(&self, code: Code) -> String {
        let mut book = self.book.lock();
        book.counts.authorizations += 1;
        let name = self.name(&mut book, "");
        book.codes.insert(name.clone(), code);
        name
    }

    /// The code, which is spent by this.
    pub(super) fn take_code(&self, code: &str) -> Option<Code> {
        self.book.lock().codes.remove(code)
    }

    /// Tokens for a code.
    pub(super) fn exchange(&self, code: &Code, now: i64, life: Option<i64>) -> Grant {
        let mut book = self.book.lock();
        book.counts.exchanges += 1;
        self.issue(&mut book, now, &code.scope, &code.account, life)
    }

    /// A new pair for a refresh token, which is spent by this.
    pub(super) fn refresh(
        &self,
        token: &str,
        scope: Option<&str>,
        now: i64,
    ) -> Result<(Grant, Account), RefreshRefusal> {
        let mut book = self.book.lock();
        let Some(known) = book.refresh.get_mut(token) else { return Err(RefreshRefusal::Unknown) };
        if known.spent {
            book.counts.reuses += 1;
            return Err(RefreshRefusal::Reused);
        }
        let granted: HashSet<&str> = known.scope.split(' ').collect();
        if scope.is_some_and(|wanted| wanted.split(' ').any(|name| !granted.contains(name))) {
            return Err(RefreshRefusal::Scope);
        }
        known.spent = true;
        let (scope, account) = (known.scope.clone(), known.account.clone());
        book.counts.refreshes += 1;
        Ok((self.issue(&mut book, now, &scope, &account, None), account))
    }

    /// Lets a token die at its owner's wish.
    pub(super) fn revoke(&self, token: &str) {
        let mut book = self.book.lock();
        book.counts.revocations += 1;
        book.refresh.remove(token);
        book.access.remove(token);
    }

    fn name(&self, book: &mut Book, prefix: &str) -> String {
        book.issued += 1;
        let mut hash = Sha256::new();
        hash.update(b"token");
        hash.update(self.seed.to_be_bytes());
        hash.update(book.issued.to_be_bytes());
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
    }

    fn issue(&self, book: &mut Book, now: i64, scope: &str, account: &Account, life: Option<i64>) -> Grant {
        let access_token = self.name(book, "sk-ant-oat01-");
        let expires_in = life.unwrap_or(self.access_life);
        let access = Access {
            expires_at: now.saturating_add(expires_in),
            scope: scope.to_owned(),
            account: account.clone(),
        };
        book.access.insert(access_token.clone(), access);
        // A setup token is asked for with a life of its own and cannot be refreshed.
        let refresh_token = life.is_none().then(|| {
            let token = self.name(book, "sk-ant-ort01-");
            let refresh = Refresh { spent: false, scope: scope.to_owned(), account: account.clone() };
            book.refresh.insert(token.clone(), refresh);
            token
        });
        Grant { access_token, refresh_token, expires_in, scope: scope.to_owned() }
    }
}

/// Seconds until a new refresh token expires.
pub(super) const fn refresh_life() -> i64 {
    REFRESH_LIFE
}

/// The S256 challenge of a verifier.
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}
