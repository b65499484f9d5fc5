//! Brings a layer into its one form, in which the types read it: short forms written out, secrets fetched from their
//! files, paths made absolute. Every value keeps the place and the path where the person wrote it.

use crate::{
    ConfigError,
    error::Problem,
    paths,
    tree::{Node, Value},
    value::secret::variable,
};
use std::path::{Path, PathBuf};

/// A file with more than this is not a secret.
const LONGEST_SECRET: usize = 64 << 10;

pub(super) struct Shape<'a> {
    home: Option<&'a Path>,
    /// The directory that relative paths start from; `None` for flags and variables, which mean the working directory.
    base: Option<&'a Path>,
    /// Whether keys may stand as they are written.
    without_keys: bool,
    pub(super) problems: Vec<Problem>,
    /// Files that secrets were read from, with what stood in them.
    pub(super) secret_files: Vec<(PathBuf, Vec<u8>)>,
    /// Whether a secret is written out in the layer itself.
    pub(super) inline_secrets: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn new(home: Option<&'a Path>, base: Option<&'a Path>, without_keys: bool) -> Self {
        let (problems, secret_files) = (Vec::new(), Vec::new());
        Self { home, base, without_keys, problems, secret_files, inline_secrets: false }
    }

    /// Normalises the whole layer. A short form is: `log: debug`, `api_key: x`, a bare key, model or alias target.
    pub(super) fn normalise(&mut self, root: &mut Node) -> Result<(), ConfigError> {
        for table in ["providers", "aliases", "models"] {
            if let Some(table) = root.get_mut(table) {
                name_only(table);
            }
        }
        drop_nothings(root);
        if let Some(log) = root.get_mut("log")
            && matches!(log.value, Value::Text { .. })
        {
            log.wrap("level");
        }
        if let Some(database) = root.get_mut("database") {
            self.path(database)?;
        }
        for file in root.get_mut("ca_files").map(Node::items_mut).unwrap_or_default() {
            self.path(file)?;
        }
        if let Some(secret) = root.get_mut("admin_secret") {
            self.secret(secret)?;
        }
        if let Some(key) = root.get_mut("amp").and_then(|amp| amp.get_mut("api_key")) {
            self.secret(key)?;
        }
        self.keys(root)?;
        for entry in root.get_mut("providers").map(Node::entries_mut).unwrap_or_default() {
            self.provider(&mut entry.node)?;
        }
        for entry in root.get_mut("aliases").map(Node::entries_mut).unwrap_or_default() {
            if !matches!(entry.node.value, Value::List(_)) {
                entry.node.wrap_in_list();
            }
            entry.node.items_mut().iter_mut().for_each(|target| wrap_text(target, "model"));
        }
        for entry in root.get_mut("models").map(Node::entries_mut).unwrap_or_default() {
            settle(&mut entry.node);
        }
        Ok(())
    }

    fn provider(&mut self, provider: &mut Node) -> Result<(), ConfigError> {
        if provider.get("api_key").is_some()
            && let Some(list) = provider.get("api_keys")
        {
            self.problems.push(Problem::new(
                &list.spot,
                &list.path,
                "there is an `api_key` as well",
                "move it into the list of `api_keys`",
            ));
            provider.remove("api_key");
        }
        if let Some(entry) = provider.entries_mut().iter_mut().find(|entry| entry.key == "api_key") {
            "api_keys".clone_into(&mut entry.key);
            entry.node.wrap("key");
            entry.node.wrap_in_list();
        }
        self.keys(provider)?;
        self.headers(provider)?;
        models(provider);
        for key in provider.get_mut("api_keys").map(Node::items_mut).unwrap_or_default() {
            self.headers(key)?;
            models(key);
        }
        Ok(())
    }

    /// The list `api_keys` of a table: a bare key, also one from a file, becomes a table.
    fn keys(&mut self, table: &mut Node) -> Result<(), ConfigError> {
        for item in table.get_mut("api_keys").map(Node::items_mut).unwrap_or_default() {
            if item.get("file").is_some() || !matches!(item.value, Value::Table(_)) {
                item.wrap("key");
            }
            if let Some(key) = item.get_mut("key") {
                self.secret(key)?;
                if let Value::Text { text, .. } = &key.value
                    && variable(text).is_some()
                    && !self.without_keys
                {
                    self.problems.push(Problem::new(
                        &key.spot,
                        &key.path,
                        "this is the name of a variable and not a key",
                        "write `${NAME}`, with one `$`, into the configuration file itself",
                    ));
                }
            }
        }
        Ok(())
    }

    fn headers(&mut self, table: &mut Node) -> Result<(), ConfigError> {
        for entry in table.get_mut("headers").map(Node::entries_mut).unwrap_or_default() {
            entry.key.make_ascii_lowercase();
            self.secret(&mut entry.node)?;
        }
        Ok(())
    }

    /// `{ file: PATH }` becomes what stands in the file, without the line break at its end.
    fn secret(&mut self, node: &mut Node) -> Result<(), ConfigError> {
        if let Value::Text { text, loose } = &node.value {
            self.inline_secrets |= !loose && !text.is_empty();
            return Ok(());
        }
        if !matches!(node.value, Value::Table(_)) {
            return Ok(());
        }
        let file = match node.entries() {
            [only] if only.key == "file" => &only.node,
            _ => {
                self.problems.push(Problem::new(
                    &node.spot,
                    &node.path,
                    "expected a secret: text, or a table with the one key `file`",
                    "write `{ file: PATH }`",
                ));
                node.value = Value::Null;
                return Ok(());
            }
        };
        let Value::Text { text, .. } = &file.value else {
            let what = format!("expected a path, found {}", file.value.kind());
            self.problems.push(Problem::new(&node.spot, &node.path, what, "write `{ file: PATH }`"));
            node.value = Value::Null;
            return Ok(());
        };
        let path = paths::resolve(text, self.home, self.base)?;
        let read = std::fs::read(&path).map_err(|error| paths::why(&error)).and_then(|bytes| {
            let text = String::from_utf8(bytes.clone()).ok().filter(|text| text.len() <= LONGEST_SECRET);
            text.map(|text| (bytes, text)).ok_or_else(|| "it does not hold a key".to_owned())
        });
        match read {
            Ok((bytes, text)) => {
                node.value =
                    Value::Text { text: text.trim_end_matches(['\r', '\n']).to_owned(), loose: false };
                self.secret_files.push((path, bytes));
            }
            Err(reason) => {
                let what = format!("the file cannot be read: {reason}");
                let hint = format!("check {}", path.display());
                self.problems.push(Problem::new(&node.spot, &node.path, what, hint));
                self.secret_files.push((path, Vec::new()));
                node.value = Value::Null;
            }
        }
        Ok(())
    }

    fn path(&self, node: &mut Node) -> Result<(), ConfigError> {
        if let Value::Text { text, .. } = &mut node.value {
            *text = paths::resolve(text, self.home, self.base)?.to_string_lossy().into_owned();
        }
        Ok(())
    }
}

