//! Which providers this version can log in to. A new one is a file of `byok-auth` and a line in the table here.

use crate::{
    network,
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Desk, How, Method, Network, Offer, Refresher, Urls, Vendor, Vendors, antigravity, claims, claude, codex,
    copilot, gemini, iflow, kimi, kiro, qwen, vertex, xai,
};
use byok_config::{BUILT_IN, Config, Live, Prefer};
use byok_store::Store;
use byok_transport::{Transport, TransportError};
use byok_types::ProviderId;
use std::{collections::HashMap, sync::Arc};

/// Makes what is known of a provider's logins, with the addresses and the way out of the settings.
type Make = fn(&Urls<'_>, Network) -> Vendor;

/// The providers with a login.
const VENDORS: &[(&str, Make)] = &[
    ("claude", claude::vendor),
    ("codex", codex::vendor),
    ("copilot", copilot::vendor),
    ("gemini", gemini::vendor),
    ("kiro", kiro::vendor),
    ("antigravity", antigravity::vendor),
    ("qwen", qwen::vendor),
    ("kimi", kimi::vendor),
    ("iflow", iflow::vendor),
    ("vertex", vertex::vendor),
    ("xai", xai::vendor),
];

/// The names of the providers with a login.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    VENDORS.iter().map(|(name, _)| *name)
}

/// The provider of this name, or the way to use it without a login.
pub(crate) fn vendor(name: &str, config: &Config) -> Result<(ProviderId, Vendor), Trouble> {
    let id = existing(name, config)?;
    if let Some(vendor) = made(&id, config) {
        return Ok((id, vendor));
    }
    let supported = supported();
    let what = format!("this version of byok has no login for `{name}`, only for: {supported}");
    let hint = format!(
        "use an API key: set `providers.{name}.api_key` in the settings (`byok config path` says where)"
    );
    Err(Trouble::new(Exit::Usage, what).hint(hint))
}

/// The provider of this name, if there is one.
pub(crate) fn existing(name: &str, config: &Config) -> Result<ProviderId, Trouble> {
    let id = provider_id(name)?;
    let own = config.providers.get(&id).is_some_and(|provider| provider.kind.is_some());
    if own || BUILT_IN.contains(&name) {
        return Ok(id);
    }
    Err(Trouble::new(Exit::Usage, format!("there is no provider `{name}`"))
        .hint(format!("`byok login` knows: {}", supported())))
}

fn supported() -> String {
    names().collect::<Vec<_>>().join(", ")
}

/// The way to log in that was asked for, or the first.
pub(crate) fn method<'v>(
    name: &ProviderId,
    vendor: &'v Vendor,
    asked: Option<&str>,
) -> Result<&'v Method, Trouble> {
    let found = match asked {
        Some(asked) => vendor.methods.iter().find(|method| method.name == asked),
        None => vendor.methods.first(),
    };
    found.ok_or_else(|| {
        let known: Vec<_> = vendor.methods.iter().map(|m| format!("{} ({})", m.name, m.what)).collect();
        Trouble::new(Exit::Usage, format!("`{name}` has no login by `{}`", asked.unwrap_or_default()))
            .hint(format!("its ways are: {}", known.join(", ")))
    })
}

/// The first way to log in that needs no browser on this machine, if the vendor has one.
pub(crate) fn without_browser(vendor: &Vendor) -> Option<&Method> {
    vendor.methods.iter().find(|method| matches!(method.how, How::Device(_)))
}

/// Logins through a page, with these settings and what becomes of them.
pub(crate) fn desk(live: Live, store: Store) -> Desk {
    Desk::new(store, Arc::new(Table(live)))
}

/// The table, by the settings as they are now.
struct Table(Live);

impl Vendors for Table {
    fn names(&self) -> Vec<String> {
        names().map(str::to_owned).collect()
    }

    fn offer(&self, name: &str) -> Option<Offer> {
        let (provider, config) = (ProviderId::new(name).ok()?, self.0.load());
        let vendor = made(&provider, &config)?;
        let warnings = warnings(&provider, &config);
        Some(Offer { provider, vendor, warnings })
    }

    fn transport(&self) -> Result<Transport, TransportError> {
        network::transport(&self.0.load())
    }
}

/// What the settings mean for a login. A key and a login for one provider: one of them is used first, and that may cost money.
pub(crate) fn warnings(id: &ProviderId, config: &Config) -> Vec<String> {
    let Some(provider) = config.provider(id) else { return Vec::new() };
    let mut warnings = Vec::new();
    if !provider.enabled {
        warnings
            .push(format!("`providers.{id}.enabled` is false: the login is not used before that is changed"));
    }
    if !provider.api_keys.is_empty() && !keys_are_of_the_plan(id) {
        warnings.push(match provider.prefer {
            Prefer::Key => format!(
                "an API key is configured for {id}: byok prefers it, and it is billed. `providers.{id}.prefer: oauth` in \
                 the settings puts the login first."
            ),
            Prefer::Oauth => format!(
                "an API key is configured for {id}: byok uses it, and it is billed, when the login cannot serve a request."
            ),
        });
    }
    warnings
}

/// Whether the keys of a provider use up the plan, as its logins do: none of them is billed apart.
pub(crate) fn keys_are_of_the_plan(id: &ProviderId) -> bool {
    matches!(id.as_str(), "kimi" | "kiro")
}

/// The provider, where only its own keys can be meant: another server in its place has keys of its own.
pub(crate) fn keys_of<'a>(id: &'a ProviderId, config: &Config) -> Option<&'a ProviderId> {
    config.provider(id).is_none_or(|provider| provider.base_url.is_none()).then_some(id)
}

/// A name as an id.
pub(crate) fn provider_id(name: &str) -> Result<ProviderId, Trouble> {
    ProviderId::new(name).map_err(|error| Trouble::new(Exit::Usage, error.to_string()))
}

/// How the tokens of logins are refreshed.
pub(crate) fn refreshers(config: &Config) -> HashMap<ProviderId, Arc<dyn Refresher>> {
    let ids = names().filter_map(|name| ProviderId::new(name).ok());
    ids.filter_map(|id| made(&id, config).map(|vendor| (id, byok_auth::refresher(&vendor)))).collect()
}

/// What happened to the service of a provider's logins, where it has ended or changed. Keys are another matter, but where
/// they are what its logins end in.
pub(crate) fn ended(name: &str, by_key: bool) -> Option<&'static str> {
    if by_key && !claims::with_keys(name) {
        return None;
    }
    let (_, make) = VENDORS.iter().find(|(known, _)| *known == name)?;
    make(&Urls::none(), Network::default()).ended
}

fn made(id: &ProviderId, config: &Config) -> Option<Vendor> {
    let (_, make) = VENDORS.iter().find(|(name, _)| *name == id.as_str())?;
    Some(match config.provider(id) {
        Some(provider) => make(
            &Urls::new(&provider.urls).with_base(provider.base_url.as_ref()),
            network::network(config, id, provider),
        ),
        None => make(&Urls::none(), Network::default()),
    })
}

#[cfg(test)]
mod tests;
