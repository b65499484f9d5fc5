//! A new state after each change, in the order of the changes, and whatever happens to the store.

use super::{Running, start_on};
use byok_auth::{SystemClock, TokenManager};
use byok_config::{Live, Sources};
use byok_provider::{budget::Budget, executor::Executor};
use byok_proxy::{App, AppOptions, ModelInfo, Status};
use byok_store::{AccountDetails, Accounts, RefreshTrouble, Store, StoreError, StoreFuture};
use byok_transport::{Transport, TransportOptions};
use byok_types::{Account, AccountId, AccountState, Credential, CredentialKind, ProviderId, Secret};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Accounts whose list can fail, or come late.
struct Moody {
    inner: Arc<dyn Accounts>,
    fails: AtomicBool,
    /// The next list waits for `go`.
    late: AtomicBool,
    read: Notify,
    go: Notify,
    failed: AtomicUsize,
}

impl Accounts for Moody {
    fn list<'a>(&'a self, provider: Option<&'a ProviderId>) -> StoreFuture<'a, Vec<Account>> {
        Box::pin(async move {
            if self.fails.load(Ordering::SeqCst) {
                self.failed.fetch_add(1, Ordering::SeqCst);
                return Err(StoreError::Closed);
            }
            let list = self.inner.list(provider).await;
            if self.late.swap(false, Ordering::SeqCst) {
                self.read.notify_one();
                self.go.notified().await;
            }
            list
        })
    }

    fn get<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, Option<Account>> {
        self.inner.get(id)
    }

    fn find_identity<'a>(
        &'a self,
        provider: &'a ProviderId,
        who: &'a str,
        kind: CredentialKind,
    ) -> StoreFuture<'a, Option<Account>> {
        self.inner.find_identity(provider, who, kind)
    }

    fn insert(&self, account: Account, credential: Credential) -> StoreFuture<'_, ()> {
        self.inner.insert(account, credential)
    }

    fn set_state<'a>(&'a self, id: &'a AccountId, state: AccountState) -> StoreFuture<'a, ()> {
        self.inner.set_state(id, state)
    }

    fn set_details<'a>(&'a self, id: &'a AccountId, details: AccountDetails) -> StoreFuture<'a, ()> {
        self.inner.set_details(id, details)
    }

    fn set_claims<'a>(&'a self, id: &'a AccountId, claims: Vec<String>) -> StoreFuture<'a, ()> {
        self.inner.set_claims(id, claims)
    }

    fn rename<'a>(&'a self, id: &'a AccountId, label: &'a str) -> StoreFuture<'a, ()> {
        self.inner.rename(id, label)
    }

    fn remove<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, bool> {
        self.inner.remove(id)
    }

    fn note_trouble<'a>(&'a self, id: &'a AccountId, what: &'a str) -> StoreFuture<'a, ()> {
        self.inner.note_trouble(id, what)
    }

    fn troubles(&self) -> StoreFuture<'_, Vec<RefreshTrouble>> {
        self.inner.troubles()
    }

    fn generation(&self) -> u64 {
        self.inner.generation()
    }
}

async fn moody() -> (Running, Arc<Moody>) {
    let mut store = Store::memory();
    let moody = Arc::new(Moody {
        inner: store.accounts.clone(),
        fails: AtomicBool::new(false),
        late: AtomicBool::new(false),
        read: Notify::new(),
        go: Notify::new(),
        failed: AtomicUsize::new(0),
    });
    store.accounts = moody.clone();
    (start_on(store, "", "", TransportOptions::default()).await, moody)
}

/// A key of Claude in the store.
async fn insert(running: &Running) {
    let account = Account {
        id: AccountId::new("late").unwrap(),
        provider: ProviderId::new("claude").unwrap(),
        label: "late".to_owned(),
        kind: CredentialKind::ApiKey,
        email: None,
        plan: None,
        identity: None,
        state: AccountState::Ready,
        created_at: 1,
        expires_at: None,
        claims: Vec::new(),
        updated_at: 1,
    };
    let key = Credential::ApiKey(Secret::new("sk-ant-api03-0123456789"));
    running.store.accounts.insert(account, key).await.unwrap();
}

/// Whether requests can be served by the account.
async fn is_seen(running: &Running) -> bool {
    let status = Status::of(&running.app).await;
    let claude = status.providers.iter().find(|provider| provider.name == "claude").unwrap();
    claude.accounts.iter().any(|account| account.label == "late")
}

#[tokio::test]
async fn a_state_that_could_not_be_built_is_built_later() {
    let (running, moody) = moody().await;
    moody.fails.store(true, Ordering::SeqCst);
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    let app = running.app.clone();
    tokio::spawn(async move { app.follow(stop).await });
    insert(&running).await;
    let retried = async {
        while moody.failed.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        moody.fails.store(false, Ordering::SeqCst);
        while !is_seen(&running).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), retried).await.unwrap();
}

#[tokio::test]
async fn of_two_changes_the_later_one_stays() {
    let (running, moody) = moody().await;
    moody.late.store(true, Ordering::SeqCst);
    let first = tokio::spawn({
        let app = running.app.clone();
        async move { app.rebuild().await }
    });
    // The first has read the accounts and is late with them.
    moody.read.notified().await;
    insert(&running).await;
    let second = tokio::spawn({
        let app = running.app.clone();
        async move { app.rebuild().await }
    });
    tokio::task::yield_now().await;
    moody.go.notify_one();
    first.await.unwrap();
    second.await.unwrap();
    assert!(is_seen(&running).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_before_the_settings_are_followed_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    let settings = |alias: &str| {
        let text = format!(
            "providers: {{ claude: {{ api_key: sk-ant-api03-0123456789abcdef }} }}\naliases: {{ {alias}: claude/x }}\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    settings("early");
    let env = vec![("HOME".to_owned(), directory.path().display().to_string())];
    let sources = Sources { file: Some(file.clone()), file_required: true, env, ..Sources::default() };
    let live = Live::watch(sources).unwrap();
    let (store, budget, stop) = (Store::memory(), Budget::new(1 << 20), CancellationToken::new());
    let _guard = stop.clone().drop_guard();
    let transport = Transport::new(TransportOptions::default()).unwrap();
    let tokens = TokenManager::new(store.clone(), transport.clone(), HashMap::new(), Arc::new(SystemClock));
    let executor = Executor::new(transport, tokens, store.clone(), budget.clone(), stop.clone());
    let address = "127.0.0.1:9".parse().unwrap();
    let options = AppOptions { live: live.clone(), store, executor, budget, address, logins: None };
    let app = App::new(options).await.unwrap();
    settings("late");
    live.reload_now();
    let follower = app.clone();
    tokio::spawn(async move { follower.follow(stop).await });
    let seen = async {
        while !ModelInfo::of(&app).iter().any(|model| model.id == "late") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap();
}
