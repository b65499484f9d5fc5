//! HTTP in front: who may come in, the routes of the dialects, the control socket.
//!
//! Owns: sockets of clients, access, routes, the shape of a request's head. Must not know: how a model is found, how an
//! account is chosen, what a dialect looks like inside. Everything behind a route is one call of the executor,
//! but for logins through a page, which `byok-auth` leads.
#![forbid(unsafe_code)]

mod access;
mod amp;
mod app;
mod body;
mod canonical;
mod control;
mod gate;
mod listing;
mod logins;
mod places;
mod reply;
mod routes;
mod server;
mod stall;
mod status;
mod stored;

pub use app::{App, AppOptions};
pub use control::{
    ControlError, LoginTicket, LoginWish, Renewed, ask as ask_control, ask_with as ask_control_with,
    serve as serve_control,
};
pub use listing::ModelInfo;
pub use logins::serve_logins;
pub use server::{ServeError, Server};
pub use status::{
    AccountStatus, ConfigStatus, NEEDS_CONSENT, Problem, ProviderStatus, QuotaStatus, QuotaWindow, Resting,
    Status,
};
