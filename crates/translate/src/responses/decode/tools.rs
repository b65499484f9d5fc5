//! Tool definitions and the choice among them.

use super::{
    super::{
        hosted,
        tagged::{OneOf, Other, Tagged},
        typed,
        wire::{ToolBody, ToolTag},
    },
    foreign, opaque,
};
use crate::{
    Json,
    ir::{
        CustomFormat, CustomTool, Failure, Flavour, FunctionTool, HostedTool, NamedTool, Tool, ToolChoice,
        WebSearch,
    },
};
use serde::Deserialize;

/// Tools in their order. `path` names the list in failures.
pub(in super::super) fn tools(list: Vec<OneOf<ToolBody>>, path: &str) -> Result<Vec<Tool>, Failure> {
    let tool = |(index, tool)| match tool {
        OneOf::Known(tag, body) => known(tag, body, &|| format!("{path}[{index}]")),
        OneOf::Other(other) => Ok(typed::read(&other).map_or_else(|| hosted(other), Tool::Typed)),
    };
    list.into_iter().enumerate().map(tool).collect()
}

fn hosted(other: Other) -> Tool {
    Tool::Hosted(HostedTool {
        tool: hosted::kind_of_definition(&other.tag, &other.json),
        web_search: other.tag.starts_with("web_search").then(|| web_search_settings(&other.json)),
        type_name: other.tag,
        cache: None,
        verbatim: opaque(other.json),
    })
}

fn known(tag: ToolTag, body: ToolBody, path: &dyn Fn() -> String) -> Result<Tool, Failure> {
    // Chat puts the definition one level deeper; some clients send that here too.
    let inner = if body.name.is_none() { body.function.as_ref().or(body.custom.as_ref()) } else { None };
    let body = match inner {
        Some(inner) => inner.read().unwrap_or(body),
        None => body,
    };
    let Some(name) = body.name.filter(|name| !name.is_empty()) else {
        let field = format!("{}.name", path());
        let message = format!("`{field}` is missing: give every tool a name.");
        return Err(Failure::bad_request(field, message));
    };
    Ok(match tag {
        ToolTag::Function => Tool::Function(FunctionTool {
            name,
            description: body.description,
            schema: body.parameters.filter(|schema| !schema.is_null()),
            strict: body.strict,
            output_schema: body.output_schema,
            defer_loading: body.defer_loading,
            examples: None,
            allowed_callers: body.allowed_callers,
            cache: None,
            extra: foreign(body.extra),
        }),
        ToolTag::Custom => {
            let (format, extra) = custom_format(body.format, body.extra);
            Tool::Custom(CustomTool {
                name,
                description: body.description,
                format,
                defer_loading: body.defer_loading,
                cache: None,
                extra: foreign(extra),
            })
        }
        ToolTag::Namespace => Tool::Namespace {
            name,
            description: body.description,
            tools: tools(body.tools, &format!("{}.tools", path()))?,
            extra: foreign(body.extra),
        },
    })
}

/// The format of a custom tool; one that is not known stays among the unknown members.
fn custom_format(
    format: Option<Json>,
    mut extra: Vec<(String, Json)>,
) -> (CustomFormat, Vec<(String, Json)>) {
    #[derive(Default, Deserialize)]
    struct Fields {
        r#type: Option<String>,
        syntax: Option<String>,
        definition: Option<String>,
        grammar: Option<Box<Fields>>,
    }
    let Some(format) = format else { return (CustomFormat::Text, extra) };
    let fields = format.read::<Fields>().unwrap_or_default();
    if fields.r#type.as_deref() == Some("text") {
        return (CustomFormat::Text, extra);
    }
    // Chat nests the grammar once more.
    let grammar = match fields.grammar {
        Some(inner) => *inner,
        None => fields,
    };
    if let (Some(syntax), Some(definition)) = (grammar.syntax, grammar.definition) {
        return (CustomFormat::Grammar { syntax, definition }, extra);
    }
    extra.push(("format".to_owned(), format));
    (CustomFormat::Text, extra)
}

