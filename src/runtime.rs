//! Wires the crates into a running server, and takes it down again. `serve` and `demo` differ only in what they put in.

use crate::{
    ending::Ending,
    logging::Level,
    logins,
    network::{self, WayOut},
    retention, terminal,
    trouble::{Exit, Trouble},
};
use byok_auth::{KeepFresh, SystemClock, TokenManager};
use byok_config::{Config, Live};
use byok_provider::{budget::Budget, executor::Executor};
use byok_proxy::{App, AppOptions, Server, serve_control};
use byok_store::Store;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long running answers have to say that they end.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a refresh of a login that is under way may take to end.
const LAST_REFRESH: Duration = Duration::from_secs(10);
/// Connections that carry nothing are gone sooner than this; a wait that is longer is worth a word.
const AT_ONCE: Duration = Duration::from_millis(500);
/// Shells, `timeout` and package runners pass a signal on that the terminal has sent to the whole group already.
const ECHO: Duration = Duration::from_millis(250);

/// What a server is made of.
pub(crate) struct Plan {
    /// The settings.
    pub(crate) live: Live,
    /// Accounts, keys and records.
    pub(crate) store: Store,
    /// The socket for clients.
    pub(crate) server: Server,
    /// Where the control socket goes; without one, no other process can ask this server.
    pub(crate) control: Option<PathBuf>,
    /// The level of the log, which follows the settings.
    pub(crate) level: Level,
}

/// A running server.
pub(crate) struct Running {
    app: App,
    address: SocketAddr,
    live: Live,
    store: Store,
    tokens: TokenManager,
    /// Nothing new is begun.
    stop: CancellationToken,
    /// Running answers end.
    stopping: CancellationToken,
    /// Connections.
    tasks: TaskTracker,
    signals: Signals,
}

impl Running {
    /// Starts to serve. Nobody is contacted before the first request.
    pub(crate) async fn start(plan: Plan) -> Result<Self, Trouble> {
        let Plan { live, store, server, control, level } = plan;
        let signals = Signals::listen()?;
        // In this order: a change that comes between the two is seen as one.
        let changes = live.subscribe();
        let config = live.load();
        let (stop, stopping) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();

        let transport = network::transport(&config)?;
        let way = WayOut::of(&config);
        let refreshers = logins::refreshers(&config);
        let tokens = TokenManager::new(store.clone(), transport.clone(), refreshers, Arc::new(SystemClock));
        let budget = Budget::new(config.limits.translation_memory);
        let executor =
            Executor::new(transport, tokens.clone(), store.clone(), budget.clone(), stopping.clone());
        let address = server.address();
        let desk = logins::desk(live.clone(), store.clone());
        let options = AppOptions {
            live: live.clone(),
            store: store.clone(),
            executor: executor.clone(),
            budget,
            address,
            logins: Some(desk),
        };
        let app = App::new(options).await?;

        if let Some(path) = control {
            serve_control(path, app.clone(), stop.clone(), tasks.clone()).await?;
        }
        tokens.keep_fresh(KeepFresh::default());
        let follower =
            Follower { live: live.clone(), tokens: tokens.clone(), executor, app: app.clone(), level, way };
        tokio::spawn(follower.follow(changes, stop.clone()));
        let (follower, follow_until) = (app.clone(), stop.clone());
        tokio::spawn(async move { follower.follow(follow_until).await });
        tokio::spawn(retention::keep(live.clone(), store.clone(), stop.clone()));
        tokio::spawn(server.run(app.clone(), stop.clone(), tasks.clone()));
        Ok(Self { app, address, live, store, tokens, stop, stopping, tasks, signals })
    }

    /// Where it listens, with the real port.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the requests see.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// Serves until a signal asks to stop (SIGTERM, SIGINT), then lets running requests end. A second signal ends it at
    /// once. SIGHUP reads the settings again.
    pub(crate) async fn until_stopped(mut self) -> Result<(), Trouble> {
        while self.signals.next().await == Asked::Reload {
            self.live.reload_now();
            self.app.rebuild().await;
        }
        let asked = Instant::now();
        let Self { live, store, tokens, stop, stopping, tasks, mut signals, .. } = self;
        let _ending = store.location().and_then(Ending::begin);
        stop.cancel();
        tasks.close();
        let grace = live.load().timeouts.shutdown_grace;
        let orderly = async {
            drain(&tasks, grace, &stopping).await;
            tokens.shut_down(LAST_REFRESH).await;
            store.close().await;
        };
        tokio::select! {
            () = orderly => Ok(()),
            () = signals.stop_again(asked) => {
                // Records of finished requests are worth a tenth of a second even now.
                let _ = tokio::time::timeout(Duration::from_millis(100), store.close()).await;
                Err(Trouble::new(Exit::Failure, "stopped at once, without waiting for running requests"))
            }
        }
    }
}

/// Waits for the connections, then ends their answers.
async fn drain(tasks: &TaskTracker, grace: Duration, stopping: &CancellationToken) {
    let quiet = grace.min(AT_ONCE);
    if tokio::time::timeout(quiet, tasks.wait()).await.is_ok() {
        return;
    }
    let rest = grace.saturating_sub(quiet);
    if !rest.is_zero() {
        let what = if tasks.len() == 1 {
            "a connection is".to_owned()
        } else {
            format!("{} connections are", tasks.len())
        };
        let most = grace.as_secs();
        terminal::say(format_args!(
            "{what} still in use: byok stops when they end, after {most} s at the latest; a second signal stops it at once"
        ));
        if tokio::time::timeout(rest, tasks.wait()).await.is_ok() {
            return;
        }
    }
    stopping.cancel();
    if tokio::time::timeout(LAST_WORDS, tasks.wait()).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "clients that do not take the end of their answers are left behind"
        );
    }
}

/// Takes over what a change of the settings means for the parts that do not look at them by themselves.
struct Follower {
    live: Live,
    tokens: TokenManager,
    executor: Executor,
    app: App,
    level: Level,
    way: WayOut,
}

impl Follower {
    async fn follow(mut self, mut changes: watch::Receiver<u64>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                seen = changes.changed() => if seen.is_err() { return },
            }
            let config = self.live.load();
            self.tokens.set_refreshers(logins::refreshers(&config));
            self.level.set(&config.log.level);
            self.take_way_out(config).await;
        }
    }

    /// Proxy, certificates and times of connections, for requests and logins alike.
    async fn take_way_out(&mut self, config: Arc<Config>) {
        let problem = match self.way.changed(config).await {
            None => None,
            Some(Ok(transport)) => {
                self.tokens.set_transport(transport.clone());
                self.executor.set_transport(transport);
                tracing::info!("connections are made by the new settings from now on");
                None
            }
            Some(Err(error)) => {
                let text = format!("{error}; connections are made by the settings from before");
                Some(text)
            }
        };
        self.app.note_way_out(problem.clone());
        // Said last: who reads it in the log finds it in the status as well.
        if let Some(text) = problem {
            tracing::error!("{text}");
        }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

/// The signals that byok understands.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Trouble> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Trouble::new(Exit::Failure, "byok cannot listen for signals").because(&error)
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Waits for a stop that is not an echo of the first one.
    async fn stop_again(&mut self, first: Instant) {
        while self.next().await == Asked::Reload || first.elapsed() < ECHO {}
    }
}
