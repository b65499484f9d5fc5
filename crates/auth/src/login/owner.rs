//! Whose login it is: asked where the login does not say it, and found again in the store.

use super::NewLogin;
use crate::{LoginError, Owner, Refresher, Standing, home_of};
use byok_store::{AccountDetails, Store, StoreError};
use byok_transport::Transport;
use byok_types::{Account, AccountState, Credential, CredentialKind, ProviderId};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::timeout;

/// How long vendors are asked whose logins they are, several at the same time: a login is not worth a longer wait for a name.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the vendor whose login this is, if it has a way to be asked, and whether it takes the tokens. What the vendor says
/// counts more than what a file says. Of a vendor that cannot be reached nothing is known yet, and the login is none the worse
/// for it; the second value is `false`, then.
///
/// # Errors
/// [`LoginError::TokenRefused`] if the vendor does not take the tokens.
pub async fn ask_owner(
    provider: &ProviderId,
    refresher: &dyn Refresher,
    transport: &Transport,
    login: NewLogin,
) -> Result<(NewLogin, bool), LoginError> {
    // A key is checked where it is given.
    let NewLogin { credential: Credential::Oauth(mut tokens), mut details } = login else {
        return Ok((login, true));
    };
    let said = match refresher.owner(transport, &tokens) {
        Some(asked) => timeout(PATIENCE, asked).await.unwrap_or_default(),
        None => Owner::default(),
    };
    if let Standing::Refused(why) = said.standing {
        let why = why.split("; ").next().unwrap_or_default().to_owned();
        return Err(LoginError::TokenRefused { provider: provider.clone(), why });
    }
    details.identity = finer(said.details.identity, details.identity);
    details.email = said.details.email.or(details.email);
    details.plan = said.details.plan.or(details.plan);
    for (name, value) in said.facts {
        tokens.facts.entry(name).or_insert(value);
    }
    let confirmed = said.standing == Standing::Taken;
    Ok((NewLogin { credential: Credential::Oauth(tokens), details }, confirmed))
}

/// What the vendor says of an identity, unless the login says more of the same one: an access token may name the workspace alone
/// of which the id token beside it names the person, too.
fn finer(said: Option<String>, stated: Option<String>) -> Option<String> {
    let same = |said: &str, stated: &str| stated.strip_prefix(said).is_some_and(|rest| rest.starts_with('/'));
    match (said, stated) {
        (Some(said), Some(stated)) if same(&said, &stated) => Some(stated),
        (said, stated) => said.or(stated),
    }
}

/// Asks whose the logins are that were stored when nobody could say it, so that a new login of the same account replaces
/// them.
///
/// # Errors
/// [`StoreError`] if the accounts cannot be listed.
pub async fn learn_owners(
    store: &Store,
    refresher: &dyn Refresher,
    transport: &Transport,
    provider: &ProviderId,
) -> Result<(), StoreError> {
    let mut nameless = Vec::new();
    for account in store.accounts.list(Some(provider)).await? {
        let unknown = account.identity.is_none() && account.kind == CredentialKind::Oauth;
        if !unknown || account.state != AccountState::Ready {
            continue;
        }
        // One that cannot be opened stays without a name.
        if let Ok(Some(Credential::Oauth(tokens))) = store.secrets.load(&account.id).await {
            nameless.push((account, tokens));
        }
    }
    let asked = nameless.iter().map(async |(_, tokens)| {
        let asked = refresher.owner(transport, tokens)?;
        timeout(PATIENCE, asked).await.ok()
    });
    let said = join_all(asked).await;
    for ((account, _), said) in nameless.iter().zip(said) {
        if let Some(said) = said {
            note_owner(store, account, said.details).await?;
        }
    }
    Ok(())
}

