//! `BYOKEY`: a database of tokens, and settings with keys.

use super::{
    peers::{Entry, Taken},
    record::{self, Fields},
};
use crate::{
    login::plain,
    sqlite::{Damaged, Rows},
};
use serde_json::Value;

pub(super) const BY: &str = "BYOKEY";
/// Its providers that byok has, too.
const PROVIDERS: [&str; 8] = ["claude", "codex", "gemini", "copilot", "antigravity", "qwen", "kimi", "iflow"];
/// Accounts of these names are copies of what the vendor's own program has.
const COPIES: [&str; 2] = ["claude-code", "codex-cli"];

/// A row of a table.
struct Stored {
    provider: String,
    account: String,
    label: Option<String>,
    token: String,
}

/// The logins of the table `accounts`, or of `tokens` in the first versions.
pub(super) fn database(rows: &Rows, table: &str, now: i64) -> Result<Taken, Damaged> {
    let query = if table == "accounts" {
        "SELECT provider, account_id, label, token_json FROM accounts ORDER BY provider, is_active DESC, account_id"
    } else {
        "SELECT provider, 'default', NULL, token_json FROM tokens ORDER BY provider"
    };
    let all = rows.each(query, &[], |row| {
        Ok(Stored { provider: row.get(0)?, account: row.get(1)?, label: row.get(2)?, token: row.get(3)? })
    })?;
    let mut taken = Taken::of(BY);
    for stored in all {
        let what = format!("{}: {}", plain(&stored.provider), plain(&stored.account));
        taken.add(&what, entry(&stored, now));
    }
    Ok(taken)
}

fn entry(stored: &Stored, now: i64) -> Result<Entry, String> {
    let known = PROVIDERS.into_iter().find(|name| *name == stored.provider);
    let provider = known.ok_or_else(|| match stored.provider.as_str() {
        // It has no login of Kiro itself, and says nothing of the client that the tokens belong to.
        "kiro" => {
            "its tokens do not say which kind of Kiro login they are of; use `byok login kiro`".to_owned()
        }
        _ => "byok has no login for this provider".to_owned(),
    })?;
    let token: Value = serde_json::from_str(&stored.token)
        .map_err(|_| "its tokens are damaged; log in anew with `byok login`")?;
    let fields = Fields(&token);
    let access = fields.text("access_token").unwrap_or_default();
    let (found, mut notes) = match provider {
        _ if fields.text("token_type") == Some("api-key") => (record::key(provider, access)?, Vec::new()),
        // Its access token is the key of today; the refresh token belongs to something else.
        "iflow" => (record::key(provider, access)?, Vec::new()),
        _ => record::login(provider, &token, now)?,
    };
    if COPIES.contains(&&*stored.account) {
        notes.push(
            "it is a copy of the login of the vendor's own program, so that three programs share it"
                .to_owned(),
        );
    }
    let mut entry = Entry::new(provider, format!("{}/{}", stored.provider, stored.account), found);
    entry.notes.extend(notes);
    let label = stored.label.as_deref().map(plain).filter(|label| !label.is_empty());
    let account = Some(plain(&stored.account)).filter(|account| account != "default");
    entry.name = match (label, account) {
        (Some(label), Some(account)) => Some(format!("{label} ({account})")),
        (label, account) => label.or(account),
    };
    Ok(entry)
}

/// Whether it is a file of settings: providers by name, with keys.
pub(super) fn is_settings(value: &Value) -> bool {
    let keys = |provider: &Value| provider.get("api_key").is_some() || provider.get("api_keys").is_some();
    value["providers"].as_object().is_some_and(|all| all.values().any(keys))
}

/// The keys in the settings.
pub(super) fn settings(value: &Value) -> Taken {
    let mut taken = Taken::of(BY);
    for (name, provider) in value["providers"].as_object().into_iter().flatten() {
        let Some(known) = PROVIDERS.into_iter().find(|known| *known == name.replace('_', "")) else {
            taken.leave(plain(name), "byok has no provider of this name");
            continue;
        };
        let own_base = Fields(provider).text("base_url");
        let alone = Fields(provider).text("api_key").map(|key| (key, None, own_base));
        let listed = provider["api_keys"].as_array().into_iter().flatten().map(|entry| {
            let fields = Fields(entry);
            let key = fields.text("api_key").or(entry.as_str()).unwrap_or_default();
            (key, fields.shown("label"), fields.text("base_url").or(own_base))
        });
        for (at, (key, label, base)) in alone.into_iter().chain(listed).enumerate() {
            let read = match base {
                Some(base) => Err(format!(
                    "its key is for {}: set it as an entry of `providers.{known}.api_keys` with that `base_url`",
                    plain(base)
                )),
                None => record::key(known, key),
            };
            let entry = read.map(|found| {
                let mut entry = Entry::new(known, format!("{known}/{at}"), found);
                entry.live = false;
                entry.name = label;
                entry
            });
            taken.add(&format!("{}, key {}", plain(name), at + 1), entry);
        }
    }
    taken
}

#[cfg(test)]
mod tests;
