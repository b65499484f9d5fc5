//! What byok says of itself to a provider that is not literally true, and the owner's consent to it.

use super::tell_the_rule;
use crate::{
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    NewLogin,
    claims::{self, Claim, ClaimPlace, claims_of, is_needed, with_keys},
};
use byok_store::Store;
use byok_types::{Account, Credential, CredentialKind, ProviderId, account_flag};

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
            terminal::say(explained(claim, None));
            if terminal::is_interactive() && lines.agrees("Shall byok send it for this account?").await {
                self.accepted.push(claim.name.to_owned());
            }
        }
        self.asked = true;
        known.iter().chain(&self.accepted).cloned().collect()
    }

    /// Whether to go on where an account without consent serves nobody. A script has said what it wants.
    pub(in crate::commands) async fn or_leave(
        &self,
        provider: &ProviderId,
        agreed: &[String],
        lines: &mut Lines,
    ) -> Result<(), Trouble> {
        let lacks = self.claims.iter().any(|claim| agreed.iter().all(|name| name != claim.name));
        if !lacks || claims::callers_make_them(provider.as_str()) || !terminal::is_interactive() {
            return Ok(());
        }
        terminal::say("Without it the login is kept, and serves nobody until you consent.");
        if lines.agrees("Log in all the same?").await {
            return Ok(());
        }
        let names: Vec<_> = self.claims.iter().map(|claim| claim.name).collect();
        Err(Trouble::new(Exit::NotAllowed, "nobody is logged in, for want of consent")
            .hint(format!("`byok login {provider} --accept-claim {}` consents beforehand", names.join(","))))
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

    /// Asks for what is not settled yet and stores the answer. Without a terminal nothing is asked and nothing assumed.
    pub(in crate::commands) async fn settle(
        self,
        store: &Store,
        account: &Account,
        lines: &mut Lines,
    ) -> Result<(), Trouble> {
        let mut consented = account.claims.clone();
        let mut lacking = Vec::new();
        for claim in self.claims {
            let accepted = self.accepted.iter().any(|name| name == claim.name);
            if !accepted && consented.iter().any(|name| name == claim.name) {
                terminal::say(format_args!("your consent to the claim `{}` stays", claim.name));
                continue;
            }
            if !accepted && !self.asked {
                terminal::say(explained(claim, Some(account)));
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
                tell_sent(claim);
            } else {
                lacking.push(claim.name);
            }
        }
        if consented != account.claims {
            store.accounts.set_claims(&account.id, consented).await?;
        }
        if !lacking.is_empty() {
            let it = if lacking.len() > 1 { "them" } else { "it" };
            let so = if claims::callers_make_them(account.provider.as_str()) {
                ""
            } else {
                ", so this account serves nobody"
            };
            terminal::say(format_args!(
                "byok does not send {it}{so}; `{}` changes that",
                accept(account, &lacking)
            ));
        }
        Ok(())
    }
}

/// Consents to these claims for an account that there is, having shown them.
pub(in crate::commands) async fn give(
    store: &Store,
    account: &Account,
    names: Vec<String>,
) -> Result<(), Trouble> {
    let consent = Consent::new(&account.provider, names)?;
    let credential = store.secrets.load(&account.id).await?;
    let needed = credential.map(|it| claims::needed(account.provider.as_str(), &it)).unwrap_or_default();
    tell_the_rule(account.provider.as_str());
    let mut consented = account.claims.clone();
    for claim in consent.claims.iter().filter(|claim| consent.accepted.iter().any(|name| name == claim.name))
    {
        if !needed.contains(claim) {
            terminal::say(format_args!(
                "{} serves without the claim `{}`: it is not sent",
                account.label, claim.name
            ));
        } else if consented.iter().any(|name| name == claim.name) {
            terminal::say(format_args!("your consent to the claim `{}` stays", claim.name));
        } else {
            terminal::say(explained(claim, Some(account)));
            consented.push(claim.name.to_owned());
            tell_sent(claim);
        }
    }
    if consented != account.claims {
        store.accounts.set_claims(&account.id, consented).await?;
    }
    Ok(())
}

fn tell_sent(claim: &Claim) {
    terminal::say(format_args!("byok sends the claim `{}` for this account", claim.name));
}

/// The command that consents to these claims for this account.
pub(in crate::commands) fn accept(account: &Account, names: &[&str]) -> String {
    claims::command(account.provider.as_str(), &account_flag(&account.label), names)
}

/// Which claims a login lacks that was stored without a question, and what consents to them.
pub(in crate::commands) fn missing(account: &Account, credential: &Credential) -> Option<String> {
    let needed = claims::needed(account.provider.as_str(), credential).into_iter().map(|claim| claim.name);
    let missing: Vec<_> = needed.filter(|name| account.claims.iter().all(|has| has != name)).collect();
    let plural = if missing.len() > 1 { "s" } else { "" };
    (!missing.is_empty()).then(|| {
        format!(
            "for {} byok does not send the claim{plural} `{}`; `{}` changes that",
            account.label,
            missing.join("`, `"),
            accept(account, &missing)
        )
    })
}

/// What is said of a claim before somebody consents; with the account, where it is one that there is.
pub(in crate::commands) fn explained(claim: &Claim, account: Option<&Account>) -> String {
    let flag = account.map(|account| format!(" {}", account_flag(&account.label))).unwrap_or_default();
    let place = match claim.place {
        ClaimPlace::FirstSystemBlock => "as the first block of the system prompt".to_owned(),
        ClaimPlace::Header(name) => format!("in the header `{name}`"),
    };
    format!(
        "\none thing is not literally true of byok. With your consent it sends, {place}:\n\n  {}\n\n{}\n\
         `byok accounts claims {}{flag} --revoke {}` takes the consent back.",
        claim.value, claim.without, claim.provider, claim.name
    )
}
