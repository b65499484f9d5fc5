//! What the login flows of the providers are made of: state and PKCE, the callback of the browser, the pasted code,
//! and the way into the store.

mod callback;
mod device;
mod foreign;
mod named;
mod owner;
mod page;
mod pasted;
mod pending;
mod refused;
mod revoke;
mod save;

pub use callback::{Bind, CallbackServer};
pub use device::{DeviceCode, DeviceLogin, Polled, await_device};
pub(crate) use foreign::program_of;
pub use foreign::{refuse_foreign, refuse_foreign_login};
pub(crate) use named::labels;
pub use named::named;
pub(crate) use owner::note_owner;
pub use owner::{ask_owner, known_account, learn_owners, used_up_by};
pub(crate) use page::plain;
pub use pasted::read_pasted;
pub use pending::{AuthorizationCode, PendingLogin, Redirect, State};
pub(crate) use refused::page_of;
pub use revoke::{Revoke, RevokeError, RevokeFuture};
pub use save::{NewLogin, SaveLogin, save_login};

use crate::{Import, Refresher};
use byok_store::StoreError;
use byok_transport::{Transport, TransportError};
use byok_types::{Blame, CredentialKind, Fault, ProviderId, Retry, Secret};
use std::{collections::BTreeMap, io, pin::Pin, sync::Arc, time::Duration};
use url::Url;

/// How long a login may take from its first page to the code.
pub const LOGIN_WINDOW: Duration = Duration::from_mins(10);

/// What a step of a login returns.
pub type LoginFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, LoginError>> + Send + 'a>>;

/// What a person is asked before a login, by name: the start page of an organisation, a region.
pub type Answers = BTreeMap<String, String>;

/// A question of a login.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Name of the answer.
    pub name: &'static str,
    /// What the person reads.
    pub prompt: &'static str,
    /// What counts without an answer; empty if there must be one.
    pub default: &'static str,
    /// Whether the answer is a secret, which is neither shown while it is typed nor taken from the command line.
    pub secret: bool,
    /// Whether an answer can be one, before anything begins with it: a person is asked again.
    pub check: fn(&str) -> Result<(), LoginError>,
}

/// The check of a question whose answers only the vendor can judge.
#[expect(clippy::unnecessary_wraps, reason = "it is one check among others")]
pub(crate) const fn any(_answer: &str) -> Result<(), LoginError> {
    Ok(())
}

/// Where the browser comes back to on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Host as the vendor knows it: `localhost` or `127.0.0.1`.
    pub host: &'static str,
    /// Ports that the vendor knows, in the order in which they are tried; empty if it takes any.
    pub ports: &'static [u16],
    /// Path.
    pub path: &'static str,
}

/// A login in the browser (OAuth 2 authorization code with PKCE), as one provider does it.
pub trait BrowserLogin: Send + Sync {
    /// Where the browser comes back to.
    fn callback(&self) -> Callback;

    /// Whether all is there that the login needs, so that nobody logs in for nothing.
    fn ready(&self) -> Result<(), LoginError> {
        Ok(())
    }

    /// Whether even the login makes the claims of its provider, so that consent is asked for before it. The names of those
    /// that were consented to are answers, then.
    fn claims(&self) -> bool {
        false
    }

    /// Starts a login: makes its state and verifier and the URL to open. With [`Redirect::Pasted`] a vendor without a page
    /// that shows codes gets an address of this machine at which nobody listens: its person pastes that address.
    fn begin(&self, redirect: Redirect) -> PendingLogin;

    /// The login for these answers, where it depends on what the person was asked before.
    fn with_answers(&self, _answers: &Answers) -> Result<Option<Arc<dyn BrowserLogin>>, LoginError> {
        Ok(None)
    }

    /// Starts a login of a vendor that has to be asked something before: it registers a client, or wants answers.
    fn prepare<'a>(
        &'a self,
        transport: &'a Transport,
        answers: &'a Answers,
        redirect: Redirect,
    ) -> LoginFuture<'a, PendingLogin> {
        let _ = (transport, answers);
        Box::pin(async move { Ok(self.begin(redirect)) })
    }

    /// Turns the code into tokens and finds out whose they are.
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin>;

    /// The same with the answers to the questions of the login.
    fn finish_with<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        self.finish(transport, login, code)
    }
}

/// A login by a file that the vendor gives out, such as the key of a service account.
pub trait FileLogin: Send + Sync {
    /// Checks the content, buys the first tokens with it and finds out whose it is.
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        content: &'a Secret,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin>;
}

