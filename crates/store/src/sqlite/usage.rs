//! The request records: a bounded queue, and one thread that writes it out in batches.

mod file;
mod rows;

use super::database::Readers;
use crate::{Records, StoreError, StoreFuture, records, sqlite::Sqlite};
use byok_types::RequestRecord;
use file::{UsageFile, UsageLocks};
use parking_lot::{Condvar, Mutex};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// How many records may wait to be written.
const QUEUE: usize = 8192;

/// How many records one transaction writes.
const BATCH: usize = 100;

/// How many old records are forgotten at once: new ones must not wait long for that.
const FORGET: usize = 1000;

/// How long a record may wait for others to be written with.
const BATCH_WAIT: Duration = Duration::from_millis(250);

pub(super) struct Recorder {
    shared: Arc<Shared>,
    readers: Arc<Readers>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Queue {
    records: VecDeque<RequestRecord>,
    /// How many records were ever taken into the queue, and of how many the end is known.
    pushed: u64,
    settled: u64,
    flushes: Vec<Flush>,
    forgets: VecDeque<Forget>,
    closing: bool,
}

/// Somebody who waits until the given number of records is settled.
struct Flush {
    until: u64,
    /// Whether the write-ahead log is to be emptied too.
    tidy: bool,
    done: oneshot::Sender<()>,
}

/// Somebody who wants old records forgotten.
struct Forget {
    before: i64,
    count: usize,
    done: oneshot::Sender<usize>,
}

impl Recorder {
    /// Opens the file and starts the thread. The caller holds the lock file `opening`.
    pub(super) fn start(path: &Path, lock_dir: &Path, opening: PathBuf) -> Result<Self, StoreError> {
        let readers = Arc::new(Readers::new(path));
        let shared = Arc::new(Shared::default());
        let locks = UsageLocks { opening, in_use: lock_dir.join("usage.lock") };
        let file = UsageFile::open(path, locks, Arc::clone(&readers))?;
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("byok-usage".to_owned())
            .spawn(move || work(&theirs, file))
            .map_err(StoreError::io("start a thread for", path))?;
        Ok(Self { shared, readers })
    }

    fn push(&self, record: RequestRecord) -> bool {
        let mut queue = self.shared.queue.lock();
        if queue.records.len() >= QUEUE {
            drop(queue);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        queue.records.push_back(record);
        queue.pushed += 1;
        // In between, the thread is either writing or waiting for the batch to fill.
        if queue.records.len() == 1 || queue.records.len() == BATCH {
            self.shared.wake.notify_one();
        }
        true
    }

    /// Waits until all records pushed so far are settled.
    pub(super) async fn flush(&self, tidy: bool) -> Result<(), StoreError> {
        let (done, settled) = oneshot::channel();
        {
            let mut queue = self.shared.queue.lock();
            let until = queue.pushed;
            queue.flushes.push(Flush { until, tidy, done });
            self.shared.wake.notify_one();
        }
        settled.await.map_err(|_| StoreError::Closed)
    }

    async fn forget_before(&self, before: i64) -> Result<usize, StoreError> {
        let (done, forgotten) = oneshot::channel();
        {
            let mut queue = self.shared.queue.lock();
            queue.forgets.push_back(Forget { before, count: 0, done });
            self.shared.wake.notify_one();
        }
        forgotten.await.map_err(|_| StoreError::Closed)
    }
}

impl Drop for Recorder {
    /// The thread writes out what is queued and ends.
    fn drop(&mut self) {
        self.shared.queue.lock().closing = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    /// Waits until a batch is worth writing, or somebody wants to be told that there is none; `None` at the end.
    fn next_batch(&self) -> Option<Vec<RequestRecord>> {
        let mut queue = self.queue.lock();
        while queue.records.is_empty() && queue.flushes.is_empty() {
            if queue.closing {
                return None;
            }
            if !queue.forgets.is_empty() {
                return Some(Vec::new());
            }
            self.wake.wait(&mut queue);
        }
        while queue.records.len() < BATCH
            && !queue.closing
            && queue.flushes.is_empty()
            && queue.forgets.is_empty()
        {
            if self.wake.wait_for(&mut queue, BATCH_WAIT).timed_out() {
                break;
            }
        }
        let count = queue.records.len().min(BATCH);
        Some(queue.records.drain(..count).collect())
    }

    /// Counts records as settled and gives back those who have waited for them.
    fn settle(&self, count: usize) -> Vec<Flush> {
        let mut queue = self.queue.lock();
        queue.settled += count as u64;
        let settled = queue.settled;
        queue.flushes.extract_if(.., |flush| flush.until <= settled).collect()
    }

    fn next_forget(&self) -> Option<Forget> {
        self.queue.lock().forgets.pop_front()
    }

    fn forget_more(&self, forget: Forget) {
        self.queue.lock().forgets.push_front(forget);
    }
}

/// The thread that writes.
fn work(shared: &Shared, mut file: UsageFile) {
    while let Some(batch) = shared.next_batch() {
        let written = catch_unwind(AssertUnwindSafe(|| file.write(&batch))).unwrap_or(false);
        if !written {
            shared.dropped.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        let flushed = shared.settle(batch.len());
        if flushed.iter().any(|flush| flush.tidy) {
            file.tidy();
        }
        for flush in flushed {
            // Whoever has stopped waiting does not need to know.
            let _ = flush.done.send(());
        }
        if let Some(mut forget) = shared.next_forget() {
            let forgotten =
                catch_unwind(AssertUnwindSafe(|| file.forget(forget.before, FORGET))).unwrap_or(0);
            forget.count += forgotten;
            if forgotten == FORGET {
                shared.forget_more(forget);
            } else {
                let _ = forget.done.send(forget.count);
            }
        }
    }
}

impl Records for Sqlite {
    fn push(&self, mut record: RequestRecord) -> bool {
        records::trim(&mut record);
        self.usage.push(record)
    }

    fn flush(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.usage.flush(/* tidy */ false))
    }

    fn forget_before(&self, at_ms: i64) -> StoreFuture<'_, usize> {
        Box::pin(self.usage.forget_before(at_ms))
    }

    fn dropped(&self) -> u64 {
        self.usage.shared.dropped.load(Ordering::Relaxed)
    }

    fn recent(&self, limit: usize) -> StoreFuture<'_, Vec<RequestRecord>> {
        Box::pin(async move {
            let readers = Arc::clone(&self.usage.readers);
            let read = tokio::task::spawn_blocking(move || {
                readers.read(|transaction| rows::recent(transaction, limit))
            });
            read.await.map_err(|_| StoreError::Closed)?
        })
    }
}

#[cfg(test)]
mod tests;
