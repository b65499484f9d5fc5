//! The device code. GitHub answers 200 also for errors, so only the member `error` counts.

use super::{CALL_TIMEOUT, CLIENT_ID, Copilot, HOST, Way, host::GitHub};
use crate::{
    Answers, DeviceCode, DeviceLogin, LoginError, LoginFuture, Polled,
    answer::whole_seconds,
    endpoint::{Ask, Body},
    login::plain,
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{Secret, TokenFacts};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use url::Url;

/// Enough to know whose login it is.
const SCOPE: &str = "read:user";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A question that comes a moment too early costs five seconds.
const MARGIN: Duration = Duration::from_secs(1);
/// Life of a code, and seconds between two questions, whose answer does not say them.
const UNSTATED_LIFE: u64 = 900;
const UNSTATED_PACE: u64 = 5;
const DEVICE_CODE: &str = "device_code";

/// The device login that ends in one of the two ways.
pub(super) struct Login {
    pub(super) copilot: Arc<Copilot>,
    pub(super) way: Way,
}

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

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    access_token: Option<Secret>,
}

impl DeviceLogin for Login {
    fn start<'a>(&'a self, transport: &'a Transport, answers: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let github = GitHub::asked(answers)?;
            let places = self.copilot.places(&github)?;
            let form = [("client_id", CLIENT_ID), ("scope", SCOPE)];
            let ask = Ask::post(&places.device, Body::Form(&form), CALL_TIMEOUT);
            let reply = self.copilot.endpoint(transport).ask(ask).await?;
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[]).of_start());
            }
            let Ok(started) = serde_json::from_slice::<Started>(&reply.body) else {
                let refusal = Refusal::read(&reply, &[]);
                return Err(if refusal.code.is_empty() { LoginError::BadStart } else { refusal.of_start() });
            };
            Ok(DeviceCode {
                user_code: plain(&started.user_code),
                page: started.verification_uri,
                page_with_code: started.verification_uri_complete,
                expires_in: Duration::from_secs(started.expires_in.unwrap_or(UNSTATED_LIFE)),
                interval: Duration::from_secs(started.interval.unwrap_or(UNSTATED_PACE)) + MARGIN,
                facts: TokenFacts::from([
                    (DEVICE_CODE.to_owned(), started.device_code),
                    (HOST.to_owned(), Secret::new(github.name())),
                ]),
            })
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let fact = |name| code.facts.get(name).map(Secret::expose).unwrap_or_default();
            let github = GitHub::named(fact(HOST)).unwrap_or_else(GitHub::public);
            let places = self.copilot.places(&github)?;
            let form = [("client_id", CLIENT_ID), ("device_code", fact(DEVICE_CODE)), ("grant_type", GRANT)];
            let ask = Ask::post(&places.token, Body::Form(&form), CALL_TIMEOUT);
            let reply = self.copilot.endpoint(transport).poll(ask).await?;
            let answer: Answer = serde_json::from_slice(&reply.body).unwrap_or_default();
            match answer.access_token.filter(|token| !token.is_blank() && answer.error.is_none()) {
                Some(token) => {
                    let login = self.copilot.log_in(transport, token, &github, self.way).await;
                    Ok(Polled::Done(Box::new(login.map_err(LoginError::after_code)?)))
                }
                // Errors come with status 200, too.
                None if answer.error.is_some() || !reply.status.is_success() => {
                    match Refusal::read(&reply, &[fact(DEVICE_CODE)]).of_poll()? {
                        Polled::SlowDown(Some(wanted)) => {
                            Ok(Polled::SlowDown(Some(wanted.saturating_add(MARGIN))))
                        }
                        other => Ok(other),
                    }
                }
                None => Err(LoginError::BadAnswer),
            }
        })
    }
}
