//! The files and databases of programs like byok. Bytes in, logins out: nothing here writes, asks or renews.

use super::{ImportError, byokey, ccproxy, cliproxy, kiroproxy, octoproxy, opencode, record};
use crate::{Found, login::program_of, refuse_foreign_login, sqlite};
use byok_types::{CredentialKind, ProviderId};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The largest file of JSON or YAML that can be one.
pub const LARGEST_FILE: u64 = 1 << 20;
/// The largest database that can be one: conversations lie in it, too.
pub const LARGEST_DATABASE: u64 = 64 << 20;

/// Reads another file: one that lies beside, by its name, or one by its whole path.
pub(super) type Reach<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// What was found in a file.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The program that wrote it.
    pub by: &'static str,
    /// Its logins.
    pub logins: Vec<Entry>,
    /// What byok cannot take.
    pub left: Vec<Left>,
}

/// A login of such a program.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name of byok's provider.
    pub provider: &'static str,
    /// What the program calls it.
    pub name: Option<String>,
    /// Whether it is switched off there.
    pub disabled: bool,
    /// What happened to its service, where that has ended: it is taken over switched off.
    pub ended: Option<&'static str>,
    /// What finds it again in the file.
    pub key: String,
    /// The file that it lives in, if that is another one than the one that was read.
    pub file: Option<PathBuf>,
    /// Whether the program keeps it up to date there; a copy is not.
    pub live: bool,
    /// What the person should know about it.
    pub notes: Vec<String>,
    /// The login.
    pub found: Found,
}

/// Something that byok cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What it is.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Taken {
    pub(super) fn of(by: &'static str) -> Self {
        Self { by, ..Self::default() }
    }

    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.left.push(Left { what: what.into(), why: why.into() });
    }

    /// Adds a login, or why it is none. `what` names it for the person.
    pub(super) fn add(&mut self, what: &str, read: Result<Entry, String>) {
        match read.and_then(Entry::of_its_vendor) {
            Ok(entry) => self.logins.push(entry),
            Err(why) => self.leave(what, why),
        }
    }
}

impl Entry {
    pub(super) fn new(provider: &'static str, key: String, found: Found) -> Self {
        let ended = record::ended(provider);
        Self {
            provider,
            name: None,
            disabled: false,
            ended,
            key,
            file: None,
            live: true,
            notes: ended.map(|what| format!("{what}: it comes over switched off")).into_iter().collect(),
            found,
        }
    }

    /// This login, unless its tokens evidently are another vendor's. Its keys may be those of a server of the person's own.
    fn of_its_vendor(self) -> Result<Self, String> {
        if self.found.login.credential.kind() == CredentialKind::Oauth {
            let provider = ProviderId::new(self.provider).map_err(|error| error.to_string())?;
            refuse_foreign_login(&provider, &self.found.login).map_err(|error| error.to_string())?;
        }
        Ok(self)
    }
}

/// Whether the content is that of a database.
pub fn is_database(content: &[u8]) -> bool {
    content.starts_with(sqlite::MAGIC)
}

/// Reads a file of one of these programs, whichever it is, as of Unix time `now`. `name` is the name of the file without its
/// directory; `reach` reads others.
///
/// # Errors
/// [`ImportError`] if it is of another kind or damaged. What is wrong with one login of several is said in [`Taken::left`].
pub fn read(name: &str, content: &[u8], reach: Reach<'_>, now: i64) -> Result<Taken, ImportError> {
    let taken =
        if is_database(content) { database(name, content, reach, now)? } else { text(content, reach, now)? };
    if taken.logins.is_empty() && taken.left.is_empty() {
        return Err(ImportError::Nothing {
            why: "the program that wrote it is logged in nowhere; use `byok login`",
        });
    }
    Ok(taken)
}

fn database(name: &str, content: &[u8], reach: Reach<'_>, now: i64) -> Result<Taken, ImportError> {
    let log = reach(&format!("{name}-wal"));
    let damaged = |sqlite::Damaged(why)| ImportError::Damaged { why };
    let rows = sqlite::Rows::read(content, log.as_deref()).map_err(damaged)?;
    let columns = |table: &str| rows.columns(table).map_err(damaged);
    let has = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
    for table in ["accounts", "tokens"] {
        if has(&columns(table)?, "token_json") {
            return byokey::database(&rows, table, now).map_err(damaged);
        }
    }
    let providers = columns("providers")?;
    if has(&providers, "credentials") {
        return octoproxy::database(&rows, &providers, now).map_err(damaged);
    }
    if !columns("auth_kv")?.is_empty() {
        return Err(ImportError::Nothing {
            why: "it is that of kiro-cli; use `byok login kiro --import FILE`",
        });
    }
    Err(ImportError::Unknown { why: "it is a database of another program" })
}

