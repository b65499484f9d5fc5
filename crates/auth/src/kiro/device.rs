//! Logins by a code that is entered on any device.

use super::{
    BUILDER_ID, CLIENT_NAME, HOME_REGION, IDC, Kiro, SCOPES, SOCIAL, SOCIAL_LIFETIME, address,
    checked_region, errors, fact, facts, start_page, tokens_of,
};
use crate::{
    Answers, Clock as _, DeviceCode, DeviceLogin, LoginError, LoginFuture, NewLogin, Polled, SystemClock,
    TokenAnswer,
    answer::{seconds, whole_seconds},
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_transport::Transport;
use byok_types::{Credential, Secret, TokenFacts};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The client of the social login by code; the service knows no other.
const SOCIAL_CLIENT: &str = "kiro-cli";
/// What counts where an answer does not say how long its code is good, and how often to ask.
const LIFETIME: Duration = Duration::from_mins(10);
const INTERVAL: Duration = Duration::from_secs(5);

/// Login at AWS: Builder ID, or the Identity Center of an organisation.
#[derive(Clone, Debug)]
pub(super) struct Sso {
    pub(super) kiro: Arc<Kiro>,
    pub(super) organisation: bool,
}

/// Login with Google or GitHub.
#[derive(Clone, Debug)]
pub(super) struct Social {
    pub(super) kiro: Arc<Kiro>,
    /// In the spelling of the service.
    pub(super) provider: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the service")]
struct Registered {
    client_id: String,
    client_secret: Secret,
    #[serde(default, deserialize_with = "seconds")]
    client_secret_expires_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the service")]
struct Code {
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default, deserialize_with = "whole_seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "whole_seconds")]
    interval: Option<u64>,
    #[serde(default, deserialize_with = "whole_seconds")]
    expires_in_milliseconds: Option<u64>,
    #[serde(default, deserialize_with = "whole_seconds")]
    interval_in_milliseconds: Option<u64>,
}

impl Code {
    fn read(body: &[u8], mut facts: TokenFacts) -> Result<DeviceCode, LoginError> {
        let code: Self = serde_json::from_slice(body).map_err(|_| LoginError::BadStart)?;
        let page = |text: &str| {
            address(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "https" | "http"))
                .ok_or(LoginError::BadStart)
        };
        let time = |seconds: Option<u64>, millis: Option<u64>, default| {
            seconds.map(Duration::from_secs).or(millis.map(Duration::from_millis)).unwrap_or(default)
        };
        facts.insert(fact::DEVICE_CODE.into(), code.device_code);
        Ok(DeviceCode {
            page: page(&code.verification_uri)?,
            page_with_code: code.verification_uri_complete.as_deref().map(page).transpose()?,
            user_code: code.user_code,
            expires_in: time(code.expires_in, code.expires_in_milliseconds, LIFETIME),
            interval: time(code.interval, code.interval_in_milliseconds, INTERVAL),
            facts,
        })
    }
}

impl Sso {
    /// Registers a client, for a login that comes back to `redirect` or by code.
    pub(super) async fn register(
        &self,
        transport: &Transport,
        answers: &Answers,
        redirect: Option<&str>,
    ) -> Result<TokenFacts, LoginError> {
        let kiro = &self.kiro;
        let region = match answers.get("region").filter(|_| self.organisation) {
            Some(region) => checked_region(region)?,
            None => HOME_REGION,
        };
        let start = start_page(self.organisation, answers)?;
        let mut body = json!({
            "clientName": CLIENT_NAME, "clientType": "public", "scopes": SCOPES,
            "grantTypes": [if redirect.is_some() { "authorization_code" } else { GRANT }, "refresh_token"],
        });
        if let Some(redirect) = redirect {
            body["issuerUrl"] = start.clone().into();
            body["redirectUris"] = json!([redirect]);
        }
        let url = kiro.urls.oidc(kiro.urls.register.as_ref(), region, "client/register")?;
        let reply = kiro.endpoint(transport).ask(Ask::post(&url, Body::Json(body), kiro.timeout())).await?;
        if !reply.status.is_success() {
            return Err(Refusal::read(&reply, &[]).of_start());
        }
        let client: Registered = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadStart)?;
        let kind = if self.organisation { IDC } else { BUILDER_ID };
        let mut known = facts([
            (fact::KIND, kind),
            (fact::AUTH_REGION, region),
            (fact::START_URL, &start),
            (fact::CLIENT_ID, &client.client_id),
        ]);
        known.insert(fact::CLIENT_SECRET.into(), client.client_secret);
        if let Some(end) = client.client_secret_expires_at {
            known.insert(fact::CLIENT_EXPIRES_AT.into(), Secret::new(end.to_string()));
        }
        if let Some(profile) = answers.get("profile").filter(|_| self.organisation) {
            known.insert(fact::WANTED_PROFILE.into(), Secret::new(profile));
        }
        Ok(known)
    }

    /// The login that an answer with tokens ends.
    pub(super) async fn finished(
        &self,
        transport: &Transport,
        mut answer: TokenAnswer,
        known: &TokenFacts,
    ) -> Result<NewLogin, LoginError> {
        let mut facts = known.clone();
        facts.remove(fact::DEVICE_CODE);
        let wanted = facts.remove(fact::WANTED_PROFILE);
        if self.organisation {
            let profile =
                self.kiro.profile(transport, &answer.access, wanted.as_ref().map(Secret::expose)).await?;
            facts.insert(fact::PROFILE.into(), Secret::new(profile));
        }
        facts.extend(std::mem::take(&mut answer.facts));
        answer.facts = facts;
        self.kiro.login_of(transport, answer).await
    }
}

impl Kiro {
    /// A login with its owner.
    pub(super) async fn login_of(
        &self,
        transport: &Transport,
        answer: TokenAnswer,
    ) -> Result<NewLogin, LoginError> {
        let tokens = answer.into_tokens(None, SystemClock.now());
        let details = self.owner_of(transport, &tokens).await.details;
        Ok(NewLogin { credential: Credential::Oauth(tokens), details })
    }

    /// A social login with its owner.
    pub(super) async fn social_login(
        &self,
        transport: &Transport,
        mut answer: TokenAnswer,
    ) -> Result<NewLogin, LoginError> {
        answer.facts.extend(facts([(fact::KIND, SOCIAL), (fact::AUTH_REGION, HOME_REGION)]));
        self.login_of(transport, answer).await
    }
}

/// A fact that this login has put there itself.
pub(super) fn of<'a>(facts: &'a TokenFacts, name: &str) -> &'a str {
    facts.get(name).map(Secret::expose).unwrap_or_default()
}

