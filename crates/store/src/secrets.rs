use crate::StoreFuture;
use byok_types::{AccountId, Credential, OauthTokens, ProviderId, SecretHash};

/// How many tokens of an account are remembered: those of three weeks, if they end after an hour.
pub(crate) const REMEMBERED: u16 = 500;

/// That a refresh with one token was begun, as told by [`Secrets::begin_refresh`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshMark {
    /// Set if a refresh with this very token was begun before and nothing is known of how it ended: the process was
    /// killed, or its commit failed. The vendor may have spent the token then.
    pub earlier: Option<EarlierRefresh>,
}

/// A refresh that was begun and neither committed nor cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierRefresh {
    /// When the last of them was begun, Unix time in seconds.
    pub started_at: i64,
    /// How many were begun with this token.
    pub tries: u32,
}

/// What became of a commit of refreshed tokens.
#[derive(Clone, Debug)]
pub enum CommitOutcome {
    /// The new tokens are on the disk.
    Committed,
    /// Somebody else had stored other tokens in the meantime. These are the ones to use; nothing was written.
    Changed(OauthTokens),
    /// The account is gone or does not hold tokens any more; nothing was written.
    Gone,
}

/// The secrets of the accounts.
pub trait Secrets: Send + Sync {
    /// The credential of an account.
    ///
    /// Served from memory, so that a request does not read the disk. A change by this process is seen at once, one
    /// by another process within a tenth of a second; whoever holds the account's lock
    /// ([`Store::lock_account`](crate::Store::lock_account)) sees all changes made before.
    fn load<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, Option<Credential>>;

    /// Replaces the credential of an account that exists, and forgets what was marked by
    /// [`begin_refresh`](Self::begin_refresh). The state of the account stays.
    fn put<'a>(&'a self, account: &'a AccountId, credential: Credential) -> StoreFuture<'a, ()>;

    /// Writes down that a refresh begins with the token whose hash [`OauthTokens::hash`] gives.
    ///
    /// Succeeds only once that is on the disk, which proves that the new tokens can be stored, before the vendor
    /// spends the old ones.
    fn begin_refresh<'a>(&'a self, account: &'a AccountId, token: SecretHash)
    -> StoreFuture<'a, RefreshMark>;

    /// The account of a provider that has begun a refresh with this token at some time: one whose renewal has spent it, mostly.
    /// The last 500 tokens of each account are remembered.
    fn sender<'a>(
        &'a self,
        provider: &'a ProviderId,
        token: SecretHash,
    ) -> StoreFuture<'a, Option<AccountId>>;

    /// Takes the mark of [`begin_refresh`](Self::begin_refresh) back: the token was certainly not spent, because
    /// the request was never sent or the vendor answered without new tokens.
    fn cancel_refresh<'a>(&'a self, account: &'a AccountId, token: SecretHash) -> StoreFuture<'a, ()>;

    /// Stores refreshed tokens if the stored ones still have the hash `old`, and clears the mark.
    ///
    /// Tokens are stored as given: a vendor that sent no refresh token means that the caller puts the old one in.
    fn commit_if<'a>(
        &'a self,
        account: &'a AccountId,
        old: SecretHash,
        new: &'a OauthTokens,
    ) -> StoreFuture<'a, CommitOutcome>;
}
