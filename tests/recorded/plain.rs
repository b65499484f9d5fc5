//! Parts of the middle form in words that leave out what may differ: ids that byok makes, and the spelling of JSON.

use byok_translate::{Json, ir};
use byok_types::Dialect;
use serde_json::Value;

fn value(json: &Json) -> Value {
    serde_json::from_str(json.get()).unwrap_or_default()
}

fn text(json: &str) -> String {
    serde_json::from_str::<Value>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
}

/// What a part says. `None` for one that says nothing.
pub fn part(dialect: Dialect, part: &ir::Part) -> Option<String> {
    // Chat has no place for seals; byok keeps them elsewhere.
    let seal = |blob: &Option<ir::Blob>| {
        blob.as_ref().filter(|_| dialect != Dialect::Chat).map(|blob| blob.data.clone())
    };
    let said = match part {
        ir::Part::Text(text) => {
            let cited: Vec<_> = text
                .citations
                .iter()
                .map(|c| (format!("{:?}", c.place), c.title.clone().unwrap_or_default(), &c.cited_text))
                .collect();
            if text.text.is_empty() && cited.is_empty() && text.blob.is_none() {
                return None;
            }
            format!("text {:?} {cited:?} {:?}", text.text, seal(&text.blob))
        }
        ir::Part::Thinking(thinking) => {
            let words = [thinking.summary.as_slice(), &thinking.raw].concat().concat();
            if words.is_empty() && !thinking.redacted && seal(&thinking.blob).is_none() {
                return None;
            }
            format!("thinking {words:?} {} {:?}", thinking.redacted, seal(&thinking.blob))
        }
        ir::Part::ToolCall(call) => {
            let id = Some(&call.call_id).filter(|_| dialect != Dialect::Gemini);
            let caller = call.caller.as_ref().map(value);
            let arguments = text(&call.arguments);
            let (name, space, flavour) = (&call.name, &call.namespace, call.flavour);
            format!("call {id:?} {name} {space:?} {flavour:?} {arguments} {caller:?} {:?}", seal(&call.blob))
        }
        ir::Part::ServerCall(call) => {
            format!("server call {:?} {} {}", call.tool, call.name, value(&call.input))
        }
        ir::Part::ServerResult(result) => {
            let output = result.output.as_deref().map(text);
            format!("server result {:?} {:?} {output:?} {:?}", result.tool, result.hits, result.error_code)
        }
        ir::Part::Opaque(opaque) => format!("opaque {}", value(&opaque.json)),
        other => format!("{other:?}").split_whitespace().collect::<Vec<_>>().join(" "),
    };
    Some(said)
}

/// Where two texts begin to differ.
pub fn difference(before: &str, after: &str) -> String {
    let at = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(80);
    let rest = |text: &str| {
        let rest = String::from_utf8_lossy(text.as_bytes().get(at..).unwrap_or_default()).into_owned();
        rest.chars().take(300).collect::<String>()
    };
    format!("…{} became …{}", rest(before), rest(after))
}
