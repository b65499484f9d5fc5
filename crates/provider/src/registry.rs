//! From the name of a model to who can serve it.
//!
//! A name is an alias, or `provider/model`, or a bare name. A bare name goes to the vendor whose own model it is, then to the
//! providers that list it in the config. A new name of a known family is passed on to its vendor, so that new models work on
//! the day; any other unknown name is an error that lists the nearest known ones.

mod build;
mod listing;
mod refused;
mod services;
mod suffix;

pub(crate) use build::choice;
pub use build::{InvalidProvider, build};

use crate::{
    catalog::{Catalog, with_told},
    knowledge::{Discovered, Knowledge, elsewhere},
    pool::Seat,
    upstream::Upstream,
};
use byok_config::{ExtraUsage, FactsPatch, Pattern, Target, Timeouts};
use byok_translate::ir::Reasoning;
use byok_types::{Blame, Dialect, Failure, FailureKind, ModelFacts, ProviderId, Secret};
use indexmap::IndexMap;
use parking_lot::Mutex;
pub(crate) use refused::nothing_brought;
use refused::{no_login, not_by_these, not_in_use};
use std::{collections::HashMap, sync::Arc};

/// A provider that can serve requests. One that serves keys and logins by different services has two faces, each of them one
/// of these.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the config.
    pub id: ProviderId,
    /// What it must say of itself.
    pub upstream: Arc<dyn Upstream>,
    /// The dialect of a provider that is not built in; a built-in one speaks what the facts of a model say.
    pub dialect: Option<Dialect>,
    /// Name of the list of its models; empty for one that is not built in.
    pub list: &'static str,
    /// Tells its sealed reasoning from that of other providers: a hash of its name and address.
    pub maker: String,
    /// Its credentials, in the order in which they are tried.
    pub seats: Vec<Arc<Seat>>,
    /// Models that the config names.
    pub models: Vec<ListedModel>,
    /// Models that are neither listed nor served.
    pub exclude: Vec<Pattern>,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// Whether losses in translation are refused.
    pub strict: bool,
    /// The seat of clients that bring their own credential, where the settings let them.
    pub for_clients: Option<Arc<Seat>>,
    /// What happens when its vendor begins to charge beyond a plan.
    pub extra_usage: ExtraUsage,
    /// Why an account of the store does not serve, where one does not.
    pub idle: Option<String>,
}

/// A model that the config names.
#[derive(Clone, Debug)]
pub struct ListedModel {
    /// Id at the provider.
    pub id: String,
    /// Names that clients may use.
    pub aliases: Vec<String>,
    /// Corrections of its facts.
    pub facts: FactsPatch,
}

/// One way to serve a request.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who serves it.
    pub provider: Arc<Provider>,
    /// The model there.
    pub facts: Arc<ModelFacts>,
    /// The word before the name that chose a credential.
    pub prefix: Option<String>,
    /// What the name that was asked for says about thinking; it counts in place of what the body says.
    pub thinking: Option<Reasoning>,
}

impl Candidate {
    /// The dialect of the call: the client's own if the model has it, so that the bytes pass through; else its first.
    pub fn dialect(&self, client: Dialect) -> Dialect {
        let endpoints = &self.facts.endpoints;
        if endpoints.contains(&client) { client } else { endpoints.first().copied().unwrap_or(client) }
    }
}

/// Who can serve what, for one state of config and accounts.
#[derive(Debug, Default)]
pub struct Registry {
    /// The faces of each provider, in the order in which they are used.
    providers: IndexMap<ProviderId, Vec<Arc<Provider>>>,
    knowledge: Knowledge,
    aliases: IndexMap<String, Vec<Target>>,
    patches: IndexMap<String, FactsPatch>,
    /// Facts that have been looked up. Bounded: names come from clients.
    facts: Mutex<KeptFacts>,
}

/// Facts, and how much was known when they were looked up.
#[derive(Debug, Default)]
struct KeptFacts {
    changes: u64,
    facts: HashMap<(ProviderId, &'static str, String), Arc<ModelFacts>>,
}

/// Most facts kept.
const FACTS_KEPT: usize = 1024;
/// Longest name of a model in bytes.
const LONGEST_NAME: usize = 512;

impl Registry {
    /// All faces of all providers, in the order of the config.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values().flatten()
    }

