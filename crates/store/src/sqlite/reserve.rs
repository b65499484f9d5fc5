//! Room on the disk for the tokens of a renewal. When they come the vendor has used up the old ones; on a disk that has become
//! full meanwhile they would be in memory alone.

use super::{files, migrate::beside};
use crate::StoreError;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Bytes that are kept: a renewal writes a few pages of the database and as much of its log.
const ROOM: usize = 128 << 10;

/// A file that is there to be deleted when the disk is full.
pub(super) struct Reserve {
    file: PathBuf,
    database: PathBuf,
}

impl Reserve {
    pub(super) fn beside(database: &Path) -> Self {
        Self { file: beside(database, "-reserve"), database: database.to_owned() }
    }

    /// Takes the room, if it is not taken already. Blocks the thread.
    pub(super) fn take(&self) -> Result<(), StoreError> {
        if fs::metadata(&self.file).is_ok_and(|file| file.len() >= ROOM as u64) {
            return Ok(());
        }
        self.write().inspect_err(|_| self.give_up())
    }

    fn write(&self) -> Result<(), StoreError> {
        let mut file = files::private_file(&self.file).map_err(|error| self.full(error))?;
        // No zeros: some file systems keep no room for those.
        let room: Vec<u8> = (0..=u8::MAX).cycle().take(ROOM).collect();
        let written = file.write_all(&room).and_then(|()| file.sync_all());
        written.map_err(StoreError::io("write", &self.file)).map_err(|error| self.full(error))
    }

    /// Gives the room to the database.
    pub(super) fn give_up(&self) {
        if let Err(error) = fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %self.file.display(), "the room kept for a renewal is not given up");
        }
    }

    fn full(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Io { source, .. }
                if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                StoreError::Full { path: self.database.clone() }
            }
            other => other,
        }
    }
}
