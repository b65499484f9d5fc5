//! Tools of a request.

use super::{
    extra,
    parts::{hint, members},
};
use crate::{
    Json,
    chat::body::{BodyCache, WEB_SEARCH_OPTIONS},
    ir::{
        CustomFormat, CustomTool, Failure, Flavour, FunctionTool, HostedTool, NamedTool, Opaque, ServerTool,
        Tool, ToolChoice, WebSearch,
    },
    wire::{read_within, wire},
};
use byok_types::Dialect;

wire! {
    /// A tool, nested as the types want it or flat as Responses clients write it.
    struct BodyTool {
        "type" => kind: Option<String>,
        "function" => function: Option<Members>,
        "custom" => custom: Option<Members>,
        "cache_control" => cache_control: Option<BodyCache>,
        "prompt_cache_breakpoint" => breakpoint: Option<BodyCache>,
        "name" => name: Option<String>,
        "description" => description: Option<String>,
        "parameters" | "input_schema" => parameters: Option<Json>,
        "strict" => strict: Option<bool>,
        "format" => format: Option<Json>,
    }
}

wire! {
    struct Members {
        "name" => name: Option<String>,
        "description" => description: Option<String>,
        "parameters" | "input_schema" => parameters: Option<Json>,
        "strict" => strict: Option<bool>,
        "format" => format: Option<Json>,
    }
}

wire! {
    struct Format {
        "type" => kind: Option<String>,
        "grammar" => grammar: Option<Grammar>,
        "syntax" => syntax: Option<String>,
        "definition" => definition: Option<String>,
    }
}

wire! {
    struct Grammar {
        "syntax" => syntax: Option<String>,
        "definition" => definition: Option<String>,
    }
}

wire! {
    struct Choice {
        "type" => kind: Option<String>,
        "function" => function: Option<Named>,
        "custom" => custom: Option<Named>,
        "name" => name: Option<String>,
        "allowed_tools" => allowed: Option<Allowed>,
        "mode" => mode: Option<String>,
        "tools" => tools: Vec<Choice>,
    }
}

wire! {
    struct Named {
        "name" => name: Option<String>,
    }
}

wire! {
    struct Allowed {
        "mode" => mode: Option<String>,
        "tools" => tools: Vec<Choice>,
    }
}

wire! {
    /// Settings of a web search, directly in the tool or in its `parameters`.
    struct Search {
        "type" => kind: Option<String>,
        "parameters" => parameters: Option<Json>,
        "max_uses" => max_uses: Option<u32>,
        "search_context_size" => context_size: Option<String>,
        "user_location" => user_location: Option<Location>,
    }
}

wire! {
    struct Location {
        "type" => kind: Option<String>,
        "approximate" => approximate: Option<Json>,
    }
}

fn wrong(path: String, what: impl std::fmt::Display) -> Failure {
    let message = format!("`{path}` {what}.");
    Failure::bad_request(path, message)
}

/// Reads one entry of `tools`.
pub(super) fn tool(json: Json, index: usize) -> Result<Tool, Failure> {
    let path = || format!("tools[{index}]");
    let read: BodyTool = read_within(&json, path())?;
    let custom = match (read.kind.as_deref(), read.function.is_some(), read.custom.is_some()) {
        (Some("custom"), ..) | (None, false, true) => true,
        (Some("function"), ..) | (None, true, _) => false,
        (None, false, false) if read.name.is_some() => false,
        (None, false, false) => return Err(wrong(path(), "has no `type`: send a `function` with a name")),
        (Some(_), ..) => return Ok(Tool::Hosted(hosted(read.kind.unwrap_or_default(), json))),
    };
    let member = if custom { "custom" } else { "function" };
    let mut extras = extra(read.extra);
    let cache = hint(read.cache_control, read.breakpoint);
    let inner = if custom { read.custom } else { read.function };
    let inner = match inner {
        Some(inner) => {
            if !inner.extra.is_empty() {
                extras.push(Dialect::Chat, member, members(&inner.extra));
            }
            inner
        }
        None => Members {
            name: read.name,
            description: read.description,
            parameters: read.parameters,
            strict: read.strict,
            format: read.format,
            extra: Vec::new(),
        },
    };
    let name = inner
        .name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| wrong(format!("tools[{index}].{member}.name"), "is missing: give the tool a name"))?;
    Ok(if custom {
        let format = inner.format.and_then(|f| f.read::<Format>().ok()).unwrap_or_default();
        Tool::Custom(CustomTool {
            name,
            description: inner.description,
            format: custom_format(format),
            cache,
            extra: extras,
            ..CustomTool::default()
        })
    } else {
        Tool::Function(FunctionTool {
            name,
            description: inner.description,
            schema: inner.parameters,
            strict: inner.strict,
            cache,
            extra: extras,
            ..FunctionTool::default()
        })
    })
}

