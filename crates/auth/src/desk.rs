//! Logins without a terminal: whoever shows a one-time token leads one through a page, on this machine or on another.
//!
//! A **ticket** is a token that is good once and for [`LOGIN_WINDOW`]; it is traded for a **session**, which leads through one
//! login: questions and consent, the vendor's page or code, the result. Nothing of either is written down: a restart forgets
//! them. Only hashes of tokens are kept.

mod session;

pub use session::{Session, Stage};

use crate::{How, LOGIN_WINDOW, Method, State, Vendor};
use byok_store::Store;
use byok_transport::{Transport, TransportError};
use byok_types::{Account, ProviderId, Secret, SecretHash};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};
use url::Url;

/// How long a session lives: its questions, and then the vendor's own time.
const SESSION: Duration = Duration::from_mins(20);
/// Most tickets, and most sessions, at a time; the oldest goes.
const MOST: usize = 16;

/// Where a desk finds the providers, as the settings name them now.
pub trait Vendors: Send + Sync {
    /// The names of all providers with a login.
    fn names(&self) -> Vec<String>;

    /// What there is to log in to; `None` if there is no login of this name.
    fn offer(&self, name: &str) -> Option<Offer>;

    /// The way to the vendors.
    fn transport(&self) -> Result<Transport, TransportError>;
}

/// A provider to log in to.
#[derive(Clone)]
pub struct Offer {
    /// The provider.
    pub provider: ProviderId,
    /// Its logins.
    pub vendor: Vendor,
    /// What the settings mean for such a login: a key that is billed, a provider that is switched off.
    pub warnings: Vec<String>,
}

impl Offer {
    /// The ways to log in that need no terminal: keys and files are secrets, and stay away from browsers.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        let on_a_page = |method: &&Method| matches!(method.how, How::Browser(_) | How::Device(_));
        self.vendor.methods.iter().filter(on_a_page)
    }
}

/// What a ticket is for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The provider; without one, any.
    pub provider: Option<String>,
    /// The account to log in again, or the name of a new one.
    pub account: Option<String>,
    /// The address under which the page is opened from elsewhere; without one the browser is on this machine, and the
    /// vendor may send it back here.
    pub public: Option<Url>,
}

/// The logins that are made through pages. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

struct Shared {
    store: Store,
    vendors: Arc<dyn Vendors>,
    open: Mutex<Open>,
    done: watch::Sender<Option<Account>>,
}

#[derive(Default)]
struct Open {
    tickets: Vec<Ticket>,
    sessions: Vec<(SecretHash, Session)>,
}

struct Ticket {
    hash: SecretHash,
    wish: Wish,
    ends: Instant,
}

impl Ticket {
    fn is_for(&self, hash: SecretHash, provider: &str) -> bool {
        self.hash == hash && self.wish.provider.as_deref().is_none_or(|wanted| wanted == provider)
    }
}

impl Open {
    fn forget_the_old(&mut self) {
        let now = Instant::now();
        self.tickets.retain(|ticket| now < ticket.ends);
        self.sessions.retain(|(_, session)| {
            let lives = now < session.ends();
            if !lives {
                session.cancel();
            }
            lives
        });
    }
}

impl Desk {
    /// A desk without tickets.
    pub fn new(store: Store, vendors: Arc<dyn Vendors>) -> Self {
        let done = watch::channel(None).0;
        Self(Arc::new(Shared { store, vendors, open: Mutex::default(), done }))
    }

    /// Makes a token that opens one session.
    pub fn issue(&self, wish: Wish) -> Secret {
        let token = State::random().into_secret();
        let mut open = self.0.open.lock();
        open.forget_the_old();
        if open.tickets.len() >= MOST {
            open.tickets.remove(0);
        }
        open.tickets.push(Ticket { hash: token.hash(), wish, ends: Instant::now() + LOGIN_WINDOW });
        token
    }

    /// Whether a token would open a session; it stays good.
    pub fn would_open(&self, token: &str, provider: &str) -> bool {
        let hash = SecretHash::of(token);
        let mut open = self.0.open.lock();
        open.forget_the_old();
        open.tickets.iter().any(|ticket| ticket.is_for(hash, provider))
    }

    /// Trades a token for the key of a session. `None` for one that is wrong, used or too old: which of them is nobody's
    /// business. A login of the same provider that is under way is given up.
    pub async fn redeem(&self, token: &str, provider: &str) -> Option<Secret> {
        let offer = self.offer(provider)?;
        let hash = SecretHash::of(token);
        let wish = {
            let mut open = self.0.open.lock();
            open.forget_the_old();
            open.tickets.iter().find(|ticket| ticket.is_for(hash, provider))?.wish.clone()
        };
        let session = Session::new(self.clone(), offer, wish, Instant::now() + SESSION).await;
        let key = State::random().into_secret();
        // The ticket goes in the same moment as the session comes: one of them is always there, and one of many wins.
        let mut open = self.0.open.lock();
        let found = open.tickets.iter().position(|ticket| ticket.is_for(hash, provider))?;
        open.tickets.remove(found);
        open.sessions.retain(|(_, other)| {
            let stays = other.provider() != session.provider();
            if !stays {
                other.cancel();
            }
            stays
        });
        if open.sessions.len() >= MOST {
            open.sessions.remove(0).1.cancel();
        }
        open.sessions.push((key.hash(), session));
        Some(key)
    }

    /// The session with this key.
    pub fn session(&self, key: &str, provider: &str) -> Option<Session> {
        let hash = SecretHash::of(key);
        let mut open = self.0.open.lock();
        open.forget_the_old();
        let found = open.sessions.iter().find(|(known, _)| *known == hash);
        found.map(|(_, session)| session.clone()).filter(|session| session.provider().as_str() == provider)
    }

    /// Whether a ticket or session is opened from elsewhere under this name.
    pub fn is_known_as(&self, host: &str) -> bool {
        let is = |wish: &Wish| {
            let name = wish.public.as_ref().and_then(Url::host_str);
            name.is_some_and(|name| name.eq_ignore_ascii_case(host))
        };
        let mut open = self.0.open.lock();
        open.forget_the_old();
        open.tickets.iter().any(|ticket| is(&ticket.wish))
            || open.sessions.iter().any(|(_, session)| is(session.wish()))
    }

    /// Whether nobody can log in here any more without another ticket.
    pub fn is_idle(&self) -> bool {
        let mut open = self.0.open.lock();
        open.forget_the_old();
        open.tickets.is_empty() && open.sessions.is_empty()
    }

    /// The names of the providers that have a page.
    pub fn names(&self) -> Vec<String> {
        let names = self.0.vendors.names().into_iter();
        let has_page = |name: &String| self.offer(name).is_some_and(|offer| offer.methods().next().is_some());
        names.filter(has_page).collect()
    }

    /// What there is to log in to.
    pub fn offer(&self, provider: &str) -> Option<Offer> {
        self.0.vendors.offer(provider)
    }

    /// The account of the newest login.
    pub fn done(&self) -> watch::Receiver<Option<Account>> {
        self.0.done.subscribe()
    }
}

#[cfg(test)]
mod tests;
