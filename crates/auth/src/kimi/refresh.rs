//! Refresh.

use super::{CLIENT_ID, DEVICE, Kimi, TOKEN_TIMEOUT, device_headers, region::Region};
use crate::{
    BadAnswer, Owner, OwnerFuture, RefreshError, RefreshFuture, Refresher, TokenAnswer,
    endpoint::{Ask, Body},
    refresh::is_live,
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{AccountState, OauthTokens, Secret};
use http::StatusCode;

impl Refresher for Kimi {
    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = tokens.refresh.as_ref().filter(|token| !token.is_blank()) else {
                return Err(dead("its token cannot be renewed"));
            };
            let headers = device_headers(tokens.fact(DEVICE));
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let url = self.places(Region::of(tokens)).token;
            let form = [
                ("client_id", CLIENT_ID),
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.expose()),
            ];
            let limit = self.network.token_timeout.unwrap_or(TOKEN_TIMEOUT);
            let ask = Ask { headers: &headers, ..Ask::post(&url, Body::Form(&form), limit) };
            let reply = self.endpoint(transport).ask(ask).await?;
            let refusal = Refusal::read(&reply, &[refresh.expose()]);
            // Of this vendor an error can have any status, also 200.
            if refusal.code == "invalid_grant" {
                return Err(dead(&format!("Kimi says `{}`", refusal.words())));
            }
            match reply.status {
                status if status.is_success() && refusal.code.is_empty() => {
                    let answer =
                        read(&reply.body).map_err(|error| RefreshError::unreadable(error.to_string()))?;
                    Ok((answer, AccountDetails::default()))
                }
                // With words or without; but a page, or a line of text, is of something in between.
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
                    if !refusal.is_page()
                        && matches!(reply.body.trim_ascii_start().first(), None | Some(b'{')) =>
                {
                    Err(dead(&format!("Kimi says `{}`", refusal.words())))
                }
                _ => Err(refusal.of_refresh("Kimi", "kimi", &[])),
            }
        })
    }

    fn owner<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> Option<OwnerFuture<'a>> {
        Some(Box::pin(async move {
            if !is_live(tokens) {
                return Owner::default();
            }
            self.owner_of(transport, Region::of(tokens), &tokens.access).await
        }))
    }
}

fn dead(why: &str) -> RefreshError {
    let reason = format!("{why}; log in again with `byok login kimi`");
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}

/// Reads a successful answer. Without a refresh token or a life ahead the next refresh could only fail.
pub(super) fn read(body: &[u8]) -> Result<TokenAnswer, BadAnswer> {
    let answer = TokenAnswer::read(body)?;
    let renewable = answer.refresh.as_ref().is_some_and(|token: &Secret| !token.is_blank());
    if renewable && answer.expires_in.is_some_and(|seconds| seconds > 0) {
        Ok(answer)
    } else {
        Err(BadAnswer)
    }
}
