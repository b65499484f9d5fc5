//! What all requests share: the settings, who can serve what, the keys that open the door.

use crate::{
    access::{ClientKeys, Hosts, Throttle},
    places::Places,
    stored::{Bounds, Shelf},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use byok_auth::Desk;
use byok_config::Live;
use byok_provider::{budget::Budget, executor::Executor, pool::HealthBook, state::State};
use byok_store::{Store, StoreError};
use byok_types::{Account, AccountId, InvalidId, RequestId};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Mutex, OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

/// How often what is kept in memory is looked through.
const TIDY: Duration = Duration::from_mins(1);
/// How often another process's changes to accounts are looked for.
const LOOK: Duration = Duration::from_millis(500);

/// What an [`App`] is made of.
pub struct AppOptions {
    /// The settings, kept up to date.
    pub live: Live,
    /// Accounts, keys and records.
    pub store: Store,
    /// Makes calls.
    pub executor: Executor,
    /// Memory of all translations.
    pub budget: Budget,
    /// Address that byok listens on, with the real port.
    pub address: SocketAddr,
    /// Logins through a page, where there are any.
    pub logins: Option<Desk>,
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    live: Live,
    store: Store,
    executor: Executor,
    logins: Option<Desk>,
    budget: Budget,
    health: HealthBook,
    address: SocketAddr,
    throttle: Throttle,
    current: ArcSwap<Current>,
    /// States are built one after the other: of two changes the later one stays.
    building: Mutex<()>,
    /// The generation of the accounts that the current state was built of.
    seen: AtomicU64,
    /// Whether the last state could not be built.
    stale: AtomicBool,
    /// What has changed in the settings since before the first state was built.
    settings: watch::Receiver<u64>,
    started: Instant,
    /// What is wrong with the settings of connections to vendors.
    way_out: ArcSwapOption<String>,
    /// Places for requests that are answered at the same time.
    places: Places,
    /// Places for connections.
    connections: Places,
    /// Responses that are kept.
    shelf: Arc<Shelf>,
}

/// One state of everything that a reload changes.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) state: Arc<State>,
    pub(crate) hosts: Hosts,
    pub(crate) keys: ClientKeys,
    /// Whether a key is needed although none is configured on loopback: byok is reached from elsewhere.
    pub(crate) exposed: bool,
}

impl Current {
    fn closed(&self) -> Option<&'static str> {
        (self.exposed && self.keys.is_empty()).then_some(
            "byok is reached from other machines (`host` or `allowed_hosts`), and there is no client key: every request is \
             refused. Set `api_keys`; or restart byok, which then makes a key",
        )
    }
}

