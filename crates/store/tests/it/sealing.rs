//! What lies on the disk, and what a wrong or missing key does.

use crate::support::{Home, account, client_key, id, loaded, oauth, told};
use byok_store::{Store, StoreError, StoreOptions};
use byok_types::{Credential, OauthTokens, Secret};
use rusqlite::Connection;
use std::fs;

fn files_containing(home: &Home, needle: &str) -> Vec<String> {
    let contains = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    fs::read_dir(home.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && contains(&fs::read(path).unwrap()))
        .map(|path| path.display().to_string())
        .collect()
}

#[tokio::test]
async fn no_secret_is_readable_in_any_file() {
    let home = Home::new();
    let store = home.open();
    let tokens = OauthTokens {
        access: Secret::new("CANARY-access"),
        refresh: Some(Secret::new("CANARY-refresh")),
        expires_at: None,
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts: [("secret".to_owned(), Secret::new("CANARY-fact"))].into(),
    };
    store.accounts.insert(account(1), Credential::Oauth(tokens.clone())).await.unwrap();
    store.accounts.insert(account(2), Credential::ApiKey(Secret::new("CANARY-key"))).await.unwrap();
    store.secrets.begin_refresh(&id("account-1"), tokens.hash()).await.unwrap();
    store.secrets.commit_if(&id("account-1"), tokens.hash(), &tokens).await.unwrap();
    let key = byok_store::ClientKeyRow { hash: Secret::new("CANARY-client").hash(), ..client_key(1) };
    store.client_keys.insert(key).await.unwrap();

    assert!(fs::metadata(home.path("tokens.db-wal")).unwrap().len() > 0, "the log is searched too");
    assert_eq!(files_containing(&home, "CANARY"), [""; 0]);
    store.close().await;
    assert_eq!(files_containing(&home, "CANARY"), [""; 0]);
    assert_ne!(files_containing(&home, "person-1"), [""; 0], "the search does find what is not sealed");
}

#[tokio::test]
async fn what_is_removed_leaves_no_bytes() {
    let home = Home::new();
    let store = home.open();
    for n in [1, 2] {
        store.accounts.insert(account(n), oauth("x")).await.unwrap();
    }
    assert_ne!(files_containing(&home, "person-1"), [""; 0]);
    store.accounts.remove(&id("account-1")).await.unwrap();
    assert_eq!(files_containing(&home, "person-1"), [""; 0]);
    assert_ne!(files_containing(&home, "person-2"), [""; 0]);
}

#[tokio::test]
async fn swapped_ciphertexts_spoil_their_accounts_and_no_other() {
    for (what, swap) in [
        (
            "rows",
            "CREATE TEMP TABLE other AS SELECT account, access FROM secrets WHERE account <> 'account-3';
             UPDATE secrets SET access = (SELECT access FROM other WHERE other.account <> secrets.account)
             WHERE account <> 'account-3'",
        ),
        ("columns", "UPDATE secrets SET access = refresh, refresh = access WHERE account <> 'account-3'"),
        ("accounts", "UPDATE accounts SET provider = 'codex' WHERE id <> 'account-3'"),
    ] {
        let home = Home::new();
        let store = home.open();
        for n in 1..=3 {
            store.accounts.insert(account(n), oauth(&n.to_string())).await.unwrap();
        }
        drop(store);
        Connection::open(home.path("tokens.db")).unwrap().execute_batch(swap).unwrap();

        let store = home.open();
        for n in 1..=2 {
            let spoiled = store.secrets.load(&id(&format!("account-{n}"))).await;
            assert!(matches!(spoiled, Err(StoreError::Unsealable)), "swapped {what}: {spoiled:?}");
        }
        assert_eq!(loaded(&store, &id("account-3")).await, Some(told(&oauth("3"))), "swapped {what}");
        assert_eq!(store.accounts.list(None).await.unwrap().len(), 3, "swapped {what}");
        store.secrets.put(&id("account-1"), oauth("new login")).await.unwrap();
        assert_eq!(loaded(&store, &id("account-1")).await, Some(told(&oauth("new login"))), "swapped {what}");
    }
}

