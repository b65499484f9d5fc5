//! Makes the registry of one state of config and accounts.

use super::{
    ListedModel, Provider, Registry,
    services::{BUILT_IN, Face, Serves, Urls, services},
};
use crate::{
    catalog::Catalog,
    pool::{Access, Addresses, HealthBook, Seat, Share},
    upstream::{Claude, Gemini, OpenAi, Upstream},
};
use byok_config::{Config, ExtraUsage, HttpUrl, Kind, Prefer, UpstreamKey, UrlName};
use byok_transport::{Host, ProxyChoice};
use byok_types::{Account, AccountId, AccountState, CredentialKind, Dialect, ProviderId, Secret, SecretHash};
use http::HeaderMap;
use indexmap::IndexMap;
use std::sync::Arc;
use url::Url;

/// A provider of the config that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidProvider {
    /// byok knows the name, but this version cannot serve it.
    #[error(
        "`providers.{0}`: this version of byok cannot serve `{0}` yet; remove the entry or give it `enabled: false`"
    )]
    NotSupported(ProviderId),
    /// The address cannot be called.
    #[error("`providers.{0}.base_url` cannot be called: {1}")]
    Address(ProviderId, String),
}

/// The registry for `config` and the accounts of the store. Providers that cannot be used are left out and reported.
pub fn build(config: &Config, accounts: &[Account], health: &HealthBook) -> (Registry, Vec<InvalidProvider>) {
    let mut providers = IndexMap::new();
    let mut problems = Vec::new();
    let mut add =
        |id: ProviderId, entry: &byok_config::Provider| match faces(config, &id, entry, accounts, health) {
            Ok(faces) if !faces.is_empty() => drop(providers.insert(id, faces)),
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        };
    for (id, entry) in &config.providers {
        add(id.clone(), entry);
    }
    // A login is enough: a built-in provider need not stand in the config.
    let absent = byok_config::Provider::default();
    let compatible = Catalog::builtin().compatible().map(|(vendor, _)| vendor.provider.as_str());
    for name in BUILT_IN.iter().map(|built_in| built_in.name).chain(compatible) {
        if let Some(id) = ProviderId::new(name).ok().filter(|id| !config.providers.contains_key(id)) {
            add(id, &absent);
        }
    }
    let registry = Registry {
        providers,
        aliases: config.aliases.clone(),
        patches: config.models.clone(),
        knowledge: health.knowledge.clone(),
        facts: parking_lot::Mutex::default(),
    };
    (registry, problems)
}

/// The faces of a provider in the order in which they are used; none if it is switched off.
fn faces(
    config: &Config,
    id: &ProviderId,
    entry: &byok_config::Provider,
    accounts: &[Account],
    health: &HealthBook,
) -> Result<Vec<Arc<Provider>>, InvalidProvider> {
    if !entry.enabled {
        return Ok(Vec::new());
    }
    let services = services(id.as_str());
    let one = |face: &Face, several: bool| {
        // Tokens of a login go to another host only where the settings name that host for it.
        let own = match (face.serves, several) {
            (Serves::Logins, _) => entry.urls.get(&UrlName::Inference),
            (Serves::Keys, true) => entry.base_url.as_ref(),
            _ => entry.urls.get(&UrlName::Inference).or(entry.base_url.as_ref()),
        };
        let base = own.map_or(face.base, HttpUrl::as_base);
        let upstream = (face.upstream)(&entry.urls);
        let builder = Seats { config, entry, base, id, health };
        provider(&builder, face, upstream, None, accounts).map(Arc::new)
    };
    let Some(services) = services else {
        let Some(kind) = entry.kind else { return Err(InvalidProvider::NotSupported(id.clone())) };
        let upstream: fn(&Urls) -> Arc<dyn Upstream> = match kind {
            Kind::Openai | Kind::Responses => |_| Arc::new(OpenAi { first_party: false }),
            Kind::Anthropic => |_| Arc::new(Claude::default()),
            Kind::Gemini => |_| Arc::new(Gemini),
        };
        let face = Face { serves: Serves::Both, base: "", upstream, list: "" };
        let own = entry.urls.get(&UrlName::Inference).or(entry.base_url.as_ref());
        let base = own.map_or("", HttpUrl::as_base);
        let builder = Seats { config, entry, base, id, health };
        let made = provider(&builder, &face, upstream(&entry.urls), Some(kind.dialect()), accounts)?;
        return Ok(vec![Arc::new(made)]);
    };
    let several = services.len() > 1;
    let mut faces = services.iter().map(|face| one(face, several)).collect::<Result<Vec<_>, _>>()?;
    if entry.prefer == Prefer::Oauth {
        faces.reverse();
    }
    Ok(faces)
}

