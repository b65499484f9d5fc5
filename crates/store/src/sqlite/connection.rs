//! How connections are opened and set up.

use super::{files, problem::Outcome};
use rusqlite::{Connection, OpenFlags, config::DbConfig, limits::Limit};
use std::{path::Path, time::Duration};

/// How long a statement waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection keeps of its database in memory; `cache_size` counts KiB as negative numbers.
const CACHE_KIB: i32 = -512;

/// Largest row, statement and list of parameters that can occur with much room to spare.
const LIMITS: [(Limit, i32); 5] = [
    (Limit::SQLITE_LIMIT_LENGTH, 16 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 << 10),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 64),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// How much a commit guarantees.
#[derive(Clone, Copy, Debug)]
pub(super) enum Durability {
    /// It survives a loss of power.
    Power,
    /// It survives a crash of the process; the last ones may be lost with the power.
    Process,
}

/// The one connection that writes to a file which exists.
pub(super) fn writer(path: &Path, durability: Durability) -> Outcome<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let journal = if files::is_shared_with_other_machines(directory) {
        tracing::warn!(
            directory = %directory.display(),
            "the store lies on a network or user-space file system, which may lose or damage it: use a local disk"
        );
        "DELETE"
    } else {
        "WAL"
    };
    connection.pragma_update_and_check(None, "journal_mode", journal, |_| Ok(()))?;
    let synchronous = match durability {
        Durability::Power => "FULL",
        Durability::Process => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> Outcome<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// A reader that gives up instead of waiting.
pub(super) fn watcher(path: &Path) -> Outcome<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

fn open(path: &Path, access: OpenFlags) -> Outcome<Connection> {
    // Each connection is used by one thread at a time, which makes SQLite's own mutexes superfluous.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    for (limit, value) in LIMITS {
        connection.set_limit(limit, value)?;
    }
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // What is read is little and read by key. Left alone each connection keeps two megabytes of pages.
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(connection)
}
