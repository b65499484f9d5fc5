use crate::{
    cli::Global,
    logging, logins, network,
    place::{Place, open_existing_store},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_auth::named;
use byok_config::Config;
use byok_store::Store;
use byok_types::{Account, Credential, ProviderId};
use clap::Args;

/// Log out: take the grant back at the provider and forget the tokens
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok logout claude
  byok logout claude --account work")]
pub(crate) struct Logout {
    /// Provider to log out of
    provider: String,
    /// Account, by its name, e-mail address or id; needed where there are several
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// All accounts of the provider
    #[arg(long, conflicts_with = "account")]
    all: bool,
}

impl Logout {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let place = Place::new(global)?;
        logging::start_quiet(place.variable("BYOK_LOG"));
        let config = place.load_without_keys()?.config;
        let store = open_existing_store(&config)?;
        let provider = logins::provider_id(&self.provider)?;
        let accounts = store.accounts.list(Some(&provider)).await?;
        if accounts.is_empty() {
            logins::existing(&self.provider, &config)?;
        }
        let leaving = if self.all && !accounts.is_empty() {
            accounts
        } else {
            vec![choose(&provider, &accounts, self.account.as_deref())?]
        };
        for account in leaving {
            log_out(&store, &config, &account).await?;
            terminal::say(format_args!("logged out of {provider}: {}", account.label));
        }
        store.close().await;
        Ok(())
    }
}

/// The account that a person means: the one of that name, or the only one.
pub(super) fn choose(
    provider: &ProviderId,
    accounts: &[Account],
    name: Option<&str>,
) -> Result<Account, Trouble> {
    let mut meant = match name {
        Some(name) => named(accounts, name, true),
        None => accounts.to_vec(),
    };
    if meant.len() > 1 {
        return Err(several(provider, name, &meant));
    }
    match (meant.pop(), name) {
        (Some(account), _) => Ok(account),
        (None, Some(name)) if !accounts.is_empty() => {
            Err(Trouble::new(Exit::Usage, format!("`{provider}` has no account `{name}`"))
                .hint(format!("its accounts are: {}", labels(accounts))))
        }
        (None, _) => Err(Trouble::new(Exit::NotAllowed, format!("there is no account of `{provider}`"))
            .hint("`byok accounts` lists the accounts; API keys stand in the settings")),
    }
}

/// More than one account could be meant.
pub(super) fn several(provider: &ProviderId, name: Option<&str>, meant: &[Account]) -> Trouble {
    let what = match name {
        Some(name) => format!("several accounts of `{provider}` could be `{name}`"),
        None => format!("`{provider}` has several accounts"),
    };
    Trouble::new(Exit::Usage, what).hint(format!("name one with `--account`: {}", labels(meant)))
}

fn labels(accounts: &[Account]) -> String {
    accounts.iter().map(|account| account.label.as_str()).collect::<Vec<_>>().join(", ")
}

/// Takes the grant back and removes the account. The lock keeps a refresh from bringing tokens back in between.
async fn log_out(store: &Store, config: &Config, account: &Account) -> Result<(), Trouble> {
    let _lock = store.lock_account(&account.id).await?;
    match store.secrets.load(&account.id).await {
        // It belongs to another program, which stays logged in.
        Ok(Some(Credential::Oauth(tokens))) if byok_auth::followed(&tokens).is_some() => terminal::say(
            "the login belongs to the program that byok followed: it is forgotten here, and that program stays logged in",
        ),
        Ok(Some(Credential::Oauth(tokens))) => {
            let vendor = logins::vendor(account.provider.as_str(), config).ok();
            match vendor.and_then(|(_, vendor)| vendor.revoke) {
                Some(revoke) => {
                    let transport = network::transport(config)?;
                    if let Err(error) = revoke.revoke(&transport, &tokens).await {
                        terminal::warn(format_args!(
                            "{} could not be told that the login has ended: {error}. byok forgets the tokens all the same; the grant \
                             can be ended on the page of connected apps there.",
                            account.provider
                        ));
                    }
                }
                None if logins::ended(account.provider.as_str(), /* by key */ false).is_some() => {
                    terminal::say(format_args!("{} gives programs no way to end a grant", account.provider));
                }
                None => terminal::say(format_args!(
                    "{} gives programs no way to end a grant; its page of connected apps does",
                    account.provider
                )),
            }
        }
        Ok(Some(Credential::ApiKey(_)) | None) => {}
        // What cannot be opened cannot be taken back, but it can be removed.
        Err(error) => terminal::warn(error),
    }
    store.accounts.remove(&account.id).await?;
    Ok(())
}
