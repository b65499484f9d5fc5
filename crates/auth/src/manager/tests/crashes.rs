//! Kills at the places where they hurt, and a store that fails at the wrong moment.

use super::{AuthError, TestClock, TokenManager, TokenServer, World, manager, stored, tokens};
use crate::testing::{Scripted, add_account};
use crate::{FailPoint, FailPoints, Fate};
use byok_store::{Secrets, Store, StoreError, StoreFuture};
use byok_types::{AccountId, AccountState, Credential, OauthTokens, ProviderId, SecretHash};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// A manager whose process is killed at `point`.
fn killed_at(point: FailPoint, world: &World) -> TokenManager {
    let die = move |reached| if reached == point { Fate::Die } else { Fate::GoOn };
    manager(&world.server, &world.store, &world.clock).with_fail_points(FailPoints(Arc::new(die)))
}

async fn expect_killed(point: FailPoint, world: &World) {
    let error = killed_at(point, world).access(&world.id).await.unwrap_err();
    assert!(matches!(error, AuthError::Interrupted { .. }), "{point:?}: {error:?}");
}

#[tokio::test]
async fn killed_before_the_request() {
    let world = World::new(-1).await;
    expect_killed(FailPoint::BeforeRequest, &world).await;
    assert_eq!(world.server.posts(), 0);
    assert_eq!(world.token().await, "access-1", "nothing was spent");
}

#[tokio::test]
async fn killed_after_the_commit() {
    let world = World::new(-1).await;
    expect_killed(FailPoint::AfterCommit, &world).await;
    assert_eq!(world.token().await, "access-1", "the tokens are there");
    assert_eq!(world.server.posts(), 1);
}

#[tokio::test]
async fn killed_before_the_commit() {
    let world = World::new(-1).await;
    expect_killed(FailPoint::BeforeCommit, &world).await;
    assert_eq!(
        stored(&world.store, &world.id).await.refresh.unwrap().expose(),
        "refresh-0",
        "the row is intact"
    );
    for _ in 0..3 {
        let error = world.access().await.unwrap_err();
        assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
    }
    assert_eq!(world.server.posts(), 2, "the spent token was tried once more");
    assert!(matches!(world.state().await, AccountState::NeedsLogin { .. }));
}

#[tokio::test]
async fn a_vendor_that_forgives_saves_the_login() {
    let world = World::new(-1).await;
    world.server.keep_refresh_token();
    expect_killed(FailPoint::BeforeCommit, &world).await;
    assert_eq!(world.token().await, "access-2", "the vendor takes the old token again");
}

#[tokio::test]
async fn killed_twice() {
    let world = World::new(-1).await;
    world.server.keep_refresh_token();
    for _ in 0..2 {
        expect_killed(FailPoint::BeforeCommit, &world).await;
    }
    let posts = world.server.posts();
    let error = world.access().await.unwrap_err();
    assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
    assert_eq!(world.server.posts(), posts, "not a third time");
}

#[tokio::test]
async fn after_a_crash_an_unclear_answer_counts_as_a_try() {
    let world = World::new(-1).await;
    expect_killed(FailPoint::BeforeCommit, &world).await;
    world.server.script(Scripted::HangUp);
    let error = world.access().await.unwrap_err();
    assert!(matches!(error, AuthError::NotNow { .. }), "{error:?}");
    let after_restart = manager(&world.server, &world.store, &world.clock);
    let error = after_restart.access(&world.id).await.unwrap_err();
    assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
    assert_eq!(world.server.posts(), 2);
}

#[tokio::test]
async fn many_unclear_answers_without_a_crash_cost_no_login() {
    let world = World::new(-1).await;
    for _ in 0..5 {
        world.server.script(Scripted::HangUp);
        let process = manager(&world.server, &world.store, &world.clock);
        let error = process.access(&world.id).await.unwrap_err();
        assert!(matches!(error, AuthError::NotNow { .. }), "{error:?}");
    }
    assert_eq!(world.token().await, "access-1");
}

#[tokio::test]
async fn a_flight_that_panics_does_not_keep_its_account_waiting() {
    let world = World::new(-1).await;
    let once = Mutex::new(true);
    let hook = move |_| {
        assert!(!std::mem::take(&mut *once.lock()), "the test's own panic");
        Fate::GoOn
    };
    let manager =
        manager(&world.server, &world.store, &world.clock).with_fail_points(FailPoints(Arc::new(hook)));
    let error = manager.access(&world.id).await.unwrap_err();
    assert!(matches!(error, AuthError::Interrupted { .. }), "{error:?}");
    assert_eq!(manager.access(&world.id).await.unwrap().token.expose(), "access-1");
}

