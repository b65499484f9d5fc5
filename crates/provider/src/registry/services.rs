//! The services of the built-in providers: who takes which credential at which address.

use crate::{
    catalog::Catalog,
    upstream::{
        Claude, CodeAssist, Codex, Copilot, Gemini, Iflow, KIRO, Kimi, Kiro, OpenAi, Qwen, Upstream, Vertex,
        Xai, qwen,
    },
};
use byok_config::{HttpUrl, UrlName};
use indexmap::IndexMap;
use std::{borrow::Cow, sync::Arc};

/// Which credentials a face serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serves {
    /// API keys, those of the store among them.
    Keys,
    /// Logins.
    Logins,
    /// Both: the vendor takes them at the same place.
    Both,
}

/// The addresses of the settings.
pub(super) type Urls = IndexMap<UrlName, HttpUrl>;

/// One service of a built-in provider.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) serves: Serves,
    pub(super) base: &'static str,
    pub(super) upstream: fn(&Urls) -> Arc<dyn Upstream>,
    /// Name of the list of its models.
    pub(super) list: &'static str,
}

/// A built-in provider.
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    faces: &'static [Face],
}

/// The built-in providers of this version, in the order in which they stand without a config.
pub(super) const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "claude",
        faces: &[Face {
            serves: Serves::Both,
            base: "https://api.anthropic.com",
            upstream: |urls| {
                Arc::new(Claude { usage: urls.get(&UrlName::Usage).map(|url| url.url().clone()) })
            },
            list: "claude",
        }],
    },
    BuiltIn {
        name: "codex",
        faces: &[
            Face {
                serves: Serves::Keys,
                base: "https://api.openai.com/v1",
                upstream: |_| Arc::new(OpenAi { first_party: true }),
                list: "codex",
            },
            Face {
                serves: Serves::Logins,
                base: "https://chatgpt.com/backend-api/codex",
                upstream: |urls| Arc::new(Codex::of(urls)),
                list: "codex-plan",
            },
        ],
    },
    BuiltIn {
        name: "gemini",
        faces: &[
            Face {
                serves: Serves::Keys,
                base: "https://generativelanguage.googleapis.com",
                upstream: |_| Arc::new(Gemini),
                list: "gemini",
            },
            Face {
                serves: Serves::Logins,
                base: "https://cloudcode-pa.googleapis.com",
                upstream: |_| Arc::new(CodeAssist { antigravity: false }),
                list: "gemini",
            },
        ],
    },
    BuiltIn {
        name: "antigravity",
        faces: &[Face {
            serves: Serves::Logins,
            // Quotas are counted by host, so all is asked of one.
            base: "https://daily-cloudcode-pa.googleapis.com",
            upstream: |_| Arc::new(CodeAssist { antigravity: true }),
            list: "antigravity",
        }],
    },
    BuiltIn {
        name: "vertex",
        faces: &[Face {
            serves: Serves::Both,
            base: "https://aiplatform.googleapis.com",
            upstream: |_| Arc::new(Vertex),
            list: "vertex",
        }],
    },
    BuiltIn {
        name: "copilot",
        faces: &[Face {
            serves: Serves::Logins,
            base: "https://api.githubcopilot.com",
            upstream: |urls| {
                let own = |name| urls.get(&name).map(|url: &HttpUrl| url.url().clone());
                Arc::new(Copilot { inference: own(UrlName::Inference), usage: own(UrlName::Usage) })
            },
            list: "copilot",
        }],
    },
    BuiltIn {
        name: "kimi",
        faces: &[Face {
            serves: Serves::Both,
            base: "https://api.kimi.com/coding",
            upstream: |urls| Arc::new(Kimi { own: urls.contains_key(&UrlName::Inference) }),
            list: "kimi",
        }],
    },
    BuiltIn {
        name: "xai",
        faces: &[
            Face {
                serves: Serves::Keys,
                base: "https://api.x.ai/v1",
                upstream: |_| Arc::new(Xai::keys()),
                list: "xai",
            },
            Face {
                serves: Serves::Logins,
                base: "https://cli-chat-proxy.grok.com/v1",
                upstream: |urls| Arc::new(Xai::plan(urls)),
                list: "xai",
            },
        ],
    },
    BuiltIn {
        name: "qwen",
        faces: &[
            Face {
                serves: Serves::Keys,
                base: qwen::PLATFORM,
                upstream: |_| Arc::new(Qwen { login: false }),
                list: "qwen",
            },
            Face {
                serves: Serves::Logins,
                base: qwen::PORTAL,
                upstream: |_| Arc::new(Qwen { login: true }),
                list: "qwen-login",
            },
        ],
    },
    BuiltIn {
        name: "iflow",
        faces: &[Face {
            serves: Serves::Both,
            base: "https://apis.iflow.cn/v1",
            upstream: |_| Arc::new(Iflow),
            list: "iflow",
        }],
    },
    BuiltIn {
        name: "kiro",
        faces: &[Face {
            serves: Serves::Both,
            base: KIRO,
            upstream: |urls| {
                let own = |name| urls.get(&name).map(|url| url.url().clone());
                Arc::new(Kiro { models: own(UrlName::Models), usage: own(UrlName::Usage) })
            },
            list: "kiro",
        }],
    },
];

/// The services of a built-in provider: of one in the table, or of a vendor whose data file names its address.
pub(super) fn services(name: &str) -> Option<Cow<'static, [Face]>> {
    if let Some(built_in) = BUILT_IN.iter().find(|built_in| built_in.name == name) {
        return Some(Cow::Borrowed(built_in.faces));
    }
    let (vendor, base) = Catalog::builtin().compatible().find(|(vendor, _)| vendor.provider == name)?;
    let upstream: fn(&Urls) -> Arc<dyn Upstream> = |_| Arc::new(OpenAi { first_party: false });
    Some(Cow::Owned(vec![Face { serves: Serves::Keys, base, upstream, list: &vendor.list }]))
}

/// Whether a built-in provider takes logins, and whether it takes API keys.
pub(crate) fn credentials_of(name: &str) -> (bool, bool) {
    let faces = services(name).unwrap_or_default();
    let any = |not: Serves| faces.iter().any(|face| face.serves != not);
    (any(Serves::Keys), faces.is_empty() || any(Serves::Logins))
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Serves};
    use std::collections::BTreeSet;

    /// The settings take `urls.inference` for the address of keys, too, but at these.
    #[test]
    fn the_settings_know_whose_logins_have_a_service_of_their_own() {
        let apart =
            |built_in: &&super::BuiltIn| built_in.faces.iter().any(|face| face.serves == Serves::Keys);
        let names: BTreeSet<_> = BUILT_IN.iter().filter(apart).map(|built_in| built_in.name).collect();
        assert_eq!(names, byok_config::LOGINS_APART.iter().copied().collect());
    }
}
