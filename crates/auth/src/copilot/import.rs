//! The files in which GitHub's own programs keep a token.

use super::{DIRECT, GITHUB, HOST, MODE, Way, host::GitHub, shown_name, token::way_of};
use crate::{Found, Import, ImportError, Kept, NewLogin};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const EDITORS: &str = "a Copilot editor plugin";
const CLI: &str = "the Copilot CLI";

/// Newer versions of gh keep the token elsewhere, and gh itself always knows it.
const OF_GH: &str = "it is the file of gh, which keeps its token in the keyring of the system or tells it itself; \
                     run `gh auth token | byok login copilot --method token`";

/// `apps.json` and `hosts.json` of the editors, `config.json` of the command line; where it is named, `hosts.yml` of gh.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files;

impl Import for Files {
    fn places(&self, home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Kept> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = if cfg!(windows) { set("LOCALAPPDATA") } else { set("XDG_CONFIG_HOME") };
        let editors = config.unwrap_or_else(|| home.join(".config")).join("github-copilot");
        vec![
            Kept { by: EDITORS, file: editors.join("apps.json") },
            Kept { by: EDITORS, file: editors.join("hosts.json") },
            Kept { by: CLI, file: home.join(".copilot").join("config.json") },
        ]
    }

    fn read(&self, name: &str, content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
        if matches!(name, "hosts.yml" | "hosts.yaml") {
            return of_gh(content, now);
        }
        let by = if name == "config.json" { CLI } else { EDITORS };
        let bad = |why| ImportError::NotReadable { by, why };
        let json: Value = serde_json::from_slice(content).map_err(|_| bad("it is no complete JSON"))?;
        let entries = json.as_object().ok_or_else(|| bad("it holds no object"))?;
        let found =
            if name == "config.json" { of_command_line(&json, now) } else { of_editors(entries, now) };
        if found.is_empty() {
            return Err(ImportError::Nothing {
                why: "newer programs of GitHub keep it in the keyring of the system, where byok does not look; log in \
                      with `byok login copilot`, or take the one of gh: `gh auth token | byok login copilot --method token`",
            });
        }
        Ok(found)
    }
}

/// `github.com: {user: …, oauth_token: …}`: the active person of each host, where gh keeps the token in the file.
fn of_gh(content: &[u8], now: i64) -> Result<Vec<Found>, ImportError> {
    let text = std::str::from_utf8(content).unwrap_or_default();
    let yaml: Value = yaml_serde::from_str(text)
        .map_err(|_| ImportError::NotReadable { by: "gh", why: "it is no complete YAML" })?;
    let found = yaml.as_object().map(|entries| of_editors(entries, now)).unwrap_or_default();
    if found.is_empty() { Err(ImportError::Nothing { why: OF_GH }) } else { Ok(found) }
}

/// `{"github.com:CLIENT": {"user": "…", "oauth_token": "…"}}`; the older file has the host alone.
fn of_editors(entries: &Map<String, Value>, now: i64) -> Vec<Found> {
    let mut known: Vec<(String, String)> = Vec::new();
    let mut found = Vec::new();
    for (key, entry) in entries {
        let host = key.split_once(':').map_or(key.as_str(), |(host, _)| host);
        let (Some(github), Some(token)) = (GitHub::named(host), entry["oauth_token"].as_str()) else {
            continue;
        };
        let user = entry["user"].as_str().unwrap_or_default();
        // Several editors of one person: the first is enough.
        let who = (github.name().to_owned(), user.to_owned());
        if let Some(login) = login(token, &github, user, now).filter(|_| !known.contains(&who)) {
            known.push(who);
            found.push(login);
        }
    }
    found
}

/// Whatever in it has the form of a token: the shape of this file is not documented.
fn of_command_line(json: &Value, now: i64) -> Vec<Found> {
    let mut open = vec![json];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                if let Some(login) = login(text, &GitHub::public(), "", now) {
                    return vec![login];
                }
            }
            Value::Array(values) => open.extend(values),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    Vec::new()
}

pub(super) fn login(token: &str, github: &GitHub, user: &str, now: i64) -> Option<Found> {
    let token = Secret::new(token.trim());
    way_of(&token).ok().filter(|way| *way == Way::Either || *way == Way::Direct)?;
    let mut facts = TokenFacts::from([(HOST.to_owned(), Secret::new(github.name()))]);
    // Tokens of GitHub's own plugin can be exchanged, if they are not taken as they are: nobody knows that of this one yet.
    // Those of other clients can only be taken as they are.
    let untried = token.expose().starts_with("ghu_");
    if untried {
        facts.insert(GITHUB.to_owned(), token.clone());
    } else {
        facts.insert(MODE.to_owned(), Secret::new(DIRECT));
    }
    let tokens = OauthTokens {
        refresh: Some(token.clone()),
        // The first use tries it.
        expires_at: untried.then_some(now),
        access: token,
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts,
    };
    let details = AccountDetails {
        identity: (!user.is_empty()).then(|| github.identity(user)),
        email: shown_name(user),
        plan: None,
    };
    Some(Found { login: NewLogin { credential: Credential::Oauth(tokens), details }, shared_rotation: false })
}
