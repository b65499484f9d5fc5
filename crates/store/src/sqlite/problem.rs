//! Errors on their way from `SQLite` to [`StoreError`].

use super::files;
use crate::{DatabaseError, StoreError};
use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE as IOERR_SHMSIZE};
use std::path::Path;

/// What work on a connection gives.
pub(super) type Outcome<T> = Result<T, Problem>;

/// An error that does not know yet which file it happened in.
#[derive(Debug)]
pub(super) enum Problem {
    Sqlite(rusqlite::Error),
    /// A value of a row cannot be what byok has written.
    Row,
    Store(StoreError),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Problem {
    /// Whether the file itself is broken.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
            Self::Row => false,
            Self::Store(error) => matches!(error, StoreError::Damaged { .. }),
        }
    }

    pub(super) fn at(self, path: &Path) -> StoreError {
        self.at_with(path, files::has_no_room)
    }

    /// The same; `no_room` says of a directory whether its disk is full.
    fn at_with(self, path: &Path, no_room: impl Fn(&Path) -> bool) -> StoreError {
        let path = path.to_owned();
        let error = match self {
            Self::Store(error) => return error,
            Self::Row => return StoreError::Damaged { path },
            Self::Sqlite(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            // The index of the write-ahead log could not grow.
            _ if error.sqlite_extended_error_code() == Some(IOERR_SHMSIZE) => StoreError::Full { path },
            // A full disk shows itself in many ways: beside a write, as a file that cannot be made or synced.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
                if no_room(path.parent().unwrap_or(Path::new("."))) =>
            {
                StoreError::Full { path }
            }
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path },
            _ => StoreError::Database { path, source: DatabaseError(Box::new(error)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn of(code: i32, no_room: bool) -> StoreError {
        let problem = Problem::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        problem.at_with(Path::new("/x/tokens.db"), |directory| {
            assert_eq!(directory, Path::new("/x"));
            no_room
        })
    }

    #[test]
    fn a_full_disk_has_many_codes() {
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_CANTOPEN,
        ] {
            assert!(matches!(of(code, true), StoreError::Full { .. }), "{code}");
        }
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_READ, ffi::SQLITE_CANTOPEN] {
            assert!(matches!(of(code, false), StoreError::Database { .. }), "{code}");
        }
        assert!(matches!(of(ffi::SQLITE_CORRUPT, true), StoreError::Damaged { .. }));
    }
}