/// A login with a secret that a person pastes, most often an API key, which byok keeps as an account.
pub trait KeyLogin: Send + Sync {
    /// What comes of it: an API key, or the tokens of a plan that the secret stands for.
    fn kind(&self) -> CredentialKind {
        CredentialKind::ApiKey
    }

    /// Checks the key as far as the vendor allows and finds out whose it is.
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin>;
}

/// How a person logs in.
#[derive(Clone)]
pub enum How {
    /// In a browser, whose answer comes to this machine or is pasted.
    Browser(Arc<dyn BrowserLogin>),
    /// On any device, with a code.
    Device(Arc<dyn DeviceLogin>),
    /// With an API key.
    Key(Arc<dyn KeyLogin>),
    /// With a file.
    File(Arc<dyn FileLogin>),
}

/// One way to log in to a provider.
#[derive(Clone)]
pub struct Method {
    /// Name, for `--method`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// What is asked before.
    pub questions: &'static [Question],
    /// How it goes.
    pub how: How,
}

impl Method {
    /// What comes of it: the rules of plans are for tokens.
    pub fn kind(&self) -> CredentialKind {
        match &self.how {
            How::Key(login) => login.kind(),
            How::Browser(_) | How::Device(_) | How::File(_) => CredentialKind::Oauth,
        }
    }
}

/// All that byok can do about the logins of one provider.
#[derive(Clone)]
pub struct Vendor {
    /// The ways to log in; the first is taken where none is named.
    pub methods: Vec<Method>,
    /// How its tokens are renewed.
    pub refresher: Arc<dyn Refresher>,
    /// How its grants are ended, where it can.
    pub revoke: Option<Arc<dyn Revoke>>,
    /// What is wrong with the form of a pasted access token, and what to do instead.
    pub check_token: fn(&str) -> Result<(), &'static str>,
    /// What its own programs have stored on this machine.
    pub import: Option<Arc<dyn Import>>,
    /// What happened to its service, where it has ended or changed: one sentence, with the way that works today.
    pub ended: Option<&'static str>,
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
    /// The vendor says why it lets nobody in, or where that can be settled: starting again does not help at once.
    #[error("the login was refused: {why}; {}", settle(page.as_ref()))]
    Refused {
        /// The vendor's code and words.
        why: String,
        /// Where the vendor says more.
        page: Option<Url>,
    },
    /// What was pasted is not a code.
    #[error(
        "this is not a login code: {why}; copy the whole code, or the whole address at which the browser ends, and paste it again"
    )]
    NotACode {
        /// What is wrong with it.
        why: &'static str,
    },
    /// What was given is no key or file of this vendor.
    #[error("this is not what `byok login` needs: {why}")]
    NotUsable {
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// The vendor does not take a token that a person or another program has.
    #[error(
        "{provider} does not accept this token ({why}), so nothing is stored; log in again where it comes from, or with `byok login {provider}`"
    )]
    TokenRefused {
        /// Provider of the token.
        provider: ProviderId,
        /// Status and what the vendor said.
        why: String,
    },
    /// Something is missing in the settings.
    #[error("byok cannot log in there yet: {why}")]
    NotReady {
        /// What is missing, and what to do.
        why: String,
    },
    /// A question has no answer.
    #[error("`{name}` is missing; give it with `--with {name}=VALUE`")]
    Unanswered {
        /// Name of the question.
        name: &'static str,
    },
    /// The vendor gave the login no room: the account lacks what the login is for.
    #[error("the login worked, but the account cannot be used: {why}")]
    NoAccess {
        /// Why, in words that end in what to do.
        why: String,
    },
    /// The code belongs to another login.
    #[error(
        "the code belongs to another login than this one; open the address shown here and use the code of that page"
    )]
    WrongState,
    /// Nobody finished the login in time.
    #[error("nobody finished the login within {}; start again with `byok login`", in_words(*.0))]
    TimedOut(Duration),
    /// The vendor gave up on a code that was to be entered.
    #[error("the vendor says that the code has expired; start again with `byok login`")]
    CodeExpired,
    /// The vendor gave no code that could be entered.
    #[error(
        "the vendor does not begin this login ({why}); start again with `byok login` when that is settled, or in another way with `--method`"
    )]
    NotBegun {
        /// Status and what the vendor said.
        why: String,
    },
    /// No port of this machine could be opened for the browser's answer.
    #[error(
        "byok cannot listen for the browser's answer on this machine ({0}); log in with a pasted code instead"
    )]
    NoCallback(#[source] io::Error),
    /// The vendor could not be reached.
    #[error("the vendor could not be reached for the login: {0}")]
    Transport(#[from] TransportError),
    /// A code was entered, which uses it up, and then the vendor could not be reached: asking again cannot help.
    #[error(
        "the code was entered, but then the vendor could not be reached ({0}); start again with `byok login`"
    )]
    CodeSpent(#[source] TransportError),
    /// The vendor refused the code.
    #[error("the vendor did not accept the login code ({why}); start again with `byok login`")]
    CodeRefused {
        /// Status and what the vendor said.
        why: String,
    },
    /// The vendor cannot answer now.
    #[error("the vendor cannot answer now ({why}); try again in a moment")]
    Busy {
        /// Status and what the vendor said.
        why: String,
    },
    /// The vendor's answer to the start of a login contains nothing to begin it with.
    #[error(
        "the vendor's answer does not begin a login: there is no code in it; try again, look whether this network shows a page of its own first, and update byok if it stays so"
    )]
    BadStart,
    /// The vendor's answer contains no tokens.
    #[error(
        "the vendor answered the login with something else than tokens; try again, and update byok if it stays so"
    )]
    BadAnswer,
    /// A key was given for a login, or the other way round.
    #[error(
        "`{label}` is {stored}, so {new} is of another account; log in without `--account`, or with a name that is free"
    )]
    OtherKind {
        /// The account.
        label: String,
        /// What it is.
        stored: &'static str,
        /// What was given.
        new: &'static str,
    },
    /// Somebody else logged in than the account belongs to.
    #[error(
        "this login is of another account than `{label}`; log out at the vendor first, or log in without naming an account"
    )]
    OtherAccount {
        /// Label of the account that was to be logged in again.
        label: String,
    },
    /// Another account than the named one has this login already.
    #[error(
        "this login is that of `{there}` already, and one login cannot be two accounts; log in without `--account` to renew `{there}`, or run `{remove}` first to have it as `{label}`"
    )]
    IsThere {
        /// Label of the account that was named.
        label: String,
        /// Label of the account that has the login.
        there: String,
        /// The command that forgets that one.
        remove: String,
    },
    /// The tokens were renewed since, and an account that works has the new ones.
    #[error(
        "these tokens are used up: `{label}` has renewed them and works, so nothing was changed; log it out first if another login is meant"
    )]
    Spent {
        /// Label of the account that has the new ones.
        label: String,
    },
    /// Several accounts are called so.
    #[error("several accounts are called so: {labels}; name one of them")]
    SeveralAccounts {
        /// Their labels.
        labels: String,
    },
    /// The tokens could not be stored.
    #[error("the login cannot be stored: {0}")]
    Store(#[from] StoreError),
}

