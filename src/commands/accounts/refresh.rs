//! Renewing logins now, and what became of each.

use crate::{
    logins, network, terminal,
    trouble::{Exit, Trouble},
};
use byok_auth::{AuthError, Clock as _, RefreshError, SystemClock, TokenManager, Unfollowed};
use byok_config::Config;
use byok_store::Store;
use byok_types::{Account, AccountState, Credential, CredentialKind, Fault, Retry};
use std::{sync::Arc, time::Duration};

/// How long a refresh that is under way may take to end.
const LAST_REFRESH: Duration = Duration::from_secs(10);

/// All logins that are not switched off. Those that cannot be renewed are named with the reason.
pub(super) async fn logins_of(store: &Store) -> Result<Vec<Account>, Trouble> {
    let mut accounts = store.accounts.list(None).await?;
    accounts.retain(|account| {
        account.kind == CredentialKind::Oauth && !matches!(account.state, AccountState::Disabled { .. })
    });
    Ok(accounts)
}

pub(super) async fn run(store: &Store, config: &Config, accounts: Vec<Account>) -> Result<(), Trouble> {
    let failed = renew(store, config, &accounts).await?;
    store.close().await;
    match failed {
        Some(exit) => {
            Err(Trouble::new(exit, "not every login could be renewed").hint("`byok status` says what helps"))
        }
        None => Ok(()),
    }
}

/// Renews logins and tells what became of each. Returns how it ended for the worst of those that could not be renewed.
pub(super) async fn renew(
    store: &Store,
    config: &Config,
    accounts: &[Account],
) -> Result<Option<Exit>, Trouble> {
    let transport = network::transport(config)?;
    let tokens =
        TokenManager::new(store.clone(), transport, logins::refreshers(config), Arc::new(SystemClock));
    let (mut failed, mut unsaved) = (None, Vec::new());
    for account in accounts {
        let (old, good_without, followed) = match store.secrets.load(&account.id).await? {
            Some(Credential::Oauth(old)) => {
                let followed = byok_auth::followed(&old).is_some() && !ended(account);
                (old.access.hash(), old.refresh.is_none() && !ended(account), followed)
            }
            Some(Credential::ApiKey(_)) | None => {
                terminal::say(format_args!(
                    "{} ({}) is a key, which is never renewed",
                    account.label, account.provider
                ));
                continue;
            }
        };
        let renewed = async {
            let current = tokens.access(&account.id).await?;
            // One that had ended has been renewed by that already, perhaps for the very same token.
            if current.hash == old && !ended(account) {
                tokens.refresh_now(&account.id, old).await
            } else {
                Ok(current)
            }
        };
        match renewed.await {
            // Said at the end: it is tried once more to store it.
            Ok(_) if tokens.is_unsaved(&account.id) => unsaved.push(account),
            Ok(_) => terminal::say(format_args!("renewed: {} ({})", account.label, account.provider)),
            // Nobody can renew it, and nobody has to yet: it goes on as before.
            Err(AuthError::Refused { .. }) if good_without => {
                terminal::say(format_args!(
                    "{} ({}) has nothing to renew it with; its token is used to its end",
                    account.label, account.provider
                ));
            }
            Err(AuthError::NotNow { source, .. }) if followed && is_in_order(&source) => {
                terminal::say(format_args!(
                    "{} ({}) is followed: the program that it belongs to renews it; its token is good until then",
                    account.label, account.provider
                ));
            }
            Err(error) => {
                terminal::warn(format_args!("{} ({}): {error}", account.label, account.provider));
                // What a person has to do is the state of the account already; the rest `byok status` would not know.
                if matches!(error, AuthError::NotNow { .. }) {
                    let noted = store.accounts.note_trouble(&account.id, &error.to_string()).await;
                    noted.unwrap_or_else(|error| tracing::warn!(%error, "the trouble is not noted"));
                }
                if followed {
                    terminal::say("its token is good for the time being, and goes on to be used");
                }
                // What a person must do weighs more than what passes.
                failed = match (failed, exit_of(&error)) {
                    (Some(before), Exit::Unavailable | Exit::TryAgain) => Some(before),
                    (Some(Exit::NotAllowed), _) => failed,
                    (_, exit) => Some(exit),
                };
            }
        }
    }
    tokens.shut_down(LAST_REFRESH).await;
    for Account { id, provider, label, .. } in unsaved {
        if !tokens.is_unsaved(id) {
            terminal::say(format_args!("renewed: {label} ({provider})"));
            continue;
        }
        terminal::warn(format_args!(
            "the login of {label} ({provider}) was renewed, but could not be stored: the disk is full, or another program locks \
             the database, and what the vendor gave is lost. Make room, and if the next renewal fails, log in again with \
             `byok login {provider}`"
        ));
        failed = Some(Exit::CannotCreate);
    }
    Ok(failed)
}

/// Whether a followed login is as it should be: its program renews it in time.
fn is_in_order(error: &RefreshError) -> bool {
    matches!(error, RefreshError::Followed { what: Unfollowed::Unrenewed, .. })
}

/// How a command ends that could not renew a login.
fn exit_of(error: &AuthError) -> Exit {
    match error {
        AuthError::NotNow { source, .. }
            if matches!(
                **source,
                RefreshError::Followed { what: Unfollowed::LoggedOut | Unfollowed::OtherAccount, .. }
            ) =>
        {
            Exit::NotAllowed
        }
        AuthError::Store(error) => Exit::of_store(error),
        error if error.retry() == Retry::AfterPerson => Exit::NotAllowed,
        _ => Exit::Unavailable,
    }
}

/// The followed logins that wait for their program, or whose token has ended.
pub(super) async fn waiting(store: &Store) -> Result<Vec<Account>, Trouble> {
    let mut waiting = Vec::new();
    for account in logins_of(store).await? {
        let waits = matches!(account.state, AccountState::NeedsLogin { .. }) || ended(&account);
        // One that cannot be opened cannot be renewed.
        if waits
            && let Ok(Some(Credential::Oauth(tokens))) = store.secrets.load(&account.id).await
            && byok_auth::followed(&tokens).is_some()
        {
            waiting.push(account);
        }
    }
    Ok(waiting)
}

/// Whether the access token has ended, as far as its end is known.
fn ended(account: &Account) -> bool {
    account.expires_at.is_some_and(|end| end <= SystemClock.now())
}
