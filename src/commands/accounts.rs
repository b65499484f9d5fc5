use super::{
    config::pretty,
    logout::choose,
    status::{account_table, accounts_of},
};
use crate::{
    cli::Global,
    logging,
    logins::provider_id,
    place::{Place, open_existing_store},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_store::Store;
use byok_types::{Account, AccountState};
use clap::{Args, Subcommand};

/// List and change the accounts that byok is logged in to
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok accounts list
  byok accounts claims claude --revoke claude-code-prompt")]
pub(crate) struct Accounts {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the accounts
    #[command(after_help = "\
Examples:
  byok accounts list
  byok accounts list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what byok says of itself for an account, or take the consent back
    #[command(after_help = "\
Examples:
  byok accounts claims claude
  byok accounts claims claude --account work --revoke claude-code-prompt")]
    Claims {
        #[command(flatten)]
        which: Which,
        /// Take back the consent to this claim
        #[arg(long, value_name = "CLAIM")]
        revoke: Option<String>,
    },
    /// Use an account again that was switched off
    #[command(after_help = "\
Examples:
  byok accounts enable claude
  byok accounts enable claude --account work")]
    Enable(Which),
    /// Switch an account off without logging out
    #[command(after_help = "\
Examples:
  byok accounts disable claude
  byok accounts disable claude --account work")]
    Disable(Which),
}

/// An account.
#[derive(Debug, Args)]
struct Which {
    /// Provider of the account
    provider: String,
    /// Account, by its name, e-mail address or id; needed where there are several
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Accounts {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let place = Place::new(global)?;
        logging::start_quiet(place.variable("BYOK_LOG"));
        let store = open_existing_store(&place.load()?.config)?;
        match self.action.unwrap_or(Action::List { json: false }) {
            Action::List { json } => list(&store, json).await,
            Action::Claims { which, revoke } => {
                claims(&store, &which.find(&store).await?, revoke.as_deref()).await
            }
            Action::Enable(which) => enable(&store, &which.find(&store).await?).await,
            Action::Disable(which) => disable(&store, &which.find(&store).await?).await,
        }
    }
}

impl Which {
    async fn find(&self, store: &Store) -> Result<Account, Trouble> {
        let provider = provider_id(&self.provider)?;
        let accounts = store.accounts.list(Some(&provider)).await?;
        choose(&provider, accounts, self.account.as_deref())
    }
}

async fn list(store: &Store, json: bool) -> Result<(), Trouble> {
    let accounts = store.accounts.list(None).await?;
    let providers = accounts_of(&accounts);
    if json {
        return terminal::data(pretty(&providers)?);
    }
    if providers.is_empty() {
        terminal::say("byok is logged in nowhere; `byok login claude` begins");
        return Ok(());
    }
    terminal::data(account_table(&providers))
}

async fn claims(store: &Store, account: &Account, revoke: Option<&str>) -> Result<(), Trouble> {
    let Some(revoke) = revoke else {
        if account.claims.is_empty() {
            terminal::say(format_args!("no claim is made for {}", account.label));
        }
        return account.claims.iter().try_for_each(terminal::data);
    };
    let mut claims = account.claims.clone();
    claims.retain(|claim| claim != revoke);
    if claims.len() == account.claims.len() {
        let known = if claims.is_empty() { "there is none".to_owned() } else { claims.join(", ") };
        return Err(Trouble::new(
            Exit::Usage,
            format!("there is no consent to `{revoke}` for {}", account.label),
        )
        .hint(format!("consent was given to: {known}")));
    }
    store.accounts.set_claims(&account.id, claims).await?;
    terminal::say(format_args!("byok does not send the claim `{revoke}` for {} any more", account.label));
    Ok(())
}

async fn enable(store: &Store, account: &Account) -> Result<(), Trouble> {
    match &account.state {
        AccountState::Ready => terminal::say(format_args!("{} is in use already", account.label)),
        AccountState::Disabled | AccountState::ExtraUsage => {
            store.accounts.set_state(&account.id, AccountState::Ready).await?;
            terminal::say(format_args!("{} is in use again", account.label));
        }
        AccountState::NeedsLogin { reason } | AccountState::Blocked { reason } => {
            let provider = &account.provider;
            return Err(Trouble::new(
                Exit::NotAllowed,
                format!("{} cannot be used: {reason}", account.label),
            )
            .hint(format!("log in again with `byok login {provider} --account \"{}\"`", account.label)));
        }
    }
    Ok(())
}

async fn disable(store: &Store, account: &Account) -> Result<(), Trouble> {
    if account.state != AccountState::Disabled {
        store.accounts.set_state(&account.id, AccountState::Disabled).await?;
    }
    terminal::say(format_args!(
        "{} is not used any more; `byok accounts enable {}` takes it back",
        account.label, account.provider
    ));
    Ok(())
}
