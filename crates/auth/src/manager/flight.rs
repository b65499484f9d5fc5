//! One refresh of one account.

use super::{Access, Shared, fail_point::reached, progress::Outcome, unsaved::Unsaved};
use crate::{
    AuthError, RefreshError, Refresher,
    follow::{followed, waits},
    login::note_owner,
};
use byok_store::{AccountLock, CommitOutcome, RefreshMark, StoreError};
use byok_transport::Transport;
use byok_types::{Account, AccountId, AccountState, Credential, OauthTokens, ProviderId, SecretHash};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long another process may hold the account. It gives up its own request after 30 s.
const LOCK_PATIENCE: Duration = Duration::from_mins(1);

/// How often a refresh token may be used without an answer: a crash costs one try.
const TRIES_WITHOUT_ANSWER: u32 = 2;

/// Why a refresh is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// The access token ends soon or has ended.
    Expiring,
    /// The vendor has refused the access token with this hash.
    Refused(SecretHash),
    /// The tokens lack what a renewal brings.
    Incomplete,
}

impl Shared {
    /// Waits for the refresh of the account that is under way, or starts one.
    pub(super) async fn join(
        self: &Arc<Self>,
        id: &AccountId,
        provider: &ProviderId,
        why: Why,
    ) -> Result<Arc<Access>, AuthError> {
        if let Some(error) = self.waiting(id, provider) {
            return Err(error);
        }
        let mut flight = self.take_off(id, why);
        let landed = flight.wait_for(Option::is_some).await;
        match landed.as_deref() {
            Ok(Some(result)) => result.clone(),
            Ok(None) | Err(_) => Err(AuthError::Interrupted { provider: provider.clone() }),
        }
    }

    fn take_off(self: &Arc<Self>, id: &AccountId, why: Why) -> watch::Receiver<Outcome> {
        self.with_progress(id, |progress| {
            if let Some(flight) = &progress.flight {
                return flight.clone();
            }
            let (outcome, flight) = watch::channel(None);
            progress.flight = Some(flight.clone());
            let mut landing = Landing { shared: Arc::clone(self), id: id.clone(), outcome, result: None };
            self.tasks.spawn(async move {
                let result = landing.shared.fly(&landing.id, why).await;
                landing.result.replace(result);
            });
            flight
        })
    }

    async fn fly(self: &Arc<Self>, id: &AccountId, why: Why) -> Result<Arc<Access>, AuthError> {
        let provider = self.read_to_renew(id).await?.0.provider;
        let interrupted = || AuthError::Interrupted { provider: provider.clone() };
        let lock = tokio::time::timeout(LOCK_PATIENCE, self.store.lock_account(id))
            .await
            .map_err(|_| interrupted())??;

        // What was read before the lock may be old by now.
        let (account, credential) = self.read_to_renew(id).await?;
        let waits = waits(&account, &credential);
        let wanted = match why {
            Why::Incomplete => self.is_incomplete(&account, &credential),
            Why::Expiring | Why::Refused(_) => is_wanted(&credential, why, self.clock.now()),
        };
        let tokens = match credential {
            Credential::Oauth(tokens) if waits || wanted => tokens,
            current => return Ok(self.adopt(id, &provider, current)),
        };
        let follows = followed(&tokens).is_some();
        if tokens.refresh.is_none() && !follows {
            let live = tokens.expires_at.is_none_or(|end| self.clock.now() < end);
            if matches!(why, Why::Expiring | Why::Incomplete) && live {
                return Ok(self.adopt(id, &provider, Credential::Oauth(tokens)));
            }
            // The vendor may refuse a good token for a moment, and there is no other to be had.
            if matches!(why, Why::Refused(_)) && live {
                return Err(AuthError::Refused { provider });
            }
            let reason = format!(
                "its token has ended and cannot be renewed; log in again with `byok login {provider}`"
            );
            return Err(self.bury(id, &provider, &tokens, AccountState::NeedsLogin { reason }).await);
        }
        let Some(refresher) = self.refresher(&provider) else {
            return Err(AuthError::NoRefresher { provider });
        };
        // Reading a file uses nothing up.
        if follows {
            return self
                .exchange(Exchange { account: &account, old: &tokens, mark: None, lock }, refresher)
                .await;
        }
        let mark = match self.store.secrets.begin_refresh(id, tokens.hash()).await {
            Ok(mark) => mark,
            Err(error) => {
                tracing::error!(account = %id, %error, "the login is not renewed, because the result could not be stored");
                self.note_failure(id, &Arc::new(RefreshError::busy(error.to_string(), None)));
                return Err(error.into());
            }
        };
        let spent = mark.earlier.is_some_and(|earlier| earlier.tries >= TRIES_WITHOUT_ANSWER);
        if spent && refresher.rotates() {
            let reason = format!(
                "byok was stopped twice while it renewed the login, and its token may be used up; log in again with \
                 `byok login {provider}`"
            );
            return Err(self.bury(id, &provider, &tokens, AccountState::NeedsLogin { reason }).await);
        }
        reached!(self, BeforeRequest, Err(interrupted()));
        let exchange = Exchange { account: &account, old: &tokens, mark: Some(mark), lock };
        self.exchange(exchange, refresher).await
    }

