//! Refresh.

use super::{CLIENT_ID, Qwen, read_answer};
use crate::{
    BadAnswer, NewLogin, RefreshError, RefreshFuture, Refresher,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport};
use byok_types::{AccountState, OauthTokens};
use http::StatusCode;

impl Refresher for Qwen {
    fn kept_answer(&self, body: &[u8], now: i64) -> Result<NewLogin, BadAnswer> {
        Ok(read_answer(body)?.into_login(AccountDetails::default(), now))
    }

    fn refresh<'a>(&'a self, transport: &'a Transport, tokens: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async move {
            let Some(refresh) = &tokens.refresh else {
                return Err(needs_login("the token cannot be renewed"));
            };
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.expose()),
                ("client_id", CLIENT_ID),
            ];
            let ask = Ask::post(&self.urls.token, Body::Form(&fields), self.timeout());
            let reply = self.endpoint(transport).ask(ask).await?;
            if reply.status.is_success()
                && let Ok(answer) = read_answer(&reply.body)
            {
                return Ok((answer, AccountDetails::default()));
            }
            Err(failed(&reply, refresh.expose()))
        })
    }
}

/// What an answer without tokens means.
fn failed(reply: &BufferedReply, sent: &str) -> RefreshError {
    let refusal = Refusal::read(reply, &[sent]);
    let says_so = serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok_and(|body| body.is_object());
    match refusal.status {
        // Any refusal of these two means a dead token here; a page of something in between is none.
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED if says_so => needs_login(&format!(
            "Qwen says `{}`, and its service behind this login ended on 2026-04-15",
            refusal.words()
        )),
        status
            if status.is_success() && matches!(refusal.code.as_str(), "invalid_grant" | "invalid_token") =>
        {
            needs_login(&format!("Qwen says `{}`", refusal.words()))
        }
        // An error with status 200 used nothing up; an empty or foreign body may stand for tokens that got lost.
        status if status.is_success() && refusal.code.is_empty() => {
            RefreshError::unreadable("an answer without tokens")
        }
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::GONE => refusal.of_refresh("Qwen", "qwen", &[]),
        status if status.is_redirection() => refusal.of_refresh("Qwen", "qwen", &[]),
        _ => RefreshError::busy(refusal.to_string(), refusal.retry_after),
    }
}

fn needs_login(why: &str) -> RefreshError {
    let reason =
        format!("{why}; use an API key as `providers.qwen.api_key`, or log in again with `byok login qwen`");
    RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
}
