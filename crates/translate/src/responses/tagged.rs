//! Objects whose `type` decides how they are read, without buffering what can be read at once.
//!
//! Clients mostly write `type` first; then the rest of the object is read straight into its type. Where `type` comes later
//! or is missing, the members are kept as text until it is known. Objects of an unknown type are kept verbatim.

use crate::{
    Json,
    wire::{Key, Str, fault::Fault},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer, value::MapDeserializer},
};
use serde_json::value::RawValue;
use std::{fmt, marker::PhantomData};

/// A family of objects with a common wire type.
pub(super) trait Tagged: for<'de> Deserialize<'de> {
    /// What `type` says, as far as it is known.
    type Tag: Copy + fmt::Debug;

    /// The tag with this name.
    fn tag(name: &str) -> Option<Self::Tag>;

    /// The tag of an object without `type`, guessed from the members that it has.
    fn guess(has: &dyn Fn(&str) -> bool) -> Option<Self::Tag>;
}

/// An object of a known type, or one that is only carried.
#[derive(Debug)]
pub(super) enum OneOf<T: Tagged> {
    /// A known type.
    Known(T::Tag, T),
    /// An unknown type.
    Other(Other),
}

/// An object of an unknown type.
#[derive(Debug)]
pub(super) struct Other {
    /// Its `type`, empty if it has none.
    pub(super) tag: String,
    /// All of it.
    pub(super) json: Json,
}

impl<'de, T: Tagged> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

struct Visitor<T>(PhantomData<T>);

impl<'de, T: Tagged> de::Visitor<'de> for Visitor<T> {
    type Value = OneOf<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `type`")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
        let mut name = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if key.as_str() != "type" {
                members.push((key.into_string(), map.next_value()?));
                continue;
            }
            let found: Option<Str<'de>> = map.next_value()?;
            if members.is_empty()
                && let Some(tag) = found.as_deref().and_then(T::tag)
            {
                return Ok(OneOf::Known(tag, T::deserialize(MapAccessDeserializer::new(map))?));
            }
            name = found.map(String::from);
            let raw = serde_json::value::to_raw_value(&name).map_err(de::Error::custom)?;
            members.push((key.into_string(), raw));
        }
        let has = |wanted: &str| members.iter().any(|(key, _)| key == wanted);
        let tag = match &name {
            Some(name) => T::tag(name),
            None => T::guess(&has),
        };
        let Some(tag) = tag else {
            return Ok(OneOf::Other(Other { tag: name.unwrap_or_default(), json: whole(&members) }));
        };
        let fields = || {
            let known = members.iter().filter(|(key, _)| key != "type");
            MapDeserializer::new(known.map(|(key, raw)| (key.as_str(), &**raw)))
        };
        let value = T::deserialize(fields());
        let value =
            value.map_err(|error: serde_json::Error| Fault::within::<T, _, A::Error>(fields(), error))?;
        Ok(OneOf::Known(tag, value))
    }
}

/// The object again, in the order in which it was written.
fn whole(members: &[(String, Box<RawValue>)]) -> Json {
    let mut text =
        String::with_capacity(members.iter().map(|(key, raw)| key.len() + raw.get().len() + 4).sum());
    text.push('{');
    for (index, (key, raw)) in members.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(Json::string(key).get());
        text.push(':');
        text.push_str(raw.get());
    }
    text.push('}');
    Json::parse(text).unwrap_or_else(|_| Json::null())
}

/// The `type` of an object.
pub(super) fn tag_within(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Typed {
        r#type: Option<String>,
    }
    serde_json::from_str::<Typed>(json).ok()?.r#type
}
