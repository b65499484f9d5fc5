use crate::StoreFuture;
use byok_types::{ClientKeyId, SecretHash};
use std::fmt;

/// A key that a tool sends to byok. The key itself is stored nowhere, only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKeyRow {
    /// Opaque id.
    pub id: ClientKeyId,
    /// SHA-256 of the key. Keys of byok are 256 random bits, so that a plain hash needs no stretching.
    pub hash: SecretHash,
    /// Name for people.
    pub label: String,
    /// Who uses it.
    pub user: Option<String>,
    /// Groups whose settings apply to it.
    pub groups: Vec<String>,
    /// Models it may ask for; empty for all.
    pub models: Vec<String>,
    /// Limits on requests, tokens and spend, as JSON text.
    pub limits: Option<String>,
    /// When it stops working, Unix time in seconds.
    pub expires_at: Option<i64>,
    /// When it was made, Unix time in seconds.
    pub created_at: i64,
    /// When it was revoked, Unix time in seconds.
    pub revoked_at: Option<i64>,
    /// Whether its holder is told which account answered.
    pub debug: bool,
}

impl fmt::Debug for ClientKeyRow {
    /// Leaves out label, user and groups, which name people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeyRow")
            .field("id", &self.id)
            .field("hash", &self.hash)
            .field("expires_at", &self.expires_at)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

/// The client keys.
pub trait ClientKeys: Send + Sync {
    /// All keys, the oldest first, with the revoked and the expired ones.
    fn list(&self) -> StoreFuture<'_, Vec<ClientKeyRow>>;

    /// Stores a new key. Fails with [`StoreError::ClientKeyTaken`](crate::StoreError::ClientKeyTaken) if its id or
    /// hash is there already: a key is never changed into another.
    fn insert(&self, row: ClientKeyRow) -> StoreFuture<'_, ()>;

    /// The key with the given hash, also if it is revoked or expired, so that the caller can say so.
    ///
    /// Served from memory; a change by another process is seen within a tenth of a second.
    fn find<'a>(&'a self, hash: &'a SecretHash) -> StoreFuture<'a, Option<ClientKeyRow>>;

    /// Revokes a key from now on; one that is revoked already keeps its time. `false` if there is no such key.
    fn revoke<'a>(&'a self, id: &'a ClientKeyId) -> StoreFuture<'a, bool>;
}