    async fn exchange(
        self: &Arc<Self>,
        exchange: Exchange<'_>,
        refresher: Arc<dyn Refresher>,
    ) -> Result<Arc<Access>, AuthError> {
        let Exchange { account, old, mark, lock } = exchange;
        let Account { id, provider, .. } = account;
        let transport = self.transport.read().clone();
        let (answer, details) = match refresher.refresh_as(&transport, old, account).await {
            Ok(new) => new,
            Err(error) => return self.failed(account, old, mark, error).await,
        };
        if matches!(account.state, AccountState::NeedsLogin { .. }) {
            // Before the tokens: with the old ones it is looked for these again.
            self.store.accounts.set_state(id, AccountState::Ready).await?;
        }
        let new = answer.into_tokens(Some(old), self.clock.now());
        reached!(self, BeforeCommit, Err(AuthError::Interrupted { provider: provider.clone() }));
        let committed = self.store.secrets.commit_if(id, old.hash(), &new).await;
        reached!(self, AfterCommit, Err(AuthError::Interrupted { provider: provider.clone() }));
        match committed {
            Ok(CommitOutcome::Committed) => {
                if let Err(error) = note_owner(&self.store, account, details).await {
                    tracing::warn!(account = %id, %error, "what the vendor says about the account is not stored");
                }
                tracing::info!(account = %id, %provider, "the login was renewed");
                self.learn_owner(id, transport, refresher, new.clone());
                let access = self.adopt(id, provider, Credential::Oauth(new));
                self.note_success(id, &access);
                Ok(access)
            }
            Ok(CommitOutcome::Changed(other)) => {
                tracing::warn!(account = %id, %provider, "somebody logged in anew during a refresh; that login is used");
                Ok(self.adopt(id, provider, Credential::Oauth(other)))
            }
            Ok(CommitOutcome::Gone) => Err(AuthError::NoSuchAccount),
            Err(error) => {
                tracing::error!(
                    account = %id, %provider, %error,
                    "a renewed login is only in memory; keep byok running and make the store writable"
                );
                let access = self.adopt(id, provider, Credential::Oauth(new.clone()));
                self.note_success(id, &access);
                self.keep_unsaved(id, Unsaved { access: Arc::clone(&access), old: old.hash(), new }, lock);
                Ok(access)
            }
        }
    }

    /// Asks whose tokens these are, if nobody knows it yet: of a login that was taken over while the vendor could not be asked.
    /// Nobody waits for it.
    fn learn_owner(
        self: &Arc<Self>,
        id: &AccountId,
        transport: Transport,
        refresher: Arc<dyn Refresher>,
        tokens: OauthTokens,
    ) {
        let (shared, id) = (Arc::clone(self), id.clone());
        self.tasks.spawn(async move {
            let learned = shared.ask_for_owner(&id, &transport, &*refresher, &tokens).await;
            if let Err(error) = learned {
                tracing::warn!(account = %id, %error, "what the vendor says about the account is not stored");
            }
        });
    }

    async fn ask_for_owner(
        &self,
        id: &AccountId,
        transport: &Transport,
        refresher: &dyn Refresher,
        tokens: &OauthTokens,
    ) -> Result<(), StoreError> {
        let account = self.store.accounts.get(id).await?;
        let Some(account) = account.filter(|account| account.identity.is_none()) else { return Ok(()) };
        let Some(asked) = refresher.owner(transport, tokens) else { return Ok(()) };
        note_owner(&self.store, &account, asked.await.details).await
    }

