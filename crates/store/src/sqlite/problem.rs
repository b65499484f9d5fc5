//! Errors on their way from `SQLite` to [`StoreError`].

use crate::{DatabaseError, StoreError};
use rusqlite::ErrorCode;
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
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path },
            _ => StoreError::Database { path, source: DatabaseError(Box::new(error)) },
        }
    }
}
