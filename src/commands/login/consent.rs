//! What byok says of itself to a provider that is not literally true, and the owner's consent to it.

use crate::{
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    NewLogin,
    claims::{Claim, ClaimPlace, claims_of, is_needed, with_keys},
};
use byok_store::Store;
use byok_types::{Account, Credential, CredentialKind, ProviderId};

/// The claims of a provider, and those that were accepted on the command line.
pub(in crate::commands) struct Consent {
    claims: Vec<&'static Claim>,
    accepted: Vec<String>,
    /// Whether it was asked before the login.
    asked: bool,
}

impl Consent {
    /// Checks the names before anything happens.
    pub(in crate::commands) fn new(provider: &ProviderId, accepted: Vec<String>) -> Result<Self, Trouble> {
        let claims: Vec<_> = claims_of(provider.as_str(), CredentialKind::Oauth).collect();
        if let Some(unknown) = accepted.iter().find(|name| claims.iter().all(|claim| claim.name != **name)) {
            let names: Vec<_> = claims.iter().map(|claim| claim.name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Trouble::new(Exit::Usage, format!("{provider} has no claim `{unknown}`"))
                .hint(format!("its claims are: {known}")));
        }
        Ok(Self { claims, accepted, asked: false })
    }

    /// Asks before a login that itself makes the claims. Returns the names of those that were consented to.
    pub(in crate::commands) async fn before(&mut self, known: &[String], lines: &mut Lines) -> Vec<String> {
        for claim in &self.claims {
            if known.iter().chain(&self.accepted).any(|name| name == claim.name) {
                continue;
            }
            terminal::say(explained(claim));
            if terminal::is_interactive() && lines.agrees("Shall byok send it for this account?").await {
                self.accepted.push(claim.name.to_owned());
            }
        }
        self.asked = true;
        known.iter().chain(&self.accepted).cloned().collect()
    }

    /// The claims that this login needs: some are only for some ways to use an account.
    pub(in crate::commands) fn for_login(mut self, login: &NewLogin) -> Self {
        match &login.credential {
            Credential::Oauth(tokens) => self.claims.retain(|claim| is_needed(claim, &tokens.facts)),
            Credential::ApiKey(_) => self.claims.retain(|claim| with_keys(claim.provider)),
        }
        self
    }

    /// What was consented to before the login.
    pub(in crate::commands) fn agreed(&self) -> Vec<String> {
        let needed = |name: &&String| self.claims.iter().any(|claim| claim.name == **name);
        self.accepted.iter().filter(needed).cloned().collect()
    }

    /// Asks for what is not settled yet and stores the answer; `login` is the command that makes this login again. Without a
    /// terminal nothing is asked and nothing assumed.
    pub(in crate::commands) async fn settle(
        self,
        store: &Store,
        account: &Account,
        login: &str,
        lines: &mut Lines,
    ) -> Result<(), Trouble> {
        let mut consented = account.claims.clone();
        for claim in self.claims {
            let accepted = self.accepted.iter().any(|name| name == claim.name);
            if !accepted && consented.iter().any(|name| name == claim.name) {
                terminal::say(format_args!("your consent to the claim `{}` stays", claim.name));
                continue;
            }
            if !accepted && !self.asked {
                terminal::say(explained(claim));
            }
            let agrees = accepted
                || (!self.asked
                    && terminal::is_interactive()
                    && lines.agrees("Shall byok send it for this account?").await);
            if agrees {
                // What was accepted before the login is stored with it.
                if !accepted {
                    consented.push(claim.name.to_owned());
                }
                terminal::say(format_args!("byok sends the claim `{}` for this account", claim.name));
            } else {
                terminal::say(format_args!(
                    "byok does not send it; `{login} --accept-claim {}` changes that",
                    claim.name
                ));
            }
        }
        if consented != account.claims {
            store.accounts.set_claims(&account.id, consented).await?;
        }
        Ok(())
    }
}

/// Which claims a login lacks that was stored without a question; `login` is the command that makes it again.
pub(in crate::commands) fn missing(
    account: &Account,
    credential: &Credential,
    login: &str,
) -> Option<String> {
    let claims = claims_of(account.provider.as_str(), CredentialKind::Oauth);
    let needed = claims.filter(|claim| match credential {
        Credential::Oauth(tokens) => is_needed(claim, &tokens.facts),
        Credential::ApiKey(_) => with_keys(claim.provider),
    });
    let names = needed.map(|claim| claim.name);
    let missing: Vec<_> = names.filter(|name| account.claims.iter().all(|has| has != name)).collect();
    let flags: Vec<_> = missing.iter().map(|name| format!("--accept-claim {name}")).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "for {} byok does not send the claim `{}`; `{login} {}` changes that",
            account.label,
            missing.join("`, `"),
            flags.join(" ")
        )
    })
}

fn explained(claim: &Claim) -> String {
    let place = match claim.place {
        ClaimPlace::FirstSystemBlock => "as the first block of the system prompt".to_owned(),
        ClaimPlace::Header(name) => format!("in the header `{name}`"),
    };
    format!(
        "\none thing is not literally true of byok. With your consent it sends, {place}:\n\n  {}\n\n{}\n\
         `byok accounts claims {} --revoke {}` takes the consent back.",
        claim.value, claim.without, claim.provider, claim.name
    )
}
