//! Brings a database to the schema that this byok knows.
//!
//! `user_version` counts the steps that were taken and only grows. Each step is one transaction; before the first
//! one on a database that holds something, the whole database is copied to `<file>.v<version>.bak`.
//! A step that was released is never edited: a test compares the files with their checksums.

use super::{files, problem::Outcome};
use crate::StoreError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, backup::Backup};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The steps of one kind of database file.
pub(super) struct Schema {
    /// Tells the file from those of other programs, and from our other file.
    pub(super) application_id: i32,
    /// The steps, the oldest first.
    pub(super) steps: &'static [&'static str],
    /// Whether the file is worth a copy before it is changed. Such a file has a table `meta`.
    pub(super) precious: bool,
}

/// Accounts, secrets, client keys.
pub(super) const TOKENS: Schema = Schema {
    application_id: 0x6279_6F6B, // "byok"
    steps: &[
        include_str!("migrations/tokens/0001.sql"),
        include_str!("migrations/tokens/0002.sql"),
        include_str!("migrations/tokens/0003.sql"),
        include_str!("migrations/tokens/0004.sql"),
    ],
    precious: true,
};

/// Request records.
pub(super) const USAGE: Schema = Schema {
    application_id: 0x6279_6F75, // "byou"
    steps: &[include_str!("migrations/usage/0001.sql")],
    precious: false,
};

/// Says who wrote the schema, for the message of an older byok.
const STAMP: &str = "INSERT INTO meta (name, value) VALUES ('byok_version', ?1) \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

impl Schema {
    fn version(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }

    /// Takes the steps that are missing. Refuses files of other programs and of a newer byok.
    pub(super) fn apply(&self, connection: &mut Connection, path: &Path) -> Outcome<()> {
        let found = self.check(connection, path)?;
        if found == self.version() {
            return Ok(());
        }
        if found > 0 && self.precious {
            back_up(connection, path, found)?;
        }
        for (step, version) in self.steps.iter().zip(1u32..) {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Read again within the transaction: another process may have been faster.
            if user_version(&transaction)? < version {
                transaction.execute_batch(step)?;
                if self.precious {
                    transaction.execute(STAMP, [env!("CARGO_PKG_VERSION")])?;
                }
                transaction.pragma_update(None, "application_id", self.application_id)?;
                transaction.pragma_update(None, "user_version", version)?;
                transaction.commit()?;
            }
        }
        Ok(())
    }

    fn check(&self, connection: &Connection, path: &Path) -> Outcome<u32> {
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let found = user_version(connection)?;
        let is_empty = !connection.prepare("SELECT 1 FROM sqlite_schema")?.exists([])?;
        if id != self.application_id && !(is_empty && id == 0 && found == 0) {
            return Err(StoreError::Foreign { path: path.to_owned() }.into());
        }
        if found > self.version() {
            let written_by = written_by(connection)?.unwrap_or_else(|| "of a newer version".to_owned());
            return Err(StoreError::Newer {
                path: path.to_owned(),
                found,
                known: self.version(),
                written_by,
            }
            .into());
        }
        Ok(found)
    }
}

fn user_version(connection: &Connection) -> Outcome<u32> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// The version of byok that wrote the database, as far as one can read it in an unknown schema.
fn written_by(connection: &Connection) -> Outcome<Option<String>> {
    const QUERY: &str = "SELECT value FROM meta WHERE name = 'byok_version'";
    let Ok(mut statement) = connection.prepare(QUERY) else { return Ok(None) };
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Copies the database as it is, under a name that appears only once the copy is whole.
fn back_up(connection: &Connection, path: &Path, version: u32) -> Outcome<()> {
    let target = beside(path, &format!(".v{version}.bak"));
    let partial = beside(path, &format!(".v{version}.bak.part"));
    let action = "copy the database to";
    if let Err(error) = fs::remove_file(&partial)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(StoreError::io("remove", partial)(error).into());
    }
    files::new_private_file(&partial)?;
    let mut copy = Connection::open(&partial)?;
    Backup::new(connection, &mut copy)?.step(-1)?;
    drop(copy);
    fs::rename(&partial, &target).map_err(StoreError::io(action, &target))?;
    files::sync_directory(path.parent().unwrap_or(Path::new(".")))?;
    Ok(())
}

/// The path with something added to the file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests;
