//! The typed configuration. The doc comments of the fields are also the descriptions in the JSON Schema.

mod access;
mod alias;
mod facts;
mod limits;
mod provider;
mod stored;
mod timeouts;

pub use access::ClientKey;
pub use alias::Target;
pub use facts::FactsPatch;
pub use limits::Limits;
pub use provider::{BUILT_IN, ExtraUsage, Kind, LOGINS_APART, Model, Prefer, Provider, UpstreamKey, UrlName};
pub use stored::StoredResponses;
pub use timeouts::{TimeoutOverrides, Timeouts};

use crate::{
    schema::{OneOrMany, OrKey, OrText},
    value::{CorsOrigin, HostName, HttpUrl, Proxy, secret, text},
};
use byok_types::{ProviderId, Secret};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::LazyLock};

/// Settings of byok. Every key is optional.
///
/// Serialising shows the settings to people: secrets, header values and proxy passwords are replaced by `(set)`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Settings of byok")]
pub struct Config {
    /// Port that byok listens on; 0 takes any free one. A change needs a restart.
    pub port: u16,
    /// Address that byok listens on: a host name or an IP address. On any other address than loopback client keys
    /// are required. A change needs a restart.
    pub host: HostName,
    /// File that keeps logins and client keys; usage is kept in `usage.db` beside it. A change needs a restart.
    pub database: PathBuf,
    /// What is logged, and how. A single word is the level.
    #[schemars(with = "OrText<Log>")]
    pub log: Log,
    /// Who serves requests: built-in providers by name, and any other name with a `kind`. The order counts: of several
    /// that can serve a model the first is asked first.
    #[schemars(with = "IndexMap<String, Option<Provider>>")]
    pub providers: IndexMap<ProviderId, Provider>,
    /// Names for models: what a client may ask for, and what it then gets. Several targets are tried one after another.
    #[schemars(with = "IndexMap<String, OneOrMany<OrText<Target>>>")]
    pub aliases: IndexMap<String, Vec<Target>>,
    /// Corrections of what byok knows about a model, by the id under which the upstream knows it.
    pub models: IndexMap<String, FactsPatch>,
    /// Keys that clients must show. As soon as there is one, every request needs one.
    #[schemars(with = "Vec<OrKey<ClientKey>>")]
    pub api_keys: Vec<ClientKey>,
    /// Names under which byok may be reached besides those of this machine, for example `host.docker.internal`.
    /// A name that is not loopback makes client keys a must.
    pub allowed_hosts: Vec<HostName>,
    /// Web origins whose pages may call byok, for example `http://localhost:3000`, `null` or `vscode-webview://`.
    pub cors_origins: Vec<CorsOrigin>,
    /// Password for accounts, keys, settings and logs over the network. Empty or absent: only the control socket of
    /// this machine reaches them.
    #[serde(deserialize_with = "secret::own_option", serialize_with = "secret::serialize_password")]
    #[schemars(schema_with = "secret::schema")]
    pub admin_secret: Option<Secret>,
    /// Proxy for everything that byok fetches: logins, refreshes and requests. `direct` uses none, whatever the
    /// proxy variables of the environment say; absent follows them.
    pub proxy: Option<Proxy>,
    /// Certificate authorities to trust besides those of the system: PEM files.
    pub ca_files: Vec<PathBuf>,
    /// How long byok waits, for what.
    pub timeouts: Timeouts,
    /// How much byok takes.
    pub limits: Limits,
    /// Pictures and documents in requests.
    pub media: Media,
    /// Answers of `POST /v1/responses` that are kept for `previous_response_id`.
    pub stored_responses: StoredResponses,
    /// The Amp command line client.
    pub amp: Amp,
    /// Whether a request is refused of which something would be left out that the answer names in the `x-byok-dropped`
    /// header. What is left out silently does not count.
    pub strict_translation: bool,
    /// The sign of life that a waiting client of Chat Completions gets: `comment`, or `chunk` for one that counts only what
    /// it can parse.
    pub chat_keep_alive: KeepAlive,
}

