//! Whose tokens they are.

use super::{PRINCIPAL, PRINCIPAL_TYPE, USER};
use crate::{BadAnswer, NewLogin, TokenAnswer, endpoint::claims_of_token, login::plain};
use byok_store::AccountDetails;
use byok_types::{Credential, Secret, TokenFacts};
use serde::Deserialize;
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Beside {
    id_token: Option<Secret>,
}

/// Reads a successful answer of the token endpoint.
pub(super) fn read(body: &[u8]) -> Result<(TokenAnswer, AccountDetails), BadAnswer> {
    let mut answer = TokenAnswer::read(body)?;
    let beside: Beside = serde_json::from_slice(body).unwrap_or_default();
    let id = beside.id_token.and_then(|token| claims_of_token(token.expose())).unwrap_or_default();
    let access = claims_of_token(answer.access.expose()).unwrap_or_default();
    let (details, facts) = owner(&id, &access);
    answer.facts = facts;
    Ok((answer, details))
}

/// A finished login at `now`.
pub(super) fn login(body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
    let (answer, details) = read(body)?;
    Ok(NewLogin { credential: Credential::Oauth(answer.into_tokens(None, now)), details })
}

/// The owner by what the id token, and what the access token says. A team has no id token.
pub(crate) fn owner(id: &Value, access: &Value) -> (AccountDetails, TokenFacts) {
    let text = |from: &Value, name: &str| from[name].as_str().map(plain).filter(|text| !text.is_empty());
    let user = text(id, "sub").or_else(|| text(access, "sub"));
    let principal = text(access, PRINCIPAL);
    let kind = text(access, PRINCIPAL_TYPE);
    let email = text(id, "email").or_else(|| text(access, "email"));
    let is_team = kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("team"));
    // The same person may be logged in for themselves and for a team, with limits of their own.
    let identity = match (&principal, &user) {
        (Some(principal), Some(user)) if is_team => Some(format!("{principal}/{user}")),
        (Some(principal), _) if is_team => Some(principal.clone()),
        (_, Some(user)) => Some(user.clone()),
        (principal, None) => principal.clone(),
    };
    let plan = if is_team { Some("team".to_owned()) } else { None };
    let mut facts = TokenFacts::new();
    for (name, value) in [(PRINCIPAL_TYPE, kind), (PRINCIPAL, principal), (USER, user)] {
        facts.extend(value.map(|value| (name.to_owned(), Secret::new(value))));
    }
    (AccountDetails { email, plan, identity }, facts)
}
