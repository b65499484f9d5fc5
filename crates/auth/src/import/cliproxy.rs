//! `CLIProxyAPI` and `CLIProxyAPIPlus`: a folder of JSON files, one a login, and settings in YAML with keys.

mod settings;

pub(super) use settings::{is_settings, settings};

use super::{
    peers::{Entry, Taken},
    record::{self, Fields, Made},
};
use crate::{kiro::import::Foreign, login::plain};
use serde_json::Value;

pub(super) const BY: &str = "CLIProxyAPI";

/// What the program calls the providers, and what byok calls them.
const PROVIDERS: [(&str, &str); 11] = [
    ("claude", "claude"),
    ("codex", "codex"),
    ("antigravity", "antigravity"),
    ("kimi", "kimi"),
    ("xai", "xai"),
    ("vertex", "vertex"),
    ("gemini", "gemini"),
    ("qwen", "qwen"),
    ("iflow", "iflow"),
    ("kiro", "kiro"),
    ("github-copilot", "copilot"),
];

/// Settings of one login that byok has no place for.
const NOT_TAKEN: [&str; 21] = [
    "prefix",
    "proxy_url",
    "priority",
    "weight",
    "headers",
    "excluded_models",
    "model_aliases",
    "disable_cooling",
    "request_retry",
    "request_scoped_errors",
    "websockets",
    "using_api",
    "tool_prefix_disabled",
    "fingerprint_profile",
    "cloak_mode",
    "cloak_strict_mode",
    "cloak_sensitive_words",
    "cloak_cache_user_id",
    "claude_device_ids",
    "timezone",
    "base_url",
];

/// Whether it is the file of a login: `type` says whose, and tokens lie at the top or below it.
pub(super) fn is_login(json: &Value) -> bool {
    let fields = Fields(json);
    let tokens = ["access_token", "refresh_token", "token", "service_account", "accessToken", "api_key"];
    fields.text("type").is_some() && tokens.iter().any(|name| fields.get(name).is_some())
}

/// The file of one login.
pub(super) fn login(json: &Value, now: i64) -> Taken {
    let fields = Fields(json);
    let mut taken = Taken::of(BY);
    let kind = plain(fields.text("type").unwrap_or_default());
    let who = fields.shown("label").or_else(|| fields.shown("email")).or_else(|| fields.shown("username"));
    let what = who.as_ref().map_or_else(|| kind.clone(), |who| format!("{kind}: {who}"));
    let Some((_, provider)) = PROVIDERS.iter().find(|(theirs, _)| *theirs == kind) else {
        taken.leave(what, "byok has no login for this provider");
        return taken;
    };
    let made = if *provider == "kiro" { kiro(fields, now) } else { record::login(provider, json, now) };
    taken.add(
        &what,
        made.map(|(found, notes)| {
            let mut entry = Entry::new(provider, (*provider).to_owned(), found);
            entry.name = who;
            entry.disabled |= fields.flag("disabled");
            entry.notes.extend(notes);
            let others: Vec<_> = NOT_TAKEN.into_iter().filter(|name| is_set(fields, name)).collect();
            if !others.is_empty() {
                entry.notes.push(format!("not taken over: {}", others.join(", ")));
            }
            entry
        }),
    );
    taken
}

fn is_set(fields: Fields<'_>, name: &str) -> bool {
    match fields.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(all)) => !all.is_empty(),
        Some(Value::Object(all)) => !all.is_empty(),
        Some(_) => true,
    }
}

/// The region is not written down: it is the first one.
fn kiro(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let either = |one, other| fields.text(one).or_else(|| fields.text(other));
    let access = either("access_token", "accessToken").ok_or("it holds no tokens; use `byok login kiro`")?;
    let foreign = Foreign {
        access,
        refresh: either("refresh_token", "refreshToken"),
        end: super::time::end_of(fields.0),
        method: either("auth_method", "authMethod"),
        client: fields
            .text("client_id")
            .zip(fields.text("client_secret"))
            .map(|(id, secret)| (id, secret, None)),
        registration: None,
        region: fields.text("region"),
        start_url: either("start_url", "startUrl"),
        profile: either("profile_arn", "profileArn"),
    };
    let (mut found, broken) = foreign.found(now)?;
    found.login.details.email = fields.shown("email");
    Ok((found, broken.map(|why| format!("{why}: it works until its token ends")).into_iter().collect()))
}

#[cfg(test)]
mod tests;
