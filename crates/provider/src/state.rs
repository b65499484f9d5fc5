//! What a request works with from its first to its last byte: one state of config and accounts.

use crate::{
    pool::HealthBook,
    registry::{self, InvalidProvider, Registry},
};
use byok_config::Config;
use byok_types::Account;
use std::sync::Arc;

/// One state of config and accounts. A request keeps the state it began with.
#[derive(Debug)]
pub struct State {
    /// The config.
    pub config: Arc<Config>,
    /// Who can serve what.
    pub registry: Registry,
    /// The accounts of the store.
    pub accounts: Vec<Account>,
    /// Entries of the config that cannot be used.
    pub problems: Vec<InvalidProvider>,
}

impl State {
    /// The state for `config` and the accounts of the store.
    pub fn build(config: Arc<Config>, accounts: Vec<Account>, health: &HealthBook) -> Self {
        let (registry, problems) = registry::build(&config, &accounts, health);
        Self { config, registry, accounts, problems }
    }
}
