//! Looks after the files of a configuration, in a thread of its own.
//!
//! Directories are watched, not files: editors and config maps replace a file by renaming another one over it. Of the
//! events only those about our files count, because the directory also holds busy databases.

use super::{Shared, Timing};
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::Metadata,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Weak,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Instant, SystemTime},
};

enum Message {
    Event(notify::Result<Event>),
    Stop,
}

/// Ends the thread when it is dropped.
#[derive(Debug)]
pub(super) struct Guard(Sender<Message>);

impl Drop for Guard {
    fn drop(&mut self) {
        // The thread may have ended by itself.
        let _ = self.0.send(Message::Stop);
    }
}

/// Starts watching.
pub(super) fn start(shared: Weak<Shared>, files: &[PathBuf], timing: Timing) -> notify::Result<Guard> {
    let (sender, messages) = channel();
    let events = sender.clone();
    let notifier = notify::recommended_watcher(move |event| {
        let _ = events.send(Message::Event(event));
    })?;
    let mut watched = Watched { notifier, directories: BTreeSet::new(), names: BTreeSet::new() };
    watched.follow(files);
    let stamps = stamps(files);
    let task = Task { shared, messages, timing, watched, files: files.to_vec(), stamps };
    std::thread::Builder::new()
        .name("config-watch".to_owned())
        .spawn(move || task.run())
        .map_err(notify::Error::io)?;
    Ok(Guard(sender))
}

struct Task {
    shared: Weak<Shared>,
    messages: Receiver<Message>,
    timing: Timing,
    watched: Watched,
    files: Vec<PathBuf>,
    stamps: Vec<Option<Stamp>>,
}

enum Next {
    Read,
    Look,
    Stop,
}

impl Task {
    fn run(mut self) {
        loop {
            match self.wait() {
                Next::Stop => return,
                Next::Look if stamps(&self.files) == self.stamps => continue,
                Next::Look | Next::Read => {}
            }
            let Some(shared) = self.shared.upgrade() else { return };
            // A panic in a parser must not end the watching; the configuration in use is untouched by it.
            if catch_unwind(AssertUnwindSafe(|| shared.reload())).is_err() {
                tracing::error!("reading the changed configuration failed inside byok; the one before stays");
            }
            self.files.clone_from(&shared.state.lock().files);
            self.watched.follow(&self.files);
            self.stamps = stamps(&self.files);
        }
    }

    /// Waits for a change of our files and for the quiet after it, or until it is time to look.
    fn wait(&self) -> Next {
        let look_at = Instant::now() + self.timing.poll;
        loop {
            match self.messages.recv_timeout(look_at.saturating_duration_since(Instant::now())) {
                Ok(Message::Event(event)) if self.watched.concerns(&event) => break,
                Ok(Message::Event(_)) => {}
                Err(RecvTimeoutError::Timeout) => return Next::Look,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Next::Stop,
            }
        }
        let last = Instant::now() + self.timing.patience;
        let mut quiet = Instant::now() + self.timing.quiet;
        loop {
            match self.messages.recv_timeout(quiet.min(last).saturating_duration_since(Instant::now())) {
                Ok(Message::Event(event)) if self.watched.concerns(&event) => {
                    quiet = Instant::now() + self.timing.quiet;
                }
                Ok(Message::Event(_)) => {}
                Err(RecvTimeoutError::Timeout) => return Next::Read,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Next::Stop,
            }
        }
    }
}

struct Watched {
    notifier: RecommendedWatcher,
    directories: BTreeSet<PathBuf>,
    names: BTreeSet<OsString>,
}

impl Watched {
    /// Watches the directories of the files, also those that links lead to. A directory that does not exist, or cannot be
    /// watched, is left to the regular look.
    fn follow(&mut self, files: &[PathBuf]) {
        let mut wanted = BTreeSet::new();
        self.names.clear();
        for file in files {
            let real = std::fs::canonicalize(file).ok();
            for path in [Some(file), real.as_ref()].into_iter().flatten() {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                wanted.insert(parent.unwrap_or(Path::new(".")).to_path_buf());
                self.names.extend(path.file_name().map(OsString::from));
            }
        }
        for gone in self.directories.difference(&wanted) {
            // It may not exist any more.
            let _ = self.notifier.unwatch(gone);
        }
        // Watching again is how a directory that was replaced is found.
        self.directories = wanted
            .into_iter()
            .filter(|directory| self.notifier.watch(directory, RecursiveMode::NonRecursive).is_ok())
            .collect();
    }

    fn concerns(&self, event: &notify::Result<Event>) -> bool {
        let Ok(event) = event else { return true };
        let changes = match event.kind {
            EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
            EventKind::Any
            | EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Remove(_)
            | EventKind::Other => true,
        };
        let ours = |path: &PathBuf| match path.file_name() {
            // A mounted config map is a link to `..data`, and a change swaps that link.
            Some(name) => self.names.contains(name) || name.as_encoded_bytes().starts_with(b".."),
            None => true,
        };
        event.need_rescan()
            || (changes
                && (event.paths.iter().any(ours)
                    || event.paths.iter().any(|path| self.directories.contains(path))))
    }
}

/// What tells two states of a file apart without reading it.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    identity: u64,
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |metadata: Metadata| Stamp {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        identity: identity(&metadata),
    };
    files.iter().map(|file| std::fs::metadata(file).ok().map(stamp)).collect()
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.ino()
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> u64 {
    0
}
