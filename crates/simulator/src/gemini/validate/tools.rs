//! Declared functions, the vendor's own tools, and the choice among them.

use super::{Checked, Checks, schemas, words::bad};
use crate::gemini::fields::BUILT_IN;
use serde_json::Value;
use std::collections::HashSet;

/// Most characters in the name of a function.
const LONGEST: usize = 64;

pub(super) fn check(checks: &Checks<'_>) -> Checked {
    let tools: &[Value] = checks.body["tools"].as_array().map_or(&[], Vec::as_slice);
    let mut names = HashSet::new();
    for (at, tool) in tools.iter().enumerate() {
        for (number, function) in tool["functionDeclarations"].as_array().into_iter().flatten().enumerate() {
            let place = format!("tools[{at}].function_declarations[{number}]");
            let name = function["name"].as_str().unwrap_or_default();
            if !is_name(name) {
                return Err(bad(format!(
                    "* GenerateContentRequest.{place}.name: [FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of {LONGEST}.\n"
                )));
            }
            if !names.insert(name) {
                return Err(bad(format!("Duplicate function declaration found: {name}")));
            }
            parameters(function, &place)?;
        }
    }
    combination(checks, tools, !names.is_empty())?;
    choice(checks, &names)
}

fn is_name(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    begins && name.len() <= LONGEST && name.bytes().all(legal)
}

fn parameters(function: &Value, place: &str) -> Checked {
    let (subset, standard) = (function.get("parameters"), function.get("parametersJsonSchema"));
    if subset.is_some() && standard.is_some() {
        return Err(bad(format!(
            "* GenerateContentRequest.{place}: only one of parameters and parameters_json_schema may be set.\n"
        )));
    }
    let Some(schema) = subset else { return Ok(()) };
    if !schema["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("object")) {
        return Err(bad(format!(
            "* GenerateContentRequest.{place}.parameters.type: functionDeclaration parameters schema should be of type OBJECT.\n"
        )));
    }
    schemas::check(schema, &format!("{place}.parameters"), true)
}

/// The vendor's tools beside functions, and functions beside a JSON answer.
fn combination(checks: &Checks<'_>, tools: &[Value], functions: bool) -> Checked {
    if !functions {
        return Ok(());
    }
    let built_in = tools.iter().any(|tool| BUILT_IN.iter().any(|name| tool.get(*name).is_some()));
    let newer = checks.abilities.call_signatures;
    if built_in && !newer {
        return Err(bad("Tool use with function calling is unsupported"));
    }
    if built_in && checks.body["toolConfig"]["includeServerSideToolInvocations"] != true {
        return Err(bad(
            "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.",
        ));
    }
    if !newer && checks.body["generationConfig"]["responseMimeType"] == "application/json" {
        return Err(bad("Function calling with a response mime type: 'application/json' is unsupported"));
    }
    Ok(())
}

fn choice(checks: &Checks<'_>, names: &HashSet<&str>) -> Checked {
    let Some(config) = checks.body["toolConfig"].get("functionCallingConfig") else { return Ok(()) };
    if names.is_empty() {
        return Err(bad("Function calling config is set without function_declarations."));
    }
    let allowed: Vec<&str> =
        config["allowedFunctionNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !allowed.is_empty() && !matches!(config["mode"].as_str(), Some("ANY" | "VALIDATED")) {
        return Err(bad(
            "allowed_function_names should be set only when function calling mode is ANY or VALIDATED.",
        ));
    }
    match allowed.iter().find(|name| !names.contains(*name)) {
        Some(name) => Err(bad(format!("allowed_function_names holds `{name}`, which is not declared."))),
        None => Ok(()),
    }
}
