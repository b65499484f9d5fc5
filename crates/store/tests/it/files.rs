//! Files that are damaged, foreign, of a newer byok, or open to others.

use crate::support::{Home, account, id, loaded, oauth, record, told};
use byok_store::{Store, StoreError};
use byok_types::{Blame, Fault, Retry};
use rusqlite::Connection;
use std::{
    fs::{self, OpenOptions},
    os::unix::fs::PermissionsExt,
};

async fn filled(home: &Home) {
    let store = home.open();
    for n in 0..40 {
        store.accounts.insert(account(n), oauth(&n.to_string())).await.unwrap();
    }
    store.records.push(record(1));
    store.close().await;
    drop(store);
    // Its threads end by themselves: wait until the file of the records is closed.
    OpenOptions::new().write(true).open(home.path("locks/usage.lock")).unwrap().lock().unwrap();
}

fn overwrite(home: &Home, name: &str, from: usize, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = OpenOptions::new().write(true).open(home.path(name)).unwrap();
    file.write_all_at(bytes, from as u64).unwrap();
}

type Damage = fn(&Home);

#[tokio::test]
async fn a_damaged_database_of_accounts_is_refused_and_left_alone() {
    let cases: [(&str, Damage); 5] = [
        ("header", |home| overwrite(home, "tokens.db", 0, &[0x5A; 100])),
        ("pages", |home| overwrite(home, "tokens.db", 4096, &[0x5A; 3 * 4096])),
        ("a page that nothing reads at the start", |home| {
            let length = fs::metadata(home.path("tokens.db")).unwrap().len();
            overwrite(home, "tokens.db", usize::try_from(length).unwrap() - 4096, &[0x5A; 4096]);
        }),
        ("emptied", |home| {
            OpenOptions::new().write(true).truncate(true).open(home.path("tokens.db")).map(drop).unwrap();
        }),
        ("cut", |home| {
            OpenOptions::new().write(true).open(home.path("tokens.db")).unwrap().set_len(4096).unwrap();
        }),
    ];
    for (what, damage) in cases {
        let home = Home::new();
        filled(&home).await;
        damage(&home);
        let before = fs::read(home.path("tokens.db")).unwrap();
        for _ in 0..2 {
            let refused = Store::open(&home.options()).err();
            assert!(matches!(refused, Some(StoreError::Damaged { .. })), "{what}: {refused:?}");
            assert_eq!(fs::read(home.path("tokens.db")).unwrap(), before, "{what}");
        }
    }
}

