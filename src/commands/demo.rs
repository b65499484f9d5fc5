mod tour;

use super::serve::greeting::base_url;
use crate::{
    cli::Global,
    logging,
    runtime::{Plan, Running},
    terminal,
    trouble::{Exit, Trouble},
};
use byok_config::{Config, FactsPatch, HttpUrl, Kind, Live, Model, Pattern, Provider, UpstreamKey, UrlName};
use byok_provider::catalog::Catalog;
use byok_proxy::Server;
use byok_simulator::{Maker, SimOptions, Simulator, models};
use byok_store::Store;
use byok_types::{ProviderId, Secret};
use clap::Args;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Pause between two pieces of a simulated stream: slow enough to be seen.
const PACE: Duration = Duration::from_millis(30);

/// Serve simulated vendors, to try everything without an account
///
/// This is the server of `byok serve` in front of simulated vendors that speak the real wire formats. It keeps
/// everything in memory, reads no settings, and contacts nobody.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  byok demo
  byok demo --port 0")]
pub(crate) struct Demo {
    /// Port to listen on; 0 takes a free one
    #[arg(short, long, default_value_t = 8018)]
    port: u16,
    /// What is logged: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: String,
}

impl Demo {
    pub(crate) async fn run(self, global: Global) -> Result<(), Trouble> {
        if global.config.is_some() || global.db.is_some() {
            terminal::warn(
                "the demo reads no settings and keeps nothing: `--config` and `--db` have no effect",
            );
        }
        let level = logging::start(&byok_config::Log { level: self.log, ..byok_config::Log::default() });
        let simulator = Simulator::start(SimOptions { pace: PACE, ..SimOptions::default() }).await?;
        let config = config(&simulator.base_url())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let server = Server::bind(address)
            .await
            .map_err(|error| Trouble::from(error).hint("`byok demo --port 0` takes a free port"))?;
        let plan = Plan { live: Live::fixed(config), store: Store::memory(), server, control: None, level };
        let running = Running::start(plan).await?;
        terminal::say(tour::text(&base_url(running.address())));
        running.until_stopped().await
    }
}

/// The settings of the demo: the built-in providers and one of each other kind, all of them simulated.
fn config(simulator: &str) -> Result<Config, Trouble> {
    let mut config = Config::default();
    let v1 = format!("{simulator}/v1");
    // Keys in the shape that each vendor's service checks; nobody real accepts them.
    let built_in = [
        ("claude", "sk-ant-api03-demo", simulator, Maker::Anthropic),
        ("codex", "sk-proj-demo", v1.as_str(), Maker::Openai),
        ("gemini", "AIzaDemo", simulator, Maker::Google),
    ];
    for (name, key, address, maker) in built_in {
        let exclude = missing(name, maker)?;
        insert(&mut config, name, Provider { exclude, ..provider(key, address)? })?;
    }
    let kimi = Provider {
        exclude: patterns(["k3-256k", "kimi-for-coding-highspeed", "k2.5", "k2-thinking"])?,
        ..provider("sk-kimi-demo", &format!("{simulator}/kimi/coding"))?
    };
    insert(&mut config, "kimi", kimi)?;
    let exclude =
        ["grok-4.20-*", "grok-3-mini*", "grok-composer-*"].map(|name| Pattern::try_from(name.to_owned()));
    let exclude = exclude.into_iter().collect::<Result<Vec<_>, _>>();
    let exclude = exclude.map_err(|why| Trouble::new(Exit::Failure, why))?;
    let xai = Provider { exclude, ..provider("xai-demo", &format!("{simulator}/xai-api/v1"))? };
    insert(&mut config, "xai", xai)?;
    let qwen = format!("{simulator}/qwen/compatible-mode/v1");
    insert(&mut config, "qwen", provider("sk-demo-qwen", &qwen)?)?;
    let mut kiro = provider("ksk_demo", &format!("{simulator}/kiro/runtime"))?;
    for (name, path) in [(UrlName::Models, ""), (UrlName::Usage, "getUsageLimits")] {
        let url = HttpUrl::try_from(format!("{simulator}/kiro/management/{path}"));
        kiro.urls.insert(name, url.map_err(|why| Trouble::new(Exit::Failure, why))?);
    }
    // The simulated account has a small plan.
    kiro.exclude = patterns([
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
    ])?;
    insert(&mut config, "kiro", kiro)?;
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
        let models = vec![Model {
            id: model.to_owned(),
            aliases: vec![alias.to_owned()],
            facts: FactsPatch::default(),
        }];
        insert(&mut config, name, Provider { kind: Some(kind), models, ..provider(key, address)? })?;
    }
    Ok(config)
}

/// The models that byok knows of a provider and the simulator does not: they are not offered.
fn missing(provider: &str, maker: Maker) -> Result<Vec<Pattern>, Trouble> {
    let known = Catalog::builtin().of_provider(provider).into_iter().flat_map(|vendor| &vendor.models);
    let missing = known.filter(|model| models(maker).iter().all(|simulated| simulated.id != model.id));
    patterns(missing.map(|model| model.id.as_str()))
}

fn patterns<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Pattern>, Trouble> {
    let pattern =
        |name: &str| Pattern::try_from(name.to_owned()).map_err(|why| Trouble::new(Exit::Failure, why));
    names.into_iter().map(pattern).collect()
}

fn insert(config: &mut Config, name: &str, provider: Provider) -> Result<(), Trouble> {
    let id = ProviderId::new(name).map_err(|error| Trouble::new(Exit::Failure, error.to_string()))?;
    config.providers.insert(id, provider);
    Ok(())
}

fn provider(key: &str, address: &str) -> Result<Provider, Trouble> {
    let base_url = HttpUrl::try_from(address.to_owned()).map_err(|why| Trouble::new(Exit::Failure, why))?;
    let key = UpstreamKey {
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
    };
    Ok(Provider { base_url: Some(base_url), api_keys: vec![key], ..Provider::default() })
}
