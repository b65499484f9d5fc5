//! What the login services mean when they say no.

use crate::{LoginError, Polled, RefreshError, refusal::Refusal};
use byok_types::AccountState;
use http::StatusCode;

/// Where a locked account is unlocked.
const SUPPORT: &str = "https://support.aws.amazon.com/#/contacts/kiro";
/// A dead grant, by code or description.
const DEAD: [&str; 6] = [
    "invalid_grant",
    "InvalidGrant",
    "ExpiredToken",
    "InvalidToken",
    "Invalid refresh token provided",
    "Invalid grant provided",
];
/// The end of a registration.
const CLIENT_OVER: [&str; 5] =
    ["ExpiredClient", "InvalidClient", "invalid_client", "Client is expired", "Client has expired"];

/// The name of an exception without its name space and ending: generations of the clients disagree on both.
pub(super) fn stem(name: &str) -> &str {
    let name = name.rsplit('#').next().unwrap_or(name);
    let name = name.split(':').next().unwrap_or(name);
    name.strip_suffix("Exception").or_else(|| name.strip_suffix("Error")).unwrap_or(name)
}

fn says(refusal: &Refusal, words: &[&str]) -> bool {
    words.iter().any(|word| stem(&refusal.code) == *word || refusal.description == *word)
}

fn needs_login(refusal: &Refusal, what: &str) -> RefreshError {
    let reason = format!("Kiro says `{}`: {what}; log in again with `byok login kiro`", refusal.words());
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}

/// What the answer means for a refresh. `social`: it came from the service of the social logins.
pub(super) fn of_refresh(refusal: &Refusal, social: bool) -> RefreshError {
    let suspended =
        refusal.status == StatusCode::LOCKED || says(refusal, &["AccountSuspended", "TEMPORARILY_SUSPENDED"]);
    if suspended {
        let reason = format!("AWS has locked the account ({}); unlock it at {SUPPORT}", refusal.words());
        return RefreshError::Permanent { state: AccountState::Blocked { reason } };
    }
    if refusal.is_refusal() && says(refusal, &CLIENT_OVER) {
        return needs_login(refusal, "the client that was registered for this login is no longer known");
    }
    if refusal.is_refusal() && says(refusal, &DEAD) {
        return needs_login(refusal, "the login has ended");
    }
    if social && refusal.status == StatusCode::UNAUTHORIZED {
        return needs_login(refusal, "the login has ended");
    }
    refusal.of_refresh("Kiro", "kiro", &DEAD)
}

/// A refused step of a login.
pub(super) fn of_login(refusal: &Refusal) -> LoginError {
    refusal.of_login()
}

/// What a poll for the code means. The service has names of its own for what the standard says.
pub(super) fn of_poll(refusal: &Refusal) -> Result<Polled, LoginError> {
    match stem(&refusal.code) {
        "AuthorizationPending" => Ok(Polled::Pending),
        "SlowDown" => Ok(Polled::SlowDown(refusal.interval)),
        "ExpiredToken" => Err(LoginError::CodeExpired),
        "AccessDenied" => Err(refusal.denied()),
        _ => refusal.of_poll(),
    }
}