    /// What a failed request means. Nothing here touches the tokens.
    async fn failed(
        &self,
        account: &Account,
        tokens: &OauthTokens,
        mark: Option<RefreshMark>,
        error: RefreshError,
    ) -> Result<Arc<Access>, AuthError> {
        let Account { id, provider, .. } = account;
        let maybe_spent = matches!(error, RefreshError::Transient { maybe_spent: true, .. });
        // A token that may be used up since a crash and got no clear answer again stays on record as such. Without a
        // crash the answer was lost on the way, and the vendor decides at the next try.
        if let Some(mark) = mark
            && !(maybe_spent && mark.earlier.is_some())
            && let Err(failure) = self.store.secrets.cancel_refresh(id, tokens.hash()).await
        {
            tracing::warn!(account = %id, error = %failure, "a refresh that failed stays on record as begun");
        }
        let state = match &error {
            RefreshError::Permanent { state } => Some(state.clone()),
            // It waits on, and its owner reads what for.
            RefreshError::Followed { why, .. }
                if matches!(account.state, AccountState::NeedsLogin { .. }) =>
            {
                Some(AccountState::NeedsLogin { reason: why.clone() })
            }
            _ => None,
        };
        if let Some(state) = state {
            return match self.store.secrets.load(id).await? {
                // Somebody has logged in anew meanwhile: the failure concerns tokens that nobody needs any more.
                Some(current) if !is_same(&current, tokens) => Ok(self.adopt(id, provider, current)),
                _ => Err(self.bury(id, provider, tokens, state).await),
            };
        }
        let source = Arc::new(error);
        let retry_after = self.note_failure(id, &source);
        tracing::warn!(account = %id, %provider, error = %source, ?retry_after, "the login could not be renewed");
        Err(AuthError::NotNow { provider: provider.clone(), retry_after, source })
    }

    /// Notes that a person has to act. The tokens stay where they are.
    async fn bury(
        &self,
        id: &AccountId,
        provider: &ProviderId,
        tokens: &OauthTokens,
        state: AccountState,
    ) -> AuthError {
        let provider = provider.clone();
        let error = match &state {
            AccountState::Blocked { reason } => AuthError::Blocked { provider, reason: reason.clone() },
            AccountState::NeedsLogin { reason } => AuthError::NeedsLogin { provider, reason: reason.clone() },
            AccountState::Ready | AccountState::ExtraUsage | AccountState::Disabled { .. } => {
                AuthError::Disabled { provider }
            }
        };
        // One that waits for its program is looked at again and again.
        if matches!(self.store.accounts.get(id).await, Ok(Some(account)) if account.state == state) {
            return error;
        }
        tracing::error!(account = %id, %error, "an account cannot be used any more");
        // The store remembers it for all processes; the memory helps only where that fails.
        if let Err(failure) = self.store.accounts.set_state(id, state).await {
            tracing::error!(account = %id, error = %failure, "the state of the account is not stored");
            self.note_dead(id, tokens.hash(), error.clone());
        }
        error
    }

    /// Takes over what is stored now.
    fn adopt(&self, id: &AccountId, provider: &ProviderId, credential: Credential) -> Arc<Access> {
        self.cache.forget(id, &self.store);
        Arc::new(Access::of(provider, credential))
    }
}

fn is_wanted(credential: &Credential, why: Why, now: i64) -> bool {
    let Credential::Oauth(tokens) = credential else { return false };
    match why {
        Why::Incomplete => false,
        Why::Expiring => tokens.expires_at.is_some_and(|end| end <= now + super::LEAD),
        Why::Refused(refused) => tokens.access.hash() == refused,
    }
}

fn is_same(credential: &Credential, tokens: &OauthTokens) -> bool {
    matches!(credential, Credential::Oauth(current) if current.hash() == tokens.hash())
}

/// What a refresh holds once it may send its request.
struct Exchange<'a> {
    account: &'a Account,
    old: &'a OauthTokens,
    /// None where nothing is used up.
    mark: Option<RefreshMark>,
    lock: AccountLock,
}

/// Ends a flight however it ends: without it, a task that died would keep its account waiting for ever.
struct Landing {
    shared: Arc<Shared>,
    id: AccountId,
    outcome: watch::Sender<Outcome>,
    result: Outcome,
}

impl Drop for Landing {
    fn drop(&mut self) {
        // In this order: whoever hears of the result and asks again must not be given this flight.
        self.shared.with_progress(&self.id, |progress| progress.flight = None);
        if let Some(result) = self.result.take() {
            self.outcome.send_replace(Some(result));
        }
    }
}