/// The sign of life for clients of Chat Completions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeepAlive {
    /// A comment, which every parser of events skips.
    #[default]
    Comment,
    /// An empty chunk, in answers that are translated; those that pass through keep the comment.
    Chunk,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`; levels by part are written `info,byok_proxy=debug`.
    #[serde(deserialize_with = "text::log_level")]
    pub level: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Pictures and documents in requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// Whether byok fetches a picture or PDF document that a request names by address, for an upstream that takes only the
    /// bytes. Over `https://` and from public addresses only.
    pub fetch_remote: bool,
}

/// The Amp command line client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Amp {
    /// The Amp service, to which everything is passed on that is not a model request.
    pub base_url: HttpUrl,
    /// Your Amp key. Absent: what the client asks of the Amp service is answered here as far as it can be.
    #[serde(deserialize_with = "secret::upstream_option", serialize_with = "secret::serialize_option")]
    #[schemars(schema_with = "secret::schema")]
    pub api_key: Option<Secret>,
}

impl Default for Config {
    /// The settings of a machine without a configuration. `database` starts with `~/`; [`crate::load`] puts the home
    /// directory in its place.
    fn default() -> Self {
        Self {
            port: 8018,
            host: HostName::loopback(),
            database: PathBuf::from("~/.byok/tokens.db"),
            log: Log::default(),
            providers: IndexMap::new(),
            aliases: IndexMap::new(),
            models: IndexMap::new(),
            api_keys: Vec::new(),
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
            admin_secret: None,
            proxy: None,
            ca_files: Vec::new(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            media: Media::default(),
            stored_responses: StoredResponses::default(),
            amp: Amp::default(),
            strict_translation: false,
            chat_keep_alive: KeepAlive::Comment,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Amp {
    fn default() -> Self {
        Self { base_url: HttpUrl::literal("https://ampcode.com"), api_key: None }
    }
}

/// What holds for a built-in provider that the configuration does not name.
static UNNAMED: LazyLock<Provider> = LazyLock::new(Provider::default);

impl Config {
    /// The settings of a provider: as written, or the defaults for a built-in name that is not written. `None` for any
    /// other name.
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        let unnamed = || BUILT_IN.contains(&id.as_str()).then(|| &*UNNAMED);
        self.providers.get(id).or_else(unnamed)
    }

    /// Every provider that exists: the written ones in their order, then the other built-in ones. Disabled ones are
    /// among them.
    pub fn all_providers(&self) -> impl Iterator<Item = (ProviderId, &Provider)> {
        let written = self.providers.iter().map(|(id, provider)| (id.clone(), provider));
        let others = BUILT_IN.iter().filter_map(|name| ProviderId::new(*name).ok());
        let others = others.filter(|id| !self.providers.contains_key(id)).map(|id| (id, &*UNNAMED));
        written.chain(others)
    }

    /// The times that hold for a provider: the general ones, changed by its own.
    pub fn timeouts_for(&self, id: &ProviderId) -> Timeouts {
        match self.providers.get(id) {
            Some(provider) => self.timeouts.with(&provider.timeouts),
            None => self.timeouts.clone(),
        }
    }

    /// Whether a loss in translation is refused for a provider.
    pub fn strict_translation_for(&self, id: &ProviderId) -> bool {
        let own = self.providers.get(id).and_then(|provider| provider.strict_translation);
        own.unwrap_or(self.strict_translation)
    }

    /// The proxy for a provider and, where given, one of its keys: the most particular setting wins. `None` leaves it to
    /// the proxy variables of the environment.
    pub fn proxy_for<'a>(&'a self, id: &ProviderId, key: Option<&'a UpstreamKey>) -> Option<&'a Proxy> {
        let provider = self.providers.get(id).and_then(|provider| provider.proxy.as_ref());
        key.and_then(|key| key.proxy.as_ref()).or(provider).or(self.proxy.as_ref())
    }
}
