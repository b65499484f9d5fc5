//! The logins of the demo: what a person would have got from the simulated vendors that take no key.

use crate::{logins::provider_id, trouble::Trouble};
use byok_auth::{Clock, NewLogin, SaveLogin, SystemClock, claims, copilot, save_login};
use byok_simulator::{GoogleClient, SimOptions, Simulator};
use byok_store::{AccountDetails, Store};
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};

/// Logs in to the vendors. Nobody is asked for consent to claims: the accounts are nobody's.
pub(super) async fn make(simulator: &Simulator, store: &Store) -> Result<(), Trouble> {
    let google = simulator.google_grant(GoogleClient::Antigravity);
    let iflow = Secret::new("sk-demo-iflow");
    let copilot_facts = [
        (copilot::MODE, copilot::DIRECT.to_owned()),
        (copilot::HOST, "github.com".to_owned()),
        (copilot::BASE, format!("{}/copilot", simulator.base_url())),
    ];
    let logins = [
        ("copilot", tokens(&simulator.github_grant(), None, copilot_facts)),
        (
            "antigravity",
            tokens(
                &google.access_token,
                Some(&google.refresh_token),
                [("project", "sim-project".to_owned())],
            ),
        ),
        ("iflow", Credential::ApiKey(iflow)),
    ];
    for (name, credential) in logins {
        let id = provider_id(name)?;
        let consented: Vec<String> = claims::claims()
            .iter()
            .filter(|claim| claim.provider == name)
            .map(|claim| claim.name.to_owned())
            .collect();
        let details =
            AccountDetails { email: Some("demo@example.org".to_owned()), ..AccountDetails::default() };
        let save = SaveLogin { provider: &id, account: None, label: Some("demo"), claims: &consented };
        save_login(store, &SystemClock, NewLogin { credential, details }, save).await?;
    }
    Ok(())
}

fn tokens<const N: usize>(access: &str, refresh: Option<&str>, facts: [(&str, String); N]) -> Credential {
    let life = i64::try_from(SimOptions::default().access_lifetime.as_secs()).unwrap_or(i64::MAX);
    let facts: TokenFacts =
        facts.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    Credential::Oauth(OauthTokens {
        access: Secret::new(access),
        refresh: refresh.map(Secret::new),
        // Google's tokens are good for a while; GitHub's have no end.
        expires_at: refresh.is_some().then(|| SystemClock.now().saturating_add(life)),
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts,
    })
}
