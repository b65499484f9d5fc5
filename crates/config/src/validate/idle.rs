//! Settings that are checked and kept, but that nothing in this version looks at. Whoever writes one must not believe that it
//! protects him.

use crate::{
    settings::UrlName,
    tree::{Node, path::KeyPath},
};

/// Addresses that this version calls by provider, beside the base of the model requests of all.
const CALLED: &[(&str, &[UrlName])] = &[
    ("claude", &[UrlName::Authorize, UrlName::Token, UrlName::Revoke, UrlName::Profile, UrlName::Usage]),
    (
        "codex",
        &[
            UrlName::Authorize,
            UrlName::Token,
            UrlName::Revoke,
            UrlName::Device,
            UrlName::Verify,
            UrlName::Profile,
            UrlName::Models,
            UrlName::Usage,
        ],
    ),
    ("copilot", &[UrlName::Device, UrlName::Token, UrlName::Exchange, UrlName::Profile, UrlName::Usage]),
    (
        "gemini",
        &[
            UrlName::Models,
            UrlName::Projects,
            UrlName::Onboard,
            UrlName::Authorize,
            UrlName::Token,
            UrlName::Profile,
            UrlName::Revoke,
        ],
    ),
    (
        "antigravity",
        &[
            UrlName::Projects,
            UrlName::Onboard,
            UrlName::Authorize,
            UrlName::Token,
            UrlName::Profile,
            UrlName::Revoke,
        ],
    ),
    ("vertex", &[UrlName::Token]),
    (
        "kiro",
        &[
            UrlName::Register,
            UrlName::Device,
            UrlName::Token,
            UrlName::Authorize,
            UrlName::Social,
            UrlName::Portal,
            UrlName::Profile,
            UrlName::Usage,
            UrlName::Models,
        ],
    ),
    ("qwen", &[UrlName::Device, UrlName::Token]),
    ("kimi", &[UrlName::Device, UrlName::Token, UrlName::Profile]),
    ("iflow", &[UrlName::Authorize, UrlName::Token, UrlName::Profile, UrlName::Exchange]),
    (
        "xai",
        &[
            UrlName::Authorize,
            UrlName::Device,
            UrlName::Token,
            UrlName::Profile,
            UrlName::Models,
            UrlName::Usage,
        ],
    ),
];

/// A warning for each setting that is written and has no effect.
pub(super) fn warnings(root: &Node) -> Vec<String> {
    let top = KeyPath::default();
    let mut found = Vec::new();
    if root.get("admin_secret").is_some() {
        found
            .push((top.key("admin_secret"), "accounts, keys and settings are reached by this machine alone"));
    }
    for provider in root.get("providers").map(Node::entries).unwrap_or_default() {
        let path = top.key("providers").key(&provider.key);
        for url in provider.node.get("urls").map(Node::entries).unwrap_or_default() {
            let is = |name: &UrlName| serde_json::to_value(name).is_ok_and(|name| name == url.key.as_str());
            let called = CALLED.iter().any(|(name, urls)| provider.key == *name && urls.iter().any(is));
            if !called && !is(&UrlName::Inference) {
                found.push((path.key("urls").key(&url.key), "this version does not call it"));
            }
        }
    }
    found.into_iter().map(|(path, why)| format!("`{path}` has no effect in this version: {why}")).collect()
}
