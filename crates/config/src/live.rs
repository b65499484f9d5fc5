//! The configuration of a running server: always a good one, replaced as a whole.

mod watch;

use crate::{Config, ConfigError, Loaded, OverlayChange, Sources, load, load::load_with, set_overlay};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Whether the configuration in use is the one that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Fresh,
    /// What is written now cannot be used; the last good configuration stays.
    Stale {
        /// The whole text for the person: every place, what is wrong and what to do.
        error: String,
        /// Since when.
        since: SystemTime,
    },
}

/// The configuration of a running server. Clones share it.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: ArcSwap<Config>,
    state: Mutex<State>,
    /// Taken for the length of a reload, so that two of them do not overtake each other.
    reloading: Mutex<()>,
    /// Rises with every change of the configuration or of its status.
    generation: tokio::sync::watch::Sender<u64>,
    sources: Option<Sources>,
    watcher: Mutex<Option<watch::Guard>>,
}

#[derive(Debug)]
struct State {
    status: Status,
    loaded: Option<Arc<Loaded>>,
    restart_required: Vec<&'static str>,
    files: Vec<PathBuf>,
}

/// How the watcher waits.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// Quiet time after a change before the files are read.
    quiet: Duration,
    /// The longest that changes without a pause put off reading.
    patience: Duration,
    /// How often the files are looked at without being told of a change: some network and container file systems
    /// never tell, and a directory may be replaced.
    poll: Duration,
}

impl Timing {
    const USUAL: Self = Self {
        quiet: Duration::from_millis(500),
        patience: Duration::from_secs(5),
        poll: Duration::from_secs(5),
    };
}

impl Live {
    /// A configuration that never changes, for tests and demonstrations.
    pub fn fixed(config: Config) -> Self {
        Self(Arc::new(Shared::new(config, None, None)))
    }

    /// Reads the configuration, then follows every change of its files. The first reading must succeed.
    pub fn watch(sources: Sources) -> Result<Self, ConfigError> {
        Self::watch_with(sources, Timing::USUAL)
    }

    fn watch_with(sources: Sources, timing: Timing) -> Result<Self, ConfigError> {
        let loaded = load(&sources)?;
        let files = loaded.files.clone();
        let shared = Shared::new(loaded.config.clone(), Some(loaded), Some(sources));
        let live = Self(Arc::new(shared));
        let guard = watch::start(Arc::downgrade(&live.0), &files, timing)?;
        *live.0.watcher.lock() = Some(guard);
        // What changed between reading and watching.
        live.reload_now();
        Ok(live)
    }

    /// The configuration as it is now. A request keeps what it got until it ends.
    pub fn load(&self) -> Arc<Config> {
        self.0.config.load_full()
    }

    /// What was read last and found right: origins and warnings beside the configuration. `None` for a fixed one.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.0.state.lock().loaded.clone()
    }

    /// Whether the configuration in use is the one that is written.
    pub fn status(&self) -> Status {
        self.0.state.lock().status.clone()
    }

    /// Settings that are written differently now and that need a restart; until then their old values hold.
    pub fn restart_required(&self) -> Vec<&'static str> {
        self.0.state.lock().restart_required.clone()
    }

    /// A number that rises with every change of the configuration, its status or the settings that need a restart.
    pub fn subscribe(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.generation.subscribe()
    }

    /// Writes a setting into the overlay, as [`set_overlay`] does, and reads the files again.
    pub fn set_overlay(
        &self,
        key_path: &str,
        value: Option<serde_json::Value>,
    ) -> Result<OverlayChange, ConfigError> {
        let sources = self.0.sources.as_ref().ok_or(ConfigError::NoOverlay)?;
        let change = set_overlay(sources, key_path, value)?;
        self.reload_now();
        Ok(change)
    }

    /// Reads the files again at once: for a signal, the control socket, and after byok wrote the overlay. Returns the
    /// status after it.
    pub fn reload_now(&self) -> Status {
        self.0.reload();
        self.status()
    }
}

