//! API keys of Google.

use crate::{
    Answers, KeyLogin, LoginError, LoginFuture, Network, NewLogin,
    endpoint::{Ask, Endpoint},
    google::error_of,
    login::plain,
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, Secret};
use std::time::Duration;
use url::Url;

const KEY_TIMEOUT: Duration = Duration::from_secs(20);

/// What an account of a key is recognised by: nobody can tell the key from it.
pub(crate) fn key_identity(key: &Secret) -> String {
    format!("key {}", key.hash().short())
}

/// The list of models below an address, which may name a version.
pub(crate) fn list_of_models(base: &str) -> String {
    let base = base.trim_end_matches("/models");
    let versioned = ["/v1", "/v1beta", "/v1alpha"].iter().any(|version| base.ends_with(version));
    format!("{base}{}/models", if versioned { "" } else { "/v1beta" })
}

/// A login with a key of the Generative Language API.
#[derive(Clone, Debug)]
pub(crate) struct GeminiKey {
    /// Where one model is asked for to see whether the key is good.
    pub(crate) check: Url,
    pub(crate) network: Network,
}

impl KeyLogin for GeminiKey {
    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        key: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let headers = [("x-goog-api-key", key.expose())];
            let ask = Ask { headers: &headers, ..Ask::get(&self.check, KEY_TIMEOUT) };
            let reply = Endpoint { transport, network: &self.network }.ask(ask).await?;
            if !reply.status.is_success() {
                let refusal = Refusal::read(&reply, &[key.expose()]);
                if refusal.is_in_front() {
                    return Err(refusal.of_login());
                }
                let (reason, error) = error_of(&reply.body);
                let said = plain(&error["message"].as_str().unwrap_or_default().replace(key.expose(), "…"));
                // A bad key is a 400 here.
                let bad = matches!(reply.status.as_u16(), 401 | 403)
                    || reason.as_deref() == Some("API_KEY_INVALID");
                return Err(if bad {
                    LoginError::NotUsable {
                        why: format!("Google does not accept the key ({said}); copy it again from its page"),
                    }
                } else {
                    LoginError::Denied { why: format!("{}, {said}", reply.status.as_u16()) }
                });
            }
            let details = AccountDetails { identity: Some(key_identity(&key)), ..AccountDetails::default() };
            Ok(NewLogin { credential: Credential::ApiKey(key), details })
        })
    }
}
