//! One way to declare wire objects: known keys become typed fields, unknown keys are kept in order in `extra`.

mod borrowed;
pub(crate) mod fault;
pub(crate) mod write;

pub(crate) use borrowed::{Few, Fill, Optional, Place, Text, borrowed, fill, moved};

/// Declares a struct that reads a JSON object. Every field has a default, so a missing key is the default value; `null`
/// is the default too. A key may have several spellings. Keys that are not named land verbatim in `extra`.
///
/// ```ignore
/// wire! {
///     pub(crate) struct WireMessage {
///         "role" => role: Option<String>,
///         "tool_call_id" | "toolCallId" => tool_call_id: Option<String>,
///     }
/// }
/// ```
macro_rules! wire {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $key:literal $(| $alias:literal)* => $field:ident : $ty:ty ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        $vis struct $name {
            $( $vis $field: $ty, )*
            /// Keys that are not known, in their order.
            $vis extra: Vec<(String, $crate::Json)>,
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut value = $name::default();
                        while let Some(key) = map.next_key::<$crate::wire::Key<'de>>()? {
                            match key.as_str() {
                                $( $key $(| $alias)* => {
                                    if let Some(found) = map.next_value::<Option<$ty>>()? {
                                        value.$field = found;
                                    }
                                } )*
                                _ => {
                                    let found = map.next_value::<$crate::Json>()?;
                                    value.extra.push((key.into_string(), found));
                                }
                            }
                        }
                        Ok(value)
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }
    };
}
pub(crate) use wire;

use serde::{Deserialize, Deserializer, de};
use std::{borrow::Cow, fmt};

/// An object key: borrowed when it has no escapes.
pub(crate) struct Key<'de>(Cow<'de, str>);

impl Key<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in the text that was read; nothing if it has escapes.
    pub(crate) fn in_text(&self) -> Option<&str> {
        match &self.0 {
            Cow::Borrowed(key) => Some(key),
            Cow::Owned(_) => None,
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CowVisitor).map(Self)
    }
}

/// A string that is borrowed from the input when it has no escapes; used where streams are read event by event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Str<'de>(pub(crate) Cow<'de, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CowVisitor).map(Self)
    }
}

impl std::ops::Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Str<'_>> for String {
    fn from(text: Str<'_>) -> Self {
        text.0.into_owned()
    }
}

/// The bytes as text; what is no UTF-8 becomes U+FFFD. Nearly always they are UTF-8, and checking is faster than mending.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The content of a JSON string, borrowed if it has no escapes, else with one allocation: texts of answers mostly have
/// line ends and quotation marks in them. `None` for everything else, and for escapes by number, which serde reads.
pub(crate) fn unescaped(json: &str) -> Option<Cow<'_, str>> {
    leading_string(json).filter(|(_, rest)| rest.is_empty()).map(|(text, _)| text)
}

/// The same for the string that `json` begins with, and what follows it. `json` must be part of a valid text.
pub(crate) fn leading_string(json: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = json.strip_prefix('"')?;
    let plain = memchr::memchr2(b'"', b'\\', text.as_bytes())?;
    if text.as_bytes()[plain] == b'"' {
        return Some((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let (head, mut rest) = text.as_bytes().split_at(plain);
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(head);
    loop {
        if let Some(chunk) = rest.first_chunk::<8>() {
            let plain = write::before_mark(*chunk);
            out.extend_from_slice(chunk);
            out.truncate(out.len() - (8 - plain));
            rest = &rest[plain..];
            if plain == 8 {
                continue;
            }
        }
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => {
                return Some((Cow::Owned(String::from_utf8(out).ok()?), &text[text.len() - rest.len()..]));
            }
            b'\\' => {
                let (&letter, tail) = rest.split_first()?;
                rest = tail;
                out.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 0x08,
                    b'f' => 0x0C,
                    b'"' | b'\\' | b'/' => letter,
                    _ => return None,
                });
            }
            byte => out.push(byte),
        }
    }
}

/// The content of a JSON string. `None` for everything else.
pub(crate) fn string(json: &str) -> Option<String> {
    let quoted = json.starts_with('"').then_some(json)?;
    unescaped(quoted).map(Cow::into_owned).or_else(|| serde_json::from_str(quoted).ok())
}

struct CowVisitor;

impl<'de> de::Visitor<'de> for CowVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

/// Reads a request body as `T`. A failure names the field (`messages[3].role`), in words for the caller.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, byok_types::Failure> {
    // Checked as a whole, the text of a body need not be checked string by string.
    let read = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    read.map_err(|first| explain::<T>(body, &first))
}

/// Reads the body a second time, slowly, to find the path of the field that is wrong.
fn explain<'a, T: Deserialize<'a>>(body: &'a [u8], first: &serde_json::Error) -> byok_types::Failure {
    if first.is_syntax() || first.is_eof() {
        return byok_types::Failure::bad_request(
            "body",
            format!("the request body is not valid JSON: {first}. Send one complete JSON object."),
        );
    }
    let Some(fault) = fault::Fault::of::<T>(body) else {
        return byok_types::Failure::bad_request(
            "body",
            format!("the request body cannot be read: {first}."),
        );
    };
    let path = fault.field();
    let field = if path.is_empty() { "body".to_owned() } else { path };
    let message = format!("`{field}` has the wrong form: {}.", fault.reason);
    byok_types::Failure::bad_request(field, message)
}

/// Reads a value within a request, which stands at `place`. A failure names the field in it that is wrong.
pub(crate) fn read_within<'a, T: Deserialize<'a>>(
    json: &'a crate::Json,
    place: impl fmt::Display,
) -> Result<T, byok_types::Failure> {
    json.read().map_err(|error| {
        let fault = fault::Fault::of::<T>(json.get().as_bytes());
        let inner = fault.as_ref().map(fault::Fault::field).unwrap_or_default();
        let gap = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        let field = format!("{place}{gap}{inner}");
        let reason = fault.map_or_else(|| error.to_string(), |fault| fault.reason);
        let message = format!("`{field}` has the wrong form: {reason}.");
        byok_types::Failure::bad_request(field, message)
    })
}

#[cfg(test)]
mod tests;
