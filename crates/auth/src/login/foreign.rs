//! Keys and tokens that show by their first letters whose they are.

use crate::LoginError;
use byok_types::{ProviderId, Secret};

/// A form of key: how it begins, the providers that take it, what it is, and where it belongs.
struct Form {
    begins: &'static str,
    of: &'static [&'static str],
    what: &'static str,
    belongs: &'static str,
}

const fn form(
    begins: &'static str,
    of: &'static [&'static str],
    what: &'static str,
    belongs: &'static str,
) -> Form {
    Form { begins, of, what, belongs }
}

const GITHUB: &str = "`byok login copilot --method token` takes it";
const OPENAI: &str = "`byok login codex --method key` takes it";
const CUSTOM: &str = "add that service to the settings, as a provider with `kind: openai` and its `base_url`";

/// The forms that nobody else uses; of two that fit the first counts. A bare `sk-` says nothing.
const FORMS: &[Form] = &[
    form("sk-ant-oat", &["claude"], "a token of a Claude plan", "`byok accounts add claude` takes it"),
    form("sk-ant-", &["claude"], "a key of Anthropic", "`byok login claude --method key` takes it"),
    form("sk-kimi-", &["kimi"], "a key of a Kimi plan", "`byok login kimi --method key` takes it"),
    form("sk-sp-", &["qwen"], "a key of Qwen's Coding Plan", "`byok login qwen --method key` takes it"),
    form("sk-or-v1-", &[], "a key of OpenRouter", CUSTOM),
    form("sk-proj-", &["codex"], "a key of OpenAI", OPENAI),
    form("sk-svcacct-", &["codex"], "a key of OpenAI", OPENAI),
    form("AIza", &["gemini", "vertex"], "a key of Google", "`byok login gemini --method key` takes it"),
    form("xai-", &["xai"], "a key of xAI", "`byok login xai --method key` takes it"),
    form("ksk_", &["kiro"], "a key of Kiro", "`byok login kiro --method key` takes it"),
    form("gho_", &["copilot"], "a token of GitHub", GITHUB),
    form("ghu_", &["copilot"], "a token of GitHub", GITHUB),
    form("ghp_", &["copilot"], "a token of GitHub", GITHUB),
    form("github_pat_", &["copilot"], "a token of GitHub", GITHUB),
    form("gsk_", &[], "a key of Groq", CUSTOM),
    form("nvapi-", &[], "a key of NVIDIA", CUSTOM),
    form("pplx-", &[], "a key of Perplexity", CUSTOM),
    form("hf_", &[], "a token of Hugging Face", CUSTOM),
];

/// Refuses what evidently is the key or token of another vendor than that of `provider`, before anybody is sent it.
///
/// # Errors
/// [`LoginError::NotUsable`] with where it belongs.
pub fn refuse_foreign(provider: &ProviderId, secret: &Secret) -> Result<(), LoginError> {
    let secret = secret.expose().trim_start();
    match FORMS.iter().find(|form| secret.starts_with(form.begins)) {
        Some(Form { of, what, belongs, .. }) if !of.contains(&provider.as_str()) => {
            Err(LoginError::NotUsable {
                why: format!("it is {what}, which is not sent to {provider}; {belongs}"),
            })
        }
        _ => Ok(()),
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
