use crate::tree::{Node, Spot, TextLayer, path::KeyPath};
use serde::Serialize;
use std::{collections::HashMap, fmt, path::PathBuf};

/// The layer that a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A flag on the command line.
    Flag,
    /// An environment variable.
    Env(String),
    /// The person's own file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
    },
    /// The file that byok writes.
    Overlay,
    /// Nothing is written; what byok does by itself.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Env(name) => f.write_str(name),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Overlay => f.write_str("overlay"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl From<&Spot> for Origin {
    fn from(spot: &Spot) -> Self {
        match spot {
            Spot::Default => Self::Default,
            Spot::Flag(_) => Self::Flag,
            Spot::Env(name) => Self::Env((*name).to_owned()),
            Spot::Text { layer: TextLayer::Overlay, .. } => Self::Overlay,
            Spot::Text { layer: TextLayer::File, file, line, column } => {
                Self::File { path: file.to_path_buf(), line: *line, column: *column }
            }
        }
    }
}

/// Which layer each setting comes from.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// By path; the truth value says whether it is a table, whose missing keys are defaults.
    known: HashMap<KeyPath, (Origin, bool)>,
}

impl Origins {
    pub(crate) fn of_tree(root: &Node) -> Self {
        let mut origins = Self::default();
        origins.add(root, &KeyPath::default());
        origins
    }

    fn add(&mut self, node: &Node, path: &KeyPath) {
        let table = matches!(node.value, crate::tree::Value::Table(_));
        let origin = (Origin::from(&node.spot), table);
        // Under the path as it was written, too: `api_key` beside `api_keys[0].key`.
        self.known.entry(node.path.clone()).or_insert_with(|| origin.clone());
        self.known.insert(path.clone(), origin);
        node.entries().iter().for_each(|entry| self.add(&entry.node, &path.key(&entry.key)));
        node.items().iter().enumerate().for_each(|(at, item)| self.add(item, &path.item(at)));
    }

    /// Where the setting at `path` (`providers.claude.enabled`, `aliases."gpt-4.1"`) comes from. What stands inside a
    /// list comes from where the list comes from; anything not written is a default.
    pub fn of(&self, path: &str) -> Origin {
        path.parse().map_or(Origin::Default, |path| self.at(&path))
    }

    pub(crate) fn at(&self, path: &KeyPath) -> Origin {
        if let Some((origin, _)) = self.known.get(path) {
            return origin.clone();
        }
        let mut above = path.parent();
        while let Some(path) = above {
            match self.known.get(&path) {
                Some((_, true)) => break,
                Some((origin, false)) => return origin.clone(),
                None => above = path.parent(),
            }
        }
        Origin::Default
    }
}