fn text(content: &[u8], reach: Reach<'_>, now: i64) -> Result<Taken, ImportError> {
    let trimmed = content.trim_ascii();
    if trimmed.is_empty() {
        return Err(ImportError::Damaged { why: "it is empty" });
    }
    if let Ok(json) = serde_json::from_slice::<Value>(content) {
        return json_of(&json, reach, now);
    }
    if trimmed.starts_with(b"{") || trimmed.starts_with(b"[") {
        return Err(ImportError::Damaged { why: "it is JSON that was cut off or changed by hand" });
    }
    let yaml = std::str::from_utf8(content).ok().and_then(|text| yaml_serde::from_str::<Value>(text).ok());
    let Some(yaml) = yaml.filter(Value::is_object) else {
        return Err(ImportError::Unknown { why: "it is neither JSON nor settings nor a database" });
    };
    settings(&yaml, now).ok_or(ImportError::Unknown { why: "it holds settings of another program" })
}

/// Settings with keys, in YAML or JSON.
fn settings(value: &Value, now: i64) -> Option<Taken> {
    if cliproxy::is_settings(value) {
        return Some(cliproxy::settings(value, now));
    }
    byokey::is_settings(value).then(|| byokey::settings(value))
}

/// Which vendor's own program has written a file, and what reads it; `None` where the content does not show it.
pub fn whose(content: &[u8]) -> Option<&'static str> {
    vendors_own(&serde_json::from_slice(content).ok()?)
}

fn vendors_own(json: &Value) -> Option<&'static str> {
    let has = |name: &str| json.get(name).is_some();
    if json["type"] == "service_account" && has("private_key") {
        return Some("it is the key of a service account; use `byok login vertex --with file=FILE`");
    }
    // Shapes that others could have, too, and most likely have not.
    let of_codex = "it is that of Codex CLI; use `byok login codex --import FILE`";
    let of_gemini = "it is that of Gemini CLI; use `byok login gemini --import FILE`";
    let likely = || json["tokens"].is_object().then_some(of_codex);
    program_of(json).or_else(likely).or(has("expiry_date").then_some(of_gemini))
}

/// The order of the questions matters: some shapes are parts of others.
fn json_of(json: &Value, reach: Reach<'_>, now: i64) -> Result<Taken, ImportError> {
    let Some(members) = json.as_object() else {
        return Err(ImportError::Unknown { why: "it is JSON of another form" });
    };
    let has = |name: &str| members.contains_key(name);
    let any =
        |list: &str, is: &dyn Fn(&Value) -> bool| json[list].as_array().is_some_and(|all| all.iter().any(is));
    if json["type"] == "oauth" && has("access") && has("refresh") {
        return Ok(ccproxy::auth(json, now));
    }
    if opencode::is_auth(members) {
        return Ok(opencode::auth(members, now));
    }
    if cliproxy::is_login(json) {
        return Ok(cliproxy::login(json, now));
    }
    if let Some(why) = vendors_own(json) {
        return Err(ImportError::Nothing { why });
    }
    if has("accessToken") && has("refreshToken") {
        return Ok(kiroproxy::token_file(json, reach, now));
    }
    if any("accounts", &kiroproxy::is_account) {
        return Ok(kiroproxy::accounts(json, reach, now));
    }
    if any("providers", &|one| one.get("credentials").is_some()) {
        return Ok(octoproxy::export(json, now));
    }
    if members.keys().any(|key| key.contains("::")) {
        return Err(ImportError::Nothing {
            why: "it is that of Grok CLI; use `byok login xai --import FILE`",
        });
    }
    if let Some(why) = ccproxy::without_login(json) {
        return Err(ImportError::Nothing { why });
    }
    settings(json, now).ok_or(ImportError::Unknown { why: "it is JSON of another form" })
}

/// Reads the login with this key again, for one that is followed.
pub(crate) fn again(
    name: &str,
    content: &[u8],
    reach: Reach<'_>,
    now: i64,
    key: &str,
) -> Result<Option<Found>, ImportError> {
    let taken = read(name, content, reach, now)?;
    Ok(taken.logins.into_iter().find(|entry| entry.key == key).map(|entry| entry.found))
}

/// Where such programs keep their logins: files, databases, and folders of files. `variable` looks up the environment.
pub fn places(home: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, PathBuf)> {
    let set = |name: &str| variable(name).filter(|set| !set.is_empty()).map(PathBuf::from);
    let mut roots = vec![home.join("Library/Application Support")];
    roots.extend(set("APPDATA"));
    roots.push(set("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")));
    let mut places = vec![
        (cliproxy::BY, home.join(".cli-proxy-api")),
        (byokey::BY, home.join(".byokey/tokens.db")),
        (ccproxy::BY, home.join(".ccproxy/auth.json")),
        (kiroproxy::BY, home.join(".kiro-proxy/config.json")),
        (
            opencode::BY,
            set("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")).join("opencode/auth.json"),
        ),
    ];
    for app in ["octo-proxy", "OctoProxy"] {
        places.extend(roots.iter().map(|root| (octoproxy::BY, root.join(app).join("data/octo-proxy.db"))));
    }
    places
}

#[cfg(test)]
mod tests;
