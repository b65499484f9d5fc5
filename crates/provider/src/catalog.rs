//! What byok knows about models, from the data files in `data/`.
//!
//! A new name of a known family gets the defaults of its family, so that a model works on the day it appears.

use byok_types::{Dialect, ModelFacts, ThinkingFacts};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::LazyLock};

/// Known models of one vendor, or of a service that offers models of several.
#[derive(Debug)]
pub struct Vendor {
    /// Name of the list: that of the provider, unless it has several.
    pub list: String,
    /// The built-in provider whose own models these are.
    pub provider: String,
    /// Who offers them, as lists of models say it.
    pub owner: String,
    /// Address of a vendor that speaks like `OpenAI` and needs nothing else to be served.
    pub base: Option<String>,
    /// Patterns of the vendor's names (`claude-*`). A service that offers the models of others has none: what it calls them
    /// is a matter between it and byok, and a bare name never means it, unless nobody else has that name.
    names: Vec<String>,
    /// Whether it has the models of the list and no other.
    pub complete: bool,
    /// Facts of a model that is not listed, as JSON.
    defaults: Map<String, Value>,
    /// Known models in the order of the data file.
    pub models: Vec<KnownModel>,
}

impl Vendor {
    /// Whether it is a service that offers models of others.
    pub fn is_guest(&self) -> bool {
        self.names.is_empty()
    }

    /// A model by its id or another name.
    pub fn model(&self, name: &str) -> Option<&KnownModel> {
        self.models.iter().find(|model| model.id == name || model.aliases.iter().any(|alias| alias == name))
    }
}

/// A model of the data files.
#[derive(Debug)]
pub struct KnownModel {
    /// The vendor's id.
    pub id: String,
    /// Other names that the vendor takes.
    pub aliases: Vec<String>,
    /// Facts that differ from the defaults of the vendor, as JSON.
    facts: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    list: Option<String>,
    provider: String,
    owner: String,
    #[serde(default)]
    base: Option<String>,
    names: Vec<String>,
    /// Names that nobody else has, of a service that offers the models of others: they mean it without its name before them.
    #[serde(default)]
    own: Vec<String>,
    #[serde(default)]
    complete: bool,
    defaults: Map<String, Value>,
    models: Vec<FileModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileModel {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    facts: Map<String, Value>,
}

/// All data files. A test reads each of them; one that cannot be read would be left out here.
const FILES: &[&str] = &[
    include_str!("../data/claude.json"),
    include_str!("../data/openai.json"),
    include_str!("../data/gemini.json"),
    include_str!("../data/antigravity.json"),
    include_str!("../data/vertex.json"),
    include_str!("../data/copilot.json"),
    include_str!("../data/kimi.json"),
    include_str!("../data/codex-plan.json"),
    include_str!("../data/xai.json"),
    include_str!("../data/qwen.json"),
    include_str!("../data/qwen-login.json"),
    include_str!("../data/iflow.json"),
    include_str!("../data/deepseek.json"),
    #[cfg(test)]
    include_str!("../data/tests/example.json"),
    include_str!("../data/kiro.json"),
];

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::of(FILES));

/// The models of all vendors.
#[derive(Debug)]
pub struct Catalog {
    vendors: Vec<Vendor>,
    /// Every id and alias: vendor and place in its list.
    index: HashMap<String, (usize, usize)>,
}

