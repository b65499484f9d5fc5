use crate::{
    AccountLock, Accounts, ClientKeys, Records, Secrets, StoreError, memory::Memory, sqlite::Sqlite,
};
use byok_types::AccountId;
use std::{
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What a method of the store returns: a boxed future, so that the traits can be used behind `dyn`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where the store lies on the disk.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The database of accounts and secrets, `tokens.db`. The records lie beside it in `usage.db`, the lock files in
    /// `locks`. The directory is created if it is missing and must be the user's own.
    pub path: PathBuf,
    /// The file that holds the key by which secrets are sealed; without it `key` beside the database. Created with a
    /// new key together with a new database.
    pub key_file: Option<PathBuf>,
}

/// The store of one byok process: the four traits and what belongs to all of them. Clones share everything.
#[derive(Clone)]
pub struct Store {
    /// The accounts without their secrets.
    pub accounts: Arc<dyn Accounts>,
    /// The secrets of the accounts.
    pub secrets: Arc<dyn Secrets>,
    /// The request records.
    pub records: Arc<dyn Records>,
    /// The client keys.
    pub client_keys: Arc<dyn ClientKeys>,
    backend: Arc<dyn Backend>,
}

/// What every backend must do besides the four traits.
pub(crate) trait Backend: Send + Sync {
    fn location(&self) -> Option<&Path>;
    fn lock_dir(&self) -> Option<&Path>;
    fn lock_account<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, AccountLock>;
    fn close(&self) -> StoreFuture<'_, ()>;
}

impl Store {
    /// A store that lives as long as the process and writes nothing: for `byok demo` and for tests.
    pub fn memory() -> Self {
        Self::on(&Arc::new(Memory::default()))
    }

    /// Opens the store on the disk, creates what is missing, and brings older files up to date.
    ///
    /// Blocks the thread for some milliseconds: call it at start. Fails, and changes nothing, if the directory is
    /// open to other users, the key is not the right one, or the database is damaged or of a newer byok. A damaged
    /// `usage.db` is moved aside.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self::on(&Arc::new(Sqlite::open(options)?)))
    }

    pub(crate) fn on<B>(backend: &Arc<B>) -> Self
    where
        B: Accounts + Secrets + Records + ClientKeys + Backend + 'static,
    {
        Self {
            accounts: Arc::clone(backend) as _,
            secrets: Arc::clone(backend) as _,
            records: Arc::clone(backend) as _,
            client_keys: Arc::clone(backend) as _,
            backend: Arc::clone(backend) as _,
        }
    }

    /// Writes out queued records and tidies the files. Call it before the process ends: records queued in the last
    /// quarter of a second are lost otherwise. What fails is logged. The store remains usable.
    pub async fn close(&self) {
        if let Err(error) = self.backend.close().await {
            tracing::warn!(%error, "the store could not be tidied up");
        }
    }

    /// The database file, if there is one.
    pub fn location(&self) -> Option<&Path> {
        self.backend.location()
    }

    /// The directory of the lock files by which processes keep out of each other's way, if there is one.
    pub fn lock_dir(&self) -> Option<&Path> {
        self.backend.lock_dir()
    }

    /// Waits for the right to refresh an account, against all tasks and all processes.
    ///
    /// Whoever holds it reads with [`Secrets::load`] what everybody before has written. Dropping the future gives up
    /// the place in the queue.
    pub fn lock_account<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, AccountLock> {
        self.backend.lock_account(account)
    }
}

/// Unix time in seconds.
pub(crate) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