fn provider(
    builder: &Seats<'_>,
    face: &Face,
    upstream: Arc<dyn Upstream>,
    dialect: Option<Dialect>,
    accounts: &[Account],
) -> Result<Provider, InvalidProvider> {
    let Seats { config, entry, base, id, .. } = *builder;
    let mine = |account: &&Account| {
        account.provider == *id
            && match face.serves {
                Serves::Both => true,
                Serves::Keys => account.kind == CredentialKind::ApiKey,
                Serves::Logins => account.kind == CredentialKind::Oauth,
            }
    };
    let keys = if face.serves == Serves::Logins { Vec::new() } else { builder.keys(dialect.is_some())? };
    let logins = builder.logins(accounts.iter().filter(mine))?;
    // Where logins have a service of their own, more belongs to a call by one than its token.
    let for_clients = (entry.passthrough_auth && face.serves != Serves::Logins)
        .then(|| builder.seat("client".to_owned(), Access::Client, None));
    let for_clients = for_clients.transpose()?;
    let mut idle = accounts.iter().filter(mine).filter(|a| !builder.may_serve(a));
    let idle = idle.find_map(|a| a.state.trouble(id.as_str()));
    let (logins, stored): (Vec<_>, Vec<_>) = logins.into_iter().partition(|seat| seat.is_oauth());
    let keys = keys.into_iter().chain(stored);
    let seats = match entry.prefer {
        Prefer::Key => keys.chain(logins).collect(),
        Prefer::Oauth => logins.into_iter().chain(keys).collect(),
    };
    Ok(Provider {
        id: id.clone(),
        upstream,
        dialect,
        list: face.list,
        maker: SecretHash::of(&format!("{id} {base}")).short(),
        seats,
        models: listed(entry),
        exclude: entry.exclude.clone(),
        timeouts: config.timeouts_for(id),
        strict: config.strict_translation_for(id),
        for_clients,
        extra_usage: entry.extra_usage,
        idle,
    })
}

/// The models that the provider or one of its keys names.
fn listed(entry: &byok_config::Provider) -> Vec<ListedModel> {
    let mut all: Vec<ListedModel> = Vec::new();
    for model in entry.models.iter().chain(entry.api_keys.iter().flat_map(|key| &key.models)) {
        if !all.iter().any(|known| known.id == model.id) {
            all.push(ListedModel {
                id: model.id.clone(),
                aliases: model.aliases.clone(),
                facts: model.facts.clone(),
            });
        }
    }
    all
}

struct Seats<'a> {
    config: &'a Config,
    entry: &'a byok_config::Provider,
    base: &'a str,
    id: &'a ProviderId,
    health: &'a HealthBook,
}

