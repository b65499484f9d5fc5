//! Whose login it is, and which profile its requests name.

use super::{
    API_REGIONS, IDC, Kiro, LOOK_UP_TIMEOUT, ONLY, api_region, fact, is_profile, not_usable, planes,
};
use crate::{
    LoginError, Owner,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport, TransportError};
use byok_types::{OauthTokens, Secret};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Usage {
    user_info: Option<UserInfo>,
    subscription_info: Option<Subscription>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UserInfo {
    user_id: Option<String>,
    email: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subscription {
    subscription_title: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Profiles {
    profiles: Vec<Profile>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Profile {
    arn: String,
}

fn details(usage: Usage) -> AccountDetails {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let user = usage.user_info.unwrap_or_default();
    let plan = usage.subscription_info.unwrap_or_default();
    AccountDetails {
        email: filled(user.email),
        plan: filled(plan.subscription_title).or(filled(plan.kind)),
        identity: filled(user.user_id),
    }
}

impl Kiro {
    /// Asks what the account has used, which says whose it is. Costs no credits.
    pub(super) async fn usage(
        &self,
        transport: &Transport,
        token: &Secret,
        region: &str,
        profile: Option<&str>,
        is_key: bool,
    ) -> Result<BufferedReply, TransportError> {
        let authorization = format!("Bearer {}", token.expose());
        let headers: &[(&str, &str)] = if is_key { &[("tokentype", "API_KEY")] } else { &[] };
        let mut last = Err(TransportError::BadUrl { why: "there is no address to ask for the usage" });
        for mut url in planes(self.urls.usage.as_ref(), region, "getUsageLimits") {
            url.query_pairs_mut()
                .append_pair("origin", if is_key { "KIRO_CLI" } else { "AI_EDITOR" })
                .append_pair("resourceType", "AGENTIC_REQUEST")
                .append_pair("isEmailRequired", "true")
                .extend_pairs(profile.map(|profile| ("profileArn", profile)));
            let ask = Ask { headers, authorization: Some(&authorization), ..Ask::get(&url, LOOK_UP_TIMEOUT) };
            last = self.endpoint(transport).ask(ask).await;
            if !is_elsewhere(&last) {
                break;
            }
        }
        last
    }

    /// Whose tokens these are.
    pub(super) async fn owner_of(&self, transport: &Transport, tokens: &OauthTokens) -> Owner {
        // Personal accounts share their profile; only that of an organisation belongs to the question.
        let own = tokens.fact(fact::PROFILE).filter(|_| tokens.fact(fact::KIND) == Some(IDC));
        let reply = self.usage(transport, &tokens.access, api_region(tokens), own, false).await;
        let mut owner = Owner::told(reply, &tokens.access, |body| {
            details(serde_json::from_slice(body).unwrap_or_default())
        });
        owner.details.identity = owner.details.identity.or_else(|| own.map(str::to_owned));
        owner
    }

    /// Whose key this is.
    pub(super) async fn owner_of_key(
        &self,
        transport: &Transport,
        key: &Secret,
    ) -> Result<AccountDetails, LoginError> {
        let reply = self.usage(transport, key, super::HOME_REGION, None, true).await?;
        let refusal = Refusal::read(&reply, &[key.expose()]);
        match reply.status {
            _ if refusal.is_in_front() => Err(refusal.of_login()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(not_usable("Kiro refuses the key; make a new one at app.kiro.dev (it needs a paid plan)"))
            }
            status if status.is_success() => {
                Ok(details(serde_json::from_slice(&reply.body).unwrap_or_default()))
            }
            // A usage service that does not work now says nothing about the key.
            _ => Ok(AccountDetails::default()),
        }
    }

    /// The profile of an organisation's login. Each region knows only its own.
    pub(super) async fn profile(
        &self,
        transport: &Transport,
        token: &Secret,
        wanted: Option<&str>,
    ) -> Result<String, LoginError> {
        let wanted = wanted.filter(|wanted| !wanted.is_empty() && *wanted != ONLY);
        let mut found = Vec::new();
        for region in API_REGIONS {
            for arn in self.profiles_in(transport, token, region).await? {
                if is_profile(&arn) && !found.contains(&arn) {
                    found.push(arn);
                }
            }
        }
        if let Some(wanted) = wanted {
            return found.into_iter().find(|arn| arn == wanted).ok_or_else(|| {
                LoginError::NoAccess { why: "the profile that was asked for is not among its own; ask whoever manages Kiro in your organisation".to_owned() }
            });
        }
        match &found[..] {
            [one] => Ok(one.clone()),
            [] => Err(LoginError::NoAccess {
                why: "your organisation has no Kiro profile for it; ask whoever manages Kiro there"
                    .to_owned(),
            }),
            several => Err(LoginError::NoAccess {
                why: format!(
                    "it has several profiles; log in again with `--with profile=ARN`, one of: {}",
                    several.join(", ")
                ),
            }),
        }
    }

    async fn profiles_in(
        &self,
        transport: &Transport,
        token: &Secret,
        region: &str,
    ) -> Result<Vec<String>, LoginError> {
        let authorization = format!("Bearer {}", token.expose());
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "KiroControlPlaneBearerService.ListAvailableProfiles"),
        ];
        let mut last = Ok(Vec::new());
        for url in planes(self.urls.profiles.as_ref(), region, "") {
            let ask = Ask {
                headers: &headers,
                authorization: Some(&authorization),
                ..Ask::post(&url, Body::Json(json!({})), LOOK_UP_TIMEOUT)
            };
            let reply = self.endpoint(transport).ask(ask).await;
            let elsewhere = is_elsewhere(&reply);
            last = match reply {
                Ok(reply) if reply.status.is_success() => {
                    let read: Profiles = serde_json::from_slice(&reply.body).unwrap_or_default();
                    Ok(read.profiles.into_iter().map(|profile| profile.arn).collect())
                }
                // Another region may know the login.
                Ok(_) => Ok(Vec::new()),
                Err(error) => Err(error.into()),
            };
            if !elsewhere {
                break;
            }
        }
        last
    }
}

/// Whether the other host may know better: this one is not there, or does not know the call.
fn is_elsewhere(reply: &Result<BufferedReply, TransportError>) -> bool {
    match reply {
        Ok(reply) => matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED),
        Err(error) => !error.request_was_sent(),
    }
}
