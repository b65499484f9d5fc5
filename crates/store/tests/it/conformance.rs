//! What every backend must do. A new backend adds one module at the end.

use crate::support::{account, bare_record, client_key, id, loaded, oauth, provider, record, tokens, told};
use byok_store::{AccountDetails, CommitOutcome, RefreshMark, Store, StoreError};
use byok_types::{
    Account, AccountState, ClientKeyId, Credential, CredentialKind, Dialect, Outcome, Secret, SecretHash,
};
use std::{
    sync::Arc,
    task::{Context, Waker},
};

async fn insert_gives_back_what_was_stored(store: Store) {
    let full = Account {
        email: Some("ada@example.org".to_owned()),
        plan: Some("max".to_owned()),
        claims: vec!["a".to_owned(), "b \"quoted\"".to_owned()],
        expires_at: Some(1_900_000_000),
        label: "it's; DROP TABLE accounts --\u{0}\u{1F511}".to_owned(),
        ..account(1)
    };
    store.accounts.insert(full.clone(), oauth("1")).await.unwrap();
    assert_eq!(store.accounts.get(&full.id).await.unwrap(), Some(full.clone()));
    assert_eq!(store.accounts.list(None).await.unwrap(), [full]);
    assert_eq!(loaded(&store, &id("account-1")).await, Some(told(&oauth("1"))));
    assert_eq!(store.accounts.get(&id("other")).await.unwrap(), None);
    assert_eq!(loaded(&store, &id("other")).await, None);
}

async fn every_state_is_kept(store: Store) {
    let reason = "ask, then run `byok login`".to_owned();
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    for state in [
        AccountState::NeedsLogin { reason: reason.clone() },
        AccountState::OFF,
        AccountState::Disabled { reason: Some("its service ended".to_owned()) },
        AccountState::Blocked { reason },
        AccountState::Ready,
    ] {
        store.accounts.set_state(&id("account-1"), state.clone()).await.unwrap();
        let now = store.accounts.get(&id("account-1")).await.unwrap().unwrap();
        assert_eq!(now.state, state);
        assert!(now.updated_at > 1, "a change moves the time of the last change");
    }
}

async fn insert_takes_kind_and_expiry_from_the_credential(store: Store) {
    let wrong = Account { kind: CredentialKind::Oauth, expires_at: Some(5), ..account(1) };
    store.accounts.insert(wrong, Credential::ApiKey(Secret::new("sk-1"))).await.unwrap();
    let stored = store.accounts.get(&id("account-1")).await.unwrap().unwrap();
    assert_eq!((stored.kind, stored.expires_at), (CredentialKind::ApiKey, None));

    store.secrets.put(&id("account-1"), oauth("2")).await.unwrap();
    let stored = store.accounts.get(&id("account-1")).await.unwrap().unwrap();
    assert_eq!((stored.kind, stored.expires_at), (CredentialKind::Oauth, Some(1_900_000_000)));
    assert_eq!(loaded(&store, &id("account-1")).await, Some(told(&oauth("2"))));
}

async fn insert_with_the_same_id_replaces_all(store: Store) {
    store.accounts.insert(account(1), oauth("old")).await.unwrap();
    let again = Account {
        label: "renamed".to_owned(),
        provider: provider("codex"),
        kind: CredentialKind::ApiKey,
        ..account(1)
    };
    store.accounts.insert(again.clone(), Credential::ApiKey(Secret::new("sk-new"))).await.unwrap();
    assert_eq!(store.accounts.list(None).await.unwrap(), [again]);
    assert_eq!(loaded(&store, &id("account-1")).await.as_deref(), Some("key sk-new"));
}

async fn list_is_ordered_and_filtered(store: Store) {
    for (n, name) in [(3, "claude"), (1, "codex"), (2, "claude")] {
        let one = Account { provider: provider(name), ..account(n) };
        store.accounts.insert(one, oauth("x")).await.unwrap();
    }
    let ids = |list: Vec<Account>| list.into_iter().map(|a| a.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(store.accounts.list(None).await.unwrap()), ["account-2", "account-3", "account-1"]);
    let claude = store.accounts.list(Some(&provider("claude"))).await.unwrap();
    assert_eq!(ids(claude), ["account-2", "account-3"]);
    assert_eq!(ids(store.accounts.list(Some(&provider("kiro"))).await.unwrap()), [""; 0]);
}

