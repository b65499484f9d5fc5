//! Refreshes before anybody asks.

use super::{World, stored};
use crate::KeepFresh;
use crate::testing::{Scripted, add_account, tokens};
use byok_types::{AccountState, OauthTokens, Secret};
use std::time::Duration;

/// Refreshes at once and one after the other, so that a test can count.
const EAGER: KeepFresh = KeepFresh { interval: MOMENT, concurrent: 1, look: MOMENT, spread: Duration::ZERO };
const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn only_what_is_due_is_refreshed() {
    let world = World::new(299).await;
    let fresh = add_account(&world.store, "fresh", tokens(3600)).await;
    let off = add_account(&world.store, "off", tokens(0)).await;
    world.store.accounts.set_state(&off, AccountState::OFF).await.unwrap();
    let setup = add_account(&world.store, "setup", OauthTokens { refresh: None, ..tokens(200) }).await;

    world.manager.0.refresh_due(EAGER).await;
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-1");
    for id in [&fresh, &off, &setup] {
        assert_eq!(stored(&world.store, id).await.access.expose(), "access-0");
    }
    assert_eq!(world.server.posts(), 1);
    world.manager.0.refresh_due(EAGER).await;
    assert_eq!(world.server.posts(), 1);
    assert_eq!(world.store.accounts.get(&setup).await.unwrap().unwrap().state, AccountState::Ready);
}

#[tokio::test]
async fn a_failing_account_is_left_alone_for_a_while() {
    let world = World::new(0).await;
    world.server.script(Scripted::Answer(503, "", String::new()));
    world.manager.0.refresh_due(EAGER).await;
    world.manager.0.refresh_due(EAGER).await;
    assert_eq!(world.server.posts(), 1);
}

#[tokio::test]
async fn few_at_once_however_many_are_due() {
    let world = World::new(3600).await;
    for number in 0..20 {
        let tokens = OauthTokens { refresh: Some(Secret::new(format!("r{number}"))), ..tokens(0) };
        add_account(&world.store, &format!("account{number}"), tokens).await;
    }
    world.server.close_gate();
    let running = tokio::spawn({
        let shared = std::sync::Arc::clone(&world.manager.0);
        async move { shared.refresh_due(KeepFresh { concurrent: 4, ..EAGER }).await }
    });
    while world.server.posts() < 4 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.server.posts(), 4);
    world.server.gate.add_permits(100);
    running.await.unwrap();
    assert_eq!(world.server.posts(), 20);
}

#[tokio::test]
async fn the_task_runs_until_the_end() {
    let world = World::new(0).await;
    world.manager.keep_fresh(EAGER);
    while world.server.posts() == 0 {
        tokio::task::yield_now().await;
    }
    world.manager.shut_down(Duration::from_secs(10)).await;
    assert_eq!(stored(&world.store, &world.id).await.access.expose(), "access-1");
}
