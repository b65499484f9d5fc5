//! A key of the plan.

use super::{Kimi, PROFILE_TIMEOUT, region::Region};
use crate::{Answers, KeyLogin, LoginError, LoginFuture, NewLogin, refusal::Refusal};
use byok_transport::Transport;
use byok_types::{Credential, Secret};

impl KeyLogin for Kimi {
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let region = Region::answered(answers)?;
            if !key.expose().starts_with("sk-kimi-") {
                return Err(LoginError::NotUsable {
                    why: "a key of the plan begins with `sk-kimi-`; for a key of the platform add a provider with \
                          `kind: openai` and `base_url: https://api.moonshot.ai/v1` (or api.moonshot.cn) to the settings"
                        .to_owned(),
                });
            }
            if region == Region::Global && self.own.inference.is_none() {
                return Err(LoginError::NotUsable {
                    why: "for a key of the global region set `providers.kimi.urls.inference: \
                          https://api.kimi.ai/coding` in the settings first"
                        .to_owned(),
                });
            }
            let url = self.places(region).models;
            let reply = self.endpoint(transport).get_with_bearer(&url, &key, PROFILE_TIMEOUT).await?;
            let refusal = Refusal::read(&reply, &[key.expose()]);
            match reply.status.as_u16() {
                200..=299 => {}
                402 | 403 if !refusal.is_in_front() => {
                    let why = format!("Kimi says `{}`; see https://www.kimi.com/code", refusal.words());
                    return Err(LoginError::NoAccess { why });
                }
                401 => {
                    let why = format!("Kimi does not accept the key ({refusal}); make a new one");
                    return Err(LoginError::NotUsable { why });
                }
                _ => return Err(refusal.of_login()),
            }
            let details = self.owner_of(transport, region, &key).await.details;
            Ok(NewLogin { credential: Credential::ApiKey(key), details })
        })
    }
}