/// Settings of a web search as far as other dialects know them.
pub(in super::super) fn web_search_settings(json: &Json) -> WebSearch {
    #[derive(Default, Deserialize)]
    struct Fields {
        filters: Option<Filters>,
        search_context_size: Option<String>,
        user_location: Option<Json>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Filters {
        allowed_domains: Option<Vec<String>>,
        blocked_domains: Option<Vec<String>>,
    }
    let fields = json.read::<Fields>().unwrap_or_default();
    let filters = fields.filters.unwrap_or_default();
    WebSearch {
        max_uses: None,
        allowed_domains: filters.allowed_domains.unwrap_or_default(),
        blocked_domains: filters.blocked_domains.unwrap_or_default(),
        user_location: fields.user_location.filter(|l| !l.is_null()),
        context_size: fields.search_context_size,
    }
}

/// `tool_choice` among `tools`.
pub(in super::super) fn tool_choice(json: &Json, tools: &[Tool]) -> Result<ToolChoice, Failure> {
    if let Some(word) = json.as_string() {
        return Ok(match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            _ => {
                return Err(Failure::bad_request(
                    "tool_choice",
                    format!(
                        "`tool_choice` is {word}: use auto, none, required or an object that names a tool."
                    ),
                ));
            }
        });
    }
    let wrong = |e| Failure::bad_request("tool_choice", format!("`tool_choice` has the wrong form: {e}."));
    let choice: Choice = json.read().map_err(wrong)?;
    let named = |choice: &Choice| named(choice).or_else(|| typed_tool(choice, tools));
    if let Some(tool) = named(&choice) {
        return Ok(ToolChoice::Named(tool));
    }
    if choice.r#type.as_deref() == Some("allowed_tools") {
        let tools: Option<Vec<_>> = choice.tools.iter().map(named).collect();
        return Ok(match tools {
            Some(tools) => {
                ToolChoice::Allowed { required: choice.mode.as_deref() == Some("required"), tools }
            }
            None => ToolChoice::Opaque(opaque(json.clone())),
        });
    }
    Ok(match choice.r#type {
        Some(type_name) if choice.extra.is_empty() && choice.name.is_none() => {
            ToolChoice::Hosted { tool: hosted::kind_of_tool(&type_name), type_name }
        }
        _ => ToolChoice::Opaque(opaque(json.clone())),
    })
}

crate::wire::wire! {
    struct Choice {
        "type" => r#type: Option<String>,
        "name" => name: Option<String>,
        "namespace" => namespace: Option<String>,
        "mode" => mode: Option<String>,
        "tools" => tools: Vec<Choice>,
        "function" => function: Option<Inner>,
        "custom" => custom: Option<Inner>,
    }
}

#[derive(Debug, Default, Deserialize)]
struct Inner {
    name: String,
}

/// A tool of the client that is chosen by its type.
fn typed_tool(choice: &Choice, tools: &[Tool]) -> Option<NamedTool> {
    tools.iter().find_map(|tool| match tool {
        Tool::Typed(tool) if Some(&tool.type_name) == choice.r#type.as_ref() => {
            Some(NamedTool { flavour: tool.flavour, name: tool.name.clone(), namespace: None })
        }
        _ => None,
    })
}

fn named(choice: &Choice) -> Option<NamedTool> {
    let flavour = match ToolBody::tag(choice.r#type.as_deref()?)? {
        ToolTag::Function => Flavour::Function,
        ToolTag::Custom => Flavour::Custom,
        ToolTag::Namespace => return None,
    };
    let inner = choice.function.as_ref().or(choice.custom.as_ref()).map(|inner| &inner.name);
    let name = choice.name.as_ref().or(inner)?.clone();
    Some(NamedTool { flavour, name, namespace: choice.namespace.clone() })
}
