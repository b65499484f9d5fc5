//! Declared tools and the choice among them.

use super::{Checked, Checks, bad, schemas};
use serde_json::Value;
use std::collections::HashSet;

/// Most characters in the name of a tool.
const LONGEST_NAME: usize = 128;

pub(super) fn check(checks: &Checks<'_>) -> Checked {
    let tools: &[Value] = checks.body["tools"].as_array().map_or(&[], Vec::as_slice);
    let mut names = HashSet::new();
    for (at, tool) in tools.iter().enumerate() {
        let kind = tool["type"].as_str().unwrap_or("custom");
        if kind == "mcp_toolset" {
            continue;
        }
        let path = format!("tools.{at}.{kind}");
        let name = tool["name"].as_str().unwrap_or_default();
        if !is_name(name) {
            return Err(bad(format!(
                "{path}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,{LONGEST_NAME}}}$'"
            )));
        }
        if !names.insert(name) {
            return Err(bad("tools: Tool names must be unique."));
        }
        if kind == "custom" {
            schemas::tool(&tool["input_schema"], &format!("{path}.input_schema"))?;
            if tool["strict"] == true {
                schemas::strict(&tool["input_schema"], &format!("{path}.input_schema"))?;
            }
        } else if let Some(wanted) = fixed_name(kind)
            && name != wanted
            && !checks.lenient
        {
            return Err(bad(format!("{path}.name: Input should be '{wanted}'")));
        }
    }
    choice(checks, &names)
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The name that a tool of the vendor must have.
fn fixed_name(kind: &str) -> Option<&'static str> {
    [
        ("bash_", "bash"),
        ("text_editor_20250124", "str_replace_editor"),
        ("text_editor_", "str_replace_based_edit_tool"),
        ("memory_", "memory"),
        ("web_search_", "web_search"),
        ("web_fetch_", "web_fetch"),
        ("code_execution_", "code_execution"),
        ("tool_search_tool_regex", "tool_search_tool_regex"),
        ("tool_search_tool_bm25", "tool_search_tool_bm25"),
    ]
    .into_iter()
    .find(|(prefix, _)| kind.starts_with(prefix))
    .map(|(_, name)| name)
}

fn choice(checks: &Checks<'_>, names: &HashSet<&str>) -> Checked {
    let Some(choice) = checks.body.get("tool_choice") else { return Ok(()) };
    if checks.body["tools"].as_array().is_none_or(Vec::is_empty) {
        return Err(bad("tool_choice: tool_choice may only be specified while providing tools."));
    }
    let kind = choice["type"].as_str();
    if let (Some("tool"), Some(name)) = (kind, choice["name"].as_str())
        && !names.contains(name)
    {
        return Err(bad(format!("tool_choice.tool.name: Tool '{name}' not found in provided tools")));
    }
    // Adaptive thinking gives way to a forced call; a budget does not.
    if checks.body["thinking"]["type"] == "enabled" && matches!(kind, Some("any" | "tool")) {
        return Err(bad("Thinking may not be enabled when tool_choice forces tool use."));
    }
    Ok(())
}