impl LoginError {
    /// The same in a step after the code was entered.
    pub(crate) fn after_code(self) -> Self {
        match self {
            Self::Transport(error) => Self::CodeSpent(error),
            other => other,
        }
    }
}

/// What helps before another try.
fn settle(page: Option<&Url>) -> String {
    match page {
        Some(page) => format!("see {page}, and start again with `byok login` when that is settled"),
        None => "start again with `byok login` when that is settled".to_owned(),
    }
}

/// A span of time for people: in minutes, below two in seconds.
pub fn in_words(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

impl Fault for LoginError {
    fn blame(&self) -> Blame {
        match self {
            Self::Denied { .. }
            | Self::Refused { .. }
            | Self::NotACode { .. }
            | Self::WrongState
            | Self::TimedOut(_)
            | Self::CodeExpired
            | Self::NotUsable { .. }
            | Self::TokenRefused { .. }
            | Self::NotReady { .. }
            | Self::Unanswered { .. }
            | Self::NoAccess { .. }
            | Self::OtherAccount { .. }
            | Self::OtherKind { .. }
            | Self::IsThere { .. }
            | Self::Spent { .. }
            | Self::SeveralAccounts { .. } => Blame::Client,
            Self::NoCallback(_) | Self::Store(_) => Blame::Byok,
            Self::Transport(error) | Self::CodeSpent(error) => error.blame(),
            Self::CodeRefused { .. }
            | Self::NotBegun { .. }
            | Self::Busy { .. }
            | Self::BadStart
            | Self::BadAnswer => Blame::Upstream,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Transport(error) => error.retry(),
            Self::Store(error) => error.retry(),
            Self::Busy { .. } => Retry::Now,
            _ => Retry::AfterPerson,
        }
    }
}
