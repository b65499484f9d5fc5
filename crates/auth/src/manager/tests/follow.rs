//! Logins that belong to another program, from its logout to its next login.

use super::TokenManager;
use crate::testing::{account, provider, stored, tokens, transport};
use crate::{Clock as _, KeepFresh, Network, SystemClock, Urls, Vendor, claude, follow, refresher};
use byok_store::Store;
use byok_types::{Account, AccountId, AccountState, Credential};
use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

/// Another program with a login, and byok, which follows it.
struct World {
    home: TempDir,
    store: Store,
    manager: TokenManager,
    id: AccountId,
}

impl World {
    /// `left`: seconds until the token ends.
    async fn new(left: i64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let vendor = claude::vendor(&Urls::none(), Network::default());
        let (store, account) = (Store::memory(), account("a"));
        let id = account.id.clone();
        let world = Self { manager: manager(&store, &vendor), home, store, id };
        world.write("old", left);
        let content = std::fs::read(world.file()).unwrap();
        let import = vendor.import.as_ref().unwrap();
        let found = import.read("", &content, SystemClock.now()).unwrap().remove(0);
        let login = follow(found.login, &world.file());
        world.store.accounts.insert(account, login.credential).await.unwrap();
        world
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".credentials.json")
    }

    /// The program has a login, as it writes it.
    fn write(&self, access: &str, left: i64) {
        let ends = (SystemClock.now() + left) * 1000;
        let text = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{access}","refreshToken":"r-{access}","expiresAt":{ends},"scopes":[]}}}}"#
        );
        std::fs::write(self.file(), text).unwrap();
    }

    /// The program logs out.
    fn log_out(&self) {
        std::fs::write(
            self.file(),
            r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#,
        )
        .unwrap();
    }

    async fn state(&self) -> AccountState {
        self.store.accounts.get(&self.id).await.unwrap().unwrap().state
    }

    async fn token(&self) -> Result<String, crate::AuthError> {
        self.manager.access(&self.id).await.map(|access| access.token.expose().to_owned())
    }

    /// Waits for the background.
    async fn until_stored(&self, access: &str) {
        while self.stored().await != access {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn stored(&self) -> String {
        stored(&self.store, &self.id).await.access.expose().to_owned()
    }
}

fn manager(store: &Store, vendor: &Vendor) -> TokenManager {
    let refreshers = HashMap::from([(provider(), refresher(vendor))]);
    TokenManager::new(store.clone(), transport(), refreshers, Arc::new(SystemClock))
}

/// Looks at files all the time, and at nothing else.
const WATCHFUL: KeepFresh = KeepFresh {
    interval: Duration::from_hours(1),
    concurrent: 1,
    look: Duration::from_millis(1),
    spread: Duration::ZERO,
};

#[tokio::test]
async fn a_file_that_is_away_costs_no_good_token() {
    let world = World::new(120).await;
    std::fs::remove_file(world.file()).unwrap();
    assert_eq!(world.token().await.unwrap(), "old");
    assert_eq!(world.state().await, AccountState::Ready);
    // It is too early to look again for whoever asks, but not for whoever sees that the file has changed.
    world.manager.keep_fresh(WATCHFUL);
    assert!(world.manager.last_failure(&world.id).is_some());
    while world.stored().await != "new" {
        // The first look may see it as it was always.
        world.write("new", 3600);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.token().await.unwrap(), "new");
    assert!(world.manager.last_failure(&world.id).is_none());
}

#[tokio::test]
async fn a_login_that_was_given_up_goes_on_when_its_program_has_a_new_one() {
    // Whoever asks for it first: the background of a server, or a command.
    for server in [true, false] {
        let world = World::new(-1).await;
        world.log_out();
        let error = world.token().await.unwrap_err();
        assert!(error.to_string().contains("log in there again"), "{error}");
        assert!(matches!(world.state().await, AccountState::NeedsLogin { .. }));
        let updated = world.store.accounts.generation();
        world.token().await.unwrap_err();
        assert_eq!(world.store.accounts.generation(), updated, "nothing is written while it waits");

        if server {
            world.manager.keep_fresh(WATCHFUL);
        }
        world.write("new", 3600);
        if server {
            world.until_stored("new").await;
        }
        assert_eq!(world.token().await.unwrap(), "new");
        assert_eq!(world.state().await, AccountState::Ready);
    }
}

#[tokio::test]
async fn a_login_that_was_given_up_goes_on_after_a_restart() {
    let world = World::new(-1).await;
    world.log_out();
    world.token().await.unwrap_err();
    // Nothing ran when the program logged in. Its owner has not done more than that.
    world.write("new", 3600);
    let vendor = claude::vendor(&Urls::none(), Network::default());
    let restarted = manager(&world.store, &vendor);
    restarted.keep_fresh(WATCHFUL);
    world.until_stored("new").await;
    assert_eq!(world.state().await, AccountState::Ready);
}

#[tokio::test]
async fn what_is_waited_for_is_told_as_it_is_now() {
    let world = World::new(-1).await;
    world.log_out();
    world.token().await.unwrap_err();
    world.write("older", -1);
    let error = world.token().await.unwrap_err();
    assert!(error.to_string().contains("use that program once"), "{error}");
    assert!(
        matches!(world.state().await, AccountState::NeedsLogin { reason } if reason.contains("use that program once"))
    );
}

#[tokio::test]
async fn whose_it_is_stays_with_the_account_that_has_it() {
    let world = World::new(-1).await;
    let other = Account { identity: Some("p/o".to_owned()), ..account("other") };
    world.store.accounts.insert(other, Credential::Oauth(tokens(99))).await.unwrap();
    world.write("new", 3600);
    let file = std::fs::read_to_string(world.file()).unwrap();
    let ids = r#""accountUuid":"p","organizationUuid":"o","scopes""#;
    std::fs::write(world.file(), file.replace(r#""scopes""#, ids)).unwrap();
    assert_eq!(world.token().await.unwrap(), "new");
    let account = world.store.accounts.get(&world.id).await.unwrap().unwrap();
    assert_eq!(account.identity, None, "one person is not two accounts");
}
