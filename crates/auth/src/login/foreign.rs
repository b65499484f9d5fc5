//! Keys and tokens of other vendors are taken for no login.

use crate::LoginError;
use byok_config::{KeyForm, foreign_key};
use byok_types::{ProviderId, Secret};

/// Refuses what evidently is the key or token of another vendor than that of `provider`, before anybody is sent it.
///
/// # Errors
/// [`LoginError::NotUsable`] with where it belongs.
pub fn refuse_foreign(provider: &ProviderId, secret: &Secret) -> Result<(), LoginError> {
    match foreign_key(provider.as_str(), secret) {
        Some(KeyForm { what, belongs, .. }) => Err(LoginError::NotUsable {
            why: format!("it is {what}, which is not sent to {provider}; {belongs}"),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_vendors_are_known_by_their_beginning() {
        for (provider, key, belongs) in [
            ("codex", "sk-ant-api03-x", Some("login claude --method key")),
            ("codex", "sk-ant-oat01-x", Some("accounts add claude")),
            ("codex", "sk-or-v1-x", Some("base_url")),
            ("gemini", " sk-ant-api03-x", Some("login claude")),
            ("xai", "AIzaSyX", Some("login gemini --method key")),
            ("qwen", "sk-proj-x", Some("login codex")),
            ("kimi", "github_pat_x", Some("login copilot --method token")),
            ("codex", "sk-x", None),
            ("codex", "sk-proj-x", None),
            ("vertex", "AIzaSyX", None),
            ("claude", "sk-ant-oat01-x", None),
            ("qwen", "sk-sp-x", None),
            ("gemini", "AQ.x", None),
        ] {
            let refused = refuse_foreign(&ProviderId::new(provider).unwrap(), &Secret::new(key))
                .err()
                .map(|error| error.to_string());
            match (refused, belongs) {
                (None, None) => {}
                (Some(said), Some(belongs)) => {
                    assert!(said.contains(belongs) && !said.contains(key.trim()), "{said}");
                }
                (said, _) => panic!("{provider}, {key}: {said:?}"),
            }
        }
    }
}
