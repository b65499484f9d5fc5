//! Hands out tokens that are valid now.
//!
//! The way of a refresh, in this order, because a vendor that rotates refresh tokens uses the old one up the moment it
//! answers: one flight per account in this process, the lock of the account against other processes, the stored tokens
//! read again (somebody may have refreshed them), the store's proof that it can be written, the request, the commit,
//! the use. The flight is a task of its own: a request that goes away does not stop it.

mod cache;
mod fail_point;
mod flight;
mod keep_fresh;
mod progress;
mod unsaved;
mod watch;

#[cfg(any(test, feature = "fail-points"))]
pub use fail_point::{FailPoint, FailPoints, Fate};
pub use keep_fresh::KeepFresh;

use crate::{AuthError, Clock, RefreshError, Refresher, follow::waits};
use byok_store::Store;
use byok_transport::Transport;
use byok_types::{
    Account, AccountId, AccountState, Credential, CredentialKind, ProviderId, Secret, SecretHash, TokenFacts,
};
use cache::Cache;
use flight::Why;
use parking_lot::{Mutex, RwLock};
use progress::Progress;
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long before its expiry a token is refreshed, in seconds.
const LEAD: i64 = 300;
/// How long a request waits for a refresh while its old token is still valid.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a request authenticates with.
#[derive(Clone, Debug)]
pub struct Access {
    /// Provider of the account.
    pub provider: ProviderId,
    /// Whether it is an API key or an access token.
    pub kind: CredentialKind,
    /// The key or token.
    pub token: Secret,
    /// Hash of `token`, to say later which one a vendor refused.
    pub hash: SecretHash,
    /// When it expires, Unix time in seconds.
    pub expires_at: Option<i64>,
    /// What belongs to an access token.
    pub facts: TokenFacts,
    /// Whether the tokens lack what a renewal brings.
    incomplete: bool,
}

impl Access {
    fn of(provider: &ProviderId, credential: Credential) -> Self {
        let kind = credential.kind();
        let (token, expires_at, facts) = match credential {
            Credential::ApiKey(key) => (key, None, TokenFacts::new()),
            Credential::Oauth(tokens) => (tokens.access, tokens.expires_at, tokens.facts),
        };
        Self {
            provider: provider.clone(),
            kind,
            hash: token.hash(),
            token,
            expires_at,
            facts,
            incomplete: false,
        }
    }

    fn lives_at(&self, time: i64) -> bool {
        self.expires_at.is_none_or(|end| time < end)
    }
}

/// The tokens of all accounts of one process. Clones share everything.
#[derive(Clone)]
pub struct TokenManager(Arc<Shared>);

struct Shared {
    store: Store,
    transport: RwLock<Transport>,
    clock: Arc<dyn Clock>,
    refreshers: RwLock<HashMap<ProviderId, Arc<dyn Refresher>>>,
    cache: Cache,
    progress: Mutex<HashMap<AccountId, Progress>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    #[cfg(any(test, feature = "fail-points"))]
    fail_points: FailPoints,
}

