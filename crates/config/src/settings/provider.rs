use super::{FactsPatch, TimeoutOverrides};
use crate::{
    schema::{self, OrKey, OrText},
    value::{Headers, HttpUrl, Pattern, Proxy, base_url, secret, text},
};
use byok_types::{Dialect, Secret};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

/// The providers that byok knows by name. Any other name needs a `kind`.
pub const BUILT_IN: &[&str] = &[
    "claude",
    "codex",
    "copilot",
    "gemini",
    "kiro",
    "antigravity",
    "qwen",
    "kimi",
    "iflow",
    "vertex",
    "xai",
    "deepseek",
];

/// The built-in providers whose logins have a service of their own. There `urls.inference` is the address of that service, and
/// does not move the keys.
pub const LOGINS_APART: &[&str] = &["codex", "gemini", "xai", "qwen"];

/// A provider: who serves requests, with which keys and how.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = schema::add_api_key)]
pub struct Provider {
    /// Whether it is used at all.
    pub enabled: bool,
    /// What it speaks. Required for a name that is not built in, not allowed for one that is.
    pub kind: Option<Kind>,
    /// API keys, each a text or a table. A single one may be written as `api_key`.
    #[serde(alias = "api_key")]
    #[schemars(with = "Vec<OrKey<UpstreamKey>>")]
    pub api_keys: Vec<UpstreamKey>,
    /// Address to which the paths of the API are appended, with the version where the vendor has one in it:
    /// `https://api.example.com/v1`. Required for a name that is not built in.
    #[serde(deserialize_with = "base_url")]
    pub base_url: Option<HttpUrl>,
    /// Single addresses that differ from the vendor's: for gateways, tests, or the day a vendor moves.
    #[schemars(schema_with = "schema::urls")]
    pub urls: IndexMap<UrlName, HttpUrl>,
    /// Secret of the vendor's own application, where its login server wants to see one (Google, iFlow). Vendors publish it
    /// with the application; it does not belong to you.
    #[serde(deserialize_with = "secret::upstream_option", serialize_with = "secret::serialize_option")]
    #[schemars(schema_with = "secret::schema")]
    pub client_secret: Option<Secret>,
    /// Proxy for this provider.
    pub proxy: Option<Proxy>,
    /// What is used first where there are both API keys and a login.
    pub prefer: Prefer,
    /// Models it serves, each an id or a table. For a built-in provider they are added to the known ones.
    #[schemars(with = "Vec<OrText<Model>>")]
    pub models: Vec<Model>,
    /// Models that are neither listed nor served; `*` stands for any characters.
    pub exclude: Vec<Pattern>,
    /// Header fields added to each request.
    pub headers: Headers,
    /// Whether a client that shows its byok key in `x-byok-key` may bring its own login for this provider.
    pub passthrough_auth: bool,
    /// What happens when the vendor begins to charge beyond the plan.
    pub extra_usage: ExtraUsage,
    /// Times that differ from the general ones.
    pub timeouts: TimeoutOverrides,
    /// Whether a request is refused when something in it cannot be said to this provider.
    pub strict_translation: Option<bool>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            enabled: true,
            kind: None,
            api_keys: Vec::new(),
            base_url: None,
            urls: IndexMap::new(),
            client_secret: None,
            proxy: None,
            prefer: Prefer::default(),
            models: Vec::new(),
            exclude: Vec::new(),
            headers: Headers::default(),
            passthrough_auth: false,
            extra_usage: ExtraUsage::default(),
            timeouts: TimeoutOverrides::default(),
            strict_translation: None,
        }
    }
}

/// What a provider that is not built in speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Chat Completions of `OpenAI`: most compatible servers.
    Openai,
    /// Responses of `OpenAI`.
    Responses,
    /// Messages of Anthropic.
    Anthropic,
    /// Gemini of Google.
    Gemini,
}

impl Kind {
    /// The dialect that is spoken.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Openai => Dialect::Chat,
            Self::Responses => Dialect::Responses,
            Self::Anthropic => Dialect::Messages,
            Self::Gemini => Dialect::Gemini,
        }
    }
}

/// What is used first where there are both API keys and a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Prefer {
    /// The API keys; the login when they fail.
    #[default]
    Key,
    /// The login; the API keys when it fails.
    Oauth,
}

/// What happens when the vendor begins to charge beyond the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExtraUsage {
    /// The account is not used any more until you allow it.
    #[default]
    Stop,
    /// The account goes on, and the vendor charges.
    Allow,
}

/// An address of a provider that can be replaced. A provider uses those that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrlName {
    /// Page where a person logs in.
    Authorize,
    /// Where a device code is asked for.
    Device,
    /// Page where a person enters a device code.
    Verify,
    /// Where codes and refresh tokens are exchanged for tokens.
    Token,
    /// Where a client is registered before a login.
    Register,
    /// Where a token is taken back.
    Revoke,
    /// Where a login is exchanged for a key or a short-lived token of the API.
    Exchange,
    /// Who the account is.
    Profile,
    /// Base of the model requests.
    Inference,
    /// List of models.
    Models,
    /// What is left of the plan.
    Usage,
    /// Where an account is set up before its first request.
    Onboard,
    /// Where the projects of an account are listed.
    Projects,
    /// Base of a login service that the vendor has beside its first one.
    Social,
    /// Page where a person chooses how to log in.
    Portal,
}

/// An API key of a provider.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamKey {
    /// The key itself.
    #[serde(deserialize_with = "secret::upstream", serialize_with = "secret::serialize")]
    #[schemars(schema_with = "secret::schema")]
    pub key: Secret,
    /// Name for people, in lists and logs.
    #[serde(default, deserialize_with = "text::label")]
    pub label: Option<String>,
    /// Address for this key, in place of the provider's.
    #[serde(default, deserialize_with = "base_url")]
    pub base_url: Option<HttpUrl>,
    /// Proxy for this key.
    #[serde(default)]
    pub proxy: Option<Proxy>,
    /// Word before the model name that asks for this key: `team-a` answers to `team-a/claude-…`.
    #[serde(default, deserialize_with = "text::prefix")]
    pub prefix: Option<String>,
    /// Share of requests among keys of the same priority. Where no key of a priority has one, they are used as written:
    /// the first as long as it serves. Where one has, the others count as 1.
    #[serde(default, deserialize_with = "text::weight")]
    #[schemars(range(min = 1, max = 1000))]
    pub weight: Option<u32>,
    /// Keys with a higher number are used first.
    #[serde(default)]
    pub priority: i32,
    /// Header fields added to each request with this key.
    #[serde(default)]
    pub headers: Headers,
    /// The only models this key may be used for; empty means all.
    #[serde(default)]
    #[schemars(with = "Vec<OrText<Model>>")]
    pub models: Vec<Model>,
    /// Models this key is not used for; `*` stands for any characters.
    #[serde(default)]
    pub exclude: Vec<Pattern>,
}

/// A model of a provider.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = schema::add_facts)]
pub struct Model {
    /// Id under which the provider knows it.
    #[serde(deserialize_with = "text::model")]
    pub id: String,
    /// Other names under which clients may ask for it.
    #[serde(default, deserialize_with = "text::models")]
    pub aliases: Vec<String>,
    /// What is written about it beside these keys, for example `context_tokens`.
    #[serde(default)]
    #[schemars(skip)]
    pub facts: FactsPatch,
}

impl Serialize for Model {
    /// As it is written: the facts beside the id.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("aliases", &self.aliases)?;
        for (key, value) in self.facts.fields() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
