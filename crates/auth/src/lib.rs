//! Logins and the tokens they leave behind.
//!
//! Owns: the login flows (one file a provider), what a provider needs to be told and the consent for it ([`claims`]),
//! and [`TokenManager`], which hands out tokens that are valid now and refreshes them without ever losing a login.
//! Must not know: dialects, models, how a request is sent with a token, which account should serve it, terminals.
//!
//! Invariants:
//! - One refresh at a time per account, over all tasks and all processes that share a store.
//! - Nothing is sent to a token endpoint before the store has proved that it can be written.
//! - A failure never deletes or overwrites tokens.
//! - No token, code or verifier appears in `Debug`, in an error or in the log.
#![forbid(unsafe_code)]

mod answer;
pub mod antigravity;
pub mod claims;
pub mod claude;
mod clock;
pub mod codex;
pub mod copilot;
mod desk;
mod endpoint;
mod error;
mod follow;
pub mod gemini;
mod google;
pub mod iflow;
mod import;
pub mod kimi;
pub mod kiro;
mod login;
mod manager;
pub mod qwen;
mod refresh;
mod refusal;
mod sqlite;
#[cfg(test)]
mod testing;
pub mod vertex;
pub mod xai;

pub use answer::{BadAnswer, TokenAnswer};
pub use clock::{Clock, SystemClock};
pub use desk::{Desk, Offer, Session, Stage, Vendors, Wish};
pub use endpoint::{Network, Urls};
pub use error::AuthError;
pub use follow::{follow, follow_entry, followed, home_of, lost_source, refresher, unfollow};
pub use import::{
    Entry, Found, Import, ImportError, Kept, LARGEST_DATABASE, LARGEST_FILE, Left, Taken, is_database,
    neighbours, peers, service_ended,
};
pub use login::{
    Answers, AuthorizationCode, Bind, BrowserLogin, Callback, CallbackServer, DeviceCode, DeviceLogin,
    FileLogin, How, KeyLogin, LOGIN_WINDOW, LoginError, LoginFuture, Method, NewLogin, PendingLogin, Polled,
    Question, Redirect, Revoke, RevokeError, RevokeFuture, SaveLogin, State, Vendor, ask_owner, await_device,
    in_words, known_account, learn_owners, named, read_pasted, refuse_foreign, refuse_foreign_login,
    save_login, used_up_by,
};
pub use manager::{Access, KeepFresh, TokenManager};
#[cfg(any(test, feature = "fail-points"))]
pub use manager::{FailPoint, FailPoints, Fate};
pub use refresh::{
    Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher, Standing, Unfollowed, ends_at,
};
