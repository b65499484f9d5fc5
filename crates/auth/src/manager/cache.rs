use super::Access;
use byok_store::Store;
use byok_types::AccountId;
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How old the knowledge may be that nothing has changed in the store.
const STALE_AFTER: Duration = Duration::from_millis(100);

/// What was last read from the store. One change anywhere in the store empties it.
pub(super) struct Cache {
    entries: RwLock<HashMap<AccountId, Arc<Access>>>,
    generation: AtomicU64,
    /// Milliseconds after `started` at which the generation was last compared.
    compared: AtomicU64,
    started: Instant,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            generation: AtomicU64::new(0),
            // Long ago: the first look compares.
            compared: AtomicU64::new(0),
            started: Instant::now().checked_sub(STALE_AFTER).unwrap_or_else(Instant::now),
        }
    }
}

impl Cache {
    pub(super) fn get(&self, account: &AccountId, store: &Store) -> Option<Arc<Access>> {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if u128::from(now.saturating_sub(self.compared.load(Ordering::Relaxed))) >= STALE_AFTER.as_millis() {
            self.compared.store(now, Ordering::Relaxed);
            self.generation(store);
        }
        self.entries.read().get(account).cloned()
    }

    /// The store's generation now. Forgets everything if it is not that of the entries.
    pub(super) fn generation(&self, store: &Store) -> u64 {
        let generation = store.accounts.generation();
        if self.generation.load(Ordering::Acquire) != generation {
            let mut entries = self.entries.write();
            self.generation.store(generation, Ordering::Release);
            entries.clear();
        }
        generation
    }

    /// Forgets an account whose tokens have just changed, and that nothing has changed since.
    pub(super) fn forget(&self, account: &AccountId, store: &Store) {
        self.generation(store);
        self.entries.write().remove(account);
    }

    /// Keeps what was read while the store had the given generation, unless it has another one by now.
    pub(super) fn put(&self, account: &AccountId, access: &Arc<Access>, generation: u64) {
        let mut entries = self.entries.write();
        if self.generation.load(Ordering::Acquire) == generation {
            entries.insert(account.clone(), Arc::clone(access));
        }
    }
}
