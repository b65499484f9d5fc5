//! The file of the records. Nothing that happens to it is worth failing for: it is replaced when it is damaged, and
//! records are dropped while it cannot be written.

use super::rows;
use crate::{
    StoreError, lock,
    sqlite::{
        connection::{self, Durability},
        database::{self, Readers},
        files, migrate,
        problem::Outcome,
    },
};
use byok_types::RequestRecord;
use rusqlite::Connection;
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a lasting trouble is looked at and told again.
const EVERY: Duration = Duration::from_mins(1);

pub(super) struct UsageFile {
    path: PathBuf,
    locks: UsageLocks,
    readers: Arc<Readers>,
    /// Absent while the file cannot be opened.
    open: Option<OpenFile>,
    next_try: Instant,
    next_complaint: Instant,
}

/// The lock files that belong to the file.
pub(super) struct UsageLocks {
    /// Held by whoever opens the file.
    pub(super) opening: PathBuf,
    /// Shared by all who have it open. `SQLite` deletes the log of a file by its name when it is closed last: a file
    /// that is moved away while in use would take the log of its successor along.
    pub(super) in_use: PathBuf,
}

struct OpenFile {
    // Closed in this order.
    connection: Connection,
    _in_use: File,
}

impl UsageFile {
    /// Opens the file, for which the caller holds the lock `opening`. Only what a person must decide is an error.
    pub(super) fn open(path: &Path, locks: UsageLocks, readers: Arc<Readers>) -> Result<Self, StoreError> {
        let now = Instant::now();
        let path = path.to_owned();
        let mut file = Self { path, locks, readers, open: None, next_try: now, next_complaint: now };
        match file.open_or_replace() {
            Ok(open) => file.open = Some(open),
            Err(
                error @ (StoreError::Newer { .. }
                | StoreError::Foreign { .. }
                | StoreError::NotOwner { .. }
                | StoreError::Exposed { .. }),
            ) => return Err(error),
            Err(error) => file.cannot_open(&error),
        }
        Ok(file)
    }

    /// Writes records in one transaction. `false` if they are lost.
    pub(super) fn write(&mut self, records: &[RequestRecord]) -> bool {
        if records.is_empty() {
            return true;
        }
        if self.open.is_none() && Instant::now() >= self.next_try {
            self.reopen();
        }
        let Some(open) = &mut self.open else { return false };
        let Err(problem) = rows::insert(&mut open.connection, records) else { return true };
        if problem.is_damage() {
            self.reopen();
            return self
                .open
                .as_mut()
                .is_some_and(|open| rows::insert(&mut open.connection, records).is_ok());
        }
        let error = problem.at(&self.path);
        self.complain(&error);
        false
    }

    /// Forgets records of requests before a time, `most` at the most; how many those were. What fails is told and tried again
    /// when somebody asks again.
    pub(super) fn forget(&mut self, before: i64, most: usize) -> usize {
        let Some(open) = &mut self.open else { return 0 };
        rows::forget(&mut open.connection, before, most).unwrap_or_else(|problem| {
            let error = problem.at(&self.path);
            tracing::warn!(%error, "old request records could not be forgotten");
            0
        })
    }

    /// Empties the write-ahead log into the file.
    pub(super) fn tidy(&mut self) {
        let Some(open) = &self.open else { return };
        if let Err(problem) = database::checkpoint(&open.connection) {
            let error = problem.at(&self.path);
            tracing::debug!(%error, "the log of the request records was not emptied");
        }
    }

    /// Opens the file again and replaces it if it is damaged, unless another process has done so meanwhile.
    fn reopen(&mut self) {
        self.readers.clear();
        self.open = None;
        match lock::hold(&self.locks.opening).and_then(|_opening| self.open_or_replace()) {
            Ok(open) => self.open = Some(open),
            Err(error) => self.cannot_open(&error),
        }
    }

    fn open_or_replace(&self) -> Result<OpenFile, StoreError> {
        let path = &self.path;
        let in_use = lock::share(&self.locks.in_use)?;
        let connection = match open(path) {
            Err(problem) if problem.is_damage() => {
                // Whoever wants to share it waits for the lock that we hold for opening.
                in_use.unlock().map_err(StoreError::io("unlock", &self.locks.in_use))?;
                in_use.try_lock().map_err(|_| StoreError::Busy { path: path.clone() })?;
                let aside = move_aside(path)?;
                tracing::warn!(
                    moved_to = %aside.display(),
                    "the database of request records was damaged: it was moved aside and a new one begun, no login is lost"
                );
                in_use.unlock().map_err(StoreError::io("unlock", &self.locks.in_use))?;
                in_use.lock_shared().map_err(StoreError::io("lock", &self.locks.in_use))?;
                open(path)
            }
            opened => opened,
        };
        let connection = connection.map_err(|problem| problem.at(path))?;
        Ok(OpenFile { connection, _in_use: in_use })
    }

    fn cannot_open(&mut self, error: &StoreError) {
        self.next_try = Instant::now() + EVERY;
        self.complain(error);
    }

    fn complain(&mut self, error: &StoreError) {
        let now = Instant::now();
        if now >= self.next_complaint {
            self.next_complaint = now + EVERY;
            tracing::warn!(%error, "request records are being dropped");
        }
    }
}

fn open(path: &Path) -> Outcome<Connection> {
    files::private_file(path)?;
    let mut connection = connection::writer(path, Durability::Process)?;
    migrate::USAGE.apply(&mut connection, path)?;
    // A full check would take seconds on a file of a year; this reads each page of the two ends that are in use.
    rows::probe(&connection)?;
    Ok(connection)
}

/// Renames the file and what belongs to it.
fn move_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = migrate::beside(path, &format!(".damaged-{}", crate::store::unix_now()));
    for suffix in ["-wal", "-shm", ""] {
        let from = migrate::beside(path, suffix);
        match fs::rename(&from, migrate::beside(&aside, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(StoreError::io("move aside", from)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
