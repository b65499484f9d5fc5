//! The file of accounts, secrets and client keys: one thread that writes, connections that read beside it, and one
//! that watches for changes.

use super::{
    connection,
    problem::{Outcome, Problem},
};
use crate::StoreError;
use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How many writes may wait. More callers wait for their turn to wait.
const QUEUED_WRITES: usize = 256;

/// How many idle connections are kept for readers.
const IDLE_READERS: usize = 4;

/// How old the knowledge of other processes' changes may be.
const CHECK_EVERY: Duration = Duration::from_millis(100);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

pub(super) struct Database {
    path: PathBuf,
    jobs: mpsc::Sender<Job>,
    readers: Arc<Readers>,
    watch: Mutex<Watch>,
    /// The newest generation that anything of this process has seen.
    generation: Arc<AtomicU64>,
    opened: Instant,
    /// When other processes' changes are looked for again, in milliseconds after `opened`.
    next_check_ms: AtomicU64,
}

struct Watch {
    connection: Connection,
    /// `SQLite`'s count of the commits of all other connections.
    version: Option<i64>,
}

impl Database {
    /// Takes over a connection that is set up, to a schema that is up to date.
    pub(super) fn start(path: &Path, writer: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(QUEUED_WRITES);
        let watch = Watch { connection: connection::watcher(path).map_err(|p| p.at(path))?, version: None };
        std::thread::Builder::new()
            .name("byok-store".to_owned())
            .spawn(move || work(writer, queue))
            .map_err(StoreError::io("start a thread for", path))?;
        Ok(Self {
            path: path.to_owned(),
            jobs,
            readers: Arc::new(Readers::new(path)),
            watch: Mutex::new(watch),
            generation: Arc::default(),
            opened: Instant::now(),
            next_check_ms: AtomicU64::new(0),
        })
    }

    /// Does the work in one transaction, on the disk when this returns. The generation grows if a row has changed.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let generation = Arc::clone(&self.generation);
        self.on_writer(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = transaction.total_changes();
            let value = work(&transaction)?;
            let changed = transaction.total_changes() != before;
            if changed {
                transaction.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'", [])?;
            }
            let now = read_generation(&transaction)?;
            transaction.commit()?;
            generation.fetch_max(now, Ordering::AcqRel);
            Ok(value)
        })
        .await
    }

    /// Like [`change`](Self::change) for what nobody else needs to notice.
    pub(super) async fn change_quietly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.on_writer(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }

    /// Reads from one snapshot, and says which generation it shows.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<(T, u64), StoreError> {
        let readers = Arc::clone(&self.readers);
        let read = tokio::task::spawn_blocking(move || {
            readers.read(|transaction| Ok((look(transaction)?, read_generation(transaction)?)))
        });
        let (value, generation) = read.await.map_err(|_| StoreError::Closed)??;
        self.generation.fetch_max(generation, Ordering::AcqRel);
        Ok((value, generation))
    }

    /// Moves the write-ahead log into the database and empties it, as far as readers allow.
    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        self.on_writer(|connection| checkpoint(connection)).await
    }

    /// Runs on the connection that writes, outside of a transaction.
    pub(super) async fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(reply.send(work(connection))));
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?.map_err(|problem| problem.at(&self.path))
    }

    /// The generation now, changes of all processes included. Takes microseconds and never waits for a lock of
    /// another process: if the file cannot be looked at, the last answer is given.
    pub(super) fn generation(&self) -> u64 {
        let mut watch = self.watch.lock();
        let watch = &mut *watch;
        let version: Option<i64> =
            watch.connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
        if version.is_some()
            && version != watch.version
            && let Ok(generation) = read_generation(&watch.connection)
        {
            watch.version = version;
            self.generation.fetch_max(generation, Ordering::AcqRel);
        }
        self.generation.load(Ordering::Acquire)
    }

    /// The generation as known a tenth of a second ago or later: mostly one atomic read.
    pub(super) fn recent_generation(&self) -> u64 {
        let as_ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = as_ms(self.opened.elapsed());
        let due = self.next_check_ms.load(Ordering::Relaxed);
        let next = now.saturating_add(as_ms(CHECK_EVERY));
        let claim =
            || self.next_check_ms.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now >= due && claim() { self.generation() } else { self.generation.load(Ordering::Acquire) }
    }
}

/// The thread that writes.
fn work(mut connection: Connection, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        // A transaction that unwinds is rolled back; the caller finds its answer missing.
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a write to the store panicked");
        }
    }
}

pub(super) fn checkpoint(connection: &Connection) -> Outcome<()> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

fn read_generation(connection: &Connection) -> Outcome<u64> {
    let generation: i64 = connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'generation'")?
        .query_row([], |row| row.get(0))?;
    u64::try_from(generation).map_err(|_| Problem::Row)
}

/// Connections that read from one file.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::default() }
    }

    /// Reads from one snapshot. Blocks the thread.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Transaction<'_>) -> Outcome<T>) -> Result<T, StoreError> {
        let read = || {
            let idle = self.idle.lock().pop();
            let mut connection = idle.map_or_else(|| connection::reader(&self.path), Ok)?;
            let value = look(&connection.transaction()?)?;
            let mut idle = self.idle.lock();
            if idle.len() < IDLE_READERS {
                idle.push(connection);
            }
            Ok(value)
        };
        read().map_err(|problem: Problem| problem.at(&self.path))
    }

    /// Forgets the idle connections, because the file was replaced.
    pub(super) fn clear(&self) {
        self.idle.lock().clear();
    }
}
