//! A configuration layer as a tree in which every value knows where it was written.
//!
//! The tree is what all layers have in common before they become typed: it is read from YAML, from variables or
//! from flags, checked against the types layer by layer, merged, and decoded into the typed configuration.
//! It has no `Debug`: its texts may be secrets.

pub(crate) mod decode;
pub(crate) mod path;
mod positions;
pub(crate) mod substitute;
pub(crate) mod yaml;

use path::KeyPath;
use std::{fmt, path::Path, sync::Arc};

/// Which file a position belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextLayer {
    /// The person's own file.
    File,
    /// The file that byok writes.
    Overlay,
}

/// The place where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    Default,
    Flag(&'static str),
    Env(&'static str),
    Text { layer: TextLayer, file: Arc<Path>, line: u32, column: u32 },
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Flag(name) | Self::Env(name) => f.write_str(name),
            Self::Text { file, line: 0, .. } => write!(f, "{}", file.display()),
            Self::Text { file, line, column, .. } => write!(f, "{}:{line}:{column}", file.display()),
        }
    }
}

/// A value and where it was written.
#[derive(Clone)]
pub(crate) struct Node {
    /// The path as it was written, which short forms make differ from the place in the tree.
    pub(crate) path: KeyPath,
    pub(crate) spot: Spot,
    pub(crate) value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    /// `loose` text came from a variable or a flag, where everything is text: it may stand for a number or a truth value.
    Text {
        text: String,
        loose: bool,
    },
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_spot: Spot,
    pub(crate) node: Node,
}

impl Value {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text { .. } => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    pub(crate) fn empty_table(path: KeyPath, spot: Spot) -> Self {
        Self { path, spot, value: Value::Table(Vec::new()) }
    }

    pub(crate) fn entries_mut(&mut self) -> &mut [Entry] {
        match &mut self.value {
            Value::Table(entries) => entries,
            _ => &mut [],
        }
    }

    pub(crate) fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.value {
            Value::List(items) => items,
            _ => &mut [],
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.entries_mut().iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Follows the keys and indices of `path` through the tree, as far as it goes: the last node reached.
    pub(crate) fn nearest(&self, path: &KeyPath) -> &Self {
        let mut node = self;
        for step in path.steps() {
            let next = match step {
                path::Step::Key(key) => node.get(key),
                path::Step::Item(index) => node.items().get(*index),
            };
            let Some(next) = next else { break };
            node = next;
        }
        node
    }

    /// Puts `value` below this table in place of what stands there.
    pub(crate) fn insert(&mut self, key: &str, node: Self) {
        self.remove(key);
        if let Value::Table(entries) = &mut self.value {
            entries.push(Entry { key: key.to_owned(), key_spot: node.spot.clone(), node });
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Value::Table(entries) = &mut self.value {
            entries.retain(|entry| entry.key != key);
        }
    }

    /// Wraps this value in a table: `x` becomes `{ key: x }`.
    pub(crate) fn wrap(&mut self, key: &str) {
        let mut outer = Self::empty_table(self.path.clone(), self.spot.clone());
        std::mem::swap(self, &mut outer);
        self.insert(key, outer);
    }

    /// Wraps this value in a list: `x` becomes `[x]`.
    pub(crate) fn wrap_in_list(&mut self) {
        let mut outer =
            Self { path: self.path.clone(), spot: self.spot.clone(), value: Value::List(Vec::new()) };
        std::mem::swap(self, &mut outer);
        self.value = Value::List(vec![outer]);
    }

    /// Removes the outermost value below this one that was written at `path`; says whether there was one.
    pub(crate) fn prune(&mut self, path: &KeyPath) -> bool {
        match &mut self.value {
            Value::Table(entries) => {
                let before = entries.len();
                entries.retain(|entry| entry.node.path != *path);
                entries.len() < before || entries.iter_mut().any(|entry| entry.node.prune(path))
            }
            Value::List(items) => {
                let before = items.len();
                items.retain(|item| item.path != *path);
                items.len() < before || items.iter_mut().any(|item| item.prune(path))
            }
            _ => false,
        }
    }

    /// Lays this tree over `lower`: tables are joined key by key, everything else of `self` replaces what is below.
    pub(crate) fn over(self, lower: Self) -> Self {
        match (self.value, lower.value) {
            (Value::Table(mut upper), Value::Table(below)) => {
                for entry in below {
                    match upper.iter_mut().find(|mine| mine.key == entry.key) {
                        Some(mine) => {
                            let vacant = Self::empty_table(KeyPath::default(), Spot::Default);
                            let node = std::mem::replace(&mut mine.node, vacant);
                            mine.node = node.over(entry.node);
                        }
                        None => upper.push(entry),
                    }
                }
                Self { path: self.path, spot: self.spot, value: Value::Table(upper) }
            }
            (value, _) => Self { path: self.path, spot: self.spot, value },
        }
    }
}