impl Seats<'_> {
    /// One seat for each API key, those of higher priority first.
    fn keys(&self, may_have_none: bool) -> Result<Vec<Arc<Seat>>, InvalidProvider> {
        let mut keys: Vec<_> = self.entry.api_keys.iter().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.priority));
        if keys.is_empty() && may_have_none {
            // A local server takes no key at all.
            return Ok(vec![self.seat("no-key".to_owned(), Access::Key(Secret::new("")), None)?]);
        }
        let seat = |key: &&UpstreamKey| {
            let name = format!("key-{}", key.key.hash().short());
            self.seat(name, Access::Key(key.key.clone()), Some(key))
        };
        keys.iter().map(seat).collect()
    }

    /// One seat for each of these accounts that can be used.
    fn logins<'b>(
        &self,
        accounts: impl Iterator<Item = &'b Account>,
    ) -> Result<Vec<Arc<Seat>>, InvalidProvider> {
        // What a refusal said of an account that its owner has brought in order since does not hold any more.
        let usable = accounts.filter(|account| {
            let health = self.health.of(&account.id);
            match account.state {
                AccountState::NeedsLogin { .. } | AccountState::Blocked { .. } => health.set_aside(),
                _ => health.taken_back(),
            }
            self.may_serve(account)
        });
        usable
            .map(|account| {
                let access = Access::Account { oauth: account.kind == CredentialKind::Oauth };
                let mut seat = self.parts(account.id.clone(), account.label.clone(), access, None)?;
                seat.claims.clone_from(&account.claims);
                if account.state == AccountState::ExtraUsage {
                    // What it rests for is allowed now.
                    seat.health.forgive();
                }
                Ok(Arc::new(seat))
            })
            .collect()
    }

    /// Whether an account may be used, by its state and what its owner has allowed.
    fn may_serve(&self, account: &Account) -> bool {
        match account.state {
            AccountState::Ready => true,
            AccountState::ExtraUsage => self.entry.extra_usage == ExtraUsage::Allow,
            AccountState::NeedsLogin { .. }
            | AccountState::Blocked { .. }
            | AccountState::Disabled { .. } => false,
        }
    }

    fn seat(
        &self,
        name: String,
        access: Access,
        key: Option<&UpstreamKey>,
    ) -> Result<Arc<Seat>, InvalidProvider> {
        let full = format!("{}.{name}", self.id);
        let id = AccountId::new(full).map_err(|error| self.address(error.to_string()))?;
        let label = key.and_then(|key| key.label.clone()).unwrap_or(name);
        let seat = self.parts(id, label, access, key)?;
        if self.entry.extra_usage == ExtraUsage::Allow {
            seat.health.taken_back();
        }
        Ok(Arc::new(seat))
    }

    fn parts(
        &self,
        id: AccountId,
        label: String,
        access: Access,
        key: Option<&UpstreamKey>,
    ) -> Result<Seat, InvalidProvider> {
        let base = key.and_then(|key| key.base_url.as_ref()).map_or(self.base, HttpUrl::as_base);
        let mut hosts = vec![self.host(base)?];
        // Single addresses of the person's own config may be called with the same credential.
        for name in [UrlName::Models, UrlName::Usage] {
            if let Some(url) = self.entry.urls.get(&name) {
                hosts.push(self.host(url.as_base())?);
            }
        }
        let proxy = self.config.proxy_for(self.id, key);
        let mut headers: HeaderMap = self.entry.headers.map().clone();
        if let Some(key) = key {
            headers.extend(key.headers.map().clone());
        }
        Ok(Seat {
            health: self.health.of(&id),
            known: self.health.knowledge.of(&id, base),
            id,
            label,
            access,
            base: base.trim_end_matches('/').to_owned(),
            hosts: hosts.into(),
            proxy: proxy.map(choice),
            headers,
            models: key.map(|key| key.models.iter().map(|m| m.id.clone()).collect()).unwrap_or_default(),
            of_others: self.of_others(),
            exclude: key.map(|key| key.exclude.clone()).unwrap_or_default(),
            prefix: key.and_then(|key| key.prefix.clone()),
            share: key.and_then(|key| self.share(key)),
            claims: Vec::new(),
            addresses: Addresses::default(),
        })
    }

    /// Models that a key names and the provider does not. Where the provider names none, it has whatever it is asked for.
    fn of_others(&self) -> Vec<String> {
        let built_in = |id: &str| self.entry.kind.is_none() && Catalog::builtin().vendor_of(id).is_some();
        let of_all = |id: &str| self.entry.models.iter().any(|model| model.id == id) || built_in(id);
        let named = self.entry.api_keys.iter().flat_map(|key| &key.models).map(|model| &model.id);
        named.filter(|id| !self.entry.models.is_empty() && !of_all(id)).cloned().collect()
    }

    /// The share of a key, where one of its priority has a weight.
    fn share(&self, key: &UpstreamKey) -> Option<Share> {
        let mut neighbours = self.entry.api_keys.iter().filter(|other| other.priority == key.priority);
        let shared = neighbours.any(|other| other.weight.is_some());
        shared.then(|| Share { rank: key.priority, weight: key.weight.unwrap_or(1) })
    }

    fn host(&self, address: &str) -> Result<Host, InvalidProvider> {
        let url = Url::parse(address).map_err(|error| self.address(error.to_string()))?;
        Host::of(&url).map_err(|error| self.address(error.to_string()))
    }

    fn address(&self, why: String) -> InvalidProvider {
        InvalidProvider::Address(self.id.clone(), why)
    }
}

/// The way out that the config names.
pub(crate) fn choice(proxy: &byok_config::Proxy) -> ProxyChoice {
    match proxy {
        byok_config::Proxy::Direct => ProxyChoice::Direct,
        byok_config::Proxy::Via(url) => ProxyChoice::Url(url.expose().clone()),
    }
}
