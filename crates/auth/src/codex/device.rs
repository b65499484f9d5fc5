//! The login by code. It is no RFC 8628: a pending code is a 403 or a 404, and what comes in the end is an authorization
//! code with a verifier that the server made.

use super::{CLIENT_ID, Codex, TOKEN_TIMEOUT};
use crate::{
    Answers, DeviceCode, DeviceLogin, LoginError, LoginFuture, Polled,
    endpoint::{Ask, Body},
    login::plain,
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{Secret, TokenFacts};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a code is good.
const GOOD_FOR: Duration = Duration::from_mins(15);
/// Where the code of such a login belongs, whatever machine it is entered on.
const REDIRECT: &str = "https://auth.openai.com/deviceauth/callback";
const ID: &str = "device_auth_id";

#[derive(Deserialize)]
struct Started {
    device_auth_id: Secret,
    #[serde(alias = "usercode")]
    user_code: String,
    /// A number, mostly written as text.
    #[serde(default)]
    interval: Value,
}

#[derive(Deserialize)]
struct Entered {
    authorization_code: Secret,
    code_verifier: Secret,
}

impl DeviceLogin for Codex {
    fn start<'a>(&'a self, transport: &'a Transport, _answers: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let body = Body::Json(json!({"client_id": CLIENT_ID}));
            let reply =
                self.endpoint(transport).ask(Ask::post(&self.urls.device, body, TOKEN_TIMEOUT)).await?;
            if reply.status == StatusCode::NOT_FOUND {
                return Err(LoginError::NotUsable {
                    why: "OpenAI does not offer logins by code here; use `--method browser`".to_owned(),
                });
            }
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[]).of_start());
            }
            let started: Started = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadStart)?;
            let interval = match &started.interval {
                Value::String(text) => text.trim().parse().ok(),
                value => value.as_u64(),
            };
            Ok(DeviceCode {
                user_code: plain(&started.user_code),
                page: self.urls.verify.clone(),
                page_with_code: None,
                expires_in: GOOD_FOR,
                interval: Duration::from_secs(interval.unwrap_or(5)),
                facts: TokenFacts::from([(ID.to_owned(), started.device_auth_id)]),
            })
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let id = code.facts.get(ID).map(Secret::expose).unwrap_or_default();
            let url = self.urls.device.join("token").map_err(|_| LoginError::BadAnswer)?;
            let body = Body::Json(json!({"device_auth_id": id, "user_code": code.user_code}));
            let reply = self.endpoint(transport).poll(Ask::post(&url, body, TOKEN_TIMEOUT)).await?;
            let refusal = Refusal::read(&reply, &[id]);
            match reply.status {
                // So it says that the code was not entered yet, but not with a web page.
                StatusCode::FORBIDDEN if refusal.is_in_front() => return refusal.of_poll(),
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => return Ok(Polled::Pending),
                status if !status.is_success() => return refusal.of_poll(),
                _ => {}
            }
            let entered: Entered = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadAnswer)?;
            let (code, verifier) = (entered.authorization_code, entered.code_verifier);
            let login = self.exchange(transport, code.expose(), REDIRECT, verifier.expose()).await;
            Ok(Polled::Done(Box::new(login.map_err(LoginError::after_code)?)))
        })
    }
}