async fn identity_finds_the_oldest_of_the_provider(store: Store) {
    for n in [2, 1] {
        let one = Account { identity: Some("same".to_owned()), ..account(n) };
        store.accounts.insert(one, oauth("x")).await.unwrap();
    }
    let found = |name: &'static str, identity: &'static str, kind| {
        let store = store.clone();
        async move {
            let found = store.accounts.find_identity(&provider(name), identity, kind).await.unwrap();
            found.map(|a| a.id.to_string())
        }
    };
    assert_eq!(found("claude", "same", CredentialKind::Oauth).await.as_deref(), Some("account-1"));
    assert_eq!(found("claude", "same", CredentialKind::ApiKey).await, None, "a key is another account");
    assert_eq!(found("codex", "same", CredentialKind::Oauth).await, None);
    assert_eq!(found("claude", "other", CredentialKind::Oauth).await, None);
}

async fn labels_are_unique_within_a_provider(store: Store) {
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    store.accounts.insert(account(2), oauth("2")).await.unwrap();
    let twin = Account { label: "label 1".to_owned(), ..account(3) };
    let refused = store.accounts.insert(twin.clone(), oauth("3")).await;
    assert!(matches!(refused, Err(StoreError::LabelTaken)), "{refused:?}");
    assert_eq!(loaded(&store, &id("account-3")).await, None, "no secret without its account");
    let refused = store.accounts.rename(&id("account-2"), "label 1").await;
    assert!(matches!(refused, Err(StoreError::LabelTaken)), "{refused:?}");

    store.accounts.insert(Account { provider: provider("codex"), ..twin }, oauth("3")).await.unwrap();
    store.accounts.rename(&id("account-1"), "label 1").await.unwrap();
    store.accounts.rename(&id("account-1"), "work").await.unwrap();
    assert_eq!(store.accounts.get(&id("account-1")).await.unwrap().unwrap().label, "work");
}

async fn details_keep_what_is_not_said(store: Store) {
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    let first = AccountDetails {
        email: Some("ada@example.org".to_owned()),
        plan: Some("pro".to_owned()),
        identity: None,
    };
    store.accounts.set_details(&id("account-1"), first).await.unwrap();
    let second = AccountDetails {
        plan: Some("max".to_owned()),
        identity: Some("new".to_owned()),
        ..AccountDetails::default()
    };
    store.accounts.set_details(&id("account-1"), second).await.unwrap();
    let stored = store.accounts.get(&id("account-1")).await.unwrap().unwrap();
    assert_eq!(stored.email.as_deref(), Some("ada@example.org"));
    assert_eq!(stored.plan.as_deref(), Some("max"));
    assert_eq!(stored.identity.as_deref(), Some("new"));
}

async fn claims_are_replaced(store: Store) {
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    for claims in [vec!["one".to_owned(), "two".to_owned()], Vec::new()] {
        store.accounts.set_claims(&id("account-1"), claims.clone()).await.unwrap();
        assert_eq!(store.accounts.get(&id("account-1")).await.unwrap().unwrap().claims, claims);
    }
}

async fn changing_an_absent_account_is_an_error(store: Store) {
    let nobody = id("nobody");
    let results = [
        store.accounts.set_state(&nobody, AccountState::OFF).await,
        store.accounts.set_details(&nobody, AccountDetails::default()).await,
        store.accounts.set_claims(&nobody, Vec::new()).await,
        store.accounts.rename(&nobody, "x").await,
        store.secrets.put(&nobody, oauth("x")).await,
        store.secrets.begin_refresh(&nobody, tokens("x").hash()).await.map(|_| ()),
    ];
    for (n, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(StoreError::NoSuchAccount)), "case {n}: {result:?}");
    }
    assert!(!store.accounts.remove(&nobody).await.unwrap());
    store.secrets.cancel_refresh(&nobody, tokens("x").hash()).await.unwrap();
    let committed = store.secrets.commit_if(&nobody, tokens("x").hash(), &tokens("y")).await.unwrap();
    assert!(matches!(committed, CommitOutcome::Gone));
}

async fn remove_takes_the_secret_along(store: Store) {
    for n in [1, 2] {
        store.accounts.insert(account(n), oauth("x")).await.unwrap();
    }
    assert!(store.accounts.remove(&id("account-1")).await.unwrap());
    assert!(!store.accounts.remove(&id("account-1")).await.unwrap());
    assert_eq!(store.accounts.list(None).await.unwrap(), [account_as_stored(2)]);
    assert_eq!(loaded(&store, &id("account-1")).await, None);
    assert_eq!(loaded(&store, &id("account-2")).await, Some(told(&oauth("x"))));
}

