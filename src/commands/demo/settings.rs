//! The settings of the demo: all built-in providers and one of each other kind, all of them simulated.

use crate::trouble::{Exit, Trouble};
use byok_config::{Config, FactsPatch, HttpUrl, Kind, Model, Pattern, Provider, UpstreamKey, UrlName};
use byok_provider::catalog::Catalog;
use byok_simulator::{Maker, copilot_models, models};
use byok_types::{ProviderId, Secret};

/// A built-in provider in the demo.
struct BuiltIn {
    name: &'static str,
    /// A key in the shape that the vendor's service checks; nobody real accepts it. Without one it is served by a login.
    key: Option<&'static str>,
    /// Path of its address on the simulator.
    base: &'static str,
    /// Paths of its other addresses.
    urls: &'static [(UrlName, &'static str)],
    /// Models that byok knows and the simulated vendor has not.
    exclude: &'static [&'static str],
}

const BUILT_IN: [BuiltIn; 7] = [
    BuiltIn {
        name: "kimi",
        key: Some("sk-kimi-demo"),
        base: "/kimi/coding",
        urls: &[],
        exclude: &["k3-256k", "kimi-for-coding-highspeed", "k2.5", "k2-thinking"],
    },
    BuiltIn {
        name: "xai",
        key: Some("xai-demo"),
        base: "/xai-api/v1",
        urls: &[],
        exclude: &["grok-4.20-*", "grok-3-mini*", "grok-composer-*"],
    },
    BuiltIn {
        name: "qwen",
        key: Some("sk-demo-qwen"),
        base: "/qwen/compatible-mode/v1",
        urls: &[],
        exclude: &[],
    },
    BuiltIn {
        name: "kiro",
        key: Some("ksk_demo"),
        base: "/kiro/runtime",
        urls: &[(UrlName::Models, "/kiro/management/"), (UrlName::Usage, "/kiro/management/getUsageLimits")],
        // The simulated account has a small plan.
        exclude: &[
            "claude-opus-5",
            "claude-opus-4.7",
            "claude-opus-4.6",
            "claude-opus-4.5",
            "claude-sonnet-5",
            "claude-sonnet-4",
            "claude-fable-5",
            "gpt-5.6-terra",
            "gpt-5.6-luna",
            "deepseek-3.2",
            "glm-5",
            "minimax-m2.5",
            "minimax-m2.1",
            "qwen3-coder-next",
        ],
    },
    BuiltIn {
        name: "copilot",
        key: None,
        base: "/copilot",
        urls: &[
            (UrlName::Inference, "/copilot"),
            (UrlName::Device, "/github/login/device/code"),
            (UrlName::Token, "/github/login/oauth/access_token"),
            (UrlName::Exchange, "/github/copilot_internal/v2/token"),
            (UrlName::Profile, "/github/user"),
            (UrlName::Usage, "/github/copilot_internal/user"),
        ],
        exclude: &[],
    },
    BuiltIn {
        name: "antigravity",
        key: None,
        base: "/google",
        urls: &[
            (UrlName::Inference, "/google"),
            (UrlName::Token, "/google/token"),
            (UrlName::Projects, "/google/v1internal:loadCodeAssist"),
            (UrlName::Onboard, "/google/v1internal:onboardUser"),
        ],
        exclude: &["gemini-3.6-flash-high", "gemini-3.5-flash-low", "gemini-3.5-flash-extra-low"],
    },
    BuiltIn {
        name: "iflow",
        key: None,
        base: "/iflow/v1",
        urls: &[(UrlName::Inference, "/iflow/v1")],
        exclude: &[],
    },
];

/// Where a plan of Claude is logged in to.
const CLAUDE: [(UrlName, &str); 4] = [
    (UrlName::Authorize, "/cai/oauth/authorize"),
    (UrlName::Token, "/v1/oauth/token"),
    (UrlName::Revoke, "/v1/oauth/token/revoke"),
    (UrlName::Profile, "/api/oauth/profile"),
];

