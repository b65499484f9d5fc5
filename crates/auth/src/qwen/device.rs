//! Login with a code.

use super::{CLIENT_ID, Qwen, SCOPES, read_answer};
use crate::{
    Answers, Clock as _, DeviceCode, DeviceLogin, LoginError, LoginFuture, NewLogin, Polled, SystemClock,
    answer::whole_seconds,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport};
use byok_types::{Credential, Secret, TokenFacts};
use http::StatusCode;
use oauth2::PkceCodeChallenge;
use serde::Deserialize;
use std::time::Duration;
use url::Url;
use uuid::Uuid;

const DEVICE_CODE: &str = "device_code";
const VERIFIER: &str = "code_verifier";
/// The official client's first pause.
const LEAST_INTERVAL: u64 = 2;
/// Life of a code whose answer does not say it.
const UNSTATED_LIFE: u64 = 900;

#[derive(Deserialize)]
struct Given {
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default, deserialize_with = "whole_seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "whole_seconds")]
    interval: Option<u64>,
}

impl DeviceLogin for Qwen {
    fn start<'a>(&'a self, transport: &'a Transport, _answers: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            let fields = [
                ("client_id", CLIENT_ID),
                ("scope", SCOPES),
                ("code_challenge", challenge.as_str()),
                ("code_challenge_method", "S256"),
            ];
            let id = Uuid::new_v4().to_string();
            let ask = Ask {
                headers: &[("x-request-id", &id)],
                ..Ask::post(&self.urls.device, Body::Form(&fields), self.timeout())
            };
            let reply = self.endpoint(transport).ask(ask).await?;
            // An error may come with status 200; only a code is a success.
            let Ok(given) = serde_json::from_slice::<Given>(&reply.body) else { return Err(no_code(&reply)) };
            let page = page(&given.verification_uri).ok_or(LoginError::BadStart)?;
            let facts: TokenFacts = [
                (DEVICE_CODE.to_owned(), given.device_code),
                (VERIFIER.to_owned(), Secret::new(verifier.into_secret())),
            ]
            .into();
            Ok(DeviceCode {
                user_code: given.user_code,
                page,
                page_with_code: given.verification_uri_complete.as_deref().and_then(self::page),
                expires_in: Duration::from_secs(given.expires_in.unwrap_or(UNSTATED_LIFE).clamp(60, 3600)),
                interval: Duration::from_secs(given.interval.unwrap_or_default().max(LEAST_INTERVAL)),
                facts,
            })
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let fact = |name: &str| code.facts.get(name).map(Secret::expose).unwrap_or_default();
            let fields = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", CLIENT_ID),
                (DEVICE_CODE, fact(DEVICE_CODE)),
                (VERIFIER, fact(VERIFIER)),
            ];
            let ask = Ask::post(&self.urls.token, Body::Form(&fields), self.timeout());
            let reply = self.endpoint(transport).poll(ask).await?;
            if reply.status.is_success()
                && let Ok(answer) = read_answer(&reply.body)
            {
                let tokens = answer.into_tokens(None, SystemClock.now());
                return Ok(Polled::Done(Box::new(NewLogin {
                    credential: Credential::Oauth(tokens),
                    details: AccountDetails::default(),
                })));
            }
            waiting(&reply, &[fact(DEVICE_CODE), fact(VERIFIER)])
        })
    }
}

/// What an answer without tokens means.
fn waiting(reply: &BufferedReply, sent: &[&str]) -> Result<Polled, LoginError> {
    let refusal = Refusal::read(reply, sent);
    match (refusal.code.as_str(), refusal.status) {
        ("authorization_pending" | "slow_down" | "expired_token" | "access_denied", _) => refusal.of_poll(),
        // The vendor says 401 of a code that it does not know any more.
        (_, StatusCode::UNAUTHORIZED) => Err(LoginError::CodeExpired),
        (_, status) if status.is_server_error() => refusal.of_poll(),
        (_, status) if status.is_success() && refusal.code.is_empty() => Err(LoginError::BadAnswer),
        _ => Err(LoginError::Denied { why: refusal.to_string() }),
    }
}

fn no_code(reply: &BufferedReply) -> LoginError {
    let refusal = Refusal::read(reply, &[]);
    if refusal.status.is_success() && refusal.code.is_empty() {
        return LoginError::BadStart;
    }
    refusal.of_start()
}

/// An address that a browser may be sent to.
fn page(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
}
