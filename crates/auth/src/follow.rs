//! Logins that belong to another program: byok reads them again and never renews them itself.
//!
//! Where a vendor uses refresh tokens up, two programs with one login take it away from each other. A login that is followed
//! stays with the program that made it: its file is read again whenever its token is about to end, and, while byok waits for
//! that program, whenever it changes (`manager/watch.rs`).

use crate::{
    BadAnswer, Clock as _, Import, ImportError, LARGEST_DATABASE, NewLogin, OwnerFuture, RefreshError,
    RefreshFuture, Refresher, SystemClock, TokenAnswer, Unfollowed, Vendor, neighbours, peers,
    refresh::is_live,
};
use byok_store::{AccountDetails, Store};
use byok_transport::Transport;
use byok_types::{Account, AccountState, Credential, OauthTokens, Secret, account_flag, shell_word};
use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;

/// The fact that names the file of the other program.
const FILE: &str = "follows";
/// The fact that says which login of a file with several it is, where the file is not the vendor's own program's.
const KEY: &str = "follows_key";
/// When to look again at a file that holds nothing newer.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// How long the vendor is asked whose a login is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes a login one that is followed: it lives in `file`.
pub fn follow(mut login: NewLogin, file: &Path) -> NewLogin {
    if let (Credential::Oauth(tokens), Some(file)) = (&mut login.credential, file.to_str()) {
        tokens.facts.insert(FILE.to_owned(), Secret::new(file));
    }
    login
}

/// Makes a login of a program like byok one that is followed: it lives in `file` under `key`.
pub fn follow_entry(login: NewLogin, file: &Path, key: &str) -> NewLogin {
    let mut login = follow(login, file);
    if let Credential::Oauth(tokens) = &mut login.credential {
        tokens.facts.insert(KEY.to_owned(), Secret::new(key));
    }
    login
}

/// The file of a login that is followed.
pub fn followed(tokens: &OauthTokens) -> Option<&str> {
    tokens.fact(FILE)
}

/// Makes a login that is followed one of byok's own, which it renews itself from now on.
pub fn unfollow(mut tokens: OauthTokens) -> OauthTokens {
    tokens.facts.retain(|name, _| name != FILE && name != KEY);
    tokens
}

/// Where a login that is followed lives: the file, and its key in a file of a program like byok.
pub fn home_of(tokens: &OauthTokens) -> Option<(&str, &str)> {
    Some((tokens.fact(FILE)?, tokens.fact(KEY).unwrap_or_default()))
}

/// Renews the logins of a vendor: its own way, or by reading the file of the program that a login belongs to.
pub fn refresher(vendor: &Vendor) -> Arc<dyn Refresher> {
    match &vendor.import {
        Some(import) => Arc::new(Following { own: vendor.refresher.clone(), import: import.clone() }),
        None => vendor.refresher.clone(),
    }
}

/// Why a stored login that is followed will not go on when its token ends, and what helps; the second value says whether the
/// token has ended already. `None` for one that goes on, and for one of byok's own.
pub async fn lost_source(
    store: &Store,
    refresher: Arc<dyn Refresher>,
    account: &Account,
) -> Option<(String, bool)> {
    let Ok(Some(Credential::Oauth(tokens))) = store.secrets.load(&account.id).await else { return None };
    followed(&tokens)?;
    let (account, ended) = (account.clone(), !is_live(&tokens));
    let look = move || refresher.lost_source(&tokens, &account);
    Some((tokio::task::spawn_blocking(look).await.ok().flatten()?, ended))
}

struct Following {
    own: Arc<dyn Refresher>,
    import: Arc<dyn Import>,
}

/// Whether a login is followed and its account waits until the program that it belongs to has a new one.
pub(crate) fn waits(account: &Account, credential: &Credential) -> bool {
    matches!(account.state, AccountState::NeedsLogin { .. })
        && matches!(credential, Credential::Oauth(tokens) if followed(tokens).is_some())
}

/// What the file of another program holds now.
enum Now {
    /// The login.
    Here(Box<(OauthTokens, AccountDetails)>),
    /// The file cannot be read at this moment: its program may be writing it.
    Torn,
    /// No login of this kind.
    Gone,
}

