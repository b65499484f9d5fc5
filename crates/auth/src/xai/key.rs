//! A key of the platform.

use super::{CHECK_TIMEOUT, Xai};
use crate::{Answers, KeyLogin, LoginError, LoginFuture, NewLogin, refusal::Refusal};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, Secret};

impl KeyLogin for Xai {
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            if !key.expose().starts_with("xai-") {
                let why = "a key of xAI begins with `xai-`; console.x.ai makes one".to_owned();
                return Err(LoginError::NotUsable { why });
            }
            let reply =
                self.endpoint(transport).get_with_bearer(&self.urls.profile, &key, CHECK_TIMEOUT).await?;
            // A key may be allowed to answer and not to list models; a wrong one is a 400 or a 401.
            if matches!(reply.status.as_u16(), 400 | 401) {
                let refusal = Refusal::read(&reply, &[key.expose()]);
                let why = format!("xAI does not accept the key ({refusal}); make a new one");
                return Err(LoginError::NotUsable { why });
            }
            Ok(NewLogin { credential: Credential::ApiKey(key), details: AccountDetails::default() })
        })
    }
}
