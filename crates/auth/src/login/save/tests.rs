use super::{NewLogin, SaveLogin, save_login};
use crate::LoginError;
use crate::testing::{START, TestClock, add_account, provider, stored, tokens};
use byok_store::{AccountDetails, Store, StoreError};
use byok_types::{AccountState, Credential, OauthTokens, ProviderId, Secret};

fn login(identity: Option<&str>, email: Option<&str>) -> NewLogin {
    NewLogin {
        credential: Credential::Oauth(OauthTokens {
            access: Secret::new("new-access"),
            refresh: Some(Secret::new("new-refresh")),
            ..tokens(99)
        }),
        details: AccountDetails {
            email: email.map(Into::into),
            plan: Some("max".into()),
            identity: identity.map(Into::into),
        },
    }
}

/// The login with a grant of its own.
fn granted(mut login: NewLogin, grant: &str) -> NewLogin {
    if let Credential::Oauth(tokens) = &mut login.credential {
        tokens.refresh = Some(Secret::new(grant));
    }
    login
}

fn how(provider: &ProviderId) -> SaveLogin<'_> {
    SaveLogin { provider, account: None, label: None, claims: &[] }
}

#[tokio::test]
async fn a_new_account() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let claims = ["claude-code-prompt".to_owned()];
    let how = SaveLogin { claims: &claims, ..how(&provider) };
    let account =
        save_login(&store, &*clock, login(Some("p/o"), Some("ada@example.com")), how).await.unwrap();
    assert_eq!(store.accounts.get(&account.id).await.unwrap().as_ref(), Some(&account));
    assert_eq!(account.label, "ada@example.com");
    assert_eq!(account.claims, claims);
    assert_eq!((account.expires_at, account.created_at), (Some(START + 99), START));
    assert_eq!(stored(&store, &account.id).await.access.expose(), "new-access");
}

#[tokio::test]
async fn labels_of_new_accounts() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let mut labels = Vec::new();
    for (identity, email) in
        [(Some("p/o"), Some("a@b.c")), (Some("p/q"), Some("a@b.c")), (None, None), (None, None)]
    {
        let login = granted(login(identity, email), &labels.len().to_string());
        labels.push(save_login(&store, &*clock, login, how(&provider)).await.unwrap().label);
    }
    assert_eq!(labels, ["a@b.c", "a@b.c 2", "claude", "claude 2"]);
    let chosen = SaveLogin { label: Some("claude"), ..how(&provider) };
    let error = save_login(&store, &*clock, login(None, None), chosen).await.unwrap_err();
    assert!(matches!(error, LoginError::Store(StoreError::LabelTaken)), "{error:?}");
}

#[tokio::test]
async fn logging_in_again_revives_the_account() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let first = save_login(&store, &*clock, login(Some("p/o"), Some("a@b.c")), how(&provider)).await.unwrap();
    store.accounts.set_claims(&first.id, vec!["kept".into()]).await.unwrap();
    store.accounts.set_state(&first.id, AccountState::NeedsLogin { reason: "x".into() }).await.unwrap();
    clock.pass(1000);

    let again = save_login(&store, &*clock, login(Some("p/o"), None), how(&provider)).await.unwrap();
    assert_eq!((&again.id, &again.state), (&first.id, &AccountState::Ready));
    assert_eq!(again.email.as_deref(), Some("a@b.c"), "what the vendor does not say any more is kept");
    assert_eq!(again.claims, ["kept"]);
    assert_eq!((again.created_at, again.updated_at), (START, START + 1000));
    assert_eq!(store.accounts.list(None).await.unwrap().len(), 1);

    let other_organisation =
        save_login(&store, &*clock, login(Some("p/q"), None), how(&provider)).await.unwrap();
    assert_ne!(other_organisation.id, first.id);
}

#[tokio::test]
async fn only_the_owner_logs_in_again() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let first = save_login(&store, &*clock, login(Some("p/o"), None), how(&provider)).await.unwrap();
    let before = stored(&store, &first.id).await;
    let named = SaveLogin { account: Some(&first.id), ..how(&provider) };
    let foreign = login(Some("x/o"), None);
    let error = save_login(&store, &*clock, foreign, named).await.unwrap_err();
    assert!(matches!(error, LoginError::OtherAccount { .. }), "{error:?}");
    assert_eq!(stored(&store, &first.id).await.access.expose(), before.access.expose());

    let unknown = add_account(&store, "unknown", tokens(0)).await;
    let named = SaveLogin { account: Some(&unknown), ..how(&provider) };
    let known = save_login(&store, &*clock, login(Some("y/o"), None), named).await.unwrap();
    assert_eq!((known.id, known.identity.as_deref()), (unknown, Some("y/o")));
}

