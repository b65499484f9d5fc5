//! Tokens that a vendor has issued and the store does not take.

use super::{Access, Shared};
use byok_store::{AccountLock, CommitOutcome};
use byok_types::{AccountId, OauthTokens, SecretHash};
use std::{sync::Arc, time::Duration};

/// How long to wait between two tries to store them.
const RETRY: Duration = Duration::from_secs(1);

/// Tokens that are only in memory.
pub(super) struct Unsaved {
    /// What is handed out meanwhile.
    pub(super) access: Arc<Access>,
    /// Hash of the tokens that they replace.
    pub(super) old: SecretHash,
    /// The tokens.
    pub(super) new: OauthTokens,
}

impl Shared {
    /// Keeps tokens in memory and tries to store them until it works. The lock of the account is held on to: another
    /// process would read the old tokens, which are used up, and find the login dead.
    pub(super) fn keep_unsaved(self: &Arc<Self>, id: &AccountId, unsaved: Unsaved, lock: AccountLock) {
        self.with_progress(id, |progress| progress.unsaved = Some(Arc::clone(&unsaved.access)));
        let (shared, id) = (Arc::clone(self), id.clone());
        self.tasks.spawn(async move {
            if shared.save_at_last(&id, &unsaved).await {
                shared.with_progress(&id, |progress| progress.unsaved = None);
            }
            drop(lock);
        });
    }

    /// Whether nothing is left to be stored; false if byok stops before that.
    async fn save_at_last(&self, id: &AccountId, unsaved: &Unsaved) -> bool {
        loop {
            let last = tokio::select! {
                () = tokio::time::sleep(RETRY) => false,
                () = self.stopping.cancelled() => true,
            };
            match self.store.secrets.commit_if(id, unsaved.old, &unsaved.new).await {
                Ok(CommitOutcome::Committed) => {
                    tracing::info!(account = %id, "the renewed login is stored now");
                    return true;
                }
                Ok(CommitOutcome::Changed(_) | CommitOutcome::Gone) => return true,
                Err(error) if last => {
                    tracing::error!(account = %id, %error, "a renewed login is lost; log in again");
                    return false;
                }
                Err(error) => {
                    tracing::error!(account = %id, %error, "a renewed login is still only in memory");
                }
            }
        }
    }
}
