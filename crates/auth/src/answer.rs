use crate::NewLogin;
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde::{Deserialize, Deserializer};

/// What is assumed when a vendor does not say how long a token lives.
const ASSUMED_LIFETIME: i64 = 3600;
/// Lifetimes outside of this range are a mistake of the vendor: 1 minute to 400 days.
const LIFETIMES: std::ops::RangeInclusive<i64> = 60..=400 * 24 * 3600;

/// The answer of a token endpoint (RFC 6749, section 5.1), read leniently: every field but the access token may be
/// missing, and numbers may be written as text.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenAnswer {
    /// Token sent with each request.
    #[serde(rename = "access_token")]
    pub access: Secret,
    /// Token that buys the next pair.
    #[serde(rename = "refresh_token", default)]
    pub refresh: Option<Secret>,
    /// Lifetime of `access`, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub expires_in: Option<i64>,
    /// Lifetime of `refresh`, in seconds.
    #[serde(rename = "refresh_token_expires_in", default, deserialize_with = "seconds")]
    pub refresh_expires_in: Option<i64>,
    /// Granted scopes, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// What else belongs to the tokens; put in by whoever knows the vendor.
    #[serde(skip)]
    pub facts: TokenFacts,
}

/// The answer of a token endpoint contains no usable token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token endpoint answered without a token that can be used; try again later")]
pub struct BadAnswer;

impl TokenAnswer {
    /// Reads the body of a successful answer.
    pub fn read(body: &[u8]) -> Result<Self, BadAnswer> {
        // The cause is dropped on purpose: its text may quote the body.
        let answer: Self = serde_json::from_slice(body).map_err(|_| BadAnswer)?;
        if answer.access.is_sendable() { Ok(answer) } else { Err(BadAnswer) }
    }

    /// The tokens as they are stored, seen from Unix time `now`. What the vendor left out is taken from `old`: a refresh
    /// token that is not replaced stays valid, and so do scopes and facts.
    pub fn into_tokens(self, old: Option<&OauthTokens>, now: i64) -> OauthTokens {
        let within = |lifetime: i64| now.saturating_add(lifetime.clamp(*LIFETIMES.start(), *LIFETIMES.end()));
        let new_refresh = self.refresh.filter(|token| !token.is_blank());
        let kept = if new_refresh.is_none() { old } else { None };
        let scopes = self.scope.map(|scope| scope.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let mut facts = old.map(|old| old.facts.clone()).unwrap_or_default();
        facts.extend(self.facts);
        // The very same token again, and no word of its end: it goes on as before, until it is refused.
        let same = old.is_some_and(|old| old.access.hash() == self.access.hash());
        let expires_at = match self.expires_in {
            None if same => None,
            lifetime => Some(within(lifetime.unwrap_or(ASSUMED_LIFETIME))),
        };
        OauthTokens {
            facts,
            access: self.access,
            refresh: new_refresh.or_else(|| kept.and_then(|old| old.refresh.clone())),
            expires_at,
            refresh_expires_at: self
                .refresh_expires_in
                .map(within)
                .or_else(|| kept.and_then(|old| old.refresh_expires_at)),
            scopes: scopes
                .filter(|scopes| !scopes.is_empty())
                .or_else(|| old.map(|old| old.scopes.clone()))
                .unwrap_or_default(),
        }
    }

    /// The login that somebody has kept the answer of, as of Unix time `now`. An end that nobody has said is none: such a token is
    /// used until the vendor refuses it.
    pub(crate) fn into_login(self, details: AccountDetails, now: i64) -> NewLogin {
        let said = self.expires_in.is_some();
        let tokens = self.into_tokens(None, now);
        let tokens = OauthTokens { expires_at: tokens.expires_at.filter(|_| said), ..tokens };
        NewLogin { credential: Credential::Oauth(tokens), details }
    }
}

/// The same where nothing can be negative.
pub(crate) fn whole_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(seconds(deserializer)?.and_then(|seconds| seconds.try_into().ok()))
}

/// Whole seconds from a number or a text; anything else counts as missing.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let text = match &value {
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => text.trim().to_owned(),
        _ => return Ok(None),
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest lifetime"
    )]
    let rounded = || text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number as i64);
    Ok(text.parse().ok().or_else(rounded))
}

#[cfg(test)]
mod tests;
