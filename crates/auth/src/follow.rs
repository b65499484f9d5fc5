//! Logins that belong to another program: byok reads them again and never renews them itself.
//!
//! Where a vendor uses refresh tokens up, two programs with one login take it away from each other. A login that is followed
//! stays with the program that made it: its file is read again whenever its token is about to end.

use crate::{
    Clock as _, Import, ImportError, LARGEST_DATABASE, NewLogin, OwnerFuture, RefreshError, RefreshFuture,
    Refresher, SystemClock, TokenAnswer, Vendor, neighbours, peers,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The fact that names the file of the other program.
const FILE: &str = "follows";
/// The fact that says which login of a file with several it is, where the file is not the vendor's own program's.
const KEY: &str = "follows_key";
/// When to look again at a file that holds nothing newer.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_mins(1);

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

struct Following {
    own: Arc<dyn Refresher>,
    import: Arc<dyn Import>,
}

/// What the file of another program holds now.
enum Now {
    /// The login.
    Here(Box<NewLogin>),
    /// The file cannot be read at this moment: its program may be writing it.
    Torn,
    /// No login of this kind.
    Gone,
}

/// Reads the file again: as that of a program like byok if there is a `key`, else as that of the vendor's own.
fn read(import: &dyn Import, file: &Path, key: Option<&str>, now: i64) -> Now {
    let largest = if key.is_some() { LARGEST_DATABASE } else { import.largest() };
    let mut content = Vec::new();
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
            let mut logins = found.into_iter().map(|found| found.login);
            let login = logins.find(|login| matches!(login.credential, Credential::Oauth(_)));
            login.map_or(Now::Gone, |login| Now::Here(Box::new(login)))
        }
        Err(ImportError::NotReadable { .. } | ImportError::Damaged { .. }) => Now::Torn,
        Err(ImportError::Nothing { .. } | ImportError::Unknown { .. }) => Now::Gone,
    }
}

impl Refresher for Following {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        match followed(tokens) {
            Some(file) => Box::pin(self.read_again(PathBuf::from(file), tokens)),
            None => self.own.refresh(transport, tokens),
        }
    }

    fn refresh_as<'a>(
        &'a self,
        transport: &'a Transport,
        tokens: &'a OauthTokens,
        claims: &'a [String],
    ) -> RefreshFuture<'a> {
        match followed(tokens) {
            Some(file) => Box::pin(self.read_again(PathBuf::from(file), tokens)),
            None => self.own.refresh_as(transport, tokens, claims),
        }
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        self.own.owner(transport, tokens)
    }

    fn rotates(&self) -> bool {
        self.own.rotates()
    }
}

impl Following {
    async fn read_again(
        &self,
        file: PathBuf,
        tokens: &OauthTokens,
    ) -> Result<(TokenAnswer, AccountDetails), RefreshError> {
        let import = Arc::clone(&self.import);
        let now = SystemClock.now();
        let key = tokens.fact(KEY).map(str::to_owned);
        let read = tokio::task::spawn_blocking(move || read(&*import, &file, key.as_deref(), now)).await;
        let NewLogin { credential, details } = match read {
            Ok(Now::Here(login)) => *login,
            Ok(Now::Gone) => {
                let reason = "the program that this login belongs to has logged out; log in there again, or with `byok login`";
                return Err(RefreshError::Permanent {
                    state: AccountState::NeedsLogin { reason: reason.to_owned() },
                });
            }
            Ok(Now::Torn) | Err(_) => {
                let why = "the file of the program that this login belongs to cannot be read; is it whole, and may byok read it?";
                return Err(RefreshError::Followed { why: why.to_owned() });
            }
        };
        let Credential::Oauth(newer) = credential else {
            let why = "the program that this login belongs to keeps a key in its place; log in there again";
            return Err(RefreshError::Followed { why: why.to_owned() });
        };
        let same = newer.access.hash() == tokens.access.hash();
        if same || newer.expires_at.is_some_and(|end| end <= now) {
            let why = "the program that this login belongs to has not renewed it yet, and byok leaves that to it; use \
                       that program once, or let byok take the login over with `--import --take-over`";
            return Err(RefreshError::Followed { why: why.to_owned() });
        }
        let answer = TokenAnswer {
            access: newer.access,
            refresh: newer.refresh,
            expires_in: newer.expires_at.map(|end| end - now),
            refresh_expires_in: newer.refresh_expires_at.map(|end| end - now),
            scope: (!newer.scopes.is_empty()).then(|| newer.scopes.join(" ")),
            facts: newer.facts,
        };
        Ok((answer, details))
    }
}

#[cfg(test)]
mod tests;
