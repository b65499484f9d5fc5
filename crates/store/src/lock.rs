use crate::{StoreError, seal::hex};
use byok_types::{AccountId, SecretHash};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::OwnedMutexGuard;

/// The right to refresh one account, held against all tasks and all processes that use the store.
///
/// Released when it is dropped, and by the operating system when the process dies.
#[must_use = "the account is locked only as long as this is held"]
pub struct AccountLock {
    // Dropped in this order: the next task of this process must not meet our own file lock.
    _file: Option<File>,
    _turn: OwnedMutexGuard<()>,
}

impl AccountLock {
    pub(crate) fn new(turn: OwnedMutexGuard<()>, file: Option<File>) -> Self {
        Self { _file: file, _turn: turn }
    }
}

impl fmt::Debug for AccountLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountLock")
    }
}

/// Turns among the tasks of one process, one queue per account.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    pub(crate) async fn wait(&self, account: &AccountId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock();
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(account.clone()).or_default())
        };
        turn.lock_owned().await
    }
}

/// The lock file of an account. Its name is a hash, so that a listing of the directory tells nothing.
pub(crate) fn file_name(account: &AccountId) -> String {
    hex(&SecretHash::of(account.as_str()).0) + ".lock"
}

/// Opens the lock file and waits until no other process holds it. Blocks the thread.
pub(crate) fn hold(path: &Path) -> Result<File, StoreError> {
    let file = open(path).map_err(StoreError::io("open the lock file", path))?;
    file.lock().map_err(StoreError::io("lock", path))?;
    Ok(file)
}

/// Like [`hold`], together with all others that share it.
pub(crate) fn share(path: &Path) -> Result<File, StoreError> {
    let file = open(path).map_err(StoreError::io("open the lock file", path))?;
    file.lock_shared().map_err(StoreError::io("lock", path))?;
    Ok(file)
}

/// Like [`hold`], on a thread of its own.
///
/// Not on the runtime's blocking threads: a runtime that shuts down waits for those, and the other process may hang.
/// The turn goes along, so that a caller who gives up does not let the next one start a second thread.
pub(crate) async fn hold_off_thread(
    path: PathBuf,
    turn: OwnedMutexGuard<()>,
) -> Result<AccountLock, StoreError> {
    let (done, held) = tokio::sync::oneshot::channel();
    let wanted = path.clone();
    let wait = move || {
        let lock = hold(&wanted).map(|file| AccountLock::new(turn, Some(file)));
        // A caller who has given up gets nothing, and the lock is released here.
        drop(done.send(lock));
    };
    std::thread::Builder::new()
        .name("byok-lock".to_owned())
        .spawn(wait)
        .map_err(StoreError::io("start a thread to lock", path))?;
    held.await.map_err(|_| StoreError::Closed)?
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