/// The command that reads the file of a login again, with `flags` behind it: nothing else finds the same login.
fn import_again(tokens: &OauthTokens, account: &Account, flags: &str) -> String {
    let file = shell_word(followed(tokens).unwrap_or_default());
    if tokens.fact(KEY).is_some() {
        // A file of several logins; each finds its account again.
        let take_over = if flags.is_empty() { "" } else { " --take-over" };
        return format!("byok accounts import {file}{take_over}");
    }
    format!("byok login {} --import={file}{flags}", account.provider)
}

/// Why a login is not renewed, and what helps.
fn unfollowed(what: Unfollowed, tokens: &OauthTokens, account: &Account) -> RefreshError {
    let provider = &account.provider;
    let why = match what {
        Unfollowed::Unrenewed => {
            // Clients read it, too, and are told no address of a person.
            let Account { label, id, .. } = account;
            let name = if label.contains('@') { id.short() } else { label };
            let flags = format!(" --take-over {}", account_flag(name));
            format!(
                "the program that this login belongs to has not renewed it yet, and byok leaves that to it; use that program \
                 once, or let byok take the login over with `{}`",
                import_again(tokens, account, &flags)
            )
        }
        Unfollowed::Unreadable => {
            "the file of the program that this login belongs to cannot be read; look whether it is \
                                   whole, and whether byok may read it"
                .to_owned()
        }
        Unfollowed::LoggedOut => format!(
            "the program that this login belongs to has logged out, or its file is not there; log in there again, and byok \
             goes on by itself, or make a login of byok's own with `byok login {provider}`"
        ),
        Unfollowed::OtherAccount => format!(
            "the program that this login belongs to is logged in to another account now, which byok does not take for this \
             one; log in there to this account again, and byok goes on by itself, or add the other one with `{}`",
            import_again(tokens, account, "")
        ),
    };
    RefreshError::Followed { what, why }
}

/// Reads the file again: as that of a program like byok if there is a `key`, else as that of the vendor's own.
fn read(import: &dyn Import, file: &Path, key: Option<&str>, now: i64) -> Now {
    let largest = if key.is_some() { LARGEST_DATABASE } else { import.largest() };
    let mut content = Vec::new();
    // A pipe would be waited for without end.
    if file.metadata().is_ok_and(|about| !about.is_file()) {
        return Now::Torn;
    }
    let open = File::open(file).and_then(|open| open.take(largest).read_to_end(&mut content));
    match open {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Now::Gone,
        Err(_) => return Now::Torn,
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = neighbours(file, largest);
    let found = match key {
        Some(key) => {
            peers::again(&name, &content, &beside, now, key).map(Option::into_iter).map(Vec::from_iter)
        }
        None => import.read_beside(&name, &content, &beside, now),
    };
    match found {
        Ok(found) => {
            let mut logins = found.into_iter().filter_map(|found| match found.login.credential {
                Credential::Oauth(tokens) => Some((tokens, found.login.details)),
                Credential::ApiKey(_) => None,
            });
            logins.next().map_or(Now::Gone, |login| Now::Here(Box::new(login)))
        }
        Err(ImportError::NotReadable { .. } | ImportError::Damaged { .. }) => Now::Torn,
        Err(ImportError::Nothing { .. } | ImportError::Unknown { .. }) => Now::Gone,
    }
}

impl Refresher for Following {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        self.own.refresh(transport, tokens)
    }

    fn refresh_as<'a>(
        &'a self,
        transport: &'a Transport,
        tokens: &'a OauthTokens,
        account: &'a Account,
    ) -> RefreshFuture<'a> {
        match followed(tokens) {
            Some(file) => Box::pin(self.read_again(transport, PathBuf::from(file), tokens, account)),
            None => self.own.refresh_as(transport, tokens, account),
        }
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        self.own.owner(transport, tokens)
    }

    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        self.own.kept_answer(body, now)
    }

    fn lost_source(&self, tokens: &OauthTokens, account: &Account) -> Option<String> {
        let file = followed(tokens)?;
        let what = match read(&*self.import, Path::new(file), tokens.fact(KEY), SystemClock.now()) {
            Now::Gone => Unfollowed::LoggedOut,
            Now::Torn => Unfollowed::Unreadable,
            Now::Here(login) => {
                let (now, told) = *login;
                let differ =
                    matches!((&account.identity, &told.identity), (Some(old), Some(new)) if old != new);
                if !differ || now.access.hash() == tokens.access.hash() {
                    return None;
                }
                Unfollowed::OtherAccount
            }
        };
        Some(unfollowed(what, tokens, account).to_string())
    }

    /// What a followed login lacks only the file of its program could bring.
    fn is_incomplete(&self, tokens: &OauthTokens, claims: &[String]) -> bool {
        followed(tokens).is_none() && self.own.is_incomplete(tokens, claims)
    }

    fn rotates(&self) -> bool {
        self.own.rotates()
    }

    fn ends_copies(&self) -> bool {
        self.own.ends_copies()
    }
}

