//! An object that is written anew with a few other members. A value that is not touched keeps its bytes.

use indexmap::IndexMap;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The members that a new object is written from.
pub(super) struct Draft<'a> {
    members: IndexMap<Cow<'a, str>, Cow<'a, str>>,
    changed: bool,
}

impl<'a> Draft<'a> {
    /// The members of an object; `None` for any other text.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let members: IndexMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(text).ok()?;
        let members = members.into_iter().map(|(name, value)| (name, Cow::Borrowed(value.get()))).collect();
        Some(Self { members, changed: false })
    }

    /// Whether anything differs from the text.
    pub(super) const fn changed(&self) -> bool {
        self.changed
    }

    /// The text of a value that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(|value| &**value).filter(|value| *value != "null")
    }

    /// The same, if it is a string.
    pub(super) fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Sets a member to a JSON text, in its place or behind the others.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        if self.members.get(name) != Some(&value) {
            self.members.insert(Cow::Borrowed(name), value);
            self.changed = true;
        }
    }

    /// Takes a member out.
    pub(super) fn drop(&mut self, name: &str) {
        self.changed |= self.members.shift_remove(name).is_some();
    }

    /// Takes the members out that are not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        let before = self.members.len();
        self.members.retain(|name, value| keep(name, value));
        self.changed |= self.members.len() != before;
    }

    /// Gives members another value where there is one.
    pub(super) fn replace(&mut self, mut with: impl FnMut(&str, &str) -> Option<String>) {
        for (name, value) in &mut self.members {
            if let Some(new) = with(name, value) {
                *value = Cow::Owned(new);
                self.changed = true;
            }
        }
    }

    /// The object.
    pub(super) fn write(&self) -> String {
        let member = |(name, value): (&Cow<'_, str>, &Cow<'_, str>)| {
            format!("{}:{value}", serde_json::Value::from(&**name))
        };
        format!("{{{}}}", self.members.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

/// A list after each of its elements was looked at; `None` if all were kept, or if it is no list.
pub(super) fn edited(text: &str, mut edit: impl FnMut(&str) -> Edited) -> Option<String> {
    let mut changed = false;
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    for element in serde_json::from_str::<Vec<&RawValue>>(text).ok()? {
        match edit(element.get()) {
            Edited::Kept => kept.push(Cow::Borrowed(element.get())),
            Edited::Changed(new) => {
                changed = true;
                kept.push(Cow::Owned(new));
            }
            Edited::Gone => changed = true,
        }
    }
    changed.then(|| format!("[{}]", kept.join(",")))
}

/// What became of an element.
pub(super) enum Edited {
    /// Nothing.
    Kept,
    /// It has another text.
    Changed(String),
    /// It is left out.
    Gone,
}

impl From<Option<String>> for Edited {
    /// Another text, if there is one.
    fn from(new: Option<String>) -> Self {
        new.map_or(Self::Kept, Self::Changed)
    }
}
