//! Reading of content blocks and tool definitions: objects whose members depend on their `type`.

use crate::{
    Json,
    ir::{CacheHint, Extra, Opaque},
};
use byok_types::{Dialect, Failure};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};
use std::fmt;

/// One object with its `type` apart. Members are taken out by name; what is left over becomes `Extra`.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) kind: String,
    /// The text of a text or thinking block whose `type` came first: read once, never kept as JSON.
    text: Option<String>,
    /// The content of a tool result whose `type` came first.
    content: Option<Content>,
    rest: Vec<(String, Json)>,
}

/// A member that has the wrong form, by its path within the object.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) reason: String,
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// The same fault, seen from one level further out.
    pub(super) fn within(mut self, path: impl fmt::Display) -> Self {
        self.field = match self.field.as_str() {
            "" => path.to_string(),
            inner if inner.starts_with('[') => format!("{path}{inner}"),
            inner => format!("{path}.{inner}"),
        };
        self
    }

    pub(super) fn into_failure(self) -> Failure {
        let message = format!("`{}` {}.", self.field, self.reason);
        Failure::bad_request(self.field, message)
    }
}

impl Fields {
    /// Reads one object.
    pub(super) fn parse(json: &str) -> Result<Self, Wrong> {
        serde_json::from_str(json).map_err(|error| Wrong::new("", format!("cannot be read: {error}")))
    }

    /// Takes a member out; `null` counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let place = self.rest.iter().position(|(key, _)| key == name)?;
        Some(self.rest.remove(place).1).filter(|value| !value.is_null())
    }

    /// Takes a member out and reads it.
    pub(super) fn read<T: de::DeserializeOwned>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Wrong> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.read().map(Some).map_err(|_| Wrong::new(name, format!("must be {expected}")))
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        if self.text.is_some() && name == hot_key(&self.kind) {
            return Ok(self.text.take());
        }
        self.read(name, "a string")
    }

    pub(super) fn required(&mut self, name: &str) -> Result<String, Wrong> {
        self.string(name)?.ok_or_else(|| Wrong::new(name, "is missing; a string is needed"))
    }

    /// Takes `content` out: text or blocks.
    pub(super) fn content(&mut self) -> Result<Option<Content>, Wrong> {
        if self.content.is_some() {
            return Ok(self.content.take());
        }
        self.take("content").map(|json| Content::parse(&json, "content")).transpose()
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Wrong> {
        self.read(name, "true or false")
    }

    /// Takes `cache_control` out.
    pub(super) fn cache(&mut self) -> Result<Option<CacheHint>, Wrong> {
        self.take("cache_control").map(|json| cache_hint(&json)).transpose()
    }

    /// A member without taking it.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.rest.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.text.is_some() && name == hot_key(&self.kind)
    }

    /// Puts a value in the place of a member, or at the end.
    pub(super) fn set(&mut self, name: &str, value: Json) {
        match self.rest.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.rest.push((name.to_owned(), value)),
        }
    }

    /// What was not taken.
    pub(super) fn extra(self) -> Extra {
        Extra::new(Dialect::Messages, self.rest)
    }

    /// The whole object again.
    pub(super) fn verbatim(&self) -> Opaque {
        let mut out = Vec::new();
        let mut object = super::object::Object::typed(&mut out, &self.kind);
        if let Some(text) = &self.text {
            object.string(hot_key(&self.kind), text);
        }
        object.extras(&self.rest);
        object.end();
        let json = String::from_utf8(out).ok().and_then(|text| Json::parse(text).ok());
        Opaque { dialect: Dialect::Messages, json: json.unwrap_or_else(Json::empty_object) }
    }
}

/// The member that holds most of the bytes of a block and is always a string.
fn hot_key(kind: &str) -> &'static str {
    match kind {
        "text" => "text",
        "thinking" => "thinking",
        _ => "",
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some(key) = map.next_key::<crate::wire::Key<'de>>()? {
                    match key.as_str() {
                        "type" => fields.kind = map.next_value::<Option<String>>()?.unwrap_or_default(),
                        name if name == hot_key(&fields.kind) => fields.text = map.next_value()?,
                        "content" if fields.kind == "tool_result" => fields.content = map.next_value()?,
                        _ => {
                            let value = map.next_value()?;
                            fields.rest.push((key.into_string(), value));
                        }
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Text, or a list of blocks.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Text(String),
    Blocks(Vec<Fields>),
}

impl Content {
    /// Reads the JSON of a `content` member.
    pub(super) fn parse(json: &Json, name: &str) -> Result<Self, Wrong> {
        json.read().map_err(|_| Wrong::new(name, "must be a string or a list of content blocks"))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of content blocks")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = seq.next_element()? {
                    blocks.push(block);
                }
                Ok(Content::Blocks(blocks))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Reads a `cache_control` object.
pub(super) fn cache_hint(json: &Json) -> Result<CacheHint, Wrong> {
    let wrong = || Wrong::new("cache_control", "must be an object such as {\"type\":\"ephemeral\"}");
    let mut fields = Fields::parse(json.get()).map_err(|_| wrong())?;
    let ttl = fields.string("ttl").map_err(|error| error.within("cache_control"))?;
    Ok(CacheHint { ttl, extra: fields.extra() })
}

/// The members of an object, in their order.
pub(super) fn members(json: &Json) -> Result<Vec<(String, Json)>, serde_json::Error> {
    crate::wire::wire! {
        struct Members {}
    }
    json.read::<Members>().map(|members| members.extra)
}
