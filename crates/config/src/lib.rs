//! The typed configuration of byok: layers, positions, validation, reload.
//!
//! Owns: how settings are written, checked, explained, shown without their secrets, and replaced while byok runs.
//! Must not know: what the settings are used for. It makes no routing decision and opens no connection.
//!
//! Entry points: [`load`] (once), [`Live`] (a server), [`set_overlay`] (settings that byok writes itself),
//! [`schema`] and [`example`] (for people and their editors).
//!
//! Layers, the first that says something wins: flags, environment, the person's file, the overlay, defaults. Each layer is
//! read into a tree in which every value knows its line and column, is checked against the types for itself, and then
//! laid over the next: tables are joined key by key, everything else is replaced as a whole. The result is decoded once
//! more into [`Config`], so there is one set of types and one place for each default.
//!
//! Invariants: no error, `Debug`, row of [`Loaded::show`] or serialised [`Config`] contains a secret; a broken file never
//! replaces a good configuration; the person's file is never written.
#![forbid(unsafe_code)]

mod error;
mod example;
mod layers;
mod live;
mod load;
mod origins;
mod overlay;
pub mod paths;
mod schema;
mod settings;
mod show;
mod tree;
mod validate;
mod value;
mod vendor_keys;

pub use error::{ConfigError, Problem};
pub use example::example;
pub use layers::{ENVIRONMENT, EnvVariable, Flags, Sources};
pub use live::{Live, Status};
pub use load::{Loaded, load};
pub use origins::{Origin, Origins};
pub use overlay::{OverlayChange, set_overlay};
pub use schema::schema;
pub use settings::{
    Amp, BUILT_IN, ClientKey, Config, ExtraUsage, FactsPatch, KeepAlive, Kind, LOGINS_APART, Limits, Log,
    LogFormat, Media, Model, Prefer, Provider, StoredResponses, Target, TimeoutOverrides, Timeouts,
    UpstreamKey, UrlName,
};
pub use show::Row;
pub use value::{CorsOrigin, Headers, HostName, HttpUrl, Pattern, Proxy, ProxyUrl, unset_variable};
pub use vendor_keys::{KeyForm, foreign_key, provider_of_vendor};

/// Reads and checks without using the result: what `byok config check` does.
pub use load::load as check;