    /// The provider with this name: its first face that has a credential, or its first.
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        let faces = self.faces(name);
        faces.iter().find(|face| face.in_use()).or(faces.first())
    }

    /// The faces of a provider; none if there is no provider of this name.
    fn faces(&self, name: &str) -> &[Arc<Provider>] {
        self.providers.iter().find(|(id, _)| id.as_str() == name).map_or(&[], |(_, faces)| faces)
    }

    /// The provider of this name, for a call that is for no model.
    pub fn for_raw(&self, name: &str) -> Result<Candidate, Failure> {
        let Some(provider) = self.provider(name) else { return Err(self.no_provider(name)) };
        if !provider.in_use() {
            return Err(match &provider.idle {
                Some(why) => not_in_use(provider.id.as_str(), why),
                None => no_login(provider.id.as_str()),
            });
        }
        Ok(Candidate { provider: provider.clone(), facts: Arc::default(), prefix: None, thinking: None })
    }

    fn no_provider(&self, name: &str) -> Failure {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
        let known: Vec<&str> = self.providers.keys().map(ProviderId::as_str).collect();
        Failure::new(
            FailureKind::NotFound,
            Blame::Client,
            format!("no provider is named `{shown}`. The providers are {}.", known.join(", ")),
        )
        .with_code("provider_not_found")
    }

    /// Who can serve `name`, best first; never empty. The failure is a 400 or 404 for the client, or a 503 that says which
    /// login is missing.
    pub fn resolve(&self, name: &str) -> Result<Vec<Candidate>, Failure> {
        if name.trim().is_empty() {
            return Err(Failure::bad_request(
                "model",
                "`model` is empty. Name a model; `byok models` lists them.",
            ));
        }
        if name.len() > LONGEST_NAME {
            return Err(Failure::bad_request(
                "model",
                format!(
                    "`model` is {} bytes long, and no model has such a name. `byok models` lists them.",
                    name.len()
                ),
            ));
        }
        let (candidates, missing) = self.candidates(name);
        if candidates.is_empty() {
            Err(missing.unwrap_or_else(|| self.unknown(name)))
        } else {
            Ok(candidates)
        }
    }

    /// A name without what it says about thinking.
    pub fn plain_name<'n>(&self, name: &'n str) -> &'n str {
        self.divided(name).0
    }

    /// A vendor's short name of a model as the vendor writes it out; any other name as it is.
    pub fn full_name<'n>(&self, name: &'n str) -> &'n str {
        if self.aliases.contains_key(name) {
            return name;
        }
        Catalog::builtin().full_name(name).unwrap_or(name)
    }

    /// A name divided into that of a model and what it says about thinking.
    fn divided<'n>(&self, name: &'n str) -> (&'n str, Option<Reasoning>) {
        if self.is_known(name) {
            return (name, None);
        }
        match suffix::split(name, |model| self.is_known(model)) {
            Some((model, wish)) => (model, Some(wish)),
            None => (name, None),
        }
    }

    /// Whether a name is written down somewhere: as an alias, in the config of a provider, or in the lists of the vendors.
    fn is_known(&self, name: &str) -> bool {
        let listed =
            |name: &str| Catalog::builtin().knows(name) || self.providers().any(|p| p.listed(name).is_some());
        let behind_prefix = || {
            name.split_once('/').is_some_and(|(first, rest)| {
                self.faces(first).iter().any(|face| face.listed(rest).is_some() || face.lists(rest))
                    || Catalog::builtin().knows(rest)
            })
        };
        self.aliases.contains_key(name) || listed(name) || behind_prefix()
    }

    /// Who could serve a name, and if a provider is known that has no credential, what is to be said about it.
    fn candidates(&self, name: &str) -> (Vec<Candidate>, Option<Failure>) {
        let mut missing = None;
        let mut candidates = Vec::new();
        let (name, wish) = self.divided(name);
        match self.aliases.get(name) {
            Some(targets) => {
                let mut targets: Vec<_> = targets.iter().collect();
                targets.sort_by_key(|target| std::cmp::Reverse(target.priority));
                for target in targets {
                    let (model, own) = self.divided(&target.model);
                    let from = candidates.len();
                    self.by_name(model, &mut candidates, &mut missing);
                    candidates[from..].iter_mut().for_each(|candidate| candidate.thinking.clone_from(&own));
                }
            }
            None => self.by_name(name, &mut candidates, &mut missing),
        }
        if let Some(wish) = wish {
            for candidate in &mut candidates {
                candidate.thinking = Some(wish.clone());
            }
        }
        (candidates, missing)
    }

    fn by_name(&self, name: &str, out: &mut Vec<Candidate>, missing: &mut Option<Failure>) {
        if let Some((first, rest)) = name.split_once('/').filter(|(_, rest)| !rest.is_empty()) {
            let faces = self.faces(first);
            // A name with a slash in it that the config lists is a name, unless its first word is a provider that is in use.
            let in_use = faces.iter().any(|face| face.in_use());
            if !faces.is_empty() && (in_use || self.providers().all(|face| face.listed(name).is_none())) {
                self.offer(faces, rest, None, out, missing);
                return;
            }
            let named = |face: &&Arc<Provider>| face.seats.iter().any(|s| s.prefix.as_deref() == Some(first));
            let team: Vec<_> = self.providers().filter(named).collect();
            if !team.is_empty() {
                let native = Catalog::builtin().vendor_of(rest).map(|v| v.provider.as_str());
                for face in team {
                    if native == Some(face.id.as_str()) || face.listed(rest).is_some() {
                        self.offer(std::slice::from_ref(face), rest, Some(first), out, missing);
                    }
                }
                return;
            }
        }
        let vendor = Catalog::builtin().vendor_of(name);
        let native = vendor.map_or(&[][..], |vendor| self.faces(&vendor.provider));
        if !native.is_empty() {
            self.offer(native, name, None, out, missing);
        } else if let Some(vendor) = vendor {
            missing.get_or_insert_with(|| no_login(&vendor.provider));
        }
        for faces in self.providers.values() {
            let is_native = native.first().is_some_and(|own| faces.iter().any(|face| face.id == own.id));
            if !is_native && faces.iter().any(|face| face.listed(name).is_some()) {
                self.offer(faces, name, None, out, missing);
            }
        }
    }

    /// Offers the faces of a provider that have a credential.
    fn offer(
        &self,
        faces: &[Arc<Provider>],
        name: &str,
        prefix: Option<&str>,
        out: &mut Vec<Candidate>,
        missing: &mut Option<Failure>,
    ) {
        let mut allowed = faces.iter().filter(|face| !face.excludes(name)).peekable();
        let Some(first) = allowed.peek() else { return };
        let id = first.id.as_str();
        let from = out.len();
        let mut elsewhere = false;
        for face in allowed.filter(|face| face.in_use()) {
            if !face.has(name, faces) {
                elsewhere = true;
                continue;
            }
            out.push(Candidate {
                provider: face.clone(),
                facts: self.facts(face, name),
                prefix: prefix.map(str::to_owned),
                thinking: None,
            });
        }
        if out.len() == from {
            missing.get_or_insert_with(|| match faces.iter().find_map(|face| face.idle.as_deref()) {
                Some(why) => not_in_use(id, why),
                None if elsewhere => not_by_these(id, name),
                None => no_login(id),
            });
        }
    }

    /// The facts of a model at a provider.
    fn facts(&self, provider: &Provider, name: &str) -> Arc<ModelFacts> {
        let key = (provider.id.clone(), provider.list, name.to_owned());
        let changes = self.knowledge.changes();
        {
            let mut kept = self.facts.lock();
            if kept.changes != changes || kept.facts.len() >= FACTS_KEPT {
                kept.facts.clear();
                kept.changes = changes;
            }
            if let Some(facts) = kept.facts.get(&key) {
                return facts.clone();
            }
        }
        let listed = provider.listed(name);
        let own = provider.own_name(name);
        let id = listed.map_or(own.as_deref().unwrap_or(name), |model| model.id.as_str());
        // A client's mark for the long context of a model is no part of its name.
        let (id, long) = id.strip_suffix("[1m]").map_or((id, false), |plain| (plain, true));
        let catalog = Catalog::builtin();
        let told = provider.told_of(id);
        // Its vendor may have given it another name.
        let renamed = told.as_ref().and_then(|told| Some(told.facts.get("id")?.as_str()?.to_owned()));
        let (id, told) = match &renamed {
            Some(new) => (new.as_str(), provider.told_of(new)),
            None => (id, told),
        };
        let known = match (provider.dialect, catalog.list(provider.list)) {
            (Some(dialect), _) => catalog.facts_elsewhere(id, dialect),
            (None, Some(list)) => catalog.facts_in(list, id),
            (None, None) => catalog.facts(id),
        };
        // What the vendor states counts more than what byok knows, and what the settings say more than both.
        let mut facts = match told {
            Some(told) => with_told(known, &told.facts),
            None => known,
        };
        for patch in self.patches.get(id).into_iter().chain(listed.map(|model| &model.facts)) {
            if !patch.is_empty() {
                facts = patch.apply(&facts);
            }
        }
        let refused: Vec<_> = provider.seats.iter().flat_map(|seat| seat.known.refused_at(id)).collect();
        if let Some(left) = elsewhere(&facts.endpoints, provider.upstream.endpoints(), &refused) {
            facts.endpoints = left;
        }
        if long {
            facts.id.push_str("[1m]");
            facts.context_tokens = Some(1_000_000);
        }
        let facts = Arc::new(facts);
        let mut kept = self.facts.lock();
        // What was told in between may have changed them.
        if kept.changes == changes {
            kept.facts.insert(key, facts.clone());
        }
        facts
    }
}