impl Catalog {
    /// The catalog that is built into byok.
    pub fn builtin() -> &'static Self {
        &CATALOG
    }

    fn of(files: &[&str]) -> Self {
        let mut catalog = Self { vendors: Vec::new(), index: HashMap::new() };
        for file in files.iter().filter_map(|text| serde_json::from_str::<File>(text).ok()) {
            let vendor = catalog.vendors.len();
            for (place, model) in file.models.iter().enumerate() {
                let own = |name: &&String| {
                    file.own.contains(name) || file.names.iter().any(|pattern| matches(pattern, name))
                };
                for name in std::iter::once(&model.id).chain(&model.aliases).filter(own) {
                    catalog.index.insert(name.clone(), (vendor, place));
                }
            }
            let models =
                file.models.into_iter().map(|m| KnownModel { id: m.id, aliases: m.aliases, facts: m.facts });
            catalog.vendors.push(Vendor {
                list: file.list.unwrap_or_else(|| file.provider.clone()),
                provider: file.provider,
                owner: file.owner,
                base: file.base,
                names: file.names,
                complete: file.complete,
                defaults: file.defaults,
                models: models.collect(),
            });
        }
        catalog
    }

    /// The vendor whose own model `name` is, by its list or by the form of the name.
    pub fn vendor_of(&self, name: &str) -> Option<&Vendor> {
        match self.index.get(name) {
            Some((vendor, _)) => self.vendors.get(*vendor),
            None => self.vendors.iter().find(|v| v.names.iter().any(|pattern| matches(pattern, name))),
        }
    }

    /// Whether a name is an id or an alias in a list.
    pub fn knows(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// The id of a model in the list of its vendor, for a name that is an id or an alias there.
    pub fn full_name(&self, name: &str) -> Option<&str> {
        let (vendor, place) = self.index.get(name)?;
        Some(&self.vendors.get(*vendor)?.models.get(*place)?.id)
    }

    /// The vendors that need nothing but their address to be served, with it.
    pub fn compatible(&self) -> impl Iterator<Item = (&Vendor, &str)> {
        self.vendors.iter().filter_map(|vendor| Some((vendor, vendor.base.as_deref()?)))
    }

    /// The models of a built-in provider.
    pub fn of_provider(&self, provider: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|v| v.provider == provider)
    }

    /// The list of this name.
    pub fn list(&self, name: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|v| v.list == name)
    }

    /// Facts of a model in a list. The abilities of a model that the list takes from another vendor are those that it has there.
    pub fn facts_in(&self, list: &Vendor, name: &str) -> ModelFacts {
        let known = list.model(name);
        let id = known.map_or(name, |model| if list.is_guest() { &model.id } else { name });
        if !list.is_guest() && self.vendor_of(name).is_some_and(|vendor| vendor.list == list.list) {
            return self.facts(name);
        }
        let mut all = Map::new();
        let plain = id.rsplit('/').next().unwrap_or(id).replace('.', "-");
        if let Some(native) = [id, plain.as_str()].iter().find(|name| self.index.contains_key(**name)) {
            let elsewhere = self.facts_elsewhere(native, Dialect::Chat);
            if let Ok(Value::Object(facts)) = serde_json::to_value(elsewhere) {
                all = facts;
            }
        }
        nothing_known(&mut all);
        merge(&mut all, &list.defaults);
        if let Some(known) = known {
            merge(&mut all, &known.facts);
        }
        all.insert("id".to_owned(), Value::from(id));
        serde_json::from_value(Value::Object(all))
            .unwrap_or_else(|_| ModelFacts { id: id.to_owned(), ..ModelFacts::default() })
    }

    /// Facts of a model at its own vendor. Its id stays the name that was asked for: vendors take their aliases themselves.
    pub fn facts(&self, name: &str) -> ModelFacts {
        let mut all = Map::new();
        nothing_known(&mut all);
        if let Some(vendor) = self.vendor_of(name) {
            all.clear();
            merge(&mut all, &vendor.defaults);
            if let Some((_, place)) = self.index.get(name) {
                merge(&mut all, &vendor.models[*place].facts);
            }
        }
        all.insert("id".to_owned(), Value::from(name));
        serde_json::from_value(Value::Object(all))
            .unwrap_or_else(|_| ModelFacts { id: name.to_owned(), ..ModelFacts::default() })
    }

    /// Facts of a model at another provider (a gateway, a local server): what the vendor says about its size and abilities,
    /// but none of what only holds at the vendor itself.
    pub fn facts_elsewhere(&self, name: &str, endpoint: Dialect) -> ModelFacts {
        let short = name.rsplit('/').next().unwrap_or(name);
        let known = self.vendor_of(short).map(|_| self.facts(short));
        let thinking = ThinkingFacts::unknown();
        let blank =
            ModelFacts { id: name.to_owned(), endpoints: vec![endpoint], thinking, ..ModelFacts::default() };
        match known {
            Some(known) => ModelFacts {
                display_name: known.display_name,
                context_tokens: known.context_tokens,
                max_output_tokens: known.max_output_tokens,
                thinking: known.thinking,
                temperature: known.temperature,
                top_p: known.top_p,
                top_k: known.top_k,
                input: byok_types::InputKinds { url: true, ..known.input },
                call_signatures: known.call_signatures && endpoint == Dialect::Gemini,
                result_media: known.result_media,
                ..blank
            },
            None => blank,
        }
    }

    /// Names like `name`, best first: what an error suggests.
    pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let wanted = name.to_ascii_lowercase();
        let mut scored: Vec<_> = known.map(|k| (distance(&wanted, &k.to_ascii_lowercase()), k)).collect();
        scored.sort_unstable();
        scored.dedup();
        scored.into_iter().take(3).map(|(_, k)| k).collect()
    }
}

/// What holds for a model until something is said of its thinking.
fn nothing_known(facts: &mut Map<String, Value>) {
    facts.entry("thinking").or_insert_with(|| serde_json::json!({ "unknown": true }));
}

/// Facts with what a service itself has told of the model on top: only what it states changes, also inside of a fact.
pub(crate) fn with_told(facts: ModelFacts, told: &Map<String, Value>) -> ModelFacts {
    if told.is_empty() {
        return facts;
    }
    let Ok(Value::Object(mut all)) = serde_json::to_value(&facts) else { return facts };
    if told.contains_key("thinking")
        && let Some(Value::Object(thinking)) = all.get_mut("thinking")
    {
        thinking.insert("unknown".to_owned(), Value::from(false));
    }
    for (name, stated) in told {
        match (all.get_mut(name), stated) {
            (Some(Value::Object(fact)), Value::Object(stated)) => merge(fact, stated),
            _ => drop(all.insert(name.clone(), stated.clone())),
        }
    }
    serde_json::from_value(Value::Object(all)).unwrap_or(facts)
}

/// Puts every entry of `over` into `base`; a value replaces a value, nothing is merged inside.
fn merge(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        base.insert(key.clone(), value.clone());
    }
}

/// Whether a pattern with at most one `*` at its end matches.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// Number of single-character changes between two names; long names are cut, since only likeness matters.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, y) in b.chars().take(64).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, x) in a.iter().enumerate() {
            let keep = corner + usize::from(*x != y);
            corner = row[j + 1];
            row[j + 1] = keep.min(corner + 1).min(row[j] + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests;
