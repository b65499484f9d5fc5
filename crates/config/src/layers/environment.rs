//! Settings that can be given as environment variables.

use super::sources::{lookup, loose};
use crate::tree::{Node, Spot, Value, decode::nearest, path::KeyPath};

/// An environment variable that byok reads.
#[derive(Clone, Copy, Debug)]
pub struct EnvVariable {
    /// Its name.
    pub name: &'static str,
    /// The setting it stands for; empty for `BYOK_CONFIG`, which names the file.
    pub setting: &'static str,
    /// Whether it holds several values with commas between them.
    pub list: bool,
    /// What it says.
    pub meaning: &'static str,
}

const fn one(name: &'static str, setting: &'static str, meaning: &'static str) -> EnvVariable {
    EnvVariable { name, setting, list: false, meaning }
}

const fn list(name: &'static str, setting: &'static str, meaning: &'static str) -> EnvVariable {
    EnvVariable { name, setting, list: true, meaning }
}

/// All environment variables that byok reads as settings. An empty variable counts as not set.
pub const ENVIRONMENT: [EnvVariable; 12] = [
    one("BYOK_CONFIG", "", "Configuration file; it must exist."),
    one("BYOK_DB", "database", "File that keeps logins and client keys."),
    one("BYOK_HOST", "host", "Address that byok listens on."),
    one("BYOK_PORT", "port", "Port that byok listens on."),
    one("BYOK_LOG", "log.level", "What is logged."),
    one("BYOK_LOG_FORMAT", "log.format", "Form of a log line: `text` or `json`."),
    one("BYOK_PROXY", "proxy", "Proxy for everything that byok fetches, or `direct`."),
    list("BYOK_CA_FILES", "ca_files", "Certificate authorities to trust besides those of the system."),
    list("BYOK_API_KEYS", "api_keys", "Keys that clients must show."),
    one(
        "BYOK_ADMIN_SECRET",
        "admin_secret",
        "Password for accounts, keys, settings and logs over the network.",
    ),
    list("BYOK_ALLOWED_HOSTS", "allowed_hosts", "Names under which byok may be reached."),
    list("BYOK_CORS_ORIGINS", "cors_origins", "Web origins whose pages may call byok."),
];

/// Variables that other parts of byok read and that are no settings.
const OTHERS: [&str; 1] = ["BYOK_RECORDED"];

/// The layer of the environment, and warnings about variables that are nearly the name of one of ours.
pub(super) fn tree(env: &[(String, String)]) -> (Node, Vec<String>) {
    let mut root = Node::empty_table(KeyPath::default(), Spot::Default);
    for variable in ENVIRONMENT.iter().filter(|variable| !variable.setting.is_empty()) {
        let Some(text) = lookup(env, variable.name) else { continue };
        let spot = Spot::Env(variable.name);
        let (table, key) = variable.setting.split_once('.').unwrap_or(("", variable.setting));
        let mut node = loose(key, spot.clone(), text.to_owned());
        if variable.list {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            let items = parts.map(|part| loose(key, spot.clone(), part.to_owned()));
            node.value = Value::List(items.collect());
        }
        if table.is_empty() {
            root.insert(key, node);
            continue;
        }
        node.path = KeyPath::default().key(table).key(key);
        if root.get(table).is_none() {
            root.insert(table, Node::empty_table(KeyPath::default().key(table), spot));
        }
        if let Some(inner) = root.get_mut(table) {
            inner.insert(key, node);
        }
    }
    (root, unknown(env))
}

fn unknown(env: &[(String, String)]) -> Vec<String> {
    let names = ENVIRONMENT.map(|variable| variable.name);
    let mut warnings = Vec::new();
    for (name, _) in env {
        let ours =
            name.starts_with("BYOK_") && !names.contains(&name.as_str()) && !OTHERS.contains(&name.as_str());
        if let (true, Some(near)) = (ours, nearest(name, &names)) {
            warnings.push(format!("the environment variable `{name}` is not known: did you mean `{near}`?"));
        }
    }
    warnings
}
