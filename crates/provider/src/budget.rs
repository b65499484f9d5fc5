//! The memory that all translations together may hold.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A number of bytes that is shared by all requests.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    used: AtomicUsize,
    limit: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { used: AtomicUsize::new(0), limit: AtomicUsize::new(limit) }))
    }

    /// Changes the limit; what is held stays.
    pub fn set_limit(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// A share of nothing yet.
    pub fn share(&self) -> Share {
        Share { budget: self.clone(), held: 0 }
    }
}

/// What one request holds of a budget. Given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    held: usize,
}

/// Small amounts are not counted: the counter is shared by all threads.
const GRAIN: usize = 64 << 10;

impl Share {
    /// Says how much is held now. `false` if the budget has no room for it; then nothing changes.
    #[must_use]
    pub fn hold(&mut self, bytes: usize) -> bool {
        let bytes = if bytes < GRAIN { 0 } else { bytes };
        let inner = &self.budget.0;
        if bytes > self.held {
            let more = bytes - self.held;
            let before = inner.used.fetch_add(more, Ordering::Relaxed);
            if before.saturating_add(more) > inner.limit.load(Ordering::Relaxed) {
                inner.used.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else {
            inner.used.fetch_sub(self.held - bytes, Ordering::Relaxed);
        }
        self.held = bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_and_given_back() {
        let budget = Budget::new(1 << 20);
        let (mut a, mut b) = (budget.share(), budget.share());
        assert!(a.hold(700 << 10));
        assert!(!b.hold(700 << 10));
        assert!(b.hold(300 << 10));
        assert!(a.hold(100));
        assert!(b.hold(900 << 10));
        drop(b);
        assert!(a.hold(1 << 20));
        assert!(!a.hold((1 << 20) + 1));
    }
}
