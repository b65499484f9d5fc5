//! What is going on with each account: flights, waits, and what is known about its tokens.

use super::{Access, RefreshError, Shared};
use crate::{AuthError, follow::LOOK_AGAIN};
use byok_types::{AccountId, OauthTokens, ProviderId, SecretHash};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// First and longest wait between two tries.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// Wait after a refusal that only a change of the configuration or of byok can lift.
const CONFIG_WAIT: Duration = Duration::from_mins(5);
/// A token that is younger than this is not refreshed again, whatever the vendor says about it.
const YOUNG: Duration = Duration::from_mins(1);

pub(super) type Outcome = Option<Result<Arc<Access>, AuthError>>;

#[derive(Default)]
pub(super) struct Progress {
    /// The refresh that is under way.
    pub(super) flight: Option<watch::Receiver<Outcome>>,
    /// Failures since the last success.
    failures: u32,
    /// When the last try failed, Unix time in seconds.
    failed_at: i64,
    /// Until when nothing is tried, and why.
    wait: Option<(Instant, Arc<RefreshError>)>,
    /// The access token of the last success and when it came.
    young: Option<(SecretHash, Instant)>,
    /// A token that could not be stored yet.
    pub(super) unsaved: Option<Arc<Access>>,
    /// Tokens known to be dead although the store could not note that.
    dead: Option<(SecretHash, AuthError)>,
}

impl Progress {
    /// Whether the account was refreshed a moment ago.
    pub(super) fn is_young(&self) -> bool {
        self.young.is_some_and(|(_, since)| since.elapsed() < YOUNG)
    }
}

impl Shared {
    /// Runs `change` on what is known of an account.
    pub(super) fn with_progress<T>(&self, id: &AccountId, change: impl FnOnce(&mut Progress) -> T) -> T {
        change(self.progress.lock().entry(id.clone()).or_default())
    }

    /// Whether this token came from a refresh a moment ago and has not expired: a vendor that issues tokens for less
    /// than the lead would otherwise be asked with every request.
    pub(super) fn is_just_refreshed(&self, id: &AccountId, access: &Access, now: i64) -> bool {
        let young = self.with_progress(id, |progress| progress.young);
        young.is_some_and(|(hash, since)| hash == access.hash && since.elapsed() < YOUNG)
            && access.lives_at(now)
    }

    pub(super) fn note_success(&self, id: &AccountId, access: &Access) {
        self.with_progress(id, |progress| {
            progress.failures = 0;
            progress.wait = None;
            progress.dead = None;
            progress.young = Some((access.hash, Instant::now()));
        });
    }

    /// Notes a failure that may pass and says how long nothing is tried now.
    pub(super) fn note_failure(&self, id: &AccountId, error: &Arc<RefreshError>) -> Duration {
        let now = self.clock.now();
        let jitter = rand::random_range(0.75..1.25);
        self.with_progress(id, |progress| {
            let doubled = FIRST_WAIT.saturating_mul(1_u32.checked_shl(progress.failures).unwrap_or(u32::MAX));
            let mut wait = doubled.min(LONGEST_WAIT).mul_f64(jitter);
            match &**error {
                RefreshError::Transient { retry_after: Some(asked), .. } => wait = wait.max(*asked),
                RefreshError::Config { .. } => wait = CONFIG_WAIT,
                RefreshError::Followed { .. } => wait = LOOK_AGAIN,
                RefreshError::Transient { .. } | RefreshError::Permanent { .. } => {}
            }
            progress.failures = progress.failures.saturating_add(1).min(16);
            progress.failed_at = now;
            progress.wait = Some((Instant::now() + wait, Arc::clone(error)));
            wait
        })
    }

    /// The error of the last try, while it is too early for another.
    pub(super) fn waiting(&self, id: &AccountId, provider: &ProviderId) -> Option<AuthError> {
        self.with_progress(id, |progress| {
            let (until, source) = progress.wait.as_ref()?;
            let retry_after = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            Some(AuthError::NotNow { provider: provider.clone(), retry_after, source: Arc::clone(source) })
        })
    }

    /// Forgets that it is too early to look at a file again, which has changed by now.
    pub(super) fn look_again(&self, id: &AccountId) {
        self.with_progress(id, |progress| {
            let followed =
                |(_, error): &(Instant, Arc<RefreshError>)| matches!(**error, RefreshError::Followed { .. });
            if progress.wait.as_ref().is_some_and(followed) {
                progress.wait = None;
            }
        });
    }

    /// When and why the last try failed, if no success came after it.
    pub(super) fn failure_of(&self, id: &AccountId) -> Option<(i64, String)> {
        let progress = self.progress.lock();
        let progress = progress.get(id)?;
        progress.wait.as_ref().map(|(_, error)| (progress.failed_at, error.to_string()))
    }

    pub(super) fn note_dead(&self, id: &AccountId, token: SecretHash, error: AuthError) {
        self.with_progress(id, |progress| progress.dead = Some((token, error)));
    }

    /// Refuses tokens that are known to be dead. Other tokens of the account make the knowledge worthless.
    pub(super) fn check_dead(&self, id: &AccountId, tokens: &OauthTokens) -> Result<(), AuthError> {
        self.with_progress(id, |progress| match &progress.dead {
            Some((hash, error)) if *hash == tokens.hash() => Err(error.clone()),
            Some(_) => {
                progress.dead = None;
                Ok(())
            }
            None => Ok(()),
        })
    }

    pub(super) fn unsaved(&self, id: &AccountId) -> Option<Arc<Access>> {
        self.progress.lock().get(id)?.unsaved.clone()
    }
}
