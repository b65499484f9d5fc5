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

    /// Whether another translation may begin.
    pub fn has_room(&self) -> bool {
        self.0.used.load(Ordering::Relaxed) < self.0.limit.load(Ordering::Relaxed)
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
    /// Says how much is held now. What has begun is never refused: who begins anew asks for room first.
    pub fn hold(&mut self, bytes: usize) {
        let bytes = if bytes < GRAIN { 0 } else { bytes };
        let used = &self.budget.0.used;
        if bytes > self.held {
            used.fetch_add(bytes - self.held, Ordering::Relaxed);
        } else if bytes < self.held {
            used.fetch_sub(self.held - bytes, Ordering::Relaxed);
        }
        self.held = bytes;
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
        a.hold(700 << 10);
        assert!(budget.has_room());
        // What runs may go beyond the limit, and keeps others from beginning.
        b.hold(700 << 10);
        assert!(!budget.has_room());
        b.hold(300 << 10);
        assert!(budget.has_room());
        a.hold(100);
        b.hold(2 << 20);
        assert!(!budget.has_room());
        drop(b);
        assert!(budget.has_room());
        budget.set_limit(0);
        assert!(!budget.has_room());
    }
}
