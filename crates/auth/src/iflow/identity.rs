//! Whose login it is, and the API key that belongs to it.

use super::{API_KEY, Iflow};
use crate::{LoginError, Standing, endpoint::Ask, login::plain, refusal::Refusal};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport, TransportError};
use byok_types::Secret;
use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// How often a busy server is asked.
const TRIES: u32 = 3;
/// Pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Who logged in.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) key: Secret,
    pub(super) details: AccountDetails,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "apiKey", default)]
    key: Option<Secret>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
}

impl Iflow {
    /// Asks for the key of an access token and whose it is. Without the key the login is worth nothing.
    pub(super) async fn owner(&self, transport: &Transport, access: &Secret) -> Result<Owner, LoginError> {
        read(&self.about(transport, access).await?, access.expose())
    }

    /// Whose an access token is that somebody has. A service that is closed has refused nothing.
    pub(super) async fn standing(&self, transport: &Transport, access: &Secret) -> crate::Owner {
        let told = match self.about(transport, access).await {
            Ok(reply) => read(&reply, access.expose()).map_err(|error| (error, says_no(&reply))),
            Err(error) => Err((error.into(), false)),
        };
        match told {
            Ok(Owner { key, details }) => {
                let facts = [(API_KEY.to_owned(), key)].into();
                crate::Owner { details, facts, standing: Standing::Taken }
            }
            Err((error, says_no)) => {
                tracing::debug!(%error, "the owner of an iflow login is not known");
                let standing = match error {
                    LoginError::NoAccess { why } if says_no => Standing::Refused(why),
                    _ => Standing::Unknown,
                };
                crate::Owner { standing, ..crate::Owner::default() }
            }
        }
    }

    /// The vendor's answer to the question whose a token is.
    async fn about(&self, transport: &Transport, access: &Secret) -> Result<BufferedReply, TransportError> {
        let mut url = self.urls.profile.clone();
        url.query_pairs_mut().append_pair("accessToken", access.expose());
        let mut tries = 1;
        loop {
            let reply = self.endpoint(transport).ask(Ask::get(&url, self.timeout())).await?;
            if tries == TRIES || !is_busy(reply.status) {
                return Ok(reply);
            }
            tokio::time::sleep(PAUSE * tries).await;
            tries += 1;
        }
    }
}

/// Whether an answer without an owner is the vendor's word on the token, and not that nobody is there to ask.
fn says_no(reply: &BufferedReply) -> bool {
    let refusal = Refusal::read(reply, &[]);
    reply.status.is_success() || (refusal.is_refusal() && !refusal.is_page())
}

fn is_busy(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

fn read(reply: &BufferedReply, sent: &str) -> Result<Owner, LoginError> {
    let no = |what: &str| LoginError::NoAccess {
        why: format!("iFlow {what}; its service ended on 2026-04-17, so use another provider"),
    };
    if is_busy(reply.status) {
        return Err(Refusal::read(reply, &[sent]).of_login());
    }
    if !reply.status.is_success() {
        return Err(no(&format!("refuses to name its API key ({})", Refusal::read(reply, &[sent]))));
    }
    let answer: Answer = serde_json::from_slice(&reply.body).map_err(|_| LoginError::BadAnswer)?;
    if !answer.success {
        return Err(no(&format!("refuses to name its API key ({})", Refusal::read(reply, &[sent]).words())));
    }
    let data = answer.data.ok_or(LoginError::BadAnswer)?;
    let key = data.key.filter(|key| !key.is_blank()).ok_or_else(|| no("has no API key for it"))?;
    let filled =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let email = filled(data.email).map(|email| plain(&email));
    let phone = filled(data.phone).map(|phone| legible(&phone));
    let identity = email.clone().or(phone).ok_or_else(|| no("does not say whose it is"))?;
    Ok(Owner { key, details: AccountDetails { email, plan: None, identity: Some(identity) } })
}

/// A phone number as it is kept: the vendor masks it with stars.
fn legible(phone: &str) -> String {
    let kept = phone.chars().map(|c| if c == '*' { 'x' } else { c });
    kept.filter(|c| c.is_ascii_alphanumeric() || "_@.-".contains(*c)).collect()
}
