mod crashes;
mod failures;
mod follow;
mod keep_fresh;
mod processes;
mod vendors;

use super::{Access, TokenManager};
use crate::testing::{
    START, Scripted, TestClock, TokenServer, add_account, provider, stored, tokens, transport,
};
use crate::{AuthError, Refresher};
use byok_store::Store;
use byok_transport::{ProxyChoice, Transport, TransportOptions};
use byok_types::{AccountId, AccountState, Credential, CredentialKind, OauthTokens, Secret, SecretHash};
use std::{collections::HashMap, sync::Arc};
use tokio::task::JoinSet;

/// A vendor, a store and a manager, with one account `a`.
struct World {
    server: TokenServer,
    store: Store,
    clock: Arc<TestClock>,
    manager: TokenManager,
    id: AccountId,
}

impl World {
    /// `left`: seconds until the token of the account ends.
    async fn new(left: i64) -> Self {
        let server = TokenServer::start().await;
        let store = Store::memory();
        let clock = TestClock::start();
        let id = add_account(&store, "a", tokens(left)).await;
        let manager = manager(&server, &store, &clock);
        Self { server, store, clock, manager, id }
    }

    async fn access(&self) -> Result<Arc<Access>, AuthError> {
        self.manager.access(&self.id).await
    }

    async fn token(&self) -> String {
        self.access().await.unwrap().token.expose().to_owned()
    }

    async fn state(&self) -> AccountState {
        self.store.accounts.get(&self.id).await.unwrap().unwrap().state
    }
}

fn manager(server: &TokenServer, store: &Store, clock: &Arc<TestClock>) -> TokenManager {
    let claude: Arc<dyn Refresher> = Arc::new(server.claude());
    let refreshers = HashMap::from([(provider(), claude)]);
    TokenManager::new(store.clone(), transport(), refreshers, Arc::clone(clock) as _)
}

#[tokio::test]
async fn a_valid_token_is_handed_out_without_a_request() {
    let world = World::new(301).await;
    assert_eq!(world.token().await, "access-0");
    assert_eq!(world.token().await, "access-0");
    assert_eq!(world.server.posts(), 0);
}

#[tokio::test]
async fn an_api_key_never_expires() {
    let world = World::new(0).await;
    world.store.secrets.put(&world.id, Credential::ApiKey(Secret::new("sk-ant-api03-x"))).await.unwrap();
    world.clock.pass(1_000_000_000);
    let access = world.access().await.unwrap();
    assert_eq!((access.kind, access.token.expose()), (CredentialKind::ApiKey, "sk-ant-api03-x"));
    let error = world.manager.refresh_now(&world.id, access.hash).await.unwrap_err();
    assert!(matches!(error, AuthError::Refused { .. }), "{error:?}");
    assert_eq!(world.server.posts(), 0);
}

#[tokio::test]
async fn a_token_about_to_expire_is_refreshed_and_stored() {
    for left in [300, 240, 0, -5, -1_000_000] {
        let world = World::new(left).await;
        assert_eq!(world.token().await, "access-1", "{left}");
        assert_eq!(world.server.posts(), 1);
        let now = stored(&world.store, &world.id).await;
        assert_eq!(now.access.expose(), "access-1");
        assert_eq!(now.refresh.unwrap().expose(), "refresh-1");
        assert_eq!(now.expires_at, Some(START + 28_800));
        assert_eq!(world.token().await, "access-1");
        assert_eq!(world.server.posts(), 1);
    }
}

#[tokio::test]
async fn what_the_answer_leaves_out_is_kept() {
    let world = World::new(0).await;
    world.server.keep_refresh_token();
    world
        .server
        .answer_with(serde_json::json!({"organization": {"uuid": "o", "organization_type": "claude_pro"}}));
    world.access().await.unwrap();
    let now = stored(&world.store, &world.id).await;
    assert_eq!(now.refresh.unwrap().expose(), "refresh-0");
    assert_eq!(now.expires_at, Some(START + 3600));
    assert_eq!(now.scopes, ["user:profile", "user:inference"]);
    let account = world.store.accounts.get(&world.id).await.unwrap().unwrap();
    assert_eq!(account.plan.as_deref(), Some("pro"));
}

