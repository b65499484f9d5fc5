//! Two stores on the same files, as two processes have them.

use crate::support::{Home, account, client_key, id, loaded, oauth, record, tokens, told};
use byok_store::{CommitOutcome, Store};
use byok_types::{AccountState, Credential};
use std::task::{Context, Waker};

fn pair(home: &Home) -> (Store, Store) {
    (home.open(), home.open())
}

#[tokio::test]
async fn a_change_by_the_other_is_seen() {
    let home = Home::new();
    let (server, cli) = pair(&home);
    let one = id("account-1");
    let before = server.accounts.generation();

    cli.accounts.insert(account(1), oauth("first")).await.unwrap();
    let inserted = server.accounts.generation();
    assert!(inserted > before);
    assert_eq!(server.accounts.list(None).await.unwrap().len(), 1);
    assert_eq!(loaded(&server, &one).await, Some(told(&oauth("first"))));

    cli.secrets.put(&one, oauth("second")).await.unwrap();
    assert!(server.accounts.generation() > inserted);
    assert_eq!(loaded(&server, &one).await, Some(told(&oauth("second"))));

    cli.client_keys.insert(client_key(1)).await.unwrap();
    server.accounts.generation();
    assert!(server.client_keys.find(&client_key(1).hash).await.unwrap().is_some());
    cli.client_keys.revoke(&client_key(1).id).await.unwrap();
    server.accounts.generation();
    let found = server.client_keys.find(&client_key(1).hash).await.unwrap().unwrap();
    assert!(found.revoked_at.is_some(), "a revoked key must not live on in the server's memory");

    cli.accounts.remove(&one).await.unwrap();
    server.accounts.generation();
    assert_eq!(loaded(&server, &one).await, None);
}

#[tokio::test]
async fn without_being_asked_for_the_generation_a_load_finds_out_by_itself() {
    let home = Home::new();
    let (server, cli) = pair(&home);
    cli.accounts.insert(account(1), oauth("first")).await.unwrap();
    assert_eq!(loaded(&server, &id("account-1")).await, Some(told(&oauth("first"))));
    cli.secrets.put(&id("account-1"), oauth("second")).await.unwrap();
    let seen = async {
        while loaded(&server, &id("account-1")).await != Some(told(&oauth("second"))) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), seen).await.unwrap();
}

#[tokio::test]
async fn generations_are_the_same_number_for_all() {
    let home = Home::new();
    let (a, b) = pair(&home);
    a.accounts.insert(account(1), oauth("x")).await.unwrap();
    b.accounts.set_state(&id("account-1"), AccountState::OFF).await.unwrap();
    assert_eq!(a.accounts.generation(), b.accounts.generation());
    assert_eq!(home.open().accounts.generation(), a.accounts.generation());
}

#[tokio::test]
async fn whoever_holds_the_lock_reads_what_the_other_committed() {
    let home = Home::new();
    let (a, b) = pair(&home);
    let one = id("account-1");
    a.accounts.insert(account(1), oauth("0")).await.unwrap();
    for round in 0..20 {
        for store in [&a, &b] {
            let _lock = store.lock_account(&one).await.unwrap();
            let Some(Credential::Oauth(stored)) = store.secrets.load(&one).await.unwrap() else { panic!() };
            let mark = store.secrets.begin_refresh(&one, stored.hash()).await.unwrap();
            assert_eq!(mark.earlier, None, "the other's refresh was finished");
            let next = tokens(&format!("{round}-{}", stored.access.expose()));
            let outcome = store.secrets.commit_if(&one, stored.hash(), &next).await.unwrap();
            assert!(matches!(outcome, CommitOutcome::Committed), "round {round}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn whoever_holds_the_lock_does_not_read_what_was_remembered() {
    let home = Home::new();
    let (a, b) = pair(&home);
    let one = id("account-1");
    a.accounts.insert(account(1), oauth("0")).await.unwrap();
    for round in 1..=20 {
        let new = oauth(&round.to_string());
        assert!(loaded(&b, &one).await.is_some(), "remembered from now on");
        a.secrets.put(&one, new.clone()).await.unwrap();
        let _lock = b.lock_account(&one).await.unwrap();
        assert_eq!(loaded(&b, &one).await, Some(told(&new)), "round {round}");
    }
}

#[tokio::test]
async fn of_commits_by_both_one_wins() {
    let home = Home::new();
    let (a, b) = pair(&home);
    a.accounts.insert(account(1), oauth("start")).await.unwrap();
    let racers: Vec<_> = (0..16)
        .map(|n| {
            let store = if n % 2 == 0 { a.clone() } else { b.clone() };
            tokio::spawn(async move {
                let new = tokens(&format!("racer-{n}"));
                store.secrets.commit_if(&id("account-1"), tokens("start").hash(), &new).await.unwrap()
            })
        })
        .collect();
    let mut committed = 0;
    for racer in racers {
        committed += usize::from(matches!(racer.await.unwrap(), CommitOutcome::Committed));
    }
    assert_eq!(committed, 1);
}

#[tokio::test]
async fn the_lock_is_held_against_the_other() {
    let home = Home::new();
    let (a, b) = pair(&home);
    let one = id("account-1");
    let held = a.lock_account(&one).await.unwrap();

    let mut given_up = b.lock_account(&one);
    assert!(given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(given_up);

    let lock_file = std::fs::read_dir(b.lock_dir().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().len() > 60)
        .unwrap();
    let probe = std::fs::File::open(lock_file).unwrap();
    assert!(matches!(probe.try_lock(), Err(std::fs::TryLockError::WouldBlock)));

    drop(held);
    let lock = b.lock_account(&one).await.unwrap();
    drop(lock);
    probe.try_lock().unwrap();
}

#[tokio::test]
async fn an_unfinished_refresh_of_a_dead_process_is_told_to_the_next() {
    let home = Home::new();
    let dead = home.open();
    dead.accounts.insert(account(1), oauth("a")).await.unwrap();
    dead.secrets.begin_refresh(&id("account-1"), tokens("a").hash()).await.unwrap();
    drop(dead);

    let next = home.open();
    let mark = next.secrets.begin_refresh(&id("account-1"), tokens("a").hash()).await.unwrap();
    assert_eq!(mark.earlier.map(|e| e.tries), Some(1));
    assert_eq!(loaded(&next, &id("account-1")).await, Some(told(&oauth("a"))), "the row is intact");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_a_store_just_ends() {
    let home = Home::new();
    let first = home.open();
    first.accounts.insert(account(1), oauth("a")).await.unwrap();
    first.records.push(record(1));
    first.records.flush().await.unwrap();
    // Neither closed nor dropped: the files are as a killed process leaves them.
    std::mem::forget(first);

    let second = home.open();
    assert_eq!(loaded(&second, &id("account-1")).await, Some(told(&oauth("a"))));
    assert_eq!(second.records.recent(9).await.unwrap(), [record(1)]);
}
