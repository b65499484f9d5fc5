//! opencode: `auth.json`, an object with one entry for each provider that it is logged in to
//! (`packages/opencode/src/auth/index.ts` of sst/opencode, 2026).

use super::{
    peers::{Entry, Taken},
    record::{self, Fields},
};
use crate::{Found, login::plain};
use serde_json::{Map, Value, json};

pub(super) const BY: &str = "opencode";

/// The kinds of its entries: a login, a key, and a token that a company hands out.
const KINDS: [&str; 3] = ["oauth", "api", "wellknown"];

/// Its names of providers, and byok's.
const LOGINS: [(&str, &str); 3] =
    [("anthropic", "claude"), ("openai", "codex"), ("github-copilot", "copilot")];
const KEYS: [(&str, &str); 4] =
    [("anthropic", "claude"), ("openai", "codex"), ("google", "gemini"), ("xai", "xai")];

/// Whether every entry is of one of its kinds.
pub(super) fn is_auth(members: &Map<String, Value>) -> bool {
    !members.is_empty()
        && members.values().all(|entry| entry["type"].as_str().is_some_and(|kind| KINDS.contains(&kind)))
}

/// `auth.json`.
pub(super) fn auth(members: &Map<String, Value>, now: i64) -> Taken {
    let mut taken = Taken::of(BY);
    for (name, entry) in members {
        taken.add(&plain(name), login(name, entry, now));
    }
    taken
}

fn login(name: &str, entry: &Value, now: i64) -> Result<Entry, String> {
    let of = |table: &[(&str, &'static str)]| table.iter().find(|(its, _)| *its == name).map(|(_, own)| *own);
    let fields = Fields(entry);
    let (provider, (found, notes)): (_, (Found, Vec<String>)) = match fields.text("type") {
        Some("oauth") => {
            let provider =
                of(&LOGINS).ok_or("byok does not know its logins of this provider; see `byok login`")?;
            if fields.text("enterpriseUrl").is_some() {
                return Err(
                    "it is of a company's own host; use `byok login copilot --method enterprise`".to_owned()
                );
            }
            let record = match provider {
                // The token of GitHub; `access` may be what that was exchanged for.
                "copilot" => json!({"access_token": entry["refresh"]}),
                _ => json!({
                    "access_token": entry["access"], "refresh_token": entry["refresh"], "expires": entry["expires"],
                    "account_id": entry["accountId"],
                }),
            };
            (provider, record::login(provider, &record, now)?)
        }
        Some("api") => {
            let missing =
                "byok keeps no keys of this provider as accounts; add it to `providers` in the settings";
            let provider = of(&KEYS).ok_or(missing)?;
            (provider, (record::key(provider, fields.text("key").unwrap_or_default())?, Vec::new()))
        }
        _ => return Err("it is a token for a server of a company, which byok does not know".to_owned()),
    };
    Ok(Entry { notes, ..Entry::new(provider, name.to_owned(), found) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use byok_types::Credential;

    #[test]
    fn logins_and_keys_of_its_file() {
        let file = json!({
            "anthropic": {"type": "oauth", "refresh": "sk-ant-ort01-x", "access": "sk-ant-oat01-x", "expires": 4_102_444_800_000_i64},
            "github-copilot": {"type": "oauth", "refresh": "gho_x", "access": "gho_x", "expires": 0},
            "google": {"type": "api", "key": "AIza-x"},
            "openrouter": {"type": "api", "key": "sk-or-v1-x"},
            "openai": {"type": "oauth", "refresh": "r", "access": "opaque", "expires": 1},
            "corp": {"type": "wellknown", "key": "K", "token": "t"},
        });
        let members = file.as_object().unwrap();
        assert!(is_auth(members));
        let taken = auth(members, 0);
        let found: Vec<_> = taken.logins.iter().map(|entry| (entry.key.as_str(), entry.provider)).collect();
        assert_eq!(found, [("anthropic", "claude"), ("github-copilot", "copilot"), ("google", "gemini")]);
        let Credential::Oauth(claude) = &taken.logins[0].found.login.credential else { panic!() };
        assert_eq!((claude.access.expose(), claude.expires_at), ("sk-ant-oat01-x", Some(4_102_444_800)));
        assert!(taken.logins[0].found.shared_rotation && !taken.logins[1].found.shared_rotation);
        let mut left: Vec<_> = taken.left.iter().map(|left| left.what.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["corp", "openai", "openrouter"], "{:?}", taken.left);
        assert!(taken.left.iter().all(|left| !left.why.contains("sk-or-")), "{:?}", taken.left);
    }

    #[test]
    fn other_objects_are_none_of_it() {
        for other in
            [json!({}), json!({"type": "oauth"}), json!({"a": {"type": "service_account"}}), json!({"a": 1})]
        {
            assert!(!is_auth(other.as_object().unwrap()), "{other}");
        }
    }
}