impl Following {
    async fn read_again(
        &self,
        transport: &Transport,
        file: PathBuf,
        tokens: &OauthTokens,
        account: &Account,
    ) -> Result<(TokenAnswer, AccountDetails), RefreshError> {
        let import = Arc::clone(&self.import);
        let now = SystemClock.now();
        let key = tokens.fact(KEY).map(str::to_owned);
        let not = |what| unfollowed(what, tokens, account);
        // A file can be away for a moment, and people change their minds: a token that is good needs neither.
        let given_up = |what| {
            if is_live(tokens) {
                return not(what);
            }
            let reason = not(what).to_string();
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
        };
        let read = tokio::task::spawn_blocking(move || read(&*import, &file, key.as_deref(), now)).await;
        let (newer, told) = match read {
            Ok(Now::Here(login)) => *login,
            Ok(Now::Gone) => return Err(given_up(Unfollowed::LoggedOut)),
            Ok(Now::Torn) | Err(_) => return Err(not(Unfollowed::Unreadable)),
        };
        // The token that is here already is news to an account that was given up.
        let waits = matches!(account.state, AccountState::NeedsLogin { .. });
        let same = newer.access.hash() == tokens.access.hash();
        if (same && !waits) || newer.expires_at.is_some_and(|end| end <= now) {
            return Err(not(Unfollowed::Unrenewed));
        }
        let details = if same {
            told
        } else {
            let details = self.whose(transport, &newer, told, account).await;
            details.ok_or_else(|| given_up(Unfollowed::OtherAccount))?
        };
        let answer = TokenAnswer {
            access: newer.access,
            refresh: newer.refresh,
            expires_in: newer.expires_at.map(|end| end - now),
            refresh_expires_in: newer.refresh_expires_at.map(|end| end - now),
            scope: (!newer.scopes.is_empty()).then(|| newer.scopes.join(" ")),
            facts: newer.facts,
        };
        Ok((answer, news(details, account)))
    }

    /// Whose the login of the file is: `told` is what the file says. `None` if it is not of this account. Where nobody says whose
    /// it is, it is taken for that of the account, as it nearly always is.
    async fn whose(
        &self,
        transport: &Transport,
        newer: &OauthTokens,
        told: AccountDetails,
        account: &Account,
    ) -> Option<AccountDetails> {
        let is_known = account.identity.is_some() || account.email.is_some();
        if !is_known || (account.identity.is_some() && account.identity == told.identity) {
            return Some(told);
        }
        // What the vendor says counts more than what a file says, and may be in other words.
        let said = match self.own.owner(transport, newer) {
            Some(asked) => timeout(PATIENCE, asked).await.unwrap_or_default().details,
            None => AccountDetails::default(),
        };
        let details = AccountDetails {
            identity: said.identity.or(told.identity),
            email: said.email.or(told.email),
            plan: said.plan.or(told.plan),
        };
        let same = match (&account.identity, &details.identity) {
            (Some(known), Some(now)) => known == now,
            _ => match (&account.email, &details.email) {
                (Some(known), Some(now)) => known.eq_ignore_ascii_case(now),
                _ => true,
            },
        };
        same.then_some(details)
    }
}

/// What is new of an account: whose it is stays in the words that are known, and some files say less of a plan than their vendor.
fn news(details: AccountDetails, account: &Account) -> AccountDetails {
    let says_less = |plan: &String| account.plan.as_ref().is_some_and(|known| known.starts_with(plan));
    AccountDetails {
        identity: details.identity.filter(|_| account.identity.is_none()),
        plan: details.plan.filter(|plan| !says_less(plan)),
        email: details.email,
    }
}

#[cfg(test)]
mod tests;
