//! Telling a Responses body from a Chat body.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Whether a body that was posted to the Chat path is a Responses request: `input` and no `messages`. Cursor sends such
/// bodies in its agent mode; they are to be read as Responses and answered as Chat.
pub fn is_responses_shaped(body: &[u8]) -> bool {
    // Most bodies are told apart without parsing.
    if memchr::memmem::find(body, b"\"input\"").is_none() {
        return false;
    }
    serde_json::from_slice::<Shape>(body).is_ok_and(|shape| shape.input && !shape.messages)
}

#[derive(Default)]
struct Shape {
    input: bool,
    messages: bool,
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Shape;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
                let mut shape = Shape::default();
                while let Some(key) = map.next_key::<crate::wire::Key<'de>>()? {
                    match key.as_str() {
                        "input" => shape.input = true,
                        "messages" => shape.messages = true,
                        _ => {}
                    }
                    map.next_value::<IgnoredAny>()?;
                }
                Ok(shape)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t51_responses_bodies_are_recognised() {
        for (body, is) in [
            (r#"{"model":"m","input":[],"stream":true}"#, true),
            (r#"{"model":"m","input":"hi"}"#, true),
            (r#"{"model":"m","messages":[],"input":"x"}"#, false),
            (r#"{"model":"m","messages":[{"role":"user","content":"\"input\""}]}"#, false),
            (r#"{"model":"m","messages":[{"input":1}]}"#, false),
            (r#"{"metadata":{"input":1}}"#, false),
            (r#"[{"input":1}]"#, false),
            (r#"{"input":"#, false),
            ("", false),
        ] {
            assert_eq!(is_responses_shaped(body.as_bytes()), is, "{body}");
        }
    }
}
