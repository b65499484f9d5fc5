//! The device code. A pending answer may have any status, so only the member `error` counts.

use super::{CLIENT_ID, DEVICE, Kimi, REGION, TOKEN_TIMEOUT, device_headers, refresh::read, region::Region};
use crate::{
    Answers, Clock as _, DeviceCode, DeviceLogin, LoginError, LoginFuture, NewLogin, Polled, SystemClock,
    endpoint::{Ask, Body},
    login::plain,
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{Credential, Secret, TokenFacts};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE_CODE: &str = "device_code";
/// The longest that the vendor's own programs wait.
const LONGEST: u64 = 900;

#[derive(Deserialize)]
struct Started {
    device_code: Secret,
    user_code: String,
    #[serde(default)]
    verification_uri: String,
    verification_uri_complete: Url,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    interval: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

impl DeviceLogin for Kimi {
    fn start<'a>(&'a self, transport: &'a Transport, answers: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let region = Region::answered(answers)?;
            let device = uuid::Uuid::new_v4().to_string();
            let headers = device_headers(Some(&device));
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let url = self.places(region).device;
            let form = [("client_id", CLIENT_ID)];
            let ask = Ask { headers: &headers, ..Ask::post(&url, Body::Form(&form), TOKEN_TIMEOUT) };
            let reply = self.endpoint(transport).ask(ask).await?;
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[]).of_login());
            }
            let started: Started = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadAnswer)?;
            let complete = started.verification_uri_complete;
            Ok(DeviceCode {
                user_code: plain(&started.user_code),
                // It may be empty.
                page: Url::parse(&started.verification_uri).unwrap_or_else(|_| complete.clone()),
                page_with_code: Some(complete),
                expires_in: Duration::from_secs(started.expires_in.unwrap_or(LONGEST).min(LONGEST)),
                interval: Duration::from_secs(started.interval.unwrap_or(5)),
                facts: TokenFacts::from([
                    (DEVICE_CODE.to_owned(), started.device_code),
                    (REGION.to_owned(), Secret::new(region.name())),
                    (DEVICE.to_owned(), Secret::new(device)),
                ]),
            })
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let fact = |name| code.facts.get(name).map(Secret::expose).unwrap_or_default();
            let region = Region::named(fact(REGION)).unwrap_or_default();
            let headers = device_headers(Some(fact(DEVICE)));
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let url = self.places(region).token;
            let form = [("client_id", CLIENT_ID), ("device_code", fact(DEVICE_CODE)), ("grant_type", GRANT)];
            let ask = Ask { headers: &headers, ..Ask::post(&url, Body::Form(&form), TOKEN_TIMEOUT) };
            let reply = self.endpoint(transport).ask(ask).await?;
            let refused: Refused = serde_json::from_slice(&reply.body).unwrap_or_default();
            match refused.error.as_deref() {
                Some("authorization_pending") => return Ok(Polled::Pending),
                Some("slow_down") => return Ok(Polled::SlowDown),
                Some("expired_token") => return Err(LoginError::TimedOut(code.expires_in)),
                Some("access_denied") => return Err(LoginError::Denied { why: "access_denied".to_owned() }),
                Some(error) => {
                    let why = refused.error_description.as_deref().unwrap_or_default();
                    return Err(LoginError::CodeRefused { why: plain(&format!("{error} {why}")) });
                }
                None => {}
            }
            // Says nothing about the code.
            if reply.status.is_server_error() || reply.status == http::StatusCode::TOO_MANY_REQUESTS {
                return Ok(Polled::Pending);
            }
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[]).of_login());
            }
            let mut answer = read(&reply.body).map_err(|_| LoginError::BadAnswer)?;
            for name in [REGION, DEVICE] {
                answer.facts.insert(name.to_owned(), Secret::new(fact(name)));
            }
            let tokens = answer.into_tokens(None, SystemClock.now());
            let details = self.owner_of(transport, region, &tokens.access).await.details;
            Ok(Polled::Done(Box::new(NewLogin { credential: Credential::Oauth(tokens), details })))
        })
    }
}