/// A name with nothing behind it (`claude:`) is named and has no settings.
fn name_only(table: &mut Node) {
    for entry in table.entries_mut() {
        if matches!(entry.node.value, Value::Null) {
            entry.node.value = Value::Table(Vec::new());
        }
    }
}

/// A key with nothing behind it is not set.
fn drop_nothings(node: &mut Node) {
    if let Value::Table(entries) = &mut node.value {
        entries.retain(|entry| !matches!(entry.node.value, Value::Null));
    }
    node.entries_mut().iter_mut().for_each(|entry| drop_nothings(&mut entry.node));
    node.items_mut().iter_mut().for_each(drop_nothings);
}

fn wrap_text(node: &mut Node, key: &str) {
    if !matches!(node.value, Value::Table(_)) {
        node.wrap(key);
    }
}

/// The list `models` of a provider or key: a bare id becomes a table; what is not about its name becomes `facts`.
fn models(table: &mut Node) {
    for model in table.get_mut("models").map(Node::items_mut).unwrap_or_default() {
        wrap_text(model, "id");
        let mut facts = Node::empty_table(model.path.clone(), model.spot.clone());
        if let (Value::Table(all), Value::Table(taken)) = (&mut model.value, &mut facts.value) {
            let own = |key: &str| key == "id" || key == "aliases";
            let (keep, rest) = std::mem::take(all).into_iter().partition(|entry| own(&entry.key));
            *all = keep;
            *taken = rest;
        }
        if !facts.entries().is_empty() {
            settle(&mut facts);
            model.insert("facts", facts);
        }
    }
}

/// Facts are kept as written; what came from a variable as text takes the kind that it looks like.
fn settle(node: &mut Node) {
    if let Value::Text { text, loose: true } = &node.value {
        let number = text.trim().parse().map(Value::Integer).ok();
        let truth = text.parse().map(Value::Bool).ok();
        if let Some(value) = number.or(truth) {
            node.value = value;
        }
    }
    node.entries_mut().iter_mut().for_each(|entry| settle(&mut entry.node));
    node.items_mut().iter_mut().for_each(settle);
}
