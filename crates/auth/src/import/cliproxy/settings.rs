//! Settings of `CLIProxyAPI`: of them the API keys are taken, and the rest is named.

use super::{
    super::{
        peers::{Entry, Taken},
        record::{self, Fields},
    },
    BY,
};
use crate::login::plain;
use serde_json::{Value, json};

/// Lists of keys, and the provider that they are for.
const LISTS: [(&str, &str); 6] = [
    ("claude-api-key", "claude"),
    ("codex-api-key", "codex"),
    ("gemini-api-key", "gemini"),
    ("generative-language-api-key", "gemini"),
    ("xai-api-key", "xai"),
    ("vertex-api-key", "vertex"),
];
/// The vendor's own addresses: a key for another one is no key of the provider.
const OWN: [(&str, &str); 5] = [
    ("claude", "api.anthropic.com"),
    ("codex", "api.openai.com"),
    ("gemini", "generativelanguage.googleapis.com"),
    ("xai", "api.x.ai"),
    ("vertex", "aiplatform.googleapis.com"),
];
/// What byok's settings have a place for, too, and where.
const ELSEWHERE: [(&str, &str); 9] = [
    ("openai-compatibility", "add each as a provider with `kind: openai` to the settings of byok"),
    ("api-keys", "client keys are not taken over; set `api_keys` in the settings of byok"),
    ("oauth-model-alias", "set `aliases` in the settings of byok"),
    ("oauth-excluded-models", "set `providers.NAME.exclude` in the settings of byok"),
    ("proxy-url", "set `proxy` in the settings of byok"),
    ("interactions-api-key", "byok has no provider for it"),
    ("kiro", "its logins lie in files of their own: give those to byok"),
    ("ampcode", "set `amp` in the settings of byok"),
    ("payload", "byok changes no request by rules"),
];

/// Whether it is a file of settings.
pub(in crate::import) fn is_settings(value: &Value) -> bool {
    let keys = LISTS.iter().map(|(list, _)| *list).chain(["openai-compatibility", "interactions-api-key"]);
    value.get("auth-dir").is_some() || keys.into_iter().any(|list| value[list].is_array())
}

/// The keys in the settings.
pub(in crate::import) fn settings(value: &Value, now: i64) -> Taken {
    let mut taken = Taken::of(BY);
    for (list, provider) in LISTS {
        for (at, entry) in value[list].as_array().into_iter().flatten().enumerate() {
            let what = format!("{list}, entry {}", at + 1);
            // Old files have the key alone.
            let alone = json!({ "api-key": entry });
            let fields = Fields(if entry.is_string() { &alone } else { entry });
            let read = key_of(provider, fields, now).map(|found| {
                let mut login = Entry::new(provider, format!("{list}/{at}"), found);
                login.live = false;
                let others =
                    ["prefix", "priority", "weight", "proxy_url", "headers", "models", "excluded_models"];
                let others: Vec<_> = others.into_iter().filter(|name| super::is_set(fields, name)).collect();
                if !others.is_empty() {
                    login.notes.push(format!("not taken over: {}", others.join(", ")));
                }
                login
            });
            taken.add(&what, read);
        }
    }
    if let Some(folder) = value["auth-dir"].as_str().filter(|folder| !folder.is_empty()) {
        taken.leave("the logins", format!("they lie in {}: give that folder to byok", plain(folder)));
    }
    for (name, why) in ELSEWHERE {
        if super::is_set(Fields(value), name) {
            taken.leave(name, why);
        }
    }
    taken
}

fn key_of(provider: &'static str, fields: Fields<'_>, now: i64) -> Result<crate::Found, String> {
    let key = fields.text("api_key").ok_or("it holds no key")?;
    let base = fields.text("base_url").unwrap_or_default();
    let host = base.split("://").last().unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
    let own = OWN.iter().any(|(name, own)| *name == provider && host.ends_with(own));
    if !base.is_empty() && !own {
        return Err(format!(
            "its key is for {}: set it as an entry of `providers.{provider}.api_keys` with that `base_url`",
            plain(host)
        ));
    }
    if provider == "claude" && key.starts_with("sk-ant-oat") {
        return record::login("claude", &json!({"access_token": key}), now).map(|(found, _)| found);
    }
    record::key(provider, key)
}
