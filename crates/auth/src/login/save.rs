use super::owner::{same_login, used_up_by};
use crate::{Clock, LoginError};
use byok_store::{AccountDetails, Store, StoreError};
use byok_types::{Account, AccountId, AccountState, Credential, CredentialKind, ProviderId, account_flag};
use uuid::Uuid;

/// How many labels are tried when the obvious one is taken.
const LABEL_TRIES: u32 = 100;

/// What a login ends with.
#[derive(Clone, Debug)]
pub struct NewLogin {
    /// The tokens, with `expires_in` already counted from the moment of the answer; or an API key.
    pub credential: Credential,
    /// Whose they are, as far as the vendor says.
    pub details: AccountDetails,
}

/// How a login is stored.
#[derive(Clone, Copy, Debug)]
pub struct SaveLogin<'a> {
    /// Provider of the login.
    pub provider: &'a ProviderId,
    /// Account to log in again; without it, the account with the same identity or the same grant, else a new one.
    pub account: Option<&'a AccountId>,
    /// Label of a new account; without it, its e-mail address or the provider's name.
    pub label: Option<&'a str>,
    /// Names of the claims that the owner consents to, beside those that an account that is there has already.
    pub claims: &'a [String],
}

/// Stores a login. A login of an account that is there replaces its tokens and makes it usable again, in one step.
///
/// # Errors
/// [`LoginError::OtherAccount`] when the login is not of the named account; [`LoginError::IsThere`] when it is that of another
/// one; [`LoginError::Spent`] when it is an old copy of one that works; [`LoginError::OtherKind`] when one of the two is a key; [`LoginError::Store`].
pub async fn save_login(
    store: &Store,
    clock: &dyn Clock,
    login: NewLogin,
    how: SaveLogin<'_>,
) -> Result<Account, LoginError> {
    let known = find(store, &login, how).await?;
    let NewLogin { credential, details } = login;
    let expires_at = match &credential {
        Credential::ApiKey(_) => None,
        Credential::Oauth(tokens) => tokens.expires_at,
    };
    let now = clock.now();
    let Some(known) = known else {
        let account = Account { expires_at, kind: credential.kind(), ..new_account(how, details, now)? };
        return add(store, account, credential, how.label).await;
    };
    // A refresh that is under way would otherwise store tokens of the old grant over the new ones.
    let _lock = store.lock_account(&known.id).await?;
    let known = store.accounts.get(&known.id).await?.ok_or(StoreError::NoSuchAccount)?;
    let account = Account {
        kind: credential.kind(),
        identity: details.identity.or(known.identity),
        email: details.email.or(known.email),
        plan: details.plan.or(known.plan),
        state: AccountState::Ready,
        claims: consented(known.claims, how.claims),
        expires_at,
        updated_at: now,
        label: how.label.map_or(known.label, str::to_owned),
        ..known
    };
    store.accounts.insert(account.clone(), credential).await?;
    Ok(account)
}

async fn find(store: &Store, login: &NewLogin, how: SaveLogin<'_>) -> Result<Option<Account>, LoginError> {
    let spent = used_up_by(store, how.provider, login).await?;
    if let Some(works) = spent
        .as_ref()
        .filter(|account| matches!(account.state, AccountState::Ready | AccountState::ExtraUsage))
    {
        return Err(LoginError::Spent { label: works.label.clone() });
    }
    let (identity, kind) = (&login.details.identity, login.credential.kind());
    if let Some(id) = how.account {
        let named = store.accounts.get(id).await?.ok_or(StoreError::NoSuchAccount)?;
        // A key and a login of one person stand side by side.
        if named.kind != kind {
            return Err(LoginError::OtherKind {
                stored: kind_word(named.kind),
                new: kind_word(kind),
                label: named.label,
            });
        }
        // A key is replaced by whichever key its owner names it for: many are known by nothing but themselves.
        let differ = kind == CredentialKind::Oauth
            && matches!((&named.identity, identity), (Some(old), Some(new)) if old != new);
        if differ || named.provider != *how.provider {
            return Err(LoginError::OtherAccount { label: named.label });
        }
        if kind == CredentialKind::Oauth
            && let Some(there) = same_login(store, how.provider, login, Some(&named)).await?
        {
            return Err(LoginError::IsThere {
                remove: format!("byok accounts remove {} {}", how.provider, account_flag(&there.label)),
                there: there.label,
                label: named.label,
            });
        }
        return Ok(Some(named));
    }
    Ok(same_login(store, how.provider, login, None).await?.or(spent))
}

const fn kind_word(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "an API key",
        CredentialKind::Oauth => "a login",
    }
}

fn consented(mut before: Vec<String>, now: &[String]) -> Vec<String> {
    let new: Vec<String> = now.iter().filter(|name| !before.contains(name)).cloned().collect();
    before.extend(new);
    before
}

fn new_account(how: SaveLogin<'_>, details: AccountDetails, now: i64) -> Result<Account, LoginError> {
    let id = AccountId::new(Uuid::new_v4().simple().to_string()).map_err(|_| StoreError::NoSuchAccount)?;
    Ok(Account {
        id,
        provider: how.provider.clone(),
        label: String::new(),
        kind: CredentialKind::Oauth,
        identity: details.identity,
        email: details.email,
        plan: details.plan,
        state: AccountState::Ready,
        claims: how.claims.to_vec(),
        expires_at: None,
        created_at: now,
        updated_at: now,
    })
}

/// Inserts a new account. A label that the person chose must be free; otherwise the next free one is taken.
async fn add(
    store: &Store,
    account: Account,
    credential: Credential,
    label: Option<&str>,
) -> Result<Account, LoginError> {
    let obvious = label.or(account.email.as_deref()).unwrap_or(account.provider.as_str()).to_owned();
    let tries = if label.is_some() { 1 } else { LABEL_TRIES };
    let mut result = Err(StoreError::LabelTaken);
    for number in 1..=tries {
        let label = if number == 1 { obvious.clone() } else { format!("{obvious} {number}") };
        let account = Account { label, ..account.clone() };
        result = store.accounts.insert(account.clone(), credential.clone()).await.map(|()| account);
        if !matches!(result, Err(StoreError::LabelTaken)) {
            break;
        }
    }
    Ok(result?)
}

#[cfg(test)]
mod tests;