impl Provider {
    /// Whether anybody can be served by it: it has a credential, or takes that of the client.
    pub fn in_use(&self) -> bool {
        self.all_seats().next().is_some()
    }

    /// byok's own seats, and that of clients that bring a credential.
    pub(crate) fn all_seats(&self) -> impl Iterator<Item = &Arc<Seat>> {
        self.seats.iter().chain(&self.for_clients)
    }

    /// The seat of the client that brought `credential`, where the settings let it and this is not evidently the credential of
    /// another vendor. A server of the person's own may take that of anyone.
    pub(crate) fn seat_for(&self, credential: Option<&Secret>) -> Option<&Arc<Seat>> {
        let fits = |own: &Secret| self.dialect.is_some() || byok_auth::refuse_foreign(&self.id, own).is_ok();
        self.for_clients.as_ref().filter(|_| credential.is_some_and(fits))
    }

    /// The dialect that its vendor prefers; its errors are written in it.
    pub fn own_dialect(&self) -> Dialect {
        let vendors_first = || {
            let list = Catalog::builtin().list(self.list)?;
            let model = list.models.first()?;
            Catalog::builtin().facts_in(list, &model.id).endpoints.first().copied()
        };
        self.dialect.or_else(vendors_first).unwrap_or(Dialect::Chat)
    }

