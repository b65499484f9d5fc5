//! A key of the platform.

use super::{CHECK_TIMEOUT, Claude};
use crate::{Answers, KeyLogin, LoginError, LoginFuture, NewLogin, endpoint::Ask, refusal::Refusal};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, Secret};

/// The version of the API that the question is of.
const VERSION: &str = "2023-06-01";

impl KeyLogin for Claude {
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let refused = |why: String| Err(LoginError::NotUsable { why });
            if key.expose().starts_with("sk-ant-oat") {
                return refused(
                    "it is a token of a plan and no API key; `byok accounts add claude` takes it".to_owned(),
                );
            }
            // What another server at the `base_url` of the settings takes is its own affair.
            let anthropics = self.urls.models.host_str() == Some("api.anthropic.com");
            if anthropics && !key.expose().starts_with("sk-ant-") {
                return refused(
                    "a key of Anthropic begins with `sk-ant-`; platform.claude.com makes one under \"API keys\"".to_owned(),
                );
            }
            let headers = [("x-api-key", key.expose()), ("anthropic-version", VERSION)];
            let ask = Ask { headers: &headers, ..Ask::get(&self.urls.models, CHECK_TIMEOUT) };
            let reply = self.endpoint(transport).ask(ask).await?;
            // A key may be allowed to answer and not to list models.
            if reply.status == http::StatusCode::UNAUTHORIZED {
                let refusal = Refusal::read(&reply, &[key.expose()]);
                return refused(format!("Anthropic does not accept the key ({refusal}); make a new one"));
            }
            Ok(NewLogin { credential: Credential::ApiKey(key), details: AccountDetails::default() })
        })
    }
}