#[tokio::test]
async fn an_old_copy_takes_the_place_of_no_login_that_works() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let ours = save_login(&store, &*clock, login(None, None), how(&provider)).await.unwrap();
    let old = stored(&store, &ours.id).await;
    let renewed = OauthTokens { refresh: Some(Secret::new("renewed")), ..old.clone() };
    store.secrets.begin_refresh(&ours.id, old.hash()).await.unwrap();
    store.secrets.commit_if(&ours.id, old.hash(), &renewed).await.unwrap();
    let labels = [None, Some("new name")];
    let named = labels.map(|label| SaveLogin { label, ..how(&provider) });
    for how in named.into_iter().chain([SaveLogin { account: Some(&ours.id), ..how(&provider) }]) {
        for state in [AccountState::Ready, AccountState::ExtraUsage] {
            store.accounts.set_state(&ours.id, state.clone()).await.unwrap();
            let error = save_login(&store, &*clock, login(None, None), how).await.unwrap_err();
            assert!(matches!(&error, LoginError::Spent { .. }), "{error:?}");
            let account = store.accounts.get(&ours.id).await.unwrap().unwrap();
            assert_eq!((account.label, account.state), (ours.label.clone(), state));
            assert_eq!(stored(&store, &ours.id).await.hash(), renewed.hash());
        }
    }
    // What works no more has nothing to lose.
    let state = AccountState::NeedsLogin { reason: "r".to_owned() };
    store.accounts.set_state(&ours.id, state).await.unwrap();
    let again = save_login(&store, &*clock, login(None, None), how(&provider)).await.unwrap();
    assert_eq!((again.id, again.state), (ours.id, AccountState::Ready));
    assert_eq!(store.accounts.list(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_login_is_never_two_accounts() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let ours = save_login(&store, &*clock, login(Some("p/o"), Some("a@b.c")), how(&provider)).await.unwrap();
    let work = add_account(&store, "work", tokens(0)).await;
    let before = stored(&store, &work).await;
    // By whose it is, and, where nobody says that, by the grant.
    for new in [granted(login(Some("p/o"), None), "another"), login(None, None)] {
        let named = SaveLogin { account: Some(&work), ..how(&provider) };
        let error = save_login(&store, &*clock, new, named).await.unwrap_err();
        assert!(matches!(&error, LoginError::IsThere { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.starts_with("this login is that of `a@b.c` already"), "{told}");
        assert!(told.contains("`byok accounts remove claude --account a@b.c`"), "{told}");
        assert_eq!(stored(&store, &work).await.hash(), before.hash());
    }
    // Without a name, or with a new one, it is the account that is there.
    let again = save_login(&store, &*clock, login(None, None), how(&provider)).await.unwrap();
    let new_name = SaveLogin { label: Some("mine"), ..how(&provider) };
    let called = save_login(&store, &*clock, login(None, None), new_name).await.unwrap();
    assert_eq!((&again.id, &called.id, &*called.label), (&ours.id, &ours.id, "mine"));
    assert_eq!(called.identity.as_deref(), Some("p/o"));
    assert_eq!(store.accounts.list(None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_and_a_login_of_one_person_stand_side_by_side() {
    let (store, provider, clock) = (Store::memory(), provider(), TestClock::start());
    let key = || NewLogin { credential: Credential::ApiKey(Secret::new("key")), ..login(Some("p"), None) };
    let plan = save_login(&store, &*clock, login(Some("p"), None), how(&provider)).await.unwrap();
    let paid = save_login(&store, &*clock, key(), how(&provider)).await.unwrap();
    assert_ne!(plan.id, paid.id);
    assert_eq!(stored(&store, &plan.id).await.access.expose(), "new-access");
    let again = save_login(&store, &*clock, login(Some("p"), None), how(&provider)).await.unwrap();
    assert_eq!(again.id, plan.id);
    assert_eq!(save_login(&store, &*clock, key(), how(&provider)).await.unwrap().id, paid.id);

    for (named, new) in [(&plan, key()), (&paid, login(None, None))] {
        let named = SaveLogin { account: Some(&named.id), ..how(&provider) };
        let error = save_login(&store, &*clock, new, named).await.unwrap_err();
        assert!(matches!(error, LoginError::OtherKind { .. }), "{error:?}");
    }
}
