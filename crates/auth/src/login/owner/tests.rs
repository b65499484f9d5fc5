use super::{ask_owner, finer, known_account, learn_owners, used_up_by};
use crate::{
    NewLogin, OwnerFuture, RefreshFuture, Refresher,
    testing::{add_account, provider, tokens},
};
use byok_store::{AccountDetails, Store};
use byok_transport::{Transport, TransportOptions};
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};

/// A vendor that says who it is, or that has no way to be asked.
struct Says(Option<AccountDetails>);

impl Refresher for Says {
    fn refresh<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async { Err(crate::RefreshError::busy("not asked for", None)) })
    }

    fn owner<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        let details = self.0.clone()?;
        let facts =
            TokenFacts::from([("a".to_owned(), Secret::new("said")), ("b".to_owned(), Secret::new("said"))]);
        Some(Box::pin(async move { crate::Owner { details, facts, standing: crate::Standing::Taken } }))
    }
}

fn details(identity: Option<&str>, email: Option<&str>, plan: Option<&str>) -> AccountDetails {
    let [identity, email, plan] = [identity, email, plan].map(|text| text.map(str::to_owned));
    AccountDetails { email, plan, identity }
}

fn login(details: AccountDetails) -> NewLogin {
    let facts = TokenFacts::from([("a".to_owned(), Secret::new("had"))]);
    NewLogin { credential: Credential::Oauth(OauthTokens { facts, ..tokens(99) }), details }
}

fn transport() -> Transport {
    Transport::new(TransportOptions::default()).unwrap()
}

#[tokio::test]
async fn what_the_vendor_says_counts_most() {
    let file = details(Some("by-file"), None, Some("old"));
    let cases = [
        (Some(details(Some("id"), Some("a@b.c"), None)), details(Some("id"), Some("a@b.c"), Some("old")), 2),
        (Some(AccountDetails::default()), file.clone(), 2),
        (None, file.clone(), 1),
    ];
    for (said, expected, facts) in cases {
        let was_asked = said.is_some();
        let (asked, confirmed) =
            ask_owner(&provider(), &Says(said), &transport(), login(file.clone())).await.unwrap();
        assert_eq!(confirmed, was_asked);
        let Credential::Oauth(tokens) = &asked.credential else { panic!() };
        assert_eq!((&asked.details, tokens.facts.len()), (&expected, facts));
        assert_eq!(tokens.fact("a"), Some("had"), "what is there stays");
    }
}

#[test]
fn the_finer_of_two_words_for_one_identity_counts() {
    for (said, stated, expected) in [
        (Some("space"), Some("space/ada"), Some("space/ada")),
        (Some("space/bob"), Some("space/ada"), Some("space/bob")),
        (Some("space"), Some("spaceship/ada"), Some("space")),
        (Some("space/ada"), Some("space"), Some("space/ada")),
        (None, Some("ada"), Some("ada")),
        (Some("ada"), None, Some("ada")),
    ] {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        assert_eq!(finer(owned(said), owned(stated)), owned(expected), "{said:?} {stated:?}");
    }
}

#[tokio::test]
async fn a_nameless_account_gets_its_name_and_is_found() {
    let (store, provider) = (Store::memory(), provider());
    let id = add_account(&store, "nameless", tokens(99)).await;
    let me = details(Some("id"), Some("a@b.c"), None);
    let new = NewLogin {
        credential: Credential::Oauth(OauthTokens {
            access: Secret::new("new"),
            refresh: Some(Secret::new("new")),
            ..tokens(99)
        }),
        details: me.clone(),
    };
    for says in [Says(None), Says(Some(AccountDetails::default()))] {
        learn_owners(&store, &says, &transport(), &provider).await.unwrap();
        assert!(known_account(&store, &provider, &new).await.unwrap().is_none());
    }
    learn_owners(&store, &Says(Some(me)), &transport(), &provider).await.unwrap();
    let known = known_account(&store, &provider, &new).await.unwrap().unwrap();
    assert_eq!((known.id, known.identity.as_deref()), (id, Some("id")));
}

#[tokio::test]
async fn a_copy_of_tokens_that_were_renewed_is_of_their_account() {
    let (store, provider) = (Store::memory(), provider());
    let id = add_account(&store, "mine", tokens(99)).await;
    store.accounts.set_details(&id, details(Some("me"), None, None)).await.unwrap();
    let renewed = OauthTokens { refresh: Some(Secret::new("renewed")), ..tokens(99) };
    store.secrets.begin_refresh(&id, tokens(99).hash()).await.unwrap();
    store.secrets.commit_if(&id, tokens(99).hash(), &renewed).await.unwrap();
    for (owner, known) in [(None, true), (Some("me"), true), (Some("another"), false)] {
        let copy = login(details(owner, None, None));
        let found = known_account(&store, &provider, &copy).await.unwrap();
        assert_eq!(found.map(|account| account.id), known.then(|| id.clone()), "{owner:?}");
        let spent = used_up_by(&store, &provider, &copy).await.unwrap();
        assert_eq!(spent.map(|account| account.id), known.then(|| id.clone()), "{owner:?}");
    }
}

#[tokio::test]
async fn two_accounts_of_one_person_do_not_share_a_name() {
    let (store, provider) = (Store::memory(), provider());
    let me = details(Some("id"), Some("a@b.c"), None);
    for id in ["first", "second"] {
        add_account(&store, id, OauthTokens { refresh: Some(Secret::new(id)), ..tokens(99) }).await;
        learn_owners(&store, &Says(Some(me.clone())), &transport(), &provider).await.unwrap();
    }
    let named: Vec<_> =
        store.accounts.list(None).await.unwrap().into_iter().filter(|a| a.identity.is_some()).collect();
    assert_eq!((named.len(), named[0].id.as_str()), (1, "first"));
}

/// A vendor that never answers.
struct Silent;

impl Refresher for Silent {
    fn refresh<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async { Err(crate::RefreshError::busy("not asked for", None)) })
    }

    fn owner<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(std::future::pending()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_vendor_is_not_waited_for() {
    let (store, provider) = (Store::memory(), provider());
    for name in ["a", "b", "c"] {
        add_account(&store, name, tokens(99)).await;
    }
    let begun = tokio::time::Instant::now();
    learn_owners(&store, &Silent, &transport(), &provider).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 10, "all at the same time");
    let asked =
        ask_owner(&provider, &Silent, &transport(), login(details(Some("by-file"), None, None))).await;
    let (login, confirmed) = asked.unwrap();
    assert_eq!(
        (begun.elapsed().as_secs(), login.details.identity.as_deref(), confirmed),
        (20, Some("by-file"), false)
    );
}
