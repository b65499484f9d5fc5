//! Refusals as Google words them.

use crate::{
    refusal::Refusal,
    shape::{Problem, Wrong},
};
use serde_json::{Value, json};

/// A bad request.
pub(super) fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "INVALID_ARGUMENT", message)
}

/// A path in the spelling of protocol buffers: `tools[0].function_declarations[0].name`.
fn snake(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 8);
    for letter in path.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// A problem of the fields.
pub(super) fn worded(problem: &Problem) -> Refusal {
    let path = problem.bracketed();
    let place = snake(&path);
    let message = match &problem.wrong {
        Wrong::Unknown => {
            let field = problem.field();
            let parent = path.strip_suffix(field).unwrap_or_default().trim_end_matches('.');
            if parent.is_empty() {
                format!("Invalid JSON payload received. Unknown name \"{field}\": Cannot find field.")
            } else {
                format!(
                    "Invalid JSON payload received. Unknown name \"{field}\" at '{}': Cannot find field.",
                    snake(parent)
                )
            }
        }
        Wrong::Missing => {
            format!("* GenerateContentRequest.{place}: {} is not specified\n", snake(problem.field()))
        }
        Wrong::Type(types) if matches!(problem.found, Value::Array(_)) && !types.contains(&"array") => {
            format!(
                "Invalid JSON payload received. Unknown name \"{}\" at '{place}': Proto field is not repeating, cannot start list.",
                problem.field()
            )
        }
        Wrong::Type(types) => {
            let wanted = match types.first().copied().unwrap_or_default() {
                "string" => "TYPE_STRING",
                "boolean" => "TYPE_BOOL",
                "integer" => "TYPE_INT32",
                "number" => "TYPE_FLOAT",
                _ => "TYPE_MESSAGE",
            };
            format!("Invalid value at '{place}' ({wanted}), {}", problem.found)
        }
        Wrong::Value(_) => format!("Invalid value at '{place}' (TYPE_ENUM), {}", problem.found),
    };
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": place, "description": message}],
    }]);
    bad(message).extra("details", details)
}
