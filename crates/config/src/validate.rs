//! Rules that hold between settings, checked after all layers are known, and rules of a layer as a whole.

mod idle;

use crate::{
    Config,
    error::Problem,
    paths,
    settings::{BUILT_IN, LOGINS_APART, Provider, UrlName},
    tree::{
        Entry, Node,
        decode::{decode, nearest},
        path::KeyPath,
    },
    value::secret,
    vendor_keys::{foreign_key, vendor_stands_at},
};
use byok_types::{ModelFacts, ProviderId, SecretHash};
use std::collections::HashSet;

/// Checks the merged configuration: what is wrong, and what deserves a warning.
pub(crate) fn whole(config: &Config, root: &Node) -> (Vec<Problem>, Vec<String>) {
    let mut check = Check { root, problems: Vec::new(), warnings: Vec::new() };
    let top = KeyPath::default();
    for (id, provider) in &config.providers {
        check.provider(id, provider, &top.key("providers").key(id.as_str()));
    }
    for (name, targets) in &config.aliases {
        let path = top.key("aliases").key(name);
        if targets.is_empty() {
            check.problem(&path, "the list of targets is empty", "name a model, or remove the alias");
        }
        if let Some(at) = targets.iter().position(|target| target.model == *name) {
            check.problem(
                &path.item(at),
                "the alias points to itself",
                "write `provider/model`, or another model",
            );
        }
        for target in targets.iter().filter(|target| target.model != *name) {
            if config.aliases.contains_key(&target.model) {
                check.warnings.push(format!(
                    "`{path}`: the target `{0}` is an alias, too, and an alias does not lead on to another: the model `{0}` is asked for. Write the model that is meant",
                    target.model
                ));
            }
        }
    }
    let mut seen = HashSet::new();
    let mut labels = HashSet::new();
    for (at, key) in config.api_keys.iter().enumerate() {
        let path = top.key("api_keys").item(at);
        if !seen.insert(key.key.hash()) {
            check.problem(&path, "the same key stands in the list twice", "remove one of the two");
        }
        if key.label.as_ref().is_some_and(|label| !labels.insert(label)) {
            check.problem(&path, "another key has the same label", "give each key its own");
        }
    }
    for (at, file) in config.ca_files.iter().enumerate() {
        if let Err(error) = std::fs::File::open(file) {
            let what = format!("the file cannot be read: {}", paths::why(&error));
            check.problem(&top.key("ca_files").item(at), &what, "check the path and its permissions");
        }
    }
    if config.cors_origins.iter().any(|origin| origin.as_str() == "null") {
        check.warnings.push(
            "`cors_origins` lists `null`: pages opened from files and in sandboxed frames may call byok"
                .to_owned(),
        );
    }
    check.warnings.extend(idle::warnings(root));
    (check.problems, check.warnings)
}

struct Check<'a> {
    root: &'a Node,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Check<'_> {
    fn problem(&mut self, path: &KeyPath, what: &str, hint: &str) {
        let node = self.root.nearest(path);
        self.problems.push(Problem::new(&node.spot, &node.path, what, hint));
    }

    fn provider(&mut self, id: &ProviderId, provider: &Provider, path: &KeyPath) {
        let keys = &provider.api_keys;
        let located = !keys.is_empty() && keys.iter().all(|key| key.base_url.is_some());
        if BUILT_IN.contains(&id.as_str()) {
            if provider.kind.is_some() {
                let hint = "remove `kind`, or give your provider another name";
                self.problem(&path.key("kind"), "this provider is built in", hint);
            }
        } else {
            let kinds = "`openai`, `responses`, `anthropic` or `gemini`";
            let vendor = vendor_stands_at(id.as_str());
            // Nobody who writes `openai` has mistyped another name.
            let near = nearest(id.as_str(), BUILT_IN).filter(|_| vendor.is_none());
            let own = |what: &str| match &vendor {
                Some(vendor) => format!("{vendor}; for a provider of your own add {what}"),
                None => format!("add {what}"),
            };
            match (provider.kind, near) {
                (None, Some(near)) => {
                    let hint =
                        format!("did you mean `{near}`? For a provider of your own add `kind`: {kinds}");
                    self.problem(path, "no built-in provider has this name", &hint);
                }
                (None, None) => {
                    let hint = own(&format!("`kind`: {kinds}"));
                    self.problem(path, "a provider that is not built in needs a `kind`", &hint);
                }
                (Some(_), _) if provider.base_url.is_none() && !located => {
                    let hint = own("`base_url: https://…`");
                    self.problem(path, "a provider that is not built in needs a `base_url`", &hint);
                }
                (Some(_), _) => {}
            }
        }
        let mut seen: HashSet<SecretHash> = HashSet::new();
        for (at, key) in keys.iter().enumerate() {
            if !seen.insert(key.key.hash()) {
                let path = path.key("api_keys").item(at);
                self.problem(&path, "the same key stands in the list twice", "remove one of the two");
            }
            if key.key.expose().ends_with("...") {
                let warning =
                    format!("`{path}`: the API key {} looks like a placeholder", secret::shown(&key.key));
                self.warnings.push(warning);
            }
        }
        self.foreign_keys(id, provider, path);
        let urls = provider
            .urls
            .values()
            .chain(&provider.base_url)
            .chain(keys.iter().filter_map(|key| key.base_url.as_ref()));
        for url in urls.filter(|url| url.is_plain_remote()) {
            let what = if keys.is_empty() {
                "is not encrypted: prompts can be read on the way"
            } else {
                "is not encrypted, and byok sends no key that way: calls will fail. Use `https`, or leave the key out"
            };
            self.warnings.push(format!("`{path}`: {url} {what}"));
        }
    }
}

