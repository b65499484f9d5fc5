//! What the login flows of the providers are made of: state and PKCE, the callback of the browser, the pasted code,
//! and the way into the store.

mod callback;
mod page;
mod pasted;
mod pending;
mod save;

pub use callback::CallbackServer;
pub(crate) use page::plain;
pub use pasted::read_pasted;
pub use pending::{AuthorizationCode, PendingLogin, Redirect, State};
pub use save::{NewLogin, SaveLogin, save_login};

use byok_store::StoreError;
use byok_transport::{Transport, TransportError};
use byok_types::{Blame, Fault, Retry, Secret};
use std::{io, pin::Pin, time::Duration};

/// How long a login may take from its first page to the code.
pub const LOGIN_WINDOW: Duration = Duration::from_mins(10);

/// What a step of a login returns.
pub type LoginFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, LoginError>> + Send + 'a>>;

/// A login in the browser (OAuth 2 authorization code with PKCE), as one provider does it.
pub trait BrowserLogin: Send + Sync {
    /// Starts a login: makes its state and verifier and the URL to open.
    fn begin(&self, redirect: Redirect) -> PendingLogin;

    /// Turns the code into tokens and finds out whose they are.
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin>;

    /// Tells the vendor that the grant of this refresh token is not needed any more.
    fn revoke<'a>(&'a self, transport: &'a Transport, refresh: &'a Secret) -> LoginFuture<'a, ()>;
}

/// Why a login did not come about. The texts contain no code, state or token.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The vendor, or the person on the vendor's page, said no.
    #[error("the login was refused: {why}; start again with `byok login`")]
    Denied {
        /// The vendor's code and description.
        why: String,
    },
    /// What was pasted is not a code.
    #[error("this is not a login code: {why}; copy the whole code from the page and paste it again")]
    NotACode {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The code belongs to another login.
    #[error(
        "the code belongs to another login than this one; open the address shown here and use the code of that page"
    )]
    WrongState,
    /// Nobody finished the login in time.
    #[error("nobody finished the login within {} minutes; start again with `byok login`", .0.as_secs() / 60)]
    TimedOut(Duration),
    /// No port of this machine could be opened for the browser's answer.
    #[error(
        "byok cannot listen for the browser's answer on this machine ({0}); log in with a pasted code instead"
    )]
    NoCallback(#[source] io::Error),
    /// The vendor could not be reached.
    #[error("the vendor could not be reached for the login: {0}")]
    Transport(#[from] TransportError),
    /// The vendor refused the code.
    #[error("the vendor did not accept the login code ({why}); start again with `byok login`")]
    CodeRefused {
        /// Status and what the vendor said.
        why: String,
    },
    /// The vendor's answer contains no tokens.
    #[error(
        "the vendor answered the login with something else than tokens; try again, and update byok if it stays so"
    )]
    BadAnswer,
    /// Somebody else logged in than the account belongs to.
    #[error(
        "this login is of another account than `{label}`; log out at the vendor first, or log in without naming an account"
    )]
    OtherAccount {
        /// Label of the account that was to be logged in again.
        label: String,
    },
    /// The tokens could not be stored.
    #[error("the login cannot be stored: {0}")]
    Store(#[from] StoreError),
}

impl Fault for LoginError {
    fn blame(&self) -> Blame {
        match self {
            Self::Denied { .. }
            | Self::NotACode { .. }
            | Self::WrongState
            | Self::TimedOut(_)
            | Self::OtherAccount { .. } => Blame::Client,
            Self::NoCallback(_) | Self::Store(_) => Blame::Byok,
            Self::Transport(error) => error.blame(),
            Self::CodeRefused { .. } | Self::BadAnswer => Blame::Upstream,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Transport(error) => error.retry(),
            Self::Store(error) => error.retry(),
            _ => Retry::AfterPerson,
        }
    }
}