fn account_as_stored(n: i64) -> Account {
    Account { expires_at: Some(1_900_000_000), ..account(n) }
}

async fn every_change_moves_the_generation(store: Store) {
    let mut last = store.accounts.generation();
    let mut moved = |what: &str| {
        let now = store.accounts.generation();
        assert!(now > last, "{what} must be seen");
        last = now;
    };
    let one = id("account-1");
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    moved("insert");
    store.accounts.set_state(&one, AccountState::OFF).await.unwrap();
    moved("set_state");
    store
        .accounts
        .set_details(&one, AccountDetails { plan: Some("max".to_owned()), ..Default::default() })
        .await
        .unwrap();
    moved("set_details");
    store.accounts.set_claims(&one, vec!["x".to_owned()]).await.unwrap();
    moved("set_claims");
    store.accounts.rename(&one, "new").await.unwrap();
    moved("rename");
    store.secrets.put(&one, oauth("2")).await.unwrap();
    moved("put");
    store.secrets.commit_if(&one, tokens("2").hash(), &tokens("3")).await.unwrap();
    moved("commit_if");
    store.client_keys.insert(client_key(1)).await.unwrap();
    moved("a new client key");
    store.client_keys.revoke(&client_key(1).id).await.unwrap();
    moved("revoke");
    store.accounts.remove(&one).await.unwrap();
    moved("remove");

    store.accounts.insert(account(2), oauth("4")).await.unwrap();
    moved("insert");
    store.accounts.list(None).await.unwrap();
    store.secrets.load(&id("account-2")).await.unwrap();
    store.secrets.begin_refresh(&id("account-2"), tokens("4").hash()).await.unwrap();
    store.records.push(record(1));
    store.records.flush().await.unwrap();
    assert_eq!(store.accounts.generation(), last, "reading, refreshing and recording are no changes");
}

async fn commit_wins_only_over_the_token_it_started_from(store: Store) {
    let one = id("account-1");
    store.accounts.insert(account(1), oauth("a")).await.unwrap();
    let mut next = tokens("b");
    next.expires_at = Some(1_999_999_999);
    let outcome = store.secrets.commit_if(&one, tokens("a").hash(), &next).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed), "{outcome:?}");
    assert_eq!(store.accounts.get(&one).await.unwrap().unwrap().expires_at, Some(1_999_999_999));

    let outcome = store.secrets.commit_if(&one, tokens("a").hash(), &tokens("late")).await.unwrap();
    let CommitOutcome::Changed(current) = outcome else { panic!("{outcome:?}") };
    assert_eq!(told(&Credential::Oauth(current)), told(&Credential::Oauth(next.clone())));
    assert_eq!(loaded(&store, &one).await, Some(told(&Credential::Oauth(next))));

    store.secrets.put(&one, Credential::ApiKey(Secret::new("sk"))).await.unwrap();
    let outcome = store.secrets.commit_if(&one, SecretHash::of("sk"), &tokens("c")).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Gone), "{outcome:?}");
    assert_eq!(loaded(&store, &one).await.as_deref(), Some("key sk"));
}

