use super::{LEAD, Shared, TokenManager, flight::Why};
use byok_types::{Account, AccountState, CredentialKind};
use futures_util::{StreamExt as _, stream};
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

/// How tokens are refreshed before anybody asks for them.
#[derive(Clone, Copy, Debug)]
pub struct KeepFresh {
    /// How often the accounts are looked at. The first look comes after the first interval: a start contacts nobody.
    pub interval: Duration,
    /// How many refreshes run at once.
    pub concurrent: usize,
    /// How often the files of logins that are followed are looked at, whether they have changed.
    pub look: Duration,
    /// The time over which refreshes that are due together are spread, for example after a night's sleep.
    pub spread: Duration,
}

impl Default for KeepFresh {
    /// Every 30 s, four at once, spread over 10 s; files every second.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            concurrent: 4,
            look: Duration::from_secs(1),
            spread: Duration::from_secs(10),
        }
    }
}

impl TokenManager {
    /// Starts a task that refreshes tokens shortly before they expire, until [`shut_down`](Self::shut_down). Accounts
    /// that nobody uses are kept alive, too: those waiting for a quota window must work when it opens.
    pub fn keep_fresh(&self, how: KeepFresh) {
        let shared = Arc::clone(&self.0);
        self.0.tasks.spawn(Arc::clone(&shared).watch(how.look));
        self.0.tasks.spawn(async move {
            let mut ticks = tokio::time::interval(how.interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                tokio::select! {
                    _ = ticks.tick() => shared.refresh_due(how).await,
                    () = shared.stopping.cancelled() => break,
                }
            }
        });
    }
}

impl Shared {
    pub(super) async fn refresh_due(self: &Arc<Self>, how: KeepFresh) {
        let accounts = match self.store.accounts.list(None).await {
            Ok(accounts) => accounts,
            Err(error) => {
                tracing::warn!(%error, "the accounts cannot be read, so none is refreshed ahead of time");
                return;
            }
        };
        let now = self.clock.now();
        let due: Vec<_> = accounts.into_iter().filter(|account| self.is_due(account, now)).collect();
        let step = how.spread.checked_div(u32::try_from(due.len()).unwrap_or(u32::MAX)).unwrap_or_default();
        let all = stream::iter(due).enumerate().map(|(place, account)| async move {
            if place > 0 {
                tokio::time::sleep(step).await;
            }
            // Failures are noted and logged where they happen.
            let _ = self.join(&account.id, &account.provider, Why::Expiring).await;
        });
        let run = all.buffer_unordered(how.concurrent.max(1)).for_each(|()| async {});
        tokio::select! {
            () = run => {}
            () = self.stopping.cancelled() => {}
        }
    }

    fn is_due(&self, account: &Account, now: i64) -> bool {
        account.kind == CredentialKind::Oauth
            && matches!(account.state, AccountState::Ready | AccountState::ExtraUsage)
            && account.expires_at.is_some_and(|end| end <= now + LEAD)
            && self.refresher(&account.provider).is_some()
            && self.waiting(&account.id, &account.provider).is_none()
            && !self.with_progress(&account.id, |progress| progress.is_young())
    }
}