    /// What its vendor's list says of a model. Such lists have a model once, by its full name.
    fn told_of(&self, name: &str) -> Option<Discovered> {
        let full = || {
            let list = Catalog::builtin().list(self.list).filter(|_| self.dialect.is_none())?;
            Some(list.model(name)?.id.as_str()).filter(|full| *full != name)
        };
        let told = |name: &str| self.seats.iter().find_map(|seat| seat.known.model(name));
        told(name).or_else(|| told(full()?))
    }

    /// Its service's own name of a model that nobody lists for it by this one.
    fn own_name(&self, name: &str) -> Option<String> {
        self.upstream.own_name(name).filter(|_| !self.lists(name))
    }

    /// Whether byok or the vendor lists a model for it.
    fn lists(&self, name: &str) -> bool {
        let known = Catalog::builtin().list(self.list).filter(|_| self.dialect.is_none());
        known.is_some_and(|list| list.model(name).is_some())
            || self.seats.iter().any(|seat| seat.known.model(name).is_some())
    }

    /// Whether its service can have the model: not if its list is complete and lacks it, nor if only the complete list of
    /// another face has it.
    fn has(&self, name: &str, faces: &[Arc<Self>]) -> bool {
        let id = self.listed(name).map_or(name, |model| model.id.as_str());
        let complete = |face: &Self| {
            face.dialect.is_none() && Catalog::builtin().list(face.list).is_some_and(|list| list.complete)
        };
        let of_another = || faces.iter().any(|other| complete(other) && other.lists(id));
        self.lists(id) || !(complete(self) || of_another())
    }

    /// Whether the config excludes the model, by the name that is asked for or by its id here.
    fn excludes(&self, name: &str) -> bool {
        let id = self.listed(name).map_or(name, |model| model.id.as_str());
        self.exclude.iter().any(|pattern| pattern.matches(name) || pattern.matches(id))
    }

    /// The model of the config that `name` means here.
    fn listed(&self, name: &str) -> Option<&ListedModel> {
        self.models.iter().find(|model| model.id == name || model.aliases.iter().any(|alias| alias == name))
    }
}

#[cfg(test)]
mod tests;
