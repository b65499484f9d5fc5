//! Refusals as `OpenAI` words them.

use crate::{
    refusal::Refusal,
    shape::{Problem, Wrong, type_of},
};

/// A refusal of a field.
pub(crate) fn bad(param: &str, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid_request_error", message).param(param).code(code)
}

/// A value that is not possible here.
pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Refusal {
    bad(param, "invalid_value", message)
}

/// A field that the model does not take; `instead` names the one it does.
pub(crate) fn unsupported(param: &str, instead: &str) -> Refusal {
    let advice = if instead.is_empty() { String::new() } else { format!(" Use '{instead}' instead.") };
    let message = format!("Unsupported parameter: '{param}' is not supported with this model.{advice}");
    bad(param, "unsupported_parameter", message)
}

pub(crate) fn too_long(param: &str, most: usize, found: usize) -> Refusal {
    let message = format!(
        "Invalid '{param}': string too long. Expected a string with maximum length {most}, but got a string with length {found} instead."
    );
    bad(param, "string_above_max_length", message)
}

pub(crate) fn too_many(param: &str, most: usize, found: usize) -> Refusal {
    let message = format!(
        "Invalid '{param}': array too long. Expected an array with maximum length {most}, but got an array with length {found} instead."
    );
    bad(param, "array_above_max_length", message)
}

pub(crate) fn empty_list(param: &str) -> Refusal {
    let message = format!(
        "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    );
    bad(param, "empty_array", message)
}

pub(crate) fn above(param: &str, most: f64, found: f64) -> Refusal {
    let message = format!(
        "Invalid '{param}': decimal above maximum value. Expected a value <= {most}, but got {found} instead."
    );
    bad(param, "decimal_above_max_value", message)
}

pub(crate) fn pattern(param: &str, pattern: &str) -> Refusal {
    let message = format!(
        "Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
    );
    bad(param, "invalid_value", message)
}

/// The name of a tool or a schema.
pub(crate) fn name(name: &str, param: &str) -> Result<(), Refusal> {
    if name.chars().count() > 64 {
        return Err(too_long(param, 64, name.chars().count()));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(pattern(param, "^[a-zA-Z0-9_-]+$"));
    }
    Ok(())
}

pub(crate) fn not_found_tool(kind: &str) -> Refusal {
    invalid("tool_choice", format!("Tool choice '{kind}' not found in 'tools' parameter."))
}

/// A problem of the fields.
pub(crate) fn worded(problem: &Problem) -> Refusal {
    let path = problem.bracketed();
    match &problem.wrong {
        Wrong::Unknown => bad(&path, "unknown_parameter", format!("Unknown parameter: '{path}'.")),
        Wrong::Missing => {
            bad(&path, "missing_required_parameter", format!("Missing required parameter: '{path}'."))
        }
        Wrong::Type(types) => {
            let wanted: Vec<String> = types.iter().map(|kind| with_article(kind)).collect();
            let found = with_article(type_of(&problem.found));
            let message = format!(
                "Invalid type for '{path}': expected {}, but got {found} instead.",
                listed(&wanted, "one of ")
            );
            bad(&path, "invalid_type", message)
        }
        Wrong::Value(allowed) => {
            let quoted: Vec<String> = allowed.iter().map(|value| format!("'{value}'")).collect();
            let found = problem.found.as_str().unwrap_or_default();
            invalid(
                &path,
                format!("Invalid value: '{found}'. Supported values are: {}.", listed(&quoted, "")),
            )
        }
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "null" => kind.to_owned(),
        "integer" | "array" | "object" => format!("an {kind}"),
        "number" => "a decimal".to_owned(),
        other => format!("a {other}"),
    }
}

/// `a, b, and c`, or with `several` before them `one of a, b, or c`.
pub(super) fn listed(items: &[String], several: &str) -> String {
    let last_word = if several.is_empty() { "and" } else { "or" };
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{several}{one} {last_word} {two}"),
        [rest @ .., last] => format!("{several}{}, {last_word} {last}", rest.join(", ")),
    }
}
