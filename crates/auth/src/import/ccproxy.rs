//! `CCProxy`: one login of Claude in a file.

use super::{
    peers::{Entry, Taken},
    record,
};
use serde_json::{Value, json};

pub(super) const BY: &str = "CCProxy";

/// `auth.json`. It renews only when it is refused, so an end that has passed says nothing about the refresh token.
pub(super) fn auth(json: &Value, now: i64) -> Taken {
    let mut taken = Taken::of(BY);
    let record =
        json!({"access_token": json["access"], "refresh_token": json["refresh"], "expires": json["expires"]});
    let read = record::login("claude", &record, now).map(|(found, notes)| {
        let mut entry = Entry::new("claude", "claude".to_owned(), found);
        entry.notes = notes;
        entry
    });
    taken.add("claude", read);
    taken
}

/// Why another file of this program is of no use.
pub(super) fn without_login(json: &Value) -> Option<&'static str> {
    if json["key"].as_str().is_some_and(|key| key.starts_with("sk-ccproxy-")) {
        return Some(
            "it is the client key of CCProxy, whose login is in `auth.json`; set `api_keys` in the settings of byok",
        );
    }
    json["modelMapping"].is_object().then_some(
        "it holds the settings of CCProxy, whose login is in `auth.json`; set `aliases` in the settings of byok",
    )
}

#[cfg(test)]
mod tests;
