use super::*;
use byok_types::{Account, ProviderId, Secret};

fn account(state: AccountState) -> Account {
    Account {
        id: AccountId::new("one").unwrap(),
        provider: ProviderId::new("claude").unwrap(),
        label: "ada".to_owned(),
        kind: CredentialKind::ApiKey,
        identity: None,
        email: None,
        plan: None,
        state,
        claims: Vec::new(),
        expires_at: None,
        created_at: 0,
        updated_at: 7,
    }
}

#[tokio::test]
async fn an_account_that_has_just_ended_is_not_ready_beside_the_words_that_say_so() {
    let store = Store::memory();
    let ended = AccountState::NeedsLogin { reason: "Anthropic says `invalid_grant`".to_owned() };
    let key = Credential::ApiKey(Secret::new("k"));
    store.accounts.insert(account(ended), key).await.unwrap();
    let problem =
        Problem { what: "it does not work any more".to_owned(), at: 9, remedy: "log in".to_owned() };
    let as_it_was = || AccountStatus {
        problem: Some(problem.clone()),
        ..AccountStatus::of(&account(AccountState::Ready))
    };
    let mut providers = [ProviderStatus::new("claude", vec![as_it_was()])];
    ProviderStatus::note_ends(&mut providers, &store).await;
    let [now] = &*providers[0].accounts else { panic!("one account") };
    assert_eq!((&*now.state, &now.problem), ("needs_login", &Some(problem.clone())));
    assert!(now.reason.as_ref().is_some_and(|reason| reason.contains("invalid_grant")), "{:?}", now.reason);

    // One that serves stays as it was.
    store.accounts.set_state(&account(AccountState::Ready).id, AccountState::Ready).await.unwrap();
    let mut providers = [ProviderStatus::new("claude", vec![as_it_was()])];
    ProviderStatus::note_ends(&mut providers, &store).await;
    assert_eq!(providers[0].accounts[0].state, "ready");
}
