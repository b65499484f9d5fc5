//! What can be asked for.

use super::{Provider, Registry};
use crate::{catalog::Catalog, knowledge::Discovered, pool::Seat};
use byok_auth::claims;
use byok_translate::ModelEntry;
use byok_types::{CredentialKind, ModelFacts};
use indexmap::IndexMap;

/// A name that can be asked for.
struct Offered<'p> {
    name: String,
    /// The id at the provider.
    id: &'p str,
    /// When the vendor says that it was published, Unix seconds.
    created: Option<i64>,
}

impl Registry {
    /// What can be asked for: only models that the configured accounts can serve.
    pub fn list(&self) -> Vec<ModelEntry> {
        let mut entries: IndexMap<String, ModelEntry> = IndexMap::new();
        for provider in self.providers().filter(|provider| provider.in_use()) {
            self.list_names(provider, &mut entries);
        }
        for alias in self.aliases.keys() {
            // An alias of which nothing is left is not listed; a refusal would name its neighbours by way of this list.
            if let Some(first) = self.candidates(alias).0.into_iter().next() {
                let entry = ModelEntry {
                    id: alias.clone(),
                    created: None,
                    owner: Some(first.provider.id.to_string()),
                    facts: ModelFacts::clone(&first.facts),
                };
                entries.insert(alias.clone(), entry);
            }
        }
        entries.into_values().collect()
    }

    /// What can be asked for of one provider, also by a name that means another one where it stands alone.
    pub fn list_of(&self, provider: &str) -> Vec<ModelEntry> {
        let mut entries = IndexMap::new();
        for face in self.faces(provider).iter().filter(|face| face.in_use()) {
            self.list_names(face, &mut entries);
        }
        entries.into_values().collect()
    }

    /// Adds what a provider serves under names that nobody before it has.
    fn list_names(&self, provider: &Provider, entries: &mut IndexMap<String, ModelEntry>) {
        let hidden = |name: &str| self.aliases.values().flatten().any(|t| !t.fork && t.model == name);
        let told = provider.told();
        for Offered { name, id, created } in provider.known(&told).chain(provider.named()) {
            let served = provider.all_seats().any(|seat| seat.serves(id) && provider.may_speak_for(seat));
            if !served
                || provider.excludes(&name)
                || provider.excludes(id)
                || hidden(&name)
                || entries.contains_key(&name)
            {
                continue;
            }
            let facts = ModelFacts::clone(&self.facts(provider, id));
            let owner = Some(provider.owner().to_owned());
            entries.insert(name.clone(), ModelEntry { id: name, created, owner, facts });
        }
    }
}

impl Provider {
    /// The models that its vendor has listed for any of its credentials.
    fn told(&self) -> IndexMap<String, Discovered> {
        let mut all = IndexMap::new();
        // An old name means another model of the list.
        let named = |model: &Discovered| !model.facts.contains_key("id");
        for model in self.seats.iter().flat_map(|seat| seat.known.models()).filter(named) {
            all.entry(model.id.clone()).or_insert(model);
        }
        all
    }

    /// Whether an account can serve anybody at all: where only byok can make the vendor's claims, nobody before its owner has
    /// consented to them.
    fn may_speak_for(&self, seat: &Seat) -> bool {
        let name = self.id.as_str();
        let lacks = |claim: &claims::Claim| seat.claims.iter().all(|agreed| agreed != claim.name);
        claims::callers_make_them(name) || !claims::claims_of(name, CredentialKind::Oauth).any(lacks)
    }

    /// Who offers its models, as lists say it.
    fn owner(&self) -> &str {
        let vendor = Catalog::builtin().list(self.list).filter(|_| self.dialect.is_none());
        vendor.map_or(self.id.as_str(), |vendor| vendor.owner.as_str())
    }

    /// The models that its vendor has told of, else those that byok knows.
    fn known<'p>(&'p self, told: &'p IndexMap<String, Discovered>) -> impl Iterator<Item = Offered<'p>> {
        let vendor = Catalog::builtin().list(self.list).filter(|_| self.dialect.is_none() && told.is_empty());
        let by_byok =
            vendor.into_iter().flat_map(|vendor| &vendor.models).map(|model| (model.id.as_str(), None));
        let by_vendor = told.values().map(|model| (model.id.as_str(), model.created));
        // What the settings name of a provider that is not built in has the names that stand there.
        let free = move |id: &str| self.dialect.is_none() || self.listed(id).is_none();
        by_byok.chain(by_vendor).filter(move |(id, _)| free(id)).map(move |(id, created)| Offered {
            name: self.name_of(id),
            id,
            created,
        })
    }

    /// The name by which a known model is asked for. A bare name means the vendor whose own model it is; the models of a service
    /// that offers those of others, and those that a vendor lists beside its own, are asked for by the provider's name.
    fn name_of(&self, id: &str) -> String {
        let vendor = Catalog::builtin().vendor_of(id).map(|vendor| vendor.provider.as_str());
        if vendor == Some(self.id.as_str()) { id.to_owned() } else { format!("{}/{id}", self.id) }
    }

    /// The models that the settings name.
    fn named(&self) -> impl Iterator<Item = Offered<'_>> {
        self.models.iter().flat_map(|model| {
            let own = Some(&model.id).filter(|_| model.aliases.is_empty());
            own.into_iter().chain(&model.aliases).map(|name| Offered {
                name: name.clone(),
                id: &model.id,
                created: None,
            })
        })
    }
}
