//! Two things in an answer behind an envelope that no client should see.

use serde_json::{Value, json};

/// A property that stands in schemas for which a service wants one although the function has none. Whoever puts it there
/// names it so; it is taken out of the arguments of calls again.
pub const PLACEHOLDER: &str = "byok_placeholder";
/// A service that does not serve a client any more says so with status 200, as if a model had said it.
const TOO_OLD: &str = "This version of Antigravity is no longer supported";

/// The answer as it should have been; `None` if it is good as it is.
pub(super) fn repaired(answer: &[u8]) -> Option<Vec<u8>> {
    let has = |text: &str| memchr::memmem::find(answer, text.as_bytes()).is_some();
    if !has(PLACEHOLDER) && !has(TOO_OLD) {
        return None;
    }
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let parts = |answer: &mut Value, visit: &mut dyn FnMut(&mut Value)| {
        for candidate in answer.get_mut("candidates").and_then(Value::as_array_mut).into_iter().flatten() {
            for part in
                candidate.pointer_mut("/content/parts").and_then(Value::as_array_mut).into_iter().flatten()
            {
                visit(part);
            }
        }
    };
    let mut refusal = None;
    parts(&mut answer, &mut |part| {
        if let Some(text) = part["text"].as_str().filter(|text| text.starts_with(TOO_OLD)) {
            refusal = Some(text.to_owned());
        }
        if let Some(arguments) = part.pointer_mut("/functionCall/args").and_then(Value::as_object_mut) {
            arguments.shift_remove(PLACEHOLDER);
        }
    });
    if let Some(text) = refusal {
        answer = json!({"error": {"code": 503, "message": text, "status": "UNAVAILABLE"}});
    }
    serde_json::to_vec(&answer).ok()
}
