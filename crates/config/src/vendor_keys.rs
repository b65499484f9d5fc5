//! Keys and tokens that show by their first letters whose they are, and the names under which people look for a vendor.

use byok_types::Secret;

/// A form of key that only one vendor uses.
#[derive(Debug)]
pub struct KeyForm {
    begins: &'static str,
    /// The providers that take it, the vendor's own first; none of those built in takes the key of other services.
    of: &'static [&'static str],
    /// What it is, with the name of its vendor.
    pub what: &'static str,
    /// The command, or the entry of the settings, that takes it.
    pub belongs: &'static str,
}

const fn form(
    begins: &'static str,
    of: &'static [&'static str],
    what: &'static str,
    belongs: &'static str,
) -> KeyForm {
    KeyForm { begins, of, what, belongs }
}

const GITHUB: &str = "`byok login copilot --method token` takes it";
const OPENAI: &str = "`byok login codex --method key` takes it";
const KIRO: &str = "`byok accounts add kiro` takes it";
const GOOGLE: &[&str] = &["gemini", "antigravity", "vertex"];
const PLAN_GOOGLE: &str = "`byok accounts add gemini` or `byok accounts add antigravity` takes it";
const CUSTOM: &str = "add that service to the settings, as a provider with `kind: openai` and its `base_url`";

/// The forms that nobody else uses; of two that fit the first counts. A bare `sk-` says nothing.
const FORMS: &[KeyForm] = &[
    form("sk-ant-oat", &["claude"], "a token of a Claude plan", "`byok accounts add claude` takes it"),
    form("sk-ant-ort", &["claude"], "a refresh token of a Claude plan", "`byok login claude` makes a login"),
    form("sk-ant-", &["claude"], "a key of Anthropic", "`byok login claude --method key` takes it"),
    form("sk-kimi-", &["kimi"], "a key of a Kimi plan", "`byok login kimi --method key` takes it"),
    form("sk-sp-", &["qwen"], "a key of Qwen's Coding Plan", "`byok login qwen --method key` takes it"),
    form("sk-or-v1-", &[], "a key of OpenRouter", CUSTOM),
    form("sk-proj-", &["codex"], "a key of OpenAI", OPENAI),
    form("sk-svcacct-", &["codex"], "a key of OpenAI", OPENAI),
    form("AIza", &["gemini", "vertex"], "a key of Google", "`byok login gemini --method key` takes it"),
    form("ya29.", GOOGLE, "a token of Google", PLAN_GOOGLE),
    form("1//", GOOGLE, "a token of Google", PLAN_GOOGLE),
    form("xai-", &["xai"], "a key of xAI", "`byok login xai --method key` takes it"),
    form("ksk_", &["kiro"], "a key of Kiro", "`byok login kiro --method key` takes it"),
    form("aoa", &["kiro"], "a token of Kiro", KIRO),
    form("aor", &["kiro"], "a token of Kiro", KIRO),
    form("gho_", &["copilot"], "a token of GitHub", GITHUB),
    form("ghu_", &["copilot"], "a token of GitHub", GITHUB),
    form("ghp_", &["copilot"], "a token of GitHub", GITHUB),
    form("github_pat_", &["copilot"], "a token of GitHub", GITHUB),
    form("gsk_", &[], "a key of Groq", CUSTOM),
    form("nvapi-", &[], "a key of NVIDIA", CUSTOM),
    form("pplx-", &[], "a key of Perplexity", CUSTOM),
    form("hf_", &[], "a token of Hugging Face", CUSTOM),
];

/// The form of a key or token that evidently is another vendor's than that of the provider.
pub fn foreign_key(provider: &str, secret: &Secret) -> Option<&'static KeyForm> {
    let secret = secret.expose().trim_start();
    FORMS.iter().find(|form| secret.starts_with(form.begins)).filter(|form| !form.of.contains(&provider))
}

/// A vendor under another name than that of its provider here, and what stands there.
const VENDORS: &[(&str, &str, &str)] = &[
    ("openai", "codex", "OpenAI's keys and logins"),
    ("chatgpt", "codex", "OpenAI's keys and logins"),
    ("anthropic", "claude", "Anthropic's keys and logins"),
    ("google", "gemini", "Google's keys and logins"),
    ("github", "copilot", "GitHub's logins"),
    ("x-ai", "xai", "xAI's keys and logins"),
    ("grok", "xai", "xAI's keys and logins"),
];

/// The built-in provider of a vendor that somebody calls by the vendor's own name.
pub fn provider_of_vendor(vendor: &str) -> Option<&'static str> {
    VENDORS.iter().find(|(name, ..)| vendor.eq_ignore_ascii_case(name)).map(|(_, provider, _)| *provider)
}

/// The same as a sentence for the settings.
pub(crate) fn vendor_stands_at(vendor: &str) -> Option<String> {
    let (_, provider, what) = VENDORS.iter().find(|(name, ..)| vendor.eq_ignore_ascii_case(name))?;
    Some(format!("{what} stand under `{provider}`"))
}

impl KeyForm {
    /// Where it belongs, for someone who has written it into the settings.
    pub(crate) fn belongs_in_settings(&self) -> String {
        match self.of.first() {
            // Of GitHub only logins are taken.
            Some(&own) if own != "copilot" => format!("move it to `providers.{own}`"),
            _ => self.belongs.to_owned(),
        }
    }
}
