//! The login by code (RFC 8628).

use super::{CLIENT_ID, SCOPES, Xai, identity::login};
use crate::{
    Answers, Clock as _, DeviceCode, DeviceLogin, LoginError, LoginFuture, Polled, SystemClock,
    answer::whole_seconds,
    endpoint::{Ask, Body},
    login::plain,
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{Secret, TokenFacts};
use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;
use url::Url;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE_CODE: &str = "device_code";
/// How long people are waited for: the least and the most.
const PATIENCE: (u64, u64) = (600, 1800);

#[derive(Deserialize)]
struct Started {
    device_code: Secret,
    user_code: String,
    verification_uri: Url,
    #[serde(default)]
    verification_uri_complete: Option<Url>,
    #[serde(default, deserialize_with = "whole_seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "whole_seconds")]
    interval: Option<u64>,
}

impl DeviceLogin for Xai {
    fn start<'a>(&'a self, transport: &'a Transport, _answers: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let form = [("client_id", CLIENT_ID), ("scope", SCOPES)];
            let ask = Ask::post(&self.urls.device, Body::Form(&form), self.token_timeout());
            let reply = self.endpoint(transport).ask(ask).await?;
            if reply.status == StatusCode::NOT_FOUND {
                let why = "xAI does not offer logins by code here; use `--method browser`".to_owned();
                return Err(LoginError::NotUsable { why });
            }
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[]).of_start());
            }
            let started: Started = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadStart)?;
            let pages = [Some(&started.verification_uri), started.verification_uri_complete.as_ref()];
            if pages.into_iter().flatten().any(|page| !self.is_safe(page)) {
                return Err(LoginError::BadStart);
            }
            Ok(DeviceCode {
                user_code: plain(&started.user_code),
                page: started.verification_uri,
                page_with_code: started.verification_uri_complete,
                expires_in: Duration::from_secs(
                    started.expires_in.unwrap_or(0).clamp(PATIENCE.0, PATIENCE.1),
                ),
                interval: Duration::from_secs(started.interval.unwrap_or(5)),
                facts: TokenFacts::from([(DEVICE_CODE.to_owned(), started.device_code)]),
            })
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let device = code.facts.get(DEVICE_CODE).map(Secret::expose).unwrap_or_default();
            let form = [("grant_type", GRANT), (DEVICE_CODE, device), ("client_id", CLIENT_ID)];
            let ask = Ask::post(&self.urls.token, Body::Form(&form), self.token_timeout());
            let reply = self.endpoint(transport).poll(ask).await?;
            if reply.status.is_success() {
                let login = login(&reply.body, SystemClock.now()).map_err(|_| LoginError::BadAnswer)?;
                return Ok(Polled::Done(Box::new(login)));
            }
            Refusal::read(&reply, &[device]).of_poll()
        })
    }
}

impl Xai {
    /// Whether a person may be sent to a page: it is encrypted, or on the very server that the person configured.
    fn is_safe(&self, page: &Url) -> bool {
        page.scheme() == "https" || page.origin() == self.urls.device.origin()
    }
}