impl App {
    /// Builds the first state from settings and store.
    pub async fn new(options: AppOptions) -> Result<Self, StoreError> {
        let AppOptions { live, store, executor, budget, address, logins } = options;
        let health = HealthBook::default();
        // Before anything is read: what changes meanwhile is seen by `follow`.
        let settings = live.subscribe();
        let seen = store.accounts.generation();
        let current = build(&live, &store, &health, address).await?;
        let limits = current.state.config.limits.clone();
        let shared = Shared {
            live,
            store,
            executor,
            logins,
            budget,
            health,
            address,
            throttle: Throttle::default(),
            current: ArcSwap::from_pointee(current),
            building: Mutex::new(()),
            seen: AtomicU64::new(seen),
            stale: AtomicBool::new(false),
            settings,
            started: Instant::now(),
            way_out: ArcSwapOption::empty(),
            places: Places::new(limits.streams),
            connections: Places::new(limits.connections),
            shelf: Arc::default(),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Follows the settings and the accounts until `stop`: a new state is built as soon as one of them changes, and again
    /// if that failed.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut settings = self.0.settings.clone();
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut tidy = tokio::time::interval(TIDY);
        tidy.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut logins = self.0.logins.as_ref().map(Desk::done);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(account) = made(&mut logins) => {
                    self.renewed(&account).await;
                    continue;
                }
                changed = settings.changed() => if changed.is_err() { return },
                _ = tidy.tick() => {
                    self.tidy();
                    continue;
                }
                _ = tick.tick() => {
                    let seen = self.0.seen.load(Ordering::Relaxed);
                    let unchanged = self.0.store.accounts.generation() == seen;
                    if unchanged && !self.0.stale.load(Ordering::Relaxed) {
                        continue;
                    }
                }
            }
            self.rebuild().await;
        }
    }

    /// Builds a new state from what settings and store say now. A store that cannot be read keeps the old state, and
    /// [`App::follow`] tries again.
    pub async fn rebuild(&self) {
        let _turn = self.0.building.lock().await;
        // Before the accounts are read: what changes meanwhile is seen at the next look.
        let seen = self.0.store.accounts.generation();
        match build(&self.0.live, &self.0.store, &self.0.health, self.0.address).await {
            Ok(current) => {
                let limits = &current.state.config.limits;
                self.0.budget.set_limit(limits.translation_memory);
                self.0.places.resize(limits.streams);
                self.0.connections.resize(limits.connections);
                let current = Arc::new(current);
                self.0.current.store(current.clone());
                self.tidy();
                self.0.seen.store(seen, Ordering::Relaxed);
                self.0.stale.store(false, Ordering::Relaxed);
                // Only what holds already is said: who reads the log may act on it at once.
                for problem in &current.state.problems {
                    tracing::warn!("{problem}");
                }
                if let Some(problem) = current.closed() {
                    tracing::warn!("{problem}");
                }
            }
            Err(error) => {
                // Said once, and not at every try.
                if !self.0.stale.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "accounts could not be read; the old ones stay in use, and byok tries again");
                }
            }
        }
    }

    /// Takes an account that its owner has logged in anew or enabled into use at once: what it rested for is over. Whether it
    /// rested.
    pub(crate) async fn renewed(&self, account: &AccountId) -> bool {
        self.rebuild().await;
        let health = self.0.health.of(account);
        let rested = !health.all(Instant::now()).is_empty();
        health.forgive();
        rested
    }

    /// Forgets what is kept for later and has expired, or is more than the settings want.
    fn tidy(&self) {
        let current = self.current();
        self.0.executor.tidy(current.state.config.limits.replay_memory);
        match Bounds::of(&current) {
            Some(bounds) => self.0.shelf.expire(bounds, Instant::now()),
            None => self.0.shelf.clear(),
        }
    }

    /// The state that a request works with from its first to its last byte.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.0.current.load_full()
    }

    /// Keeps for `byok status` what is wrong with the settings of connections to vendors while those from before hold.
    pub fn note_way_out(&self, problem: Option<String>) {
        self.0.way_out.store(problem.map(Arc::new));
    }

    /// What keeps all clients out, if something does.
    pub(crate) fn closed(&self) -> Option<&'static str> {
        self.0.current.load().closed()
    }

    /// What is wrong with the settings of connections to vendors.
    pub(crate) fn way_out(&self) -> Option<Arc<String>> {
        self.0.way_out.load_full()
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// How all seats fared, and what their vendors told.
    pub(crate) fn health(&self) -> &HealthBook {
        &self.0.health
    }

    /// Logins through a page.
    pub fn logins(&self) -> Option<&Desk> {
        self.0.logins.as_ref()
    }

    /// A place among the requests that are answered at the same time; `None` if all are taken.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.0.places.try_take()
    }

    /// Places for connections.
    pub(crate) fn connections(&self) -> &Places {
        &self.0.connections
    }

    /// Responses that are kept.
    pub(crate) fn shelf(&self) -> &Arc<Shelf> {
        &self.0.shelf
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }
}

/// The next account that is logged in to through a page; `None` where there will be none any more.
async fn made(logins: &mut Option<watch::Receiver<Option<Account>>>) -> Option<AccountId> {
    let logins = logins.as_mut()?;
    logins.changed().await.ok()?;
    logins.borrow_and_update().as_ref().map(|account| account.id.clone())
}

async fn build(
    live: &Live,
    store: &Store,
    health: &HealthBook,
    address: SocketAddr,
) -> Result<Current, StoreError> {
    let config = live.load();
    let accounts = store.accounts.list(None).await?;
    let stored = store.client_keys.list().await?;
    let keys = ClientKeys::new(&config.api_keys, &stored);
    let allowed = config.allowed_hosts.iter().map(|host| host.as_str().to_owned());
    let hosts = Hosts::new(config.host.as_str(), allowed, address.port());
    let named_elsewhere = config.allowed_hosts.iter().any(|host| !host.is_loopback());
    let exposed = named_elsewhere || !address.ip().is_loopback();
    let state = Arc::new(State::build(config, accounts, health));
    Ok(Current { state, hosts, keys, exposed })
}

/// A new request id.
pub(crate) fn request_id() -> Result<RequestId, InvalidId> {
    RequestId::new(uuid::Uuid::now_v7().simple().to_string())
}

/// Now, Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|age| i64::try_from(age.as_millis()).ok())
        .unwrap_or(0)
}