#[tokio::test]
async fn two_hundred_requests_one_refresh() {
    let world = World::new(-1).await;
    world.server.close_gate();
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let (manager, id) = (world.manager.clone(), world.id.clone());
        requests.spawn(async move { manager.access(&id).await.unwrap().token.expose().to_owned() });
    }
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    world.server.gate.add_permits(10);
    let all = requests.join_all().await;
    assert_eq!(all.len(), 200);
    assert!(all.iter().all(|token| token == "access-1"));
    assert_eq!(world.server.posts(), 1);
}

#[tokio::test]
async fn a_request_that_goes_away_does_not_stop_the_refresh() {
    let world = World::new(-1).await;
    world.server.close_gate();
    let ask = |world: &World| {
        let (manager, id) = (world.manager.clone(), world.id.clone());
        tokio::spawn(async move { manager.access(&id).await.unwrap().token.expose().to_owned() })
    };
    let leader = ask(&world);
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    let follower = ask(&world);
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    world.server.gate.add_permits(1);
    assert_eq!(follower.await.unwrap(), "access-1");
    assert_eq!(world.server.posts(), 1);
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-1");
}

#[tokio::test]
async fn accounts_do_not_wait_for_each_other() {
    let world = World::new(-1).await;
    let other = add_account(&world.store, "b", tokens(3600)).await;
    world.server.close_gate();
    let waiting = tokio::spawn({
        let (manager, id) = (world.manager.clone(), world.id.clone());
        async move { manager.access(&id).await }
    });
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.manager.access(&other).await.unwrap().token.expose(), "access-0");
    world.server.gate.add_permits(1);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn two_managers_share_the_work() {
    let world = World::new(-1).await;
    let second = manager(&world.server, &world.store, &world.clock);
    for round in 1..=50 {
        let (one, other) = tokio::join!(world.manager.access(&world.id), second.access(&world.id));
        let expected = format!("access-{round}");
        assert_eq!(one.unwrap().token.expose(), expected);
        assert_eq!(other.unwrap().token.expose(), expected);
        assert_eq!(world.server.posts(), round);
        world.clock.pass(28_800);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let world = World::new(3600).await;
    let old = world.access().await.unwrap().hash;
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let (manager, id) = (world.manager.clone(), world.id.clone());
        requests.spawn(async move { manager.refresh_now(&id, old).await.unwrap().token.expose().to_owned() });
    }
    assert!(requests.join_all().await.iter().all(|token| token == "access-1"));
    assert_eq!(world.server.posts(), 1);
    assert_eq!(world.token().await, "access-1", "the cache does not hand the refused one out again");

    let error = world.manager.refresh_now(&world.id, SecretHash::of("access-1")).await.unwrap_err();
    assert!(matches!(error, AuthError::Refused { .. }), "a token fresh from the vendor: {error:?}");
    assert_eq!(world.server.posts(), 1);
}

#[tokio::test]
async fn tokens_of_somebody_else_are_adopted() {
    let world = World::new(3600).await;
    let old = world.access().await.unwrap().hash;
    let newer = OauthTokens { access: Secret::new("by-another-process"), ..tokens(7200) };
    world.store.secrets.put(&world.id, Credential::Oauth(newer)).await.unwrap();
    assert_eq!(world.manager.refresh_now(&world.id, old).await.unwrap().token.expose(), "by-another-process");
    assert_eq!(world.server.posts(), 0);
}

#[tokio::test]
async fn changes_of_the_account_are_seen() {
    let world = World::new(3600).await;
    world.access().await.unwrap();
    world.store.accounts.set_state(&world.id, AccountState::OFF).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(1);
    let error = loop {
        match world.access().await {
            Err(error) => break error,
            Ok(_) => assert!(std::time::Instant::now() < deadline, "not seen within a second"),
        }
    };
    assert!(matches!(error, AuthError::Disabled { .. }), "{error:?}");
    world.store.accounts.remove(&world.id).await.unwrap();
    let error = world.manager.refresh_now(&world.id, SecretHash::of("access-0")).await.unwrap_err();
    assert!(matches!(error, AuthError::NoSuchAccount), "{error:?}");
}

