use crate::RefreshError;
use byok_store::StoreError;
use byok_types::{Blame, Fault, ProviderId, Retry};
use std::{sync::Arc, time::Duration};

/// Why there is no token for an account. Cheap to clone, because all who wait for one refresh get the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthError {
    /// The account is not there (any more).
    #[error("there is no such account; `byok accounts` lists those there are")]
    NoSuchAccount,
    /// A person must log in again.
    #[error("the login of {provider} does not work any more: {reason}")]
    NeedsLogin {
        /// Provider of the account.
        provider: ProviderId,
        /// Why, ending in what to do.
        reason: String,
    },
    /// The vendor has put the account on hold.
    #[error("{provider} has blocked this account: {reason}")]
    Blocked {
        /// Provider of the account.
        provider: ProviderId,
        /// Why, in the vendor's words.
        reason: String,
    },
    /// The owner has switched the account off.
    #[error("this account of {provider} is switched off; switch it on with `byok accounts enable`")]
    Disabled {
        /// Provider of the account.
        provider: ProviderId,
    },
    /// The vendor refused a token that it issued a moment ago, or an API key: refreshing cannot help.
    #[error(
        "{provider} refuses the credential of this account; check the account with the vendor, or log in again with `byok login {provider}`"
    )]
    Refused {
        /// Provider of the account.
        provider: ProviderId,
    },
    /// The token has expired and cannot be refreshed at the moment.
    #[error("the login of {provider} cannot be refreshed now: {source}")]
    NotNow {
        /// Provider of the account.
        provider: ProviderId,
        /// When byok tries next.
        retry_after: Duration,
        /// The cause.
        source: Arc<RefreshError>,
    },
    /// The store failed.
    #[error("the login cannot be read or refreshed: {0}")]
    Store(#[source] Arc<StoreError>),
    /// byok does not know how to refresh this provider's tokens.
    #[error("byok cannot refresh logins of {provider}; use an API key for it")]
    NoRefresher {
        /// Provider of the account.
        provider: ProviderId,
    },
    /// The refresh was stopped before it ended, or another process does not let go of the account.
    #[error("the refresh of {provider} did not come to an end; try again")]
    Interrupted {
        /// Provider of the account.
        provider: ProviderId,
    },
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchAccount => Self::NoSuchAccount,
            error => Self::Store(Arc::new(error)),
        }
    }
}

impl Fault for AuthError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotNow { .. } | Self::Blocked { .. } | Self::Refused { .. } => Blame::Upstream,
            Self::NoSuchAccount
            | Self::NeedsLogin { .. }
            | Self::Disabled { .. }
            | Self::Store(_)
            | Self::NoRefresher { .. }
            | Self::Interrupted { .. } => Blame::Byok,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NeedsLogin { .. }
            | Self::Blocked { .. }
            | Self::Disabled { .. }
            | Self::Refused { .. }
            | Self::NoRefresher { .. } => Retry::AfterPerson,
            Self::NotNow { retry_after, .. } => Retry::After(*retry_after),
            Self::Store(error) => error.retry(),
            Self::Interrupted { .. } => Retry::Now,
            Self::NoSuchAccount => Retry::Never,
        }
    }
}