/// Secrets of a store whose disk is full at the given moments.
struct FullDisk {
    inner: Arc<dyn Secrets>,
    fail_begin: Mutex<bool>,
    fail_commits: Mutex<u32>,
}

fn full<T>() -> Result<T, StoreError> {
    Err(StoreError::Full { path: "tokens.db".into() })
}

impl Secrets for FullDisk {
    fn load<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, Option<Credential>> {
        self.inner.load(account)
    }

    fn put<'a>(&'a self, account: &'a AccountId, credential: Credential) -> StoreFuture<'a, ()> {
        self.inner.put(account, credential)
    }

    fn begin_refresh<'a>(
        &'a self,
        account: &'a AccountId,
        token: SecretHash,
    ) -> StoreFuture<'a, byok_store::RefreshMark> {
        if *self.fail_begin.lock() {
            return Box::pin(std::future::ready(full()));
        }
        self.inner.begin_refresh(account, token)
    }

    fn sender<'a>(
        &'a self,
        provider: &'a ProviderId,
        token: SecretHash,
    ) -> StoreFuture<'a, Option<AccountId>> {
        self.inner.sender(provider, token)
    }

    fn cancel_refresh<'a>(&'a self, account: &'a AccountId, token: SecretHash) -> StoreFuture<'a, ()> {
        self.inner.cancel_refresh(account, token)
    }

    fn commit_if<'a>(
        &'a self,
        account: &'a AccountId,
        old: SecretHash,
        new: &'a OauthTokens,
    ) -> StoreFuture<'a, byok_store::CommitOutcome> {
        let mut left = self.fail_commits.lock();
        if *left > 0 {
            *left -= 1;
            return Box::pin(std::future::ready(full()));
        }
        self.inner.commit_if(account, old, new)
    }
}

async fn with_full_disk(left: i64, fail_begin: bool, fail_commits: u32) -> (World, Arc<FullDisk>) {
    let server = TokenServer::start().await;
    let mut store = Store::memory();
    let id = add_account(&store, "a", tokens(left)).await;
    let disk = Arc::new(FullDisk {
        inner: Arc::clone(&store.secrets),
        fail_begin: Mutex::new(fail_begin),
        fail_commits: Mutex::new(fail_commits),
    });
    store.secrets = Arc::clone(&disk) as _;
    let clock = TestClock::start();
    let manager = manager(&server, &store, &clock);
    (World { server, store, clock, manager, id }, disk)
}

#[tokio::test]
async fn a_store_that_cannot_be_written_stops_a_refresh_before_anything_is_spent() {
    let (world, disk) = with_full_disk(100, true, 0).await;
    assert_eq!(world.token().await, "access-0", "the old token serves to its end");
    world.clock.pass(100);
    world.access().await.unwrap_err();
    assert_eq!(world.server.posts(), 0);
    *disk.fail_begin.lock() = false;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    assert_eq!(world.token().await, "access-1");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_cannot_be_stored_are_used_and_stored_later() {
    let (world, disk) = with_full_disk(-1, false, 3).await;
    let other_process = manager(&world.server, &world.store, &world.clock);
    assert_eq!(world.token().await, "access-1");
    assert_eq!(world.token().await, "access-1", "from memory");
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-0");
    assert_eq!(
        other_process.access(&world.id).await.unwrap().token.expose(),
        "access-1",
        "the other one waits for the commit instead of using the spent token"
    );
    assert_eq!(*disk.fail_commits.lock(), 0);
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-1");
    assert_eq!(world.server.posts(), 1);
    assert_eq!(world.token().await, "access-1");
}

#[tokio::test]
async fn shutting_down_waits_for_the_commit() {
    let (world, _) = with_full_disk(-1, false, 1).await;
    world.access().await.unwrap();
    assert!(world.manager.is_unsaved(&world.id));
    world.manager.shut_down(Duration::from_secs(10)).await;
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-1");
    assert!(!world.manager.is_unsaved(&world.id));
}

#[tokio::test]
async fn what_is_lost_at_the_end_is_known() {
    let (world, _) = with_full_disk(-1, false, u32::MAX).await;
    world.access().await.unwrap();
    world.manager.shut_down(Duration::from_secs(10)).await;
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-0");
    assert!(world.manager.is_unsaved(&world.id));
}