impl DeviceLogin for Sso {
    fn start<'a>(&'a self, transport: &'a Transport, answers: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let known = self.register(transport, answers, None).await?;
            let kiro = &self.kiro;
            let url = kiro.urls.oidc(
                kiro.urls.device.as_ref(),
                of(&known, fact::AUTH_REGION),
                "device_authorization",
            )?;
            let body = json!({
                "clientId": of(&known, fact::CLIENT_ID), "clientSecret": of(&known, fact::CLIENT_SECRET),
                "startUrl": of(&known, fact::START_URL),
            });
            let reply =
                kiro.endpoint(transport).ask(Ask::post(&url, Body::Json(body), kiro.timeout())).await?;
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[of(&known, fact::CLIENT_SECRET)]).of_start());
            }
            Code::read(&reply.body, known)
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let (kiro, known) = (&self.kiro, &code.facts);
            let url = kiro.urls.oidc(kiro.urls.token.as_ref(), of(known, fact::AUTH_REGION), "token")?;
            let (secret, device) = (of(known, fact::CLIENT_SECRET), of(known, fact::DEVICE_CODE));
            let body = json!({
                "clientId": of(known, fact::CLIENT_ID), "clientSecret": secret,
                "deviceCode": device, "grantType": GRANT,
            });
            let reply =
                kiro.endpoint(transport).poll(Ask::post(&url, Body::Json(body), kiro.timeout())).await?;
            if !reply.status.is_success() {
                return errors::of_poll(&Refusal::read(&reply, &[secret, device]));
            }
            let answer = tokens_of(&reply.body, None).ok_or(LoginError::BadAnswer)?;
            let login = self.finished(transport, answer, known).await;
            Ok(Polled::Done(Box::new(login.map_err(LoginError::after_code)?)))
        })
    }
}

impl DeviceLogin for Social {
    fn start<'a>(&'a self, transport: &'a Transport, _: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async move {
            let kiro = &self.kiro;
            let url = kiro.urls.of_social("oauth/device/authorization");
            let body = json!({"clientId": SOCIAL_CLIENT, "loginProvider": self.provider});
            let reply =
                kiro.endpoint(transport).ask(Ask::post(&url, Body::Json(body), kiro.timeout())).await?;
            if !reply.status.is_success() {
                return Err(Refusal::read(&reply, &[]).of_start());
            }
            Code::read(&reply.body, TokenFacts::new())
        })
    }

    fn poll<'a>(&'a self, transport: &'a Transport, code: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move {
            let kiro = &self.kiro;
            let device = of(&code.facts, fact::DEVICE_CODE);
            let url = kiro.urls.of_social("oauth/device/poll");
            let body = json!({"clientId": SOCIAL_CLIENT, "deviceCode": device});
            let reply =
                kiro.endpoint(transport).poll(Ask::post(&url, Body::Json(body), kiro.timeout())).await?;
            if !reply.status.is_success() {
                return errors::of_poll(&Refusal::read(&reply, &[device]));
            }
            if let Some(answer) = tokens_of(&reply.body, Some(SOCIAL_LIFETIME)) {
                return Ok(Polled::Done(Box::new(kiro.social_login(transport, answer).await?)));
            }
            // The service answers 200 while it waits.
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            match body["status"].as_str() {
                Some("authorization_pending") => Ok(Polled::Pending),
                Some("slow_down") => Ok(Polled::SlowDown(body["interval"].as_u64().map(Duration::from_secs))),
                Some("expired_token") => Err(LoginError::CodeExpired),
                Some(other) => Err(LoginError::Denied { why: crate::login::plain(other) }),
                None => Err(LoginError::BadAnswer),
            }
        })
    }
}
