//! Where byok keeps accounts, sealed secrets, client keys and request records.
//!
//! Owns: the traits [`Accounts`], [`Secrets`], [`Records`] and [`ClientKeys`], the two backends behind them (`SQLite`
//! files and memory), the sealing of secrets, and the lock that lets one process at a time refresh an account.
//! Must not know: vendors, HTTP, the configuration file, or why an account is used. Entry point: [`Store`].
//!
//! Invariants, each held by a test of this crate:
//! - No SQL, no connection and no type of a database library appears in a public signature; one suite of tests runs
//!   on every backend.
//! - An account and its secret are written in one transaction: either both are there or neither.
//! - A failure never deletes or overwrites a secret, and a damaged `tokens.db` is never recreated empty.
//! - Losing `usage.db` loses no login, and nothing that goes wrong with it fails a request.
//! - Secrets lie on the disk only sealed, client keys only as hashes.
//! - Recording a request never waits.
//!
//! Several processes may use the same files at the same time.
#![forbid(unsafe_code)]

mod accounts;
mod client_keys;
mod error;
mod lock;
mod memory;
mod records;
mod seal;
mod secrets;
mod sqlite;
mod store;

pub use accounts::{AccountDetails, Accounts, RefreshTrouble};
pub use client_keys::{ClientKeyRow, ClientKeys};
pub use error::{DatabaseError, StoreError};
pub use lock::AccountLock;
pub use records::Records;
pub use secrets::{CommitOutcome, EarlierRefresh, RefreshMark, Secrets};
pub use store::{Store, StoreFuture, StoreOptions};
