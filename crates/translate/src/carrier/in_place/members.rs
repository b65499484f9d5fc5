//! Objects of a body, read without leaving the body.

use crate::json;
use serde_json::value::RawValue;

pub(super) fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// The members of an object, in their order.
#[derive(Default)]
pub(super) struct Members<'a>(json::Members<'a>);

impl<'a> Members<'a> {
    /// Those of the object `text`; none if it is something else.
    pub(super) fn of(text: &'a str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// Their names and the texts of their values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.0.iter().map(|(name, value): &(_, &'a RawValue)| (name.as_str(), value.get()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(super) fn string(&self, name: &str) -> Option<String> {
        string(self.get(name)?)
    }
}
