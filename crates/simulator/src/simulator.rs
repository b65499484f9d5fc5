//! The simulator as its users see it.

use crate::{
    google::{GoogleAccounts, GoogleClient, GoogleCounts, GoogleGrant, ServiceAccountKey},
    kiro::KiroCounts,
    log::Seen,
    oauth::{Grant, OauthCounts, TokenTrouble},
    plan::{Books, Plan, PlanCounts, PlanGrant},
    server,
    watch::Cancelled,
    world::World,
};
use byok_types::{Blame, Fault, Retry};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How a simulator runs.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Address to listen on; loopback only. Port 0 takes a free one.
    pub address: SocketAddr,
    /// Decides all ids and blobs. Simulators with the same seed accept each other's blobs.
    pub seed: u64,
    /// Fixed Unix seconds for resets and token lifetimes; `None`: the real time.
    pub now: Option<i64>,
    /// Requests kept in the log; older ones are dropped. 0 keeps none.
    pub log_capacity: usize,
    /// Pause between the deltas of a stream whose scenario names none.
    pub pace: Duration,
    /// Life of the OAuth access tokens it issues.
    pub access_lifetime: Duration,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            now: None,
            log_capacity: 4096,
            pace: Duration::ZERO,
            access_lifetime: Duration::from_hours(8),
        }
    }
}

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The address is reachable from other machines.
    #[error("the simulator listens on loopback only, not on {0}: choose an address such as 127.0.0.1:0")]
    NotLoopback(SocketAddr),
    /// The address cannot be bound.
    #[error("the simulator cannot listen on {address}: choose another port, or port 0 for a free one")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Fault for SimError {
    fn blame(&self) -> Blame {
        Blame::Byok
    }

    fn retry(&self) -> Retry {
        Retry::AfterPerson
    }
}

/// A running simulator. Dropping it closes its port and all connections.
pub struct Simulator {
    address: SocketAddr,
    world: Arc<World>,
    _stop: DropGuard,
}

impl Simulator {
    /// Binds the port and begins to serve. Needs a running tokio runtime with I/O and time.
    pub async fn start(options: SimOptions) -> Result<Self, SimError> {
        let wanted = options.address;
        if !wanted.ip().is_loopback() {
            return Err(SimError::NotLoopback(wanted));
        }
        let bind = |source| SimError::Bind { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let world = Arc::new(World::new(options));
        let stop = CancellationToken::new();
        tokio::spawn(server::accept(listener, Arc::clone(&world), stop.clone()));
        Ok(Self { address, world, _stop: stop.drop_guard() })
    }

    /// Address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end. All vendors are served below it, by path.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests in the log, oldest first. Benchmark requests are not in it.
    pub fn requests(&self) -> Vec<Seen> {
        self.world.log.all()
    }

    /// Empties the log. The count goes on.
    pub fn clear_requests(&self) {
        self.world.log.clear();
    }

    /// Number of requests since the start, benchmark requests included.
    pub fn request_count(&self) -> u64 {
        self.world.log.count()
    }

    /// Waits until at least `count` requests have arrived since the start.
    pub async fn requests_reached(&self, count: u64) {
        self.world.log.reached(count).await;
    }

    /// Calls whose answer is not over yet.
    pub fn open_calls(&self) -> usize {
        self.world.watch.open()
    }

    /// Number of calls that clients dropped before the answer was over.
    pub fn cancelled_count(&self) -> u64 {
        self.world.watch.lost()
    }

    /// Waits for the next dropped call. Each is told once, in the order in which they were noticed.
    pub async fn cancelled(&self) -> Cancelled {
        self.world.watch.next_loss().await
    }

    /// A login of a Claude subscription, as if a person had gone through the browser.
    pub fn grant(&self) -> Grant {
        self.grant_to("")
    }

    /// The same of the person with this e-mail address.
    pub fn grant_to(&self, email: &str) -> Grant {
        self.world.oauth.grant(email, self.world.now())
    }

    /// What the OAuth endpoints have counted.
    pub fn oauth_counts(&self) -> OauthCounts {
        self.world.oauth.counts()
    }

    /// The access token is answered with 401 from now on, as if it had expired.
    pub fn expire(&self, access_token: &str) {
        self.world.oauth.expire(access_token);
        self.world.google.expire(access_token);
        self.world.codex.expire(access_token);
        self.world.xai.expire(access_token);
    }

    /// A login at Google, as if a person had gone through the browser.
    pub fn google_grant(&self, client: GoogleClient) -> GoogleGrant {
        self.world.google.grant(client, self.world.now())
    }

    /// A service account of this project with a new key; `None` if the machine has no randomness.
    pub fn service_account(&self, project: &str) -> Option<ServiceAccountKey> {
        self.world.google.robot(project)
    }

    /// What Google thinks of the accounts that log in from now on.
    pub fn google_accounts(&self, accounts: GoogleAccounts) {
        self.world.google.treat(accounts);
    }

    /// What Google's login has counted.
    pub fn google_counts(&self) -> GoogleCounts {
        self.world.google.counts()
    }

    /// A login of a plan, as if this person had gone through the browser.
    pub fn plan_grant(&self, plan: Plan, email: &str) -> PlanGrant {
        self.books(plan).grant(email, self.world.now())
    }

    /// What the endpoints of a plan have counted.
    pub fn plan_counts(&self, plan: Plan) -> PlanCounts {
        self.books(plan).counts()
    }

    /// All access tokens of a plan that were issued so far are refused from now on.
    pub fn expire_plan(&self, plan: Plan) {
        self.books(plan).expire_all();
    }

    fn books(&self, plan: Plan) -> &Books {
        match plan {
            Plan::Codex => &self.world.codex,
            Plan::Xai => &self.world.xai,
        }
    }

    /// A login of Kiro with Google, as if a person had gone through the browser: access token and refresh token.
    pub fn kiro_grant(&self) -> (String, String) {
        self.world.kiro.grant()
    }

    /// What the login services of Kiro have counted.
    pub fn kiro_counts(&self) -> KiroCounts {
        self.world.kiro.counts()
    }

    /// A GitHub token for Copilot, as if a person had entered the code of a device.
    pub fn github_grant(&self) -> String {
        self.world.github.grant()
    }

    /// All access tokens of Kiro are refused from now on, as if they had expired.
    pub fn expire_kiro(&self) {
        self.world.kiro.expire_all();
    }

    /// All logins of Kiro are dead from now on.
    pub fn revoke_kiro(&self) {
        self.world.kiro.revoke_all();
    }

    /// The next token request meets this trouble; several calls queue up.
    pub fn token_trouble(&self, trouble: TokenTrouble) {
        self.world.oauth.plan(trouble);
    }
}
