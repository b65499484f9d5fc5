use super::keep_inner;
use crate::{
    Json,
    gemini::{
        fields::object,
        keys::{camel, camel_name},
        wire::{Many, WireFunction, WireTool, WireToolConfig},
    },
    ir::{
        Extra, Failure, FunctionTool, HostedTool, NamedTool, Opaque, ServerTool, Tool, ToolChoice, WebSearch,
    },
    schema::gemini::from_gemini,
};
use byok_types::Dialect;

/// Takes over `tools`, each with its place.
pub(super) fn tools(wire: Many<WireTool>) -> Result<Vec<(String, Tool)>, Failure> {
    let mut tools = Vec::new();
    for (place, entry) in wire.0.into_iter().enumerate() {
        for (index, declared) in entry.functions.0.into_iter().enumerate() {
            let path = format!("tools[{place}].functionDeclarations[{index}]");
            if declared.name.is_empty() {
                return Err(Failure::bad_request(
                    format!("{path}.name"),
                    "a function has no name. Give every declared function one.",
                ));
            }
            tools.push((path, Tool::Function(function(declared))));
        }
        tools.extend(entry.extra.into_iter().map(|(name, value)| {
            let tool = hosted(&name, value);
            (format!("tools[{place}].{}", tool.type_name), Tool::Hosted(tool))
        }));
    }
    Ok(tools)
}

fn function(wire: WireFunction) -> FunctionTool {
    let mut extra = Extra::default();
    let keep = |extra: &mut Extra, name: &str, value: &Json| {
        extra.push(Dialect::Gemini, name, value.clone());
        from_gemini(value)
    };
    // Gemini's own kind of schema is sent back to Gemini as it was; for the others it is said as JSON Schema.
    let schema = match (wire.json_schema, wire.parameters) {
        (Some(schema), _) => Some(schema),
        (None, parameters) => parameters.map(|p| keep(&mut extra, "parameters", &p)),
    };
    let output_schema = match (wire.response_schema, wire.response) {
        (Some(schema), _) => Some(schema),
        (None, response) => response.map(|r| keep(&mut extra, "response", &r)),
    };
    for (name, value) in wire.extra {
        extra.push(Dialect::Gemini, name, value);
    }
    FunctionTool {
        name: wire.name,
        description: wire.description,
        schema,
        output_schema,
        extra,
        ..FunctionTool::default()
    }
}

fn hosted(name: &str, value: Json) -> HostedTool {
    let type_name = camel_name(name);
    // The headers of an MCP server are names of the client.
    let value = if type_name == "mcpServers" { value } else { camel(value) };
    let tool = match type_name.as_str() {
        "googleSearch" | "googleSearchRetrieval" | "enterpriseWebSearch" => ServerTool::WebSearch,
        "urlContext" => ServerTool::WebFetch,
        "codeExecution" => ServerTool::CodeExecution,
        "fileSearch" | "retrieval" => ServerTool::FileSearch,
        "computerUse" => ServerTool::Computer,
        "mcpServers" => ServerTool::Mcp,
        _ => ServerTool::Other,
    };
    let web_search = (tool == ServerTool::WebSearch)
        .then(|| WebSearch { blocked_domains: domains(&value), ..WebSearch::default() });
    let verbatim =
        Opaque { dialect: Dialect::Gemini, json: object(|fields| fields.json(&type_name, &value)) };
    HostedTool { tool, type_name, web_search, cache: None, verbatim }
}

fn domains(search: &Json) -> Vec<String> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Search {
        exclude_domains: Vec<String>,
    }
    search.read::<Search>().unwrap_or_default().exclude_domains
}

/// Takes over `toolConfig`.
pub(super) fn choice(config: WireToolConfig, extra: &mut Extra) -> Result<Option<ToolChoice>, Failure> {
    keep_inner(extra, "toolConfig", config.extra);
    keep_inner(extra, "toolConfig.functionCallingConfig", config.calling.extra);
    let mut names: Vec<_> =
        config.calling.names.0.into_iter().map(|name| NamedTool { name, ..NamedTool::default() }).collect();
    let mode = config.calling.mode.unwrap_or_default().to_ascii_uppercase();
    let choice = match (mode.as_str(), names.len()) {
        ("" | "MODE_UNSPECIFIED", 0) => return Ok(None),
        ("AUTO", 0) => ToolChoice::Auto,
        ("NONE", _) => ToolChoice::None,
        ("ANY", 0) => ToolChoice::Required,
        ("ANY", 1) => ToolChoice::Named(names.remove(0)),
        ("ANY", _) => ToolChoice::Allowed { required: true, tools: names },
        ("VALIDATED", 0) => ToolChoice::Validated,
        ("" | "MODE_UNSPECIFIED" | "AUTO" | "VALIDATED", _) => {
            ToolChoice::Allowed { required: false, tools: names }
        }
        (other, _) => {
            return Err(Failure::bad_request(
                "toolConfig.functionCallingConfig.mode",
                format!("`{other}` is not a mode. Use AUTO, ANY, NONE or VALIDATED."),
            ));
        }
    };
    Ok(Some(choice))
}
