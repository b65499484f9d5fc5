//! What a vendor says that sends the browser back without a code.

use super::page::plain;
use crate::{LoginError, State};
use url::Url;

/// What OpenAI says of a workspace without Codex (the Codex CLI, `login/src/server.rs`).
const NO_CODEX: &str = "missing_codex_entitlement";

/// The error in the query of the address at which the browser ended; `find` looks it up. Somebody else could lead the person to a
/// page of theirs, so one counts only in the answer to this very login.
pub(super) fn refused(error: &str, find: impl Fn(&str) -> Option<String>, state: &State) -> LoginError {
    let stated = |name| find(name).filter(|text| !text.trim().is_empty());
    let ours = find("state").is_some_and(|stated| state.matches(&stated));
    let page = stated("error_uri").filter(|_| ours).and_then(|page| page_of(&page));
    if stated("error_description").is_some_and(|words| words.contains(NO_CODEX)) {
        let why = format!(
            "this ChatGPT workspace has no Codex ({NO_CODEX}): ask its administrator for it, or choose another workspace"
        );
        return LoginError::Refused { why, page };
    }
    match (stated("error_description"), page) {
        // The person said no, or nobody knows better.
        (None, None) => LoginError::Denied { why: plain(error) },
        (Some(words), page) => LoginError::Refused { why: plain(&format!("{error}: {words}")), page },
        (None, page) => LoginError::Refused { why: plain(error), page },
    }
}

/// The domains of the vendors: somebody else's page is shown to nobody who logs in.
const VENDORS: [&str; 17] = [
    "claude.ai",
    "claude.com",
    "anthropic.com",
    "openai.com",
    "chatgpt.com",
    "x.ai",
    "google.com",
    "antigravity.google",
    "github.com",
    "ghe.com",
    "kimi.com",
    "kimi.ai",
    "moonshot.cn",
    "kiro.dev",
    "amazon.com",
    "qwen.ai",
    "iflow.cn",
];

/// A page of a vendor that can be shown.
pub(crate) fn page_of(text: &str) -> Option<Url> {
    let page = Url::parse(text).ok()?;
    let host = page.host_str()?;
    let known = VENDORS.iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    (known && page.scheme() == "https" && page.as_str().len() < 500).then_some(page)
}