/// The grammar stands in an object of its own here and directly in the format in Responses; both are taken.
fn custom_format(format: Format) -> CustomFormat {
    if format.kind.as_deref() != Some("grammar") {
        return CustomFormat::Text;
    }
    let inner = format.grammar.unwrap_or_default();
    match (inner.syntax.or(format.syntax), inner.definition.or(format.definition)) {
        (Some(syntax), Some(definition)) => CustomFormat::Grammar { syntax, definition },
        _ => CustomFormat::Text,
    }
}

/// Reads one entry of the old `functions`.
pub(super) fn function(json: &Json, index: usize) -> Result<Tool, Failure> {
    let path = format!("functions[{index}]");
    let read: Members = read_within(json, &path)?;
    let name = read.name.ok_or_else(|| wrong(format!("{path}.name"), "is missing: give the tool a name"))?;
    Ok(Tool::Function(FunctionTool {
        name,
        description: read.description,
        schema: read.parameters,
        strict: read.strict,
        extra: extra(read.extra),
        ..FunctionTool::default()
    }))
}

fn hosted(type_name: String, json: Json) -> HostedTool {
    let bare = type_name.rsplit(':').next().unwrap_or_default();
    let tool = match bare {
        name if name.starts_with("web_search") => ServerTool::WebSearch,
        name if name.starts_with("web_fetch") => ServerTool::WebFetch,
        "code_interpreter" | "code_execution" => ServerTool::CodeExecution,
        "file_search" => ServerTool::FileSearch,
        "image_generation" => ServerTool::ImageGeneration,
        "mcp" => ServerTool::Mcp,
        _ => ServerTool::Other,
    };
    let web_search = (tool == ServerTool::WebSearch).then(|| search(&json));
    HostedTool { tool, type_name, web_search, cache: None, verbatim: Opaque { dialect: Dialect::Chat, json } }
}

/// Reads `web_search_options`.
pub(super) fn web_search_options(json: Json) -> Tool {
    Tool::Hosted(HostedTool {
        tool: ServerTool::WebSearch,
        type_name: WEB_SEARCH_OPTIONS.to_owned(),
        web_search: Some(search(&json)),
        cache: None,
        verbatim: Opaque { dialect: Dialect::Chat, json },
    })
}

fn search(json: &Json) -> WebSearch {
    let mut read: Search = json.read().unwrap_or_default();
    if let Some(inner) = read.parameters.take().and_then(|p| p.read::<Search>().ok()) {
        read = inner;
    }
    WebSearch {
        max_uses: read.max_uses,
        user_location: read.user_location.map(|location| match location.approximate {
            Some(approximate) => approximate,
            None => members(&location.extra),
        }),
        context_size: read.context_size,
        ..WebSearch::default()
    }
}

/// Reads `tool_choice`, or the old `function_call`.
pub(super) fn choice(json: Json, field: &'static str) -> Result<ToolChoice, Failure> {
    if let Some(word) = json.as_string() {
        return by_word(&word).ok_or_else(|| {
            wrong(
                field.to_owned(),
                format_args!("is `{word}`: use `auto`, `none`, `required` or an object that names a tool"),
            )
        });
    }
    let read: Choice = read_within(&json, field)?;
    let opaque = |json| ToolChoice::Opaque(Opaque { dialect: Dialect::Chat, json });
    Ok(match read.kind.as_deref() {
        Some("allowed_tools") => {
            let allowed =
                read.allowed.unwrap_or(Allowed { mode: read.mode, tools: read.tools, extra: Vec::new() });
            ToolChoice::Allowed {
                required: allowed.mode.as_deref() == Some("required"),
                tools: allowed.tools.into_iter().filter_map(named).collect(),
            }
        }
        None | Some("function" | "custom" | "tool") => match named(read) {
            Some(tool) => ToolChoice::Named(tool),
            None => opaque(json),
        },
        Some(word) => match by_word(word) {
            Some(choice) => choice,
            None => opaque(json),
        },
    })
}

fn by_word(word: &str) -> Option<ToolChoice> {
    Some(match word {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "required" | "any" => ToolChoice::Required,
        _ => return None,
    })
}

fn named(choice: Choice) -> Option<NamedTool> {
    let custom = choice.custom.is_some() || choice.kind.as_deref() == Some("custom");
    let name = choice.custom.or(choice.function).and_then(|n| n.name).or(choice.name)?;
    let flavour = if custom { Flavour::Custom } else { Flavour::Function };
    Some(NamedTool { flavour, name, namespace: None })
}
