//! Where a command finds its settings and its files.

use crate::{
    cli::Global,
    trouble::{Exit, Trouble},
};
use byok_config::{Config, Flags, Loaded, Sources, paths};
use byok_proxy::{LoginTicket, LoginWish, Renewed, ask_control, ask_control_with};
use byok_store::{Store, StoreOptions};
use byok_types::AccountId;
use http::Method;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The sources of the settings.
pub(crate) struct Place(pub(crate) Sources);

impl Place {
    /// By the global options alone.
    pub(crate) fn new(global: Global) -> Result<Self, Trouble> {
        Self::with(global, Flags::default())
    }

    /// By the global options and those of a command.
    pub(crate) fn with(global: Global, flags: Flags) -> Result<Self, Trouble> {
        let flags = Flags { database: global.db, ..flags };
        Ok(Self(Sources::usual(global.config, paths::process_env(), flags)?))
    }

    /// Reads the settings once.
    pub(crate) fn load(&self) -> Result<Loaded, Trouble> {
        Ok(byok_config::load(&self.0)?)
    }

    /// Reads the settings for a command that uses no API key of theirs. Variables for those are mostly set where byok serves, and
    /// not in every shell.
    pub(crate) fn load_without_keys(&self) -> Result<Loaded, Trouble> {
        Ok(byok_config::load(&Sources { without_keys: true, ..self.0.clone() })?)
    }

    /// The value of an environment variable that is set.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.0.env.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The database as far as it is known while the settings cannot be read.
    fn likely_database(&self) -> Option<PathBuf> {
        let named = self.0.flags.database.clone().or_else(|| self.variable("BYOK_DB").map(PathBuf::from));
        named.or_else(|| Some(paths::directory(&self.0.env).ok()?.join("tokens.db")))
    }

    /// What there is without the settings, while those cannot be read.
    pub(crate) fn defaults(&self) -> Config {
        let mut config = Config::default();
        if let Some(database) = self.likely_database() {
            config.database = database;
        }
        config
    }

    /// Asks the running server. `Ok(Err)` holds the settings where no server runs; a server that runs is found even
    /// while the settings on the disk are broken.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, target: &str) -> Result<Result<T, Loaded>, Trouble> {
        let loaded = self.load();
        let database = match &loaded {
            Ok(loaded) => Some(loaded.config.database.clone()),
            Err(_) => self.likely_database(),
        };
        match database {
            Some(database) => match ask(&database, target).await? {
                Some(answer) => Ok(Ok(answer)),
                None => loaded.map(Err),
            },
            None => loaded.map(Err),
        }
    }
}

/// Asks the server of a database; `None` if none runs.
pub(crate) async fn ask<T: DeserializeOwned>(database: &Path, target: &str) -> Result<Option<T>, Trouble> {
    use byok_proxy::ControlError;
    let bytes = match ask_control(&paths::control_socket(database), Method::GET, target).await {
        Ok(bytes) => bytes,
        Err(ControlError::NotRunning) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    understood(&bytes).map(Some)
}

/// Asks the server of a database for a one-time token; `None` if none runs.
pub(crate) async fn ask_for_login(database: &Path, wish: &LoginWish) -> Result<Option<LoginTicket>, Trouble> {
    use byok_proxy::ControlError;
    let body = serde_json::to_vec(wish).unwrap_or_default();
    match ask_control_with(&paths::control_socket(database), Method::POST, "/logins", body).await {
        Ok(bytes) => understood(&bytes).map(Some),
        Err(ControlError::NotRunning) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Tells the server of a database that an account has a new credential or was enabled, so that its rests end; whether it
/// rested. Where no server runs nothing rests.
pub(crate) async fn tell_renewed(database: &Path, account: &AccountId) -> bool {
    let body = serde_json::to_vec(&Renewed { account: account.clone() }).unwrap_or_default();
    let told = ask_control_with(&paths::control_socket(database), Method::POST, "/renewed", body).await;
    told.is_ok_and(|answer| answer == b"true")
}

fn understood<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).map_err(|error| {
        Trouble::new(Exit::Failure, "the running byok answered something that this one does not understand")
            .because(&error)
            .hint("they are of different versions: restart the running one")
    })
}

/// Opens the database, and makes it where there is none.
pub(crate) fn open_store(config: &Config) -> Result<Store, Trouble> {
    Ok(Store::open(&StoreOptions { path: config.database.clone(), key_file: None })?)
}

/// Opens the database to look at it: where there is none, none is made.
pub(crate) fn open_existing_store(config: &Config) -> Result<Store, Trouble> {
    if config.database.exists() { open_store(config) } else { Ok(Store::memory()) }
}
