//! Logins that belong to another program: byok reads them again and never renews them itself.
//!
//! Where a vendor uses refresh tokens up, two programs with one login take it away from each other. A login that is followed
//! stays with the program that made it: its file is read again whenever its token is about to end.

use crate::{
    Clock as _, Import, NewLogin, RefreshError, RefreshFuture, Refresher, SystemClock, TokenAnswer, Vendor,
    neighbours,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The fact that names the file of the other program.
const FILE: &str = "follows";
/// When to look again at a file that holds nothing newer.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Makes a login one that is followed: it lives in `file`.
pub fn follow(mut login: NewLogin, file: &Path) -> NewLogin {
    if let (Credential::Oauth(tokens), Some(file)) = (&mut login.credential, file.to_str()) {
        tokens.facts.insert(FILE.to_owned(), Secret::new(file));
    }
    login
}

/// The file of a login that is followed.
pub fn followed(tokens: &OauthTokens) -> Option<&str> {
    tokens.fact(FILE)
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

impl Refresher for Following {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        match followed(tokens) {
            Some(file) => Box::pin(self.read_again(PathBuf::from(file), tokens)),
            None => self.own.refresh(transport, tokens),
        }
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
        let read = tokio::task::spawn_blocking(move || {
            let mut content = Vec::new();
            let largest = import.largest();
            File::open(&file).ok()?.take(largest).read_to_end(&mut content).ok()?;
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            import.read_beside(&name, &content, &neighbours(&file, largest), now).ok()
        });
        let found = read.await.ok().flatten().unwrap_or_default();
        let newest = found.into_iter().find_map(|found| match found.login.credential {
            Credential::Oauth(tokens) => Some((tokens, found.login.details)),
            Credential::ApiKey(_) => None,
        });
        let Some((newer, details)) = newest else {
            let reason =
                "the program that this login belongs to has logged out; log in there again, or with \
                          `byok login`"
                    .to_owned();
            return Err(RefreshError::Permanent { state: AccountState::NeedsLogin { reason } });
        };
        let same = newer.access.hash() == tokens.access.hash();
        if same || newer.expires_at.is_some_and(|end| end <= now) {
            let why = "the program that this login belongs to has not renewed it yet, and byok leaves that to it; use \
                       that program once";
            return Err(RefreshError::busy(why, Some(LOOK_AGAIN)));
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