type Refusal = fn(&StoreError) -> bool;

#[tokio::test]
async fn a_wrong_or_missing_key_is_refused_and_changes_nothing() {
    let home = Home::new();
    let store = home.open();
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    store.close().await;
    drop(store);
    let right_key = fs::read(home.path("key")).unwrap();
    assert_eq!(right_key.len(), 65);
    let sealed = |home: &Home| -> Vec<u8> {
        let connection = Connection::open(home.path("tokens.db")).unwrap();
        connection.query_row("SELECT access FROM secrets", [], |row| row.get(0)).unwrap()
    };
    let before = sealed(&home);

    let cases: [(&str, Option<&[u8]>, Refusal); 5] = [
        ("other", Some(&[b'a'; 64]), |e| matches!(e, StoreError::KeyWrong { .. })),
        ("missing", None, |e| matches!(e, StoreError::KeyMissing { .. })),
        ("empty", Some(b""), |e| matches!(e, StoreError::KeyMalformed { .. })),
        ("short", Some(&[b'a'; 63]), |e| matches!(e, StoreError::KeyMalformed { .. })),
        ("not hexadecimal", Some(&[b'z'; 64]), |e| matches!(e, StoreError::KeyMalformed { .. })),
    ];
    for (what, key, is_right_refusal) in cases {
        match key {
            // Truncated in place, so that the mode stays.
            Some(key) => fs::write(home.path("key"), key).unwrap(),
            None => fs::rename(home.path("key"), home.path("hidden")).unwrap(),
        }
        let refused = Store::open(&home.options()).err();
        assert!(refused.as_ref().is_some_and(is_right_refusal), "{what}: {refused:?}");
        assert_eq!(sealed(&home), before, "{what}");
        if key.is_none() {
            assert!(!home.path("key").exists(), "no new key was made");
            fs::rename(home.path("hidden"), home.path("key")).unwrap();
        }
    }
    fs::write(home.path("key"), &right_key).unwrap();
    assert_eq!(loaded(&home.open(), &id("account-1")).await, Some(told(&oauth("1"))));
}

#[tokio::test]
async fn the_key_may_lie_elsewhere() {
    let home = Home::new();
    let elsewhere = Home::new();
    let options = StoreOptions { key_file: Some(elsewhere.path("byok.key")), ..home.options() };
    let store = Store::open(&options).unwrap();
    store.accounts.insert(account(1), oauth("1")).await.unwrap();
    drop(store);
    assert!(!home.path("key").exists());
    assert_eq!(loaded(&Store::open(&options).unwrap(), &id("account-1")).await, Some(told(&oauth("1"))));
    let refused = Store::open(&home.options()).err();
    assert!(matches!(refused, Some(StoreError::KeyMissing { .. })), "{refused:?}");
}

#[test]
fn where_the_key_lies_is_recorded() {
    let home = Home::new();
    drop(home.open());
    let connection = Connection::open(home.path("tokens.db")).unwrap();
    let source: String =
        connection.query_row("SELECT value FROM meta WHERE name = 'key_source'", [], |r| r.get(0)).unwrap();
    assert_eq!(source, "file");
    connection.execute("UPDATE meta SET value = 'keyring' WHERE name = 'key_source'", []).unwrap();
    let refused = Store::open(&home.options()).err().unwrap();
    assert!(matches!(&refused, StoreError::KeyElsewhere { source_name, .. } if source_name == "keyring"));
}

#[tokio::test]
async fn starting_over_keeps_the_key() {
    let home = Home::new();
    // Closed, and not only let go: its files are taken away.
    home.open().close().await;
    let key = fs::read(home.path("key")).unwrap();
    for name in ["tokens.db", "tokens.db-wal", "tokens.db-shm"] {
        let _ = fs::remove_file(home.path(name));
    }
    drop(home.open());
    assert_eq!(fs::read(home.path("key")).unwrap(), key);
}
