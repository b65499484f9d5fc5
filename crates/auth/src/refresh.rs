use crate::{BadAnswer, Clock as _, NewLogin, SystemClock, TokenAnswer};
use byok_store::AccountDetails;
use byok_transport::{Transport, TransportError};
use byok_types::{Account, AccountState, OauthTokens, TokenFacts};
use std::{pin::Pin, time::Duration};

/// The shortest and longest wait that a token endpoint can ask for: hammering extends a block, and a mistaken date must
/// not switch an account off for a day.
const ASKED_WAITS: std::ops::RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_mins(5);

/// What a refresh brings.
pub type RefreshFuture<'a> =
    Pin<Box<dyn Future<Output = Result<(TokenAnswer, AccountDetails), RefreshError>> + Send + 'a>>;

/// The answer to the question whose tokens these are.
pub type OwnerFuture<'a> = Pin<Box<dyn Future<Output = Owner> + Send + 'a>>;

/// Whose tokens these are. What is not known stays empty.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// The account.
    pub details: AccountDetails,
    /// What belongs to the tokens beside it.
    pub facts: TokenFacts,
    /// Whether the vendor takes the tokens.
    pub standing: Standing,
}

/// Whether a vendor takes tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It was not asked, or did not answer.
    #[default]
    Unknown,
    /// It does.
    Taken,
    /// It does not: its status and words.
    Refused(String),
}

/// Whether an access token has not ended, as far as its end is known.
pub(crate) fn is_live(tokens: &OauthTokens) -> bool {
    tokens.expires_at.is_none_or(|end| end > SystemClock.now())
}

/// When a login ends that nothing can renew: its vendor has given no token for that, and no other program renews it. `None`
/// for one that goes on, or whose end is not known.
pub fn ends_at(tokens: &OauthTokens) -> Option<i64> {
    tokens.expires_at.filter(|_| tokens.refresh.is_none() && crate::followed(tokens).is_none())
}

/// How one provider's tokens are refreshed.
pub trait Refresher: Send + Sync {
    /// Buys new tokens with the old ones, together with what the answer says about the account. One try: waiting,
    /// locking and storing are the caller's.
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a>;

    /// The same, knowing whose tokens they are and which claims their owner has consented to.
    fn refresh_as<'a>(
        &'a self,
        transport: &'a Transport,
        tokens: &'a OauthTokens,
        _account: &'a Account,
    ) -> RefreshFuture<'a> {
        self.refresh(transport, tokens)
    }

    /// Asks whose tokens these are, of which nothing is used up. `None` where the vendor has no way to be asked.
    fn owner<'a>(&'a self, _transport: &'a Transport, _tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        None
    }

    /// Reads an answer of the token endpoint that a person has kept, as a login at Unix time `now`: as whoever asks that endpoint
    /// reads it, so that what it says of the owner is the same.
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        Ok(TokenAnswer::read(body)?.into_login(AccountDetails::default(), now))
    }

    /// Why a login that is followed will not go on, as far as the file of its program shows it now, and what helps. Reads the
    /// file.
    fn lost_source(&self, _tokens: &OauthTokens, _account: &Account) -> Option<String> {
        None
    }

    /// Whether the tokens lack what a renewal brings by now: their owner has consented to the question only after the login.
    fn is_incomplete(&self, _tokens: &OauthTokens, _claims: &[String]) -> bool {
        false
    }

    /// Whether a refresh uses the old token up. Of one that does not, a try without an answer says nothing.
    fn rotates(&self) -> bool {
        true
    }

    /// Whether the vendor ends every login that came from a refresh token as soon as it is shown that token after its use: a copy
    /// must not be tried out, then.
    fn ends_copies(&self) -> bool {
        false
    }
}

/// Why the file of a login that is followed has nothing for byok.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfollowed {
    /// Its program has not renewed the login yet.
    Unrenewed,
    /// It cannot be read: its program may be writing it.
    Unreadable,
    /// There is no login in it, or no file.
    LoggedOut,
    /// It holds the login of another account.
    OtherAccount,
}

/// Why a refresh brought no tokens.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The grant is dead; trying again cannot help. The state says what its owner has to do.
    #[error("{}", state_reason(state))]
    Permanent {
        /// The state that the account is in now: [`AccountState::NeedsLogin`] or [`AccountState::Blocked`].
        state: AccountState,
    },
    /// The vendor cannot answer now.
    #[error("the token endpoint did not help: {why}; byok tries again by itself")]
    Transient {
        /// What happened.
        why: String,
        /// How long the vendor asked to wait.
        retry_after: Option<Duration>,
        /// Whether the refresh token may have been used up although no new one came.
        maybe_spent: bool,
    },
    /// The login is followed, and what its own program keeps is of no use at the moment.
    #[error("{why}")]
    Followed {
        /// What is there.
        what: Unfollowed,
        /// The same in words, and what helps.
        why: String,
    },
    /// The vendor does not accept byok's request as such, whoever's token it is.
    #[error(
        "the token endpoint refused byok's request: {why}; check the URLs of the provider and update byok"
    )]
    Config {
        /// What the vendor said.
        why: String,
    },
}

impl RefreshError {
    /// The vendor answered that it cannot serve the request now.
    pub fn busy(why: impl Into<String>, asked: Option<Duration>) -> Self {
        let retry_after = asked.map(|asked| asked.clamp(*ASKED_WAITS.start(), *ASKED_WAITS.end()));
        Self::Transient { why: why.into(), retry_after, maybe_spent: false }
    }

    /// A successful answer that cannot be read: the vendor may have used up the old token for it.
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self::Transient { why: why.into(), retry_after: None, maybe_spent: true }
    }
}

impl From<TransportError> for RefreshError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::BadUrl { .. }
            | TransportError::HostNotAllowed { .. }
            | TransportError::NotEncrypted { .. }
            | TransportError::BadCa { .. }
            | TransportError::Setup { .. } => Self::Config { why: error.to_string() },
            _ => Self::Transient {
                why: error.to_string(),
                retry_after: None,
                maybe_spent: error.request_was_sent(),
            },
        }
    }
}

fn state_reason(state: &AccountState) -> &str {
    match state {
        AccountState::NeedsLogin { reason } | AccountState::Blocked { reason } => reason,
        AccountState::Ready | AccountState::ExtraUsage | AccountState::Disabled { .. } => {
            "the account cannot be used; log in again"
        }
    }
}