/// The settings for a simulator at this address.
pub(super) fn of(simulator: &str) -> Result<Config, Trouble> {
    let mut config = Config::default();
    let (v1, vertex) = (format!("{simulator}/v1"), format!("{simulator}/vertex"));
    let with_lists = [
        ("claude", "sk-ant-api03-demo", simulator, Maker::Anthropic),
        ("codex", "sk-proj-demo", v1.as_str(), Maker::Openai),
        ("gemini", "AIzaDemo", simulator, Maker::Google),
        ("vertex", "AIzaDemo", vertex.as_str(), Maker::Google),
    ];
    for (name, key, address, maker) in with_lists {
        let exclude = missing(name, |id| models(maker).iter().any(|simulated| simulated.id == id))?;
        let mut provider = Provider { exclude, ..provider(Some(key), address)? };
        if name == "claude" {
            for (name, path) in CLAUDE {
                provider.urls.insert(name, url(format!("{simulator}{path}"))?);
            }
        }
        insert(&mut config, name, provider)?;
    }
    for BuiltIn { name, key, base, urls, exclude } in BUILT_IN {
        let mut provider = provider(key, &format!("{simulator}{base}"))?;
        for (name, path) in urls {
            provider.urls.insert(*name, url(format!("{simulator}{path}"))?);
        }
        provider.exclude = match name {
            "copilot" => missing(name, |id| copilot_models().any(|simulated| simulated == id))?,
            _ => patterns(exclude.iter().copied())?,
        };
        // The simulated Google issues its clients this one; it is no secret.
        provider.client_secret = (name == "antigravity").then(|| Secret::new("sim-client-secret"));
        insert(&mut config, name, provider)?;
    }
    let own = [
        ("demo-openai", Kind::Openai, "sk-demo", v1.as_str(), "gpt-4.1-mini", "demo-chat"),
        ("demo-responses", Kind::Responses, "sk-demo", v1.as_str(), "gpt-5-mini", "demo-responses"),
        (
            "demo-anthropic",
            Kind::Anthropic,
            "sk-ant-api03-demo",
            simulator,
            "claude-haiku-4-5",
            "demo-messages",
        ),
        ("demo-gemini", Kind::Gemini, "AIzaDemo", simulator, "gemini-2.5-flash", "demo-gemini"),
    ];
    for (name, kind, key, address, model, alias) in own {
        // The simulated server refuses what it does not know.
        let facts = (kind == Kind::Openai).then(|| serde_json::json!({"reasoning_content": false}));
        let facts: Option<FactsPatch> = facts.and_then(|facts| serde_json::from_value(facts).ok());
        let models = vec![Model {
            id: model.to_owned(),
            aliases: vec![alias.to_owned()],
            facts: facts.unwrap_or_default(),
        }];
        insert(&mut config, name, Provider { kind: Some(kind), models, ..provider(Some(key), address)? })?;
    }
    Ok(config)
}

/// The models that byok knows of a provider and the simulator does not: they are not offered.
fn missing(provider: &str, has: impl Fn(&str) -> bool) -> Result<Vec<Pattern>, Trouble> {
    let known = Catalog::builtin().of_provider(provider).into_iter().flat_map(|vendor| &vendor.models);
    let missing = known.filter(|model| !has(&model.id));
    patterns(missing.map(|model| model.id.as_str()))
}

fn patterns<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Pattern>, Trouble> {
    let pattern =
        |name: &str| Pattern::try_from(name.to_owned()).map_err(|why| Trouble::new(Exit::Failure, why));
    names.into_iter().map(pattern).collect()
}

fn url(text: String) -> Result<HttpUrl, Trouble> {
    HttpUrl::try_from(text).map_err(|why| Trouble::new(Exit::Failure, why))
}

fn insert(config: &mut Config, name: &str, provider: Provider) -> Result<(), Trouble> {
    let id = ProviderId::new(name).map_err(|error| Trouble::new(Exit::Failure, error.to_string()))?;
    config.providers.insert(id, provider);
    Ok(())
}

fn provider(key: Option<&str>, address: &str) -> Result<Provider, Trouble> {
    let key = key.map(|key| UpstreamKey {
        key: Secret::new(key),
        label: Some("demo".to_owned()),
        base_url: None,
        proxy: None,
        prefix: None,
        weight: None,
        priority: 0,
        headers: byok_config::Headers::default(),
        models: Vec::new(),
        exclude: Vec::new(),
    });
    let base_url = Some(url(address.to_owned())?);
    Ok(Provider { base_url, api_keys: key.into_iter().collect(), ..Provider::default() })
}