impl Shared {
    fn new(config: Config, loaded: Option<Loaded>, sources: Option<Sources>) -> Self {
        let files = loaded.as_ref().map(|loaded| loaded.files.clone()).unwrap_or_default();
        let loaded = loaded.map(Arc::new);
        Self {
            config: ArcSwap::from_pointee(config),
            state: Mutex::new(State { status: Status::Fresh, loaded, restart_required: Vec::new(), files }),
            reloading: Mutex::new(()),
            generation: tokio::sync::watch::Sender::new(0),
            sources,
            watcher: Mutex::new(None),
        }
    }

    fn reload(&self) {
        let Some(sources) = &self.sources else { return };
        let _one_at_a_time = self.reloading.lock();
        let before = self.state.lock().loaded.clone();
        let mut files = Vec::new();
        let result = load_with(sources, None, &mut files).and_then(|loaded| match &before {
            Some(before) => still_there(before, loaded),
            None => Ok(loaded),
        });
        let changed = match result {
            Ok(loaded) => self.accept(loaded, before.as_deref()),
            Err(error) => self.refuse(&error, files),
        };
        if changed {
            self.generation.send_modify(|generation| *generation += 1);
        }
    }

    fn accept(&self, mut loaded: Loaded, before: Option<&Loaded>) -> bool {
        let same = before.is_some_and(|before| before.hash == loaded.hash);
        let mut state = self.state.lock();
        let was_stale = std::mem::replace(&mut state.status, Status::Fresh) != Status::Fresh;
        if was_stale {
            tracing::info!("the configuration is in order again");
        }
        state.files.clone_from(&loaded.files);
        if same {
            return was_stale;
        }
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        state.restart_required = keep_running_values(&mut loaded.config, &self.config.load());
        for setting in &state.restart_required {
            tracing::warn!("`{setting}` was changed: restart byok for the new value");
        }
        self.config.store(Arc::new(loaded.config.clone()));
        state.loaded = Some(Arc::new(loaded));
        tracing::info!("the configuration was read again");
        true
    }

    fn refuse(&self, error: &ConfigError, files: Vec<PathBuf>) -> bool {
        let text = error.to_string();
        let mut state = self.state.lock();
        // What was read may mend it, and so may what was not reached this time.
        let more: Vec<_> = files.into_iter().filter(|file| !state.files.contains(file)).collect();
        state.files.extend(more);
        let since = match &state.status {
            Status::Stale { error, .. } if *error == text => return false,
            Status::Stale { since, .. } => *since,
            Status::Fresh => SystemTime::now(),
        };
        tracing::error!("the changed configuration cannot be used, the one before stays:\n{text}");
        state.status = Status::Stale { error: text, since };
        true
    }
}

/// Refuses a configuration whose file has gone or been emptied since the one before: that is an accident or half of a
/// change, and its defaults would open doors that the settings had closed.
fn still_there(before: &Loaded, now: Loaded) -> Result<Loaded, ConfigError> {
    match (&before.file, &now.file) {
        (Some((path, _)), None) => Err(ConfigError::Gone { path: path.clone() }),
        (Some((_, false)), Some((path, true))) => Err(ConfigError::Emptied { path: path.clone() }),
        _ => Ok(now),
    }
}

/// Puts the running values of settings that are only read at the start into a new configuration, and says which were
/// written differently.
fn keep_running_values(new: &mut Config, running: &Config) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if new.port != running.port {
        new.port = running.port;
        changed.push("port");
    }
    if new.host != running.host {
        new.host.clone_from(&running.host);
        changed.push("host");
    }
    if new.log.format != running.log.format {
        new.log.format = running.log.format;
        changed.push("log.format");
    }
    if new.database != running.database {
        new.database.clone_from(&running.database);
        changed.push("database");
    }
    changed
}

#[cfg(test)]
mod tests;
