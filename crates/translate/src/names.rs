//! Names of tools on both sides.
//!
//! Dialects allow different characters and lengths, and only Responses has namespaces. A name that the upstream would refuse
//! is replaced by one that it takes, the same way every time, and every name in an answer is turned back by the same table.

use crate::{
    content_id,
    ir::{Flavour, NamedTool, Part, Request, Tool},
};
use byok_types::{Dialect, ModelFacts};
use std::{borrow::Cow, collections::HashMap};

/// What names an upstream takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRules {
    /// Longest name in bytes.
    pub max: usize,
    /// Whether `.` and `:` are allowed.
    pub dots: bool,
    /// Whether a digit or `-` may come first.
    pub any_first: bool,
    /// Whether namespaces exist; otherwise they are flattened to `namespace__name`.
    pub namespaces: bool,
}

impl NameRules {
    /// The rules of a dialect for a model.
    pub fn of(dialect: Dialect, facts: &ModelFacts) -> Self {
        match dialect {
            Dialect::Chat => Self { max: 64, dots: false, any_first: true, namespaces: false },
            Dialect::Responses => {
                Self { max: 64, dots: false, any_first: true, namespaces: facts.first_party }
            }
            Dialect::Messages => Self {
                max: if facts.first_party { 128 } else { 64 },
                dots: false,
                any_first: true,
                namespaces: false,
            },
            Dialect::Gemini => Self { max: 64, dots: true, any_first: false, namespaces: false },
        }
    }

    fn allows(self, name: &str) -> bool {
        let inner = |c: char| {
            c.is_ascii_alphanumeric() || c == '_' || c == '-' || (self.dots && (c == '.' || c == ':'))
        };
        let first = |c: char| self.any_first || c.is_ascii_alphabetic() || c == '_';
        !name.is_empty()
            && name.len() <= self.max
            && name.chars().all(inner)
            && name.chars().next().is_some_and(first)
    }

    /// A legal name made of an illegal one; a hash of the original keeps two of them apart.
    fn legal(self, name: &str) -> String {
        let keep = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let mut clean: String = name.chars().map(|c| if keep(c) { c } else { '_' }).collect();
        if !self.any_first && !clean.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            clean.insert(0, '_');
        }
        clean.truncate(self.max.saturating_sub(9));
        format!("{clean}_{}", &content_id("", &[name])[..8])
    }
}

/// The table of names of one request: what the client calls a tool and what the upstream calls it.
#[derive(Clone, Debug, Default)]
pub struct Names {
    entries: Vec<(NamedTool, String)>,
    /// By namespace and name.
    by_client: HashMap<Option<String>, HashMap<String, usize>>,
    by_upstream: HashMap<String, usize>,
}

impl Names {
    /// The table for all tools that `request` declares or mentions in its history.
    pub fn of(request: &Request, rules: NameRules) -> Self {
        let mut names = Self::default();
        for tool in &request.tools {
            names.declare(tool, None, rules);
        }
        for part in request.messages.iter().flat_map(|m| &m.parts) {
            match part {
                Part::ToolCall(call) => names.add(call.flavour, &call.name, call.namespace.as_deref(), rules),
                Part::ConfigChange(change) => {
                    change.tools_added.iter().for_each(|t| names.declare(t, None, rules));
                }
                _ => {}
            }
        }
        names
    }

    /// What the upstream calls a tool of the client.
    pub fn upstream<'n>(&'n self, name: &'n str, namespace: Option<&str>) -> Cow<'n, str> {
        Cow::Borrowed(self.place(name, namespace).map_or(name, |index| &self.entries[index].1))
    }

    /// What the client calls a tool of the upstream. `None` for a name that no tool has.
    pub fn client(&self, upstream: &str) -> Option<&NamedTool> {
        self.by_upstream.get(upstream).map(|&index| &self.entries[index].0)
    }

    /// Whether no tool was declared or mentioned.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn declare(&mut self, tool: &Tool, namespace: Option<&str>, rules: NameRules) {
        match tool {
            Tool::Function(tool) => self.add(Flavour::Function, &tool.name, namespace, rules),
            Tool::Custom(tool) => self.add(Flavour::Custom, &tool.name, namespace, rules),
            Tool::Namespace { name, tools, .. } => {
                for tool in tools {
                    self.declare(tool, Some(name), rules);
                }
            }
            Tool::Typed(tool) => self.add(tool.flavour, &tool.name, namespace, rules),
            Tool::Hosted(_) => {}
        }
    }

    fn place(&self, name: &str, namespace: Option<&str>) -> Option<usize> {
        self.by_client.get(&namespace.map(str::to_owned))?.get(name).copied()
    }

    fn add(&mut self, flavour: Flavour, name: &str, namespace: Option<&str>, rules: NameRules) {
        if self.place(name, namespace).is_some() {
            return;
        }
        let wanted = match namespace {
            Some(space) if !rules.namespaces => format!("{space}__{name}"),
            _ => name.to_owned(),
        };
        let mut upstream = if rules.allows(&wanted) { wanted.clone() } else { rules.legal(&wanted) };
        // Within kept namespaces two tools may share a name: there the namespace tells them apart, not this table.
        if !rules.namespaces && self.by_upstream.contains_key(&upstream) {
            upstream = rules.legal(&format!("{}/{wanted}", namespace.unwrap_or_default()));
        }
        let index = self.entries.len();
        self.entries.push((
            NamedTool { flavour, name: name.to_owned(), namespace: namespace.map(str::to_owned) },
            upstream.clone(),
        ));
        self.by_client.entry(namespace.map(str::to_owned)).or_default().insert(name.to_owned(), index);
        self.by_upstream.entry(upstream).or_insert(index);
    }
}

#[cfg(test)]
mod tests;