#[tokio::test]
async fn a_damaged_database_of_records_is_moved_aside() {
    for (what, from, length) in [("header", 0, 100), ("pages", 4096, 8192)] {
        let home = Home::new();
        filled(&home).await;
        let damaged: Vec<u8> = vec![0x5A; length];
        overwrite(&home, "usage.db", from, &damaged);

        let store = home.open();
        assert_eq!(
            loaded(&store, &id("account-7")).await,
            Some(told(&oauth("7"))),
            "{what}: no login is lost"
        );
        assert!(store.records.push(record(2)));
        store.records.flush().await.unwrap();
        assert_eq!(store.records.recent(9).await.unwrap(), [record(2)], "{what}");
        assert_eq!(store.records.dropped(), 0, "{what}");
        let aside = fs::read_dir(home.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .find(|name| {
                name.starts_with("usage.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
            })
            .unwrap();
        let kept = fs::read(home.path(&aside)).unwrap();
        assert_eq!(kept[from..from + length], damaged, "{what}: kept for whoever wants to repair it");
    }
}

#[tokio::test]
async fn a_database_of_records_that_cannot_be_opened_costs_only_records() {
    let home = Home::new();
    filled(&home).await;
    fs::remove_file(home.path("usage.db")).unwrap();
    fs::create_dir(home.path("usage.db")).unwrap();

    let store = home.open();
    assert!(store.records.push(record(1)));
    store.records.flush().await.unwrap();
    assert_eq!(store.records.dropped(), 1);
    assert_eq!(loaded(&store, &id("account-7")).await, Some(told(&oauth("7"))));
    store.close().await;
}

#[tokio::test]
async fn a_newer_database_is_refused_by_name_of_its_writer() {
    for name in ["tokens.db", "usage.db"] {
        let home = Home::new();
        filled(&home).await;
        let connection = Connection::open(home.path(name)).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        if name == "tokens.db" {
            connection.execute("UPDATE meta SET value = '9.8.7' WHERE name = 'byok_version'", []).unwrap();
        }
        drop(connection);
        let refused = Store::open(&home.options()).err().unwrap();
        let StoreError::Newer { found: 99, written_by, .. } = &refused else { panic!("{name}: {refused:?}") };
        assert_eq!(written_by, if name == "tokens.db" { "9.8.7" } else { "of a newer version" });
        assert!(refused.to_string().contains("update byok"), "{refused}");
        let connection = Connection::open(home.path(name)).unwrap();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 99, "it was left as it was");
    }
}

#[tokio::test]
async fn databases_of_other_programs_are_refused() {
    let foreign = Home::new();
    let connection = Connection::open(foreign.path("tokens.db")).unwrap();
    connection.execute_batch("CREATE TABLE accounts (x); INSERT INTO accounts VALUES (1)").unwrap();
    drop(connection);
    fs::set_permissions(foreign.path("tokens.db"), fs::Permissions::from_mode(0o600)).unwrap();
    let refused = Store::open(&foreign.options()).err();
    assert!(matches!(refused, Some(StoreError::Foreign { .. })), "{refused:?}");

    let mixed_up = Home::new();
    filled(&mixed_up).await;
    fs::copy(mixed_up.path("tokens.db"), mixed_up.path("usage.db")).unwrap();
    let refused = Store::open(&mixed_up.options()).err();
    assert!(matches!(refused, Some(StoreError::Foreign { .. })), "{refused:?}");
}

/// `chmod` would be bad advice for a device of the system.
#[test]
fn only_a_file_can_be_a_database() {
    let home = Home::new();
    let directory = home.path("tokens.db");
    fs::create_dir(&directory).unwrap();
    for path in [directory, "/dev/null".into()] {
        let refused = Store::open(&byok_store::StoreOptions { path: path.clone(), key_file: None }).err();
        assert!(
            matches!(&refused, Some(StoreError::NotAFile { path: named }) if *named == path),
            "{refused:?}"
        );
        assert!(refused.unwrap().to_string().ends_with("a file of its own, name one with `--db`"));
    }
    assert!(!home.path("locks").exists(), "nothing is made beside it");
}

#[test]
fn what_others_can_touch_is_refused_with_the_remedy() {
    for (name, mode, remedy) in [
        ("", 0o777, "chmod go-w "),
        ("", 0o720, "chmod go-w "),
        ("locks", 0o702, "chmod go-w "),
        ("tokens.db", 0o640, "chmod go-rwx "),
        ("usage.db", 0o604, "chmod go-rwx "),
        ("key", 0o604, "chmod 600 "),
        ("key", 0o620, "chmod 600 "),
    ] {
        let home = Home::new();
        drop(home.open());
        fs::set_permissions(home.path(name), fs::Permissions::from_mode(mode)).unwrap();
        let refused = Store::open(&home.options()).err();
        let Some(StoreError::Exposed { path, .. }) = &refused else { panic!("{name} {mode:o}: {refused:?}") };
        assert_eq!(
            *path,
            if name.is_empty() { home.path("tokens.db").parent().unwrap().into() } else { home.path(name) }
        );
        let refused = refused.unwrap();
        assert!(refused.to_string().contains(remedy), "{refused}");
        assert_eq!((refused.blame(), refused.retry()), (Blame::Byok, Retry::AfterPerson));
    }
    let home = Home::new();
    drop(home.open());
    for (name, mode) in [("", 0o755), ("key", 0o440), ("key", 0o400)] {
        fs::set_permissions(home.path(name), fs::Permissions::from_mode(mode)).unwrap();
        drop(home.open());
    }
}
