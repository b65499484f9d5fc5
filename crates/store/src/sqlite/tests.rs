use super::*;
use crate::{Accounts, ClientKeys, Secrets};
use byok_types::{Account, AccountState, CredentialKind, OauthTokens, ProviderId, Secret, TokenFacts};

fn open(directory: &tempfile::TempDir) -> Sqlite {
    Sqlite::open(&StoreOptions { path: directory.path().join("tokens.db"), key_file: None }).unwrap()
}

fn account(label: &str) -> Account {
    Account {
        id: AccountId::new("one").unwrap(),
        provider: ProviderId::new("claude").unwrap(),
        label: label.to_owned(),
        kind: CredentialKind::ApiKey,
        identity: None,
        email: None,
        plan: None,
        state: AccountState::Ready,
        claims: Vec::new(),
        expires_at: None,
        created_at: 0,
        updated_at: 0,
    }
}

fn key(text: &str) -> Credential {
    Credential::ApiKey(Secret::new(text))
}

async fn filled(directory: &tempfile::TempDir) -> Sqlite {
    let store = open(directory);
    Accounts::insert(&store, account("label"), key("old")).await.unwrap();
    store
}

async fn loaded(store: &Sqlite) -> String {
    let Some(Credential::ApiKey(key)) = store.load(&account("").id).await.unwrap() else { panic!() };
    key.expose().to_owned()
}

#[tokio::test]
async fn loads_do_not_read_the_disk_again_until_something_has_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(&directory).await;
    assert_eq!(loaded(&store).await, "old");
    assert_eq!(store.find(&SecretHash::of("x")).await.unwrap(), None);

    // A change behind the back of the generation, which nobody can notice who does not read.
    let sealer = Arc::clone(&store.sealer);
    store
        .tokens
        .change_quietly(move |tx| {
            secrets::write(tx, &sealer, "claude", "one", &key("new"))?;
            tx.execute(
                "INSERT INTO client_keys VALUES ('k', ?1, '', NULL, '[]', '[]', NULL, NULL, 0, NULL, 0)",
                [SecretHash::of("x").0],
            )?;
            Ok(())
        })
        .await
        .unwrap();
    store.tokens.generation();
    assert_eq!(loaded(&store).await, "old");
    assert_eq!(store.find(&SecretHash::of("x")).await.unwrap(), None);

    store.set_claims(&account("").id, vec!["x".to_owned()]).await.unwrap();
    assert_eq!(loaded(&store).await, "new");
    assert!(store.find(&SecretHash::of("x")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_cannot_be_written_refuses_a_refresh_before_it_begins_and_still_reads() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(&directory).await;
    store.tokens.on_writer(|c| Ok(c.pragma_update(None, "query_only", true)?)).await.unwrap();

    let id = account("").id;
    let refused = store.begin_refresh(&id, SecretHash::of("old")).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    let refused = store.put(&id, key("new")).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
    assert_eq!(loaded(&store).await, "old");
    assert_eq!(store.get(&id).await.unwrap(), Some(account("label")));
}

#[tokio::test]
async fn a_full_disk_refuses_a_write_and_keeps_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(&directory).await;
    let limit = |c: &mut Connection| Ok(c.pragma_update_and_check(None, "max_page_count", 1, |_| Ok(()))?);
    store.tokens.on_writer(limit).await.unwrap();
    let refused = Accounts::insert(&store, account(&"long".repeat(100_000)), key("new")).await;
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    assert_eq!(loaded(&store).await, "old");
    assert_eq!(store.get(&account("").id).await.unwrap(), Some(account("label")));
}

#[tokio::test]
async fn room_is_kept_for_a_renewal_and_given_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(&directory).await;
    let (id, reserve) = (account("").id, directory.path().join("tokens.db-reserve"));
    let tokens = |name: &str| OauthTokens {
        access: Secret::new(name),
        refresh: None,
        expires_at: None,
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts: TokenFacts::new(),
    };
    assert!(!reserve.exists(), "a key is never renewed");
    let login = account("label");
    Accounts::insert(&store, login, Credential::Oauth(tokens("old"))).await.unwrap();
    let room = fs::metadata(&reserve).unwrap();
    assert_eq!(room.len(), 256 << 10, "from the login on");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&room) & 0o777, 0o600);

    // On a disk that is full the mark takes what it needs of it, and the tokens keep theirs. After that there is no more to share.
    assert!(store.reserve.share());
    let left = || fs::metadata(&reserve).unwrap().len();
    assert_eq!((left(), store.reserve.share()), (128 << 10, false));
    store.mark_begin(&id, tokens("old").hash(), false).await.unwrap();
    assert_eq!(left(), 128 << 10, "what was given to the mark is not taken from it again");
    store.begin_refresh(&id, tokens("old").hash()).await.unwrap();
    assert_eq!(left(), 256 << 10, "it is filled up where there is room again");

    // The limit counts in place of the disk, so the room does not help here; but it was given.
    let limit = |c: &mut Connection| Ok(c.pragma_update_and_check(None, "max_page_count", 1, |_| Ok(()))?);
    store.tokens.on_writer(limit).await.unwrap();
    let long = tokens(&"long".repeat(100_000));
    let refused = store.commit_if(&id, tokens("old").hash(), &long).await;
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    assert!(!reserve.exists());

    // Where there is no room for it, the vendor is not asked.
    fs::create_dir(&reserve).unwrap();
    store.begin_refresh(&id, tokens("old").hash()).await.unwrap_err();
}

#[tokio::test]
async fn a_write_that_panics_does_not_stop_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(&directory).await;
    let lost = store
        .tokens
        .change(|tx| -> Outcome<()> {
            tx.execute("DELETE FROM accounts", [])?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(lost, Err(StoreError::Closed)), "{lost:?}");
    assert_eq!(loaded(&store).await, "old", "it was rolled back");
    store.put(&account("").id, key("new")).await.unwrap();
    assert_eq!(loaded(&store).await, "new");
}

#[tokio::test]
async fn connections_are_set_up_as_promised() {
    let directory = tempfile::tempdir().unwrap();
    let store = filled(&directory).await;
    let settings = store
        .tokens
        .on_writer(|connection| {
            [
                "journal_mode",
                "synchronous",
                "secure_delete",
                "foreign_keys",
                "trusted_schema",
                "application_id",
                "mmap_size",
                "cache_size",
            ]
            .into_iter()
            .map(|name| {
                let value = connection
                    .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))?;
                Ok(format!("{name} {value:?}"))
            })
            .collect::<Outcome<Vec<_>>>()
        })
        .await
        .unwrap();
    let expected = [
        "journal_mode Text(\"wal\")",
        "synchronous Integer(2)",
        "secure_delete Integer(1)",
        "foreign_keys Integer(1)",
        "trusted_schema Integer(0)",
        "application_id Integer(1652125547)",
        "mmap_size Integer(0)",
        "cache_size Integer(-512)",
    ];
    assert_eq!(settings, expected);
    let refused = store.tokens.read(|tx| Ok(tx.execute("DELETE FROM accounts", [])?)).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "readers cannot write: {refused:?}");
}

/// SQL is text that was written by us, whole: no value ever becomes a part of it.
#[test]
fn no_sql_is_put_together_from_pieces() {
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                seen += 1;
                let source = fs::read_to_string(&path).unwrap();
                for call in ["execute", "execute_batch", "prepare", "prepare_cached", "query_row"] {
                    let built = format!("{call}(&");
                    assert!(!source.contains(&built), "{} has `{built}`", path.display());
                }
            }
        }
    }
    assert!(seen > 15, "only {seen} files were looked at");
}
