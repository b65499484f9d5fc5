//! Reading of tool definitions.

use super::fields::{Fields, Wrong};
use crate::{
    Json,
    ir::{Flavour, FunctionTool, HostedTool, ServerTool, Tool, TypedTool, WebSearch},
};
use serde::Deserialize;

/// Reads one definition.
pub(super) fn read(mut fields: Fields) -> Result<Tool, Wrong> {
    if matches!(fields.kind.as_str(), "" | "custom" | "function") {
        return function(fields);
    }
    let cache = fields.cache()?;
    let type_name = fields.kind.clone();
    let name = fields.get("name").and_then(Json::as_string);
    let verbatim = fields.verbatim();
    // The model knows the schemas of these and the client runs them.
    let typed = ["bash_", "text_editor_", "memory_", "computer_", "browser_"];
    Ok(if let (true, Some(name)) = (typed.iter().any(|prefix| type_name.starts_with(prefix)), name) {
        Tool::Typed(TypedTool { type_name, name, flavour: Flavour::Function, cache, verbatim })
    } else {
        let tool = hosted_kind(&type_name);
        let web_search = (tool == ServerTool::WebSearch).then(|| web_search(&verbatim.json));
        Tool::Hosted(HostedTool { tool, type_name, web_search, cache, verbatim })
    })
}

fn function(mut fields: Fields) -> Result<Tool, Wrong> {
    Ok(Tool::Function(FunctionTool {
        name: fields.required("name")?,
        description: fields.string("description")?,
        schema: fields.take("input_schema"),
        strict: fields.boolean("strict")?,
        output_schema: fields.take("output_schema"),
        defer_loading: fields.boolean("defer_loading")?,
        examples: fields.take("input_examples"),
        allowed_callers: fields.take("allowed_callers"),
        cache: fields.cache()?,
        extra: fields.extra(),
    }))
}

/// The kind of a tool by its versioned type.
pub(super) fn hosted_kind(type_name: &str) -> ServerTool {
    let kinds = [
        ("web_search_", ServerTool::WebSearch),
        ("web_fetch_", ServerTool::WebFetch),
        ("code_execution_", ServerTool::CodeExecution),
        ("tool_search_tool_", ServerTool::ToolSearch),
        ("mcp_", ServerTool::Mcp),
    ];
    kinds
        .into_iter()
        .find(|(prefix, _)| type_name.starts_with(prefix))
        .map_or(ServerTool::Other, |(_, kind)| kind)
}

fn web_search(json: &Json) -> WebSearch {
    #[derive(Default, Deserialize)]
    struct Wire {
        max_uses: Option<u32>,
        allowed_domains: Option<Vec<String>>,
        blocked_domains: Option<Vec<String>>,
        user_location: Option<Json>,
    }
    let wire = json.read::<Wire>().unwrap_or_default();
    WebSearch {
        max_uses: wire.max_uses,
        allowed_domains: wire.allowed_domains.unwrap_or_default(),
        blocked_domains: wire.blocked_domains.unwrap_or_default(),
        user_location: wire.user_location,
        context_size: None,
    }
}