impl Check<'_> {
    /// Keys that evidently are another vendor's go to nobody. A server of the person's own has keys of its own.
    fn foreign_keys(&mut self, id: &ProviderId, provider: &Provider, path: &KeyPath) {
        let moved = provider.base_url.is_some()
            || (provider.urls.contains_key(&UrlName::Inference) && !LOGINS_APART.contains(&id.as_str()));
        if moved || !BUILT_IN.contains(&id.as_str()) {
            return;
        }
        for (at, key) in provider.api_keys.iter().enumerate().filter(|(_, key)| key.base_url.is_none()) {
            if let Some(form) = foreign_key(id.as_str(), &key.key) {
                let what = format!("it is {}, which is not sent to {id}", form.what);
                let hint = format!(
                    "{}; if a server of your own stands in the place of {id}, name it with `base_url`",
                    form.belongs_in_settings()
                );
                self.problem(&path.key("api_keys").item(at).key("key"), &what, &hint);
            }
        }
    }
}

/// Settings that the overlay must not hold, because they decide where credentials are sent.
pub(crate) fn overlay(root: &Node) -> Vec<Problem> {
    const OWN_FILE_ONLY: [&str; 4] = ["base_url", "urls", "proxy", "ca_files"];
    fn walk(node: &Node, problems: &mut Vec<Problem>) {
        for Entry { key, key_spot, node } in node.entries() {
            if OWN_FILE_ONLY.contains(&key.as_str()) {
                let hint = "write it into your own configuration file";
                problems.push(Problem::new(
                    key_spot,
                    &node.path,
                    "byok may not decide where keys are sent",
                    hint,
                ));
            }
            walk(node, problems);
        }
        node.items().iter().for_each(|item| walk(item, problems));
    }
    let mut problems = Vec::new();
    walk(root, &mut problems);
    problems
}

/// Checks the facts about models, which the types keep as they are written.
pub(crate) fn facts(root: &Node) -> Vec<Problem> {
    let general = root.get("models").map(Node::entries).unwrap_or_default().iter().map(|entry| &entry.node);
    let mut tables: Vec<&Node> = general.collect();
    for provider in root.get("providers").map(Node::entries).unwrap_or_default() {
        let keys = provider.node.get("api_keys").map(Node::items).unwrap_or_default();
        for holder in std::iter::once(&provider.node).chain(keys) {
            let models = holder.get("models").map(Node::items).unwrap_or_default();
            tables.extend(models.iter().filter_map(|model| model.get("facts")));
        }
    }
    let mut problems = Vec::new();
    for table in tables.into_iter().filter(|table| !table.entries().is_empty()) {
        if let Some(id) = table.entries().iter().find(|entry| entry.key == "id") {
            let hint = "remove it: the name is the key of this table";
            problems.push(Problem::new(&id.key_spot, &id.node.path, "unknown key", hint));
        }
        if let Err(found) = decode::<ModelFacts>(table) {
            problems.extend(found);
        }
    }
    problems
}