impl TokenManager {
    /// A manager over a store. It starts no task and contacts nobody until it is asked for a token that has expired.
    pub fn new(
        store: Store,
        transport: Transport,
        refreshers: HashMap<ProviderId, Arc<dyn Refresher>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            transport: RwLock::new(transport),
            clock,
            refreshers: RwLock::new(refreshers),
            cache: Cache::default(),
            progress: Mutex::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            #[cfg(any(test, feature = "fail-points"))]
            fail_points: FailPoints::default(),
        }))
    }

    /// The same with hooks at the places where a crash would hurt. Only before the manager has been cloned.
    #[cfg(any(test, feature = "fail-points"))]
    #[must_use]
    pub fn with_fail_points(mut self, fail_points: FailPoints) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.fail_points = fail_points;
        }
        self
    }

    /// Takes over what a reloaded configuration says about the providers.
    pub fn set_refreshers(&self, refreshers: HashMap<ProviderId, Arc<dyn Refresher>>) {
        *self.0.refreshers.write() = refreshers;
    }

    /// Takes another way out from the next request on; one that is under way goes on.
    pub fn set_transport(&self, transport: Transport) {
        *self.0.transport.write() = transport;
    }

    /// Why the account could not be refreshed, if that is how the last try ended: Unix time in seconds, and the cause.
    pub fn last_failure(&self, account: &AccountId) -> Option<(i64, String)> {
        self.0.failure_of(account)
    }

    /// Why a login that is followed will not go on, see [`crate::lost_source`].
    pub async fn lost_source(&self, account: &Account) -> Option<(String, bool)> {
        crate::lost_source(&self.0.store, self.0.refresher(&account.provider)?, account).await
    }

    /// A credential of the account that is valid now.
    ///
    /// Usually a look into memory. A token that ends within five minutes is refreshed, once for all who ask; while it is
    /// still valid it is handed out when the refresh fails or takes longer than two seconds. Changes by other processes
    /// are seen within 0.2 seconds.
    ///
    /// # Errors
    /// [`AuthError`], when there is nothing valid to hand out.
    pub async fn access(&self, account: &AccountId) -> Result<Arc<Access>, AuthError> {
        let shared = &self.0;
        let now = shared.clock.now();
        if let Some(access) = shared.cache.get(account, &shared.store)
            && access.lives_at(now + LEAD)
            && !access.incomplete
        {
            return Ok(access);
        }
        let access = match shared.load(account).await {
            Err(AuthError::NeedsLogin { provider, .. }) => {
                // The program that it belongs to may have a new one by now; of any other login this says what was known.
                return shared.join(account, &provider, Why::Expiring).await;
            }
            loaded => loaded?,
        };
        // Without it the vendor serves nothing.
        if access.incomplete {
            return shared.join(account, &access.provider, Why::Incomplete).await;
        }
        if access.lives_at(now + LEAD) || shared.is_just_refreshed(account, &access, now) {
            return Ok(access);
        }
        if access.lives_at(now) {
            let flight = shared.join(account, &access.provider, Why::Expiring);
            return match tokio::time::timeout(PATIENCE, flight).await {
                Ok(Ok(new)) => Ok(new),
                // A state that forbids the account counts at once; anything else can wait until the token has expired.
                Ok(Err(
                    error @ (AuthError::NeedsLogin { .. }
                    | AuthError::Blocked { .. }
                    | AuthError::Disabled { .. }
                    | AuthError::NoSuchAccount),
                )) => Err(error),
                Ok(Err(_)) | Err(_) => Ok(access),
            };
        }
        shared.join(account, &access.provider, Why::Expiring).await
    }

    /// A credential other than the one that the vendor has just refused with a 401.
    ///
    /// `refused` is the hash of the refused token ([`Access::hash`]): if somebody has refreshed it already, that token is
    /// returned and nothing is sent.
    ///
    /// # Errors
    /// [`AuthError::Refused`] for an API key, for a token that was issued less than a minute ago, and for one that has not ended
    /// and cannot be renewed: there is no other to be had. Otherwise as for [`access`](Self::access).
    pub async fn refresh_now(
        &self,
        account: &AccountId,
        refused: SecretHash,
    ) -> Result<Arc<Access>, AuthError> {
        let shared = &self.0;
        let access = shared.load(account).await?;
        if access.hash != refused {
            return Ok(access);
        }
        let hopeless = access.kind == CredentialKind::ApiKey
            || shared.is_just_refreshed(account, &access, shared.clock.now());
        if hopeless {
            return Err(AuthError::Refused { provider: access.provider.clone() });
        }
        let new = shared.join(account, &access.provider, Why::Refused(refused)).await?;
        if new.hash == refused {
            // The flight that was joined had started for another reason and found nothing to do.
            return shared.join(account, &access.provider, Why::Refused(refused)).await;
        }
        Ok(new)
    }

    /// Whether the tokens of the last renewal could not be stored yet. After [`Self::shut_down`] they are lost.
    #[must_use]
    pub fn is_unsaved(&self, account: &AccountId) -> bool {
        self.0.unsaved(account).is_some()
    }

    /// Lets refreshes that are under way end, for `grace` at most, and starts no more in the background.
    ///
    /// Between the vendor's answer and the commit a login exists only in memory, so this is worth waiting for.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(grace, self.0.tasks.wait()).await.is_err() {
            tracing::error!(
                "byok stops although a refresh of a login is under way; `byok status` will say whether it survived"
            );
        }
    }
}

