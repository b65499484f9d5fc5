//! What fails, and that nothing is lost by it.

use super::{AuthError, World, stored};
use crate::RefreshError;
use crate::testing::{Scripted, tokens};
use byok_types::{AccountState, Credential, Fault as _, OauthTokens, Retry, Secret};
use std::time::Duration;

#[tokio::test]
async fn a_dead_grant_is_asked_about_once() {
    let world = World::new(-1).await;
    world.server.script(Scripted::Answer(400, "", r#"{"error":"invalid_grant"}"#.into()));
    for _ in 0..3 {
        let error = world.access().await.unwrap_err();
        assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
        assert!(error.to_string().contains("byok login claude"), "{error}");
        assert_eq!(error.retry(), Retry::AfterPerson);
    }
    assert_eq!(world.server.posts(), 1);
    assert!(matches!(world.state().await, AccountState::NeedsLogin { .. }));
    assert_eq!(
        stored(&world.store, &world.id).await.refresh.unwrap().expose(),
        "refresh-0",
        "nothing is deleted"
    );
}

#[tokio::test]
async fn a_new_login_brings_a_dead_account_back() {
    let world = World::new(-1).await;
    world.server.script(Scripted::Answer(400, "", r#"{"error":"invalid_grant"}"#.into()));
    world.access().await.unwrap_err();
    let mut account = world.store.accounts.get(&world.id).await.unwrap().unwrap();
    account.state = AccountState::Ready;
    let new = OauthTokens { access: Secret::new("after-login"), ..tokens(3600) };
    world.store.accounts.insert(account, Credential::Oauth(new)).await.unwrap();
    assert_eq!(world.token().await, "after-login");
}

#[tokio::test]
async fn a_login_during_a_failing_refresh_wins() {
    let world = World::new(-1).await;
    world.server.script(Scripted::Answer(400, "", r#"{"error":"invalid_grant"}"#.into()));
    world.server.close_gate();
    let waiting = tokio::spawn({
        let (manager, id) = (world.manager.clone(), world.id.clone());
        async move { manager.access(&id).await }
    });
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    let new = OauthTokens {
        access: Secret::new("after-login"),
        refresh: Some(Secret::new("other-grant")),
        ..tokens(3600)
    };
    world.store.secrets.put(&world.id, Credential::Oauth(new)).await.unwrap();
    world.server.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().unwrap().token.expose(), "after-login");
    assert_eq!(world.state().await, AccountState::Ready);
}

#[tokio::test]
async fn a_login_during_a_refresh_is_not_overwritten() {
    let world = World::new(-1).await;
    world.server.close_gate();
    let waiting = tokio::spawn({
        let (manager, id) = (world.manager.clone(), world.id.clone());
        async move { manager.access(&id).await }
    });
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    let new = OauthTokens {
        access: Secret::new("after-login"),
        refresh: Some(Secret::new("other-grant")),
        ..tokens(3600)
    };
    world.store.secrets.put(&world.id, Credential::Oauth(new)).await.unwrap();
    world.server.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().unwrap().token.expose(), "after-login");
    assert_eq!(stored(&world.store, &world.id).await.refresh.unwrap().expose(), "other-grant");
}

#[tokio::test]
async fn an_account_on_hold_is_blocked() {
    let world = World::new(100).await;
    world.server.script(Scripted::Answer(
        403,
        "",
        r#"{"error":"access_denied","error_description":"account_on_hold"}"#.into(),
    ));
    let error = world.access().await.unwrap_err();
    assert!(matches!(error, AuthError::Blocked { .. }), "{error:?}");
    assert!(matches!(world.state().await, AccountState::Blocked { .. }));
    // The owner has appealed and switches the account on again: the tokens are still there.
    world.store.accounts.set_state(&world.id, AccountState::Ready).await.unwrap();
    assert_eq!(world.token().await, "access-1");
}

#[tokio::test]
async fn while_the_vendor_is_down_the_old_token_serves_to_its_end() {
    for trouble in [
        Scripted::Answer(503, "", String::new()),
        Scripted::Answer(429, "retry-after: 60", String::new()),
        Scripted::Answer(400, "", r#"{"error":"invalid_client"}"#.into()),
        Scripted::HangUp,
    ] {
        let world = World::new(100).await;
        world.server.script(trouble);
        for _ in 0..5 {
            assert_eq!(world.token().await, "access-0");
        }
        assert_eq!(world.server.posts(), 1, "the failure is waited out");
        world.clock.pass(100);
        let error = world.access().await.unwrap_err();
        assert!(matches!(error, AuthError::NotNow { .. }), "{error:?}");
        assert!(matches!(error.retry(), Retry::After(wait) if wait > Duration::ZERO), "{error:?}");
        assert_eq!(world.state().await, AccountState::Ready);
        assert_eq!(stored(&world.store, &world.id).await.refresh.unwrap().expose(), "refresh-0");
    }
}

#[tokio::test]
async fn waits_grow_and_obey_the_vendor() {
    let world = World::new(-1).await;
    let busy =
        |asked: Option<u64>| std::sync::Arc::new(RefreshError::busy("x", asked.map(Duration::from_secs)));
    let shared = &world.manager.0;
    for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let wait = shared.note_failure(&world.id, &busy(None)).as_secs_f64();
        let expected = f64::from(expected);
        assert!((expected * 0.75..=expected * 1.25).contains(&wait), "{wait} is not about {expected}");
    }
    assert_eq!(shared.note_failure(&world.id, &busy(Some(290))), Duration::from_secs(290));
    assert!(shared.waiting(&world.id, &crate::testing::provider()).is_some());
}

#[tokio::test(start_paused = true)]
async fn after_the_wait_it_is_tried_again() {
    let world = World::new(-1).await;
    world.server.script(Scripted::Answer(429, "retry-after: 30", String::new()));
    let AuthError::NotNow { retry_after, .. } = world.access().await.unwrap_err() else { panic!() };
    assert_eq!(retry_after.as_secs(), 30);
    tokio::time::advance(Duration::from_secs(29)).await;
    world.access().await.unwrap_err();
    assert_eq!(world.server.posts(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(world.token().await, "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_slow_vendor_does_not_hold_up_a_request_with_a_valid_token() {
    let world = World::new(100).await;
    world.server.close_gate();
    let before = tokio::time::Instant::now();
    assert_eq!(world.token().await, "access-0");
    assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_lost_answer_is_found_out_at_the_next_try() {
    let world = World::new(-1).await;
    world.server.script(Scripted::RotateAndHangUp);
    let error = world.access().await.unwrap_err();
    assert!(matches!(error, AuthError::NotNow { .. }), "{error:?}");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    let error = world.access().await.unwrap_err();
    assert!(
        matches!(error, AuthError::NeedsLogin { .. }),
        "the vendor knows the old token no more: {error:?}"
    );
    assert_eq!(world.server.posts(), 2);
}

#[tokio::test]
async fn a_provider_without_refresh() {
    let world = World::new(-1).await;
    world.manager.set_refreshers(std::collections::HashMap::new());
    let error = world.access().await.unwrap_err();
    assert!(matches!(error, AuthError::NoRefresher { .. }), "{error:?}");
    assert_eq!(world.state().await, AccountState::Ready);
}

#[tokio::test]
async fn errors_show_no_token() {
    let echo = r#"{"error":"invalid_grant","error_description":"Refresh token refresh-0 is not known"}"#;
    let world = World::new(-1).await;
    world.server.script(Scripted::Answer(400, "", echo.into()));
    let error = world.access().await.unwrap_err();
    let shown = format!("{error} {error:?} {:?}", world.state().await);
    assert!(!shown.contains("refresh-0"), "{shown}");
}

#[tokio::test]
async fn all_who_wait_share_one_failure() {
    let world = World::new(-1).await;
    world.server.script(Scripted::Answer(503, "", String::new()));
    world.server.close_gate();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (manager, id) = (world.manager.clone(), world.id.clone());
        requests.spawn(async move { manager.access(&id).await.unwrap_err() });
    }
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    world.server.gate.add_permits(50);
    for error in requests.join_all().await {
        assert!(matches!(error, AuthError::NotNow { .. }), "{error:?}");
    }
    assert_eq!(world.server.posts(), 1);
}

#[tokio::test]
async fn a_dead_token_is_remembered_when_the_store_cannot_note_it() {
    let world = World::new(-1).await;
    let dead = AuthError::NeedsLogin { provider: crate::testing::provider(), reason: "x".into() };
    world.manager.0.note_dead(&world.id, tokens(0).hash(), dead);
    for _ in 0..2 {
        let error = world.access().await.unwrap_err();
        assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
    }
    assert_eq!(world.server.posts(), 0);
    let new = OauthTokens { refresh: Some(Secret::new("another")), ..tokens(3600) };
    world.store.secrets.put(&world.id, Credential::Oauth(new)).await.unwrap();
    world.access().await.unwrap();
}
