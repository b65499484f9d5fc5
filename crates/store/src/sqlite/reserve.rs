//! Room on the disk for the tokens of a renewal. When they come the vendor has used up the old ones; on a disk that has become
//! full meanwhile they would be in memory alone.

use super::{files, migrate::beside};
use crate::StoreError;
use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// Bytes without which no vendor is asked: what comes of a renewal is a few pages of the database and as much of its log.
const LEAST: u64 = 128 << 10;
/// Bytes that are kept: that, and as much for the mark that a renewal makes before. On a full disk both come from here.
const ROOM: u64 = 2 * LEAST;

/// A file that is there to be deleted when the disk is full.
pub(super) struct Reserve {
    file: PathBuf,
    database: PathBuf,
}

impl Reserve {
    pub(super) fn beside(database: &Path) -> Self {
        Self { file: beside(database, "-reserve"), database: database.to_owned() }
    }

    /// Takes the room, if it is not taken already. On a disk that has become full what is there is enough, if it holds what
    /// comes of a renewal. Blocks the thread.
    pub(super) fn take(&self) -> Result<(), StoreError> {
        let there = fs::metadata(&self.file).map_or(0, |file| file.len());
        if there >= ROOM {
            return Ok(());
        }
        self.write(there).or_else(|error| {
            if there >= LEAST && self.shrink(there).is_ok() {
                return Ok(());
            }
            self.give_up();
            Err(error)
        })
    }

    /// Writes what is missing behind the first `there` bytes.
    fn write(&self, there: u64) -> Result<(), StoreError> {
        let mut file = files::private_file(&self.file).map_err(|error| self.full(error))?;
        // No zeros: some file systems keep no room for those.
        let room: Vec<u8> = (0..=u8::MAX).cycle().zip(there..ROOM).map(|(byte, _)| byte).collect();
        let written = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(&room));
        let written = written.and_then(|()| file.sync_all());
        written.map_err(StoreError::io("write", &self.file)).map_err(|error| self.full(error))
    }

    /// Gives what is more than a renewal needs at its end to the mark at its beginning. Whether there was anything to give.
    pub(super) fn share(&self) -> bool {
        fs::metadata(&self.file).is_ok_and(|file| file.len() > LEAST) && self.shrink(LEAST).is_ok()
    }

    fn shrink(&self, length: u64) -> io::Result<()> {
        let file = File::options().write(true).open(&self.file)?;
        file.set_len(length).and_then(|()| file.sync_all())
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
