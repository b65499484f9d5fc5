//! Telling what has the shape of Responses from what has that of Chat.

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

/// Whether tools of a Chat body have the shape of Responses: the definition beside `type` instead of below it. Cursor sends
/// such tools, and Chat upstreams refuse them. `tools` is the text of the member.
pub fn has_flat_tools(tools: &str) -> bool {
    serde_json::from_str::<Vec<ToolShape<'_>>>(tools).is_ok_and(|tools| tools.iter().any(ToolShape::is_flat))
}

/// As much of a tool as its shape needs. Borrowed, since every Chat body is looked at.
#[derive(serde::Deserialize)]
struct ToolShape<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<std::borrow::Cow<'a, str>>,
    name: Option<IgnoredAny>,
    function: Option<IgnoredAny>,
    custom: Option<IgnoredAny>,
}

impl ToolShape<'_> {
    fn is_flat(&self) -> bool {
        let known = matches!(self.kind.as_deref(), Some("function" | "custom"));
        known && self.name.is_some() && self.function.is_none() && self.custom.is_none()
    }
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
    #[test]
    fn t50_flat_tools_are_recognised() {
        for (tools, is) in [
            (r#"[{"type":"function","name":"f","parameters":{}}]"#, true),
            (r#"[{"type":"function","function":{"name":"f"}},{"type":"custom","name":"ApplyPatch"}]"#, true),
            (
                r#"[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"p"}}]"#,
                false,
            ),
            // Whoever knows this kind of tool knows its shape.
            (r#"[{"type":"web_search","name":"w"}]"#, false),
            // It has both: the upstream may say what it thinks of that.
            (r#"[{"type":"function","name":"f","function":{"name":"f"}}]"#, false),
            (r#"[{"name":"f"}]"#, false),
            ("[5]", false),
            ("null", false),
            ("[]", false),
        ] {
            assert_eq!(has_flat_tools(tools), is, "{tools}");
        }
    }
}
