use super::*;
use crate::{
    Network, Urls, claude,
    testing::{account, transport},
};
use std::io::Write as _;

fn written(access: &str, left: i64) -> Vec<u8> {
    let ends = (SystemClock.now() + left) * 1000;
    format!(r#"{{"claudeAiOauth":{{"accessToken":"{access}","refreshToken":"sk-ant-ort01-x","expiresAt":{ends},"scopes":["user:inference"]}}}}"#)
        .into_bytes()
}

fn login(access: &str) -> (NewLogin, Arc<dyn Refresher>) {
    let vendor = claude::vendor(&Urls::none(), Network::default());
    let import = vendor.import.clone().unwrap();
    let mut found = import.read(".credentials.json", &written(access, 100), SystemClock.now()).unwrap();
    (found.remove(0).login, refresher(&vendor))
}

#[tokio::test]
async fn a_login_of_another_program_is_read_again_and_never_renewed() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let (login, refresher) = login("sk-ant-oat01-old");
    let Credential::Oauth(tokens) = follow(login, file.path()).credential else { panic!() };

    // Nothing newer: byok waits, and asks nobody (the vendor's own address could not be reached from here).
    file.write_all(&written("sk-ant-oat01-old", 100)).unwrap();
    let error = refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap_err();
    assert!(matches!(&error, RefreshError::Followed { .. }), "{error:?}");
    assert!(error.to_string().contains("use that program once"), "{error}");

    std::fs::write(file.path(), written("sk-ant-oat01-new", 3600)).unwrap();
    let (answer, _) = refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap();
    assert_eq!(answer.access.expose(), "sk-ant-oat01-new");
    let renewed = answer.into_tokens(Some(&tokens), SystemClock.now());
    assert_eq!(followed(&renewed), followed(&tokens), "it stays followed");

    // Its program may be writing it at this moment.
    for torn in [b"not json".as_slice(), b"", b"{\"claudeAiOauth\":{"] {
        std::fs::write(file.path(), torn).unwrap();
        let error = refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap_err();
        assert!(matches!(error, RefreshError::Followed { .. }), "{error:?}");
    }
    // The program may have logged out, or its file is away for a moment: it matters when the token has ended.
    let ended = OauthTokens { expires_at: Some(SystemClock.now() - 1), ..tokens.clone() };
    for there in [true, false] {
        if there {
            std::fs::write(file.path(), b"{}").unwrap();
        } else {
            std::fs::remove_file(file.path()).unwrap();
        }
        let error = refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap_err();
        assert!(matches!(error, RefreshError::Followed { what: Unfollowed::LoggedOut, .. }), "{error:?}");
        let error = refresher.refresh_as(&transport(), &ended, &account("a")).await.unwrap_err();
        assert!(matches!(error, RefreshError::Permanent { .. }), "{error:?}");
        assert!(error.to_string().contains("`byok login claude`"), "{error}");
    }
}

/// Of one vendor there may be several programs, and several homes: the command names the file that is followed.
#[tokio::test]
async fn what_takes_a_login_over_names_its_own_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("of a friend's.json");
    std::fs::write(&file, written("sk-ant-oat01-old", 100)).unwrap();
    let (login, refresher) = login("sk-ant-oat01-old");
    let tokens = |login: NewLogin| match login.credential {
        Credential::Oauth(tokens) => tokens,
        Credential::ApiKey(_) => panic!(),
    };
    let quoted = format!("'{}'", file.to_str().unwrap().replace('\'', "'\\''"));
    let own = tokens(follow(login.clone(), &file));
    for (label, name) in [("work", "work"), ("at home", "'at home'"), ("ada@x.org", "a")] {
        let account = Account { label: label.to_owned(), ..account("a") };
        let error = refresher.refresh_as(&transport(), &own, &account).await.unwrap_err().to_string();
        let command = format!("`byok login claude --import={quoted} --take-over --account {name}`");
        assert!(error.ends_with(&command), "{error}");
    }
    let peer = tokens(follow_entry(login, &file, "claude/work"));
    let told = unfollowed(Unfollowed::Unrenewed, &peer, &account("a")).to_string();
    assert!(told.ends_with(&format!("`byok accounts import {quoted} --take-over`")), "{told}");
    for (tokens, command) in [
        (&own, format!("`byok login claude --import={quoted}`")),
        (&peer, format!("`byok accounts import {quoted}`")),
    ] {
        let told = unfollowed(Unfollowed::OtherAccount, tokens, &account("a")).to_string();
        assert!(told.ends_with(&command), "{told}");
    }
}

/// A vendor that says this of whoever asks.
struct Says(AccountDetails);

impl Refresher for Says {
    fn refresh<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async { Err(RefreshError::busy("not asked for", None)) })
    }

    fn owner<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async { crate::Owner { details: self.0.clone(), ..crate::Owner::default() } }))
    }
}

fn known(identity: &str, email: &str, plan: &str) -> AccountDetails {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    AccountDetails { identity: some(identity), email: some(email), plan: some(plan) }
}

