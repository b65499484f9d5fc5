//! Looks whether the files of logins that are followed have changed: an account that waits for the program that it belongs to
//! goes on within a second or two of what its owner does there.

use super::{LEAD, Shared, flight::Why};
use crate::follow::followed;
use byok_store::StoreError;
use byok_types::{Account, AccountId, AccountState, Credential, CredentialKind};
use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::MissedTickBehavior;

/// What shows that a file is another than before: where it lies, when it was written and how long it is. That of a database
/// says it of its log, too, which is written first.
type Stamp = [Option<(u64, i64, i64, u64)>; 2];

/// A login that is followed.
struct Watched {
    account: Account,
    file: PathBuf,
    /// What the file was like when it was last looked at.
    stamp: Option<Stamp>,
}

impl Shared {
    /// Looks after the logins that are followed until the manager is shut down.
    pub(super) async fn watch(self: Arc<Self>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut watched, mut known) = (Vec::new(), None);
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = ticks.tick() => self.look(&mut watched, &mut known).await,
                () = self.stopping.cancelled() => break,
            }
        }
    }

    /// Looks once. `known` is the generation of the store that `watched` was read from.
    async fn look(self: &Arc<Self>, watched: &mut Vec<Watched>, known: &mut Option<u64>) {
        let generation = self.store.accounts.generation();
        if *known != Some(generation) {
            match self.followed_logins(watched).await {
                Ok(now) => (*watched, *known) = (now, Some(generation)),
                Err(error) => tracing::debug!(%error, "the accounts that are followed cannot be read"),
            }
        }
        if watched.is_empty() {
            return;
        }
        let files: Vec<_> = watched.iter().map(|one| one.file.clone()).collect();
        let stamps = tokio::task::spawn_blocking(move || files.iter().map(|file| stamp(file)).collect());
        let stamps: Vec<Stamp> = stamps.await.unwrap_or_default();
        for (one, now) in watched.iter_mut().zip(stamps) {
            let before = one.stamp.replace(now);
            // Of those that serve, the first look is that of whoever needs their token.
            let changed = before.map_or_else(|| one.waits(), |before| before != now);
            if changed && self.needs_it(&one.account) {
                self.look_again(&one.account.id);
                // Failures are noted and logged where they happen.
                let _ = self.join(&one.account.id, &one.account.provider, Why::Expiring).await;
            }
        }
    }

    /// Whether an account has use for a newer login: its token ends, or it waits.
    fn needs_it(&self, account: &Account) -> bool {
        matches!(account.state, AccountState::NeedsLogin { .. })
            || account.expires_at.is_some_and(|end| end <= self.clock.now() + LEAD)
    }

    async fn followed_logins(&self, before: &[Watched]) -> Result<Vec<Watched>, StoreError> {
        let before: HashMap<&AccountId, &Watched> = before.iter().map(|one| (&one.account.id, one)).collect();
        let mut watched = Vec::new();
        for account in self.store.accounts.list(None).await? {
            let may_serve = matches!(
                account.state,
                AccountState::Ready | AccountState::ExtraUsage | AccountState::NeedsLogin { .. }
            );
            if account.kind != CredentialKind::Oauth || !may_serve {
                continue;
            }
            // One that cannot be opened is not renewed, either.
            let Ok(Some(Credential::Oauth(tokens))) = self.store.secrets.load(&account.id).await else {
                continue;
            };
            let Some(file) = followed(&tokens).map(PathBuf::from) else { continue };
            let mut one = Watched { account, file, stamp: None };
            // One that has just begun to wait is looked at anew: its file may have changed in that moment.
            one.stamp = before
                .get(&one.account.id)
                .filter(|before| before.file == one.file && before.waits() == one.waits())
                .and_then(|before| before.stamp);
            watched.push(one);
        }
        Ok(watched)
    }
}

impl Watched {
    fn waits(&self) -> bool {
        matches!(self.account.state, AccountState::NeedsLogin { .. })
    }
}

fn stamp(file: &Path) -> Stamp {
    let mut log = OsString::from(file);
    log.push("-wal");
    [file, Path::new(&log)].map(|file| {
        let about = fs::metadata(file).ok()?;
        Some((about.ino(), about.mtime(), about.mtime_nsec(), about.len()))
    })
}
