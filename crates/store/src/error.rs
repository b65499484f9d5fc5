use byok_types::{Blame, Fault, Retry};
use std::{io, path::PathBuf, time::Duration};

/// An error of the database library, kept as the cause for the log. Holds no value of any row.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// What can go wrong in the store. No variant holds a secret, an account id, a label or an address.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The account is not there.
    #[error("there is no such account: `byok accounts` lists those there are")]
    NoSuchAccount,
    /// Labels are unique within a provider.
    #[error("another account of this provider has that label: choose another label")]
    LabelTaken,
    /// Client keys are never overwritten.
    #[error("there already is a client key with this id or value: create a new one")]
    ClientKeyTaken,
    /// The sealed secret of one account does not open, although the sealing key is right.
    #[error(
        "the stored secret of this account is damaged or belongs to another one: log in again with `byok login`"
    )]
    Unsealable,
    /// The directory or file belongs to another user.
    #[error(
        "{path} belongs to another user: run byok as that user, or choose a place of your own with `--db`"
    )]
    NotOwner {
        /// The directory or file.
        path: PathBuf,
    },
    /// A directory, a device or a pipe stands where the file should be.
    #[error("{path} is no regular file: the database needs a file of its own, name one with `--db`")]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// Other users could read or change what only byok may.
    #[error("other users have access to {path}: run `chmod {mode} {path}`")]
    Exposed {
        /// The directory or file.
        path: PathBuf,
        /// What `chmod` should take away.
        mode: &'static str,
    },
    /// A directory or file could not be created, read or written.
    #[error("cannot {action} {path}: check its permissions and the free space of the disk")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The directory or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random numbers: nothing can be sealed until it does")]
    NoRandomness,
    /// The database is sealed but the key file is gone.
    #[error(
        "the key file {path} is missing and nothing in the database can be opened without it: restore it from a backup, or move the database away and log in again"
    )]
    KeyMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The key file does not hold a key.
    #[error(
        "{path} is not a key file (64 hexadecimal digits): restore it from a backup, or name the right one"
    )]
    KeyMalformed {
        /// The key file.
        path: PathBuf,
    },
    /// The database was sealed with another key.
    #[error(
        "{path} is not the key that this database was sealed with, nothing was changed: restore the right key file, or move the database away and log in again"
    )]
    KeyWrong {
        /// The key file.
        path: PathBuf,
    },
    /// The database was sealed with a key that lies somewhere this byok cannot read.
    #[error(
        "{path} was sealed with a key kept in `{source_name}`, which this byok cannot read: use the byok that wrote it"
    )]
    KeyElsewhere {
        /// The database.
        path: PathBuf,
        /// Where the key lies, as recorded in the database.
        source_name: String,
    },
    /// The file belongs to another program.
    #[error("{path} is a database of another program: choose another file with `--db`")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a newer byok.
    #[error(
        "{path} was written by byok {written_by} (schema {found}, this byok knows {known}): update byok, or restore the backup {path}.v{known}.bak"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest schema version that this binary knows.
        known: u32,
        /// The version of byok that wrote it, as far as it says.
        written_by: String,
    },
    /// The database is damaged. It is left as it is.
    #[error(
        "{path} is damaged and was left as it is: restore a backup ({path}.v*.bak), or move it away and log in again"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
    },
    /// Another process has held the database for too long.
    #[error("another process holds {path}: try again, and look for a byok that hangs")]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// There is no room for a write.
    #[error("the disk that holds {path} is full: free some space")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The database cannot be written.
    #[error("{path} is read-only: make it and its directory writable for this user")]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that the database refuses.
    #[error("the database {path} failed: restart byok, and report this if it comes again")]
    Database {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: DatabaseError,
    },
    /// The store's own thread is gone.
    #[error("the store has stopped: restart byok")]
    Closed,
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

impl Fault for StoreError {
    fn blame(&self) -> Blame {
        Blame::Byok
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Busy { .. } => Retry::After(Duration::from_secs(1)),
            Self::NoSuchAccount | Self::LabelTaken | Self::ClientKeyTaken | Self::Closed => Retry::Never,
            Self::Unsealable
            | Self::NotOwner { .. }
            | Self::NotAFile { .. }
            | Self::Exposed { .. }
            | Self::Io { .. }
            | Self::NoRandomness
            | Self::KeyMissing { .. }
            | Self::KeyMalformed { .. }
            | Self::KeyWrong { .. }
            | Self::KeyElsewhere { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::Database { .. } => Retry::AfterPerson,
        }
    }
}
