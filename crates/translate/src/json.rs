use crate::wire::{self, Key};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON value kept as the text that was written: `1e5`, big integers, key order and escapes survive.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Checks that `text` is one JSON value and keeps it as it is.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// The JSON text of any serialisable value.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// A JSON string with this content.
    pub fn string(text: &str) -> Self {
        Self::from_value(text).unwrap_or_else(|_| Self::null())
    }

    /// `{}`.
    pub fn empty_object() -> Self {
        Self::from_value(&serde_json::Map::new()).unwrap_or_else(|_| Self::null())
    }

    /// `null`.
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        self.get().starts_with('{')
    }

    /// Reads the value as `T`.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    /// The value as a tree. `null` if the text nests deeper than the parser allows.
    pub fn to_tree(&self) -> serde_json::Value {
        self.read().unwrap_or_default()
    }

    /// The members of an object in their order, their values unread.
    pub(crate) fn members(&self) -> Result<Vec<(Key<'_>, &RawValue)>, serde_json::Error> {
        self.read::<Members<'_>>().map(|members| members.0)
    }

    /// The content, if the value is a string.
    pub fn as_string(&self) -> Option<String> {
        wire::string(self.get())
    }

    /// Whether both texts mean the same value.
    pub fn same_value(&self, other: &Self) -> bool {
        self.get() == other.get() || self.to_tree() == other.to_tree()
    }
}

/// The members of an object in their order, their values unread.
#[derive(Default)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Key<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl PartialEq for Json {
    /// Equality of meaning; equal texts are recognised without parsing.
    fn eq(&self, other: &Self) -> bool {
        self.same_value(other)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw)
    }
}
