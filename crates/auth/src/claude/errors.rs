//! What the token endpoint means when it says no.

use crate::{RefreshError, refusal::Refusal};
use byok_types::AccountState;
use url::Url;

/// Where a person can appeal if the vendor names no page of its own.
const APPEAL: &str = "https://claude.ai/restricted";
/// Codes and descriptions of a dead grant. The descriptions are seen with `invalid_grant` and recognised without it.
const DEAD: [&str; 7] = [
    "invalid_grant",
    "access_denied",
    "invalid_scope",
    "Refresh token expired",
    "Refresh token not found or invalid",
    "No organization associated with this token",
    "No account associated with this token",
];

/// Whether a scope was named that the grant does not have.
pub(super) fn is_about_scope(refusal: &Refusal) -> bool {
    refusal.status == http::StatusCode::BAD_REQUEST && refusal.code == "invalid_scope"
}

/// What the answer means for a refresh.
pub(super) fn of_refresh(refusal: &Refusal) -> RefreshError {
    if refusal.is_refusal() && refusal.description == "account_on_hold" {
        let reason =
            format!("Anthropic has put the account on hold for review; appeal at {}", appeal(refusal));
        return RefreshError::Permanent { state: AccountState::Blocked { reason } };
    }
    refusal.of_refresh("Anthropic", "claude", &DEAD)
}

/// Only pages of the vendor are shown to a person who is told to go there.
fn appeal(refusal: &Refusal) -> String {
    let trusted = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        let of =
            |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
        url.scheme() == "https" && (of("claude.ai") || of("anthropic.com"))
    };
    let stated = refusal.uri.as_deref().and_then(|uri| Url::parse(uri).ok()).filter(trusted);
    stated.map_or_else(|| APPEAL.to_owned(), String::from)
}
