//! What the tokens say of themselves.

use super::{ACCOUNT, FEDRAMP};
use crate::{BadAnswer, Owner, Standing, TokenAnswer, endpoint::claims_of_token, login::plain};
use byok_store::AccountDetails;
use byok_types::{OauthTokens, Secret, TokenFacts};
use serde::Deserialize;
use serde_json::Value;

/// How long a token counts as good that says nothing of its end (the official client renews it after that time).
const UNSTATED_LIFE: i64 = 8 * 86_400;
const PROFILE: &str = "https://api.openai.com/profile";
const AUTH: &str = "https://api.openai.com/auth";

/// An answer of the token endpoint: each field may be missing, and only what came is new.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id_token: Option<Secret>,
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    expires_in: Option<i64>,
}

/// The owner by the claims of the id token, with what it lacks from those of the access token.
pub(crate) fn owner(id: Option<&Secret>, access: &Secret) -> Owner {
    let claims = |token: &Secret| claims_of_token(token.expose());
    let both = [id.and_then(claims), claims(access)];
    let find = |path: &dyn Fn(&Value) -> Option<String>| both.iter().flatten().find_map(path);
    let auth = |name: &'static str| {
        find(&move |claims: &Value| text(&claims[AUTH][name])).filter(|text| !text.is_empty())
    };
    let account = auth("chatgpt_account_id");
    let user = auth("chatgpt_user_id").or_else(|| auth("user_id"));
    let identity = match (&account, user) {
        // Several people share a workspace.
        (Some(account), Some(user)) => Some(format!("{account}/{user}")),
        (account, _) => account.clone(),
    };
    let mut facts = TokenFacts::new();
    facts.extend(account.map(|account| (ACCOUNT.to_owned(), Secret::new(account))));
    let fedramp = both.iter().flatten().any(|claims| claims[AUTH]["chatgpt_account_is_fedramp"] == true);
    if fedramp {
        facts.insert(FEDRAMP.to_owned(), Secret::new("true"));
    }
    let email = |claims: &Value| text(&claims["email"]).or_else(|| text(&claims[PROFILE]["email"]));
    let plan = auth("chatgpt_plan_type").map(|plan| plan.to_ascii_lowercase());
    let details = AccountDetails { email: find(&email), plan, identity };
    Owner { details, facts, standing: Standing::Unknown }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(plain).filter(|text| !text.is_empty())
}

/// When an access token ends, Unix seconds, if it says so.
pub(crate) fn end_of(access: &Secret) -> Option<i64> {
    claims_of_token(access.expose())?["exp"].as_i64()
}

/// Reads a successful answer at `now`; `old` are the tokens that it renews.
pub(super) fn read(
    body: &[u8],
    old: Option<&OauthTokens>,
    now: i64,
) -> Result<(TokenAnswer, AccountDetails), BadAnswer> {
    // The cause is dropped on purpose: its text may quote the body.
    let answer: Answer = serde_json::from_slice(body).map_err(|_| BadAnswer)?;
    let came = |token: Option<Secret>| token.filter(|token| !token.is_blank());
    let (id, refresh) = (came(answer.id_token), came(answer.refresh_token));
    let access = match (came(answer.access_token), old) {
        (Some(access), _) => access,
        // The new refresh token must not be lost although the old access token goes on.
        (None, Some(old)) if refresh.is_some() => old.access.clone(),
        _ => return Err(BadAnswer),
    };
    let Owner { details, facts, .. } = owner(id.as_ref(), &access);
    let answer = TokenAnswer {
        expires_in: Some(life_of(&access, now).or(answer.expires_in).unwrap_or(UNSTATED_LIFE)),
        access,
        refresh,
        refresh_expires_in: None,
        scope: None,
        facts,
    };
    Ok((answer, details))
}

/// How long a new access token lives. Where it says when it was issued, the clock of this machine does not matter.
fn life_of(access: &Secret, now: i64) -> Option<i64> {
    let claims = claims_of_token(access.expose())?;
    let end = claims["exp"].as_i64()?;
    let issued = claims["iat"].as_i64().filter(|issued| *issued < end);
    Some(end.saturating_sub(issued.unwrap_or(now)))
}

/// The end of tokens that a file kept since `last`.
pub(super) fn end_or_guess(access: &Secret, last: Option<i64>) -> i64 {
    // One of unknown age is renewed before it is used.
    end_of(access).or_else(|| last.map(|last| last.saturating_add(UNSTATED_LIFE))).unwrap_or(0)
}
