//! Which calls are open, and which the client dropped.

use byok_types::Dialect;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// A call that the client dropped before its answer was over.
#[derive(Clone, Debug)]
pub struct Cancelled {
    /// Path of the request.
    pub path: String,
    /// Dialect of the request, if the path has one.
    pub dialect: Option<Dialect>,
    /// Time from the arrival of the request to the loss.
    pub after: Duration,
    /// When the loss was noticed.
    pub at: Instant,
}

/// Open calls and losses of a simulator.
#[derive(Default)]
pub(crate) struct Watch {
    open: AtomicUsize,
    lost: AtomicU64,
    notices: Mutex<VecDeque<Cancelled>>,
    wake: Notify,
}

/// Notices that nobody fetches are dropped beyond this number, oldest first.
const MAX_NOTICES: usize = 1024;

impl Watch {
    /// Starts to watch one call.
    pub(crate) fn begin(self: &Arc<Self>, path: &str, dialect: Option<Dialect>) -> CallGuard {
        self.open.fetch_add(1, Ordering::Relaxed);
        CallGuard {
            watch: Arc::clone(self),
            path: path.to_owned(),
            dialect,
            started: Instant::now(),
            finished: false,
        }
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// The next loss that nobody has fetched yet.
    pub(crate) async fn next_loss(&self) -> Cancelled {
        loop {
            let woken = self.wake.notified();
            if let Some(notice) = self.notices.lock().pop_front() {
                return notice;
            }
            woken.await;
        }
    }
}

/// Lives as long as a call; dropped without [`CallGuard::finish`], the call was lost.
pub(crate) struct CallGuard {
    watch: Arc<Watch>,
    path: String,
    dialect: Option<Dialect>,
    started: Instant,
    finished: bool,
}

impl CallGuard {
    /// The answer is over.
    pub(crate) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.watch.open.fetch_sub(1, Ordering::Relaxed);
        if self.finished {
            return;
        }
        self.watch.lost.fetch_add(1, Ordering::Relaxed);
        let notice = Cancelled {
            path: std::mem::take(&mut self.path),
            dialect: self.dialect,
            after: self.started.elapsed(),
            at: Instant::now(),
        };
        {
            let mut notices = self.watch.notices.lock();
            if notices.len() == MAX_NOTICES {
                notices.pop_front();
            }
            notices.push_back(notice);
        }
        self.watch.wake.notify_one();
    }
}
