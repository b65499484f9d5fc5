//! The device code. A pending answer may have any status, so only the member `error` counts.

use super::{CLIENT_ID, DEVICE, Kimi, REGION, TOKEN_TIMEOUT, device_headers, refresh::read, region::Region};
use crate::{
    Answers, Clock as _, DeviceCode, DeviceLogin, LoginError, LoginFuture, NewLogin, Polled, SystemClock,
    answer::whole_seconds,
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
    /// It may be empty where the next one is not.
    #[serde(default)]
    verification_uri: Option<String>,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default, deserialize_with = "whole_seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "whole_seconds")]
    interval: Option<u64>,
}

/// An address that a browser may be sent to.
fn page(text: Option<&str>) -> Option<Url> {
    Url::parse(text?).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
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
                return Err(Refusal::read(&reply, &[]).of_start());
            }
            let started: Started = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadStart)?;
            let complete = page(started.verification_uri_complete.as_deref());
            let alone = page(started.verification_uri.as_deref());
            Ok(DeviceCode {
                user_code: plain(&started.user_code),
                page: alone.or_else(|| complete.clone()).ok_or(LoginError::BadStart)?,
                page_with_code: complete,
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
            let reply = self.endpoint(transport).poll(ask).await?;
            let refusal = Refusal::read(&reply, &[fact(DEVICE_CODE)]);
            // Errors come with status 200, too.
            if !reply.status.is_success() || !refusal.code.is_empty() {
                return refusal.of_poll();
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