async fn of_many_commits_from_one_token_one_wins(store: Store) {
    let one = id("account-1");
    store.accounts.insert(account(1), oauth("start")).await.unwrap();
    let racers: Vec<_> = (0..16)
        .map(|n| {
            let (store, one) = (store.clone(), one.clone());
            tokio::spawn(async move {
                let new = tokens(&format!("racer-{n}"));
                match store.secrets.commit_if(&one, tokens("start").hash(), &new).await.unwrap() {
                    CommitOutcome::Committed => (true, told(&Credential::Oauth(new))),
                    CommitOutcome::Changed(current) => (false, told(&Credential::Oauth(current))),
                    CommitOutcome::Gone => panic!("the account is there"),
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    for racer in racers {
        seen.push(racer.await.unwrap());
    }
    let winner = loaded(&store, &one).await.unwrap();
    assert_eq!(seen.iter().filter(|(won, _)| *won).count(), 1);
    assert!(seen.iter().all(|(_, current)| *current == winner), "the losers are told the winner's tokens");
}

async fn tokens_without_a_refresh_token_are_kept_whole(store: Store) {
    let mut setup = tokens("setup");
    setup.refresh = None;
    setup.expires_at = None;
    setup.refresh_expires_at = None;
    setup.scopes = Vec::new();
    store.accounts.insert(account(1), Credential::Oauth(setup.clone())).await.unwrap();
    assert_eq!(loaded(&store, &id("account-1")).await, Some(told(&Credential::Oauth(setup.clone()))));
    let outcome = store.secrets.commit_if(&id("account-1"), setup.hash(), &tokens("next")).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed), "{outcome:?}");
}

async fn refresh_marks_count_unfinished_tries(store: Store) {
    let one = id("account-1");
    let tries = |mark: RefreshMark| mark.earlier.map(|e| e.tries);
    store.accounts.insert(account(1), oauth("a")).await.unwrap();
    let begin = |name: &'static str| {
        let (store, one) = (store.clone(), one.clone());
        async move { tries(store.secrets.begin_refresh(&one, tokens(name).hash()).await.unwrap()) }
    };
    assert_eq!(begin("a").await, None);
    assert_eq!(begin("a").await, Some(1), "the first try was never heard of again");
    assert_eq!(begin("a").await, Some(2));
    store.secrets.cancel_refresh(&one, tokens("other").hash()).await.unwrap();
    assert_eq!(begin("a").await, Some(3), "a cancel of another token changes nothing");
    store.secrets.cancel_refresh(&one, tokens("a").hash()).await.unwrap();
    assert_eq!(begin("a").await, None, "a cancelled try counts for nothing");

    store.secrets.commit_if(&one, tokens("a").hash(), &tokens("b")).await.unwrap();
    assert_eq!(begin("b").await, None, "a commit clears the mark");
    store.secrets.commit_if(&one, tokens("a").hash(), &tokens("c")).await.unwrap();
    assert_eq!(begin("b").await, Some(1), "a commit that lost clears nothing");
    assert_eq!(begin("new").await, None, "another token starts from nothing");
    store.secrets.put(&one, oauth("new")).await.unwrap();
    assert_eq!(begin("new").await, None, "a login clears the mark");
    store.accounts.insert(account(1), oauth("new")).await.unwrap();
    assert_eq!(begin("new").await, None, "and so does a login that replaces the account");
}

async fn the_account_that_sent_a_token_is_known_for_long(store: Store) {
    let one = id("account-1");
    let sender = async |token: &str| {
        store
            .secrets
            .sender(&account(1).provider, tokens(token).hash())
            .await
            .unwrap()
            .map(|id| id.to_string())
    };
    store.accounts.insert(account(1), oauth("t0")).await.unwrap();
    store.accounts.insert(account(2), oauth("other")).await.unwrap();
    assert_eq!(sender("t0").await, None, "it was not sent");
    for number in 0..501 {
        let (old, new) = (tokens(&format!("t{number}")), tokens(&format!("t{}", number + 1)));
        store.secrets.begin_refresh(&one, old.hash()).await.unwrap();
        store.secrets.commit_if(&one, old.hash(), &new).await.unwrap();
    }
    store.accounts.insert(account(1), oauth("a new login")).await.unwrap();
    for (token, known) in [("t0", false), ("t1", true), ("t500", true), ("t501", false), ("other", false)] {
        assert_eq!(sender(token).await.is_some(), known, "{token}");
    }
    assert_eq!(sender("t1").await.as_deref(), Some("account-1"));
    assert_eq!(store.secrets.sender(&provider("elsewhere"), tokens("t1").hash()).await.unwrap(), None);
    store.accounts.remove(&one).await.unwrap();
    assert_eq!(sender("t1").await, None, "nothing of a removed account is kept");
}

async fn troubles_last_until_there_are_other_tokens(store: Store) {
    store.accounts.insert(account(1), oauth("a")).await.unwrap();
    let noted = async || {
        let troubles = store.accounts.troubles().await.unwrap();
        troubles.into_iter().map(|trouble| (trouble.account, trouble.what)).collect::<Vec<_>>()
    };
    let generation = store.accounts.generation();
    for what in ["busy", "busy still; try again"] {
        store.accounts.note_trouble(&account(1).id, what).await.unwrap();
    }
    assert_eq!(noted().await, [(account(1).id, "busy still; try again".to_owned())]);
    assert_eq!(store.accounts.generation(), generation, "nobody who serves has to know");
    let absent = store.accounts.note_trouble(&id("absent"), "x").await;
    assert!(matches!(absent, Err(StoreError::NoSuchAccount)), "{absent:?}");

    store.secrets.commit_if(&account(1).id, tokens("a").hash(), &tokens("b")).await.unwrap();
    assert_eq!(noted().await, []);
    store.accounts.note_trouble(&account(1).id, "x").await.unwrap();
    store.secrets.put(&account(1).id, oauth("c")).await.unwrap();
    assert_eq!(noted().await, []);
    store.accounts.note_trouble(&account(1).id, "x").await.unwrap();
    store.accounts.remove(&account(1).id).await.unwrap();
    assert_eq!(noted().await, []);
}

async fn the_lock_of_an_account_is_held_by_one(store: Store) {
    let one = id("account-1");
    let held = store.lock_account(&one).await.unwrap();
    let _other_account = store.lock_account(&id("account-2")).await.unwrap();

    let mut second = store.lock_account(&one);
    let polled = second.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "a second holder must wait");
    drop(second);

    let (got, is_mine) = tokio::sync::oneshot::channel();
    let waiter = store.clone();
    let task = tokio::spawn(async move {
        let _mine = waiter.lock_account(&id("account-1")).await.unwrap();
        got.send(()).unwrap();
    });
    drop(held);
    is_mine.await.unwrap();
    task.await.unwrap();
}

async fn records_come_back_whole_and_newest_first(store: Store) {
    let extremes = byok_types::RequestRecord {
        attempts: u32::MAX,
        status: u16::MAX,
        total_ms: 1 << 62,
        dialect: Dialect::Gemini,
        upstream_dialect: Some(Dialect::Responses),
        outcome: Outcome::Complete,
        model_asked: "quote ' and \u{1F511}".to_owned(),
        ..bare_record(3)
    };
    for one in [record(1), extremes.clone(), bare_record(2)] {
        assert!(store.records.push(one));
    }
    store.records.flush().await.unwrap();
    assert_eq!(store.records.recent(10).await.unwrap(), [extremes.clone(), bare_record(2), record(1)]);
    assert_eq!(store.records.recent(1).await.unwrap(), [extremes]);
    assert_eq!(store.records.recent(0).await.unwrap(), []);
    assert_eq!(store.records.dropped(), 0);
}

async fn old_records_are_forgotten(store: Store) {
    for n in 1..=4 {
        store.records.push(record(n));
    }
    store.records.flush().await.unwrap();
    assert_eq!(store.records.forget_before(3).await.unwrap(), 2);
    assert_eq!(store.records.recent(9).await.unwrap(), [record(4), record(3)]);
    assert_eq!(store.records.forget_before(3).await.unwrap(), 0);
}

async fn a_client_cannot_grow_the_records(store: Store) {
    let long = byok_types::RequestRecord {
        model_asked: "é".repeat(1_000_000),
        model_served: Some("x".repeat(1_000_000)),
        ..record(1)
    };
    store.records.push(long);
    store.records.flush().await.unwrap();
    let stored = store.records.recent(1).await.unwrap().remove(0);
    assert_eq!(stored.model_asked, "é".repeat(128));
    assert_eq!(stored.model_served, Some("x".repeat(256)));
}

async fn client_keys_are_found_by_hash_and_never_overwritten(store: Store) {
    store.client_keys.insert(client_key(2)).await.unwrap();
    store.client_keys.insert(client_key(1)).await.unwrap();
    assert_eq!(store.client_keys.list().await.unwrap(), [client_key(1), client_key(2)]);
    assert_eq!(store.client_keys.find(&client_key(1).hash).await.unwrap(), Some(client_key(1)));
    assert_eq!(store.client_keys.find(&SecretHash::of("guess")).await.unwrap(), None);

    let same_hash = byok_store::ClientKeyRow { hash: client_key(1).hash, ..client_key(3) };
    let same_id = byok_store::ClientKeyRow { id: client_key(1).id, ..client_key(3) };
    for taken in [same_hash, same_id] {
        let refused = store.client_keys.insert(taken).await;
        assert!(matches!(refused, Err(StoreError::ClientKeyTaken)), "{refused:?}");
    }
    let bare = byok_store::ClientKeyRow {
        user: None,
        groups: Vec::new(),
        models: Vec::new(),
        limits: None,
        expires_at: None,
        debug: false,
        ..client_key(4)
    };
    store.client_keys.insert(bare.clone()).await.unwrap();
    assert_eq!(store.client_keys.find(&bare.hash).await.unwrap(), Some(bare));
}

async fn revoked_keys_stay_revoked(store: Store) {
    store.client_keys.insert(client_key(1)).await.unwrap();
    let early = byok_store::ClientKeyRow { revoked_at: Some(7), ..client_key(2) };
    store.client_keys.insert(early.clone()).await.unwrap();

    assert!(store.client_keys.revoke(&client_key(1).id).await.unwrap());
    let found = store.client_keys.find(&client_key(1).hash).await.unwrap().unwrap();
    assert!(found.revoked_at.is_some(), "found all the same, to say why it does not work");
    assert!(store.client_keys.revoke(&early.id).await.unwrap());
    assert_eq!(store.client_keys.find(&early.hash).await.unwrap().unwrap().revoked_at, Some(7));
    assert!(!store.client_keys.revoke(&ClientKeyId::new("nobody").unwrap()).await.unwrap());
}

async fn nothing_that_is_printed_names_a_person_or_a_secret(store: Store) {
    let details =
        AccountDetails { email: Some("CANARY".to_owned()), identity: Some("CANARY".to_owned()), plan: None };
    let key = byok_store::ClientKeyRow {
        label: "CANARY".to_owned(),
        user: Some("CANARY".to_owned()),
        groups: vec!["CANARY".to_owned()],
        ..client_key(1)
    };
    let lock = store.lock_account(&id("CANARY")).await.unwrap();
    let missing = store.accounts.rename(&id("CANARY"), "CANARY").await.unwrap_err();
    store.accounts.insert(Account { label: "CANARY".to_owned(), ..account(1) }, oauth("1")).await.unwrap();
    let twin = Account { label: "CANARY".to_owned(), ..account(2) };
    let taken = store.accounts.insert(twin, oauth("CANARY")).await.unwrap_err();
    let changed = CommitOutcome::Changed(tokens("CANARY"));
    let text = format!("{details:?} {key:?} {lock:?} {missing:?} {missing} {taken:?} {taken} {changed:?}");
    assert!(!text.contains("CANARY"), "{text}");
}

async fn the_store_is_usable_after_close(store: Store) {
    store.records.push(record(1));
    store.close().await;
    assert_eq!(store.records.recent(9).await.unwrap(), [record(1)], "close writes out what is queued");
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    store.records.push(record(2));
    store.records.flush().await.unwrap();
    assert_eq!(store.records.recent(9).await.unwrap().len(), 2);
    store.close().await;
}

async fn clones_share_everything(store: Store) {
    let clone = store.clone();
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    assert_eq!(loaded(&clone, &id("account-1")).await, Some(told(&oauth("1"))));
    assert!(Arc::ptr_eq(&store.accounts, &clone.accounts));
}

macro_rules! on_every_backend {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(byok_store::Store::memory()).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                let home = crate::support::Home::new();
                super::$case(home.open()).await;
            })*
        }
    };
}

on_every_backend!(
    insert_gives_back_what_was_stored,
    every_state_is_kept,
    insert_takes_kind_and_expiry_from_the_credential,
    insert_with_the_same_id_replaces_all,
    list_is_ordered_and_filtered,
    identity_finds_the_oldest_of_the_provider,
    labels_are_unique_within_a_provider,
    details_keep_what_is_not_said,
    claims_are_replaced,
    changing_an_absent_account_is_an_error,
    remove_takes_the_secret_along,
    every_change_moves_the_generation,
    commit_wins_only_over_the_token_it_started_from,
    of_many_commits_from_one_token_one_wins,
    tokens_without_a_refresh_token_are_kept_whole,
    refresh_marks_count_unfinished_tries,
    the_account_that_sent_a_token_is_known_for_long,
    troubles_last_until_there_are_other_tokens,
    the_lock_of_an_account_is_held_by_one,
    records_come_back_whole_and_newest_first,
    old_records_are_forgotten,
    a_client_cannot_grow_the_records,
    client_keys_are_found_by_hash_and_never_overwritten,
    revoked_keys_stay_revoked,
    nothing_that_is_printed_names_a_person_or_a_secret,
    the_store_is_usable_after_close,
    clones_share_everything,
);