#[tokio::test]
async fn a_login_of_another_person_is_not_taken_for_that_of_the_account() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let ours = known("ada/home", "ada@x.org", "max 5x");
    // Whose the account is, what the file says, what the vendor says; what is new of the account, if it is taken.
    for (ours, file_says, vendor_says, expected) in [
        (&ours, known("ada/home", "", "max"), known("", "", ""), Some(known("", "", ""))),
        (
            &ours,
            known("", "", "max"),
            known("ada/home", "ada@x.org", "max 20x"),
            Some(known("", "ada@x.org", "max 20x")),
        ),
        (&ours, known("", "", "max"), known("bob/home", "bob@x.org", "pro"), None),
        (&ours, known("", "", "max"), known("ada/work", "ada@x.org", "team"), None),
        (&ours, known("bob/home", "", "max"), known("", "", ""), None),
        // The same in other words.
        (&ours, known("ada", "", "pro"), known("ada/home", "", ""), Some(known("", "", "pro"))),
        // Nobody can say it.
        (&ours, known("", "", "max"), known("", "", ""), Some(known("", "", ""))),
        (&known("", "", ""), known("", "", "max"), known("bob/home", "", ""), Some(known("", "", "max"))),
        // An address is better than nothing.
        (
            &known("", "ada@x.org", ""),
            known("", "Ada@x.org", ""),
            known("", "", ""),
            Some(known("", "Ada@x.org", "")),
        ),
        (&known("", "ada@x.org", ""), known("", "", ""), known("b", "bob@x.org", ""), None),
    ] {
        let vendor = claude::vendor(&Urls::none(), Network::default());
        let following =
            Following { own: Arc::new(Says(vendor_says.clone())), import: vendor.import.clone().unwrap() };
        let account = Account {
            identity: ours.identity.clone(),
            email: ours.email.clone(),
            plan: ours.plan.clone(),
            ..account("a")
        };
        let Credential::Oauth(newer) = login("new").0.credential else { panic!() };
        let taken = following.whose(&transport(), &newer, file_says.clone(), &account).await;
        let taken = taken.map(|details| news(details, &account));
        assert_eq!(taken, expected, "{ours:?} {file_says:?} {vendor_says:?}");
    }

    // While the token that is here is good it is used; then the account waits.
    let refresher = Following {
        own: Arc::new(Says(known("bob/home", "", ""))),
        import: claude::vendor(&Urls::none(), Network::default()).import.unwrap(),
    };
    let account = Account { identity: Some("ada/home".to_owned()), ..account("a") };
    let Credential::Oauth(tokens) = follow(login("sk-ant-oat01-old").0, file.path()).credential else {
        panic!()
    };
    std::fs::write(file.path(), written("sk-ant-oat01-new", 3600)).unwrap();
    let error = refresher.refresh_as(&transport(), &tokens, &account).await.unwrap_err();
    assert!(matches!(error, RefreshError::Followed { what: Unfollowed::OtherAccount, .. }), "{error:?}");
    let ended = OauthTokens { expires_at: Some(SystemClock.now() - 1), ..tokens };
    let error = refresher.refresh_as(&transport(), &ended, &account).await.unwrap_err();
    assert!(
        matches!(&error, RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } if reason.contains("to another account")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_login_of_a_program_like_byok_is_found_again_by_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch(
            "CREATE TABLE accounts (provider TEXT, account_id TEXT, label TEXT, is_active INTEGER, token_json TEXT)",
        )
        .unwrap();
    let end = SystemClock.now() + 3600;
    let put = |account: &str, access: &str| {
        let token = format!(r#"{{"access_token":"{access}","refresh_token":"r","expires_at":{end}}}"#);
        let row = "INSERT INTO accounts VALUES ('claude', ?1, NULL, 0, ?2)";
        database.execute("DELETE FROM accounts WHERE account_id = ?1", [account]).unwrap();
        database.execute(row, [account, &token]).unwrap();
    };
    put("home", "sk-ant-oat01-home");
    put("work", "sk-ant-oat01-old");
    let content = std::fs::read(&file).unwrap();
    let taken = peers::read("tokens.db", &content, &|_| None, 0).unwrap();
    let entry = taken.logins.into_iter().find(|entry| entry.key == "claude/work").unwrap();
    let Credential::Oauth(tokens) = follow_entry(entry.found.login, &file, &entry.key).credential else {
        panic!()
    };
    let refresher = refresher(&claude::vendor(&Urls::none(), Network::default()));
    refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap_err();

    put("work", "sk-ant-oat01-new");
    let (answer, _) = refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap();
    assert_eq!(answer.access.expose(), "sk-ant-oat01-new");

    database.execute("DELETE FROM accounts WHERE account_id = 'work'", []).unwrap();
    let error = refresher.refresh_as(&transport(), &tokens, &account("a")).await.unwrap_err();
    assert!(
        matches!(error, RefreshError::Followed { what: Unfollowed::LoggedOut, .. }),
        "the other account is not taken for it: {error:?}"
    );
}
