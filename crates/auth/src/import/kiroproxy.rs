//! `KiroProxy`: a list of paths to files with tokens, and exports with the tokens in them.
//!
//! When it reads a file it fills what is missing there from other files of the folder, and writes it back: a file may hold the
//! client or the profile of another account.

use super::{
    peers::{Entry, Reach, Taken},
    record::{Fields, Made},
    time::{end_of, moment},
};
use crate::{kiro::import::Foreign, login::plain};
use byok_types::Credential;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(super) const BY: &str = "KiroProxy";

/// Whether it is an account of the settings or of an export.
pub(super) fn is_account(account: &Value) -> bool {
    account["token_path"].is_string() || account.get("credentials").is_some()
}

/// A file with tokens by itself: of this program, or of the Kiro IDE.
pub(super) fn token_file(json: &Value, reach: Reach<'_>, now: i64) -> Taken {
    let mut taken = Taken::of("KiroProxy or the Kiro IDE");
    let read = tokens(json, None, &|hash| reach(&format!("{hash}.json")), now)
        .map(|(found, notes)| Entry { notes, ..Entry::new("kiro", "kiro".to_owned(), found) });
    taken.add("kiro", read);
    taken
}

/// The settings, or an export.
pub(super) fn accounts(json: &Value, reach: Reach<'_>, now: i64) -> Taken {
    let mut taken = Taken::of(BY);
    let mut known = Vec::new();
    for (at, account) in json["accounts"].as_array().into_iter().flatten().enumerate() {
        let fields = Fields(account);
        let name = fields.shown("name");
        let what =
            name.as_ref().map_or_else(|| format!("account {}", at + 1), |name| format!("kiro: {name}"));
        let read = match account.get("credentials") {
            Some(credentials) => {
                tokens(&unpacked(credentials), None, &|_| None, now).map(|made| (made, None))
            }
            None => linked(fields.text("token_path").unwrap_or_default(), reach, now),
        };
        let read = read.map(|((found, notes), file)| {
            let key = file.as_ref().map_or_else(|| format!("kiro/{at}"), |_| "kiro".to_owned());
            let mut entry = Entry { notes, ..Entry::new("kiro", key, found) };
            entry.live = file.is_some();
            entry.file = file;
            entry.name = name;
            entry.disabled |= account["enabled"] == false;
            if fields.text("proxy_url").is_some() {
                entry.notes.push("not taken over: proxy_url".to_owned());
            }
            entry
        });
        match read {
            Ok(entry) if known.contains(&refresh_of(&entry)) => {
                taken.leave(what, "it is the same login as another one of the file");
            }
            Ok(entry) => {
                known.extend(Some(refresh_of(&entry)).filter(Option::is_some));
                taken.add(&what, Ok(entry));
            }
            Err(why) => taken.add(&what, Err(why)),
        }
    }
    taken
}

fn refresh_of(entry: &Entry) -> Option<byok_types::SecretHash> {
    match &entry.found.login.credential {
        Credential::Oauth(tokens) => tokens.refresh.as_ref().map(byok_types::Secret::hash),
        Credential::ApiKey(_) => None,
    }
}

/// The tokens of an account of the settings, in a file of their own.
fn linked(path: &str, reach: Reach<'_>, now: i64) -> Result<(Made, Option<PathBuf>), String> {
    let missing = || format!("its file {} is missing or not readable", plain(path));
    let file = Path::new(path);
    if !file.is_absolute() {
        return Err(missing());
    }
    let content = reach(path).ok_or_else(missing)?;
    let json: Value = serde_json::from_slice(&content)
        .map_err(|_| format!("its file {} is damaged; stop KiroProxy, and try again", plain(path)))?;
    let beside = |hash: &str| reach(file.parent()?.join(format!("{hash}.json")).to_str()?);
    Ok((tokens(&json, None, &beside, now)?, Some(file.to_owned())))
}

/// Credentials are an object, or JSON as text.
pub(super) fn unpacked(credentials: &Value) -> Value {
    match credentials.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => credentials.clone(),
    }
}

/// The login in an object with tokens. `registration` reads the file of a registered client by its hash; `region` counts where
/// the object names none.
pub(super) fn tokens(
    json: &Value,
    region: Option<&str>,
    registration: &dyn Fn(&str) -> Option<Vec<u8>>,
    now: i64,
) -> Result<Made, String> {
    let fields = Fields(json);
    let either = |one, other| fields.text(one).or_else(|| fields.text(other));
    let access = either("accessToken", "access_token").ok_or("it holds no tokens; use `byok login kiro`")?;
    let method = either("authMethod", "auth_method");
    let refresh = either("refreshToken", "refresh_token");
    // Tokens of AWS for other things lie in the same folder.
    let of_kiro = method.is_some() || refresh.is_some_and(|refresh| refresh.starts_with("aor"));
    if !of_kiro {
        return Err("it is no login of Kiro; use `byok login kiro`".to_owned());
    }
    let client = either("clientId", "client_id").zip(either("clientSecret", "client_secret"));
    let client_end = moment(&json["clientSecretExpiresAt"]);
    // The name becomes a part of a path, so it must be no more than a name.
    let hash = either("clientIdHash", "client_id_hash")
        .filter(|hash| hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    let foreign = Foreign {
        access,
        refresh,
        end: end_of(json),
        method,
        client: client.map(|(id, secret)| (id, secret, client_end)),
        registration: hash.and_then(registration),
        region: either("idcRegion", "idc_region").or(fields.text("region")).or(region),
        start_url: either("startUrl", "start_url"),
        profile: either("profileArn", "profile_arn"),
    };
    let (found, broken) = foreign.found(now)?;
    Ok((found, broken.map(|why| format!("{why}: it works until its token ends")).into_iter().collect()))
}

#[cfg(test)]
mod tests;