/// Stores what the vendor says of an account whose owner was not known. If another account has that owner, it keeps it: a new
/// login has one account to replace.
pub(crate) async fn note_owner(
    store: &Store,
    account: &Account,
    mut details: AccountDetails,
) -> Result<(), StoreError> {
    if let Some(identity) = &details.identity
        && let Some(other) = store.accounts.find_identity(&account.provider, identity, account.kind).await?
        && other.id != account.id
    {
        tracing::warn!(
            provider = %account.provider, account = account.label, other = other.label,
            "two accounts are one; `byok accounts remove` forgets one of them"
        );
        details.identity = None;
    }
    if details == AccountDetails::default() {
        return Ok(());
    }
    store.accounts.set_details(&account.id, details).await
}

/// The account that a login is of: the same person and organisation, the same token or place, or, where nothing else is known
/// and one address is one account, the same address; or the account that has used the token up.
///
/// # Errors
/// [`StoreError`] if the accounts cannot be read.
pub async fn known_account(
    store: &Store,
    provider: &ProviderId,
    login: &NewLogin,
) -> Result<Option<Account>, StoreError> {
    let NewLogin { credential, details } = login;
    if let Some(identity) = &details.identity
        && let Some(known) = store.accounts.find_identity(provider, identity, credential.kind()).await?
    {
        return Ok(Some(known));
    }
    for account in store.accounts.list(Some(provider)).await? {
        if account.identity.is_some() && details.identity.is_some() {
            continue;
        }
        // One that cannot be opened is nobody's.
        let stored = store.secrets.load(&account.id).await.ok().flatten();
        let same = match (stored, credential) {
            (Some(Credential::Oauth(old)), Credential::Oauth(new)) => {
                old.hash() == new.hash() || (home_of(new).is_some() && home_of(&old) == home_of(new))
            }
            (Some(Credential::ApiKey(old)), Credential::ApiKey(new)) => old.hash() == new.hash(),
            _ => false,
        };
        // Several workspaces of Codex have one address.
        let address = account.kind == credential.kind()
            && provider.as_str() != "codex"
            && account.email.is_some()
            && account.email == details.email;
        if same || address {
            return Ok(Some(account));
        }
    }
    used_up_by(store, provider, login).await
}

/// The account whose renewal has used up the tokens of the login, and that has others now: an old copy of its own, then.
///
/// # Errors
/// [`StoreError`] if the accounts cannot be read.
pub async fn used_up_by(
    store: &Store,
    provider: &ProviderId,
    NewLogin { credential, details }: &NewLogin,
) -> Result<Option<Account>, StoreError> {
    let Credential::Oauth(tokens) = credential else { return Ok(None) };
    let Some(sender) = store.secrets.sender(provider, tokens.hash()).await? else { return Ok(None) };
    let current = store.secrets.load(&sender).await.ok().flatten();
    if matches!(current, Some(Credential::Oauth(current)) if current.hash() == tokens.hash()) {
        return Ok(None);
    }
    let account = store.accounts.get(&sender).await?;
    Ok(account.filter(|account| {
        let differ = matches!((&account.identity, &details.identity), (Some(old), Some(new)) if old != new);
        account.kind == CredentialKind::Oauth && !differ
    }))
}

/// An account, other than `but`, that has the same identity as the login or the same grant: kept a second time, the first of
/// the two to be renewed would end the other.
pub(super) async fn same_login(
    store: &Store,
    provider: &ProviderId,
    NewLogin { credential, details }: &NewLogin,
    but: Option<&Account>,
) -> Result<Option<Account>, StoreError> {
    let mut others = store.accounts.list(Some(provider)).await?;
    others.retain(|other| other.kind == credential.kind() && but.is_none_or(|but| but.id != other.id));
    // Two that are one person's already are told apart by their owner.
    let named = but.is_some_and(|but| but.identity.is_some());
    if let Some(identity) = details.identity.as_ref().filter(|_| !named)
        && let Some(same) = others.iter().find(|other| other.identity.as_ref() == Some(identity))
    {
        return Ok(Some(same.clone()));
    }
    let Credential::Oauth(new) = credential else { return Ok(None) };
    for other in others {
        if other.identity.is_some() && details.identity.is_some() && other.identity != details.identity {
            continue;
        }
        // One that cannot be opened is nobody's.
        if let Ok(Some(Credential::Oauth(old))) = store.secrets.load(&other.id).await
            && old.hash() == new.hash()
        {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
