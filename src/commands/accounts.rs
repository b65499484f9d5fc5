mod add;
mod peers;
mod refresh;
mod scan;
mod transfer;

use super::login::{check_name, consent};
use super::{
    config::pretty,
    logout::choose,
    status::{account_table, stored},
};
use crate::{
    cli::Global,
    logging,
    logins::{self, provider_id},
    place::{Place, open_existing_store, open_store, tell_renewed},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::Config;
use byok_store::Store;
use byok_types::{Account, AccountState, account_flag};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

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
    /// Show what byok says of itself for an account, consent, or take it back
    #[command(after_help = "\
Examples:
  byok accounts claims claude --account work --accept claude-code-prompt
  byok accounts claims claude --account work --revoke claude-code-prompt")]
    Claims {
        #[command(flatten)]
        which: Which,
        /// Consent to these claims, which are shown with the provider's rule
        #[arg(long, value_name = "CLAIM", value_delimiter = ',', conflicts_with = "revoke")]
        accept: Vec<String>,
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
    /// Add an account from tokens that you paste
    ///
    /// Reads the content of a file of the provider's own program, the JSON of a token answer (`access_token`, `refresh_token`,
    /// `expires_in`), the key file of a service account, or an access token alone, from the terminal or from standard input.
    #[command(after_help = "\
Examples:
  byok accounts add claude --account work
  byok accounts add codex < auth.json")]
    Add {
        /// Provider of the account
        provider: String,
        /// Name of the new account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Consent to a claim without being asked; for scripts
        #[arg(long = "accept-claim", value_name = "NAME", value_delimiter = ',')]
        accept: Vec<String>,
    },
    /// Give an account another name
    #[command(after_help = "\
Examples:
  byok accounts rename claude work
  byok accounts rename claude --account old new")]
    Rename {
        #[command(flatten)]
        which: Which,
        /// The new name
        name: String,
    },
    /// Forget an account without telling the provider
    #[command(after_help = "\
Examples:
  byok accounts remove claude
  byok accounts remove claude --account old")]
    Remove(Which),
    /// Renew the tokens of an account now
    #[command(after_help = "\
Examples:
  byok accounts refresh claude
  byok accounts refresh --all")]
    Refresh {
        /// Provider of the account
        #[arg(required_unless_present = "all")]
        provider: Option<String>,
        /// Account, by its name, e-mail address or id; needed where there are several
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// All logins of all providers
        #[arg(long, conflicts_with_all = ["provider", "account"])]
        all: bool,
    },
    /// Look for logins of the providers' own programs
    #[command(after_help = "\
Examples:
  byok accounts scan
  byok accounts scan --auto")]
    Scan {
        /// Use what is found: logins that two programs cannot share are followed
        #[arg(long)]
        auto: bool,
    },
    /// Write all accounts into a file sealed with a passphrase
    ///
    /// The file has the age format; the program `age` opens it, too.
    #[command(after_help = "\
Examples:
  byok accounts export backup.age
  byok accounts export backup.age --passphrase-file pass.txt")]
    Export {
        /// File to make; it must not be there
        file: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Take accounts over from an export of byok or another program's files
    ///
    /// Reads what `byok accounts export` wrote, and the logins of `CLIProxyAPI` (a file, its folder or its settings), `BYOKEY` (its
    /// database or settings), `CCProxy`, `KiroProxy`, `OctoProxy` (files, databases, exports) and opencode (`auth.json`).
    /// Which it is shows its content. Their files are only read. Logins that two programs cannot share are followed: the other
    /// program goes on renewing them.
    #[command(after_help = "\
Examples:
  byok accounts import backup.age
  byok accounts import ~/.cli-proxy-api --dry-run")]
    Import {
        /// File or folder to read
        file: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
        /// Renew the logins here from now on, although that logs the other program out
        #[arg(long)]
        take_over: bool,
        /// Say what would be taken over, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// The passphrase of a sealed file.
#[derive(Debug, Args)]
struct Passphrase {
    /// File whose first line is the passphrase; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
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
        // Those that ask vendors tell themselves what became of each login.
        let asks = matches!(
            self.action,
            Some(Action::Refresh { .. } | Action::Add { .. } | Action::Scan { .. } | Action::Import { .. })
        );
        let quiet = asks.then_some("off");
        logging::start_quiet(place.variable("BYOK_LOG").or(quiet));
        let action = self.action.unwrap_or(Action::List { json: false });
        let config = match place.load_without_keys() {
            Ok(loaded) => loaded.config,
            // Which accounts there are stands in the database, and a running byok goes on with the settings from before.
            Err(trouble) if matches!(action, Action::List { .. }) => {
                let (what, lines, _) = trouble.parts();
                let lines = lines.join("\n");
                terminal::warn(format_args!("{what}, so the accounts are listed without them:\n{lines}\n"));
                place.defaults()
            }
            Err(trouble) => return Err(trouble),
        };
        let store = open_existing_store(&config)?;
        match action {
            Action::List { json } => list(&place, &config, &store, json).await,
            Action::Claims { which, accept, revoke } => {
                let account = which.find(&store, &config).await?;
                if accept.is_empty() {
                    claims(&store, &account, revoke.as_deref()).await
                } else {
                    consent::give(&store, &account, accept).await
                }
            }
            Action::Enable(which) => enable(&config, &store, &which.find(&store, &config).await?).await,
            Action::Disable(which) => disable(&store, &which.find(&store, &config).await?).await,
            Action::Add { provider, account, accept } => {
                add::run(&config, &provider, account.as_deref(), accept).await
            }
            Action::Rename { which, name } => {
                rename(&store, &which.find(&store, &config).await?, &name).await
            }
            Action::Remove(which) => remove(&store, &which.find(&store, &config).await?).await,
            Action::Refresh { provider, account, all } => {
                let accounts = match provider {
                    Some(provider) if !all => vec![Which { provider, account }.find(&store, &config).await?],
                    _ => refresh::logins_of(&store).await?,
                };
                refresh::run(&store, &config, accounts).await
            }
            Action::Scan { auto } => scan::run(&place, &config, auto).await,
            Action::Export { file, passphrase } => transfer::export(&store, &file, &passphrase).await,
            Action::Import { file, passphrase, take_over, dry_run } => {
                let mode = peers::Mode { take_over, dry_run };
                import(&config, &file, &passphrase, mode).await
            }
        }
    }
}

/// Takes over what a file or folder holds, whichever program wrote it.
async fn import(
    config: &Config,
    file: &Path,
    passphrase: &Passphrase,
    mode: peers::Mode,
) -> Result<(), Trouble> {
    let sources = if file.is_dir() {
        let sources = peers::read_folder(file).await;
        if sources.is_empty() {
            let what = format!("no file in `{}` holds a login that byok can take over", file.display());
            return Err(Trouble::new(Exit::BadData, what)
                .hint("name the folder of CLIProxyAPI, or the file of another program"));
        }
        sources
    } else {
        let content = peers::content(file)?;
        if transfer::is_export(&content) {
            return transfer::import(config, file, content, passphrase, mode).await;
        }
        vec![peers::read_content(file, content).await?]
    };
    // Nothing is made where nothing is to be changed.
    let store = if mode.dry_run { open_existing_store(config)? } else { open_store(config)? };
    peers::import(&store, config, sources, mode).await?;
    store.close().await;
    Ok(())
}

impl Which {
    async fn find(&self, store: &Store, config: &Config) -> Result<Account, Trouble> {
        let provider = provider_id(&self.provider)?;
        let accounts = store.accounts.list(Some(&provider)).await?;
        if accounts.is_empty() {
            logins::existing(&self.provider, config)?;
        }
        choose(&provider, &accounts, self.account.as_deref())
    }
}

async fn list(place: &Place, config: &Config, store: &Store, json: bool) -> Result<(), Trouble> {
    let providers = stored(place, config, store).await?;
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
        let lacking = byok_auth::claims::missing(store, account).await;
        for claim in &lacking {
            terminal::say(consent::explained(claim, Some(account)));
        }
        let names: Vec<_> = lacking.iter().map(|claim| claim.name).collect();
        if !names.is_empty() {
            terminal::say(format_args!("\n`{}` consents", consent::accept(account, &names)));
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

async fn enable(config: &Config, store: &Store, account: &Account) -> Result<(), Trouble> {
    match &account.state {
        AccountState::Ready => {
            let rested = tell_renewed(&config.database, &account.id).await;
            let word = if rested { "rested and is in use again" } else { "is in use already" };
            terminal::say(format_args!("{} {word}", account.label));
        }
        // What the vendor had blocked its owner may have cleared there; if not, the vendor says so again.
        AccountState::Disabled { .. } | AccountState::ExtraUsage | AccountState::Blocked { .. } => {
            store.accounts.set_state(&account.id, AccountState::Ready).await?;
            tell_renewed(&config.database, &account.id).await;
            terminal::say(format_args!("{} is in use again", account.label));
        }
        AccountState::NeedsLogin { reason } => {
            let provider = &account.provider;
            return Err(Trouble::new(
                Exit::NotAllowed,
                format!("{} cannot be used: {reason}", account.label),
            )
            .hint(format!("log in again with `byok login {provider} {}`", account_flag(&account.label))));
        }
    }
    Ok(())
}

async fn rename(store: &Store, account: &Account, name: &str) -> Result<(), Trouble> {
    check_name(name)?;
    store.accounts.rename(&account.id, name).await?;
    terminal::say(format_args!("{} is called {name} now", account.label));
    Ok(())
}

/// Forgets an account. The lock keeps a refresh from bringing tokens back in between.
async fn remove(store: &Store, account: &Account) -> Result<(), Trouble> {
    let _lock = store.lock_account(&account.id).await?;
    store.accounts.remove(&account.id).await?;
    terminal::say(format_args!(
        "{} is forgotten; its grant at the provider is not ended by this",
        account.label
    ));
    Ok(())
}

async fn disable(store: &Store, account: &Account) -> Result<(), Trouble> {
    if !matches!(account.state, AccountState::Disabled { .. }) {
        store.accounts.set_state(&account.id, AccountState::OFF).await?;
    }
    terminal::say(format_args!(
        "{} is not used any more; `byok accounts enable {} {}` takes it back",
        account.label,
        account.provider,
        account_flag(&account.label)
    ));
    Ok(())
}