#[tokio::test]
async fn short_lived_tokens_are_not_refreshed_with_every_request() {
    let world = World::new(-1).await;
    world.server.answer_with(serde_json::json!({"expires_in": 120}));
    for _ in 0..10 {
        assert_eq!(world.token().await, "access-1");
    }
    assert_eq!(world.server.posts(), 1);
    world.clock.pass(121);
    assert_eq!(world.token().await, "access-2");
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed() {
    let world = World::new(100).await;
    let setup = OauthTokens { refresh: None, ..tokens(100) };
    world.store.secrets.put(&world.id, Credential::Oauth(setup)).await.unwrap();
    assert_eq!(world.token().await, "access-0", "good until its end");
    world.clock.pass(100);
    let error = world.access().await.unwrap_err();
    assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
    assert!(matches!(world.state().await, AccountState::NeedsLogin { .. }));
    assert_eq!(world.server.posts(), 0);
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let world = World::new(-1).await;
    let access = world.access().await.unwrap();
    let shown = format!("{access:?} {:?}", world.manager);
    assert!(!shown.contains("access-1"), "{shown}");
}

#[tokio::test]
async fn another_way_out_holds_from_the_next_refresh_on() {
    let world = World::new(0).await;
    // Nobody listens on port 9 of this machine.
    let dead = ProxyChoice::Url("http://127.0.0.1:9".parse().unwrap());
    let dead = Transport::new(TransportOptions { proxy: dead, ..TransportOptions::default() }).unwrap();
    world.manager.set_transport(dead);
    assert!(matches!(world.access().await, Err(AuthError::NotNow { .. })));
    assert_eq!(world.server.posts(), 0);
    let other = manager(&world.server, &world.store, &world.clock);
    other.set_transport(transport());
    assert_eq!(other.access(&world.id).await.unwrap().token.expose(), "access-1");
}

#[tokio::test]
async fn a_login_server_that_does_not_answer_is_given_up_after_the_set_time() {
    let world = World::new(0).await;
    world.server.close_gate();
    let limit = std::time::Duration::from_millis(50);
    let network = crate::Network { token_timeout: Some(limit), ..crate::Network::default() };
    let claude: Arc<dyn Refresher> = Arc::new(world.server.claude_over(network));
    world.manager.set_refreshers(HashMap::from([(provider(), claude)]));
    let begun = std::time::Instant::now();
    assert!(matches!(world.access().await, Err(AuthError::NotNow { .. })));
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "not the usual 30 s");
    let (at, why) = world.manager.last_failure(&world.id).unwrap();
    assert!(at == START && !why.is_empty() && !why.contains("refresh-0"), "{at} {why}");
}

#[tokio::test]
async fn whose_login_it_is_is_learned_at_its_renewal() {
    let owner = r#"{"account":{"uuid":"p","email":"a@b.c"},"organization":{"uuid":"o"}}"#;
    let fresh = r#"{"access_token":"new","refresh_token":"newer","expires_in":3600}"#;
    let script = |world: &World, bodies: [&str; 2]| {
        for body in bodies {
            world.server.script(Scripted::Answer(200, "", body.to_owned()));
        }
    };
    let world = World::new(-1).await;
    script(&world, [fresh, owner]);
    assert_eq!(world.token().await, "new");
    let other =
        add_account(&world.store, "b", OauthTokens { refresh: Some(Secret::new("b")), ..tokens(-1) }).await;
    world.manager.shut_down(std::time::Duration::from_secs(10)).await;
    let known = world.store.accounts.get(&world.id).await.unwrap().unwrap();
    assert_eq!((known.identity.as_deref(), known.email.as_deref()), (Some("p/o"), Some("a@b.c")));

    // Of two accounts of one person the second gets no name of its own: that would hide which is which.
    script(&world, [fresh, owner]);
    world.manager.access(&other).await.unwrap();
    world.manager.shut_down(std::time::Duration::from_secs(10)).await;
    let twin = world.store.accounts.get(&other).await.unwrap().unwrap();
    assert_eq!((twin.identity, twin.email.as_deref()), (None, Some("a@b.c")));
}
