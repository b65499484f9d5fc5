//! The backend on two `SQLite` files: `tokens.db`, which is precious, and `usage.db`, which may be lost.

mod accounts;
mod cache;
mod client_keys;
mod connection;
mod database;
mod files;
mod key_file;
mod migrate;
mod problem;
mod reserve;
mod secrets;
mod usage;

use crate::{
    AccountLock, ClientKeyRow, StoreError, StoreFuture, StoreOptions,
    lock::{self, Turns},
    seal::{Place, Sealer},
    store::Backend,
};
use byok_types::{AccountId, Credential, SecretHash};
use cache::Cache;
use connection::Durability;
use database::Database;
use problem::Outcome;
use reserve::Reserve;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use usage::Recorder;

/// Directory of the lock files, beside the database.
const LOCK_DIR: &str = "locks";

pub(crate) struct Sqlite {
    location: PathBuf,
    lock_dir: PathBuf,
    tokens: Database,
    reserve: Arc<Reserve>,
    usage: Recorder,
    sealer: Arc<Sealer>,
    turns: Turns,
    credentials: Cache<AccountId, Credential>,
    keys: Cache<(), Arc<HashMap<SecretHash, ClientKeyRow>>>,
}

impl Sqlite {
    /// Opens the files, creates what is missing, takes the steps to the newest schema. Blocks the thread.
    pub(crate) fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let location = std::path::absolute(&options.path).map_err(StoreError::io("find", &options.path))?;
        let directory = location.parent().unwrap_or(Path::new("/")).to_owned();
        let lock_dir = directory.join(LOCK_DIR);
        if fs::metadata(&location).is_ok_and(|found| !found.is_file()) {
            return Err(StoreError::NotAFile { path: location });
        }
        files::private_directory(&directory)?;
        files::private_directory(&lock_dir)?;
        // One process at a time makes keys, takes steps and moves damaged files away.
        let opening_lock = lock_dir.join("open.lock");
        let _opening = lock::hold(&opening_lock)?;

        let key_file = options.key_file.clone().unwrap_or_else(|| directory.join("key"));
        let (writer, sealer) = open_tokens(&location, &key_file)?;
        let tokens = Database::start(&location, writer)?;
        let usage = Recorder::start(&directory.join("usage.db"), &lock_dir, opening_lock)?;
        Ok(Self {
            reserve: Arc::new(Reserve::beside(&location)),
            location,
            lock_dir,
            tokens,
            usage,
            sealer: Arc::new(sealer),
            turns: Turns::default(),
            credentials: Cache::new(),
            keys: Cache::new(),
        })
    }
}

fn open_tokens(path: &Path, key_file: &Path) -> Result<(Connection, Sealer), StoreError> {
    // The key is made only after the database was written: an empty file beside a key was emptied by something else.
    let was_there = path.exists();
    let size = files::private_file(path)?.metadata().map_err(StoreError::io("look at", path))?.len();
    let log_size = fs::metadata(migrate::beside(path, "-wal")).map_or(0, |log| log.len());
    if was_there && size == 0 && log_size == 0 && key_file.exists() {
        return Err(StoreError::Damaged { path: path.to_owned() });
    }
    let open = || -> Outcome<_> {
        let mut writer = connection::writer(path, Durability::Power)?;
        let verdict: String = writer.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::Damaged { path: path.to_owned() }.into());
        }
        migrate::TOKENS.apply(&mut writer, path)?;
        let sealer = unlock(&mut writer, path, key_file)?;
        Ok((writer, sealer))
    };
    open().map_err(|problem| problem.at(path))
}

/// What is sealed into `meta` to recognise the key by.
const CHECK: &str = "byok";
const CHECK_PLACE: Place<'static> = Place { provider: "", account: "", column: "seal_check" };
/// The one place for the key that this byok knows.
const KEY_SOURCE: &str = "file";

/// Finds the key that the database is sealed with; a database without one gets one.
fn unlock(connection: &mut Connection, path: &Path, key_file: &Path) -> Outcome<Sealer> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let meta = |name: &str| {
        transaction
            .prepare_cached("SELECT CAST(value AS BLOB) FROM meta WHERE name = ?1")?
            .query_row([name], |row| row.get::<_, Vec<u8>>(0))
            .optional()
    };
    let stored_key = key_file::read(key_file)?;
    if let Some(check) = meta("seal_check")? {
        let source = meta("key_source")?.unwrap_or_default();
        if source != KEY_SOURCE.as_bytes() {
            let source_name = String::from_utf8_lossy(&source).into_owned();
            return Err(StoreError::KeyElsewhere { path: path.to_owned(), source_name }.into());
        }
        let key = stored_key.ok_or_else(|| StoreError::KeyMissing { path: key_file.to_owned() })?;
        let sealer = Sealer::new(&key);
        let right = sealer.open(&check, CHECK_PLACE).is_ok_and(|opened| opened.expose() == CHECK);
        return if right {
            Ok(sealer)
        } else {
            Err(StoreError::KeyWrong { path: key_file.to_owned() }.into())
        };
    }
    if transaction.prepare("SELECT 1 FROM secrets")?.exists([])? {
        return Err(StoreError::Damaged { path: path.to_owned() }.into());
    }
    let key = stored_key.map_or_else(|| key_file::create(key_file), Ok)?;
    let sealer = Sealer::new(&key);
    let check = sealer.seal(CHECK, CHECK_PLACE)?;
    transaction.execute(
        "INSERT INTO meta (name, value) VALUES ('seal_check', ?1), ('key_source', ?2)",
        params![check, KEY_SOURCE],
    )?;
    transaction.commit()?;
    Ok(sealer)
}

impl Backend for Sqlite {
    fn location(&self) -> Option<&Path> {
        Some(&self.location)
    }

    fn lock_dir(&self) -> Option<&Path> {
        Some(&self.lock_dir)
    }

    fn lock_account<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, AccountLock> {
        Box::pin(async move {
            let turn = self.turns.wait(account).await;
            let held = lock::hold_off_thread(self.lock_dir.join(lock::file_name(account)), turn).await?;
            // Whatever the holder before has committed must be seen by the next load.
            self.tokens.generation();
            Ok(held)
        })
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.usage.flush(/* tidy */ true).await?;
            self.tokens.checkpoint().await
        })
    }
}

#[cfg(test)]
mod tests;
