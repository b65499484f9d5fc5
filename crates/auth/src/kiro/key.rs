//! Logins with what a person pastes: an API key, or a refresh token of another program.

use super::{
    BUILDER_ID, BUILDER_ID_START, HOME_REGION, IDC, Kiro, SOCIAL, checked_region, fact, facts, not_usable,
};
use crate::{
    Answers, Clock as _, KeyLogin, LoginError, LoginFuture, NewLogin, RefreshError, Refresher as _,
    SystemClock,
};
use byok_transport::Transport;
use byok_types::{Credential, CredentialKind, OauthTokens, Secret, TokenFacts};
use serde::Deserialize;
use std::sync::Arc;

/// Login with a `ksk_…` key.
#[derive(Debug)]
pub(super) struct ApiKey(pub(super) Arc<Kiro>);

/// Login with a refresh token.
#[derive(Debug)]
pub(super) struct Pasted(pub(super) Arc<Kiro>);

/// A refresh token and what belongs to it, as one line of JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(alias = "refresh_token")]
    refresh_token: Secret,
    #[serde(alias = "client_id", default)]
    client_id: Option<Secret>,
    #[serde(alias = "client_secret", default)]
    client_secret: Option<Secret>,
    #[serde(default)]
    region: Option<String>,
    #[serde(alias = "start_url", default)]
    start_url: Option<String>,
    #[serde(alias = "profile_arn", default)]
    profile_arn: Option<String>,
}

impl KeyLogin for ApiKey {
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        _: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            if !key.expose().starts_with("ksk_") || !key.expose().bytes().all(|byte| byte.is_ascii_graphic())
            {
                return Err(not_usable(
                    "API keys of Kiro begin with `ksk_`; app.kiro.dev makes them (paid plans)",
                ));
            }
            let details = self.0.owner_of_key(transport, &key).await?;
            Ok(NewLogin { credential: Credential::ApiKey(key), details })
        })
    }
}

impl KeyLogin for Pasted {
    fn kind(&self) -> CredentialKind {
        CredentialKind::Oauth
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        _: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let (tokens, wanted) = read(&key)?;
            let alone = tokens.fact(fact::KIND) == Some(SOCIAL);
            let (mut answer, _) = self.0.refresh(transport, &tokens).await.map_err(|error| match error {
                RefreshError::Permanent { .. } if alone => not_usable(
                    "Kiro refuses the refresh token; if it is of an AWS login, paste one line of JSON with `refreshToken`, \
                     `clientId`, `clientSecret` and `region`",
                ),
                RefreshError::Permanent { .. } | RefreshError::Config { .. } => {
                    LoginError::CodeRefused { why: error.to_string() }
                }
                RefreshError::Transient { why, .. } | RefreshError::Followed { why, .. } => LoginError::Busy { why },
            })?;
            if tokens.fact(fact::KIND) == Some(IDC) {
                let profile = self.0.profile(transport, &answer.access, wanted.as_deref()).await?;
                answer.facts.insert(fact::PROFILE.into(), Secret::new(profile));
            }
            let new = answer.into_tokens(Some(&tokens), SystemClock.now());
            let details = self.0.owner_of(transport, &new).await.details;
            Ok(NewLogin { credential: Credential::Oauth(new), details })
        })
    }
}

/// Reads what was pasted: the tokens, and the profile that is meant.
fn read(pasted: &Secret) -> Result<(OauthTokens, Option<String>), LoginError> {
    let text = pasted.expose().trim();
    let (refresh, known, profile) = if text.starts_with('{') {
        // The error of a parser may quote the line, so it is dropped.
        let line: Line = serde_json::from_str(text).map_err(|_| {
            not_usable(
                "the JSON needs `refreshToken`, and for an AWS login `clientId`, `clientSecret`, `region`",
            )
        })?;
        let known = client_of(&line)?;
        (line.refresh_token, known, line.profile_arn)
    } else {
        (Secret::new(text), social(), None)
    };
    if !whole(refresh.expose()) {
        return Err(not_usable("the refresh token is cut off; copy it whole"));
    }
    Ok((bare(refresh, known), profile))
}

/// Whether a refresh token looks whole. Some versions of the IDE wrote a shortened one.
pub(super) fn whole(token: &str) -> bool {
    !token.is_empty() && !token.contains("...") && !token.contains(char::is_whitespace)
}

/// Tokens of which only the refresh token is known.
fn bare(refresh: Secret, facts: TokenFacts) -> OauthTokens {
    OauthTokens {
        access: Secret::new(""),
        refresh: Some(refresh),
        expires_at: Some(0),
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts,
    }
}

fn social() -> TokenFacts {
    facts([(fact::KIND, SOCIAL), (fact::AUTH_REGION, HOME_REGION)])
}

fn client_of(line: &Line) -> Result<TokenFacts, LoginError> {
    let (Some(id), Some(secret)) = (&line.client_id, &line.client_secret) else { return Ok(social()) };
    let start = line.start_url.as_deref().unwrap_or(BUILDER_ID_START);
    let region = checked_region(line.region.as_deref().unwrap_or(HOME_REGION))?;
    let kind = if start == BUILDER_ID_START { BUILDER_ID } else { IDC };
    let mut known = facts([(fact::KIND, kind), (fact::AUTH_REGION, region), (fact::START_URL, start)]);
    known.insert(fact::CLIENT_ID.into(), id.clone());
    known.insert(fact::CLIENT_SECRET.into(), secret.clone());
    Ok(known)
}
