//! How other processes see that a byok is ending: its control socket is gone already, and until its last answer is over it
//! holds a lock. The system takes the lock back from one that is killed.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

/// Held by a byok that is ending.
pub(crate) struct Ending {
    path: PathBuf,
    _lock: File,
}

impl Ending {
    /// Shows it. Not worth failing for: without it others read that no byok is running, which is soon true.
    pub(crate) fn begin(database: &Path) -> Option<Self> {
        let path = file(database);
        let lock = File::create(&path).ok()?;
        lock.try_lock().ok()?;
        Some(Self { path, _lock: lock })
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether a byok that used this database is ending.
pub(crate) fn is_one_ending(database: &Path) -> bool {
    File::open(file(database)).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

fn file(database: &Path) -> PathBuf {
    database.with_file_name("ending.lock")
}
