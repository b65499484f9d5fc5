use super::{
    config::pretty,
    status::{now, span},
};
use crate::{
    cli::Global,
    logging,
    place::{Place, open_existing_store},
    table::Table,
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::{ClientKey, Config, unset_variable};
use byok_store::{ClientKeyRow, Store};
use byok_types::ClientKeyId;
use clap::{Args, Subcommand};
use serde::Serialize;

/// List and revoke the client keys that tools send to byok
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok keys list
  byok keys revoke made-1a2b3c4d")]
pub(crate) struct Keys {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the client keys, never their values
    ///
    /// Those of the settings and those that byok has made; with neither, and on this machine alone, no key is needed.
    #[command(after_help = "\
Examples:
  byok keys list
  byok keys list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key that byok has made
    ///
    /// A running byok refuses it within a second. A key of the settings is taken out there instead.
    #[command(after_help = "\
Examples:
  byok keys revoke made-1a2b3c4d
  byok keys revoke made-1a2b3c4d --db ./tokens.db")]
    Revoke {
        /// Id of the key, as `byok keys list` shows it
        id: String,
    },
}

/// A key as it is shown. The names of the fields are those of the JSON.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    label: Option<String>,
    /// `settings`, or `database` for one that byok has made.
    place: &'static str,
    /// `valid`, `revoked` or `expired`.
    state: &'static str,
    /// Unix seconds, like the others.
    created_at: Option<i64>,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    /// The models it may ask for; empty for all.
    models: Vec<String>,
}

impl Shown {
    fn of_settings(key: &ClientKey, now: i64) -> Self {
        Self {
            id: id_of(key),
            label: key.label.clone(),
            place: "settings",
            state: state(None, key.expires, now),
            created_at: None,
            expires_at: key.expires,
            revoked_at: None,
            models: key.models.iter().map(ToString::to_string).collect(),
        }
    }

    fn of_row(row: ClientKeyRow, now: i64) -> Self {
        Self {
            id: row.id.to_string(),
            label: Some(row.label),
            place: "database",
            state: state(row.revoked_at, row.expires_at, now),
            created_at: Some(row.created_at),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            models: row.models,
        }
    }
}

/// What a key of the settings is called in the records. Of one whose variable is not set in this shell only that name is known.
fn id_of(key: &ClientKey) -> String {
    match unset_variable(&key.key) {
        Some(name) => format!("${{{name}}}"),
        None => format!("config-{}", key.key.hash().short()),
    }
}

fn state(revoked: Option<i64>, expires: Option<i64>, now: i64) -> &'static str {
    match (revoked, expires) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        (None, _) => "valid",
    }
}

impl Keys {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        let place = Place::new(global)?;
        logging::start_quiet(place.variable("BYOK_LOG"));
        let config = place.load_without_keys()?.config;
        let store = open_existing_store(&config)?;
        match self.action.unwrap_or(Action::List { json: false }) {
            Action::List { json } => list(&config, &store, json).await,
            Action::Revoke { id } => revoke(&config, &store, &id).await,
        }
    }
}

async fn list(config: &Config, store: &Store, json: bool) -> Result<(), Trouble> {
    let now = now();
    let mut keys: Vec<_> = config.api_keys.iter().map(|key| Shown::of_settings(key, now)).collect();
    keys.extend(store.client_keys.list().await?.into_iter().map(|row| Shown::of_row(row, now)));
    if json {
        return terminal::data(pretty(&keys)?);
    }
    if keys.is_empty() {
        terminal::say(
            "there are no client keys: on this machine none is needed; `api_keys` in the settings makes some",
        );
        return Ok(());
    }
    let mut table = Table::new(["ID", "LABEL", "STATE", "MADE", "IN", "MODELS"]);
    for key in keys {
        let made = key.created_at.map(|at| format!("{} ago", span((now - at).max(0)))).unwrap_or_default();
        let state = match key.expires_at.filter(|_| key.state == "valid") {
            Some(end) => format!("valid for {}", span(end - now)),
            None => key.state.to_owned(),
        };
        let models = if key.models.is_empty() { "all".to_owned() } else { key.models.join(", ") };
        table.row([key.id, key.label.unwrap_or_default(), state, made, key.place.to_owned(), models]);
    }
    terminal::data(table)
}

async fn revoke(config: &Config, store: &Store, id: &str) -> Result<(), Trouble> {
    if config.api_keys.iter().any(|key| id_of(key) == id || key.label.as_deref() == Some(id)) {
        return Err(Trouble::new(Exit::Usage, format!("the key `{id}` is one of the settings"))
            .hint("take it out of `api_keys`; `byok config path` says where the settings are"));
    }
    let unknown = || {
        Trouble::new(Exit::Usage, format!("there is no client key `{id}`"))
            .hint("`byok keys list` lists those there are")
    };
    let key = ClientKeyId::new(id).map_err(|_| unknown())?;
    if !store.client_keys.revoke(&key).await? {
        return Err(unknown());
    }
    store.close().await;
    terminal::say(format_args!("{id} is revoked: a running byok refuses it within a second"));
    if config.api_keys.is_empty() {
        terminal::say(
            "where other machines can reach byok it makes a new key at its next start; keys of your own go into `api_keys` of the settings",
        );
    }
    Ok(())
}
