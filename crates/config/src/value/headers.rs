use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// Header fields that are added to requests. Values are treated as secrets: marked sensitive, never shown.
#[derive(Clone, Debug, Default)]
pub struct Headers(HeaderMap);

/// Fields that belong to one connection or to the framing of a body; a fixed value would break requests.
const REFUSED: [&str; 11] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Headers {
    /// The fields, ready to be added to a request.
    pub fn map(&self) -> &HeaderMap {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

struct Name(HeaderName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = HeaderName::try_from(text.as_str())
            .map_err(|_| D::Error::custom("not the name of a header field\nuse letters, digits and `-`"))?;
        if REFUSED.contains(&name.as_str()) {
            return Err(D::Error::custom("this header field is set by byok for each connection\nremove it"));
        }
        Ok(Self(name))
    }
}

struct Value(HeaderValue);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let visible = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let mut value = HeaderValue::try_from(text)
            .ok()
            .filter(|_| visible)
            .ok_or_else(|| D::Error::custom("expected one line of visible ASCII characters"))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of header fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Headers, A::Error> {
        let mut map = HeaderMap::new();
        while let Some((Name(name), Value(value))) = fields.next_entry()? {
            map.insert(name, value);
        }
        Ok(Headers(map))
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.keys().map(|name| (name.as_str(), "(set)")))
    }
}

impl JsonSchema for Headers {
    fn schema_name() -> Cow<'static, str> {
        "Headers".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}
