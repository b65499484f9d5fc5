//! The kinds of values that settings are made of: how each is written, checked and shown.

pub(crate) mod duration;
mod headers;
mod host;
mod origin;
mod pattern;
mod proxy;
pub(crate) mod secret;
pub(crate) mod size;
pub(crate) mod text;
pub(crate) mod timestamp;
mod url;

pub use headers::Headers;
pub use host::HostName;
pub use origin::CorsOrigin;
pub use pattern::Pattern;
pub use proxy::{Proxy, ProxyUrl};
pub use secret::unset_variable;
pub use url::HttpUrl;

pub(crate) use url::base_url;

/// Serde through text for a type that has `TryFrom<String>` and `Display`, with a pattern-free text schema.
macro_rules! as_text {
    ($name:ident, $description:literal) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::try_from(text).map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description })
            }
        }
    };
}
use as_text;

#[cfg(test)]
mod tests;
