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
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a lasting trouble is looked at and told again.
const EVERY: Duration = Duration::from_mins(1);

pub(super) struct UsageFile {
    path: PathBuf,
    opening_lock: PathBuf,
    readers: Arc<Readers>,
    /// Absent while the file cannot be opened.
    connection: Option<Connection>,
    next_try: Instant,
    next_complaint: Instant,
}

impl UsageFile {
    /// Opens the file, for which the caller holds the lock. Only what a person must decide is an error.
    pub(super) fn open(
        path: &Path,
        opening_lock: PathBuf,
        readers: Arc<Readers>,
    ) -> Result<Self, StoreError> {
        let now = Instant::now();
        let mut file = Self {
            path: path.to_owned(),
            opening_lock,
            readers,
            connection: None,
            next_try: now,
            next_complaint: now,
        };
        match open_or_replace(path).map_err(|problem| problem.at(path)) {
            Ok(connection) => file.connection = Some(connection),
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
        if self.connection.is_none() && Instant::now() >= self.next_try {
            self.reopen();
        }
        let Some(connection) = &mut self.connection else { return false };
        let Err(problem) = rows::insert(connection, records) else { return true };
        if problem.is_damage() {
            self.reopen();
            return self.connection.as_mut().is_some_and(|c| rows::insert(c, records).is_ok());
        }
        let error = problem.at(&self.path);
        self.complain(&error);
        false
    }

    /// Empties the write-ahead log into the file.
    pub(super) fn tidy(&mut self) {
        let Some(connection) = &self.connection else { return };
        if let Err(problem) = database::checkpoint(connection) {
            let error = problem.at(&self.path);
            tracing::debug!(%error, "the log of the request records was not emptied");
        }
    }

    /// Opens the file again and replaces it if it is damaged, unless another process has done so meanwhile.
    fn reopen(&mut self) {
        self.connection = None;
        self.readers.clear();
        let opened = lock::hold(&self.opening_lock)
            .and_then(|_lock| open_or_replace(&self.path).map_err(|problem| problem.at(&self.path)));
        match opened {
            Ok(connection) => self.connection = Some(connection),
            Err(error) => self.cannot_open(&error),
        }
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

fn open_or_replace(path: &Path) -> Outcome<Connection> {
    match open(path) {
        Err(problem) if problem.is_damage() => {
            let aside = move_aside(path)?;
            tracing::warn!(
                moved_to = %aside.display(),
                "the database of request records was damaged: it was moved aside and a new one begun, no login is lost"
            );
            open(path)
        }
        opened => opened,
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