impl Shared {
    /// What is stored for the account, through the cache. Fails for accounts that may not be used.
    async fn load(self: &Arc<Self>, id: &AccountId) -> Result<Arc<Access>, AuthError> {
        if let Some(unsaved) = self.unsaved(id) {
            return Ok(unsaved);
        }
        let generation = self.cache.generation(&self.store);
        let (account, credential) = self.read(id).await?;
        let incomplete = self.is_incomplete(&account, &credential);
        let access = Arc::new(Access { incomplete, ..Access::of(&account.provider, credential) });
        self.cache.put(id, &access, generation);
        Ok(access)
    }

    /// The credential of an account that may be used.
    async fn read(&self, id: &AccountId) -> Result<(Account, Credential), AuthError> {
        let account = self.store.accounts.get(id).await?.ok_or(AuthError::NoSuchAccount)?;
        is_usable(&account)?;
        let credential = self.credential(id).await?;
        Ok((account, credential))
    }

    /// Whether a renewal now brings something that the credential of the account lacks.
    fn is_incomplete(&self, account: &Account, credential: &Credential) -> bool {
        let Credential::Oauth(tokens) = credential else { return false };
        let refresher = self.refresher(&account.provider);
        refresher.is_some_and(|refresher| refresher.is_incomplete(tokens, &account.claims))
    }

    /// The credential of an account that may be renewed: one that may be used, or that waits for the program that it follows.
    async fn read_to_renew(&self, id: &AccountId) -> Result<(Account, Credential), AuthError> {
        let account = self.store.accounts.get(id).await?.ok_or(AuthError::NoSuchAccount)?;
        let usable = is_usable(&account);
        if let Err(error @ (AuthError::Blocked { .. } | AuthError::Disabled { .. })) = usable {
            return Err(error);
        }
        let credential = self.credential(id).await?;
        if !waits(&account, &credential) {
            usable?;
        }
        Ok((account, credential))
    }

    async fn credential(&self, id: &AccountId) -> Result<Credential, AuthError> {
        let credential = self.store.secrets.load(id).await?.ok_or(AuthError::NoSuchAccount)?;
        if let Credential::Oauth(tokens) = &credential {
            self.check_dead(id, tokens)?;
        }
        Ok(credential)
    }

    fn refresher(&self, provider: &ProviderId) -> Option<Arc<dyn Refresher>> {
        self.refreshers.read().get(provider).cloned()
    }
}

/// Whether the state of an account lets its credential be used.
fn is_usable(account: &Account) -> Result<(), AuthError> {
    let provider = account.provider.clone();
    match &account.state {
        // Whether it may be used all the same is a matter of the settings, not of its tokens.
        AccountState::Ready | AccountState::ExtraUsage => Ok(()),
        AccountState::NeedsLogin { reason } => {
            Err(AuthError::NeedsLogin { provider, reason: reason.clone() })
        }
        AccountState::Blocked { reason } => Err(AuthError::Blocked { provider, reason: reason.clone() }),
        AccountState::Disabled { .. } => Err(AuthError::Disabled { provider }),
    }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenManager")
    }
}

#[cfg(test)]
mod tests;
