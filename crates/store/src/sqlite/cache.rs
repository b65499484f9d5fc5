//! What was read, kept until anybody changes anything.

use parking_lot::Mutex;
use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Values of one generation of the database.
pub(super) struct Cache<K, V>(Mutex<Generation<K, V>>);

struct Generation<K, V> {
    number: u64,
    values: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Generation { number: 0, values: HashMap::new() }))
    }

    /// The value, if it was read from the given generation.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, generation: u64) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let cached = self.0.lock();
        if cached.number == generation { cached.values.get(key).cloned() } else { None }
    }

    /// Keeps values that were read from the given generation and forgets those of older ones. Values that are older
    /// than what is here are not taken: a slow reader must not bring back what was changed meanwhile.
    pub(super) fn put(&self, generation: u64, values: impl IntoIterator<Item = (K, V)>) {
        let mut cached = self.0.lock();
        if generation < cached.number {
            return;
        }
        if generation > cached.number {
            cached.number = generation;
            cached.values.clear();
        }
        cached.values.extend(values);
    }
}

#[cfg(test)]
mod tests;
